"""Who talked last, and with whom: what a ring needs to know to be fair to telephones and kind to callers.

Kept in memory, filled at the start from the call log, and from then on by the records of calls. A telephone goes by
the names under which calls know it: the endpoint that answered (``PJSIP/anna``) and the dial string that was rung
(``PJSIP/+13065551234@carrier``, for a number outside, whose endpoint is the carrier's).
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.calls.caller import caller_number
from gateway.calls.outcome import endpoint_of
from gateway.calls.record import CallRecord, Stage
from gateway.store.database import Connection
from gateway.store.queries import load_queries

# Callers whose last partner is remembered; beyond this, whoever has not called for longest is a stranger again.
MOST_CALLERS = 50_000
MOST_CALLS = 20_000
# How far back the log is read at the start.
LOOK_BACK = timedelta(days=90)

_sql = load_queries(Path(__file__).parent, "flows.sql")


@dataclass
class Talked:
    """The memory of one gateway; all its nodes share it."""

    _ended: dict[str, float] = field(default_factory=dict)  # name -> when its last conversation ended
    _talking: dict[str, frozenset[str]] = field(default_factory=dict)  # call -> the names of who talks in it
    _busy: Counter[str] = field(default_factory=Counter)
    _partners: dict[tuple[int, str], frozenset[str]] = field(default_factory=dict)
    _turns: Counter[str] = field(default_factory=Counter)

    def note(self, record: CallRecord, company_id: int, region: str | None) -> None:
        """A call's record has come in."""
        if record.stage is Stage.ANSWERED:
            self._begin(record.key, _names(record))
        elif record.stage is Stage.ENDED:
            self._end(record.key)
            if record.picked_up_at is not None:
                names = _names(record)
                caller = caller_number(record.caller, region)
                self.spoke(company_id, caller, names, record.ended_at or datetime.now(UTC))

    def spoke(self, company_id: int, caller: str | None, names: Collection[str], ended: datetime) -> None:
        """A conversation of ``caller`` with the telephone of these names ended."""
        for name in names:
            self._ended[name] = max(ended.timestamp(), self._ended.get(name, 0.0))
        if caller and names:
            self._partners.pop((company_id, caller), None)
            self._partners[company_id, caller] = frozenset(names)
            if len(self._partners) > MOST_CALLERS:
                del self._partners[next(iter(self._partners))]

    def idle_since(self, names: Collection[str]) -> float:
        """When the telephone of these names last hung up, in seconds since 1970; infinite while it talks."""
        if any(self._busy[name] for name in names):
            return float("inf")
        return max((self._ended.get(name, 0.0) for name in names), default=0.0)

    def partner(self, company_id: int, caller: str | None) -> frozenset[str]:
        """The names of the telephone that ``caller`` talked with last; none where they never did."""
        return self._partners.get((company_id, caller), frozenset()) if caller else frozenset()

    def turn(self, place: str) -> int:
        """How often this was asked of ``place`` before."""
        self._turns[place] += 1
        return self._turns[place] - 1

    async def load(self, connection: Connection) -> None:
        """Read what the log knows, over a connection that sees every company. What was heard meanwhile is newer."""
        since = datetime.now(UTC) - LOOK_BACK
        rows: list[Any] = [row async for row in _sql.last_spoken(connection, since=since, most=MOST_CALLERS)]
        earlier = Talked()
        for row in reversed(rows):
            names = frozenset(name for name in (row["last_answered_by"], row["dial"]) if name)
            earlier.spoke(row["company_id"], row["caller"], names, row["ended_at"])
        for name, ended in earlier._ended.items():
            self._ended[name] = max(ended, self._ended.get(name, 0.0))
        self._partners = earlier._partners | self._partners
        for stranger in list(self._partners)[: max(0, len(self._partners) - MOST_CALLERS)]:
            del self._partners[stranger]

    def _begin(self, key: str, names: frozenset[str]) -> None:
        self._end(key)
        if len(self._talking) >= MOST_CALLS:
            self._end(next(iter(self._talking)))
        self._talking[key] = names
        self._busy.update(names)

    def _end(self, key: str) -> None:
        for name in self._talking.pop(key, ()):
            self._busy[name] -= 1
            if not self._busy[name]:
                del self._busy[name]


def _names(record: CallRecord) -> frozenset[str]:
    """The names of who talked last in a call: endpoint and, of a call that has ended, the dial string."""
    endpoint = endpoint_of(record.people[-1]) if record.people else None
    rung: Iterable[str] = (record.legs[-1].dial,) if record.legs and len(record.people) == 1 else ()
    return frozenset(name for name in (endpoint, *rung) if name)
