"""What sources cost, by source, campaign and period."""

from gateway.store.migrate import run_sql

revision = "0024_spend"
down_revision = "0023_kept_reports"


def upgrade() -> None:
    run_sql(__file__)
