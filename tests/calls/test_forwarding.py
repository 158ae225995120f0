"""Calls that go out again over trunks: what happens when a carrier will not take them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.scenarios import (
    Invite,
    caller_refused,
    caller_talks,
    carrier_takes_only,
    line_answers,
    line_refuses,
    pause,
    receive,
    reply,
    scenario,
    sdp,
)
from tests.calls.wire import Seen, address
from tests.installation import Installation, Number, Row

MAIN = "+13065550000"
MOBILE = "+13065559876"
OVER_TRUNKS = "+13065552001"
PHONE = "+13065552003"  # a telephone, then the second line
BESIDE = "+13065552004"  # a phone and a trunk at once
OWN = r"\\+1306555(2|0)[0-9]*"


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [
        Number(OVER_TRUNKS, (f"Trunk/{MOBILE}",)),
        Number(PHONE, ("declines", "second")),
        Number(BESIDE, (f"PJSIP/declines&PJSIP/{MOBILE}@carrier-b",)),
    ]
    return Installation(
        home,
        folder,
        dsn,
        numbers,
        ("main", "second", "declines", "carrier-a", "carrier-b", "carrier_c"),
        company={"main_number": MAIN},
        trunks=[
            {"name": "carrier-a", "shows": "caller"},
            {"name": "carrier-b", "shows": "tracking", "form": "e164"},
            {"name": "carrier_c", "shows": "main", "form": "national", "country": "CA"},
        ],
    )


@asynccontextmanager
async def carriers(exchange: Exchange, a: str, b: str | None = None, c: str | None = None) -> AsyncIterator[Seen]:
    """The three carriers, each playing a scenario; what they are sent."""
    played = {"carrier-a": a, "carrier-b": b or line_answers(), "carrier_c": c or line_answers()}
    yield Seen({name: await exchange.line(name, xml) for name, xml in played.items()})


async def _legs(exchange: Exchange, row: Row) -> list[tuple[str, str, int | None]]:
    return [(leg["dial"], leg["result"], leg["hangup_cause"]) for leg in await exchange.installation.legs(row)]


# -- a carrier that refuses --------------------------------------------------------------------------------------------

# To Asterisk, 407 without a password is cause 21 as well (chan_pjsip). A Reason header of a refusal it does not hear.
REFUSALS = ["403 Forbidden", "603 Decline", "407 Proxy Authentication Required"]


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_refusal_is_met_at_once_with_a_number_of_ours(exchange: Exchange, caller: str, status: str) -> None:
    async with carriers(exchange, a=carrier_takes_only(OWN, status)) as seen:
        row = await exchange.call(caller_talks(Invite(OVER_TRUNKS, caller), 0.05))
        first, second = seen.invites("carrier-a")
    dial = f"PJSIP/{MOBILE}@carrier-a"
    assert (row["outcome"], row["answered_by"], row["caller"]) == ("answered", "PJSIP/carrier-a", caller)
    assert [(each, result) for each, result, _ in await _legs(exchange, row)] == [(dial, "failed"), (dial, "answered")]
    assert row["ring_seconds"] < 2
    assert address(caller) in first.caller
    assert address(OVER_TRUNKS) in second.caller
    assert caller not in str(second)
    assert second.all("Diversion") == []


async def test_a_withheld_caller_who_is_refused_goes_out_with_a_number_of_ours(exchange: Exchange) -> None:
    invite = Invite(OVER_TRUNKS, from_='"Anonymous" <sip:anonymous@anonymous.invalid>')
    async with carriers(exchange, a=carrier_takes_only(OWN, "403 Forbidden")) as seen:
        row = await exchange.call(caller_talks(invite, 0.05))
        first, second = seen.invites("carrier-a")
    assert (row["outcome"], row["caller"]) == ("answered", None)
    assert "anonymous.invalid" in first.caller
    assert address(OVER_TRUNKS) in second.caller
    assert second.one("Privacy") is None


async def test_a_trunk_that_refuses_everything_gives_way_to_the_next(exchange: Exchange, caller: str) -> None:
    """Each in the form that the trunk wants; the second refuses its tracking number and gets the main one."""
    async with carriers(
        exchange,
        a=line_refuses("403 Forbidden"),
        b=line_refuses("603 Decline"),
        c=line_answers(),
    ) as seen:
        row = await exchange.call(caller_talks(Invite(OVER_TRUNKS, caller), 0.05))
        a, b, c = (seen.invites(name) for name in ("carrier-a", "carrier-b", "carrier_c"))
    legs = await _legs(exchange, row)
    assert [dial for dial, _, _ in legs] == [
        f"PJSIP/{MOBILE}@carrier-a",
        f"PJSIP/{MOBILE}@carrier-a",
        "PJSIP/13065559876@carrier-b",
        "PJSIP/13065559876@carrier-b",
        "PJSIP/3065559876@carrier_c",
    ]
    assert [(result, cause) for _, result, cause in legs[:4]] == [("failed", 21)] * 4
    assert [sent.caller for sent in (*a, *b, *c)] == [
        f"<sip:{shown}@127.0.0.1>" for shown in (caller, OVER_TRUNKS, OVER_TRUNKS, MAIN, MAIN)
    ]
    assert [sent.user for sent in (*b, *c)] == ["13065559876", "13065559876", "3065559876"]
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/carrier_c")


@pytest.mark.parametrize("status", ["503 Service Unavailable", "500 Server Internal Error", "404 Not Found"])
async def test_another_failure_goes_straight_to_the_next_trunk(exchange: Exchange, caller: str, status: str) -> None:
    async with carriers(exchange, a=line_refuses(status), b=line_answers()) as seen:
        row = await exchange.call(caller_talks(Invite(OVER_TRUNKS, caller), 0.05))
        assert len(seen.invites("carrier-a")) == 1
        (sent,) = seen.invites("carrier-b")
    assert row["answered_by"] == "PJSIP/carrier-b"
    assert address(OVER_TRUNKS) in sent.caller


async def test_when_all_trunks_refuse_the_default_line_rings(exchange: Exchange, caller: str) -> None:
    everybody = dict.fromkeys("abc", line_refuses("403 Forbidden"))
    async with carriers(exchange, **everybody):
        row = await exchange.call(caller_talks(Invite(OVER_TRUNKS, caller), 0.05), "main")
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")
    assert len(await _legs(exchange, row)) == 7


# -- what is no refusal ------------------------------------------------------------------------------------------------


async def test_the_telephone_outside_is_busy(exchange: Exchange, caller: str) -> None:
    async with carriers(exchange, a=line_refuses("486 Busy Here"), b=line_answers()) as seen:
        row = await exchange.call(caller_refused(Invite(OVER_TRUNKS, caller), 486))
        assert len(seen.invites("carrier-a")) == 1
        assert seen.invites("carrier-b") == []
    assert row["outcome"] == "busy"


@pytest.mark.parametrize("status", ["603 Decline", "480 Temporarily Unavailable", "403 Forbidden"])
async def test_a_person_outside_declines(exchange: Exchange, caller: str, status: str) -> None:
    """It rang, so the trunk took the call: the person is not rung a second time, by no trunk."""
    async with carriers(exchange, a=line_refuses(status, rings=0.1), b=line_answers()) as seen:
        await exchange.call(caller_talks(Invite(OVER_TRUNKS, caller), 0.05), "main") if status[:3] != "480" else (
            await exchange.call(caller_refused(Invite(OVER_TRUNKS, caller), 480))
        )
        assert len(seen.invites("carrier-a")) == 1
        assert seen.invites("carrier-b") == []


@pytest.mark.parametrize(("status", "attempts"), [("603 Decline", 1), ("403 Forbidden", 2)])
async def test_what_is_heard_before_a_refusal(exchange: Exchange, caller: str, status: str, attempts: int) -> None:
    """Behind 183 a person may have declined, who is left in peace; 403 is always the trunk's word."""
    heard = scenario(
        receive("INVITE", 'rrs="true"'),
        reply("183 Session Progress", body=sdp(None)),
        pause(0.1),
        reply(status),
        receive("ACK"),
    )
    async with carriers(exchange, a=heard) as seen:
        row = await exchange.call(caller_talks(Invite(OVER_TRUNKS, caller), 0.05), "main")
        assert len(seen.invites("carrier-a")) == attempts
    assert row["answered_by"] == ("PJSIP/main" if attempts == 1 else "PJSIP/carrier-b")


