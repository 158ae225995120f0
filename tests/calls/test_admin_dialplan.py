"""Destinations in the admin's own dialplan: whoever answers there is known all the same; nothing is a dead end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls.admin_dialplan import CONTEXTS, admin_config
from tests.calls.exchange import LINES, Exchange
from tests.calls.scenarios import (
    Invite,
    caller_listens,
    caller_presses,
    caller_refused,
    caller_talks,
    line_answers,
)
from tests.installation import Installation, Number, Row
from tests.stack import lasts

CALLER_HZ, LINE_HZ = 1000.0, 700.0
NUMBERS = {
    "queue": ("Dialplan/600@queues",),
    "queue of extensions": ("Dialplan/601@queues",),
    "queue, then second": ("Dialplan/602@queues", "second"),
    "queue that ends it": ("Dialplan/603@queues",),
    "queue that does not answer": ("Dialplan/604@queues",),
    "slow queue": ("Dialplan/605@queues",),
    "queue, then mailbox": ("Dialplan/606@queues",),
    "agent hangs up first": ("Dialplan/607@queues",),
    "busy, then queue": ("busy", "Dialplan/600@queues"),
    "menu": ("Dialplan/700@menu",),
    "ring group": ("Dialplan/610@ext-group",),
    "ring group without /n": ("Dialplan/611@ext-group",),
    "follow-me": ("Dialplan/620@follow-me",),
    "extension": ("Dialplan/621@follow-me",),
    "mailbox": ("Dialplan/630@mailboxes",),
    "phone, then mailbox": ("Dialplan/631@mailboxes",),
    "not allowed": ("Dialplan/660@back-office", "second"),
    "not there": ("Dialplan/699@queues", "second"),
    "nothing there": ("Dialplan/699@queues",),
    "loop by s": ("Dialplan/652@loops",),
}
DIDS = {name: f"+130655520{position:02}" for position, name in enumerate(NUMBERS, start=1)}
LOOP, LOCAL_LOOP = "+13065552050", "+13065552051"


def numbers() -> list[Number]:
    """A number for each destination."""
    return [
        *(Number(DIDS[name], lines) for name, lines in NUMBERS.items()),
        Number(LOOP, ("Dialplan/650@loops",)),
        Number(LOCAL_LOOP, ("Dialplan/651@loops",)),
    ]


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(
        home,
        folder,
        dsn,
        numbers(),
        (*LINES, "slow"),
        admin_config(folder),
        dialplan_contexts=CONTEXTS,
    )


@pytest_asyncio.fixture(scope="module")
async def lines(exchange: Exchange) -> AsyncIterator[None]:
    """Every phone of the office, the ones that answer with a voice."""
    voice = exchange.tone(LINE_HZ)
    for name in ("main", "second"):
        await exchange.line(name, line_answers(tone=voice))
    await exchange.line("slow", line_answers(after=1.5, tone=voice))
    for name in ("rings", "busy", "hangs-up"):
        await exchange.line(name)
    yield


pytestmark = pytest.mark.usefixtures("lines")


def invite(name: str, caller: str) -> Invite:
    return Invite(DIDS[name], caller)


async def talk(exchange: Exchange, name: str, caller: str, seconds: float = 1.0) -> Row:
    """A caller who hears and speaks for ``seconds`` from the first answer on, be it a queue's."""
    return await exchange.call(caller_talks(invite(name, caller), seconds, exchange.tone(CALLER_HZ)))


async def legs(exchange: Exchange, row: Row) -> list[tuple[str, str, str | None]]:
    return [(leg["dial"], leg["result"], leg["answered_by"]) for leg in await exchange.installation.legs(row)]


# -- queues ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["queue", "queue of extensions", "queue that does not answer", "ring group", "ring group without /n"]
)
async def test_whoever_takes_it_in_a_queue_or_group_is_known(exchange: Exchange, caller: str, name: str) -> None:
    row = await talk(exchange, name, caller)
    assert (row["outcome"], row["answered_by"], row["hung_up_by"]) == ("answered", "PJSIP/second", "caller")
    assert row["caller"] == caller
    assert lasts(row["talk_seconds"], 1.0)
    assert await legs(exchange, row) == [(NUMBERS[name][0], "answered", "PJSIP/second")]


async def test_follow_me(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "follow-me", caller, 2.0)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")
    assert row["talk_seconds"] > 0.5
    assert await legs(exchange, row) == [("Dialplan/620@follow-me", "answered", "PJSIP/second")]


async def test_an_extension_behind_a_subroutine(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "extension", caller)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")


async def test_the_answer_is_the_persons_not_the_queues(exchange: Exchange, caller: str) -> None:
    """The queue answers at once and plays music; that is not the moment that counts."""
    row = await talk(exchange, "slow queue", caller, 3.0)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/slow")
    assert lasts(row["ring_seconds"], 1.5)
    assert lasts(row["talk_seconds"], 1.5)


