"""Flows on a real Asterisk: who rings, what callers hear and press, messages; and whatever dies meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.heard import finished, strongest
from tests.calls.reception import DID, PHONES, PLAIN, VOICEMAIL, Reception, hours, reception_of, ring
from tests.calls.scenarios import (
    Invite,
    caller_gives_up,
    caller_listens,
    caller_refused,
    caller_talks,
    press,
)
from tests.calls.sipp import listener, loudness, make_sound
from tests.installation import Installation, Number, Row
from tests.stack import eventually

# A key that is pressed so long after the answer: what a test does meanwhile is done by then on a busy machine too.
LATE = 8.0
CALLER_HZ, TONE_HZ, GREETING_HZ, MENU_HZ, CLOSED_HZ = 440.0, 1000.0, 620.0, 780.0, 330.0


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    make_sound(folder, "greeting", GREETING_HZ, 1.0)
    make_sound(folder, "menu", MENU_HZ, 1.0)
    make_sound(folder, "closed", CLOSED_HZ, 0.6)
    # What a flow says now and what it says without a gateway differ, so no call may go by the latter for want of time.
    numbers = [Number(PLAIN, PHONES), Number(DID, ("main",))]
    return Installation(home, folder, dsn, numbers, tuple(LINES), bound_ms=3000)


@pytest_asyncio.fixture
async def reception(exchange: Exchange) -> AsyncIterator[Reception]:
    # Whoever answers hangs up by themselves, so that callers need not guess how long it takes.
    for name in ("main", "second"):
        await exchange.line(name, LINES["hangs-up"]())
    async with reception_of(exchange) as reception:
        yield reception


# -- who rings ---------------------------------------------------------------------------------------------------------


async def test_all_at_once(reception: Reception, caller: str) -> None:
    await reception.does(ring("rings", "second", strategy="together"))
    row = await reception.calls(caller_listens(Invite(DID, caller)), "rings", "second")
    assert (row["outcome"], row["decided_by"], row["answered_by"]) == ("answered", "gateway", "PJSIP/second")
    (leg,) = await reception.there.legs(row)
    assert (leg["dial"], leg["result"]) == ("PJSIP/rings&PJSIP/second", "answered")


async def test_one_after_the_other_and_round_robin(reception: Reception, caller: str) -> None:
    await reception.does(ring("main", "second", strategy="round_robin"))
    found = [
        (await reception.calls(caller_listens(Invite(DID, caller)), "main", "second"))["answered_by"] for _ in range(3)
    ]
    assert found in (["PJSIP/main", "PJSIP/second", "PJSIP/main"], ["PJSIP/second", "PJSIP/main", "PJSIP/second"])


async def test_longest_idle(reception: Reception, caller: str) -> None:
    await reception.does(ring("main", "second", strategy="longest_idle"))
    found = [
        (await reception.calls(caller_listens(Invite(DID, caller)), "main", "second"))["answered_by"] for _ in range(4)
    ]
    assert found[0] != found[1]
    assert found[2:] == found[:2]


async def test_whom_the_caller_spoke_with_last_also_after_a_start_anew(reception: Reception, caller: str) -> None:
    await reception.does(ring("second"))
    await reception.calls(caller_listens(Invite(DID, caller)), "second")
    await reception.does(ring("main", "second", last_spoken_first=True))
    row = await reception.calls(caller_listens(Invite(DID, caller)), "main", "second")
    assert row["answered_by"] == "PJSIP/second"
    await reception.there.gateway.stop()
    await reception.there.gateway.start()
    await eventually(lambda: _has_read(reception))
    row = await reception.calls(caller_listens(Invite(DID, caller)), "main", "second")
    assert row["answered_by"] == "PJSIP/second"
    row = await reception.calls(caller_listens(Invite(DID, "+13065550177")), "main", "second")
    assert row["answered_by"] == "PJSIP/main"


async def _has_read(reception: Reception) -> bool:
    return any(line.get("event") == "conversations were read" for line in reception.there.gateway.log_lines())


async def test_the_switch_closes_now(reception: Reception, caller: str) -> None:
    flow = hours(ring("main"), ring("second"), shut=False)
    await reception.does(flow)
    row = await reception.calls(caller_listens(Invite(DID, caller)), "main", "second")
    assert row["answered_by"] == "PJSIP/main"
    await reception.does(flow, closed_now=True)
    row = await reception.calls(caller_listens(Invite(DID, caller)), "main", "second")
    assert row["answered_by"] == "PJSIP/second"


async def test_a_goodbye_is_heard_to_its_end(reception: Reception, caller: str) -> None:
    goodbye = {"kind": "sound", "sound": reception.sound("closed"), "then": {"kind": "hang_up"}}
    await reception.does(hours(ring("main"), goodbye, shut=True))
    async with listener() as (heard, ear):
        row = await reception.calls(caller_listens(Invite(DID, caller), ear), "main")
    assert strongest(heard.samples, 8000) == pytest.approx(CLOSED_HZ, abs=3)
    assert len(heard.samples) / 8000 == pytest.approx(0.6, abs=0.25)
    assert row["outcome"] == "abandoned"
    assert await reception.there.legs(row) == []


async def test_without_a_gateway_it_is_open(reception: Reception, caller: str) -> None:
    await reception.does(hours(ring("busy", "second"), ring("main"), shut=True))
    await reception.there.gateway.kill()
    before, sipp = await reception.place(caller_listens(Invite(DID, caller)), "main", "second", "busy")
    await sipp.done()
    await reception.there.gateway.start()
    row = await reception.there.ended_one(before)
    assert (row["answered_by"], row["decided_by"]) == ("PJSIP/second", "fallback")


async def test_emergency_services_that_call_back_hear_and_press_nothing(reception: Reception, caller: str) -> None:
    sound = {"kind": "sound", "sound": reception.sound("closed"), "then": ring("second", then=VOICEMAIL)}
    await reception.does(reception.menu({"1": ring("busy")}, sound, seconds=30))
    async with listener() as (heard, ear):
        invite = Invite(DID, caller, headers=("Priority: psap-callback",))
        row = await reception.calls(caller_listens(invite, ear), "second", "busy")
    assert (row["answered_by"], row["decided_by"]) == ("PJSIP/second", "fallback")
    assert loudness(heard.samples, MENU_HZ) < 0.01
    assert loudness(heard.samples, CLOSED_HZ) < 0.01


async def test_nobody_is_there_and_nothing_else_is_said(reception: Reception, caller: str) -> None:
    await reception.does(ring("busy"))
    row = await reception.calls(caller_refused(Invite(DID, caller), 486), "busy")
    assert row["outcome"] == "busy"


# -- messages ----------------------------------------------------------------------------------------------------------


async def recording_of(reception: Reception, call: Row) -> list[Row]:
    return await reception.there.sql("SELECT * FROM recordings WHERE call_id = $1", call["id"])


async def test_a_message_is_a_recording_of_the_call(reception: Reception, caller: str) -> None:
    """The caller hears the greeting, then a tone, and hangs up; what was said since lies on the caller's side."""
    await reception.does(ring("busy", then=VOICEMAIL | {"greeting": reception.sound("greeting")}))
    await reception.there.sql(
        "INSERT INTO mail_subscriptions (company_id, address, kind, secret, confirmed_at) "
        "SELECT id, 'office@example.com', 'messages', sha256('x'), now() FROM companies"
    )
    tone = reception.exchange.tone(CALLER_HZ)
    row = await reception.calls(caller_talks(Invite(DID, caller), 5.0, tone), "busy")
    assert (row["outcome"], row["recorded"], row["answered_at"]) == ("voicemail", True, None)
    found, samples, rate = await finished(reception.there, row)
    assert strongest(samples[:, 0], rate) == pytest.approx(CALLER_HZ, abs=3)
    assert loudness(samples[:, 0], CALLER_HZ, rate) > 0.15
    assert np.abs(samples[:, 1]).max() < 100
    assert 2 < found["seconds"] < 5
    assert [leg["result"] for leg in await reception.there.legs(row)] == ["busy"]
    await reception.there.sql("UPDATE mail_subscriptions SET removed_at = now()")
    # This gateway has no mail server: whoever subscribed is told once it has one.
    waiting = await reception.there.sql("SELECT call_id FROM alert_calls WHERE settled_at IS NULL")
    assert [each["call_id"] for each in waiting] == [row["id"]]


