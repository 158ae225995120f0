"""Whose a call or a form is: decided by number, address and browser alone, always the same way. No I/O.

A register holds what is known of the people of one company; :meth:`Register.place` is asked for one call or form after
the other, the oldest first.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

# Of one browser so many numbers and addresses may be somebody's. One with more is a tablet on a counter or a computer
# in a library: by itself it says nothing any more.
MOST_CONTACTS_OF_BROWSER = 3
# How sure it must be that a visitor made a call before the call says whose the visitor is.
SURE = 0.9


class KeyKind(StrEnum):
    """What tells who somebody is; the first one tells most."""

    PHONE = "phone"
    EMAIL = "email"
    VISITOR = "visitor"


_STRENGTH = {kind: place for place, kind in enumerate(KeyKind)}


@dataclass(frozen=True, slots=True)
class Key:
    """A telephone number (E.164), an e-mail address (small letters) or a visitor's id."""

    kind: KeyKind
    value: str


@dataclass(frozen=True, slots=True)
class Owner:
    """To whom a key leads. A shared key tells nothing of what has another sign."""

    person: int
    is_shared: bool = False


@dataclass(slots=True)
class Register:
    """Who is known by what. ``apart``: pairs who were parted by hand. ``joined`` grows as people turn out to be one."""

    owners: dict[Key, Owner] = field(default_factory=dict)
    apart: set[frozenset[int]] = field(default_factory=set)
    contacts: Counter[int] = field(default_factory=Counter)  # numbers and addresses that somebody has
    joined: dict[int, int] = field(default_factory=dict)  # who is gone: who it turned out to be

    @classmethod
    def of(
        cls, owners: Mapping[Key, Owner], apart: Iterable[tuple[int, int]], contacts: Mapping[int, int]
    ) -> "Register":
        """From what is stored."""
        return cls(dict(owners), {frozenset(pair) for pair in apart}, Counter(contacts))

    def place(self, keys: Sequence[Key], new: Callable[[], int]) -> int | None:
        """Whose something with these keys is; ``new`` makes a person where it is nobody's yet. None: it tells nobody.

        People whom the keys lead to turn out to be one, and the one who was known first stays, unless they were parted
        by hand: then the strongest key decides. Keys that nobody had are this person's from now on.
        """
        telling = self._telling(sorted(keys, key=lambda key: _STRENGTH[key.kind]))
        if not telling:
            shared = [self.owners[key] for key in keys if key in self.owners]
            return self.now(shared[0].person) if shared else None
        found = list(dict.fromkeys(self.now(self.owners[key].person) for key in telling if key in self.owners))
        person = found[0] if found else new()
        for other in found[1:]:
            if other != person and frozenset((person, other)) not in self.apart:
                person = self._join(person, other)
        for key in telling:
            if key not in self.owners:
                self.owners[key] = Owner(person)
                self.contacts[person] += key.kind is not KeyKind.VISITOR
        return person

    def now(self, person: int) -> int:
        """Who somebody turned out to be."""
        while person in self.joined:
            person = self.joined[person]
        return person

    def _telling(self, keys: Sequence[Key]) -> list[Key]:
        telling = [key for key in keys if not (key in self.owners and self.owners[key].is_shared)]
        own = [key for key in telling if key.kind is not KeyKind.VISITOR]
        return [key for key in telling if key.kind is not KeyKind.VISITOR or self._browser_tells(key, own)]

    def _browser_tells(self, browser: Key, others: Sequence[Key]) -> bool:
        if browser not in self.owners or not others:
            return True
        person = self.now(self.owners[browser].person)
        known = any(key in self.owners and self.now(self.owners[key].person) == person for key in others)
        return known or self.contacts[person] + len(others) <= MOST_CONTACTS_OF_BROWSER

    def _join(self, one: int, other: int) -> int:
        stays, goes = min(one, other), max(one, other)
        self.joined[goes] = stays
        self.contacts[stays] += self.contacts.pop(goes, 0)
        self.apart = {frozenset(self.now(person) for person in pair) for pair in self.apart}
        return stays
