"""Page loads as the snippet sends them, and a process that loads a port with them.

Every page sends what the snippet would: the ids that the page before was answered, the cookie, the touch that is still
to be remembered. Of a hundred visitors 40 come by an advertisement, 25 from a search or another site, 15 directly, 15
are known from before (a third of those by the cookie alone), 5 are programs; people open three pages each.
"""

import argparse
import asyncio
import gc
import itertools
import json
import math
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from gateway.visits.ids import new_id

PAGES = 3
# Enough that a worker has something to do while Postgres is at the visits of half of them.
CONNECTIONS = 128
# How many visitors who were answered are remembered, to come back later.
_REMEMBERED = 2000
# At a fixed rate: so many visits wait for their next page, so that pages of one are apart.
_OPEN_VISITS = 200
# What stands in a message until the visitor's ids are known, as long as they are.
_VISIT, _VISITOR = b"v" * 36, b"w" * 36
_SEARCH = "https://www.google.com/"
_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
AGENTS = tuple(_AGENT.format(major) for major in range(120, 145))
_PROGRAM = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@dataclass(frozen=True)
class Load:
    """What a round found: requests a second, their median and 99th percentile in milliseconds, and the share lent."""

    rate: float
    median: float
    p99: float
    lent: float


@dataclass(frozen=True, slots=True)
class Journey:
    """The pages of one visitor; ``is_known``: he has been here before, so that the first page carries his id."""

    pages: list[bytes]
    is_known: bool = False
    is_person: bool = True


def journeys(key: str, count: int, seed: int) -> list[Journey]:
    """So many visitors, whose requests only lack the ids that they are answered."""
    chosen = random.Random(seed)
    return [_journey(key, number, chosen) for number in range(count)]


def _journey(key: str, number: int, chosen: random.Random) -> Journey:
    kind = chosen.random()
    agent = chosen.choice(AGENTS)
    home = "https://shop.example"
    mark = f"{chosen.getrandbits(64):016x}"  # no click is made twice
    landing = f"{home}/page/{chosen.randrange(40)}"
    referrer, is_known, remembers = "", False, True
    touch: dict[str, str] | None = None
    if kind < 0.40:
        landing = f"{home}/roofs?gclid=Cj0KCQ{mark}wcB&utm_campaign=spring-{number % 50}"
        touch = {"url": landing, "referrer": _SEARCH}
        referrer = _SEARCH
    elif kind < 0.65:
        referrer = chosen.choice((_SEARCH, "https://www.bing.com/", f"https://blog{number % 300}.partner.example/p"))
        touch = {"url": landing, "referrer": referrer}
    elif kind < 0.80:
        pass
    elif kind < 0.95:
        is_known, remembers = True, chosen.random() < 2 / 3
        before = f"{home}/roofs?utm_source=newsletter&utm_medium=email&utm_campaign=may-{number % 50}"
        touch = {"url": before, "referrer": ""} if remembers else None
    else:
        return Journey([_request(key, _PROGRAM, {"url": landing, "referrer": ""}, None)], is_person=False)
    pages = []
    for page in range(PAGES):
        url = landing if page == 0 else f"{home}/page/{chosen.randrange(40)}"
        body: dict[str, object] = {"url": url, "referrer": referrer if page == 0 else landing}
        has_memory = page > 0 or (is_known and remembers)
        body["visit"] = _VISIT.decode() if page > 0 else None
        if has_memory:
            body["visitor"] = _VISITOR.decode()
            if touch is not None and (page > 0 or is_known):
                body["touch"] = touch
        pages.append(_request(key, agent, body, _VISITOR if page > 0 or is_known else None))
    return Journey(pages, is_known)


def _request(key: str, agent: str, page: dict[str, object], cookie: bytes | None) -> bytes:
    """As a browser sends it from a page of the site to a collector that is another host of it."""
    body = {
        "site": key,
        "title": "Roof repair",
        "exposures": [],
        **page,
        "automated": False,
        "consent": {"required": False, "state": "unknown"},
        "gpc": False,
    }
    payload = json.dumps(body, separators=(",", ":")).encode()
    cookies = b"Cookie: _ga=GA1.1.1234567890.1700000000"
    if cookie is not None:
        cookies += b"; np_%b=%b" % (key.encode(), cookie)
    return (
        b"POST /v1/visit HTTP/1.1\r\nHost: np.shop.example\r\nConnection: keep-alive\r\nContent-Length: %d\r\n"
        b'sec-ch-ua-platform: "Windows"\r\nUser-Agent: %b\r\n'
        b'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24", "Google Chrome";v="140"\r\n'
        b"Content-Type: text/plain;charset=UTF-8\r\nsec-ch-ua-mobile: ?0\r\nAccept: */*\r\n"
        b"Origin: https://shop.example\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n"
        b"Sec-Fetch-Dest: empty\r\nReferer: https://shop.example/\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
        b"Accept-Language: en-CA,en;q=0.9\r\n%b\r\n\r\n%b" % (len(payload), agent.encode(), cookies, payload)
    )