async def test_a_message_on_a_number_that_is_recorded(reception: Reception, caller: str) -> None:
    """Its recorder, which hears nothing without a conversation, has opened the same file."""
    await reception.there.sql("UPDATE tracking_numbers SET record_calls = true WHERE e164 = $1", DID)
    await reception.does(ring("busy", then=VOICEMAIL))
    tone = reception.exchange.tone(CALLER_HZ)
    row = await reception.calls(caller_talks(Invite(DID, caller), 5.0, tone), "busy")
    await reception.there.sql("UPDATE tracking_numbers SET record_calls = false WHERE e164 = $1", DID)
    assert (row["outcome"], row["recorded"]) == ("voicemail", True)
    found, samples, rate = await finished(reception.there, row)
    assert 2 < found["seconds"] < 6
    assert strongest(samples[:, 0], rate) == pytest.approx(CALLER_HZ, abs=3)


async def test_the_greeting_and_the_tone_are_heard(reception: Reception, caller: str) -> None:
    await reception.does(VOICEMAIL | {"greeting": reception.sound("greeting")})
    async with listener() as (heard, ear):
        await reception.calls(caller_talks(Invite(DID, caller), 3.0, ear))
    samples = heard.samples
    assert loudness(samples[:6000], GREETING_HZ) > 0.1
    tone = max((samples[at : at + 1600] for at in range(8000, 13000, 400)), key=lambda part: loudness(part, TONE_HZ))
    assert strongest(tone, 8000) == pytest.approx(TONE_HZ, abs=8)
    assert loudness(tone, TONE_HZ) > 0.05


