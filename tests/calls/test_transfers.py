"""Whoever answered passes the caller on: blind, to a colleague, to an outside number, to nobody; the call stays one."""

import asyncio
import re
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.office import NOBODY, OUTSIDE, IncomingCall, Office, Part, Phones, parts, talks
from tests.calls.phones import Phone
from tests.calls.scenarios import Invite, caller_listens, caller_talks, line_answers
from tests.installation import TRUNK, Installation, Number
from tests.stack import eventually, lasts

TO_101, TO_102 = "+13065552001", "+13065552002"
THROUGH_LOCAL, THROUGH_LOCAL_AND_OUT, KEYS = "+13065552003", "+13065552004", "+13065552005"
NUMBERS = [
    Number(TO_101, ("PJSIP/101",)),
    Number(TO_102, ("PJSIP/102",)),
    Number(THROUGH_LOCAL, ("Local/101@internal/n",)),
    Number(THROUGH_LOCAL_AND_OUT, ("Dialplan/301@internal",)),
    Number(KEYS, ("Dialplan/601@internal",)),
]
FIRST = Part("destination", "PJSIP/101", "answered", "PJSIP/101")


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Office(home, folder, dsn, NUMBERS, tuple(LINES), dialplan_contexts=("internal",))


async def incoming(exchange: Exchange, phones: Phones, caller: str, did: str = TO_101) -> IncomingCall:
    """A call that 101 has answered, whose caller waits until somebody hangs up."""
    return await IncomingCall.answered(exchange, caller_listens(Invite(did, caller)), phones["101"])


# -- blind -------------------------------------------------------------------------------------------------------------


async def test_blind_to_a_colleague(exchange: Exchange, phones: Phones, caller: str) -> None:
    scenario = caller_talks(Invite(TO_101, caller), 4)
    call = await IncomingCall.answered(exchange, scenario, phones["101"], talk=1)
    with_first = call.so_far
    await call.line.transfer("102")
    colleague = await phones["102"].rings()
    await asyncio.sleep(1)
    waited = call.so_far - with_first
    await colleague.answer()
    assert await call.line.transferred() == 200
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"], row["hangup_cause"]) == ("answered", "caller", 16)
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")
    assert lasts(row["talk_seconds"], 4)
    assert lasts(row["ring_seconds"], 0)
    there = exchange.installation
    assert await parts(there, row) == [FIRST, Part("transfer", "102@internal", "answered", "PJSIP/102")]
    first, second = await there.legs(row)
    assert lasts(first["talk_seconds"], with_first)
    assert lasts(second["ring_seconds"], waited)
    assert lasts(second["talk_seconds"], row["talk_seconds"] - with_first - waited)
    # One clock measured all of them.
    assert first["talk_seconds"] + second["ring_seconds"] + second["talk_seconds"] == pytest.approx(
        row["talk_seconds"], abs=0.3
    )


async def test_blind_to_an_outside_number(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The outside party hangs up."""
    await exchange.line("outside", line_answers(after=0.3, hangs_up_after=0.6))
    call = await incoming(exchange, phones, caller)
    await call.line.transfer(OUTSIDE)
    assert await call.line.transferred() == 200
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/outside")
    assert await parts(exchange.installation, row) == [
        FIRST,
        Part("transfer", f"{OUTSIDE}@internal", "answered", "PJSIP/outside"),
    ]
    assert lasts(row["talk_seconds"], 0.9)


async def test_blind_to_nobody(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The phone is told that there is no such extension; the conversation goes on."""
    call = await incoming(exchange, phones, caller)
    await call.line.transfer(NOBODY)
    assert await call.line.transferred() == 404
    assert not call.line.over.is_set()
    talked = call.so_far
    await call.line.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST]
    assert lasts(row["talk_seconds"], talked)


@pytest.mark.parametrize(
    ("status", "result"), [("486 Busy Here", "busy"), ("603 Decline", "failed"), ("503 Service Unavailable", "failed")]
)
async def test_blind_to_a_colleague_who_refuses(
    exchange: Exchange, phones: Phones, caller: str, status: str, result: str
) -> None:
    """A blind transfer lets go of the caller before the colleague is rung: the dialplan there ends the call."""
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("102")
    colleague = await phones["102"].rings()
    await asyncio.sleep(0.2)
    colleague.refuse(status)
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", None)
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST, Part("transfer", "102@internal", result, None)]