class Visitors:
    """Those who come to one port. ``is_bare``: its answers are a bare handler's."""

    def __init__(self, port: int, everybody: list[Journey], *, is_bare: bool) -> None:
        self._port, self._is_bare = port, is_bare
        self._next = itertools.cycle(everybody)
        before = datetime.now(UTC) - timedelta(days=3)
        self._known: deque[bytes] = deque((str(new_id(before)).encode() for _ in range(20)), maxlen=_REMEMBERED)
        self.took: list[float] = []
        self._shown = self._lent = 0

    async def as_many_as_it_takes(self, seconds: float) -> Load:
        """From so many connections, each of which asks again as soon as it is answered."""
        self.took, self._shown, self._lent = [], 0, 0
        connections = [await asyncio.open_connection("127.0.0.1", self._port) for _ in range(CONNECTIONS)]
        begun = time.perf_counter()

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while time.perf_counter() < begun + seconds:
                visit = self._arrive()
                while visit.is_open and time.perf_counter() < begun + seconds:
                    await self._open(visit, reader, writer)
            writer.close()

        await asyncio.gather(*(one(*connection) for connection in connections))
        return self._load(time.perf_counter() - begun)

    async def by_the_clock(self, seconds: float, rate: float) -> Load:
        """So many a second, whatever the answers take: a page that waits for a connection has begun to wait."""
        self.took, self._shown, self._lent = [], 0, 0
        idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        for _ in range(2 * CONNECTIONS):
            idle.put_nowait(await asyncio.open_connection("127.0.0.1", self._port))
        open_visits: deque[_Visit] = deque()

        async def one(visit: "_Visit", begun: float) -> None:
            connection = await idle.get()
            await self._open(visit, *connection, begun=begun)
            idle.put_nowait(connection)
            if visit.is_open:
                open_visits.append(visit)

        begun = time.perf_counter()
        asked = set()
        for number in range(int(seconds * rate)):
            if (pause := begun + number / rate - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            visit = open_visits.popleft() if len(open_visits) >= _OPEN_VISITS else self._arrive()
            asked.add(asyncio.create_task(one(visit, time.perf_counter())))
        await asyncio.gather(*asked)
        spent = time.perf_counter() - begun
        while not idle.empty():
            idle.get_nowait()[1].close()
        return self._load(spent)

    def _arrive(self) -> "_Visit":
        journey = next(self._next)
        return _Visit(iter(journey.pages), journey, self._known[0] if journey.is_known else _VISITOR)

    async def _open(
        self, visit: "_Visit", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begun: float | None = None
    ) -> None:
        request = visit.request()
        begun = begun or time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        self.took.append(time.perf_counter() - begun)
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"{head.decode()}{body.decode()}")
        if self._is_bare:
            return
        if b'"why":"away"' in body:
            # Given up by the collector, which is no answer.
            self.took[-1] = math.inf
            visit.opened = len(visit.journey.pages)
            return
        why = b'"why":"visitor"' if visit.journey.is_person else b'"why":"bot"'
        if why not in body:
            raise AssertionError(f"{request.decode()}\n{body.decode()}")
        if visit.journey.is_person:
            # {"visit":"…","visitor":"…",…
            visit.visit, visit.visitor = body[10:46], body[59:95]
            if not visit.is_open:
                self._known.append(visit.visitor)
        self._shown += 1
        self._lent += b'"why":"lent"' in body

    def _load(self, seconds: float) -> Load:
        took = sorted(self.took)
        return Load(
            (len(took) - took.count(math.inf)) / seconds,
            took[len(took) // 2] * 1000,
            took[int(len(took) * 0.99)] * 1000,
            self._lent / max(self._shown, 1),
        )


@dataclass(slots=True)
class _Visit:
    """A journey under way."""

    rest: Iterator[bytes]
    journey: Journey
    visitor: bytes
    visit: bytes = _VISIT
    opened: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it has another page."""
        return self.opened < len(self.journey.pages)

    def request(self) -> bytes:
        """Its next page."""
        self.opened += 1
        return next(self.rest).replace(_VISIT, self.visit).replace(_VISITOR, self.visitor)


async def _answer(line: str) -> None:
    asked = json.loads(line)
    everybody = journeys(asked["key"], asked["visitors"], asked["seed"])
    visitors = Visitors(asked["port"], everybody, is_bare=asked["is_bare"])
    gc.collect()
    rate = asked["rate"]
    load = await (
        visitors.as_many_as_it_takes(asked["seconds"])
        if rate is None
        else visitors.by_the_clock(asked["seconds"], rate)
    )
    print(json.dumps(asdict(load)), flush=True)


def main() -> None:
    """Each line that comes in is one round of load; what it found goes out as a line."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    # Its own pauses would be counted as the server's.
    gc.disable()
    for line in sys.stdin:
        asyncio.run(_answer(line))


if __name__ == "__main__":
    main()
