"""While the phone rings: which visit is calling, for the live call log and for whoever answers.

The route of a call is decided without this and never waits for it. A call is decided here as soon as it is written,
hundredths of a second after it began to ring; where Postgres is slow or away, that is done when the call is settled.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from gateway.attribution.decision import Basis
from gateway.attribution.gather import ask, decided
from gateway.attribution.keeping import Sources, keep_decision
from gateway.attribution.learned_store import LearnedInMemory
from gateway.attribution.settling import taken
from gateway.store.database import AWAY, Database

# A decision takes a few milliseconds. What takes longer than anybody rings is left to the settling.
LONGEST_SECONDS = 5.0
# So many calls at once; pages and the ledger need connections too.
HANDS = 2
# Calls that wait for a decision: in a flood the newest go without, and are settled afterwards.
MOST_WAITING = 500
_REMEMBERED = 2000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that is in the database and has not ended; of which node, and how its channel is found there."""

    company_id: int
    call_id: int
    node: str
    key: str
    unique_id: str
    number_id: int


@dataclass(frozen=True, slots=True)
class RingingDecision:
    """What is known of a ringing call.

    ``source`` is what people read (``Google Organic``), none where it is unknown; ``source_confidence`` the chance that
    it is right, ``confidence`` the chance that the visit is which it is said to have come by. ``keyword`` and
    ``campaign`` are of the touch that is credited, empty where nothing is known.
    """

    call: Ringing
    source: str | None
    source_confidence: float
    confidence: float
    source_id: int | None = None
    keyword: str = ""
    campaign: str = ""


class LiveAttribution:
    """Decides calls to numbers that are lent. ``listeners`` hear of each decision while the call rings."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._learned = LearnedInMemory()
        self._waiting: asyncio.Queue[Ringing] = asyncio.Queue(MOST_WAITING)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self.listeners: list[Callable[[RingingDecision], None]] = []

    def rang(self, call: Ringing) -> None:
        """A call rings. Never waits, never fails; said again of the same call it does nothing."""
        if call.call_id in self._seen:
            return
        self._seen[call.call_id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        if not self._waiting.full():
            self._waiting.put_nowait(call)

    async def run(self) -> None:
        """Decide until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(HANDS):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            call = await self._waiting.get()
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    decision = await self._decide(call)
            except AWAY as error:
                _log.warning("a ringing call is decided later", call=call.call_id, fault=str(error))
                continue
            except Exception:
                # One call that cannot be decided must not take the others with it; settling tells of it.
                _log.exception("a ringing call cannot be decided", call=call.call_id)
                continue
            if decision is not None:
                for listener in self.listeners:
                    listener(decision)

    async def _decide(self, call: Ringing) -> RingingDecision | None:
        async with self._database.companies(call.company_id) as connection:
            if not await taken(connection, call.company_id, call.call_id):
                return None
            asked = await ask(connection, call.company_id, call.call_id)
            if asked is None or asked.rung.basis is not Basis.VISITS:
                return None
            learned = await self._learned.newest(connection, call.company_id)
            decision = await decided(connection, asked, learned)
            sources = Sources(connection, call.company_id)
            await keep_decision(connection, asked.rung, decision, now=datetime.now(UTC), settles=False, sources=sources)
            if decision.credit is None:
                return RingingDecision(call, None, decision.source_confidence, decision.confidence)
            credited = decision.credit.source
            return RingingDecision(
                call,
                credited.label,
                decision.source_confidence,
                decision.confidence,
                await sources.id_of(credited),
                credited.keyword or "",
                credited.campaign or "",
            )
