"""What the address of a page says of where its visitor came from: tags and click ids, in query and fragment."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from gateway.visits.address import LONGEST, Address, readable
from gateway.visits.rules import TAGS, ClickId

_Slot = tuple[int, int]
_CLICK = len(TAGS)


class Said(NamedTuple):
    """What an address says: the tags as given, empty where they are not, and the click ids in their order of weight."""

    source: str = ""
    medium: str = ""
    campaign: str = ""
    term: str = ""
    content: str = ""
    clicks: tuple[tuple[ClickId, str], ...] = ()


NOTHING = Said()


class Parameters:
    """Reads tags and click ids.

    Names are blind to capitals. Of a repeated parameter the first that says something counts, of two names for one tag
    the one that the rule set lists first, and the query before the fragment (``#utm_source=…``, ``#!/x?utm_source=…``).
    ``;`` and ``?`` part parameters only where one that is known follows, so that a campaign may hold them.
    """

    def __init__(
        self, names: dict[str, tuple[str, ...]], click_ids: Sequence[ClickId], blank: Sequence[str] = ()
    ) -> None:
        self._click_ids = tuple(click_ids)
        self._blank = frozenset(word.lower() for word in blank)
        self._slots: dict[str, _Slot] = {}
        for number, tag in enumerate(TAGS):
            for rank, name in enumerate(names.get(tag, (f"utm_{tag}", tag))):
                self._slots.setdefault(name.lower(), (number, rank))
        for rank, click_id in enumerate(self._click_ids):
            self._slots.setdefault(click_id.name.lower(), (_CLICK, rank))
        known = "|".join(map(re.escape, sorted(self._slots)))
        self._borders = re.compile(rf"&(?:amp;)?|[;?](?=(?:{known})=)", re.IGNORECASE)

    def read(self, page: Address) -> Said:
        """What ``page`` says."""
        found: dict[_Slot, str] = {}
        if "=" in page.query:
            self._collect(page.query, found)
        if "=" in page.fragment:
            self._collect(page.fragment.lstrip("!/"), found)
        if not found:
            return NOTHING
        # Ranks grow, so the first of a tag that is met in their order is the one that counts.
        tags = [""] * _CLICK
        clicks: list[tuple[ClickId, str]] = []
        for (number, rank), value in sorted(found.items()) if len(found) > 1 else found.items():
            if number == _CLICK:
                clicks.append((self._click_ids[rank], value))
            elif not tags[number]:
                tags[number] = value
        return Said(tags[0], tags[1], tags[2], tags[3], tags[4], tuple(clicks))

    def _collect(self, text: str, found: dict[_Slot, str]) -> None:
        slots = self._slots
        parts = self._borders.split(text) if ";" in text or "?" in text else text.split("&")
        for part in parts:
            name, _, raw = part.partition("=")
            slot = slots.get(name)
            if slot is None:
                if name.isidentifier() and name.islower():
                    continue
                slot = slots.get(unquote(name[:LONGEST]).replace("+", " ").strip().lower())
                if slot is None:
                    continue
            if raw and slot not in found:
                value = self._value(raw, slot[0] == _CLICK)
                if value:
                    found[slot] = value

    def _value(self, raw: str, is_click_id: bool) -> str:
        """The value; empty if it says nothing: a word for that, a template left unfilled, an id too long to be one."""
        value = readable(raw, plus=not is_click_id)
        if value.lower() in self._blank or (value[:1] == "{" and value[-1:] == "}"):
            return ""
        return "" if is_click_id and len(value) >= LONGEST else value
