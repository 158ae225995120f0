"""A company says what counts as a lead: talk, first calls only, marks, messages, forms."""

from gateway.store.migrate import run_sql

revision = "0031_lead_rule"
down_revision = "0030_reports"


def upgrade() -> None:
    run_sql(__file__)
