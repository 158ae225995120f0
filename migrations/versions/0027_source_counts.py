"""The rows of a source are counted under another name: in PL/pgSQL, FOUND is taken."""

from gateway.store.migrate import run_sql

revision = "0027_source_counts"
down_revision = "0026_call_backs"


def upgrade() -> None:
    run_sql(__file__)
