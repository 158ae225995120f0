"""Sums of reports are packed: a value for all keys of a block of days."""

from gateway.store.migrate import run_sql

revision = "0050_packed_sums"
down_revision = "0048_sounds"


def upgrade() -> None:
    run_sql(__file__)
