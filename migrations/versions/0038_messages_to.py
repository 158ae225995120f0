"""Who is told by mail of a message that a caller left."""

from gateway.store.migrate import run_sql

revision = "0038_messages_to"
down_revision = "0037_nobodys_due"


def upgrade() -> None:
    run_sql(__file__)
