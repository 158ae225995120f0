"""How somebody who sent a form is called, found among what was typed. No I/O."""

import re
from collections.abc import Mapping
from typing import Any

LONGEST_NAME = 120


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SPACE = re.compile(r"\s+")
# Names of fields, in the languages of the countries that Numberpool is used in.
_WHOLE = _listed("name fullname yourname nom nombre naam имя фио contactname clientname customername")
_FIRST = _listed("firstname first vorname prenom prénom voornaam givenname forename fname")
_LAST = _listed("lastname last surname nachname apellido apellidos achternaam familyname фамилия lname")
# Names, and yet of nobody.
_OTHER = _listed("company business firma user login file domain product street city form plan event pet")


def name_of(data: Mapping[str, Any]) -> str:
    """The name of who sent ``data``; empty where none is told."""
    whole = first = last = ""
    for field, value in data.items():
        text = _SPACE.sub(" ", value).strip() if isinstance(value, str) else ""
        if not _is_name(text):
            continue
        words = [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", field))]
        known = {*words, "".join(words)}
        if known & _OTHER:
            continue
        if known & _FIRST:
            first = first or text
        elif known & _LAST:
            last = last or text
        elif known & _WHOLE:
            whole = whole or text
    # Where a family name has a field of its own, "name" is the first one.
    found = f"{first or (whole if last else '')} {last}".strip() if first or last else whole
    return found[:LONGEST_NAME]


def _is_name(text: str) -> bool:
    return bool(text) and len(text) <= LONGEST_NAME and "@" not in text and "//" not in text and not text[0].isdigit()
