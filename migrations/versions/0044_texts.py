"""Texts: carriers' accounts, conversations, and who wants none."""

from gateway.store.migrate import run_sql

revision = "0044_texts"
down_revision = "0040_call_policies"


def upgrade() -> None:
    run_sql(__file__)
