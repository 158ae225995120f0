"""Flows: what calls do, as data; the switch that closes a company now."""

from gateway.store.migrate import run_sql

revision = "0029_flows"
down_revision = "0028_attention"


def upgrade() -> None:
    run_sql(__file__)
