"""What reports count lies in facts, and in sums of days; whatever changes says so."""

from gateway.store.migrate import run_sql

revision = "0030_reports"
down_revision = "0029_flows"


def upgrade() -> None:
    run_sql(__file__)
