"""What happens at an example company in ninety days, as values: who comes to the site, what he is shown, who calls.

People's doings are drawn; sources are decided by the source rules, numbers shown and lent as by the collector and the
pools. No I/O. The same company and the same day give the same rows, but for the ids that the database gave out.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.attribution.trial_pool import TrialPool
from gateway.example.arrivals import Crowd, PageSeen, Visit
from gateway.example.chance import Chance
from gateway.example.trades import Trade
from gateway.leads.lead import Lead, lead_of
from gateway.pools.choose import is_direct, what_counts
from gateway.pools.conditions import Arrival
from gateway.pools.leases import Got, Lent
from gateway.pools.lending import Standing, standing
from gateway.pools.pool import Kind, Offer, Pool, Site
from gateway.pools.showing import Shown, showing_of
from gateway.visits.classify import Classifier
from gateway.visits.consent import Consent
from gateway.visits.consent import standing as what_stands
from gateway.visits.devices import device_of
from gateway.visits.entries import Arrived, view_row, visit_row, visitor_row
from gateway.visits.ids import made_at
from gateway.visits.places import Place
from gateway.visits.source import Decision, Source

DAYS = 90
# What happened within the last hour is left to the living: nobody of the example is a rival of a real visitor.
LATELY = timedelta(minutes=75)
# As the collector tells the pages.
_KEEP_ALIVE = timedelta(seconds=30)
# How often it is looked at how many numbers are held.
_SAMPLE = timedelta(minutes=5)
_LEAVES, _SAYS, _RINGS, _OPENS, _SAMPLES = range(5)


@dataclass(slots=True)
class Lease:
    """A row of ``leases``; ``place`` is its number within the course."""

    place: int
    pool_id: int
    number_id: int
    holder: str
    start: datetime
    end: datetime | None = None
    last_seen: datetime | None = None
    closed_as: str | None = None


@dataclass(slots=True)
class Exposure:
    """A row of ``exposures``; ``lease`` is a place."""

    id: UUID
    visit_id: UUID
    number_id: int
    lease: int | None
    shown_at: datetime
    last_seen: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants to call: from a visit (none: by himself), the number he saw, and when."""

    at: datetime
    did: str
    visit: Visit | None
    taps: bool = False


@dataclass(slots=True)
class Hour:
    """A row of ``pool_hours``."""

    leased: int = 0
    displaced: int = 0
    hurried: int = 0
    samples: int = 0
    occupied: int = 0
    most: int = 0


