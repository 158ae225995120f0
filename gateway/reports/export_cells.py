"""Days and amounts as exports write them, in the ways of several countries and languages."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import get_date_format

# Of these languages months are known by their names.
_LANGUAGES = ("en", "ru", "de", "fr", "es", "it", "pt", "nl", "pl", "uk")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_COMPACT = re.compile(r"(20\d{2})(\d{2})(\d{2})")
_PARTS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,].*)?")
_YEAR_LAST = re.compile(r"[^\d]*(\d{1,2})?[^\d]+(\d{4})[^\d]*")
# What may be a day within a longer line.
_ANY = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./-])\d{1,2}\1\d{4}|[^\W\d]+\.? \d{1,2}, \d{4}|\d{1,2}\.? [^\W\d]+\.? \d{4}"
)

_NOTHING = frozenset({"", "-", "--", "–", "—", "n/a"})
_SIGNS = {
    "US$": "USD", "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "€": "EUR", "£": "GBP",
    "₽": "RUB", "руб": "RUB", "р.": "RUB", "₴": "UAH", "zł": "PLN", "kč": "CZK", "₸": "KZT", "₹": "INR", "₪": "ILS",
}  # fmt: skip
_AMOUNT = re.compile(r"[-−]?[\d][\d.,'’]*|[-−]?[.,]\d+")
_CODE = re.compile(r"\b([A-Z]{3})\b")


class Unreadable(ValueError):
    """It is no day, or no amount."""


def is_day_first(cells: Iterable[str], region: str) -> bool:
    """Whether 03/04 is the third of April: by the days that can only be read one way, else by the country's own way."""
    first = second = 0
    for cell in cells:
        found = _PARTS.fullmatch(cell)
        if found:
            first += int(found[1]) > 12
            second += int(found[3]) > 12
    if first != second:
        return first > second
    try:
        locale = Locale.parse(f"und_{region}")
    except (UnknownLocaleError, ValueError):
        return False
    return str(get_date_format("short", locale=locale)).lstrip().startswith("d")


def day_of(cell: str, *, day_first: bool) -> date:
    """A day; the first one of a month that has none. Raises Unreadable."""
    try:
        if found := _ISO.fullmatch(cell) or _COMPACT.fullmatch(cell):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _PARTS.fullmatch(cell):
            year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
            # With points, no country puts the month first.
            one, two = int(found[1]), int(found[3])
            day, month = (one, two) if day_first or found[2] == "." else (two, one)
            return date(year, month, day)
        if found := _YEAR_LAST.fullmatch(cell):
            return date(int(found[2]), _month(cell), int(found[1] or 1))
    except ValueError:
        pass
    raise Unreadable(cell)


def days_in(text: str, *, day_first: bool) -> list[date]:
    """The days that a line of text names, such as that of the period of a report."""
    found = []
    for each in _ANY.finditer(text):
        try:
            found.append(day_of(each[0], day_first=day_first))
        except Unreadable:
            continue
    return found


def end_of_month(day: date) -> date:
    """The last day of a month."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def is_comma_decimal(cells: Iterable[str], usual: bool) -> bool:
    """Whether 1,5 is one and a half: by the amounts that can only be read one way; ``usual`` where none can."""
    comma = point = 0
    for cell in cells:
        found = _AMOUNT.search(_together(cell))
        how = _decimal_sign(found[0]) if found else None
        comma += how == ","
        point += how == "."
    return comma > point if comma != point else usual


def amount_of(cell: str, *, comma_decimal: bool) -> Decimal:
    """An amount of money without its currency; 0 for a dash or nothing. Raises Unreadable."""
    if cell.strip().lower() in _NOTHING:
        return Decimal(0)
    found = _AMOUNT.findall(_together(cell))
    if len(found) != 1:
        raise Unreadable(cell)
    text = found[0].replace("−", "-").replace("'", "").replace("’", "")
    sign = _decimal_sign(text) or ("," if comma_decimal else ".")
    other = "." if sign == "," else ","
    whole, _, part = text.replace(other, "").rpartition(sign) if text.count(sign) == 1 else (text, "", "")
    digits = f"{whole or 0}.{part}" if _ else text.replace(sign, "").replace(other, "")
    if not re.fullmatch(r"-?\d{1,15}(\.\d*)?", digits):
        raise Unreadable(cell)
    return Decimal(digits)


def currency_in(text: str) -> str | None:
    """The currency that a heading or an amount names: ``Amount spent (USD)``, ``Расход, руб.``; none for a plain $."""
    found = _CODE.search(text)
    if found and found[1] in _codes():
        return found[1]
    lower = text.lower()
    return next((code for sign, code in _SIGNS.items() if sign.lower() in lower), None)


def _decimal_sign(text: str) -> str | None:
    """What parts the smallest coins, where the amount by itself says so."""
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        return "," if comma > point else "."
    for sign, place in ((",", comma), (".", point)):
        if place >= 0 and (text.count(sign) == 1 and len(text) - place - 1 != 3):
            return sign
        if place >= 0 and text.count(sign) > 1:
            return "." if sign == "," else ","
    return None


def _together(cell: str) -> str:
    """Without the spaces between thousands."""
    return re.sub(r"(?<=\d)\s(?=\d)", "", cell.replace("\u00a0", " ").replace("\u202f", " "))


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    found = {}
    for language in _LANGUAGES:
        names = Locale.parse(language).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in names[form][width].items():
                    found[name.lower().rstrip(".")] = number
    return found


def _month(text: str) -> int:
    for word in re.findall(r"[^\W\d_]+", text.lower()):
        if word in _months():
            return _months()[word]
    raise ValueError(text)


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(Locale.parse("en").currencies)
