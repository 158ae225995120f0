"""Who gets a number at all: bots, pages nobody sees, other hosts' pages, too many at once; addresses behind proxies."""

import itertools
import json
import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.http.collector.limits import Buckets, Verdict, of_one
from gateway.visits.bots import Bot, Signs, bot_of
from gateway.visits.consent import shortened
from gateway.visits.devices import device_of
from gateway.visits.ids import new_id
from tests.collector.conftest import CHROME, Collected, running_worker
from tests.collector.geo import city_database
from tests.pools.shop import PRINTED

SAFARI = "Mozilla/5.0 ({}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"
ANDROID = "Mozilla/5.0 (Linux; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 {}Safari/537.36"
IPHONE = SAFARI.format("iPhone; CPU iPhone OS 18_1 like Mac OS X")
IPAD = SAFARI.format("iPad; CPU OS 17_0 like Mac OS X")
PHONE = ANDROID.format("Android 10; K", "Mobile ")
TABLET = ANDROID.format("Android 13; SM-X700", "")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

BOTS: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({"User_Agent": GOOGLEBOT}, {}),
    ({"User_Agent": "curl/8.5.0"}, {}),
    ({"User_Agent": ""}, {}),
    ({"User_Agent": CHROME.replace("Chrome/", "HeadlessChrome/")}, {}),
    ({"Sec_CH_UA": '"HeadlessChrome";v="142", "Chromium";v="142"'}, {}),
    ({"Accept_Language": ""}, {}),
    ({}, {"automated": True}),
    ({}, {"screen": "0x0"}),
]
UNSEEN: list[tuple[dict[str, str], dict[str, Any]]] = [
    ({}, {"visible": False}),
    ({"Sec_Purpose": "prefetch;prerender"}, {}),
    ({"Purpose": "prefetch"}, {}),
    ({"X_Moz": "prefetch"}, {}),
]


@pytest.mark.parametrize(
    ("headers", "facts", "why"), [*((*bot, "bot") for bot in BOTS), *((*one, "hidden") for one in UNSEEN)]
)
async def test_bots_and_pages_that_nobody_sees_cost_nothing(
    collected: Collected, headers: dict[str, Any], facts: dict[str, Any], why: str
) -> None:
    page = await collected.page(**headers)
    answer = await page.visit(**facts)
    assert answer["why"] == why
    assert [number["number"]["e164"] for number in answer["numbers"]] == [PRINTED]
    assert answer["visitor"] is None
    for table in ("leases", "exposures", "visits", "page_views", "visitors"):
        assert await collected.rows(f"SELECT FROM {table}") == [], table


def test_signs_of_bots_and_people() -> None:
    for agent in (CHROME, IPHONE, IPAD, PHONE, TABLET, FIREFOX):
        assert bot_of(Signs(agent, languages="en")) is None, agent
    assert bot_of(Signs(GOOGLEBOT, languages="en")) is Bot.CRAWLER
    assert bot_of(Signs(CHROME)) is Bot.SILENT
    assert bot_of(Signs(CHROME, languages="en", automated=True)) is Bot.AUTOMATED


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (CHROME, "desktop"),
        (FIREFOX, "desktop"),
        (IPHONE, "mobile"),
        (PHONE, "mobile"),
        (IPAD, "tablet"),
        (TABLET, "tablet"),
        ("", ""),
    ],
)
async def test_devices(collected: Collected, agent: str, device: str) -> None:
    assert device_of(agent) == device
    if agent:
        answer = await (await collected.page(User_Agent=agent)).visit()
        assert (await collected.visit_row(answer["visit"]))["device"] == device


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://shop.example", 200),
        ("https://www.shop.example", 200),
        ("http://shop.example:8080", 200),
        ("https://SHOP.example", 200),
        ("https://shop.example.evil.example", 403),
        ("https://notshop.example", 403),
        ("https://evil.example", 403),
        ("null", 403),
        ("file://", 403),
        ("https://[", 403),
        ("https://user@evil.example", 403),
    ],
)
async def test_only_the_sites_own_hosts_may_use_its_key(collected: Collected, origin: str, status: int) -> None:
    page = await collected.page(Origin=origin)
    bodies: dict[str, dict[str, Any]] = {
        "/v1/visit": {"url": "https://shop.example/"},
        "/v1/alive": {"exposures": []},
        "/v1/leave": {"exposures": []},
        "/v1/tap": {"visit": str(new_id(datetime.now(UTC))), "number": "1"},
    }
    for path, body in bodies.items():
        answer = await page.post(path, {"site": page.key, **body})
        if status == 200:
            assert answer.status in (200, 204), path
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            assert answer.headers["Vary"] == "Origin"
        else:
            assert answer.status == 403, path
            assert (await answer.json())["id"] == "wrong_origin"
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_page_beside_the_collector_needs_no_host_in_the_settings(collected: Collected) -> None:
    beside = await collected.page(Origin=collected.worker.url)
    assert (await beside.visit())["why"] == "visitor"
    without = await collected.page()
    del without.headers["Origin"]
    assert (await without.visit())["why"] == "visitor"


