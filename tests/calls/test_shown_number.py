"""Whose number a carrier is shown: the rule of each trunk, on the wire, with each header once."""

from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_reinvites, caller_talks, line_answers
from tests.calls.wire import Seen, address
from tests.installation import TRUNK_TRUSTING, Installation, Number

MAIN = "+13065550000"
MOBILE = "+13065559876"
# Trunks that show the caller's number, by what else their endpoint says.
KINDS = {
    "caller": "",
    "pai": "send_pai=yes",
    "rpid": "send_rpid=yes",
    "trusted": "trust_id_outbound=yes",
    "pai-trusted": "send_pai=yes\ntrust_id_outbound=yes",
    "all": "send_pai=yes\nsend_rpid=yes\ntrust_id_outbound=yes",
    "account": "from_user=account\nfrom_domain=carrier.example",
}
OURS = {"tracking": "tracking", "head": "main"}
DIDS = {name: f"+130655521{position:02}" for position, name in enumerate((*KINDS, *OURS, "plain"))}


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(
        home,
        folder,
        dsn,
        [Number(did, (f"PJSIP/{MOBILE}@{name}",)) for name, did in DIDS.items()],
        ("main", *DIDS),
        company={"main_number": MAIN},
        trunks=[
            *({"name": name, "shows": "caller"} for name in KINDS),
            *({"name": name, "shows": shows} for name, shows in OURS.items()),
            {"name": "plain", "diversion": False},
        ],
        endpoints=KINDS,
    )


async def _carrier(exchange: Exchange, name: str) -> Seen:
    return Seen({name: await exchange.line(name, line_answers())})


@pytest.mark.parametrize("kind", ["caller", "rpid", "trusted"])
async def test_the_callers_number_and_ours_beside_it(exchange: Exchange, caller: str, kind: str) -> None:
    seen = await _carrier(exchange, kind)
    row = await exchange.call(caller_talks(Invite(DIDS[kind], caller), 0.05))
    (invite,) = seen.invites(kind)
    assert row["outcome"] == "answered"
    assert invite.user == MOBILE
    assert address(caller) in invite.caller
    assert (invite.one("P-Asserted-Identity") or "").startswith(address(DIDS[kind]))
    assert (invite.one("Diversion") or "").startswith(address(DIDS[kind]))
    assert (invite.one("Diversion") or "").endswith(";reason=unconditional")
    assert invite.one("Privacy") is None
    assert (invite.one("Remote-Party-ID") is not None) == (kind == "rpid")


@pytest.mark.parametrize("kind", ["pai", "pai-trusted", "all"])
async def test_an_endpoint_that_sends_its_own_identity_is_not_told_twice(
    exchange: Exchange, caller: str, kind: str
) -> None:
    """send_pai=yes: Asterisk asserts the number shown, and we leave it alone."""
    seen = await _carrier(exchange, kind)
    await exchange.call(caller_talks(Invite(DIDS[kind], caller), 0.05))
    (invite,) = seen.invites(kind)
    assert address(caller) in (invite.one("P-Asserted-Identity") or "")
    assert (invite.one("Diversion") or "").startswith(address(DIDS[kind]))


async def test_a_trunk_with_an_account_in_from_learns_the_number_beside_it(exchange: Exchange, caller: str) -> None:
    seen = await _carrier(exchange, "account")
    await exchange.call(caller_talks(Invite(DIDS["account"], caller), 0.05))
    (invite,) = seen.invites("account")
    assert "<sip:account@carrier.example>" in invite.caller
    assert (invite.one("P-Asserted-Identity") or "").startswith(address(caller))
    assert (invite.one("Diversion") or "").startswith(address(DIDS["account"]))


