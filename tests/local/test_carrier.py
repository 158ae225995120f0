"""The simulated carrier against an Asterisk that does nothing but forward to the business line."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from gateway.local.asterisk import PrivateAsterisk
from gateway.local.carrier import (
    Business,
    Carrier,
    DidForm,
    DidIn,
    Scenario,
    did_as,
    parse_placed,
    parse_rung,
)
from gateway.local.programs import AsteriskHome
from gateway.local.voices import (
    BUSINESS_TONE_HZ,
    CALLER_TONE_HZ,
    CONVERSATIONS,
    RATE,
    Side,
    make_sounds,
)
from tests.stack import lasts

DID = "+13065552001"

FORWARD = """
[in]
exten => _[+a-z0-9].,1,Set(TO=${PJSIP_HEADER(read,To)})
 same => n,Set(FILE(${SEEN}/${CALLERID(num)},,,al,u)=${EXTEN} ${TO} ${PJSIP_HEADER(read,P-Called-Party-ID)})
 same => n,MixMonitor(,br(${SEEN}/${CALLERID(num)}-caller.sln)t(${SEEN}/${CALLERID(num)}-business.sln))
 same => n,Dial(PJSIP/+13065551234@carrier,5)
 same => n,Hangup(${IF($[0${HANGUPCAUSE} = 0]?19:${HANGUPCAUSE})})