@pytest.mark.parametrize(("status", "result"), [("486 Busy Here", "busy"), ("503 Service Unavailable", "failed")])
async def test_refused_at_once(exchange: Exchange, phones: Phones, caller: str, status: str, result: str) -> None:
    """The caller is gone two milliseconds after the transfer, before anybody can look."""
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("102")
    (await phones["102"].rings()).refuse(status)
    row = await call.over()
    assert (row["outcome"], row["answered_by"], row["last_answered_by"]) == ("answered", "PJSIP/101", "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST, Part("transfer", "102@internal", result, None)]


@pytest.mark.parametrize("extension", ["102", "202", "302"])
async def test_answered_at_once(exchange: Exchange, phones: Phones, caller: str, extension: str) -> None:
    """Asterisk forgets in a moment that there was a transfer; whereto, is known all the same."""
    call = await incoming(exchange, phones, caller)
    await call.line.transfer(extension)
    colleague = await call.taken_by(phones["102"], rings=0)
    await asyncio.sleep(0.3)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["answered_by"], row["last_answered_by"]) == ("answered", "PJSIP/101", "PJSIP/102")
    assert await parts(exchange.installation, row) == [
        FIRST,
        Part("transfer", f"{extension}@internal", "answered", "PJSIP/102"),
    ]


