"""Amounts of money in a currency: how many digits its smallest coin has."""

from decimal import Decimal

from babel.numbers import get_currency_precision

# What a source may cost in a period; more is a slip of the finger.
HIGHEST = Decimal(10**9)
# The column has room for these: the Bahraini dinar has the smallest coin.
_MOST_DIGITS = 3


def digits_of(currency: str) -> int:
    """Digits after the point: 2 for USD, 0 for JPY, 3 for BHD (CLDR's currency data)."""
    return min(int(get_currency_precision(currency)), _MOST_DIGITS)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount in whole smallest coins, half a coin upwards as Postgres rounds."""
    return amount.quantize(Decimal(1).scaleb(-digits_of(currency)), rounding="ROUND_HALF_UP")
