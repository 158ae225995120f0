"""Sources are renamed, merged and hidden; what visits are named leads to a source by its labels."""

from gateway.store.migrate import run_sql

revision = "0022_sources_change"
down_revision = "0021_retention"


def upgrade() -> None:
    run_sql(__file__)
