"""The people who visit the shop of the demonstration: a name and a telephone for each."""

import hashlib
from dataclasses import dataclass

_FIRST_NAMES = """
Amara Ben Carmen Dale Elise Farid Grace Hugo Ines Joel Kirsten Leon
Maya Nolan Odette Pavel Quinn Rosa Samir Tessa Umar Vera Wesley Yara
"""
_LAST_NAMES = """
Abbott Bear Campbell Desjarlais Eriksen Fontaine Gill Halvorson Ivanov Jansen Kowalski Lavallee
Morin Nguyen Okafor Petersen Quesnel Rempel Singh Toews Ulrich Vermette Wiebe Young
"""
_FIRST, _LAST = _FIRST_NAMES.split(), _LAST_NAMES.split()
# Saskatchewan, Manitoba, Alberta; the numbers 555-0100 to 555-0199 of every area code are kept for fiction (NANPA).
_AREAS = ("639", "474", "204", "431", "403", "587", "780", "825")


@dataclass(frozen=True)
class Person:
    """Somebody who looks at the shop: 16 letters that the browser keeps, a name, and a number as E.164."""

    id: str
    name: str
    number: str


def person_of(id: str) -> Person:
    """The same person for the same id. The demonstration's other callers have numbers of another area code."""
    drawn = int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest())
    drawn, first = divmod(drawn, len(_FIRST))
    drawn, last = divmod(drawn, len(_LAST))
    drawn, area = divmod(drawn, len(_AREAS))
    return Person(id, f"{_FIRST[first]} {_LAST[last]}", f"+1{_AREAS[area]}555{100 + drawn % 100:04}")