async def test_a_queue_where_nobody_comes_hands_the_call_on(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "queue, then second", caller, 4.0)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")
    first, second = await exchange.installation.legs(row)
    assert (first["dial"], first["result"], first["answered_by"]) == ("Dialplan/602@queues", "no_answer", None)
    assert lasts(first["ring_seconds"], 2)
    assert (second["dial"], second["answered_by"]) == ("PJSIP/second", "PJSIP/second")


async def test_a_queue_where_nobody_comes_and_the_admin_ends_it(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_listens(invite("queue that ends it", caller), exchange.tone(CALLER_HZ)))
    assert (row["outcome"], row["answered_at"], row["talk_seconds"]) == ("no_answer", None, None)


async def test_giving_up_in_a_queue(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "queue that ends it", caller, 0.8)
    assert (row["outcome"], row["answered_at"], row["hung_up_by"]) == ("abandoned", None, "caller")
    assert lasts(row["ring_seconds"], 0.8)


async def test_the_agent_hangs_up_and_the_caller_goes_on(exchange: Exchange, caller: str) -> None:
    """What comes after the talk (another phone, which is busy) does not take the answer away."""
    row = await exchange.call(caller_listens(invite("agent hangs up first", caller), exchange.tone(CALLER_HZ)))
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/hangs-up")


async def test_a_queue_as_the_second_destination(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "busy, then queue", caller)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")
    assert await legs(exchange, row) == [
        ("PJSIP/busy", "busy", None),
        ("Dialplan/600@queues", "answered", "PJSIP/second"),
    ]


# -- menus and mailboxes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("digit", "answers"), [("1", "PJSIP/second"), ("2", "PJSIP/main")])
async def test_a_menu_leads_to_whom_the_caller_chooses(
    exchange: Exchange, caller: str, digit: str, answers: str
) -> None:
    row = await exchange.call(caller_presses(invite("menu", caller), digit, 1.5, exchange.tone(CALLER_HZ)))
    assert (row["outcome"], row["answered_by"]) == ("answered", answers)
    assert await legs(exchange, row) == [("Dialplan/700@menu", "answered", answers)]


async def test_hanging_up_in_a_menu_is_no_answer(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "menu", caller, 0.6)
    assert (row["outcome"], row["answered_at"], row["answered_by"]) == ("abandoned", None, None)


@pytest.mark.parametrize("name", ["mailbox", "phone, then mailbox", "queue, then mailbox"])
async def test_a_message_in_the_admins_mailbox(exchange: Exchange, caller: str, name: str) -> None:
    wait = {"mailbox": 2.0, "phone, then mailbox": 2.0, "queue, then mailbox": 4.0}[name]
    row = await talk(exchange, name, caller, wait)
    assert (row["outcome"], row["answered_at"], row["answered_by"]) == ("voicemail", None, None)


# -- no dead end -------------------------------------------------------------------------------------------------------


async def test_a_context_that_is_not_allowed_is_passed_over(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "not allowed", caller)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")
    gateway = exchange.installation.gateway
    assert any(line.get("destination") == "Dialplan/660@back-office" for line in gateway.log_lines())


async def test_an_extension_that_is_not_there(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "not there", caller)
    assert await legs(exchange, row) == [
        ("Dialplan/699@queues", "failed", None),
        ("PJSIP/second", "answered", "PJSIP/second"),
    ]
    row = await talk(exchange, "nothing there", caller)
    assert await legs(exchange, row) == [
        ("Dialplan/699@queues", "failed", None),
        ("PJSIP/main", "answered", "PJSIP/main"),
    ]


async def test_a_loop_ends_in_the_default_destination(exchange: Exchange, caller: str) -> None:
    """The admin's context sends the call back to the same number: once more by its route, then the default line."""
    row = await exchange.call(caller_talks(Invite(LOOP, caller), 0.5))
    assert (row["outcome"], row["answered_by"], row["did"]) == ("answered", "PJSIP/main", LOOP)
    assert await legs(exchange, row) == [
        ("Dialplan/650@loops", "no_answer", None),
        ("Dialplan/650@loops", "no_answer", None),
        ("PJSIP/main", "answered", "PJSIP/main"),
    ]


async def test_a_loop_through_a_local_channel(exchange: Exchange, caller: str) -> None:
    row = await exchange.call(caller_talks(Invite(LOCAL_LOOP, caller), 0.5))
    assert (row["outcome"], row["answered_by"], row["did"]) == ("answered", "PJSIP/main", LOCAL_LOOP)


async def test_a_loop_without_a_number(exchange: Exchange, caller: str) -> None:
    row = await talk(exchange, "loop by s", caller)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")


async def test_a_loop_whose_default_line_is_busy_ends(exchange: Exchange, caller: str) -> None:
    try:
        await exchange.line("main", LINES["busy"]())
        row = await exchange.call(caller_refused(Invite(LOOP, caller), 486))
        assert (row["hangup_cause"], row["answered_at"]) == (17, None)
        assert [leg["dial"] for leg in await exchange.installation.legs(row)][-1] == "PJSIP/main"
    finally:
        await exchange.line("main", line_answers(tone=exchange.tone(LINE_HZ)))
