"""The call log: order, filters, paging, words; what callers call themselves does no harm; speed with many calls."""

import asyncio
import html
import re
from datetime import UTC, date, datetime, timedelta
from functools import partial
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.assets import asset_folder
from gateway.http import call_list, catalogue_check
from gateway.http.accounts import Company
from gateway.http.call_filter import CallFilter, CallView, Place
from gateway.http.hangup_causes import meaning
from gateway.http.language import load_languages
from gateway.http.periods import Period, Span
from gateway.http.waveform import HALF, draw
from gateway.http.words import Words
from tests.http.company import add_call
from tests.http.conftest import Pages

ROW = re.compile(r'<li class="call[^"]*" data-key="(\d+)"')
LANGUAGES = load_languages(asset_folder("web") / "translations")


async def rows(client: object, address: str) -> list[int]:
    """The calls that a page shows, in its order."""
    answer = await client.get(address)  # type: ignore[attr-defined]
    assert answer.status == 200
    return [int(key) for key in ROW.findall(await answer.text())]


async def test_ringing_calls_stand_on_top_then_the_newest_first(pages: Pages) -> None:
    now = datetime.now(UTC)
    old = await add_call(pages.database, pages.company, started_at=now - timedelta(days=2))
    new = await add_call(pages.database, pages.company, started_at=now - timedelta(minutes=1))
    ringing = await add_call(
        pages.database, pages.company, state="ringing", outcome=None, started_at=now - timedelta(minutes=5)
    )
    await add_call(pages.database, pages.stranger)
    client = await pages.signed_in()
    assert await rows(client, "/calls") == [ringing, new, old]


async def test_each_value_filters(pages: Pages) -> None:
    start = datetime(2026, 11, 20, 18, tzinfo=UTC)
    add = partial(add_call, pages.database, pages.company, started_at=start)
    answered, busy = await add(source="Google Ads"), await add(source="Facebook", outcome="busy")
    withheld = await add(source=None, caller=None, outcome="abandoned")
    # 23:30 of the 19th in Regina, although UTC says the 20th.
    before = await add_call(
        pages.database, pages.company, started_at=start.replace(hour=5, minute=30), caller="+442079460018"
    )
    client, number = await pages.signed_in(), pages.company.numbers["Facebook"][1]
    everything = "/calls?period=all"
    assert await rows(client, f"{everything}&source={pages.company.sources['Google Ads']}") == [answered, before]
    assert await rows(client, f"{everything}&source=none") == [withheld]
    assert await rows(client, f"{everything}&outcome=answered") == [answered, before]
    assert await rows(client, f"{everything}&outcome=missed") == [withheld, busy]
    assert await rows(client, f"{everything}&outcome=busy") == [busy]
    assert await rows(client, f"{everything}&number=%2B{number[1:]}") == [busy]
    assert await rows(client, f"{everything}&caller=%2B442079460018") == [before]
    assert await rows(client, f"{everything}&caller=withheld") == [withheld]
    assert await rows(client, "/calls?from=2026-11-20&to=2026-11-20") == [withheld, busy, answered]
    assert await rows(client, "/calls?from=2026-11-19&to=2026-11-19") == [before]
    assert await rows(client, "/calls?to=2026-11-19") == [before]
    assert await rows(client, "/calls?from=2026-11-20&to=2026-11-20&outcome=missed&source=none") == [withheld]
    assert "No call fits" in await (await client.get("/calls?caller=%2B1")).text()