async def test_a_key_ends_the_message(reception: Reception, caller: str) -> None:
    await reception.does(VOICEMAIL)
    tone = reception.exchange.tone(CALLER_HZ)
    row = await reception.calls(caller_listens(Invite(DID, caller), tone, meanwhile=press(Invite(DID, caller), "#", 4)))
    assert (row["outcome"], row["hung_up_by"]) == ("voicemail", None)
    found, _, _ = await finished(reception.there, row)
    assert 2 < found["seconds"] < 5


async def test_a_message_ends_at_its_longest(reception: Reception, caller: str) -> None:
    await reception.does(VOICEMAIL)
    row = await reception.calls(caller_listens(Invite(DID, caller), reception.exchange.tone(CALLER_HZ)))
    found, _, _ = await finished(reception.there, row)
    assert (row["outcome"], found["seconds"]) == ("voicemail", pytest.approx(10, abs=1))


@pytest.mark.parametrize("seconds", [0.2, 1.2])
async def test_who_hangs_up_on_the_greeting_or_the_tone_left_no_message(
    reception: Reception, caller: str, seconds: float
) -> None:
    await reception.does(ring("busy", then=VOICEMAIL))
    row = await reception.calls(caller_talks(Invite(DID, caller), seconds, reception.exchange.tone(CALLER_HZ)), "busy")
    assert (row["outcome"], row["recorded"]) == ("busy", False)
    assert await recording_of(reception, row) == []


async def test_a_caller_who_sends_no_sound_left_no_message(reception: Reception, caller: str) -> None:
    await reception.does(VOICEMAIL)
    row = await reception.calls(caller_talks(Invite(DID, caller), 4.0))
    assert row["outcome"] == "abandoned"
    assert await recording_of(reception, row) == []


async def test_a_message_without_a_gateway(reception: Reception, caller: str) -> None:
    await reception.does(ring("busy", then=VOICEMAIL))
    await reception.there.gateway.kill()
    tone = reception.exchange.tone(CALLER_HZ)
    before, sipp = await reception.place(caller_talks(Invite(DID, caller), 4.0, tone), "busy")
    await sipp.done()
    await reception.there.gateway.start()
    row = await reception.there.ended_one(before)
    assert row["outcome"] == "voicemail"
    assert (await finished(reception.there, row))[0]["seconds"] > 2


# -- menus -------------------------------------------------------------------------------------------------------------


async def test_a_key_chooses_and_the_prompt_is_heard(reception: Reception, caller: str) -> None:
    await reception.does(reception.menu({"1": ring("main"), "2": ring("second")}, ring("busy"), seconds=30))
    async with listener() as (heard, ear):
        xml = caller_listens(Invite(DID, caller), ear, press(Invite(DID, caller), "2", 2))
        row = await reception.calls(xml, "main", "second", "busy")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")
    assert strongest(heard.samples[:2000], 8000) == pytest.approx(MENU_HZ, abs=5)
    xml = caller_listens(Invite(DID, caller), None, press(Invite(DID, caller), "1", 0.5))
    row = await reception.calls(xml, "main", "second", "busy")
    assert row["answered_by"] == "PJSIP/main"


