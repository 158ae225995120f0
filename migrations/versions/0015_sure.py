"""How sure a source is can be filtered by; a new call costs the same however many there are."""

from gateway.store.migrate import run_sql

revision = "0015_sure"
down_revision = "0014_lend_together"


def upgrade() -> None:
    run_sql(__file__)
