"""A visit is received: whether a person makes it, what brought it, which numbers it is shown, what is written of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from time import monotonic
from typing import Any
from uuid import UUID

import structlog

from gateway.http.collector.asking import REMEMBER_SECONDS, Asking
from gateway.http.collector.catalog import Catalog, SiteKnown
from gateway.http.collector.messages import AnswerKind, NumberParts, Visit
from gateway.pools.choose import is_direct, what_counts
from gateway.pools.conditions import Arrival
from gateway.pools.desk import LendingDesk
from gateway.pools.number_parts import parts_of
from gateway.pools.pool import Pool, SwapTarget
from gateway.pools.showing import Shown, Why, showing_of
from gateway.store.database import AWAY, Database
from gateway.visits import consent
from gateway.visits.bots import bot_of, is_seen
from gateway.visits.consent import Consent, Said
from gateway.visits.devices import device_of
from gateway.visits.earlier import EarlierTouches
from gateway.visits.entries import Arrived, view_row, visit_row, visitor_row
from gateway.visits.ids import made_at, new_id
from gateway.visits.journal import Journal
from gateway.visits.parameters import NOTHING
from gateway.visits.parameters import Said as Tags
from gateway.visits.places import Places
from gateway.visits.source import Decision, Source

# A visit that was quiet for longer has ended (as in Google Analytics); the page counts that. Here only nonsense is
# kept out: ids of a far past or of a future.
_LONGEST_VISIT = timedelta(hours=24)
_LONGEST_MEMORY = timedelta(days=800)
_CLOCKS_DIFFER = timedelta(minutes=5)
# After the database did not answer, pages keep their numbers without waiting for it, for so long.
PAUSE_SECONDS = 1.0
ASK_AGAIN_SECONDS = 10
# How often a page says that it is there: often enough that a number's reserve begins when it was last seen.
KEEP_ALIVE_SECONDS = 30
_LEAST_KEEP_ALIVE = 10
# Static numbers and the page's own stay what they are; an address with new tags is asked about all the same.
_REMEMBER_STATIC = 86400

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Answer:
    """What a page is answered; ``visitor`` is none where it is not to be remembered."""

    visit: UUID | None
    visitor: UUID | None
    why: AnswerKind
    source: Source | None
    is_touch: bool
    shown: tuple[Shown, ...]
    known: SiteKnown
    ask_again: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As ``messages.VisitAnswer`` describes it; written out here, because every page of every site waits for it."""
        source = self.source
        reserves = [pool.reserve for each in self.shown if (pool := self._lender(each)) is not None]
        return {
            "visit": self.visit,
            "visitor": self.visitor,
            "touch": self.is_touch,
            "remember": 0 if self.visitor is None else REMEMBER_SECONDS,
            "keep_alive": _keep_alive(reserves),
            "why": self.why,
            "ask_again": self.ask_again,
            "source": None
            if source is None
            else {
                "label": source.label,
                "channel": source.channel,
                "source": source.source,
                "medium": source.medium,
            },
            "numbers": [
                {
                    "target": _parts(each.target.e164),
                    "number": _parts(each.e164),
                    "why": each.why.value,
                    "exposure": each.exposure_id,
                    "remember": self._remember(each),
                }
                for each in self.shown
            ],
        }

    def _remember(self, shown: Shown) -> int:
        if self.visitor is None:
            return 0
        pool = self._lender(shown)
        return _REMEMBER_STATIC if pool is None else int(pool.reserve.total_seconds())

    def _lender(self, shown: Shown) -> Pool | None:
        if shown.why is not Why.LENT or shown.pool_id is None:
            return None
        return self.known.pools.get(shown.pool_id)


