"""The list of visits is filtered by what brought them and where they began."""

from gateway.store.migrate import run_sql

revision = "0019_visit_list"
down_revision = "0018_example_data"


def upgrade() -> None:
    run_sql(__file__)
