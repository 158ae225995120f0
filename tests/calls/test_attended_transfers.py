"""Whoever answered asks a colleague first, and then connects the two; or does not."""

import asyncio
from pathlib import Path

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.office import OUTSIDE, IncomingCall, Office, Part, Phones, parts, talks
from tests.calls.phones import Line
from tests.calls.scenarios import Invite, caller_listens, caller_talks, line_answers
from tests.installation import Installation, Number
from tests.stack import lasts

TO_101, THROUGH_LOCAL, KEYS = "+13065552001", "+13065552003", "+13065552005"
NUMBERS = [
    Number(TO_101, ("PJSIP/101",)),
    Number(THROUGH_LOCAL, ("Local/101@internal/n",)),
    Number(KEYS, ("Dialplan/601@internal",)),
]
FIRST = Part("destination", "PJSIP/101", "answered", "PJSIP/101")


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Office(home, folder, dsn, NUMBERS, tuple(LINES), dialplan_contexts=("internal",))


async def incoming(exchange: Exchange, phones: Phones, caller: str, did: str = TO_101) -> IncomingCall:
    """A call that 101 has answered, whose caller waits until somebody hangs up."""
    return await IncomingCall.answered(exchange, caller_listens(Invite(did, caller)), phones["101"])


async def consulted(call: IncomingCall, phones: Phones, number: str = "102") -> tuple[Line, Line]:
    """101 holds the caller and asks 102: 101's end of that call and 102's."""
    await call.line.hold()
    asking, answered = await phones["101"].dial(number)
    colleague = await call.taken_by(phones["102"])
    await answered
    return asking, colleague


async def test_to_a_colleague(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await IncomingCall.answered(exchange, caller_talks(Invite(TO_101, caller), 4), phones["101"])
    asking, colleague = await consulted(call, phones)
    await asyncio.sleep(1)
    with_first = call.so_far
    await call.line.transfer_to(asking)
    assert await call.line.transferred() == 200
    await call.line.hang_up()
    await asking.gone()
    row = await call.over()
    await colleague.gone()
    assert (row["outcome"], row["hung_up_by"], row["hangup_cause"]) == ("answered", "caller", 16)
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")
    assert lasts(row["talk_seconds"], 4)
    first, second = await parts(exchange.installation, row)
    assert first == FIRST
    assert (second.kind, second.result, second.answered_by) == ("transfer", "answered", "PJSIP/102")
    assert second.dial.startswith("102")
    # The caller was the first person's, on hold, until the two were connected; nothing rang for him.
    times, then = await exchange.installation.legs(row)
    assert lasts(times["talk_seconds"], with_first)
    assert lasts(then["ring_seconds"], 0)
    assert lasts(then["talk_seconds"], row["talk_seconds"] - with_first)


async def test_the_colleague_hangs_up_in_the_end(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    asking, colleague = await consulted(call, phones)
    await call.line.transfer_to(asking)
    assert await call.line.transferred() == 200
    await asyncio.sleep(0.4)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")


async def test_to_an_outside_number(exchange: Exchange, phones: Phones, caller: str) -> None:
    await exchange.line("outside", line_answers(after=0.2, hangs_up_after=1.5))
    call = await incoming(exchange, phones, caller)
    await call.line.hold()
    asking = await phones["101"].call(OUTSIDE)
    await asyncio.sleep(0.3)
    await call.line.transfer_to(asking)
    assert await call.line.transferred() == 200
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/outside")
    assert [part.kind for part in await parts(exchange.installation, row)] == ["destination", "transfer"]


async def test_connected_while_the_colleague_still_rings(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    await call.line.hold()
    asking, _ = await phones["101"].dial("102")
    colleague = await phones["102"].rings()
    await asyncio.sleep(0.3)
    await call.line.transfer_to(asking)
    await asyncio.sleep(0.4)
    await colleague.answer()
    await talks(exchange.installation, phones["102"])
    await asyncio.sleep(0.4)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")


async def test_the_colleague_does_not_want_it(exchange: Exchange, phones: Phones, caller: str) -> None:
    """The consultation is nobody's business: the caller's call knows nothing of it."""
    call = await incoming(exchange, phones, caller)
    asking, colleague = await consulted(call, phones)
    await colleague.hang_up()
    await asking.gone()
    await call.line.resume()
    await asyncio.sleep(0.3)
    talked = call.so_far
    await call.line.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST]
    assert lasts(row["talk_seconds"], talked)


async def test_the_colleague_is_busy(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    await call.line.hold()
    asking, refused = await phones["101"].dial("102")
    (await phones["102"].rings()).refuse()
    await refused
    assert asking.refused is not None
    await call.line.resume()
    await call.line.hang_up()
    row = await call.over()
    assert (row["outcome"], row["last_answered_by"]) == ("answered", "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST]


async def test_the_caller_hangs_up_during_the_consultation(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await IncomingCall.answered(exchange, caller_talks(Invite(TO_101, caller), 1.5), phones["101"])
    asking, colleague = await consulted(call, phones)
    await call.line.gone()
    await asking.hang_up()
    await colleague.gone()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"], row["last_answered_by"]) == ("answered", "caller", "PJSIP/101")
    assert await parts(exchange.installation, row) == [FIRST]


async def test_on_to_a_third_blind(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller)
    asking, colleague = await consulted(call, phones)
    await call.line.transfer_to(asking)
    assert await call.line.transferred() == 200
    await asyncio.sleep(0.3)
    await colleague.transfer("103")
    third = await call.taken_by(phones["103"])
    await asyncio.sleep(0.3)
    await third.hang_up()
    row = await call.over()
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/103")
    assert [part.answered_by for part in await parts(exchange.installation, row)] == [
        "PJSIP/101",
        "PJSIP/102",
        "PJSIP/103",
    ]


async def test_from_behind_a_local_channel(exchange: Exchange, phones: Phones, caller: str) -> None:
    call = await incoming(exchange, phones, caller, THROUGH_LOCAL)
    asking, colleague = await consulted(call, phones)
    await call.line.transfer_to(asking)
    assert await call.line.transferred() == 200
    await asyncio.sleep(0.4)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["answered_by"], row["last_answered_by"]) == ("answered", "PJSIP/101", "PJSIP/102")


async def test_by_keys_that_the_admins_own_dial_allows(exchange: Exchange, phones: Phones, caller: str) -> None:
    """101 presses the keys, talks with 102, and hangs up: that connects the two."""
    call = await incoming(exchange, phones, caller, KEYS)
    await call.line.press("*2")
    await asyncio.sleep(0.5)  # the keys are told apart from speech by a pause, and answered by a sound
    await call.line.press("102")
    colleague = await call.taken_by(phones["102"])
    await asyncio.sleep(0.3)
    await call.line.hang_up()
    await asyncio.sleep(0.5)
    await colleague.hang_up()
    row = await call.over()
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "business")
    assert (row["answered_by"], row["last_answered_by"]) == ("PJSIP/101", "PJSIP/102")
