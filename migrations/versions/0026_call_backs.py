"""Who was called back, by the word of whoever did."""

from gateway.store.migrate import run_sql

revision = "0026_call_backs"
down_revision = "0025_report_mail"


def upgrade() -> None:
    run_sql(__file__)
