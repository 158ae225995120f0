"""Checks of sites."""

from gateway.store.migrate import run_sql

revision = "0011_site_checks"
down_revision = "0010_undo"


def upgrade() -> None:
    run_sql(__file__)
