"""Transfers, fax numbers, what callers are let through, and the number a company shows when it forwards."""

from gateway.store.migrate import run_sql

revision = "0003_real_pbx"
down_revision = "0002_jobs"


def upgrade() -> None:
    run_sql(__file__)
