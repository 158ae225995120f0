"""What needs somebody: what fell silent, what was put off, how each Asterisk is."""

from gateway.store.migrate import run_sql

revision = "0028_attention"
down_revision = "0027_source_counts"


def upgrade() -> None:
    run_sql(__file__)
