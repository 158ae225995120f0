"""Whispers: where a call comes from, spoken to whoever answers."""

from gateway.store.migrate import run_sql

revision = "0036_whispers"
down_revision = "0035_due_of_gone"


def upgrade() -> None:
    run_sql(__file__)
