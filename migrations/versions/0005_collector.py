"""Who may speak to the collector besides browsers, and sites that ask for consent."""

from gateway.store.migrate import run_sql

revision = "0005_collector"
down_revision = "0004_pools_and_visits"


def upgrade() -> None:
    run_sql(__file__)
