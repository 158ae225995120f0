"""What a company says of its calls: announcement, spam, limits; and which of its rules acted on a call."""

from gateway.store.migrate import run_sql

revision = "0040_call_policies"
down_revision = "0039_lead_marks"


def upgrade() -> None:
    run_sql(__file__)
