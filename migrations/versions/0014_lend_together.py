"""What visits ask Postgres while their pages wait: one call each, which begins, sees its companies, and commits."""

from gateway.store.migrate import run_sql

revision = "0014_lend_together"
down_revision = "0013_marks"


def upgrade() -> None:
    run_sql(__file__)
