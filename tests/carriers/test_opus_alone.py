"""Opus on an Asterisk that cannot transcode it (most have no codec_opus): calls pass through."""

from pathlib import Path

from gateway.local.programs import AsteriskHome
from tests.carriers.examples import example
from tests.carriers.far_end import BUSINESS_HZ, CALLER_HZ, FarEnd, endpoint
from tests.carriers.site import Site
from tests.installation import Installation, Number
from tests.stack import eventually, lasts

PLAIN, RECORDED, OTHER = (
    Number("+13065552001", ("PJSIP/talk@line-opus",), record=False),
    Number("+13065552002", ("PJSIP/talk@line-opus",), record=True),
    Number("+13065552003", ("PJSIP/talk@line-both",), record=True),
)
TALK = 1.0  # seconds
NOT_LOADED = "noload = codec_opus.so\nnoload = codec_opus_open_source.so\n"


def build(home: AsteriskHome, folder: Path, dsn: str) -> Site:
    far = FarEnd(home, folder)
    trunk = example("address", {"192.0.2.10:5060": far.at, "192.0.2.10": far.address, "transport-udp": "udp"})
    lines = endpoint("line-opus", far.at, allow="opus") + endpoint("line-both", far.at, allow="ulaw,opus")
    pbx = Installation(
        home,
        folder,
        dsn,
        [PLAIN, RECORDED, OTHER],
        extra_config={"pjsip.conf": trunk + lines, "modules.conf": NOT_LOADED},
    )
    at = f"{pbx.pbx.address}:{pbx.pbx.sip_port}"
    far.add(endpoint("pbx", identify=pbx.pbx.address, allow="ulaw,opus"))
    far.add(endpoint("to-opus", at, allow="opus") + endpoint("to-both", at, allow="opus,ulaw"))
    return Site(pbx, far)


async def test_it_passes_through(site: Site, caller: str) -> None:
    paths = (await site.pbx.cli("core show translation paths ulaw")).splitlines()
    assert all("No Translation Path" in line for line in paths if "opus" in line)
    call = await site.call(PLAIN.e164, caller, "to-opus", talk=TALK)
    assert call["outcome"] == "answered"
    assert site.far.loudness("line", caller, CALLER_HZ) > 0.15
    assert site.far.loudness("caller", caller, BUSINESS_HZ) > 0.15


async def test_a_recorded_call_survives_and_its_recording_claims_nothing(site: Site, caller: str) -> None:
    """MixMonitor writes nothing then, and the call goes on as if it were not there."""
    call = await site.call(RECORDED.e164, caller, "to-opus", talk=TALK)
    assert call["outcome"] == "answered"
    assert lasts(call["talk_seconds"], TALK)
    assert site.far.loudness("line", caller, CALLER_HZ) > 0.15
    assert site.far.loudness("caller", caller, BUSINESS_HZ) > 0.15
    query = "SELECT state FROM recordings WHERE call_id = $1"

    async def is_settled() -> bool:
        return {"state": "pending"} not in await site.installation.sql(query, call["id"])

    await eventually(is_settled)
    assert {"state": "ready"} not in await site.installation.sql(query, call["id"])
    assert not list((site.installation.data / "recordings").rglob("*.mp3"))


async def test_a_carrier_that_offers_another_codec_is_recorded_all_the_same(site: Site, caller: str) -> None:
    """Because the example has Opus last, and takes what it prefers: this carrier would have liked Opus better."""
    call = await site.call(OTHER.e164, caller, "to-both")
    assert await site.far.note(f"codec-{caller}") == "(ulaw)"
    recording = await site.recording(call)
    assert recording["state"] == "ready"
