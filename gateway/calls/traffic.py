"""Who calls now and who called lately: what limits and the rules against spam look at, in the memory of one gateway.

Filled by the records of calls as they come, live or out of the outbox, and read from the log at the start and now and
then, so that it is right again after a restart and nothing that was missed stays. Ages are by the monotonic clock: one
that is set meanwhile turns nobody away.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import structlog

from gateway.calls.policy import Policy
from gateway.calls.record import CallRecord, Stage
from gateway.calls.screening import Screened, Seen
from gateway.store.database import AWAY, Connection, Database
from gateway.store.queries import load_queries

# Beyond this, whoever has not called for longest is forgotten: a flood of forged numbers must not fill the memory.
MOST_CALLERS = 50_000
MOST_KNOWN = 200_000
MOST_CALLS = 20_000
MOST_OF_ONE = 1_000
# As long as a company's minutes may be; and how long who dialled a trap is suspicious.
LONGEST_WINDOW = 24 * 3600.0
SUSPECT_SECONDS = 30 * 24 * 3600.0
# A call that the log does not know to be open, and that has been going on for longer, is none any more.
SETTLED_SECONDS = 60.0
READ_SECONDS = 60.0

_sql = load_queries(Path(__file__).parent, "policies.sql")
_log = structlog.get_logger(__name__)

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
Caller = tuple[int, str]  # company, and number as the log has it


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that is going on; ``since`` by the monotonic clock."""

    company_id: int
    trunk: str
    since: float


@dataclass(frozen=True, slots=True)
class Past:
    """What the log tells. Ages are in seconds; ``lately`` and ``open_calls`` say the keys of their calls."""

    lately: Iterable[tuple[Caller, str, float]] = ()
    suspects: Iterable[tuple[Caller, float]] = ()
    known: Iterable[Caller] = ()
    open_calls: Iterable[tuple[str, int, str, float]] = ()


@dataclass
class Traffic:
    """The memory; all nodes of the gateway share it."""

    clock: Callable[[], float] = time.monotonic
    _open: dict[str, OpenCall] = field(default_factory=dict)
    _lately: dict[Caller, dict[str, float]] = field(default_factory=dict)
    _suspects: dict[Caller, float] = field(default_factory=dict)
    _known: dict[Caller, None] = field(default_factory=dict)
    _passed: dict[str, None] = field(default_factory=dict)
    _noted: dict[str, None] = field(default_factory=dict)

    def seen(self, company_id: int, caller: str | None, trunk: str, policy: Policy, key: str = "") -> Seen:
        """What is known when the call ``key`` comes in."""
        others = [call for other, call in self._open.items() if other != key]
        at_once = sum(call.company_id == company_id for call in others) if policy.most_calls is not None else 0
        on_trunk = (
            sum(call.company_id == company_id and call.trunk == trunk for call in others)
            if trunk in policy.most_by_trunk
            else 0
        )
        if caller is None:
            return Seen(at_once=at_once, on_trunk=on_trunk)
        who = company_id, caller
        now = self.clock()
        since = now - policy.often_minutes * 60
        return Seen(
            lately=sum(at > since for at in self._lately.get(who, {}).values()),
            at_once=at_once,
            on_trunk=on_trunk,
            is_known=who in self._known,
            is_suspect=now - self._suspects.get(who, float("-inf")) < SUSPECT_SECONDS,
        )

    def told(self, record: CallRecord, company_id: int, caller: str | None, age: float, lead_seconds: float) -> None:
        """A record has come in of a call that began ``age`` seconds ago; so much talk is a real conversation."""
        began = self.clock() - max(0.0, age)
        if record.choice.startswith("Menu/0-"):
            _remember(self._passed, record.key, None, MOST_CALLS)
        if record.stage is Stage.ENDED:
            self._open.pop(record.key, None)
        else:
            _remember(self._open, record.key, OpenCall(company_id, record.trunk, began), MOST_CALLS, newest=False)
        _remember(self._noted, record.key, None, MOST_CALLS)
        if caller is None:
            return
        who = company_id, caller
        self._called(who, record.key, began)
        if record.screened == Screened.TRAP:
            _remember(self._suspects, who, began, MOST_CALLERS)
        if record.stage is Stage.ENDED and record.seconds_talked >= max(lead_seconds, 1.0):
            self.knows(who)

    def knows(self, who: Caller) -> None:
        """This caller has talked with the company, or bought of it."""
        _remember(self._known, who, None, MOST_KNOWN)

    def passed(self, record: CallRecord) -> CallRecord:
        """``record``, knowing whether its caller pressed 1 at the gate."""
        return replace(record, passed=True) if record.is_gated and record.key in self._passed else record

    def remember(self, past: Past) -> None:
        """What the log tells, beside what was heard meanwhile."""
        now = self.clock()
        for who, key, age in past.lately:
            self._called(who, key, now - age)
        for who, age in past.suspects:
            _remember(self._suspects, who, max(now - age, self._suspects.get(who, float("-inf"))), MOST_CALLERS)
        for who in past.known:
            self.knows(who)
        there = {key: OpenCall(company, trunk, now - age) for key, company, trunk, age in past.open_calls}
        for key, call in list(self._open.items()):
            if key not in there and now - call.since > SETTLED_SECONDS:
                del self._open[key]
        for key, call in there.items():
            if key not in self._noted or key in self._open:
                self._open.setdefault(key, call)

    def _called(self, who: Caller, key: str, at: float) -> None:
        """Each call counts once, from when it was first heard of."""
        calls = self._lately.get(who, {})
        if key in calls:
            return
        calls[key] = at
        if len(calls) > MOST_OF_ONE:
            del calls[min(calls, key=calls.__getitem__)]
        self._lately.pop(who, None)
        self._lately[who] = {each: began for each, began in calls.items() if began > self.clock() - LONGEST_WINDOW}
        if len(self._lately) > MOST_CALLERS:
            del self._lately[next(iter(self._lately))]


def _remember(memory: dict[_Key, _Value], key: _Key, value: _Value, most: int, *, newest: bool = True) -> None:
    """Keep it, as the newest unless it is there and may stay where it is; the oldest goes where there are too many."""
    if not newest and key in memory:
        return
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > most:
        del memory[next(iter(memory))]


async def past_of(connection: Connection) -> Past:
    """What the log tells, over a connection that sees every company."""
    return Past(
        lately=[
            ((row["company_id"], row["caller"]), row["asterisk_id"], row["age"])
            async for row in _sql.lately_called(connection)
        ],
        suspects=[((row["company_id"], row["caller"]), row["age"]) async for row in _sql.lately_trapped(connection)],
        known=[(row["company_id"], row["caller"]) async for row in _sql.known_callers(connection, most=MOST_KNOWN)][
            ::-1
        ],
        open_calls=[
            (row["asterisk_id"], row["company_id"], row["trunk"], row["age"])
            async for row in _sql.calls_going_on(connection)
        ],
    )


async def keep_traffic(traffic: Traffic, database: Database) -> None:
    """Read the log again and again, until cancelled; until the first time, only the calls since are known."""
    while True:
        try:
            async with database.everything() as connection:
                traffic.remember(await past_of(connection))
            _log.debug("who called lately was read")
        except AWAY as error:
            _log.warning("who called lately cannot be read", fault=str(error))
        await asyncio.sleep(READ_SECONDS)
