"""The calls of an example company: those that visits led to, those to numbers in print, those of people who ring again.

Drawn as the records that Asterisk would have left, so that what they become is decided as for any other call.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.calls.record import CallRecord, LegRecord, Stage
from gateway.example.arrivals import People, Person, local
from gateway.example.chance import Chance, chance
from gateway.example.course import DAYS, Course
from gateway.example.talks import Talk
from gateway.example.trades import Trade
from gateway.leads.marks import Status

# On this day before today somebody has had enough, and blocks the worst of the callers who sell something.
BLOCKED_FROM = 30
_SPAMMERS = {
    "CA": ("+18005550175", "+18885550142", "+18665550119"),
    "GB": ("+443069990175", "+443069990142", "+443069990119"),
}
_TRUNK = "carrier"
_RATE = 8000
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ExampleCall:
    """A call: what Asterisk left of it, which conversation is heard on it, and what people said of it later.

    ``made_by`` is the visit that in truth led to it, which nobody in the company knows. ``job`` counts from 0; several
    calls may have led to one.
    """

    record: CallRecord
    talk: Talk | None
    made_by: UUID | None
    status: Status
    note: str = ""
    tags: tuple[str, ...] = ()
    job: int | None = None


@dataclass(frozen=True, slots=True)
class ExampleJob:
    """What was bought, and when."""

    value: Decimal
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class Calls:
    """All calls in the order of their times, and the jobs that came of them."""

    calls: tuple[ExampleCall, ...]
    jobs: tuple[ExampleJob, ...]


@dataclass(frozen=True, slots=True)
class _Ring:
    """Somebody takes up the telephone."""

    did: str
    person: Person
    about: str  # lead, again, wrong, spam
    made_by: UUID | None = None
    job: int | None = None
    tries: int = 0


def blocked_caller(trade: Trade) -> str:
    """The caller whom the company has blocked."""
    return _SPAMMERS[trade.region][0]


def calls_of(
    trade: Trade,
    course: Course,
    dial: str,
    references: Mapping[str, tuple[int, int | None]],
    today: date,
    until: datetime,
) -> Calls:
    """The calls of the ninety days. ``dial`` is what rings; ``references`` the ids of numbers and their sources."""
    return _Desk(trade, course, dial, references, today, until).calls()


class _Desk:
    """Where the telephones ring: who is talking, and who called before."""

    def __init__(
        self, trade: Trade, course: Course, dial: str, references: Mapping[str, tuple[int, int | None]], today: date,
        until: datetime,
    ) -> None:  # fmt: skip
        self._trade, self._dial, self._references, self._until, self._today = trade, dial, references, until, today
        self._zone = ZoneInfo(trade.time_zone)
        self._coming: list[tuple[datetime, int, _Ring]] = []
        self._order = count()
        self._talking: list[tuple[datetime, int]] = []  # until when, and who of the team
        self._jobs: list[ExampleJob] = []
        self._talks = {
            about: [talk for talk in trade.talks if talk.about == about]
            for about in ("asked", "lead", "again", "wrong", "spam")
        }
        for wish in course.wishes:
            assert wish.visit is not None
            self._expect(wish.at, _Ring(wish.did, wish.visit.person, "lead", wish.visit.id))
        people = People(trade)
        for before in range(DAYS, -1, -1):
            for at, ring in self._of_day(before, people):
                self._expect(at, ring)

    def calls(self) -> Calls:
        """Everything, in the order of time."""
        found = []
        serial = 0
        while self._coming:
            at, _, ring = heappop(self._coming)
            if at >= self._until:
                break
            serial += 1
            call = self._ring(serial, at, ring)
            # What has not ended yet is not there.
            if call.record.ended_at is not None and call.record.ended_at < self._until:
                found.append(call)
        return Calls(tuple(found), tuple(self._jobs))

    def _expect(self, at: datetime, ring: _Ring) -> None:
        heappush(self._coming, (at, next(self._order), ring))

    def _of_day(self, before: int, people: People) -> Iterator[tuple[datetime, _Ring]]:
        """Calls that no visit led to."""
        trade, day = self._trade, self._today - timedelta(days=before)
        dice = chance(trade.key, "lines", before)
        share = trade.weekdays[day.weekday()] ** 1.5
        for line in trade.lines:
            waves = sum(0.5 ** ((wave - before) / 3.5) for wave in line.waves if 0 < wave - before < 15)
            for _ in range(dice.count(line.calls * share + 2.1 * share * waves)):
                yield self._by_day(day, dice), _Ring(line.e164, people.draw(dice), "lead")
        everywhere = (*trade.lent, *(line.e164 for line in trade.lines))
        if dice.happens(0.22):
            yield self._by_day(day, dice), _Ring(dice.one(everywhere), people.draw(dice), "wrong")
        spammers = _SPAMMERS[trade.region]
        for _ in range(dice.count(0.55 if day.weekday() < 5 else 0.1)):
            number = dice.one(spammers, (5, 2, 1))
            yield self._by_day(day, dice), _Ring(dice.one(everywhere), Person("", number), "spam")

    def _by_day(self, day: date, dice: Chance) -> datetime:
        """When people call who do not look at a page: mostly while somebody is there, and most before noon."""
        hour = dice.triangular(7.2, 20.5, 10.4)
        return local(day, hour * 3600, self._zone)

    # -- a call ----------------------------------------------------------------------------------------------------

    def _ring(self, serial: int, at: datetime, ring: _Ring) -> ExampleCall:
        trade = self._trade
        dice = chance(trade.key, "call", serial, ring.did, ring.person.number)
        blocked = ring.person.number == blocked_caller(trade) and self._before(at) < BLOCKED_FROM
        who = "" if blocked else self._who_answers(at, ring, dice)
        talk = self._talk(ring, dice) if who else None
        record = self._record(serial, at, ring, dice, talk, who, blocked)
        ended = record.ended_at
        assert ended is not None
        if talk is not None and who:
            heappush(self._talking, (ended, trade.team.index(who)))
        status, note, tags, job = self._marks(at, ring, talk, record, dice)
        # Drawn apart: whether a job is booked by now is none of their business.
        self._go_on(ended, ring, talk, job, chance(trade.key, "after", serial, ring.did, ring.person.number))
        return ExampleCall(record, talk, ring.made_by, status, note, tags, job)

    def _before(self, at: datetime) -> int:
        return (self._today - at.astimezone(self._zone).date()).days

    def _is_open(self, at: datetime) -> bool:
        wall = at.astimezone(self._zone)
        trade = self._trade
        if wall.weekday() == 6:
            return False
        shuts = trade.shuts if wall.weekday() < 5 else trade.saturday
        return shuts is not None and trade.opens <= wall.hour < shuts

    def _who_answers(self, at: datetime, ring: _Ring, dice: Chance) -> str:
        """The endpoint of who takes the call; empty: nobody."""
        while self._talking and self._talking[0][0] <= at:
            heappop(self._talking)
        team = [who for place, who in enumerate(self._trade.team) if place not in {busy for _, busy in self._talking}]
        if not team or not dice.happens(0.93 if self._is_open(at) else 0.16):
            return ""
        return dice.one(team, [2.0 / (1 + self._trade.team.index(who)) for who in team])

    def _talk(self, ring: _Ring, dice: Chance) -> Talk:
        about = ring.about
        if about == "lead" and dice.happens(0.14):
            about = "asked"
        return dice.one(self._talks[about])

    def _record(
        self, serial: int, at: datetime, ring: _Ring, dice: Chance, talk: Talk | None, who: str, blocked: bool
    ) -> CallRecord:
        person, did = ring.person, ring.did
        number_id, source_id = self._references[did]
        channel = f"PJSIP/{_TRUNK}-{serial:08x}"
        withheld = person.hides_number
        record = CallRecord(
            key=f"example-{self._trade.key}-{serial:06}",
            unique_id=f"{at.timestamp():.0f}.{serial}",
            stage=Stage.ENDED,
            started_at=at,
            trunk=_TRUNK,
            dialled=(did, did.removeprefix("+"), did, ""),
            caller="" if withheld else person.number,
            caller_name="" if withheld or person.hides_name else person.name,
            decided_by="gateway",
            number_id=number_id,
            source_id=source_id,
            waited_seconds=dice.about(0.005, 0.35),
            channel=channel,
        )
        if blocked:
            return replace(record, blocked=True, ended_at=at + timedelta(seconds=0.2), cause=21)
        if talk is not None:
            answered = at + timedelta(seconds=min(dice.about(7, 0.5), 25))
            # Who has had enough of somebody who sells puts the receiver down; others say goodbye.
            ended = answered + timedelta(seconds=talk.seconds + dice.uniform(0.1, 1.4))
            ends = dice.happens(0.55)
            return replace(
                record,
                answered_at=answered,
                answered_channel=f"{who}-{serial:08x}",
                ended_at=ended,
                cause=16,
                hangup_source=channel if ends else f"{who}-{serial:08x}",
                last_status="ANSWER",
                rate=_RATE,
                legs=(LegRecord(self._dial, at.timestamp(), answered.timestamp(), "ANSWER", 16),),
            )
        return self._unanswered(record, at, dice)

    def _unanswered(self, record: CallRecord, at: datetime, dice: Chance) -> CallRecord:
        all_talk = len(self._talking) >= len(self._trade.team)
        is_open = self._is_open(at)
        how = dice.one(
            ("BUSY", "NOANSWER", "CANCEL", "VOICEMAIL"),
            (6 if all_talk else 0.6, 2.5, 3, 1) if is_open else (0.2, 2.5, 2.5, 6),
        )
        rang = {"BUSY": 0.6, "CANCEL": min(dice.about(11, 0.5), 29)}.get(how, 30.0)
        over = at + timedelta(seconds=rang)
        leg = LegRecord(self._dial, at.timestamp(), over.timestamp(), "NOANSWER" if how == "VOICEMAIL" else how,
                        {"BUSY": 17, "CANCEL": 16}.get(how, 19))  # fmt: skip
        left = timedelta(seconds=dice.uniform(14, 45) if how == "VOICEMAIL" else 0.3)
        return replace(
            record,
            ended_at=over + left,
            cause={"BUSY": 17, "NOANSWER": 19}.get(how, 16),
            hangup_source=record.channel if how in ("CANCEL", "VOICEMAIL") else f"PJSIP/office-{record.key[-6:]}",
            last_status=leg.status,
            voicemail=how == "VOICEMAIL",
            legs=(leg,),
        )

    # -- what comes of it --------------------------------------------------------------------------------------------

    def _marks(
        self, at: datetime, ring: _Ring, talk: Talk | None, record: CallRecord, dice: Chance
    ) -> tuple[Status, str, tuple[str, ...], int | None]:
        trade, days = self._trade, self._before(at)
        about = talk.about if talk is not None else ring.about
        if record.blocked:
            return Status.NEW, "", (), None
        # The newest have not been looked at, and some never are.
        if dice.happens(0.7 if days == 0 else 0.35 if days == 1 else 0.12):
            return Status.NEW, "", (), None
        if about == "spam":
            return Status.SPAM, "", (), None
        if about == "wrong":
            return (
                (Status.LOST if talk else Status.NEW),
                ("Wrong number." if talk and dice.happens(0.4) else ""),
                (),
                None,
            )
        if talk is None:
            message = "Left a message." if record.voicemail and dice.happens(0.3) else ""
            return dice.one((Status.NEW, Status.LEAD), (5, 1)), message, (), None
        note = dice.one(trade.notes) if dice.happens(0.24) else ""
        tags = tuple(dice.sample(trade.tags, dice.one((0, 1, 2), (5, 4, 1))))
        if ring.job is not None:
            return Status.BOOKED, note, tags, ring.job
        booked, quoted, lost = trade.booked * (0.35 if about != "lead" else 1.0), 0.2, 0.22
        status = dice.one((Status.BOOKED, Status.QUOTED, Status.LOST, Status.LEAD),
                          (booked, quoted, lost, max(0.05, 1 - booked - quoted - lost)))  # fmt: skip
        if status is Status.BOOKED:
            later = at + timedelta(days=0.0 if dice.happens(0.5) else min(dice.about(4, 0.8), 21), seconds=400)
            if later >= self._until:
                return Status.QUOTED, note, tags, None
            middle, least = trade.values
            step = 10 if middle > 1000 else 5
            value = Decimal(max(least, round(dice.about(middle, 0.85) / step) * step))
            self._jobs.append(ExampleJob(value, later))
            return Status.BOOKED, note, tags, len(self._jobs) - 1
        return status, note, tags, None

    def _go_on(self, ended: datetime, ring: _Ring, talk: Talk | None, job: int | None, dice: Chance) -> None:
        """People who call again: soon, where nobody answered, or in the days after."""
        if ring.about in ("spam", "wrong") or ring.tries > 3:
            return
        again = replace(ring, tries=ring.tries + 1, made_by=None, job=job if job is not None else ring.job)
        if talk is None:
            if dice.happens(0.42 if self._is_open(ended) else 0.15):
                self._expect(ended + timedelta(seconds=dice.about(900, 1.0)), again)
            return
        if dice.happens(0.26):
            day = (ended + timedelta(days=1 + min(dice.about(3, 0.9), 30))).astimezone(self._zone).date()
            # Who has something to settle with a company does so when somebody is there.
            day += timedelta(days=1 if day.weekday() == 6 else 0)
            did = ring.did if dice.happens(0.6) else self._trade.main_number
            self._expect(self._by_day(day, dice), replace(again, about="again", did=did))
