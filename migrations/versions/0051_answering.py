"""What happens on the line of who answers: press 1, pauses of recordings, a word after the call, the display."""

from gateway.store.migrate import run_sql

revision = "0051_answering"
down_revision = "0050_packed_sums"


def upgrade() -> None:
    run_sql(__file__)