async def test_an_unknown_key_is_named(collected: Collected) -> None:
    answer = await (await collected.page()).post("/v1/visit", {"site": "nonsense", "url": "https://shop.example/"})
    assert (answer.status, (await answer.json())["id"]) == (404, "unknown_site")


COOKIE = r"np_[a-z0-9]+=[0-9a-f-]{36}; Max-Age=34560000; Path=/"


@pytest.mark.parametrize(
    ("host", "fetch_site", "cookie"),
    [
        ("shop.example", "same-origin", COOKIE + "; HttpOnly; Secure; SameSite=Lax"),
        ("127.0.0.1:8081", "same-origin", COOKIE + "; HttpOnly; Secure; SameSite=Lax"),
        ("np.shop.example", "same-site", COOKIE + "; Domain=shop.example; HttpOnly; Secure; SameSite=Lax"),
        # Only a browser's word makes it a cookie of more than one host.
        ("np.shop.example", "", COOKIE + "; HttpOnly; Secure; SameSite=Lax"),
        ("collect.example", "cross-site", None),
        # An old browser says nothing: it decides by itself what it keeps.
        ("collect.example", "", COOKIE + "; HttpOnly; Secure; SameSite=Lax"),
    ],
)
async def test_the_cookie_by_the_way_the_collector_is_reached(
    database_dsn: str, collected: Collected, host: str, fetch_site: str, cookie: str | None
) -> None:
    async with running_worker(database_dsn, public_url="https://collect.example") as secure:
        headers = {"Sec_Fetch_Site": fetch_site} if fetch_site else {}
        page = await collected.page(secure, Host=host, **headers)
        answer = await page.post("/v1/visit", {"site": page.key, "url": "https://shop.example/?gclid=x"})
        visitor = (await answer.json())["visitor"]
        assert visitor is not None
        if cookie is None:
            assert "Set-Cookie" not in answer.headers
        else:
            assert re.fullmatch(cookie, answer.headers["Set-Cookie"])
        # Who says no is rid of it, whichever host had set it.
        said = {"site": page.key, "url": "https://shop.example/", "consent": {"state": "denied"}}
        answer = await page.post("/v1/consent", said, Cookie=f"np_{page.key}={visitor}")
        gone = answer.headers.getall("Set-Cookie")
        assert all(header.startswith(f"np_{page.key}=; Max-Age=0; Path=/") for header in gone)
        assert "Domain" not in gone[0]
        if host == "np.shop.example":
            assert ["Domain=shop.example" in header for header in gone].count(True) == 1


async def test_only_trusted_proxies_say_where_a_visitor_is(database_dsn: str, collected: Collected) -> None:
    async with AsyncExitStack() as stack:
        trusting = await stack.enter_async_context(running_worker(database_dsn, trusted_proxies=("127.0.0.1",)))
        for worker, expected in ((trusting, "203.0.113.0/24"), (collected.worker, "127.0.0.0/24")):
            page = await collected.page(worker, X_Forwarded_For="203.0.113.77")
            answer = await page.visit()
            await worker.written()
            assert str((await collected.visit_row(answer["visit"]))["network"]) == expected
        page = await collected.page(trusting, X_Forwarded_For="198.51.100.9, 203.0.113.77")
        answer = await page.visit()
        await trusting.written()
        assert str((await collected.visit_row(answer["visit"]))["network"]) == "203.0.113.0/24"


