"""Prices of numbers hold from a day on."""

from gateway.store.migrate import run_sql

revision = "0055_prices_of_days"
down_revision = "0054_message_mail"


def upgrade() -> None:
    run_sql(__file__)
