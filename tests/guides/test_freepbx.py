"""The guide for FreePBX, followed step by step on a PBX of that shape; then real calls."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.guides.freepbx import FreePbx
from tests.guides.guide import read_guide
from tests.guides.site import Site
from tests.stack import eventually

GUIDE = "FREEPBX.md"
MAIN, OWNER = "3065559000", "3065559001"  # numbers that were there before, and stay FreePBX's


@pytest_asyncio.fixture(scope="module")
async def freepbx(asterisk_home: AsteriskHome, folder: Path, module_database_dsn: str) -> AsyncIterator[FreePbx]:
    """A FreePBX on which the whole guide has been followed."""
    site = Site(asterisk_home, folder, module_database_dsn, {"101": "rings", "102": "answers"})
    freepbx = FreePbx(site, inbound_routes={MAIN: "ext-group,601,1", OWNER: "from-did-direct,102,1"})
    async with AsyncExitStack() as running:
        running.push_async_callback(site.stop)
        await site.start()
        # As it was: these calls prove that the PBX works before anything is done to it.
        assert await site.call(MAIN, "+13064440001") == ["101", "102"]
        assert await site.call(OWNER, "+13064440002") == ["102"]
        for block in read_guide(GUIDE):
            if block.language == "text":
                freepbx.fill_in(block.fields)
                await freepbx.apply()
            else:
                await site.follow([block])
        assert site.gateway is not None
        await site.gateway.start()
        yield freepbx


async def test_a_tracked_number_goes_into_the_queue(freepbx: FreePbx) -> None:
    caller = "+13064440010"
    assert await freepbx.site.call("3065552001", caller) == ["101", "102"]
    row = await freepbx.site.log(caller)
    assert (row["outcome"], row["answered_by"], row["source"]) == ("answered", "PJSIP/102", "Google Ads")
    assert (row["did"], row["trunk"], row["decided_by"]) == ("+13065552001", "carrier", "gateway")
    assert 0 < row["talk_seconds"] < 3  # the queue takes its time on a busy machine


async def test_a_tracked_number_rings_the_ring_group(freepbx: FreePbx) -> None:
    caller = "+13064440011"
    assert await freepbx.site.call("3065552002", caller) == ["101", "102"]
    row = await freepbx.site.log(caller)
    assert (row["outcome"], row["answered_by"], row["source"]) == ("answered", "PJSIP/102", "Flyer")


async def test_all_other_numbers_go_where_they_went(freepbx: FreePbx) -> None:
    assert await freepbx.site.call(MAIN, "+13064440012") == ["101", "102"]
    assert await freepbx.site.call(OWNER, "+13064440013") == ["102"]
    # One that came later is in the log, so they would be.
    await freepbx.site.call("3065552002", "+13064440014")
    await freepbx.site.log("+13064440014")
    assert await freepbx.site.rows("+13064440012") == await freepbx.site.rows("+13064440013") == []


async def test_a_queue_that_found_nobody_hands_the_call_on(freepbx: FreePbx) -> None:
    caller = "+13064440015"
    freepbx.queue_members, freepbx.queue_seconds = ("101",), 2
    await freepbx.apply()
    try:
        assert await freepbx.site.call("3065552001", caller, 4.0) == ["101", "102"]
    finally:
        freepbx.queue_members, freepbx.queue_seconds = ("101", "102"), 8
        await freepbx.apply()
    row = await freepbx.site.log(caller)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/102")
    # Two seconds in the queue; how late the gateway hears of the beginning of a call is taken off them.
    assert row["ring_seconds"] > 1.5


async def test_apply_config_takes_nothing_away(freepbx: FreePbx) -> None:
    for file in freepbx.generated.values():
        file.write_text("")  # whatever else stood there
    await freepbx.apply()
    caller = "+13064440016"
    await freepbx.site.call("3065552001", caller)
    assert (await freepbx.site.log(caller))["answered_by"] == "PJSIP/102"
    trunk = await freepbx.site.pbx.cli("pjsip show endpoint carrier")
    settings = {words[0]: words[2] for line in trunk.splitlines() if len(words := line.split()) == 3}
    assert (settings["allow_transfer"], settings["allow_subscribe"]) == ("false", "false")
    assert settings["context"] == "from-pstn"


async def test_its_own_recorder_and_ours(freepbx: FreePbx) -> None:
    caller = "+13064440017"
    await freepbx.site.call("3065552001", caller, 2.0)
    assert (await freepbx.site.log(caller))["recorded"]
    file = freepbx.monitor / f"q-600-{caller}.wav"

    async def is_whole() -> bool:
        return file.exists() and file.stat().st_size > 1.5 * 16_000

    await eventually(is_whole)


async def test_a_menu_and_an_extension(freepbx: FreePbx) -> None:
    site = freepbx.site
    await site.type(
        'numberpool destination add "Menu" Dialplan/s@ivr-1\n'
        'numberpool destination add "Owner" Dialplan/102@from-did-direct\n'
        'numberpool number add "306 555 2003" --source Flyer --destination Menu\n'
        'numberpool number add "306 555 2004" --source Flyer --destination Owner\n'
    )

    async def are_known() -> bool:
        return "ivr-1" in await site.pbx.cli("database get numberpool 3065552003") and (
            "from-did-direct" in await site.pbx.cli("database get numberpool 3065552004")
        )

    await eventually(are_known)
    assert await site.call("3065552003", "+13064440018", 1.0, press="2") == ["102"]
    assert await site.call("3065552004", "+13064440019") == ["102"]
    for caller in ("+13064440018", "+13064440019"):
        row = await site.log(caller)
        assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/102")


async def test_a_context_that_the_guide_does_not_allow_is_refused(freepbx: FreePbx) -> None:
    said = await freepbx.site.type(
        'if numberpool destination add "Out" Dialplan/5551234@outbound-allroutes; then exit 1; fi'
    )
    assert 'dialplan_contexts = ["ext-queues", "ext-group", "from-did-direct", "ivr-1", "outbound-allroutes"]' in said


async def test_without_a_gateway(freepbx: FreePbx) -> None:
    site = freepbx.site
    assert site.gateway is not None
    await site.gateway.stop()
    try:
        assert await site.call("3065552001", "+13064440020") == ["101", "102"]
        assert await site.call(OWNER, "+13064440021") == ["102"]
    finally:
        await site.gateway.start()
    row = await site.log("+13064440020")
    assert (row["outcome"], row["decided_by"]) == ("answered", "fallback")
