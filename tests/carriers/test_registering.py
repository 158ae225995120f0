"""A carrier that the PBX registers with (trunks/registering.conf): its calls come in on the registration."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.scenarios import Invite, caller_refused, caller_talks
from tests.carriers.examples import example
from tests.carriers.far_end import BUSINESS_HZ, CALLER_HZ, FarEnd, endpoint, free_udp, transport
from tests.carriers.site import Site, same_in_every_example, settings
from tests.installation import Installation, Number
from tests.stack import eventually

DESK = Number("+13065552001", ("PJSIP/talk@desk",))
MOBILE = Number("+13065552002", ("PJSIP/+13065559876@carrier-reg",))
SECRET = "a-long-secret"
ANYWHERE = "127.0.0.9"


@dataclass(frozen=True)
class OnTheLine(Invite):
    """A carrier's call to the contact that was registered, whatever number was dialled."""

    line: str = ""

    @property
    def request(self) -> str:
        """The contact, as the carrier knows it."""
        return f"{super().request};line={self.line}"


def build(home: AsteriskHome, folder: Path, dsn: str) -> Site:
    far = FarEnd(home, folder)
    trunk = example(
        "registering",
        {"sip.carrier.example": far.at, "account": "acme", "change-me": SECRET, "transport-udp": "udp"},
    )
    inside = free_udp("127.0.0.30")
    desk = transport("udp-desk", inside) + endpoint("desk", far.at, transport="udp-desk")
    pbx = Installation(home, folder, dsn, [DESK, MOBILE], ("main",), {"pjsip.conf": trunk + desk})
    far.add(endpoint("desk", identify=inside.split(":")[0]))
    far.add(endpoint("acme", auth="acme").replace("type=aor\n", "type=aor\nmax_contacts=1\n"))
    far.add(f"[acme]\ntype=auth\nauth_type=userpass\nusername=acme\npassword={SECRET}\n")
    return Site(pbx, far)


async def registered(site: Site) -> str:
    """The ``line`` of the contact that the carrier has of us, once it has one."""
    found: list[str] = []

    async def is_there() -> bool:
        shown = await site.far.cli("pjsip show aor acme")
        found[:] = re.findall(r"contact +: sip:numberpool@127\.0\.0\.1:\d+;line=(\w+)", shown)
        return bool(found)

    await eventually(is_there)
    return found[0]


async def test_what_matters_in_it(site: Site) -> None:
    shown = await site.pbx.cli("pjsip show endpoint carrier-reg")
    assert set(same_in_every_example()) <= set(settings(shown))
    assert site.complaints() == []


async def test_it_registers_and_never_gives_up(site: Site) -> None:
    await registered(site)
    shown = await site.pbx.cli("pjsip show registrations")
    assert re.search(rf"carrier-reg/sip:{site.far.at} +carrier-reg +Registered", shown), shown
    settled = dict(settings(await site.pbx.cli("pjsip show registration carrier-reg")))
    assert int(settled["max_retries"]) > 10_000
    assert int(settled["fatal_retry_interval"]) > 0


async def test_a_call_on_the_registration(site: Site, caller: str) -> None:
    """The other Asterisk calls the contact that it was given, with the dialled number in its place."""
    line = await registered(site)
    contact = f"sip:{DESK.e164}@{site.pbx.address}:{site.pbx.sip_port};line={line}"
    before = await site.installation.newest()
    site.far.place(f"PJSIP/acme/{contact}", caller)
    call = await site.installation.ended_one(before, 20)
    assert (call["outcome"], call["trunk"], call["did"]) == ("answered", "carrier-reg", DESK.e164)
    assert (call["caller"], call["answered_by"]) == (caller, "PJSIP/desk")
    assert site.far.loudness("line", caller, CALLER_HZ) > 0.15
    assert site.far.loudness("caller", caller, BUSINESS_HZ) > 0.15


@pytest.mark.parametrize("where", ["to", "party"])
async def test_the_dialled_number_in_another_header(site: Site, caller: str, where: str) -> None:
    """The request line names the account alone, as most carriers that one registers with have it."""
    number = f"<sip:{DESK.e164}@carrier.example>"
    account = "<sip:acme@carrier.example>"
    invite = OnTheLine(
        did="numberpool",
        caller=caller,
        to=number if where == "to" else account,
        headers=() if where == "to" else (f"P-Called-Party-ID: {number}",),
        line=await registered(site),
    )
    before = await site.installation.newest()
    sipp = await site.exchange.place(caller_talks(invite), address=ANYWHERE)
    await sipp.done()
    call = await site.installation.ended_one(before)
    assert (call["outcome"], call["trunk"], call["did"]) == ("answered", "carrier-reg", DESK.e164)


async def test_who_does_not_know_the_line_gets_no_call(site: Site, caller: str) -> None:
    await registered(site)
    before = await site.installation.newest()
    for line, from_ in (("guessed", None), ("", f"<sip:carrier-reg@{ANYWHERE}>")):
        invite = OnTheLine(DESK.e164, caller, from_=from_, line=line)
        sipp = await site.exchange.place(caller_refused(invite, 401), address=ANYWHERE)
        await sipp.done()
    assert await site.installation.newest() == before


async def test_a_call_goes_out_by_the_account(site: Site, caller: str) -> None:
    """A mobile as destination: the carrier asks for the password and gets it."""
    line = await registered(site)
    contact = f"sip:{MOBILE.e164}@{site.pbx.address}:{site.pbx.sip_port};line={line}"
    before = await site.installation.newest()
    site.far.place(f"PJSIP/acme/{contact}", caller)
    call = await site.installation.ended_one(before, 20)
    assert (call["outcome"], call["answered_by"]) == ("answered", "PJSIP/carrier-reg")
    assert site.far.loudness("caller", caller, BUSINESS_HZ) > 0.15
