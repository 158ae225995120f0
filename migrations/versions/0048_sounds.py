"""A company's own sounds."""

from gateway.store.migrate import run_sql

revision = "0048_sounds"
down_revision = "0047_placed_calls"


def upgrade() -> None:
    run_sql(__file__)
