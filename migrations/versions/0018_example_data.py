"""Example data is told from real data, and can be taken out again."""

from gateway.store.migrate import run_sql

revision = "0018_example_data"
down_revision = "0017_quick_policies"


def upgrade() -> None:
    run_sql(__file__)
