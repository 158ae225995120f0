"""Taking a change back where there is no way to."""

import re

from tests.http.company import add_call
from tests.http.conftest import Pages


async def test_a_change_of_another_version_is_told_and_stays(pages: Pages) -> None:
    call_id = await add_call(pages.database, pages.company)
    client = await pages.signed_in()
    shown = await (await client.post(f"/calls/{call_id}/status", data={"status": "lost", "next": "/calls"})).text()
    step = re.search(r'action="(/undo/\d+)"', shown)
    assert step is not None
    async with pages.database.everything() as wire:
        kind = await wire.fetchval("SELECT kind FROM undo_steps")
        await wire.execute("UPDATE undo_steps SET kind = 'call.of_the_future'")
    answer = await client.post(step[1], data={"next": f"/calls/{call_id}"})
    assert answer.status == 200
    assert answer.url.path == f"/calls/{call_id}"
    assert "Another version of Numberpool made this change" in await answer.text()
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT status FROM calls WHERE id = $1", call_id) == "lost"
        # Nothing was used up: the version that knows it can still take it back.
        await wire.execute("UPDATE undo_steps SET kind = $1", kind)
    assert "Undone." in await (await client.post(step[1], data={"next": "/calls"})).text()


async def test_what_is_not_kept_any_more_is_told(pages: Pages) -> None:
    client = await pages.signed_in()
    answer = await client.post("/undo/999999", data={"next": "/calls"})
    assert "can no longer be undone" in await answer.text()