class Reception:
    """Where visits of one worker arrive."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        journal: Journal,
        desk: LendingDesk,
        places: Places,
        *,
        answer_seconds: float,
    ) -> None:
        self._catalog, self._journal, self._desk = catalog, journal, desk
        self._places, self._answer_seconds = places, answer_seconds
        # A visit may come when the one before has waited as long.
        self._touches = EarlierTouches(database, patience=answer_seconds / 2)
        self._paused_until = 0.0

    def keep(self, known: SiteKnown, message: Visit, why: AnswerKind) -> Answer:
        """The page keeps its own numbers, and nothing is written."""
        shown = own_numbers(known.targets_of(message.targets))
        return Answer(None, None, why, None, False, shown, known, ASK_AGAIN_SECONDS if why == "limited" else None)

    async def visit(
        self, known: SiteKnown, message: Visit, asking: Asking, now: datetime, *, consent_changed: bool = False
    ) -> Answer:
        """The numbers for a page that was opened. Raises nothing that the database raises."""
        signs = asking.signs(automated=message.automated, visible=message.visible, screen=message.screen)
        if bot_of(signs) is not None:
            return self.keep(known, message, "bot")
        if not is_seen(signs):
            return self.keep(known, message, "hidden")
        site = known.site
        said = consent.standing(
            Consent(message.consent.state, message.consent.signal, message.consent.at or now),
            is_required=message.consent.required or site.consent_required,
            privacy_control=asking.privacy_control or message.gpc,
        )
        named = _sane(asking.cookie or message.visitor, now, _LONGEST_MEMORY)
        if consent_changed and said.consent.said is Said.DENIED:
            await self._forget(site.company_id, message, named, said.consent, now)
        visitor = (named or new_id(now)) if said.may_identify else None
        decision = known.decide(message.url, message.referrer)
        earlier = await self._earlier(known, message, decision, visitor if named else None)
        source = what_counts(decision, earlier)
        visit_id, is_new = _visit_id(message, decision, earlier, now, keep=consent_changed)
        tags = known.classifier.said(message.url) if "=" in message.url else NOTHING
        place = self._places.of(asking.address)
        device = device_of(asking.user_agent)
        arrival = Arrival(
            source,
            landing_page=message.url,
            referrer=message.referrer,
            parameters=_parameters(tags),
            region=place.region or place.country,
            device=device,
            language=message.language or asking.languages.partition(",")[0].partition(";")[0].strip(),
        )
        if is_new or (consent_changed and said.may_identify):
            arrived = Arrived(
                company_id=site.company_id,
                site_id=site.id,
                visit_id=visit_id,
                visitor_id=visitor,
                url=message.url,
                referrer=message.referrer,
                said=tags,
                decision=decision,
                rule_set_version=known.rules.version,
                standing=said,
                address=asking.address,
                place=place,
                user_agent=asking.user_agent,
                device=device,
                language=arrival.language[:35],
                client_ids={**asking.client_ids(), **message.client_ids} if said.may_identify else {},
            )
            self._write(arrived, now, is_new=is_new)
        if not consent_changed:
            self._journal.viewed(
                view_row(
                    site.company_id,
                    site.id,
                    visit_id,
                    message.url,
                    message.title,
                    now,
                    may_identify=said.may_identify,
                )
            )
        shown = await self._show(known, message, arrival, visitor, visit_id, now)
        return Answer(
            visit=visit_id,
            visitor=visitor,
            why="away" if shown is None else "visitor" if said.may_identify else "consent",
            source=source,
            is_touch=decision.is_touch and not is_direct(decision.source),
            shown=own_numbers(known.targets_of(message.targets)) if shown is None else shown,
            known=known,
            ask_again=ASK_AGAIN_SECONDS if shown is None else None,
        )

    async def _earlier(
        self, known: SiteKnown, message: Visit, decision: Decision, visitor: UUID | None
    ) -> Source | None:
        """The last touch that was not direct: as the page remembers it, else as it was stored."""
        if message.touch is not None:
            touch = known.remembered(message.touch.url, message.touch.referrer)
            if touch.is_touch and not is_direct(touch.source):
                return touch.source
        if visitor is None or (decision.is_touch and not is_direct(decision.source)):
            return None
        # A second page may come before the first one's visit is written.
        touched = self._journal.touch_of(known.site.company_id, visitor)
        if touched is not None or self._is_paused():
            return touched
        try:
            return await self._touches.of(known.site.company_id, visitor)
        except AWAY as error:
            self._pause(error)
            return None

    async def _show(
        self,
        known: SiteKnown,
        message: Visit,
        arrival: Arrival,
        visitor: UUID | None,
        visit_id: UUID,
        now: datetime,
    ) -> tuple[Shown, ...] | None:
        """The numbers; none where the database does not answer in time."""
        targets = known.targets_of(message.targets)
        if not targets:
            return ()
        if self._is_paused():
            return None
        offer = self._catalog.offer if visitor is not None else self._catalog.reserved
        page = showing_of(
            offer,
            known.site,
            arrival,
            visitor=visitor or new_id(now),
            visit_id=visit_id,
            now=now,
            targets=targets,
        )
        try:
            return await self._desk.show(page)
        except AWAY as error:
            self._pause(error)
            return None

    def _write(self, arrived: Arrived, now: datetime, *, is_new: bool) -> None:
        decision = arrived.decision
        touch = decision.source if decision.is_touch and not is_direct(decision.source) else None
        visit, visitor = visit_row(arrived), visitor_row(arrived, touch, now)
        if is_new:
            self._journal.began(visit, visitor)
        else:
            self._journal.consented(visit, visitor)

    async def _forget(
        self, company_id: int, message: Visit, visitor: UUID | None, said: Consent, now: datetime
    ) -> None:
        """Take away what identifies. It waits here until that is done, but not for a database that is away."""
        visit = _sane(message.visit, now, _LONGEST_VISIT) or new_id(now)
        try:
            async with asyncio.timeout(self._answer_seconds):
                await self._journal.erase(company_id, visit, visitor, said)
        except TimeoutError:
            _log.warning("a visitor who said no is forgotten as soon as Postgres answers")

    def _is_paused(self) -> bool:
        return monotonic() < self._paused_until

    def _pause(self, error: Exception) -> None:
        was_paused, self._paused_until = self._is_paused(), monotonic() + PAUSE_SECONDS
        if was_paused:
            return  # all who waited together hear of it at once
        _log.warning("pages keep their own numbers: Postgres does not answer", fault=str(error) or type(error).__name__)


def own_numbers(targets: Sequence[SwapTarget]) -> tuple[Shown, ...]:
    """The page's own."""
    return tuple(Shown(target, target.e164, Why.PAGE) for target in targets)


