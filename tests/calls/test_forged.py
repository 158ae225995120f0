"""Nobody forges an event: not a caller, not the line that answers, at no stage; and the attack is a real one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import LINES, Exchange
from tests.calls.scenarios import (
    Invite,
    caller_gives_up,
    caller_refers,
    caller_reinvites,
    caller_talks,
    line_answers,
    line_refuses,
)
from tests.calls.sipp import Sipp
from tests.installation import TRUNK, TRUNK_TRUSTING, Installation, Number, Row

DID = "+13065552001"
# Reaches every event of AMI, unlike our own account: what it hears is what an account without a filter would.
LISTENER = "\n[listener]\nsecret=listener\nread=all\nwrite=\nwritetimeout=5000\n"
# Where nobody may be led.
FORBIDDEN_EXTENSIONS = "\n[elsewhere]\nexten => _X!,1,UserEvent(Stolen)\n same => n,Answer()\n same => n,Wait(5)\n"
FORBIDDEN_EXTENSIONS += "exten => stolen,1,Goto(1,1)\n"


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [Number(DID), Number("+13065552002", ("second",)), Number("+13065552003", ("rings",))]
    extra = {"manager.conf": LISTENER, "extensions.conf": FORBIDDEN_EXTENSIONS}
    return Installation(home, folder, dsn, numbers, tuple(LINES), extra)


def escaped(text: str) -> str:
    """As the user part of an address."""
    return "".join(character if character.isalnum() else f"%{ord(character):02x}" for character in text)


def forged_events(token: str = "") -> str:
    """What a clever caller would put in: the end of the event under way, then events of our own kind.

    Asterisk keeps 79 characters of a number, so the one that matters comes first.
    """
    lie = "&id=forged&stage=3&at=1700000000&trunk=&first=&request=&to=&party=&caller=666&name=&ended=1700000001"
    return (
        f"1\r\n\r\nEvent: UserEvent\r\nUserEvent: NPCall\r\nToken: {token}\r\nCall: v=1&key=forged{lie}\r\n\r\n"
        "Event: Hangup\r\nPrivilege: call,all\r\nChannel: PJSIP/forged\r\nUniqueid: forged\r\n\r\n"
        "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: NPProof\r\nX: "
    )


@asynccontextmanager
async def everything_heard(exchange: Exchange) -> AsyncIterator[bytearray]:
    """All that AMI prints to an account without a filter, while the block runs."""
    reader, writer = await asyncio.open_connection("127.0.0.1", exchange.installation.pbx.ami_port)
    heard = bytearray()
    writer.write(b"Action: Login\r\nUsername: listener\r\nSecret: listener\r\nEvents: on\r\n\r\n")

    async def listen() -> None:
        while data := await reader.read(65536):
            heard.extend(data)

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        # An answer may overtake the events that wait; they are sent before the next action is read.
        for name in (b"last but one", b"last"):
            writer.write(b"Action: Ping\r\nActionID: " + name + b"\r\n\r\n")
            async with asyncio.timeout(20):
                while b"ActionID: " + name + b"\r\n" not in heard:  # noqa: ASYNC110 - told by the other side
                    await asyncio.sleep(0.01)
        task.cancel()
        writer.close()


async def _one_true_row(exchange: Exchange, before: int) -> Row:
    row = await exchange.installation.ended_one(before)
    everything = " ".join(str(value) for value in row.values())
    assert "\r" not in everything
    assert "\n" not in everything
    assert row["asterisk_id"] != "forged"
    assert row["caller"] != "666"
    assert not await exchange.installation.sql("SELECT 1 FROM calls WHERE asterisk_id = 'forged'")
    assert not list((exchange.installation.spool / "outbox").iterdir())
    health = await exchange.installation.gateway.health()
    assert health["asterisk:pbx"]["condition"] == "ok"
    return row


def _invites() -> dict[str, Invite]:
    text = escaped(forged_events())
    name = forged_events().replace("\r\n", "%0d%0a").replace('"', "")
    pai = f"P-Asserted-Identity: <sip:{text}@127.0.0.1>"
    return {
        "From": Invite(from_=f"<sip:{text}@127.0.0.1>"),
        "name": Invite(from_=f'"{name}" <sip:+13065550100@127.0.0.1>'),
        "P-Asserted-Identity": Invite(headers=(pai,)),
        "Remote-Party-ID": Invite(headers=(f"Remote-Party-ID: <sip:{text}@127.0.0.1>;party=calling",)),
        "Diversion": Invite(headers=(f"Diversion: <sip:{text}@127.0.0.1>;reason=no-answer",)),
        "To": Invite(to=f"<sip:{text}@127.0.0.1>"),
        "request": Invite(request_user=f"{DID};{text}"),
        "P-Called-Party-ID": Invite(headers=(f"P-Called-Party-ID: <sip:{text}@127.0.0.1>",)),
        "display of P-Asserted-Identity": Invite(headers=(f'P-Asserted-Identity: "{name}" <sip:1@127.0.0.1>',)),
    }


ADDRESSES = {"trunk": TRUNK, "trusting": TRUNK_TRUSTING}


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=list(ADDRESSES))
@pytest.mark.parametrize("where", list(_invites()))
@pytest.mark.parametrize("stage", ["answered", "abandoned"])
async def test_a_caller_forges_nothing(exchange: Exchange, where: str, stage: str, address: str) -> None:
    before = await exchange.installation.newest()
    invite = _invites()[where]
    if stage == "abandoned":
        invite = Invite(
            did="+13065552003",
            request_user=invite.request_user and invite.request_user.replace(DID, "+13065552003"),
            to=invite.to,
            from_=invite.from_,
            headers=invite.headers,
        )
    xml = caller_talks(invite, 0.05) if stage == "answered" else caller_gives_up(invite, 0.05)
    sipp = await exchange.place(xml, "main", "rings", address=address)
    await sipp.done()
    row = await _one_true_row(exchange, before)
    assert (row["outcome"], row["number_id"], row["decided_by"]) == (stage, 3 if stage == "abandoned" else 1, "gateway")


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=list(ADDRESSES))
async def test_a_caller_forges_nothing_in_mid_call(exchange: Exchange, address: str) -> None:
    before = await exchange.installation.newest()
    text = escaped(forged_events())
    headers = [f"P-Asserted-Identity: <sip:{text}@127.0.0.1>", f"Remote-Party-ID: <sip:{text}@127.0.0.1>;party=calling"]
    sipp = await exchange.place(caller_reinvites(Invite(caller="+13065550177"), headers), "main", address=address)
    await sipp.done()
    row = await _one_true_row(exchange, before)
    assert (row["outcome"], row["caller"], row["hung_up_by"]) == ("answered", "+13065550177", "caller")


@pytest.mark.parametrize("block", ["Event: Hangup\r\nPrivilege: call,all", "Event: UserEvent\r\nUserEvent: Other"])
async def test_a_caller_raises_no_alarm_about_the_filter(exchange: Exchange, block: str) -> None:
    """What a caller brings into events of bridges, which nobody cleans, looks like events of others."""
    before = await exchange.installation.newest()
    text = escaped(f"1\r\n\r\n{block}\r\n\r\n")
    headers = [f"P-Asserted-Identity: <sip:{text}@127.0.0.1>"]
    async with everything_heard(exchange) as heard:
        sipp = await exchange.place(
            caller_reinvites(Invite(caller="+13065550178"), headers), "main", address=TRUNK_TRUSTING
        )
        await sipp.done()
        await _one_true_row(exchange, before)
    left = bytes(heard).partition(b"Event: BridgeLeave")[2].partition(b"\r\n\r\n")
    assert left[2].startswith(block.encode()), "this Asterisk prints no raw line breaks any more"


@asynccontextmanager
async def a_line(exchange: Exchange, name: str, xml: str) -> AsyncIterator[Sipp]:
    """``name`` plays ``xml`` while the block runs."""
    yield await exchange.line(name, xml)
    await exchange.line(name, LINES[name]())


async def test_the_answering_side_forges_nothing(exchange: Exchange, caller: str) -> None:
    before = await exchange.installation.newest()
    text = escaped(forged_events())
    xml = line_answers(
        contact=f"Contact: <sip:{text}@[local_ip]:[local_port]>",
        headers=[
            f"P-Asserted-Identity: <sip:{text}@127.0.0.1>",
            f"Remote-Party-ID: <sip:{text}@127.0.0.1>;party=called",
        ],
    )
    async with a_line(exchange, "second", xml):
        sipp = await exchange.place(caller_talks(Invite("+13065552002", caller), 0.2))
        await sipp.done()
        row = await _one_true_row(exchange, before)
    assert (row["outcome"], row["answered_by"], row["caller"]) == ("answered", "PJSIP/second", caller)


@pytest.mark.parametrize("target", [escaped(forged_events()), "1", "stolen"], ids=["forged", "extension", "name"])
async def test_a_redirecting_line_forges_and_reaches_nothing(exchange: Exchange, caller: str, target: str) -> None:
    before = await exchange.installation.newest()
    xml = line_refuses(
        "302 Moved Temporarily", f"Contact: <sip:{target}@127.0.0.1:{exchange.installation.pbx.sip_port}>"
    )
    async with a_line(exchange, "second", xml), everything_heard(exchange) as heard:
        sipp = await exchange.place(caller_talks(Invite("+13065552002", caller), 0.2), "main")
        await sipp.done()
        row = await _one_true_row(exchange, before)
    # A redirection is not followed: the line was not reached, and the default line rings.
    assert (row["outcome"], row["answered_by"]) == ("answered", "PJSIP/main")
    assert b"Stolen" not in heard
    assert b"Context: elsewhere\r\nExten: 1" not in heard


@pytest.mark.parametrize("target", ["sip:1@127.0.0.1", "sip:stolen@127.0.0.1", "sip:+13065552002@127.0.0.1"])
async def test_a_callers_refer_reaches_nothing(exchange: Exchange, caller: str, target: str) -> None:
    async with everything_heard(exchange) as heard:
        row = await exchange.call(caller_refers(Invite(DID, caller), target), "main", "second")
    assert (row["outcome"], row["answered_by"], row["hung_up_by"]) == ("answered", "PJSIP/main", "caller")
    assert b"Stolen" not in heard
    assert b"PJSIP/second" not in heard


async def test_a_genuine_token_does_not_help(exchange: Exchange, caller: str) -> None:
    """Somebody who read the token (a user of the PBX's console) and forges from outside still gets nothing in."""
    token = (await exchange.installation.variable("NP_GATEWAY")).partition("^")[2]
    assert token
    before = await exchange.installation.newest()
    text = escaped(forged_events(token))
    invite = Invite(from_=f"<sip:{text}@127.0.0.1>", headers=(f"P-Asserted-Identity: <sip:{text}@127.0.0.1>",))
    sipp = await exchange.place(caller_reinvites(invite, [invite.headers[0]]), "main", address=TRUNK_TRUSTING)
    await sipp.done()
    row = await _one_true_row(exchange, before)
    assert row["outcome"] == "answered"


async def test_our_events_carry_no_line_break_of_a_caller(exchange: Exchange) -> None:
    """Also an account without a filter reads every event of ours as one."""
    async with everything_heard(exchange) as heard:
        await exchange.call(caller_talks(_invites()["From"], 0.05), "main")
    ours = [block for block in bytes(heard).split(b"\r\n\r\n") if b"UserEvent: NPCall" in block]
    genuine = [block for block in ours if b"&trunk=trunk" in block]
    assert len(genuine) == 3
    for block in genuine:
        lines = block.split(b"\r\n")
        assert lines[0] == b"Event: UserEvent"
        assert len({line.partition(b":")[0] for line in lines}) == len(lines)


async def test_without_the_cleaning_the_attack_works(
    asterisk_home: AsteriskHome, short_path: Path, database_dsn: str
) -> None:
    """The same call against a dialplan that cleans nothing: line breaks of the caller's arrive inside our own event."""
    spoilt = Installation(
        asterisk_home,
        short_path,
        database_dsn,
        [Number(DID)],
        ("main",),
        {"manager.conf": LISTENER},
        spoil={"numberpool-dialplan-": ("Gosub(np-clean-", "NoOp(")},
    )
    exchange = Exchange(spoilt)
    try:
        await spoilt.start(gateway=False)
        async with everything_heard(exchange) as heard:
            sipp = await exchange.place(caller_talks(_invites()["From"], 0.05), "main")
            await sipp.done()
            await spoilt.wait_quiet()
    finally:
        await exchange.stop()
        await spoilt.stop()
    blocks = bytes(heard).split(b"\r\n\r\n")
    forged = [block for block in blocks if block.startswith(b"Event: UserEvent\r\nUserEvent: NPCall\r\nToken: \r\n")]
    assert forged, "this Asterisk prints no raw line breaks any more"
    assert b"Call: v=1&key=forged" in forged[0]
