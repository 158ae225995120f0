"""Companies, people who sign in, numbers and where they lead, calls and their recordings."""

from gateway.store.migrate import run_sql

revision = "0001_calls"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)
