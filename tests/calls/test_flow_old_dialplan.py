"""A gateway with flows beside a dialplan that was rendered before there were any: every call rings all the same."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.reception import DID, PHONES, PLAIN, VOICEMAIL, Reception, reception_of, ring
from tests.calls.scenarios import Invite, caller_talks
from tests.installation import Installation, Number


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(
        home,
        folder,
        dsn,
        [Number(PLAIN, PHONES), Number(DID, ("main",))],
        tuple(LINES),
        spoil={"numberpool-dialplan-": ("[np-step-", "[np-not-yet-")},
    )


@pytest_asyncio.fixture
async def reception(exchange: Exchange) -> AsyncIterator[Reception]:
    async with reception_of(exchange) as reception:
        yield reception


async def test_what_it_cannot_do_is_passed_over(reception: Reception, caller: str) -> None:
    greeted = {"kind": "sound", "sound": "custom/hello", "then": ring("second", then=VOICEMAIL)}
    await reception.does(reception.menu({"1": ring("busy")}, greeted))
    row = await reception.calls(caller_talks(Invite(DID, caller), 0.05), "main", "second", "busy")
    assert (row["outcome"], row["answered_by"], row["decided_by"]) == ("answered", "PJSIP/second", "gateway")


async def test_where_nothing_else_is_left_the_default_line_rings(reception: Reception, caller: str) -> None:
    await reception.does(VOICEMAIL)
    row = await reception.calls(caller_talks(Invite(DID, caller), 0.05), "main")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")
