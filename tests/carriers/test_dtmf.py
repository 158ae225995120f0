"""Keys that a caller presses reach the business line, however trunk and line send them."""

from pathlib import Path

from gateway.local.programs import AsteriskHome
from tests.carriers.examples import example
from tests.carriers.far_end import FarEnd, endpoint, free_udp, transport
from tests.carriers.site import Site
from tests.installation import Installation, Number

KINDS = ("rfc4733", "info", "inband")
PRESSED = "4207"
NUMBERS = {kind: Number(f"+1306555200{n}", (f"PJSIP/digits@line-{kind}",), record=True) for n, kind in enumerate(KINDS)}


def build(home: AsteriskHome, folder: Path, dsn: str) -> Site:
    """Each kind of trunk and of line has an address of its own, by which the other side knows it."""
    far = FarEnd(home, folder)
    trunks, lines = "", ""
    pbx = Installation(home, folder, dsn, list(NUMBERS.values()))
    for n, kind in enumerate(KINDS):
        outside, inside = free_udp(f"127.0.0.{20 + n}"), free_udp(f"127.0.0.{30 + n}")
        trunks += example(
            "address",
            {
                "192.0.2.10:5060": outside,
                "192.0.2.10": outside.split(":")[0],
                "transport-udp": "udp",
                "carrier-ip": f"carrier-{kind}",
                "dtmf_mode=rfc4733": f"dtmf_mode={kind}",
            },
        )
        lines += transport(f"udp-{kind}", inside)
        lines += endpoint(f"line-{kind}", far.at, transport=f"udp-{kind}", dtmf_mode=kind)
        far.add(transport(f"udp-{kind}", outside))
        at = f"{pbx.pbx.address}:{pbx.pbx.sip_port}"
        far.add(endpoint(f"to-{kind}", at, transport=f"udp-{kind}", dtmf_mode=kind))
        far.add(endpoint(f"pbx-{kind}", identify=inside.split(":")[0], dtmf_mode=kind))
    pbx.pbx.config["pjsip.conf"] += trunks + lines
    return Site(pbx, far)


async def test_every_kind_to_every_kind(site: Site) -> None:
    """All at once; what the line's menu understood is what the caller pressed."""
    before = await site.installation.newest()
    callers = {f"+1306444{a}{b}00": (trunk, line) for a, trunk in enumerate(KINDS) for b, line in enumerate(KINDS)}
    for caller, (trunk, line) in callers.items():
        site.far.place(f"PJSIP/{NUMBERS[line].e164}@to-{trunk}", caller, talk=8, digits=PRESSED)
    calls = await site.installation.ended(before, len(callers), 40)
    understood = {callers[call["caller"]]: await site.far.note(f"digits-{call['caller']}") for call in calls}
    assert understood == dict.fromkeys(callers.values(), PRESSED)
    assert {call["trunk"] for call in calls} == {f"carrier-{kind}" for kind in KINDS}
