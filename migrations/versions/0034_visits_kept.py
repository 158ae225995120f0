"""A company says itself how long visits are kept, up to the server's time."""

from gateway.store.migrate import run_sql

revision = "0034_visits_kept"
down_revision = "0033_lean_sums"


def upgrade() -> None:
    run_sql(__file__)
