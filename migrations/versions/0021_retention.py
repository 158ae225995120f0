"""Recordings are kept as long as a company says, and what was deleted says when."""

from gateway.store.migrate import run_sql

revision = "0021_retention"
down_revision = "0020_visit_pages"


def upgrade() -> None:
    run_sql(__file__)
