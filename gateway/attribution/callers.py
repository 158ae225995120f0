"""Whose a caller's number is, as far as earlier calls say: kept up from verdict to verdict."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from gateway.attribution.evidence import Call, KnownCaller, Verdict


class Callers:
    """Who has called from which number, and how sure that is."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str | None, float]] = {}
        self._called_at: dict[str, datetime] = {}
        self._dialled: dict[str, set[str]] = defaultdict(set)
        self._numbers: dict[str, set[str]] = defaultdict(set)
        self._called: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._known)

    @property
    def called(self) -> Mapping[str, float]:
        """The chance that a visitor has called before: what ``match_call`` wants for callers nobody knows."""
        return self._called

    def shown(self, visitor: str, number: str) -> None:
        """A visitor was shown a number."""
        self._numbers[visitor].add(number)

    def known(self, call: Call) -> tuple[KnownCaller, ...]:
        """Whose the caller's number is; empty: nobody has called from it."""
        found = self._known.get(call.caller)
        if not found:
            return ()
        at = self._called_at[call.caller]
        dialled = call.number in self._dialled[call.caller]
        return tuple(
            KnownCaller(
                visitor,
                chance,
                at,
                dialled or (visitor is not None and call.number in self._numbers.get(visitor, ())),
            )
            for visitor, chance in found.items()
        )

    def note(self, call: Call, verdict: Verdict) -> None:
        """A call was settled: its chances are what is known of the caller from now on."""
        if not call.caller:
            return
        for visitor, chance in self._known.get(call.caller, {}).items():
            if visitor is not None:
                self._called[visitor] -= chance
        now: dict[str | None, float] = {each.visitor: each.chance for each in verdict.candidates}
        for visitor, chance in now.items():
            assert visitor is not None
            self._called[visitor] = self._called.get(visitor, 0.0) + chance
        now[None] = verdict.nobody
        self._known[call.caller] = now
        self._called_at[call.caller] = call.at
        self._dialled[call.caller].add(call.number)
