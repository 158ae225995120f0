"""The queue of durable jobs."""

from gateway.store.migrate import run_sql

revision = "0002_jobs"
down_revision = "0001_calls"


def upgrade() -> None:
    run_sql(__file__)