async def test_paging_shows_every_call_once_also_when_many_come_in_one_moment(pages: Pages) -> None:
    moment = datetime.now(UTC) - timedelta(hours=1)
    made = [
        await add_call(pages.database, pages.company, started_at=moment - timedelta(seconds=place // 40))
        for place in range(130)
    ]
    client, seen, address = await pages.signed_in(), list[int](), "/calls"
    for _ in range(5):
        text = await (await client.get(address)).text()
        seen += [int(key) for key in ROW.findall(text)]
        older = re.search(r'href="([^"]*before=[^"]*)"', text)
        if not older:
            break
        address = html.unescape(older[1])
        await add_call(pages.database, pages.company)  # new ones do not push old ones to another page
    assert sorted(seen) == sorted(made)
    listed, cursor = list[int](), ""
    while True:
        page = await (await client.get(f"/api/v1/calls?limit=50{cursor}")).json()
        listed += [call["id"] for call in page["calls"]]
        if page["next"] is None:
            break
        cursor = f"&before={page['next']}"
    assert len(listed) == len(set(listed))
    assert set(made) <= set(listed)


async def test_the_api_tells_of_a_call_as_the_page_does(pages: Pages) -> None:
    call_id = await add_call(pages.database, pages.company, caller_name="Dana")
    client = await pages.signed_in()
    call = await (await client.get(f"/api/v1/calls/{call_id}")).json()
    assert (call["source"]["name"], call["outcome"], call["caller_name"]) == ("Google Ads", "answered", "Dana")
    assert call["legs"][0]["destination"] == "Reception"
    assert call["started_at"].endswith("Z")
    missing = await (await client.get("/api/v1/calls/999999")).json()
    assert (missing["status"], missing["id"]) == (404, "call_not_found")


async def test_empty_pages_say_what_to_do(pages: Pages) -> None:
    client = await pages.signed_in()
    text = await (await client.get("/calls")).text()
    assert "No calls yet" in text
    assert "(306) 555-2001" in text


NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE calls; --",
    "{{ 7*7 }}",
    "‮evil‬",
    "a\nb\rc",
    "👩‍🔧",
    "%(number)s %s",
    "\\u003c",
]


async def test_what_callers_call_themselves_is_only_ever_text(pages: Pages) -> None:
    client = await pages.signed_in()
    elements: dict[str, tuple[int, int]] = {}  # how many scripts and pictures a page has by itself

    async def shown(name: str) -> None:
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute("DELETE FROM legs")
            await wire.execute("DELETE FROM calls")
        call_id = await add_call(pages.database, pages.company, caller_name=name, caller=name or None)
        for page, path in (("list", "/calls"), ("call", f"/calls/{call_id}")):
            text = await (await client.get(path)).text()
            inside = re.search(r'<bdi class="name"[^>]*>(.*?)</bdi>', text, re.DOTALL)
            assert inside, path
            assert html.unescape(inside[1]) == name
            assert not re.search(r"[<>]", inside[1])
            found = text.count("<script"), text.count("<img")
            assert elements.setdefault(page, found) == found
        data = await (await client.get(f"/api/v1/calls/{call_id}")).json()
        assert data["caller_name"] == name

    for name in ("Anna", *NASTY):
        await shown(name)
    loop = asyncio.get_running_loop()
    names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=60)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(names)
    def any_name(name: str) -> None:
        asyncio.run_coroutine_threadsafe(shown(name), loop).result()

    await asyncio.to_thread(any_name)


@given(
    st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1)),
    st.integers(0, 2**60),
)
def test_a_place_survives_the_address_bar(moment: datetime, id: int) -> None:
    assert Place.parse(str(Place(moment, id))) == Place(moment, id)


@given(
    st.builds(
        CallFilter,
        source=st.none() | st.integers(1, 10**9) | st.just("none"),
        outcome=st.none() | st.sampled_from(["missed", "busy", "answered"]),
        number=st.none() | st.just("+13065552001"),
        caller=st.none() | st.sampled_from(["withheld", "+13065550142", "a&b=c ü"]),
        period=st.sampled_from([Period(span) for span in Span if span is not Span.CHOSEN])
        | st.builds(
            Period.between, st.dates(date(1970, 1, 1), date(2199, 1, 1)), st.none() | st.just(date(2026, 1, 1))
        ),
    )
)
def test_a_view_survives_the_address_bar(filter: CallFilter) -> None:
    from yarl import URL

    assert CallFilter.parse(URL(CallView(filter, 3).url()).query) == filter


def test_times_numbers_and_durations_are_said_as_people_say_them() -> None:
    now = datetime(2026, 11, 21, 16, 42, tzinfo=UTC)
    regina = Words(LANGUAGES["en"], "CA", ZoneInfo("America/Regina"), now)
    assert regina.day_time(now - timedelta(hours=10)) == "Today, 12:42\u202fa.m."
    assert regina.day(date(2026, 11, 20)) == "Yesterday"
    assert regina.day(date(2026, 11, 13)) == "Friday, November 13"
    assert regina.day(date(2025, 1, 2)) == "Thursday, January 2, 2025"
    assert (regina.duration(192), regina.duration(3723), regina.duration(None)) == ("3:12", "1:02:03", "0:00")
    assert regina.spoken_duration(192) == "3 minutes 12 seconds"
    assert (regina.phone("+13065550142"), regina.phone("+442079460018")) == ("(306) 555-0142", "+44 20 7946 0018")
    assert (regina.phone(None), regina.phone("anonymous")) == ("Withheld", "anonymous")
    assert (regina.change(57, 50), regina.change(5, 0), regina.change(4, 4)) == ("▲ 14%", None, None)
    russian = Words(LANGUAGES["ru"], "RU", ZoneInfo("Europe/Moscow"), now)
    assert (russian.time(now), russian.day(date(2026, 11, 13))) == ("19:42", "Пятница, 13 ноября")
    assert russian.outcome_name("busy") == "Пропущен: занято"
    assert meaning(17) == "the line was busy"
    assert "does not name" in meaning(99)


