"""Who comes to the site of an example company, day by day, and what he does there. Drawn; nothing is decided here."""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.example.chance import Chance, chance
from gateway.example.trades import Trade, Way
from gateway.visits.places import Place

# Shares of the hours of a day, midnight first: who looks for a roofer does so in the evening as well.
_HOURS = (
    0.4,
    0.2,
    0.15,
    0.1,
    0.15,
    0.4,
    1.2,
    2.6,
    4.6,
    6.2,
    6.6,
    6.0,
    5.2,
    5.4,
    5.6,
    5.4,
    5.0,
    4.8,
    4.6,
    4.8,
    4.6,
    3.4,
    2.0,
    1.0,
)
# Some of those who come once come again within days, mostly by themselves.
_COME_BACK = 0.16
_REMEMBERED = 500
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6"
_PHONES = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_WEBKIT} Mobile/15E148 Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 15; Pixel 9) {_CHROME} Mobile Safari/537.36",
    f"Mozilla/5.0 (Linux; Android 14; SM-S921B) {_CHROME} Mobile Safari/537.36",
)
_DESKS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
)
_TABLETS = (f"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) {_WEBKIT} Mobile/15E148 Safari/604.1",)
_PLACES = {
    "CA": (
        (Place("CA", "CA-SK", "Regina"), 14),
        (Place("CA", "CA-SK", "Moose Jaw"), 2),
        (Place("CA", "CA-SK", "White City"), 1),
        (Place("CA", "CA-SK", "Saskatoon"), 1),
        (Place("CA", "CA-AB", "Calgary"), 0.5),
    ),
    "GB": (
        (Place("GB", "GB-ENG", "London"), 16),
        (Place("GB", "GB-ENG", "Barnet"), 1),
        (Place("GB", "GB-ENG", "Watford"), 1),
    ),
}
_LANGUAGES = {"CA": ("en-CA", "en-US", "fr-CA"), "GB": ("en-GB", "en-GB", "en-US")}
# Networks kept for documentation (RFC 5737).
_NETWORKS = ("192.0.2.", "198.51.100.", "203.0.113.")


@dataclass(frozen=True, slots=True)
class Person:
    """Who is behind a browser, or a telephone. ``shows`` what of him calls show: number and name, number, nothing."""

    name: str
    number: str
    hides_number: bool = False
    hides_name: bool = False


@dataclass(slots=True)
class PageSeen:
    """A page of a visit and how long it is looked at; what is done at its end."""

    path: str
    stays: timedelta
    calls_after: timedelta | None = None  # from its end to the call; less than nothing: while it is still there
    taps: bool = False
    sends: bool = False


@dataclass(slots=True)
class Visit:
    """A visit as a browser makes it."""

    id: UUID
    visitor: UUID
    person: Person
    begins: datetime
    url: str
    referrer: str
    pages: list[PageSeen]
    user_agent: str
    place: Place
    address: str
    language: str
    way: str
    dice: Chance = field(repr=False)


class People:
    """Draws people of a company's country; nobody has a number of the company's own or of its lines."""

    def __init__(self, trade: Trade) -> None:
        self._trade = trade
        self._own = {*trade.lent, trade.main_number, *(line.e164 for line in trade.lines)}
        self._used: set[str] = set()

    def draw(self, dice: Chance) -> Person:
        """Somebody new."""
        trade = self._trade
        while True:
            drawn = dice.randrange(10**trade.digits)
            number = f"{dice.one(trade.callers)}{drawn:0{trade.digits}}"
            # 555-0100 to 0199 are the people of the shop of the demonstration.
            free = trade.digits == 3 or not 100 <= drawn < 200
            if free and number not in self._own and number not in self._used:
                break
        self._used.add(number)
        if trade.digits == 3 and len(self._used) > 3000:
            self._used.clear()
        name = f"{dice.one(trade.first_names)} {dice.one(trade.last_names)}"
        return Person(name, number, dice.happens(0.06), dice.happens(0.4))


@dataclass(frozen=True, slots=True)
class _Known:
    visitor: UUID
    person: Person
    begins: datetime
    user_agent: str
    place: Place
    address: str
    language: str


