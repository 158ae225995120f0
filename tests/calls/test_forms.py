"""The dialled number in whatever form and place a carrier sends it: the same number, decided live and in fallback."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_talks
from tests.installation import TRUNK, TRUNK_PARTY, TRUNK_TO, Installation, Number, Row

DID = "+13065552001"
HOST = "[remote_ip]"


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    # No gateway in between: each form is sent once while it lives and once after its death.
    return Installation(home, folder, dsn, [Number(DID), Number("+442079460018")], ("main",))


@dataclass(frozen=True)
class Sent:
    """How one call names the number, and by which trunk."""

    request_user: str = "account"
    to: str | None = None
    headers: tuple[str, ...] = ()
    address: str = TRUNK


IN_REQUEST = [
    "+13065552001",
    "13065552001",
    "3065552001",
    "01113065552001",
    "0013065552001",
    "+13065552001;npdi;rn=+13065559999",
    "+13065552001;npdi=yes;rn=3065559999",
    "13065552001;phone-context=+1",
    "+1-306-555-2001",
    "%2B13065552001",
    "+1(306)555.2001",
]
KNOWN = {
    **{user: Sent(user, to="<sip:somebody@example.com>") for user in IN_REQUEST},
    "only in To": Sent(to=f"<sip:{DID}@{HOST}>"),
    "To with a name": Sent(to=f'"Acme, Ltd" <sip:13065552001@{HOST}>'),
    "To with a name of angle brackets": Sent(to=f'"Acme <306> x" <sip:3065552001@{HOST}>'),
    "To without angle brackets": Sent(to=f"sip:+13065552001@{HOST}"),
    "To with portability": Sent(to=f"<sip:+13065552001;npdi@{HOST};user=phone>"),
    "To as a tel address": Sent(to="<tel:+13065552001>"),
    "To as a tel address with a context": Sent(to="<tel:3065552001;phone-context=+1>"),
    "in P-Called-Party-ID": Sent(to="<sip:x@y>", headers=(f"P-Called-Party-ID: <sip:+13065552001@{HOST}>",)),
    "P-Called-Party-ID without brackets": Sent(to="<sip:x@y>", headers=("P-Called-Party-ID: sip:3065552001@x",)),
    "a trunk that says To": Sent("+442079460018", to=f"<sip:{DID}@{HOST}>", address=TRUNK_TO),
    "a trunk that says P-Called-Party-ID": Sent(
        "+442079460018", to="<sip:x@y>", headers=(f"P-Called-Party-ID: <sip:{DID}@x>",), address=TRUNK_PARTY
    ),
    "the request line before To": Sent(DID, to=f"<sip:+442079460018@{HOST}>"),
}
UNKNOWN = {
    "another number": Sent("+13065559999"),
    "no user part": Sent(""),
    **{
        user: Sent(user)
        for user in ("h", "i", "s", "t", "e", "o", "a", "fax", "T", "account", "sales-desk", "*97", "#")
    },
    "letters of another script": Sent("B%C3%BCro"),
    "200 characters": Sent("9" * 200),
    "400 letters": Sent("x" * 400),
    "a zero byte": Sent("%00"),
    "a zero byte in a number": Sent("1306555%002999"),
    "a function": Sent("%24%7BSHELL(touch%20np-was-here)%7D"),
    "an expression": Sent("%24%5B1+1%5D"),
    "an application's arguments": Sent("1,hangup"),
    "a quote": Sent("%22"),
    "a line break": Sent("%0d%0aEvent:%20Hangup"),
    "a pattern": Sent("_X."),
    "an underscore and dots": Sent("_!"),
}


async def _send(exchange: Exchange, caller: str, sent: Sent) -> Row:
    invite = Invite(
        request_user=sent.request_user,
        caller=caller,
        to=sent.to if sent.to is not None else "<sip:somebody@example.com>",
        headers=sent.headers,
    )
    return await exchange.talk(invite, sent.address)


@pytest.mark.parametrize("sent", KNOWN.values(), ids=list(KNOWN))
async def test_a_known_number_live(exchange: Exchange, caller: str, sent: Sent) -> None:
    row = await _send(exchange, caller, sent)
    assert (row["did"], row["number_id"], row["source_id"], row["decided_by"]) == (DID, 1, 1, "gateway")
    assert (row["outcome"], row["answered_by"], row["caller"]) == ("answered", "PJSIP/main", caller)


@pytest.mark.parametrize("sent", UNKNOWN.values(), ids=list(UNKNOWN))
async def test_whatever_else_rings_the_default_line(exchange: Exchange, caller: str, sent: Sent) -> None:
    row = await _send(exchange, caller, sent)
    assert (row["number_id"], row["source_id"], row["decided_by"]) == (None, None, "gateway")
    assert (row["outcome"], row["answered_by"], row["caller"]) == ("answered", "PJSIP/main", caller)
    assert not list(exchange.installation.folder.rglob("np-was-here"))


async def test_all_of_them_without_the_gateway(exchange: Exchange) -> None:
    """The fallback meets the same numbers; the calls come into the log once a gateway is back."""
    installation = exchange.installation
    before = await installation.newest()
    await installation.gateway.kill()
    try:
        wanted: dict[str, int | None] = {}
        for number, (sent, known) in enumerate(
            [*((sent, 1) for sent in KNOWN.values()), *((sent, None) for sent in UNKNOWN.values())]
        ):
            caller = f"+1306445{number:04}"
            wanted[caller] = known
            to = sent.to if sent.to is not None else "<sip:somebody@example.com>"
            invite = Invite(request_user=sent.request_user, caller=caller, to=to, headers=sent.headers)
            call = await exchange.place(caller_talks(invite, 0), "main", address=sent.address)
            await call.done()
    finally:
        await installation.gateway.start()
    rows = await installation.ended(before, len(wanted), 15)
    assert {row["caller"]: row["number_id"] for row in rows} == wanted
    assert {row["outcome"] for row in rows} == {"answered"}
    assert {row["decided_by"] for row in rows if row["number_id"]} == {"fallback"}
    assert {row["decided_by"] for row in rows if not row["number_id"]} == {"default"}
