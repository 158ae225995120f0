"""What is recorded and how long it stays: set and taken back, deleted by hand, deleted when its time is over."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.audit import SYSTEM
from gateway.calls import retention
from gateway.calls.retention import GRACE, Kept
from gateway.http.permissions import Role
from tests.http.company import add_call, make_recording
from tests.http.conftest import Pages

PATH = "/settings/recording"
NOW = datetime.now(UTC)


async def recorded(pages: Pages, name: str, age: timedelta = timedelta(0)) -> tuple[int, Path]:
    """A call with a recording; its id, and the file."""
    made = make_recording(pages.recordings, name, 2)
    call = await add_call(pages.database, pages.company, started_at=NOW - age, recording=made)
    return call, pages.settings.data_folder / made[0]


async def state_of(pages: Pages, call: int) -> tuple[str, bool, str | None]:
    async with pages.database.companies(pages.company.id) as wire:
        row = await wire.fetchrow("SELECT state, deleted_at, file FROM recordings WHERE call_id = $1", call)
    assert row is not None
    return row["state"], row["deleted_at"] is not None, row["file"]


async def rules(pages: Pages) -> Kept:
    async with pages.database.companies(pages.company.id) as wire:
        found = await retention.kept(wire, pages.company.id)
    assert found is not None
    return found


async def test_rules_are_set_and_taken_back(pages: Pages) -> None:
    client = await pages.signed_in()
    values = {"announcement": "custom/may-be-recorded", "days": "90"}
    page = await (await client.post(PATH, data=values)).text()
    now = await rules(pages)
    assert (now.record, now.announcement, now.days) == (False, "custom/may-be-recorded", 90)
    assert now.counts_from is not None
    assert now.counts_from > NOW + GRACE - timedelta(minutes=1)
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found
    await client.post(found.group(1), data={"next": PATH})
    then = await rules(pages)
    assert (then.record, then.announcement, then.days) == (True, None, None)


@pytest.mark.parametrize(
    ("field", "value"), [("days", "0"), ("days", "soon"), ("days", "3651"), ("announcement", "../etc/passwd")]
)
async def test_what_cannot_be_is_said_beside_its_field(pages: Pages, field: str, value: str) -> None:
    client = await pages.signed_in()
    answer = await client.post(PATH, data={"record": "yes", field: value})
    assert answer.status == 422
    assert f'id="{field}-problem"' in await answer.text()
    assert await rules(pages) == Kept(True, None, None)


async def test_old_recordings_go_when_their_time_is_over_and_no_others(pages: Pages) -> None:
    old, old_file = await recorded(pages, "old", timedelta(days=31))
    young, young_file = await recorded(pages, "young", timedelta(days=29))
    client = await pages.signed_in()
    page = await (await client.post(PATH, data={"record": "yes", "days": "30"})).text()
    assert "1 of those kept now" in page
    folder = pages.settings.data_folder
    assert await retention.end_retention(pages.database, folder, NOW) == 0  # the day of grace
    assert old_file.is_file()
    after_grace = NOW + timedelta(minutes=5)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE companies SET recordings_kept_from = $1", after_grace)
    assert await retention.end_retention(pages.database, folder, after_grace) == 1
    assert not old_file.exists()
    assert young_file.is_file()
    assert await state_of(pages, old) == ("deleted", True, None)
    assert (await state_of(pages, young))[0] == "ready"
    assert "The recording was deleted on" in await (await client.get(f"/calls/{old}")).text()
    assert (await client.get(f"/calls/{old}/recording")).status == 404
    async with pages.database.companies(pages.company.id) as wire:
        lines = await wire.fetch("SELECT subject, via FROM audit_log WHERE action = 'recording.deleted'")
    assert [tuple(line) for line in lines] == [(f"call/{old}", "system")]
    assert await retention.end_retention(pages.database, folder, after_grace) == 0


async def test_a_file_that_stayed_behind_is_taken_in_the_next_round(pages: Pages) -> None:
    call, file = await recorded(pages, "stays")
    async with pages.database.companies(pages.company.id) as wire:
        assert await retention.mark_deleted(wire, SYSTEM, pages.company.id, call)
        assert not await retention.mark_deleted(wire, SYSTEM, pages.company.id, call)
    assert file.is_file()
    await retention.end_retention(pages.database, pages.settings.data_folder, NOW)
    assert not file.exists()
    assert await state_of(pages, call) == ("deleted", True, None)


async def test_an_owner_deletes_one_for_good_and_a_manager_does_not(pages: Pages) -> None:
    call, file = await recorded(pages, "one")
    manager = await pages.signed_in(Role.MANAGER)
    assert "recording/delete" not in await (await manager.get(f"/calls/{call}")).text()
    assert (await manager.post(f"/calls/{call}/recording/delete")).status == 403
    assert file.is_file()
    owner = await pages.signed_in()
    assert f"/calls/{call}/recording/delete" in await (await owner.get(f"/calls/{call}")).text()
    page = await (await owner.post(f"/calls/{call}/recording/delete")).text()
    assert "The recording is deleted." in page
    assert not file.exists()
    assert (await owner.post(f"/calls/{call}/recording/delete")).status == 404
    stranger = await pages.signed_in(Role.OWNER, pages.stranger)
    assert (await stranger.post(f"/calls/{call}/recording/delete")).status == 404


async def test_visits_are_kept_as_the_company_says_up_to_the_servers_time(pages: Pages) -> None:
    client = await pages.signed_in()
    assert "as the server's settings say" in await (await client.get(PATH)).text()
    page = await (await client.post(PATH, data={"record": "yes", "months": "6"})).text()

    async def months() -> int | None:
        async with pages.database.companies(pages.company.id) as wire:
            found: int | None = await wire.fetchval("SELECT visits_kept_months FROM companies")
        return found

    assert await months() == 6
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found
    await client.post(found.group(1), data={"next": PATH})
    assert await months() is None
    for wrong in ("0", "26", "soon"):
        assert (await client.post(PATH, data={"months": wrong})).status == 422
    assert await months() is None
