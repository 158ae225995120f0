"""The overview: its figures are those of the calls, every figure leads to them, and each role sees what it may."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import aiohttp
import pytest

from gateway.attribution.credit import Model
from gateway.http.heat import heat
from gateway.http.language import Language
from gateway.http.needs_view import how_long, how_often
from gateway.http.overview_page import Standing, question_before, question_of
from gateway.http.periods import Period, Span
from gateway.http.permissions import Role
from gateway.http.rendering import templates_of_checkout_or_wheel
from gateway.http.words import Words
from tests.http.company import add_call
from tests.http.conftest import Pages

NOW = datetime.now(UTC)
TODAY = date(2026, 11, 22)
STANDING = Standing(Model.FIRST, "CAD", NOW, date(2026, 3, 5), 3, True, True, True)

FIGURE = re.compile(r'<div class="hero">\s*<dt>([^<]+)</dt>\s*<dd class="value">(?:<a href="([^"]+)">)?([^<]+)')


def languages() -> dict[str, Language]:
    return templates_of_checkout_or_wheel().languages


async def figures(client: aiohttp.ClientSession, address: str = "/overview") -> dict[str, tuple[str, str]]:
    """Each figure's value and address, by name."""
    async with client.get(address) as answer:
        assert answer.status == 200
        return {name: (value.strip(), unescape(url)) for name, url, value in FIGURE.findall(await answer.text())}


async def listed(client: aiohttp.ClientSession, address: str) -> int:
    """How many calls the list behind a figure has."""
    async with client.get(address) as answer:
        assert answer.status == 200
        return (await answer.text()).count('<li class="call')


@pytest.mark.parametrize(
    ("period", "since", "until", "before"),
    [
        (Period(), date(2026, 10, 24), date(2026, 11, 23), (date(2026, 9, 24), date(2026, 10, 24))),
        (Period(Span.TODAY), TODAY, date(2026, 11, 23), (date(2026, 11, 21), TODAY)),
        (Period(Span.THIS_MONTH), date(2026, 11, 1), date(2026, 11, 23), (date(2026, 10, 1), date(2026, 10, 23))),
        (Period(Span.LAST_MONTH), date(2026, 10, 1), date(2026, 11, 1), (date(2026, 9, 1), date(2026, 10, 1))),
        (Period(Span.ALL), date(2026, 3, 5), date(2026, 11, 23), None),
        (Period.between(date(2026, 3, 1), date(2026, 4, 1)), date(2026, 3, 1), date(2026, 4, 2), None),
        # What is yet to come is not asked about.
        (
            Period.between(date(2026, 11, 20), date(2026, 12, 24)),
            date(2026, 11, 20),
            date(2026, 11, 23),
            (date(2026, 10, 16), date(2026, 11, 20)),
        ),
        (Period.between(date(2027, 1, 1), date(2027, 1, 2)), TODAY, date(2026, 11, 23), None),
    ],
)
def test_which_days_are_asked_about(period: Period, since: date, until: date, before: tuple[date, date] | None) -> None:
    question = question_of(7, period, STANDING, TODAY)
    assert (question.since, question.until) == (since, until)
    earlier = question_before(question, period, STANDING, TODAY)
    if before is not None or period.span is not Span.CHOSEN:
        assert (earlier and (earlier.since, earlier.until)) == before


async def test_figures_are_those_of_the_calls_and_lead_to_them(pages: Pages) -> None:
    acme = pages.company
    for place in range(9):
        await add_call(
            pages.database,
            acme,
            source="Google Ads" if place < 6 else "Facebook",
            caller=f"+130655501{place % 5:02}",
            outcome="no_answer" if place == 8 else "answered",
            started_at=NOW - timedelta(days=place + 1),
        )
    for _ in range(4):
        await add_call(pages.database, acme, started_at=NOW - timedelta(days=45))
    await add_call(pages.database, acme, outcome="blocked", started_at=NOW - timedelta(days=2))
    await add_call(pages.database, pages.stranger, started_at=NOW - timedelta(days=1))
    client = await pages.signed_in()
    shown = await figures(client)
    values = {name: value for name, (value, _) in shown.items()}
    assert values["callers"] == "5"
    assert values["calls"] == "9"
    assert values["answered"] == "8"
    assert values["missed"] == "1"
    for name in ("calls", "answered", "missed", "first-time", "qualified"):
        value, url = shown[name]
        assert await listed(client, url) == int(value), name
    assert (await figures(client, "/overview?period=7d"))["calls"][0] in ("6", "7")
    assert (await figures(client, "/overview?period=all"))["calls"][0] == "13"


