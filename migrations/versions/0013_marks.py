"""Marks on calls, jobs, kept views; what the list of calls is filtered and searched by."""

from gateway.store.migrate import run_sql

revision = "0013_marks"
down_revision = "0012_leads"


def upgrade() -> None:
    run_sql(__file__)
