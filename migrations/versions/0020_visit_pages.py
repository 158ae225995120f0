"""The page a visit began on is a column, because row-level security keeps an expression from using its index."""

from gateway.store.migrate import run_sql

revision = "0020_visit_pages"
down_revision = "0019_visit_list"


def upgrade() -> None:
    run_sql(__file__)
