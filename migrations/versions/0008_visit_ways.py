"""By which way visits of a site reach the collector: what its set-up is, and how long visitors are remembered."""

from gateway.store.migrate import run_sql

revision = "0008_visit_ways"
down_revision = "0007_attribution"


def upgrade() -> None:
    run_sql(__file__)