@pytest.mark.parametrize(("name", "shown"), [("tracking", DIDS["tracking"]), ("head", MAIN)])
async def test_a_number_of_ours(exchange: Exchange, name: str, shown: str) -> None:
    """Nothing of the caller is on the wire, neither number nor name, nor who diverted the call before."""
    diverted = "Diversion: <sip:+13065558888@elsewhere.example>;reason=no-answer"
    seen = await _carrier(exchange, name)
    invite = Invite(DIDS[name], from_='"Anna Kern" <sip:+13065550177@[local_ip]>', headers=(diverted,))
    await exchange.call(caller_talks(invite, 0.05))
    (sent,) = seen.invites(name)
    everything = str(sent)
    assert address(shown) in sent.caller
    assert (sent.one("P-Asserted-Identity") or "").startswith(address(shown))
    assert not [word for word in ("5550177", "Anna", "5558888") if word in everything]
    assert sent.all("Diversion") == []


async def test_an_earlier_diversion_gives_way_to_ours(exchange: Exchange, caller: str) -> None:
    diverted = "Diversion: <sip:+13065558888@elsewhere.example>;reason=no-answer"
    seen = await _carrier(exchange, "caller")
    await exchange.call(caller_talks(Invite(DIDS["caller"], caller, headers=(diverted,)), 0.05))
    (invite,) = seen.invites("caller")
    assert (invite.one("Diversion") or "").startswith(address(DIDS["caller"]))


async def test_no_diversion_where_the_trunk_wants_none(exchange: Exchange, caller: str) -> None:
    seen = await _carrier(exchange, "plain")
    await exchange.call(caller_talks(Invite(DIDS["plain"], caller), 0.05))
    (invite,) = seen.invites("plain")
    assert invite.all("Diversion") == []
    assert (invite.one("P-Asserted-Identity") or "").startswith(address(DIDS["plain"]))


@pytest.mark.parametrize("kind", [*KINDS, *OURS])
async def test_who_withholds_his_number_goes_out_withheld(exchange: Exchange, kind: str) -> None:
    headers = ('P-Asserted-Identity: "Anna Kern" <sip:+13065550177@x>', "Privacy: id")
    invite = Invite(DIDS[kind], from_='"Anonymous" <sip:anonymous@anonymous.invalid>', headers=headers)
    seen = await _carrier(exchange, kind)
    row = await exchange.call(caller_talks(invite, 0.05), address=TRUNK_TRUSTING)
    (sent,) = seen.invites(kind)
    assert (row["caller"], row["caller_name"]) == (None, "")
    assert "5550177" not in str(sent)
    assert "Anna" not in str(sent)
    ours = MAIN if kind == "head" else DIDS[kind]
    assert (sent.one("P-Asserted-Identity") or "").startswith(address(ours))
    if kind in OURS:
        assert address(ours) in sent.caller
        return
    assert '"Anonymous"' in sent.caller
    assert ours not in sent.caller
    assert sent.one("Privacy") == "id"
    assert (sent.one("Diversion") or "").startswith(address(ours))


async def test_phones_are_told_as_before(exchange: Exchange, caller: str) -> None:
    seen = await _carrier(exchange, "main")
    await exchange.call(caller_talks(Invite("+13065550001", caller), 0.05))
    (invite,) = seen.invites("main")
    assert address(caller) in invite.caller
    assert invite.all("P-Asserted-Identity") + invite.all("Diversion") + invite.all("Privacy") == []


@pytest.mark.parametrize("kind", [*KINDS, *OURS])
async def test_what_is_said_of_the_caller_in_mid_call_goes_no_further(exchange: Exchange, kind: str) -> None:
    """A re-INVITE names him, as a carrier's refresh of the session may: whom he talks with hears nothing of it."""
    seen = await _carrier(exchange, kind)
    invite = Invite(DIDS[kind], from_='"Anonymous" <sip:anonymous@anonymous.invalid>')
    named = ['P-Asserted-Identity: "Anna Kern" <sip:+13065550177@x>']
    row = await exchange.call(caller_reinvites(invite, named, 0.5), address=TRUNK_TRUSTING)
    assert (row["caller"], row["caller_name"], row["outcome"]) == (None, "", "answered")
    assert "5550177" not in seen.lines[kind].messages
    assert "Anna" not in seen.lines[kind].messages
