"""The admin's own dialplan while no gateway is there: calls go the same way, and the log has them all afterwards."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls import test_admin_dialplan
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_listens, caller_talks, line_answers
from tests.calls.test_admin_dialplan import DIDS, LOCAL_LOOP, LOOP
from tests.installation import Installation, Row
from tests.stack import lasts

CALLER_HZ, LINE_HZ = 1000.0, 700.0
FORBIDDEN = "+13065552060"
# How long a caller stays who hangs up himself; the others wait until they are hung up.
TALKS = {
    "queue": 1.0,
    "queue of extensions": 1.0,
    "queue that does not answer": 1.0,
    "slow queue": 3.0,
    "queue, then second": 4.0,
    "ring group": 1.0,
    "ring group without /n": 1.0,
    "follow-me": 3.0,
    "menu": 0.6,
    "mailbox": 2.0,
    "not there": 1.0,
}
LISTENS = ("queue that ends it",)


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return test_admin_dialplan.installation(home, folder, dsn)


@pytest_asyncio.fixture(scope="module")
async def calls(exchange: Exchange) -> AsyncIterator[Mapping[str, Row]]:
    """One call to each destination with the gateway dead; what the log says once it is back."""
    there = exchange.installation
    voice = exchange.tone(LINE_HZ)
    for name in ("main", "second"):
        await exchange.line(name, line_answers(tone=voice))
    await exchange.line("slow", line_answers(after=1.5, tone=voice))
    await exchange.line("rings")
    before = await there.newest()
    await there.gateway.stop()
    # A route as it stood before the admin took the context out of the settings.
    await there.pbx.cli(f'database put numberpool {FORBIDDEN} "1|||||Dialplan/660@back-office^5~PJSIP/second^5"')
    callers: dict[str, str] = {}
    dids = {**DIDS, "loop": LOOP, "local loop": LOCAL_LOOP, "forbidden": FORBIDDEN}
    tone = exchange.tone(CALLER_HZ)
    for position, name in enumerate((*TALKS, "loop", "local loop", "forbidden", *LISTENS)):
        callers[name] = f"+1306999{position:04}"
        invite = Invite(dids[name], callers[name])
        xml = caller_listens(invite, tone) if name in LISTENS else caller_talks(invite, TALKS.get(name, 0.5), tone)
        sipp = await exchange.place(xml)
        await sipp.done()
    await there.gateway.start()
    rows = {row["caller"]: row for row in await there.ended(before, len(callers))}
    yield {name: rows[number] for name, number in callers.items()}


@pytest.mark.parametrize(
    "name",
    ["queue", "queue of extensions", "queue that does not answer", "ring group", "ring group without /n", "follow-me"],
)
async def test_somebody_answered(calls: Mapping[str, Row], name: str) -> None:
    row = calls[name]
    assert (row["decided_by"], row["outcome"], row["did"]) == ("fallback", "answered", DIDS[name])
    assert row["talk_seconds"] > 0.5


async def test_the_moment_of_the_answer_in_a_queue(calls: Mapping[str, Row]) -> None:
    row = calls["slow queue"]
    assert row["outcome"] == "answered"
    assert lasts(row["ring_seconds"], 1.5)
    assert lasts(row["talk_seconds"], 1.5)


@pytest.mark.parametrize("name", ["queue, then second", "not there", "forbidden"])
async def test_the_next_destination(calls: Mapping[str, Row], name: str) -> None:
    row = calls[name]
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")


@pytest.mark.parametrize("name", ["loop", "local loop"])
async def test_a_loop_ends_in_the_default_destination(calls: Mapping[str, Row], name: str) -> None:
    row = calls[name]
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")


@pytest.mark.parametrize(
    ("name", "outcome"), [("menu", "abandoned"), ("mailbox", "voicemail"), ("queue that ends it", "no_answer")]
)
async def test_nobody_answered(calls: Mapping[str, Row], name: str, outcome: str) -> None:
    row = calls[name]
    assert (row["outcome"], row["answered_at"]) == (outcome, None)
