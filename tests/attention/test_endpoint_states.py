"""How telephones are: read off Asterisk's own words, written where pages find it, and said beside each destination."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from gateway.asterisk.endpoints import EndpointState, states_of
from gateway.attention.endpoint_states import endpoints_of, note_endpoints, reach_of
from gateway.local.programs import AsteriskHome
from gateway.store.database import Database
from tests.http.conftest import Pages, chromium, pages
from tests.http.test_browser import looking, nothing_for_axe
from tests.installation import Installation, Number
from tests.stack import eventually

__all__ = ["chromium", "pages"]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FREE, RINGING, BUSY = EndpointState.FREE, EndpointState.RINGING, EndpointState.BUSY
UNREACHABLE, UNREGISTERED = EndpointState.UNREACHABLE, EndpointState.UNREGISTERED


@pytest.mark.parametrize(
    ("said", "contacts", "state"),
    [
        ("Not in use", "102/sip:102@192.0.2.1:5060,", FREE),
        ("In use", "", BUSY),
        ("Busy", "", BUSY),
        ("On Hold", "", BUSY),
        ("Ring+Inuse", "", BUSY),
        ("Ringing", "", RINGING),
        ("Unavailable", "102/sip:102@192.0.2.1:5060,", UNREACHABLE),
        ("Unavailable", "", UNREGISTERED),
        ("Invalid", "", None),
        ("Unknown", "", None),
    ],
)
def test_asterisks_words_are_read(said: str, contacts: str, state: EndpointState | None) -> None:
    event = {"Event": "EndpointList", "ObjectName": "102", "DeviceState": said, "Contacts": contacts}
    assert states_of([event]) == ({} if state is None else {"PJSIP/102": state})
    assert states_of([{**event, "Event": "AuthList"}, {**event, "ObjectName": ""}]) == {}


@pytest.mark.parametrize(
    ("dial", "names"),
    [
        ("PJSIP/reception", ["reception"]),
        ("PJSIP/reception&PJSIP/102&PJSIP/102", ["reception", "102"]),
        ("PJSIP/+13065551234@carrier", ["carrier"]),
        ("Trunk/+13065551234", []),
        ("Local/600@ours/n&PJSIP/102", ["102"]),
    ],
)
def test_what_a_dial_string_rings(dial: str, names: list[str]) -> None:
    assert endpoints_of(dial) == tuple(f"PJSIP/{name}" for name in names)


async def told(database: Database, node: str, present: dict[str, EndpointState], at: datetime) -> None:
    async with database.everything() as wire:
        await wire.execute("INSERT INTO nodes (name) VALUES ($1) ON CONFLICT DO NOTHING", node)
        await wire.execute(
            "INSERT INTO node_states (node_id, seen_at, is_linked) SELECT id, $2, true FROM nodes WHERE name = $1 "
            "ON CONFLICT (node_id) DO UPDATE SET seen_at = excluded.seen_at",
            *(node, at),
        )
        await note_endpoints(wire, node, present, at)


async def test_what_did_not_change_keeps_its_time_and_what_is_old_is_not_said(database_dsn: str) -> None:
    database = await Database.open(database_dsn)
    try:
        await told(database, "one", {"PJSIP/a": FREE, "PJSIP/b": UNREGISTERED}, NOW)
        later = NOW + timedelta(hours=1)
        await told(database, "one", {"PJSIP/a": BUSY, "PJSIP/b": UNREGISTERED}, later)
        await told(database, "two", {"PJSIP/b": FREE, "PJSIP/c": UNREACHABLE}, NOW)
        dials = {"PJSIP/a", "PJSIP/b", "PJSIP/a&PJSIP/b&PJSIP/x", "PJSIP/c", "PJSIP/x", "Trunk/1"}
        async with database.everything() as wire:
            found = await reach_of(wire, dials, later)
            assert {dial: [(each.name, each.state) for each in reach.telephones] for dial, reach in found.items()} == {
                "PJSIP/a": [("a", BUSY)],
                "PJSIP/b": [("b", UNREGISTERED)],  # the second gateway has not been heard of since
                "PJSIP/a&PJSIP/b&PJSIP/x": [("a", BUSY), ("b", UNREGISTERED)],
            }
            assert found["PJSIP/a"].telephones[0].since == later
            assert found["PJSIP/b"].telephones[0].since == NOW
            assert (found["PJSIP/a&PJSIP/b&PJSIP/x"].reachable, len(found["PJSIP/b"].down)) == (1, 1)
            both = await reach_of(wire, {"PJSIP/b"}, NOW)
            assert both["PJSIP/b"].telephones[0].state is FREE  # where one node reaches it, it rings
        await told(database, "one", {}, later)
        async with database.everything() as wire:
            assert await reach_of(wire, dials, later) == {}
    finally:
        await database.close()


async def test_a_destination_says_whether_it_can_be_reached(pages: Pages, chromium: Browser) -> None:
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute(
            "INSERT INTO destinations (company_id, name, dial) VALUES ($1, 'All', 'PJSIP/reception&PJSIP/102')",
            pages.company.id,
        )
    async with looking(pages, chromium) as page:
        await page.goto(f"{pages.url}/settings/destinations")
        await expect(page.locator(".reach")).to_have_count(0)
        await told(pages.database, "pbx", {"PJSIP/reception": FREE, "PJSIP/102": UNREGISTERED}, datetime.now(UTC))
        await page.reload()
        await expect(page.get_by_text("can be reached now", exact=True)).to_be_visible()
        await expect(page.get_by_text("1 of 2 can be reached now; not: 102")).to_be_visible()
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 844})
            await nothing_for_axe(page, f"destinations {width}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await told(pages.database, "pbx", {"PJSIP/reception": UNREACHABLE}, datetime.now(UTC))
        await page.reload()
        await expect(page.get_by_text("does not answer ·").first).to_be_visible()


async def test_a_real_gateway_writes_what_a_real_asterisk_says(
    asterisk_home: AsteriskHome, short_path: Path, database_dsn: str
) -> None:
    installation = Installation(asterisk_home, short_path, database_dsn, [Number("+13065552001")])
    try:
        await installation.start()
        shown = await installation.pbx.cli("pjsip show endpoints")
        expected = dict(re.findall(r"Endpoint:\s+([^\s/<]+)\S*\s{2,}(Not in use|Unavailable)", shown))
        assert expected, shown
        states = {"Not in use": ("free",), "Unavailable": ("unreachable", "unregistered")}

        async def are_written() -> bool:
            rows = await installation.sql("SELECT endpoint, state FROM endpoint_states")
            found = {str(row["endpoint"]).removeprefix("PJSIP/"): row["state"] for row in rows}
            return found.keys() >= expected.keys() and all(
                found[name] in states[said] for name, said in expected.items()
            )

        await eventually(are_written, seconds=120, pause=0.5)
    finally:
        await installation.stop()