@dataclass(slots=True)
class Course:
    """All that happened, in the order of time."""

    visits: list[dict[str, Any]] = field(default_factory=list)
    visitors: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    views: list[dict[str, Any]] = field(default_factory=list)
    taps: list[dict[str, Any]] = field(default_factory=list)
    exposures: list[Exposure] = field(default_factory=list)
    leases: list[Lease] = field(default_factory=list)
    idle_since: dict[int, datetime] = field(default_factory=dict)  # by number id
    hours: dict[tuple[int, datetime], Hour] = field(default_factory=dict)
    misses: dict[tuple[int, datetime, str], int] = field(default_factory=dict)
    leads: list[Lead] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the database has of the company: its site, its pools and the ids of its numbers by E.164."""

    company_id: int
    site: Site
    offer: Offer
    numbers: dict[str, int]
    rules: Classifier
    rules_version: int

    @property
    def pools(self) -> list[Pool]:
        """Those that lend."""
        return [pool for pool in self.offer.pools.get(self.company_id, ()) if pool.kind is Kind.DYNAMIC]


def run(trade: Trade, grounds: Grounds, today: date, until: datetime) -> Course:
    """The ninety days before ``today`` (a day of the company's calendar) and what of today was before ``until``."""
    zone = ZoneInfo(trade.time_zone)
    course, crowd = _Running(trade, grounds), Crowd(trade, zone)
    for before in range(DAYS, -1, -1):
        day = today - timedelta(days=before)
        for visit in crowd.visits(day, before):
            if visit.begins < until:
                course.expect(visit)
        midnight = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
        course.work(min(midnight, until))
    return course.finished(until)


class _Running:
    """The site as it is visited."""

    def __init__(self, trade: Trade, grounds: Grounds) -> None:
        self._trade, self._grounds = trade, grounds
        self._course = Course()
        self._pools = {pool.id: pool for pool in grounds.pools}
        self._lending = {pool.id: TrialPool(pool, list(trade.lent)) for pool in grounds.pools}
        self._open: dict[tuple[int, str], Lease] = {}  # by pool and holder
        self._ended: dict[int, datetime] = {}  # by number id: when its last lease was over
        self._events: list[tuple[datetime, int, int, Any]] = []
        self._order = count()
        self._earlier: dict[UUID, Source] = {}
        self._decisions: dict[UUID, Decision] = {}
        self._sampled: datetime | None = None

    def expect(self, visit: Visit) -> None:
        """A visit will come."""
        self._push(visit.begins, _OPENS, (visit, 0))

    def work(self, until: datetime) -> None:
        """Everything up to a moment."""
        if self._sampled is None and self._events:
            first = self._events[0][0].replace(minute=0, second=0, microsecond=0)
            self._sampled = first
            self._push(first, _SAMPLES, None)
        while self._events and self._events[0][0] < until:
            at, what, _, of = heappop(self._events)
            if what == _OPENS:
                self._open_page(at, *of)
            elif what == _SAYS:
                self._keep_alive(at, *of)
            elif what == _LEAVES:
                self._leave(at, *of)
            elif what == _RINGS:
                pool_id, e164 = of
                self._lending[pool_id].ring(e164, at)
            else:
                self._sample(at)
                self._push(at + _SAMPLE, _SAMPLES, None)

    def finished(self, until: datetime) -> Course:
        """The course, with the leases that are open and since when numbers lie idle."""
        course = self._course
        for exposure in course.exposures:
            exposure.last_seen = min(exposure.last_seen, until)
        for lending in self._lending.values():
            for place, state in lending.states().items():
                if state.idle_since is not None:
                    number = self._grounds.numbers[self._trade.lent[place]]
                    course.idle_since[number] = min(state.idle_since, until)
        course.wishes = sorted((wish for wish in course.wishes if wish.at < until), key=lambda wish: wish.at)
        course.taps = [tap for tap in course.taps if tap["at"] < until.isoformat()]
        course.leads = [lead for lead in course.leads if lead.received_at < until]
        return course

    def _push(self, at: datetime, what: int, of: Any) -> None:
        heappush(self._events, (at, what, next(self._order), of))

    # -- a visit ---------------------------------------------------------------------------------------------------

    def _open_page(self, at: datetime, visit: Visit, number: int) -> None:
        page = visit.pages[number]
        grounds = self._grounds
        if number == 0:
            self._begin(visit)
        course = self._course
        url = visit.url if number == 0 else self._trade.host + page.path
        course.views.append(
            view_row(
                grounds.company_id,
                grounds.site.id,
                visit.id,
                url,
                self._trade.pages.get(page.path, ""),
                at,
                may_identify=True,
            )
        )
        shown = self._show(at, visit, url, visit.dice)
        exposures = []
        for each in shown:
            if each.number_id is not None:
                id = visit.dice.id(at)
                lease = self._open.get((each.pool_id, f"visitor:{visit.visitor}")) if each.pool_id else None
                place = lease.place if lease is not None and lease.number_id == each.number_id else None
                exposures.append(Exposure(id, visit.id, each.number_id, place, made_at(id), made_at(id)))
        course.exposures += exposures
        ends = at + page.stays
        self._push(
            min(ends, at + _KEEP_ALIVE), _SAYS if ends > at + _KEEP_ALIVE else _LEAVES, (visit, number, ends, exposures)
        )
        if page.sends:
            self._send(ends - timedelta(seconds=2), visit, url, exposures)
        if page.calls_after is not None and shown:
            self._call(ends, visit, page, shown[0], exposures)
        if number + 1 < len(visit.pages):
            self._push(ends, _OPENS, (visit, number + 1))

    def _begin(self, visit: Visit) -> None:
        grounds = self._grounds
        decision = self._decisions[visit.id] = grounds.rules.decide(visit.url, visit.referrer)
        arrived = Arrived(
            company_id=grounds.company_id,
            site_id=grounds.site.id,
            visit_id=visit.id,
            visitor_id=visit.visitor,
            url=visit.url,
            referrer=visit.referrer,
            said=grounds.rules.said(visit.url),
            decision=decision,
            rule_set_version=grounds.rules_version,
            standing=what_stands(Consent(), is_required=False, privacy_control=False),
            address=visit.address,
            place=visit.place,
            user_agent=visit.user_agent,
            device=device_of(visit.user_agent),
            language=visit.language,
        )
        self._course.visits.append(visit_row(arrived))
        if decision.is_touch and not is_direct(decision.source):
            self._earlier[visit.visitor] = decision.source
        row = visitor_row(arrived, self._earlier.get(visit.visitor), visit.begins)
        assert row is not None
        known = self._course.visitors.get(visit.visitor)
        self._course.visitors[visit.visitor] = row | {"first_seen": known["first_seen"]} if known else row

    def _show(self, at: datetime, visit: Visit, url: str, dice: Chance) -> list[Shown]:
        """What the page shows, by the functions that choose and lend for the collector."""
        grounds = self._grounds
        source = what_counts(self._decisions[visit.id], self._earlier.get(visit.visitor))
        place: Place = visit.place
        arrival = Arrival(
            source, url, visit.referrer, {}, place.region or place.country, device_of(visit.user_agent), visit.language
        )
        page = showing_of(grounds.offer, grounds.site, arrival, visitor=visit.visitor, visit_id=visit.id, now=at)
        lent = {}
        for pool, holder in page.wanted():
            given = self._lending[pool.id].lend(holder.key, at)
            if given.number is None:
                lent[pool.id] = Lent(pool, Got.REFUSED)
                continue
            number = grounds.numbers[given.number]
            if given.got is not Got.OWN:
                self._lease(pool, number, holder.key, given.taken_from, given.got, source.label, at)
            lent[pool.id] = Lent(pool, given.got, number, given.number, 0, dice.id(at))
        return list(page.shown(lent))

    def _lease(
        self, pool: Pool, number: int, holder: str, before: str | None, got: Got, label: str, at: datetime
    ) -> None:
        if before is not None:
            lease = self._open.pop((pool.id, before))
            lease.end = max(at, lease.start + timedelta(microseconds=1))
            seen = self._course.idle_since.get(number)
            lease.last_seen = seen
            lease.closed_as = "displaced" if got is Got.DISPLACED else "expired"
            self._ended[number] = lease.end
        start = max(at, self._ended.get(number, at))
        lease = Lease(len(self._course.leases), pool.id, number, holder, start)
        self._course.leases.append(lease)
        self._open[pool.id, holder] = lease
        self._course.idle_since[number] = start
        hour = self._hour(pool.id, at)
        hour.leased += 1
        if got is Got.DISPLACED:
            hour.displaced += 1
            key = pool.id, at.replace(minute=0, second=0, microsecond=0), label
            self._course.misses[key] = self._course.misses.get(key, 0) + 1
        if got is Got.HURRIED:
            hour.hurried += 1

    def _hour(self, pool_id: int, at: datetime) -> Hour:
        return self._course.hours.setdefault((pool_id, at.replace(minute=0, second=0, microsecond=0)), Hour())

    def _seen(self, at: datetime, visit: Visit, exposures: list[Exposure]) -> bool:
        """The page is still there; false: its number is another's by now."""
        kept = True
        for exposure in exposures:
            if exposure.lease is not None:
                lease = self._course.leases[exposure.lease]
                if lease.end is not None:
                    kept = False
                    continue
                self._lending[lease.pool_id].keep_alive(lease.holder, at)
                self._course.idle_since[lease.number_id] = max(self._course.idle_since[lease.number_id], at)
            exposure.last_seen = max(exposure.last_seen, at)
        return kept

    def _keep_alive(self, at: datetime, visit: Visit, number: int, ends: datetime, exposures: list[Exposure]) -> None:
        if not self._seen(at, visit, exposures):
            # Its number was lent to somebody else: the page asks anew.
            url = visit.url if number == 0 else self._trade.host + visit.pages[number].path
            for each in self._show(at, visit, url, visit.dice):
                if each.number_id is not None:
                    id = visit.dice.id(at)
                    lease = self._open.get((each.pool_id, f"visitor:{visit.visitor}")) if each.pool_id else None
                    anew = Exposure(
                        id, visit.id, each.number_id, lease.place if lease else None, made_at(id), made_at(id)
                    )
                    self._course.exposures.append(anew)
                    exposures = [anew]
        later = min(ends, at + _KEEP_ALIVE)
        self._push(later, _LEAVES if later == ends else _SAYS, (visit, number, ends, exposures))

    def _leave(self, at: datetime, visit: Visit, number: int, ends: datetime, exposures: list[Exposure]) -> None:
        self._seen(at, visit, exposures)
        # Now and then a telephone closes a page without a word.
        if not visit.dice.happens(0.08):
            for exposure in exposures:
                if exposure.last_seen == at or exposure.lease is None:
                    exposure.last_seen = exposure.left_at = at

    def _call(self, ends: datetime, visit: Visit, page: PageSeen, shown: Shown, exposures: list[Exposure]) -> None:
        assert page.calls_after is not None
        at = ends + page.calls_after
        if page.taps:
            self._course.taps.append(
                {
                    "company_id": self._grounds.company_id,
                    "visit_id": visit.id,
                    "exposure_id": exposures[0].id if exposures else None,
                    "e164": shown.e164,
                    "at": (at - timedelta(seconds=visit.dice.uniform(1.5, 5.0))).isoformat(),
                }
            )
        self._course.wishes.append(Wish(at, shown.e164, visit, page.taps))
        if shown.pool_id in self._lending:
            self._push(at, _RINGS, (shown.pool_id, shown.e164))

    def _send(self, at: datetime, visit: Visit, url: str, exposures: list[Exposure]) -> None:
        person = visit.person
        dice = visit.dice
        mail = f"{person.name.split()[0]}.{person.name.split()[-1]}".lower().encode("ascii", "ignore").decode()
        self._course.leads.append(
            lead_of(
                company_id=self._grounds.company_id,
                site_id=self._grounds.site.id,
                id=dice.id(at),
                kind="form",
                data={
                    "name": person.name,
                    "email": f"{mail}{dice.randrange(10, 99)}@mail.example",
                    "phone": person.number if dice.happens(0.8) else "",
                    "message": dice.one(self._trade.wishes),
                },
                region=self._trade.region,
                visit_id=visit.id,
                exposure_id=exposures[0].id if exposures else None,
                url=url,
                title=self._trade.pages.get(visit.pages[-1].path, ""),
                suspect="",
                received_at=at,
            )
        )

    def _sample(self, at: datetime) -> None:
        for pool_id, lending in self._lending.items():
            held = sum(
                standing(state, self._pools[pool_id], at) is Standing.HELD for state in lending.states().values()
            )
            hour = self._hour(pool_id, at)
            hour.samples += 1
            hour.occupied += held
            hour.most = max(hour.most, held)
