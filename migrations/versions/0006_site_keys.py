"""Keys of sites may be chosen, and then be short."""

from gateway.store.migrate import run_sql

revision = "0006_site_keys"
down_revision = "0005_collector"


def upgrade() -> None:
    run_sql(__file__)
