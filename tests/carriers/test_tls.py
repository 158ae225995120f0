"""Signalling over TLS and audio over SRTP (trunks/tls.conf), with certificates of an authority of our own."""

from pathlib import Path

import trustme

from gateway.local.programs import AsteriskHome
from tests.carriers.examples import example
from tests.carriers.far_end import BUSINESS_HZ, CALLER_HZ, FarEnd, endpoint, free_tcp, free_udp, transport
from tests.carriers.site import Site, same_in_every_example, settings
from tests.installation import Installation, Number
from tests.stack import eventually

OURS, CARRIER, IMPOSTOR, INSIDE = "127.0.0.1", "127.0.0.4", "127.0.0.5", "127.0.0.30"
DESK = Number("+13065552001", ("PJSIP/talk@desk",), record=True)
MOBILE = Number("+13065552002", ("PJSIP/+13065559876@carrier-tls",))
FALSE = Number("+13065552003", ("PJSIP/+13065559876@impostor", "PJSIP/talk@desk"))


def certificate(folder: Path, authority: trustme.CA, name: str) -> dict[str, str]:
    """Files of a certificate for ``name``, and of the authority behind it."""
    issued = authority.issue_cert(name)
    files = {part: folder / f"{name}.{part}" for part in ("pem", "key", "ca")}
    for number, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(files["pem"], append=number > 0)
    issued.private_key_pem.write_to_path(files["key"])
    authority.cert_pem.write_to_path(files["ca"])
    return {
        "protocol": "tls",
        "method": "tlsv1_2",
        "cert_file": str(files["pem"]),
        "priv_key_file": str(files["key"]),
        "ca_list_file": str(files["ca"]),
    }


def build(home: AsteriskHome, folder: Path, dsn: str) -> Site:
    far = FarEnd(home, folder)
    authority, another = trustme.CA(), trustme.CA()
    us, carrier, impostor = free_tcp(OURS), free_tcp(CARRIER), free_tcp(IMPOSTOR)
    inside = free_udp(INSIDE)
    ours = certificate(folder, authority, OURS)
    trunk = example(
        "tls",
        {
            "0.0.0.0:5061": us,
            "/etc/asterisk/keys/asterisk.pem": ours["cert_file"],
            "/etc/asterisk/keys/asterisk.key": ours["priv_key_file"],
            "/etc/ssl/certs/ca-certificates.crt": ours["ca_list_file"],
            "sip.carrier.example": carrier,
            "192.0.2.10": CARRIER,
        },
    )
    tls = {"transport": "transport-tls", "media_encryption": "sdes"}
    others = transport("udp-desk", inside) + endpoint("desk", far.at, transport="udp-desk")
    others += endpoint("impostor", f"{impostor}\\;transport=tls", **tls)
    pbx = Installation(home, folder, dsn, [DESK, MOBILE, FALSE], (), {"pjsip.conf": trunk + others})
    far.add(transport("tls", carrier, verify_server="yes", **certificate(folder, authority, CARRIER)))
    far.add(transport("tls-impostor", impostor, **certificate(folder, another, IMPOSTOR)))
    far.add(endpoint("desk", identify=INSIDE))
    far.add(endpoint("secure", f"{us}\\;transport=tls", OURS, transport="tls", media_encryption="sdes"))
    far.add(endpoint("open", f"{us}\\;transport=tls", transport="tls"))
    return Site(pbx, far)


async def test_what_matters_in_it(site: Site) -> None:
    shown = settings(await site.pbx.cli("pjsip show endpoint carrier-tls"))
    assert {*same_in_every_example(), ("media_encryption", "sdes")} <= set(shown)
    assert ("media_encryption_optimistic", "false") in shown
    assert site.complaints() == []


async def test_a_call_comes_in(site: Site, caller: str) -> None:
    call = await site.call(DESK.e164, caller, "secure")
    assert (call["outcome"], call["trunk"], call["caller"]) == ("answered", "carrier-tls", caller)
    # Audio is encrypted, and so is signalling; on the way to the desk neither is.
    assert await site.far.note(f"secure-{caller}") == "1 1"
    assert await site.far.note(f"line-secure-{caller}") == "0 0"
    assert site.far.loudness("line", caller, CALLER_HZ) > 0.15
    assert site.far.loudness("caller", caller, BUSINESS_HZ) > 0.15
    assert (await site.recording(call))["state"] == "ready"


async def test_a_call_goes_out(site: Site, caller: str) -> None:
    call = await site.call(MOBILE.e164, caller, "secure")
    assert (call["outcome"], call["answered_by"]) == ("answered", "PJSIP/carrier-tls")
    assert await site.far.note(f"line-secure-{caller}") == "1 1"
    assert site.far.loudness("line", caller, CALLER_HZ) > 0.15


async def test_a_call_without_srtp_is_refused(site: Site, caller: str) -> None:
    before = await site.installation.newest()
    await site.far.cli("pjsip set logger on")
    site.far.place(f"PJSIP/{DESK.e164}@open", caller)

    async def is_refused() -> bool:
        return "SIP/2.0 488" in (site.far.asterisk.folder / "log" / "full").read_text(errors="replace")

    await eventually(is_refused)
    assert await site.installation.newest() == before


async def test_a_carrier_with_a_false_certificate_gets_no_call(site: Site, caller: str) -> None:
    """It has one of another authority; the next destination rings instead."""
    call = await site.call(FALSE.e164, caller, "secure")
    legs = [(leg["dial"], leg["result"]) for leg in await site.installation.legs(call)]
    assert legs == [("PJSIP/+13065559876@impostor", "failed"), ("PJSIP/talk@desk", "answered")]