def test_a_waveform_stays_inside_its_drawing() -> None:
    for peaks in (b"", b"\x00\x00", bytes(1600), b"\xff" * 1600, bytes(range(256)) * 6, b"\x01\x02\x03"):
        for bars in (1, 44, 320):
            drawing = draw(peaks, bars)
            heights = [abs(int(height)) for height in re.findall(r"v(-?\d+)", drawing.caller + drawing.business)]
            assert all(1 <= height <= HALF for height in heights)
            assert len(heights) == 2 * min(bars, len(peaks) // 2)


def test_every_word_of_the_pages_is_in_every_catalogue() -> None:
    """Missing, fuzzy and left-over strings, and other places in a translation than in the text."""
    texts = catalogue_check.said()
    assert len(texts) > 200
    for language, catalogue in catalogue_check.catalogues().items():
        assert list(catalogue_check.problems(texts, catalogue)) == [], language


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ('msgid "Calls"\nmsgstr ""', "not translated"),
        ('#, fuzzy\nmsgid "Calls"\nmsgstr "Звонки"', "fuzzy"),
        ('msgid "Undone."\nmsgstr "Отменено."', "not translated"),
        ('msgid "Calls"\nmsgstr "Звонки %(number)s"', "not the same places"),
        ('msgid "Calls"\nmsgstr "Звонки"\n\nmsgid "Old"\nmsgstr "Старое"', "no page says it"),
        ('msgid "Calls"\nmsgstr "Звонки"', None),
    ],
)
def test_the_check_finds_what_is_wrong_with_a_catalogue(entry: str, complaint: str | None) -> None:
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=3; plural=0;\\n"\n\n'
    catalogue = read_po(BytesIO((header + entry).encode()), locale="ru")
    found = list(catalogue_check.problems([catalogue_check.Said(None, "Calls", None, "calls.html:1")], catalogue))
    assert bool(found) is (complaint is not None)
    assert complaint is None or complaint in found[0]


@pytest.mark.parametrize("accept", ["ru-RU,ru;q=0.9,en;q=0.8", "en-CA", "", "xx", "*" * 500])
async def test_the_page_speaks_the_readers_language(pages: Pages, accept: str) -> None:
    client = await pages.signed_in()
    answer = await client.get("/calls", headers={"Accept-Language": accept})
    assert answer.headers["Content-Language"] == ("ru" if accept.startswith("ru") else "en")
    await client.post("/language", data={"language": "ru", "next": "/calls"})
    assert (await client.get("/calls", headers={"Accept-Language": "en"})).headers["Content-Language"] == "ru"


async def test_views_of_a_hundred_thousand_calls(pages: Pages) -> None:
    company = pages.company
    async with pages.database.everything() as wire:
        await wire.execute("ALTER TABLE calls DISABLE TRIGGER USER")
        await wire.execute(
            """INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, source_id,
                 caller, started_at, ring_seconds, talk_seconds)
               SELECT $1, $2, 'many-' || i, 3, 'ended', CASE WHEN i % 5000 = 0 THEN 'blocked' ELSE 'answered' END,
                 $3, $4, CASE WHEN i % 9000 = 0 THEN $6::bigint ELSE $5 END,
                 '+1306555' || lpad((i % 10000)::text, 4, '0'),
                 now() - i * interval '5 minutes', 5, 60
               FROM generate_series(1, 100000) i""",
            company.id,
            company.node_id,
            company.numbers["Google Ads"][1],
            company.numbers["Google Ads"][0],
            company.sources["Google Ads"],
            company.sources["Facebook"],
        )
        await wire.execute("ALTER TABLE calls ENABLE TRIGGER USER")
        await wire.execute("ANALYZE calls")
    client = await pages.signed_in()
    views = (
        "/calls",
        f"/calls?source={company.sources['Facebook']}",
        "/calls?outcome=blocked",
        "/calls?period=all&outcome=blocked",
        "/calls?period=all",
        "/calls?outcome=missed",
        "/calls?caller=%2B13065559999",
        "/calls?number=%2B13065552001",
        f"/calls?before={Place(datetime.now(UTC) - timedelta(days=300), 1)}",
        "/api/v1/calls?limit=50",
    )
    for address in views:
        assert (await client.get(address)).status == 200, address
    whole = Company(company.id, "", ZoneInfo("UTC"), "CA")
    async with pages.database.companies(company.id) as wire:
        calls, has_older = await call_list.page_of_calls(
            wire, whole, CallFilter(Period(Span.ALL), outcome="blocked"), None, 50
        )
    assert (len(calls), has_older) == (20, False)
