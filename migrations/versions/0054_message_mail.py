"""Who is told of messages subscribes."""

from gateway.store.migrate import run_sql

revision = "0054_message_mail"
down_revision = "0053_jobs_of_days"


def upgrade() -> None:
    run_sql(__file__)
