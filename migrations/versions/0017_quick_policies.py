"""Long lists of calls do not ask for each row which companies may be seen."""

from gateway.store.migrate import run_sql

revision = "0017_quick_policies"
down_revision = "0016_people"


def upgrade() -> None:
    run_sql(__file__)