async def test_places_by_the_admins_own_file(database_dsn: str, collected: Collected, tmp_path: Path) -> None:
    file = tmp_path / "city.mmdb"
    file.write_bytes(
        city_database(
            {
                "203.0.113.0/24": {
                    "country": {"iso_code": "CA"},
                    "subdivisions": [{"iso_code": "SK"}],
                    "city": {"names": {"en": "Regina"}},
                }
            }
        )
    )
    async with running_worker(database_dsn, trusted_proxies=("127.0.0.1",), places_file=file) as worker:
        for address, expected in (("203.0.113.9", ("CA", "CA-SK", "Regina")), ("198.51.100.1", ("", "", ""))):
            answer = await (await collected.page(worker, X_Forwarded_For=address)).visit()
            await worker.written()
            row = await collected.visit_row(answer["visit"])
            assert (row["country"], row["region"], row["city"]) == expected
    (tmp_path / "broken.mmdb").write_bytes(b"nothing of the kind")
    for broken in (tmp_path / "broken.mmdb", tmp_path / "missing.mmdb"):
        async with running_worker(database_dsn, places_file=broken) as worker:
            assert (await (await collected.page(worker)).visit())["why"] == "visitor"


async def test_too_many_keep_the_pages_number_and_abuse_is_refused(database_dsn: str, collected: Collected) -> None:
    async with running_worker(database_dsn, visits_per_minute=4) as worker:
        page = await collected.page(worker)
        why = []
        for _ in range(60):
            answer = await page.post("/v1/visit", {"site": page.key, "url": "https://shop.example/"})
            if answer.status == 429:
                break
            why.append((await answer.json())["why"])
        assert [kind for kind, _ in itertools.groupby(why)] == ["visitor", "limited"]
        assert why.count("visitor") in (4, 5)
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) >= 1
        assert (await answer.json())["id"] == "too_many_requests"
        for _ in range(60):
            answer = await page.post("/v1/leave", {"site": page.key, "exposures": []})
        assert answer.status == 429


def test_buckets_by_the_clock() -> None:
    now = 0.0
    buckets: Buckets[str] = Buckets(rate=1.0, burst=3.0, clock=lambda: now)
    assert [buckets.take("a") for _ in range(4)] == [Verdict.WITHIN] * 3 + [Verdict.OVER]
    assert buckets.take("b") is Verdict.WITHIN
    now = 2.5
    assert [buckets.take("a") for _ in range(2)] == [Verdict.WITHIN, Verdict.OVER]
    for _ in range(40):
        verdict = buckets.take("a")
    assert verdict is Verdict.ABUSE
    now += 20
    assert buckets.take("a") is Verdict.WITHIN


def test_addresses_are_shortened() -> None:
    assert shortened("203.0.113.77") == "203.0.113.0/24"
    assert shortened("2001:db8:1:2:3:4:5:6") == "2001:db8:1::/48"
    assert shortened("::ffff:203.0.113.77") == "203.0.113.0/24"
    assert shortened("fe80::1%eth0") == "fe80::/48"
    assert [shortened(text) for text in ("", "nonsense", "1.2.3")] == [None] * 3
    assert of_one("2001:db8:1:2:3:4:5:6") == of_one("2001:db8:1:2::1") != of_one("2001:db8:1:3::1")
    assert of_one("::ffff:203.0.113.77") == "203.0.113.77"


async def test_no_address_is_logged_whole(collected: Collected, capfd: Any) -> None:
    page = await collected.page()
    await page.visit()
    await page.post("/v1/visit", b"\xff nonsense")
    await page.post("/v1/visit", {"site": page.key, "url": 5})
    said = "".join(capfd.readouterr())
    assert "127.0.0.1" not in said
    assert json.dumps(CHROME) not in said
