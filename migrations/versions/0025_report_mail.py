"""Reports and alerts of missed calls by mail."""

from gateway.store.migrate import run_sql

revision = "0025_report_mail"
down_revision = "0024_spend"


def upgrade() -> None:
    run_sql(__file__)