@pytest.mark.parametrize("key", ["", "9", "*"])
async def test_no_key_and_a_key_that_stands_for_nothing(reception: Reception, caller: str, key: str) -> None:
    await reception.does(reception.menu({"1": ring("main"), "#": ring("main")}, ring("second")))
    invite = Invite(DID, caller)
    xml = caller_listens(invite, reception.exchange.tone(CALLER_HZ), press(invite, key, 0.3) if key else ())
    row = await reception.calls(xml, "main", "second")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/second")


async def test_the_second_try_counts(reception: Reception, caller: str) -> None:
    await reception.does(reception.menu({"#": ring("main")}, ring("busy"), tries=2))
    invite = Invite(DID, caller)
    meanwhile = [*press(invite, "5", 0.3), *press(invite, "#", 0.5, cseq=3)]
    row = await reception.calls(caller_listens(invite, None, meanwhile), "main", "busy")
    assert row["answered_by"] == "PJSIP/main"


async def test_a_menu_below_a_menu(reception: Reception, caller: str) -> None:
    below = reception.menu({"*": ring("second")}, ring("busy"))
    await reception.does(hours(ring("main"), reception.menu({"1": below}, ring("main")), shut=True))
    invite = Invite(DID, caller)
    meanwhile = [*press(invite, "1", 0.3), *press(invite, "*", 0.5, cseq=3)]
    row = await reception.calls(caller_listens(invite, None, meanwhile), "main", "second", "busy")
    assert row["answered_by"] == "PJSIP/second"


async def test_who_hangs_up_in_the_menu_gave_up(reception: Reception, caller: str) -> None:
    await reception.does(reception.menu({"1": ring("main")}, ring("second")))
    row = await reception.calls(caller_talks(Invite(DID, caller), 0.4), "main", "second")
    assert (row["outcome"], row["hung_up_by"], row["answered_at"]) == ("abandoned", "caller", None)


async def _is_heard(reception: Reception) -> bool:
    return "Read" in await reception.there.pbx.cli("core show channels")


@pytest.mark.parametrize("way", ["killed", "hung"])
async def test_a_gateway_that_goes_while_the_menu_is_heard(reception: Reception, caller: str, way: str) -> None:
    """The key leads where it did when everybody was there, by the entry in AstDB."""
    await reception.does(
        reception.menu({"1": hours(ring("second"), ring("main"), shut=True)}, ring("busy"), seconds=30)
    )
    invite = Invite(DID, caller)
    xml = caller_listens(invite, None, press(invite, "1", LATE))
    before, sipp = await reception.place(xml, "main", "second", "busy")
    await eventually(lambda: _is_heard(reception))
    if way == "killed":
        await reception.there.gateway.kill()
    else:
        reception.there.gateway.suspend()
    await sipp.done()
    if way == "killed":
        await reception.there.gateway.start()
    else:
        reception.there.gateway.resume()
    row = await reception.there.ended_one(before)
    assert (row["outcome"], row["answered_by"], row["decided_by"]) == ("answered", "PJSIP/second", "gateway")


async def test_a_flow_that_is_changed_while_its_menu_is_heard(reception: Reception, caller: str) -> None:
    """The key stands for nothing any more: the number's own line rings."""
    await reception.does(reception.menu({"1": ring("second")}, ring("busy"), seconds=30))
    invite = Invite(DID, caller)
    xml = caller_listens(invite, None, press(invite, "1", LATE))
    before, sipp = await reception.place(xml, "main", "second", "busy")
    await eventually(lambda: _is_heard(reception))
    await reception.does(reception.menu({"1": ring("busy")}, ring("busy")))
    await sipp.done()
    row = await reception.there.ended_one(before)
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")


async def test_ringing_is_given_up_as_ever(reception: Reception, caller: str) -> None:
    await reception.does(ring("rings", then=VOICEMAIL))
    row = await reception.calls(caller_gives_up(Invite(DID, caller), 0.3), "rings")
    assert row["outcome"] == "abandoned"