def _visit_id(
    message: Visit, decision: Decision, earlier: Source | None, now: datetime, *, keep: bool
) -> tuple[UUID, bool]:
    """The visit a page belongs to, and whether it begins with it.

    It goes on with the next page, and with the same advertisement's address loaded again; another touch begins another.
    """
    given = _sane(message.visit, now, _LONGEST_VISIT)
    if given is None:
        return new_id(now), True
    goes_on = keep or not decision.is_touch or is_direct(decision.source) or decision.source == earlier
    return (given, False) if goes_on else (new_id(now), True)


def _sane(id: UUID | None, now: datetime, longest: timedelta) -> UUID | None:
    """An id that a page sent, if it can be one of ours."""
    if id is None:
        return None
    try:
        made = made_at(id)
    except (ValueError, OverflowError):
        return None
    return id if now - longest <= made <= now + _CLOCKS_DIFFER else None


def _parameters(said: Tags) -> Mapping[str, str]:
    if said is NOTHING:
        return {}
    given = {
        "utm_source": said.source,
        "utm_medium": said.medium,
        "utm_campaign": said.campaign,
        "utm_term": said.term,
        "utm_content": said.content,
    }
    return {name: value for name, value in given.items() if value}


def _keep_alive(reserves: list[timedelta]) -> int:
    if not reserves:
        return KEEP_ALIVE_SECONDS
    return max(_LEAST_KEEP_ALIVE, min(KEEP_ALIVE_SECONDS, int(min(reserves).total_seconds() / 4)))


@lru_cache(65_536)
def _parts(e164: str) -> dict[str, str]:
    parts = parts_of(e164)
    return {name: getattr(parts, name) for name in NumberParts.model_fields}
