"""Changes can be taken back."""

from gateway.store.migrate import run_sql

revision = "0010_undo"
down_revision = "0009_accounts"


def upgrade() -> None:
    run_sql(__file__)
