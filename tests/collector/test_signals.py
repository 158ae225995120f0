"""What pages tell later: that they are there, that they are left, that a number was tapped."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gateway.http.collector.messages import AliveAnswer
from gateway.pools.sites import add_target
from gateway.visits.ids import new_id
from tests.collector.conftest import Collected, Page
from tests.stack import eventually

SECOND = "+13065550111"


async def alive(page: Page, *exposures: str) -> dict[str, Any]:
    answer = await page.post("/v1/alive", {"site": page.key, "exposures": list(exposures)})
    assert answer.status == 200, await answer.text()
    read: dict[str, Any] = await answer.json()
    AliveAnswer.model_validate(read)
    return read


def exposure_of(answer: dict[str, Any]) -> str:
    exposure: str = answer["numbers"][0]["exposure"]
    return exposure


async def test_a_page_that_is_alive_keeps_its_number(collected: Collected) -> None:
    page = await collected.page()
    exposure = exposure_of(await page.visit())
    (before,) = await collected.rows("SELECT last_seen FROM exposures")
    assert await alive(page, exposure) == {"exposures": {exposure: "held"}, "ask_again": False}
    (after,) = await collected.rows("SELECT last_seen, left_at FROM exposures")
    assert after["last_seen"] > before["last_seen"]
    assert after["left_at"] is None


async def test_displaced_pages_are_told_to_ask_again(collected: Collected) -> None:
    pages = [await collected.page() for _ in range(4)]
    exposures = [exposure_of(await page.visit()) for page in pages]  # three numbers: the fourth takes the first's
    told = await alive(pages[0], exposures[0])
    assert told == {"exposures": {exposures[0]: "displaced"}, "ask_again": True}
    assert (await alive(pages[3], exposures[3]))["ask_again"] is False
    again = await pages[0].visit()
    assert again["numbers"][0]["why"] == "lent"
    assert (await alive(pages[0], exposure_of(again)))["ask_again"] is False


async def test_leaving_and_coming_back(collected: Collected) -> None:
    page = await collected.page()
    exposure = exposure_of(await page.visit())
    assert (await page.post("/v1/leave", {"site": page.key, "exposures": [exposure]})).status == 204
    (row,) = await collected.rows("SELECT left_at, last_seen FROM exposures")
    assert row["left_at"] == row["last_seen"]
    await alive(page, exposure)
    (row,) = await collected.rows("SELECT left_at FROM exposures")
    assert row["left_at"] is None


async def test_several_targets_of_one_page(collected: Collected) -> None:
    async with collected.worker.database.everything() as connection:
        await add_target(connection, collected.shop.company, "Home", SECOND)
    await collected.changed()
    page = await collected.page()
    answer = await page.visit()
    assert [number["target"]["e164"] for number in answer["numbers"]] == ["+13065550100", SECOND]
    assert len({number["number"]["e164"] for number in answer["numbers"]}) == 1  # one pool, one number
    exposures = {number["exposure"] for number in answer["numbers"]}
    assert set((await alive(page, *exposures))["exposures"].values()) == {"held"}
    (only,) = (await page.visit(targets=["306-555-0111"]))["numbers"]
    assert only["target"]["e164"] == SECOND


async def test_a_tap_is_written_with_its_number(collected: Collected) -> None:
    page = await collected.page()
    answer = await page.visit()
    shown = answer["numbers"][0]
    written = shown["number"]["written"]
    body = {"site": page.key, "visit": answer["visit"], "exposure": shown["exposure"], "number": f"tel:{written}"}
    assert (await page.post("/v1/tap", body)).status == 204
    assert (await page.post("/v1/tap", {**body, "exposure": None, "number": "tel:+4930123456"})).status == 204
    assert (await page.post("/v1/tap", {**body, "number": "call me"})).status == 204
    taps = await collected.rows("SELECT * FROM taps ORDER BY at")
    assert [tap["e164"] for tap in taps] == [shown["number"]["e164"], "+4930123456", ""]
    assert [tap["number_id"] is not None for tap in taps] == [True, False, False]
    assert (str(taps[0]["visit_id"]), str(taps[0]["exposure_id"])) == (answer["visit"], shown["exposure"])


async def test_a_tap_as_the_link_dials_it(collected: Collected) -> None:
    page = await collected.page()
    visit = (await page.visit())["visit"]
    dialled = ["3065550100", "13065550100", "+1 306-555-0100", "442079460018", "+442079460018", "310", "0", ""]
    for number in dialled:
        assert (await page.post("/v1/tap", {"site": page.key, "visit": visit, "number": number})).status == 204
    taps = await collected.rows("SELECT e164 FROM taps ORDER BY at")
    assert [tap["e164"] for tap in taps] == ["+13065550100"] * 3 + ["+442079460018"] * 2 + [""] * 3


async def test_a_page_that_shows_nothing_of_ours_is_heard(collected: Collected) -> None:
    page = await collected.page()
    bodies: tuple[dict[str, list[str]], ...] = ({"exposures": []}, {})
    for body in bodies:
        assert (await page.post("/v1/leave", {"site": page.key, **body})).status == 204
        answer = await page.post("/v1/alive", {"site": page.key, **body})
        assert (answer.status, await answer.json()) == (200, {"exposures": {}, "ask_again": False})


async def test_exposures_of_others_and_of_nobody(collected: Collected) -> None:
    from tests.pools.shop import open_shop

    page = await collected.page()
    exposure = exposure_of(await page.visit())
    other_shop = await open_shop(collected.worker.database)
    await collected.changed()
    stranger = await collected.page(key=other_shop.site.public_key)
    unknown = str(new_id(datetime.now(UTC)))
    told = await alive(stranger, exposure, unknown)
    assert set(told["exposures"].values()) == {"unknown"}
    assert told["ask_again"] is False
    foreign = str(UUID("6f2f9e6e-1f6b-4b52-9d3e-2a4f4f1d9c11"))  # version 4
    answer = await page.post("/v1/alive", {"site": page.key, "exposures": [foreign]})
    assert answer.status == 400
    assert (await answer.json())["details"]["faults"][0]["part"] == "exposures.0"


async def test_keep_alives_are_answered_while_the_database_hangs_and_not_lost(collected: Collected) -> None:
    page = await collected.page()
    exposure = exposure_of(await page.visit())
    async with collected.worker.database.everything() as connection:
        await connection.execute("LOCK TABLE exposures IN ACCESS EXCLUSIVE MODE")
        told = await alive(page, exposure)
        assert told == {"exposures": {exposure: "waiting"}, "ask_again": False}

    async def written() -> bool:
        (row,) = await collected.shop.rows("SELECT last_seen > shown_at AS is_later FROM exposures")
        return bool(row["is_later"])

    await eventually(written)


async def test_many_pages_at_once_each_hear_of_their_own(collected: Collected) -> None:
    pages = [await collected.page() for _ in range(12)]
    exposures = await asyncio.gather(*(page.visit() for page in pages))
    told = await asyncio.gather(
        *(alive(page, exposure_of(answer)) for page, answer in zip(pages, exposures, strict=True))
    )
    held = [set(each["exposures"].values()) for each in told]
    assert held.count({"held"}) == 3
    assert held.count({"displaced"}) == 9