class Crowd:
    """Those who come. Days are asked for in their order, because people come again."""

    def __init__(self, trade: Trade, zone: ZoneInfo) -> None:
        self._trade, self._zone = trade, zone
        self._people = People(trade)
        self._known: deque[_Known] = deque(maxlen=_REMEMBERED)

    def visits(self, day: date, before: int) -> Iterator[Visit]:
        """The visits of a day, ``before`` days before today, in no order."""
        trade = self._trade
        dice = chance(trade.key, "day", before)
        ways = [way for way in trade.ways if (way.first is None or before <= way.first) and before >= way.last]
        # A campaign that runs brings visits on top of those that come anyhow.
        shares = sum(way.share for way in ways) / sum(way.share for way in trade.ways if way.first is None)
        busy = trade.weekdays[day.weekday()] * shares * dice.about(1.0, 0.12)
        busy *= 1 + trade.trend * (45 - before) / 90
        for rush in trade.rushes:
            if before <= rush.day:
                busy *= 1 + (rush.times - 1) * math.exp(-(rush.day - before) / rush.half * math.log(2))
        for number in range(dice.count(trade.visits * busy)):
            yield self._visit(day, before, number, ways)

    def _visit(self, day: date, before: int, number: int, ways: list[Way]) -> Visit:
        dice = chance(self._trade.key, "visit", before, number)
        begins = local(day, dice.one(range(24), _HOURS) * 3600 + dice.uniform(0, 3600), self._zone)
        known = None
        if self._known and dice.happens(_COME_BACK):
            known = dice.one(self._known)
            if begins - known.begins < timedelta(hours=2):
                known = None
        way = dice.one(ways, [each.share for each in ways])
        if known is not None and dice.happens(0.6):
            way = next(each for each in ways if each.name == "direct")
        if known is None:
            known = self._newcomer(way, begins, dice)
        self._known.append(known)
        path = dice.one(way.landings)
        query = way.query.format(
            gclid="Cj0KCQ" + dice.letters(44), keyword=dice.one(way.keywords).replace(" ", "+") if way.keywords else ""
        )
        return Visit(
            id=dice.id(begins),
            visitor=known.visitor,
            person=known.person,
            begins=begins,
            url=self._trade.host + path + (f"?{query}" if query else ""),
            referrer=way.referrer,
            pages=self._pages(path, way, known, dice),
            user_agent=known.user_agent,
            place=known.place,
            address=known.address,
            language=known.language,
            way=way.name,
            dice=dice,
        )

    def _newcomer(self, way: Way, begins: datetime, dice: Chance) -> _Known:
        region = self._trade.region
        device = dice.one((_PHONES, _TABLETS, _DESKS), (way.mobile, 0.04, max(0.0, 0.96 - way.mobile)))
        places = _PLACES[region]
        return _Known(
            dice.id(begins - timedelta(milliseconds=40)),
            self._people.draw(dice),
            begins,
            dice.one(device),
            dice.one([place for place, _ in places], [share for _, share in places]),
            dice.one(_NETWORKS) + str(dice.randrange(1, 255)),
            dice.one(_LANGUAGES[region], (16, 3, 1)),
        )

    def _pages(self, landing: str, way: Way, known: _Known, dice: Chance) -> list[PageSeen]:
        paths = [landing]
        while dice.happens(0.52) and len(paths) < 9:
            others = [path for path in self._trade.pages if path != paths[-1]]
            paths.append(dice.one(others))
        pages = [PageSeen(path, timedelta(seconds=min(dice.about(38, 0.9), 1500))) for path in paths]
        last = pages[-1]
        wall = known.begins.astimezone(self._zone)
        night = (1.0 if 7 <= wall.hour < 20 else 0.35) * (0.65 if wall.weekday() == 6 else 1.0)
        if dice.happens(way.calls * night):
            is_phone = "Mobile" in known.user_agent
            drawn = dice.random()
            if drawn < 0.72:
                # While the page is there: the telephone is the browser, or lies beside it.
                last.stays += timedelta(seconds=20)
                last.calls_after = timedelta(seconds=-dice.uniform(1, 12))
                last.taps = is_phone and dice.happens(0.8)
            elif drawn < 0.9:
                last.calls_after = timedelta(seconds=dice.about(240, 0.9))
            else:
                last.calls_after = timedelta(hours=dice.about(9, 0.8))
        elif dice.happens(0.022):
            last.stays += timedelta(seconds=dice.about(70, 0.4))
            last.sends = True
        return pages


def local(day: date, seconds: float, zone: ZoneInfo) -> datetime:
    """A moment of a day by the clock on the wall, in UTC: a day on which clocks are set has what hours it has."""
    wall = datetime.combine(day, time()) + timedelta(seconds=seconds)
    return wall.replace(tzinfo=zone).astimezone(UTC).replace(microsecond=wall.microsecond // 1000 * 1000)
