"""What brought each call, with its evidence and rivals; what was learned; how reliable it was."""

from gateway.store.migrate import run_sql

revision = "0007_attribution"
down_revision = "0006_site_keys"


def upgrade() -> None:
    run_sql(__file__)