"""

TRUNK = """
[carrier]
type = endpoint
transport = udp
context = in
disallow = all
allow = ulaw
direct_media = no
aors = carrier
[carrier]
type = aor
contact = sip:{host}:{port}
[carrier]
type = identify
endpoint = carrier
match = {host}
"""


_numbers = itertools.count(13065550100)


@pytest.fixture
def caller() -> str:
    """Somebody who has not called before."""
    return f"+{next(_numbers)}"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="np-test-"))
    (path / "seen").mkdir()
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def seen(folder: Path) -> Path:
    """What the PBX saw and recorded of each caller."""
    return folder / "seen"


@pytest_asyncio.fixture(scope="module")
async def carrier(asterisk_home: AsteriskHome, folder: Path, seen: Path) -> AsyncIterator[Carrier]:
    sounds = await asyncio.to_thread(make_sounds, asterisk_home, folder / "sounds")
    pbx = PrivateAsterisk(asterisk_home, folder / "pbx", name="pbx")
    carrier = Carrier(asterisk_home, folder / "carrier", sounds, customer=(pbx.address, pbx.sip_port))
    host, port = carrier.address
    pbx.config = {
        "extensions.conf": f"[globals]\nSEEN = {seen}\n{FORWARD}",
        "pjsip.conf": TRUNK.format(host=host, port=port),
    }
    try:
        await asyncio.gather(pbx.start(), carrier.start())
        yield carrier
    finally:
        await asyncio.gather(pbx.stop(), carrier.stop())


@pytest.mark.parametrize(
    ("scenario", "status", "sip_code", "talk"),
    [
        (Scenario(after=0.2, talk=1), "ANSWER", 200, 1.0),
        (Scenario(after=0.2, talk=1, ends=Side.CALLER), "ANSWER", 200, 1.0),
        (Scenario(Business.BUSY, after=0), "BUSY", 486, 0.0),
        (Scenario(Business.BUSY, after=0.3), "BUSY", 486, 0.0),
        (Scenario(Business.FORBIDDEN, after=0), "CHANUNAVAIL", 403, 0.0),
        (Scenario(Business.UNAVAILABLE, after=0), "CONGESTION", 503, 0.0),
        (Scenario(Business.NO_ANSWER), "NOANSWER", 480, 0.0),
        (Scenario(after=5, caller_leaves_at=0.5), "CANCEL", None, 0.0),
        (Scenario(after=0.2, talk=30, caller_leaves_at=1.2), "ANSWER", 200, 1.0),
    ],
)
async def test_each_scenario_happens_and_is_reported(
    carrier: Carrier, caller: str, scenario: Scenario, status: str, sip_code: int | None, talk: float
) -> None:
    report = await carrier.place(DID, caller, scenario)
    assert report.status == status
    assert report.answered is (talk > 0)
    assert lasts(report.talk_seconds, talk)
    if sip_code is not None:
        assert report.sip_code == sip_code
    if scenario.caller_leaves_at is not None:
        assert lasts(report.ended - report.began, scenario.caller_leaves_at)
    rung = await carrier.business_report(caller)
    assert rung.dialled == "+13065551234"
    assert rung.caller == caller
    assert (rung.answered is not None) is report.answered


async def test_early_media_is_heard_before_the_answer(carrier: Carrier, caller: str) -> None:
    early = Scenario(Business.EARLY_MEDIA, after=0, talk=1)
    report = await carrier.place(DID, caller, early)
    rung = await carrier.business_report(caller)
    assert rung.answered is not None
    announcement = carrier.sounds.seconds("early")
    assert lasts(rung.answered - rung.began, announcement)
    assert lasts(report.talk_seconds, 1.0)


@pytest.mark.parametrize(
    ("did_form", "did_in", "suffix", "request_user", "to_user"),
    [
        ("+E164", "request", "", "+13065552001", "+13065552001"),
        ("E164", "request", "", "13065552001", "13065552001"),
        ("national", "request", "", "3065552001", "3065552001"),
        ("E164", "to", "", "account", "13065552001"),
        ("+E164", "party", "", "account", "account"),
        ("+E164", "request", ";npdi=yes", "+13065552001", "+13065552001"),
    ],
)
async def test_the_number_in_the_forms_that_carriers_send(
    carrier: Carrier,
    caller: str,
    seen: Path,
    did_form: DidForm,
    did_in: DidIn,
    suffix: str,
    request_user: str,
    to_user: str,
) -> None:
    await carrier.place(
        DID,
        caller,
        Scenario(after=0, talk=0.2),
        did_form=did_form,
        did_in=did_in,
        did_suffix=suffix,
    )
    words = (seen / caller).read_text().split()
    assert words[0].partition(";")[0] == request_user
    assert f"sip:{to_user}" in words[1]
    assert ("+13065552001" in " ".join(words[2:])) is (did_in == "party")


async def test_left_is_told_from_right(carrier: Carrier, caller: str, seen: Path) -> None:
    await carrier.place(DID, caller, Scenario(after=0.1, talk=2))
    assert _loudest(seen / f"{caller}-caller.sln") == pytest.approx(CALLER_TONE_HZ, abs=5)
    assert _loudest(seen / f"{caller}-business.sln") == pytest.approx(BUSINESS_TONE_HZ, abs=5)


def _loudest(path: Path) -> float:
    samples = np.fromfile(path, "<i2").astype(float)
    assert samples.size > RATE
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.fft.rfftfreq(samples.size, 1 / RATE)[int(np.argmax(spectrum))])


async def test_many_calls_at_a_time_each_have_their_own_plan(carrier: Carrier) -> None:
    plans = [Scenario(after=0.2, talk=1) if number % 2 else Scenario(Business.BUSY, after=0) for number in range(12)]
    reports = await asyncio.gather(
        *(carrier.place(DID, f"+130655502{number:02}", plan) for number, plan in enumerate(plans))
    )
    assert [report.answered for report in reports] == [bool(n % 2) for n in range(12)]


async def test_a_name_and_a_withheld_number_arrive(carrier: Carrier, caller: str) -> None:
    await carrier.place(DID, caller, Scenario(after=0, talk=0.1), name="Zoë Rün; x")
    await carrier.place(DID, None, Scenario(after=0, talk=0.1), name="Nobody")
    known = await carrier.business_report(caller)
    assert known.caller_name == "Zoë Rün; x"
    assert not any("Nobody" in each.caller_name for each in carrier.business_reports())
    with pytest.raises(ValueError, match="one line"):
        await carrier.place(DID, caller, name="two\nlines")


async def test_in_a_conversation_only_one_speaks_at_a_time(asterisk_home: AsteriskHome, tmp_path: Path) -> None:
    sounds = await asyncio.to_thread(make_sounds, asterisk_home, tmp_path)
    for name in CONVERSATIONS:
        sides = [np.fromfile(sounds.voice(name, side) + ".sln", "<i2") for side in Side]
        left, right = sides
        assert left.size == right.size
        assert not np.any((left != 0) & (right != 0))
        assert 1 < sounds.seconds(name) < 25


def test_reports_are_read_as_they_are_written() -> None:
    placed = parse_placed("10.5^14.0^ANSWER^16^SIP 200 OK^500^2001\n")
    assert placed.answered
    assert (placed.sip_code, placed.ring_seconds, placed.talk_seconds) == (200, 0.5, 2.001)
    gone = parse_placed("10.5^11.0^CANCEL^^^^\n")
    assert (gone.sip_code, gone.cause, gone.talk_seconds) == (None, 0, 0.0)
    rung = parse_rung("10.5^^11.0^+1306^+1307^17^a^b\n")
    assert (rung.answered, rung.caller_name) == (None, "a^b")


def test_forms_of_a_number() -> None:
    assert did_as(DID, "+E164") == "+13065552001"
    assert did_as(DID, "E164") == "13065552001"
    assert did_as(DID, "national") == "3065552001"
