"""Leads that are no calls: forms, chats and the like."""

from gateway.store.migrate import run_sql

revision = "0012_leads"
down_revision = "0011_site_checks"


def upgrade() -> None:
    run_sql(__file__)
