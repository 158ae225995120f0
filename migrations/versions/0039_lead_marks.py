"""Forms, chats and texts have what calls have: a source, marks, a place in the list."""

from gateway.store.migrate import run_sql

revision = "0039_lead_marks"
down_revision = "0038_messages_to"


def upgrade() -> None:
    run_sql(__file__)
