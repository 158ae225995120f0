"""Own calls, invitations, second steps, known devices, the pace of attempts, and an audit log that only grows."""

from gateway.store.migrate import run_sql

revision = "0009_accounts"
down_revision = "0008_visit_ways"


def upgrade() -> None:
    run_sql(__file__)
