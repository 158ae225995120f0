"""People: several calls and forms that belong together, built by the gateway, corrected by hand."""

from gateway.store.migrate import run_sql

revision = "0016_people"
down_revision = "0015_sure"


def upgrade() -> None:
    run_sql(__file__)
