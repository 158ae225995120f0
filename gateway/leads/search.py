"""What somebody types to find a call: words of names, notes and tags, or a telephone number in any way of writing it.

No I/O. Words are folded (small letters, no accents) and found by their beginning; numbers by beginning or end.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import phonenumbers

MOST_WORDS = 60
LONGEST_WORD = 40
# Fewer digits than this fit half of all numbers.
FEWEST_DIGITS = 3
_NUMBER = re.compile(r"[+\d][\d\s()./\-\u2010-\u2015\u00a0]*|\([\d\s()./\-\u2010-\u2015\u00a0]+")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Stretch:
    """All texts from ``low`` on and before ``high``, compared letter by letter (collation C)."""

    low: str
    high: str

    @classmethod
    def beginning(cls, text: str) -> "Stretch":
        """Those that begin with ``text``."""
        return cls(text, text[:-1] + chr(ord(text[-1]) + 1))


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for. Either words (all of them) or numbers, never both."""

    words: tuple[str, ...] = ()  # folded; a call's word must begin with each
    begins: tuple[Stretch, ...] = ()  # one or two, of callers' numbers in E.164
    ends: Stretch | None = None  # of callers' numbers read backwards
    whole: str | None = None  # the number in E.164, where it is a whole one

    def __bool__(self) -> bool:
        return bool(self.words or self.begins)


def sought(text: str, region: str) -> Sought:
    """What a text asks for; national numbers are read as ``region``'s (ISO 3166-1)."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        digits = "".join(letter for letter in text if letter.isdecimal())
        if len(digits) >= FEWEST_DIGITS and digits.isascii():
            return _number(text, digits, region)
    return Sought(words=tuple(words_of([text])))


def words_of(texts: Iterable[str]) -> list[str]:
    """The folded words of some texts, each once."""
    found = {word[:LONGEST_WORD]: None for text in texts for word in _WORD.findall(fold(text))}
    return list(found)[:MOST_WORDS]


def fold(text: str) -> str:
    """Small letters without accents, so that Lavallée is found by lavallee."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(letter for letter in parted if not unicodedata.combining(letter)))


def _number(text: str, digits: str, region: str) -> Sought:
    country = str(phonenumbers.country_code_for_region(region) or "")
    whole = _whole(text, region)
    begins = [whole] if whole else []
    if text.startswith("+") or digits.startswith("00"):
        begins.append("+" + digits.removeprefix("00"))
    else:
        begins.append("+" + country + digits.lstrip("0"))
        if country and digits.startswith(country):
            begins.append("+" + digits)
    return Sought(
        begins=tuple(Stretch.beginning(each) for each in list(dict.fromkeys(begins))[:2]),
        ends=Stretch.beginning(digits[::-1]),
        whole=whole,
    )


def _whole(text: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
