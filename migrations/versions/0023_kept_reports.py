"""Reports are kept under a name as lists of calls are."""

from gateway.store.migrate import run_sql

revision = "0023_kept_reports"
down_revision = "0022_sources_change"


def upgrade() -> None:
    run_sql(__file__)
