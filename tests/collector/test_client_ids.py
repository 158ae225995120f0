"""Ids that other programs gave a browser: from the request's own cookies, under the visitor's word, also when late."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.visits.client_ids import LONGEST, MOST, client_ids_in
from tests.collector.conftest import ADVERTISED, Collected

COOKIES = (
    "a=b; _ga=GA1.1.11.22; _ga_ABCD1234=GS1.1.1; _fbp=fb.1.1.2; _fbc=fb.1.1.IwAR; _ym_uid=1670000000; _uetvid=ab12"
    "; session=secret"
)
IDS = {
    "_ga": "GA1.1.11.22",
    "_ga_ABCD1234": "GS1.1.1",
    "_fbp": "fb.1.1.2",
    "_fbc": "fb.1.1.IwAR",
    "_ym_uid": "1670000000",
    "_uetvid": "ab12",
}
GRANTED = {"required": True, "state": "granted", "signal": "consent mode", "at": "2026-11-02T10:00:00Z"}


@pytest.mark.parametrize(
    ("cookies", "found"),
    [
        (COOKIES, IDS),
        ("", {}),
        ("session=1; x_ga=2; _gat=1; _gid=3", {}),
        ("_ga=first; _ga=second", {"_ga": "first"}),
        ('a=1;_fbp="fb.1";_uetvid=', {"_fbp": "fb.1"}),
        (f"_ga={'x' * (LONGEST + 1)}; _fbp=1", {"_fbp": "1"}),
        ("_ga; _fbp=a=b=c", {"_fbp": "a=b=c"}),
    ],
)
def test_what_a_header_holds(cookies: str, found: dict[str, str]) -> None:
    assert client_ids_in(cookies) == found


@given(st.text())
def test_no_header_is_too_odd(text: str) -> None:
    found = client_ids_in("_ga=1;" + text)
    assert len(found) <= MOST
    assert all(value.isprintable() for value in found.values())


@pytest.mark.parametrize(
    ("consent", "headers", "kept"),
    [
        (GRANTED, {}, True),
        ({}, {}, True),
        ({"required": True}, {}, False),
        ({"state": "denied", "signal": "banner"}, {}, False),
        (GRANTED, {"Sec_GPC": "1"}, False),
        (GRANTED, {"Sec_Fetch_Site": "cross-site"}, False),  # whose cookies they are is another site's matter
    ],
)
async def test_they_are_kept_as_the_visitor_said(
    collected: Collected, consent: dict[str, Any], headers: dict[str, Any], kept: bool
) -> None:
    page = await collected.page(Cookie=COOKIES, **headers)
    answer = await page.visit(consent=consent)
    row = await collected.visit_row(answer["visit"])
    assert json.loads(row["client_ids"]) == (IDS if kept else {})
    assert "secret" not in json.dumps(dict(row), default=str)
    if kept and consent:
        said = (row["consent"], row["consent_signal"], row["consent_at"])
        assert said == ("granted", "consent mode", datetime(2026, 11, 2, 10, tzinfo=UTC))
        (visitor,) = await collected.rows("SELECT * FROM visitors")
        assert json.loads(visitor["client_ids"]) == IDS
        assert (visitor["consent"], visitor["consent_signal"]) == ("granted", "consent mode")


@pytest.mark.parametrize("path", ["/v1/visit", "/v1/alive", "/v1/leave", "/v1/tap"])
async def test_those_that_come_after_the_first_page_asked(collected: Collected, path: str) -> None:
    page = await collected.page()
    first = await page.visit()
    body = {
        "site": page.key,
        "visit": first["visit"],
        "visitor": first["visitor"],
        "url": "https://shop.example/prices",
        "exposures": [],
        "number": "1",
    }
    for _ in range(2):
        assert (await page.post(path, body, Cookie=COOKIES)).status in (200, 204)
    row = await collected.visit_row(first["visit"])
    assert json.loads(row["client_ids"]) == IDS
    (visitor,) = await collected.rows("SELECT client_ids FROM visitors")
    assert json.loads(visitor["client_ids"]) == IDS
    # A newer one takes the place of its former, the others stay.
    await page.post(path, body, Cookie="_fbc=fb.1.2.newer")
    row = await collected.visit_row(first["visit"])
    assert json.loads(row["client_ids"]) == {**IDS, "_fbc": "fb.1.2.newer"}


async def test_without_consent_they_never_come_and_with_it_they_do(collected: Collected) -> None:
    page = await collected.page()
    first = await page.visit(consent={"required": True})
    body = {"site": page.key, "visit": first["visit"], "exposures": [], "number": "1"}
    for path in ("/v1/alive", "/v1/tap"):
        await page.post(path, body, Cookie=COOKIES)
    assert json.loads((await collected.visit_row(first["visit"]))["client_ids"]) == {}
    page.headers["Cookie"] = COOKIES
    yes = await page.visit(ADVERTISED, "/v1/consent", visit=first["visit"], consent=GRANTED)
    row = await collected.visit_row(yes["visit"])
    assert json.loads(row["client_ids"]) == IDS
    await page.visit(ADVERTISED, "/v1/consent", visit=first["visit"], consent={**GRANTED, "state": "denied"})
    await page.post("/v1/alive", body, Cookie=COOKIES)
    assert json.loads((await collected.visit_row(first["visit"]))["client_ids"]) == {}
    assert await collected.rows("SELECT FROM visitors") == []
