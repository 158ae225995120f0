"""A company can be removed though its calls are still to be counted."""

from gateway.store.migrate import run_sql

revision = "0035_due_of_gone"
down_revision = "0034_visits_kept"


def upgrade() -> None:
    run_sql(__file__)
