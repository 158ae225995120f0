"""What is still to be counted goes with its company."""

from gateway.store.migrate import run_sql

revision = "0037_nobodys_due"
down_revision = "0036_whispers"


def upgrade() -> None:
    run_sql(__file__)
