"""The jobs of a period are found without counting its calls."""

from gateway.store.migrate import run_sql

revision = "0053_jobs_of_days"
down_revision = "0051_answering"


def upgrade() -> None:
    run_sql(__file__)
