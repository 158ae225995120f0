"""Patterns of words, as rules are written with them: few forms, each about as quick as a comparison."""

import re
from collections.abc import Iterable

from gateway.visits.faults import say

_FORM = re.compile(r"(?P<open>\*\|?)?(?P<text>[^*|]*)(?P<end>\*)?")


class BadPattern(ValueError):
    """A pattern is not of a form that there is; the message says which forms there are."""

    def __init__(self, pattern: str) -> None:
        self.fault = say(
            "%(pattern)s is no pattern: write a word, with * at its beginning or end for anything, or *| for the "
            "beginning of a word within a longer text",
            pattern=repr(pattern),
        )
        super().__init__(self.fault)


class Words:
    """Whether a text in small letters is among words: ``cpc``, ``paid*``, ``*push``, ``*video*``, ``*|shop*``, ``*``.

    ``*|shop*`` is "shop" with no letter a to z before it. Comparing is blind to capitals; a word counts whole.
    """

    __slots__ = ("_anything", "_begins", "_ends", "_starts", "_whole", "_within")

    def __init__(self, patterns: Iterable[str]) -> None:
        whole: set[str] = set()
        starts: list[str] = []
        ends: list[str] = []
        within: list[str] = []
        begins: list[str] = []
        self._anything = False
        for pattern in patterns:
            found = _FORM.fullmatch(pattern.strip().lower())
            if found is None or not (found["text"] or pattern.strip() == "*"):
                raise BadPattern(pattern)
            text, opened, ended = found["text"], found["open"] or "", bool(found["end"])
            if not text:
                self._anything = True
            elif opened == "*|":
                begins.append(f"(?<![a-z]){re.escape(text)}" + ("" if ended else r"\Z"))
            elif opened and ended:
                within.append(text)
            elif opened:
                ends.append(text)
            elif ended:
                starts.append(text)
            else:
                whole.add(text)
        self._whole = frozenset(whole)
        self._starts = tuple(starts)
        self._ends = tuple(ends)
        self._within = tuple(within)
        self._begins = re.compile("|".join(begins)) if begins else None

    def hold(self, text: str) -> bool:
        """Whether ``text``, in small letters, is among the words; nothing is not."""
        if text in self._whole:
            return True
        if not text:
            return False
        if self._anything or text.startswith(self._starts) or text.endswith(self._ends):
            return True
        for part in self._within:
            if part in text:
                return True
        return self._begins is not None and self._begins.search(text) is not None