async def test_each_hour_leads_to_its_calls(pages: Pages) -> None:
    monday = (NOW - timedelta(days=NOW.weekday() + 7)).replace(hour=20, minute=10)  # 14:10 in Regina
    for minutes in (0, 20, 45):
        await add_call(pages.database, pages.company, started_at=monday + timedelta(minutes=minutes))
    await add_call(pages.database, pages.company, started_at=monday + timedelta(minutes=55))  # 15:05
    client = await pages.signed_in()
    async with client.get("/overview") as answer:
        cells = dict(re.findall(r'<a href="([^"]+hour=1-1[45])"[^>]*><span>(\d+)</span>', await answer.text()))
    assert sorted(cells.values()) == ["1", "3"]
    for url, calls in cells.items():
        assert await listed(client, unescape(url)) == int(calls)


@pytest.mark.parametrize("hour", ["0-5", "8-5", "1-24", "1", "-", "x-1", "1--1"])
async def test_an_hour_that_is_none_is_refused(pages: Pages, hour: str) -> None:
    client = await pages.signed_in()
    async with client.get(f"/calls?hour={hour}") as answer:
        assert answer.status == 400


async def test_who_sees_no_figures_is_led_to_his_calls(pages: Pages) -> None:
    for role, path in ((Role.OWNER, "/overview"), (Role.ANALYST, "/overview"), (Role.AGENT, "/calls")):
        client = await pages.signed_in(role)
        async with client.get("/", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, path)
        async with client.get("/overview") as answer:
            assert answer.status == (200 if path == "/overview" else 403)


async def test_who_may_only_look_cannot_put_off(pages: Pages) -> None:
    await add_call(pages.database, pages.company, outcome="no_answer", started_at=NOW - timedelta(hours=2))
    client = await pages.signed_in(Role.ANALYST)
    async with client.get("/overview") as answer:
        text = await answer.text()
    assert "1 person called and was missed" in text
    assert "put-off" not in text
    async with client.post("/overview/put-off", data={"need": "missed/1"}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize("need", ["", "Missed/1", "missed/1/2/3", "x" * 300, "trunk/a\nb", "pool//b", "missed"])
async def test_nonsense_cannot_be_put_off(pages: Pages, need: str) -> None:
    client = await pages.signed_in()
    async with client.post("/overview/put-off", data={"need": need}, allow_redirects=False) as answer:
        assert answer.status == 400


async def test_a_new_company_sees_what_to_do_next(pages: Pages) -> None:
    client = await pages.signed_in()
    async with client.get("/overview") as answer:
        text = await answer.text()
    assert "Four steps to the first figures" in text
    assert "2 of 4 done" in text  # its line and its numbers
    assert "Ring one of them" in text
    assert 'class="hero"' not in text


async def test_a_company_without_spend_is_not_shown_costs(pages: Pages) -> None:
    await add_call(pages.database, pages.company, started_at=NOW - timedelta(days=1))
    client = await pages.signed_in()
    assert "spent" not in await figures(client)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "INSERT INTO spend (company_id, source_id, first_day, last_day, amount, currency) "
            "VALUES ($1, $2, $3, $3, 55.5, 'CAD')",
            pages.company.id,
            pages.company.sources["Google Ads"],
            (NOW - timedelta(days=2)).date(),
        )
    shown = await figures(client)
    assert shown["spent"][0] == "$55.50"
    assert shown["a job"][0] == "–"


def test_hours_are_as_dark_as_they_are_busy() -> None:
    calls = [[0] * 24 for _ in range(7)]
    calls[0][9], calls[1][13], calls[6][3] = 10, 1, 5
    english = Words(languages()["en"], "CA", now=NOW)
    shown = heat(calls, english, "/calls?x=y")
    assert [day.full for day in shown.days] == [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ]
    assert len(shown.hours) == 16  # from three in the morning to the end of an office's day
    shades = {cell.calls: cell.shade for day in shown.days for cell in day.cells}
    assert shades == {0: 0, 1: 1, 5: 3, 10: 5}
    assert shown.busiest is not None
    assert shown.busiest.url == "/calls?x=y&hour=1-9"
    assert shown.busiest.hour.startswith("Monday, 9:00")
    assert heat([[0] * 24 for _ in range(7)], english, "/calls").busiest is None
    assert heat(calls, Words(languages()["ru"], "RU"), "/c").days[0].full == "Понедельник"


def test_how_often_and_how_long_are_said_as_people_say_them() -> None:
    english, russian = Words(languages()["en"], "CA", now=NOW), Words(languages()["ru"], "RU", now=NOW)
    assert [how_often(english, rate) for rate in (12.4, 1, 0.43, 0.1)] == [
        "12 times a day",
        "1 time a day",
        "3 times a week",
        "3 times a month",
    ]
    assert [how_often(russian, rate) for rate in (2, 5)] == ["2 раза в день", "5 раз в день"]
    assert how_long(english, NOW - timedelta(days=9)) == "9 days"
    assert how_long(russian, NOW - timedelta(hours=5)) == "5 часов"
    assert how_long(english, None) == ""
