"""Calls that people place from Numberpool to call somebody back."""

from gateway.store.migrate import run_sql

revision = "0047_placed_calls"
down_revision = "0044_texts"


def upgrade() -> None:
    run_sql(__file__)
