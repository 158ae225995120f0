"""Pools and sites are removed without a loss; rules run over history beside; visits are kept as a company says."""

from gateway.store.migrate import run_sql

revision = "0032_settings_rest"
down_revision = "0031_lead_rule"


def upgrade() -> None:
    run_sql(__file__)
