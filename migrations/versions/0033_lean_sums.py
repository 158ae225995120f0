"""The sums of reports take a fraction of the room and of the time."""

from gateway.store.migrate import run_sql

revision = "0033_lean_sums"
down_revision = "0032_settings_rest"


def upgrade() -> None:
    run_sql(__file__)
