"""The guide for dialplans written by hand, followed step by step both ways; then real calls."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.local.postgres import EmbeddedPostgres
from gateway.local.programs import AsteriskHome
from tests.guides.by_hand import PHONES, files
from tests.guides.guide import read_guide
from tests.guides.site import Site
from tests.stack import database

GUIDE = "BY-HAND.md"
SOME, ALL = "Some numbers of the trunk", "All numbers of the trunk"
QUEUE, FAX, OWNER = "+13065559000", "+13065559001", "+13065559002"


@dataclass(frozen=True)
class Followed:
    """A PBX on which the guide has been followed, and which of its two ways."""

    site: Site
    way: str


@pytest.fixture(scope="module", params=[SOME, ALL])
def way(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """One of the guide's two ways, and a folder for it."""
    folder = Path(tempfile.mkdtemp(prefix="np-test-"))
    yield request.param, folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module")
async def followed(
    asterisk_home: AsteriskHome, way: tuple[str, Path], postgres_server: EmbeddedPostgres, migrated_template: str
) -> AsyncIterator[Followed]:
    """The PBX once the guide has been followed; before it, its own calls went as they should."""
    chosen, folder = way
    async with AsyncExitStack() as running:
        dsn = await running.enter_async_context(database(postgres_server, migrated_template))
        site = Site(asterisk_home, folder, dsn, PHONES)
        site.pbx.config.update(files(site))
        running.push_async_callback(site.stop)
        await site.start()
        assert await site.call(FAX, "+13064440001") == ["fax"]
        assert await site.call(OWNER, "+13064440002") == ["owner"]
        other = {SOME: ALL, ALL: SOME}[chosen]
        await site.follow([block for block in read_guide(GUIDE) if other not in block.headings])
        assert site.gateway is not None
        await site.gateway.start()
        yield Followed(site, chosen)


async def test_a_tracked_number_goes_through_the_queue_to_the_reception(followed: Followed) -> None:
    """Nobody takes it in the queue, which hands it back."""
    site, caller = followed.site, "+13064440010"
    assert await site.call("+13065552001", caller, 4.0) == ["agent", "reception"]
    row = await site.log(caller)
    assert (row["outcome"], row["answered_by"], row["source"]) == ("answered", "PJSIP/reception", "Google Ads")
    # Two seconds in the queue; how late the gateway hears of the beginning of a call is taken off them.
    assert row["ring_seconds"] > 1.5


async def test_a_tracked_number_without_a_destination_of_its_own(followed: Followed) -> None:
    caller = "+13064440011"
    assert await followed.site.call("+13065552002", caller) == ["reception"]
    row = await followed.site.log(caller)
    assert (row["outcome"], row["answered_by"], row["source"]) == ("answered", "PJSIP/reception", "Flyer")


async def test_the_numbers_that_stay_outside(followed: Followed) -> None:
    site = followed.site
    assert await site.call(FAX, "+13064440012") == ["fax"]
    assert await site.call(OWNER, "+13064440013") == ["owner"]
    await site.call("+13065552002", "+13064440014")
    await site.log("+13064440014")
    assert await site.rows("+13064440012") == await site.rows("+13064440013") == []


async def test_a_number_that_nobody_named(followed: Followed) -> None:
    """The letterhead's: with some numbers it is still the admin's own, with all of them Numberpool's default line."""
    site, caller = followed.site, "+13064440015"
    if followed.way == SOME:
        assert await site.call(QUEUE, caller, 1.0) == ["agent"]
        assert await site.rows(caller) == []
    else:
        assert await site.call(QUEUE, caller, 1.0) == ["reception"]
        row = await site.log(caller)
        assert (row["outcome"], row["did"], row["source"]) == ("answered", QUEUE, None)


async def test_without_a_gateway(followed: Followed) -> None:
    site = followed.site
    assert site.gateway is not None
    await site.gateway.stop()
    try:
        assert await site.call("+13065552001", "+13064440016", 4.0) == ["agent", "reception"]
        assert await site.call(OWNER, "+13064440017") == ["owner"]
    finally:
        await site.gateway.start()
    row = await site.log("+13064440016")
    assert (row["outcome"], row["decided_by"], row["answered_by"]) == ("answered", "fallback", "PJSIP/reception")


async def test_the_trunk_is_closed_to_transfers(followed: Followed) -> None:
    trunk = await followed.site.pbx.cli("pjsip show endpoint carrier")
    settings = {words[0]: words[2] for line in trunk.splitlines() if len(words := line.split()) == 3}
    assert (settings["allow_transfer"], settings["allow_subscribe"], settings["direct_media"]) == ("false",) * 3
    assert settings["context"] == ("from-carrier" if followed.way == SOME else "carrier-numbers")