async def test_passed_on_at_once(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The first person transfers in the moment of the answer, and is the first person all the same."""
    call = await IncomingCall.answered(exchange, caller_listens(Invite(TO_101, caller)), phones["101"], talk=0)
    await call.line.transfer("102")
    colleague = await call.taken_by(phones["102"], rings=0)
    await asyncio.sleep(0.3)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["answered_by"], row["last_answered_by"]) == ("answered", "PJSIP/101", "PJSIP/102")
    assert [part.answered_by for part in await parts(exchange.installation, row)] == ["PJSIP/101", "PJSIP/102"]


async def test_blind_to_a_colleague_who_does_not_answer(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("122")
    colleague = await phones["102"].rings()
    await colleague.gone()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"], row["last_answered_by"]) == ("answered", None, "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST, Part("transfer", "122@internal", "no_answer", None)]
    _, second = await exchange.installation.legs(row)
    # It begins when word of the transfer comes, which may be late on a busy machine.
    assert 0.5 < second["ring_seconds"] < 3
    assert second["talk_seconds"] is None
    assert lasts(row["talk_seconds"], 1)


async def test_the_caller_hangs_up_while_the_colleague_rings(exchange: Exchange, phones: Phones, caller: str) -> None:
    there = exchange.installation
    before = await there.newest()
    customer = await Phone.plug_in(caller, 0, (there.pbx.address, there.pbx.sip_port), 440, TRUNK)
    theirs, answered = await customer.dial(TO_101)
    line = await phones["101"].answers()
    await answered
    await talks(there, phones["101"])
    await asyncio.sleep(0.3)
    await line.transfer("102")
    colleague = await phones["102"].rings()
    await asyncio.sleep(0.4)
    await theirs.hang_up()
    await colleague.gone()
    row = await there.ended_one(before)
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "caller")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/101")
    assert await parts(there, row) == [FIRST, Part("transfer", "102@internal", "abandoned", None)]
    assert lasts(row["talk_seconds"], 0.7)
    await there.wait_quiet()
    await customer.unplug()


async def test_whoever_transfers_hangs_up_at_once(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("102")
    await call.line.hang_up()
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(0.3)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")


async def test_on_to_a_third(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("102")
    second = await call.taken_by(phones["102"])
    await asyncio.sleep(0.3)
    await second.transfer("103")
    third = await call.taken_by(phones["103"])
    await asyncio.sleep(0.3)
    await third.hang_up()
    row = await call.over()
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/103")
    assert await parts(exchange.installation, row) == [
        FIRST,
        Part("transfer", "102@internal", "answered", "PJSIP/102"),
        Part("transfer", "103@internal", "answered", "PJSIP/103"),
    ]


async def test_there_and_back(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The same person twice."""
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("102")
    second = await call.taken_by(phones["102"])
    await asyncio.sleep(0.3)
    await second.transfer("101")
    again = await call.taken_by(phones["101"])
    await asyncio.sleep(0.3)
    await again.hang_up()
    row = await call.over()
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/101")
    assert [part.answered_by for part in await parts(exchange.installation, row)] == [
        "PJSIP/101",
        "PJSIP/102",
        "PJSIP/101",
    ]


async def test_to_a_tracking_number_of_ours(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The same call comes in again by its own dialplan: it stays one call, of the number that was dialled."""
    call = await incoming(exchange, phones, caller)
    await call.line.transfer(TO_102)
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(0.5)
    await colleague.hang_up()
    row = await call.over()
    assert (row["did"], row["outcome"], row["hung_up_by"]) == (TO_101, "answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")
    assert [part.answered_by for part in await parts(exchange.installation, row)] == ["PJSIP/101", "PJSIP/102"]
    assert lasts(row["talk_seconds"], 0.5)


async def test_round_and_round_by_tracking_numbers_of_ours(exchange: Exchange, phones: Phones, caller: str) -> None:
    """People may pass a caller on as often as they like: only a dialplan that goes round in circles is stopped."""
    call = await incoming(exchange, phones, caller)
    line = call.line
    for did, who in ((TO_102, "102"), (TO_101, "101"), (TO_102, "102"), (TO_101, "101")):
        await line.transfer(did)
        line = await call.taken_by(phones[who])
        await asyncio.sleep(0.3)
    await line.hang_up()
    row = await call.over()
    assert (row["did"], row["outcome"], row["hung_up_by"]) == (TO_101, "answered", "business")
    everybody = [part.answered_by for part in await parts(exchange.installation, row)]
    assert everybody == [f"PJSIP/{who}" for who in ("101", "102", "101", "102", "101")]


@pytest.mark.parametrize("did", [THROUGH_LOCAL, THROUGH_LOCAL_AND_OUT])
async def test_from_behind_a_local_channel(exchange: Exchange, phones: Phones, caller: str, did: str) -> None:
    call = await incoming(exchange, phones, caller, did)
    await call.line.transfer("102")
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(0.3)
    await colleague.hang_up()
    row = await call.over()
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")
    assert row["outcome"] == "answered"
    assert [(part.kind, part.answered_by) for part in await parts(exchange.installation, row)] == [
        ("destination", "PJSIP/101"),
        ("transfer", "PJSIP/102"),
    ]


@pytest.mark.parametrize("extension", ["202", "302"])
async def test_to_behind_a_local_channel(exchange: Exchange, phones: Phones, caller: str, extension: str) -> None:
    call = await incoming(exchange, phones, caller)
    await call.line.transfer(extension)
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(0.3)
    await colleague.hang_up()
    row = await call.over()
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")
    assert await parts(exchange.installation, row) == [
        FIRST,
        Part("transfer", f"{extension}@internal", "answered", "PJSIP/102"),
    ]


async def test_to_a_queue(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("400")
    await call.line.hang_up()
    member = await phones["103"].rings()
    await asyncio.sleep(0.4)
    await member.answer()
    await asyncio.sleep(0.3)
    await member.hang_up()
    row = await call.over()
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/103")
    assert await parts(exchange.installation, row) == [FIRST, Part("transfer", "400@internal", "answered", "PJSIP/103")]
    _, waiting = await exchange.installation.legs(row)
    assert lasts(waiting["ring_seconds"], 0.4)


async def test_by_keys_that_the_admins_own_dial_allows(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller, KEYS)
    await call.line.press("#1")
    await asyncio.sleep(0.5)  # the keys are told apart from speech by a pause, and answered by a sound
    await call.line.press("102")
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(0.3)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["answered_by"], row["last_answered_by"]) == ("answered", "PJSIP/101", "PJSIP/102")
    assert await parts(exchange.installation, row) == [
        Part("destination", "Dialplan/601@internal", "answered", "PJSIP/101"),
        Part("transfer", "102@internal", "answered", "PJSIP/102"),
    ]


async def test_many_at_once(exchange: Exchange, phones: Phones, caller: str) -> None:
    """Each call keeps its own people: every second one goes to 102, the others to 103."""
    there = exchange.installation
    before = await there.newest()
    count = 8
    sipp = await exchange.place(caller_listens(Invite(TO_101, "+1306777[call_number]")), calls=count, rate=20)
    lines = [await phones["101"].answers() for _ in range(count)]
    await talks(there, phones["101"], count)
    colleagues = ["102", "103"] * (count // 2)
    await asyncio.gather(*(line.transfer(to) for line, to in zip(lines, colleagues, strict=True)))
    others = [await phones[to].answers() for to in colleagues]
    for to in ("102", "103"):
        await talks(there, phones[to], count // 2)
    await asyncio.sleep(0.5)
    await asyncio.gather(*(other.hang_up() for other in others))
    await sipp.done()
    rows = await there.ended(before, count)
    wanted = {re.sub(r"\D", "", line.remote.split("@")[0]): to for line, to in zip(lines, colleagues, strict=True)}
    assert len(wanted) == count
    for row in rows:
        to = wanted[row["caller"].removeprefix("+")]
        assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", f"PJSIP/{to}")
        assert await parts(there, row) == [FIRST, Part("transfer", f"{to}@internal", "answered", f"PJSIP/{to}")]
    await there.wait_quiet()


# -- the gateway is away -----------------------------------------------------------------------------------------------


async def test_the_gateway_dies_before_the_transfer_and_is_back_after_it(
    exchange: Exchange, phones: Phones, caller: str
) -> None:
    there = exchange.installation
    call = await incoming(exchange, phones, caller)
    await there.gateway.kill()
    await call.line.transfer("102")
    colleague = await call.taken_by(phones["102"])
    await there.gateway.start()
    await _talks_with_is_known(exchange, "PJSIP/102")
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"], row["decided_by"]) == ("answered", "business", "gateway")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")
    assert [part.answered_by for part in await parts(there, row)] == ["PJSIP/101", "PJSIP/102"]


async def test_the_gateway_dies_between_two_transfers(exchange: Exchange, phones: Phones, caller: str) -> None:
    """What it knew before, it left with the call."""
    there = exchange.installation
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("102")
    second = await call.taken_by(phones["102"])
    await _talks_with_is_known(exchange, "PJSIP/102")
    await there.gateway.kill()
    await there.gateway.start()
    await second.transfer("103")
    third = await call.taken_by(phones["103"])
    await _talks_with_is_known(exchange, "PJSIP/103")
    await third.hang_up()
    row = await call.over()
    assert [part.answered_by for part in await parts(there, row)] == ["PJSIP/101", "PJSIP/102", "PJSIP/103"]
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/103")


async def test_a_gateway_that_comes_after_the_transfer(exchange: Exchange, phones: Phones, caller: str) -> None:
    """It never saw the first person, of whom the dialplan knows."""
    there = exchange.installation
    await there.gateway.kill()
    call = await incoming(exchange, phones, caller)
    await call.line.transfer("102")
    colleague = await call.taken_by(phones["102"])
    await there.gateway.start()
    await _talks_with_is_known(exchange, "PJSIP/102")
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["answered_by"], row["last_answered_by"]) == ("answered", "PJSIP/101", "PJSIP/102")


async def test_a_transfer_that_no_gateway_saw(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The call is in the log once, answered, with its whole length; of the people at least the first."""
    there = exchange.installation
    call = await incoming(exchange, phones, caller)
    await there.gateway.kill()
    await call.line.transfer("102")
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(0.5)
    await colleague.hang_up()
    await call.sipp.done()
    await there.wait_quiet()
    await there.gateway.start()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"], row["answered_by"]) == ("answered", "business", "PJSIP/101")
    assert lasts(row["talk_seconds"], 0.5)


async def _talks_with_is_known(exchange: Exchange, who: str) -> None:
    """The gateway has left with the caller's channel whom it talks with now."""
    there = exchange.installation

    async def is_known() -> bool:
        channels = await there.pbx.cli("core show channels concise")
        callers = [line.split("!")[0] for line in channels.splitlines() if line.startswith("PJSIP/trunk-")]
        shown = [await there.pbx.cli(f"core show channel {channel}") for channel in callers]
        turns = [line for text in shown for line in text.splitlines() if line.startswith("NP_TURN_")]
        return bool(turns) and f"^{who}-" in sorted(turns)[-1]

    await eventually(is_known)
