"""The gateway and its Asterisks: one that hangs, one that is replaced, two at once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.asterisk.fallback import FAMILY
from gateway.local.programs import AsteriskHome
from tests.installation import Gateway, Installation, Number
from tests.stack import eventually

ONE, TWO = Number("+13065552001"), Number("+13065552002")


@pytest_asyncio.fixture
async def installation(asterisk_home: AsteriskHome, short_path: Path, database_dsn: str) -> AsyncIterator[Installation]:
    installation = Installation(asterisk_home, short_path, database_dsn, [ONE])
    try:
        await installation.start()
        yield installation
    finally:
        installation.pbx.resume()
        await installation.stop()


async def test_an_asterisk_that_hangs_is_noticed_and_taken_up_again(installation: Installation) -> None:
    gateway = installation.gateway
    installation.pbx.suspend()
    said = await gateway.wait_health("asterisk:pbx", "troubled", 10)
    assert "cannot be reached" in said
    assert "fallback" in said
    installation.pbx.resume()
    await gateway.wait_health("asterisk:pbx", "ok", 15)
    assert await installation.variable("NP_GATE") == "open"


async def test_an_asterisk_that_lost_its_memory_gets_its_routes_again(installation: Installation) -> None:
    await installation.pbx.cli(f"database deltree {FAMILY}")
    await installation.pbx.stop()
    await installation.pbx.start()
    await installation.gateway.wait_ready()

    async def has_routes() -> bool:
        return ONE.e164 in await installation.pbx.cli(f"database show {FAMILY}")

    await eventually(has_routes)


async def test_a_new_number_reaches_asterisk_without_a_restart(installation: Installation) -> None:
    await installation.add_number(TWO)

    async def has_route() -> bool:
        return TWO.e164 in await installation.pbx.cli(f"database show {FAMILY}")

    await eventually(has_route)
    await installation.sql("DELETE FROM tracking_numbers WHERE e164 = $1", TWO.e164)

    async def has_none() -> bool:
        return not await has_route()

    await eventually(has_none)


async def test_one_gateway_serves_two_asterisks(
    asterisk_home: AsteriskHome, short_path: Path, database_dsn: str
) -> None:
    first = Installation(asterisk_home, short_path / "a", database_dsn, [ONE])
    second = Installation(asterisk_home, short_path / "b", database_dsn, [])
    both = Gateway(
        short_path / "both",
        first.gateway.config.read_text()
        + second.gateway.config.read_text()
        .partition("[[nodes]]")[2]
        .join(("[[nodes]]", ""))
        .replace('"pbx"', '"branch"'),
    )
    try:
        first.render()
        second.render()
        await first.add_company()
        await first.pbx.start()
        await second.pbx.start()
        await both.start()
        await both.wait_health("asterisk:branch", "ok")
        await both.wait_health("asterisk:branch:store", "ok")
        for pbx in (first.pbx, second.pbx):
            assert ONE.e164 in await pbx.cli(f"database show {FAMILY}")
        second.pbx.suspend()  # the trouble of one is not the other's
        await both.wait_health("asterisk:branch", "troubled", 10)
        assert (await both.health())["asterisk:pbx"]["condition"] == "ok"
    finally:
        second.pbx.resume()
        await both.stop()
        await first.pbx.stop()
        await second.pbx.stop()


async def test_ten_thousand_numbers_have_their_fallback_routes(installation: Installation) -> None:
    await installation.sql(
        "INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id) "
        "SELECT 1, 1, '+1306556' || lpad(i::text, 4, '0'), 1 FROM generate_series(0, 9999) AS i"
    )

    async def has_all() -> bool:
        found = await installation.pbx.cli(
            f"database query \"SELECT count(*) AS n FROM astdb WHERE key LIKE '/{FAMILY}/%'\""
        )
        return "50006" in found  # five forms of each number, and the default

    await eventually(has_all, 60, 0.2)
    health = await installation.gateway.health()
    assert health["asterisk:pbx"]["condition"] == "ok"
    assert health["asterisk:pbx:store"]["condition"] == "ok"
    # Read back at a new start, they are known to be right, and none is written again.
    await installation.gateway.stop()
    await installation.gateway.start()
    assert not any(line["event"] == "fallback routes written" for line in installation.gateway.log_lines())