async def test_a_phone_that_declines_is_no_trunk(exchange: Exchange, caller: str) -> None:
    seen = Seen({name: await exchange.line(name) for name in ("declines", "second")})
    row = await exchange.call(caller_talks(Invite(PHONE, caller), 0.05))
    (sent,) = seen.invites("declines")
    assert len(seen.invites("second")) == 1
    assert address(caller) in sent.caller
    assert row["answered_by"] == "PJSIP/second"


async def test_a_phone_and_a_trunk_at_once(exchange: Exchange, caller: str) -> None:
    """The phone declines; the trunk's rule is the trunk's alone."""
    seen = Seen(
        {name: await exchange.line(name, LINES[name]()) for name in ("declines",)}
        | {"carrier-b": await exchange.line("carrier-b", line_answers())}
    )
    row = await exchange.call(caller_talks(Invite(BESIDE, caller), 0.05))
    (phone,) = seen.invites("declines")
    (trunk,) = seen.invites("carrier-b")
    assert row["answered_by"] == "PJSIP/carrier-b"
    assert address(caller) in phone.caller
    assert address(BESIDE) in trunk.caller


async def test_without_the_gateway_all_is_the_same(exchange: Exchange, caller: str) -> None:
    await exchange.installation.gateway.stop()
    try:
        before = await exchange.installation.newest()
        async with carriers(exchange, a=line_refuses("403 Forbidden"), b=line_answers()) as seen:
            sipp = await exchange.place(caller_talks(Invite(OVER_TRUNKS, caller), 0.05))
            await sipp.done()
            first, second = seen.invites("carrier-a")
            (third,) = seen.invites("carrier-b")
    finally:
        await exchange.installation.gateway.start()
    row = await exchange.installation.ended_one(before)
    assert (row["decided_by"], row["outcome"]) == ("fallback", "answered")
    assert address(caller) in first.caller
    assert address(OVER_TRUNKS) in second.caller
    assert address(OVER_TRUNKS) in third.caller
