"""Pools that lend numbers to visitors, the visits themselves, and the rules that name their sources."""

from gateway.store.migrate import run_sql

revision = "0004_pools_and_visits"
down_revision = "0003_real_pbx"


def upgrade() -> None:
    run_sql(__file__)
