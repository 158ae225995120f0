"""Mistakes in where calls come from and go to: trunk contexts, destinations, recorders, numbers, fallback routes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.settings import TrunkSettings
from tests.doctor.clinic import RELOADS, Clinic


@asynccontextmanager
async def from_trunk(patient: Clinic, context: str) -> AsyncIterator[None]:
    """The trunk comes into a context of the admin's own."""
    async with (
        patient.mistake("extensions.conf", "", f"\n[from-trunk]\n{context}\n"),
        patient.mistake("pjsip.conf", "context=numberpool-in", "context=from-trunk"),
    ):
        yield


@asynccontextmanager
async def destination(patient: Clinic, name: str, dial: str) -> AsyncIterator[None]:
    """A further destination of the company, as an older version or somebody's SQL may have left it."""
    sql = patient.installation.sql
    await sql("INSERT INTO destinations (company_id, name, dial) VALUES (1, $1, $2)", name, dial)
    try:
        yield
    finally:
        await sql("DELETE FROM destinations WHERE name = $1", name)


# -- on the way here -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "context",
    [
        "include => numberpool-in",
        "exten => _.,1,Goto(numberpool-in,${EXTEN},1)",
        "exten => _[+0-9]!,1,NoOp()\n same => n,GotoIf($[1]?numberpool-in,${EXTEN},1)",
        "exten => 100,1,Dial(PJSIP/main)\ninclude => numberpool-in",
    ],
)
async def test_contexts_that_lead_here(patient: Clinic, context: str) -> None:
    async with from_trunk(patient, context):
        await patient.says()


@pytest.mark.parametrize(
    ("context", "place", "extension"),
    [
        ("exten => _+1306.,1,Dial(PJSIP/main)\ninclude => numberpool-in", "from-trunk", "_+1306."),
        ("include => early\ninclude => numberpool-in\n[early]\nexten => _[+1]X.,1,Hangup()", "early", "_[+1]X."),
        ("exten => +13065552001,1,Hangup()\ninclude => numberpool-in", "from-trunk", "+13065552001"),
    ],
    ids=["an own extension", "an earlier include", "one number"],
)
async def test_an_extension_that_takes_the_calls(patient: Clinic, context: str, place: str, extension: str) -> None:
    async with from_trunk(patient, context):
        found = await patient.says("dialplan.taken")
    assert found["dialplan.taken"].where == place
    assert extension in found["dialplan.taken"].what
    assert "+13065552001" in found["dialplan.taken"].what
    assert "in pjsip.conf, [trunk]:  context=numberpool-in" in found["dialplan.taken"].mend


async def test_a_context_that_knows_no_such_number(patient: Clinic) -> None:
    async with from_trunk(patient, "exten => _5XXX,1,Goto(numberpool-in,${EXTEN},1)\nexten => _+1.,1,Hangup()"):
        found = await patient.says("dialplan.unreached")
    typed = "in extensions.conf, [from-trunk]:  exten => +13065552001,1,Goto(numberpool-in,${EXTEN},1)"
    assert typed in found["dialplan.unreached"].mend[0]
    assert "+13065552001, +13065552002" in found["dialplan.unreached"].what


async def test_a_context_that_names_our_numbers_in_one_form(patient: Clinic) -> None:
    """As in a dialplan of the admin's own, where all other calls go elsewhere."""
    context = "exten => _306555200X,1,Goto(numberpool-in,${EXTEN},1)\nexten => _[+0-9].,1,Dial(PJSIP/main)"
    async with from_trunk(patient, context):
        await patient.says()


# -- on the way on -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "dial", "mend"),
    [
        ("destination.no-endpoint", "PJSIP/nobody", "[nobody]  type=endpoint"),
        ("destination.no-endpoint", "PJSIP/main&PJSIP/Main", "PJSIP/main"),
        ("destination.no-endpoint", "PJSIP/+13065559999@carrier", "[carrier]  type=endpoint"),
        ("destination.local", "Local/100@phones", "Local/100@phones/n"),
        ("destination.no-extension", "Local/900@phones/n", "[phones]  exten => 900,1,..."),
        ("destination.no-extension", "Local/100@nowhere/n", "[nowhere]  exten => 100,1,..."),
        ("destination.context-not-allowed", "Dialplan/100@phones", 'dialplan_contexts = ["phones"]'),
        ("destination.no-driver", "SIP/reception", "PJSIP/reception"),
        ("destination.no-driver", "IAX2/office", "module load chan_iax2.so"),
        ("destination.loop", "PJSIP/+13065552002@trunk", "THE LINE BEHIND THAT NUMBER"),
        ("destination.no-trunks", "Trunk/+13065559999", '[[nodes.trunks]]  name = "AN ENDPOINT OF pjsip.conf"'),
        ("destination.emergency", "PJSIP/911@trunk", "PJSIP/A LINE OF YOURS"),
        ("destination.loop", "PJSIP/3065552002@trunk", "THE LINE BEHIND THAT NUMBER"),
    ],
)
async def test_a_destination_that_leads_nowhere(patient: Clinic, kind: str, dial: str, mend: str) -> None:
    async with destination(patient, "Sales", dial):
        found = await patient.says(kind)
    assert found[kind].where == "Sales"
    assert mend in "\n".join(found[kind].mend)


@pytest.mark.parametrize("dial", ["PJSIP/main", "PJSIP/+13065559999@trunk", "Local/100@phones/n"])
async def test_destinations_that_are_there(patient: Clinic, dial: str) -> None:
    async with destination(patient, "Sales", dial):
        await patient.says()


async def test_a_trunk_of_the_settings_that_is_not_there(patient: Clinic) -> None:
    settings = patient.settings
    (node,) = settings.nodes
    trunks = (TrunkSettings(name="trunk"), TrunkSettings(name="elsewhere"))
    wanting = settings.model_copy(update={"nodes": (node.model_copy(update={"trunks": trunks}),)})
    kinds = {each.kind: each for each in await patient.findings(wanting)}
    assert kinds["trunk.no-endpoint"].where == "elsewhere"
    # Rendered files know of the trunks as well.
    assert set(kinds) <= {"trunk.no-endpoint", "files.old", "files.missing", "dialplan.old"}


# -- two recorders -------------------------------------------------------------------------------------------------


async def test_a_trunk_context_that_records(patient: Clinic) -> None:
    recording = "exten => _.,1,MixMonitor(${UNIQUEID}.wav)\n same => n,Goto(numberpool-in,${EXTEN},1)"
    async with from_trunk(patient, recording):
        found = await patient.says("recording.twice")
    assert found["recording.twice"].where == "from-trunk"
    assert found["recording.twice"].mend[0].startswith("in extensions.conf, [from-trunk]: take MixMonitor() out")


async def test_a_destination_that_records(patient: Clinic) -> None:
    recording = (
        "\n[queues]\nexten => 601,1,MixMonitor(another.wav)\n"
        "exten => 600,1,Gosub(rec,s,1)\n same => n,Dial(PJSIP/main)\n"
        '[rec]\nexten => s,1,ExecIf($["1" = "1"]?MixMonitor(a.wav))\n same => n,Return()\n'
        "exten => 700,1,NoOp()\n[unused]\nexten => s,1,MixMonitor(b.wav)\n"
    )
    async with patient.mistake("extensions.conf", "", recording), destination(patient, "Sales", "Local/600@queues/n"):
        found = await patient.says("recording.twice")
    assert found["recording.twice"].where == "rec"


async def test_a_queue_that_records(patient: Clinic) -> None:
    async with (
        patient.mistake("extensions.conf", "", "\n[queues]\nexten => 600,1,Queue(sales,t)\n"),
        patient.mistake("queues.conf", "", "\n[sales]\nstrategy = ringall\nmonitor-format = wav\n"),
        destination(patient, "Sales", "Local/600@queues/n"),
    ):
        found = await patient.says("recording.twice")
    assert "in queues.conf, [sales]: remove monitor-format" in found["recording.twice"].mend


async def test_a_second_recorder_where_nothing_is_recorded_by_us(patient: Clinic) -> None:
    sql = patient.installation.sql
    recording = "exten => _.,1,MixMonitor(${UNIQUEID}.wav)\n same => n,Goto(numberpool-in,${EXTEN},1)"
    await sql("UPDATE tracking_numbers SET record_calls = false")
    try:
        async with from_trunk(patient, recording):
            await patient.says()
    finally:
        await sql("UPDATE tracking_numbers SET record_calls = true WHERE e164 = '+13065552001'")


# -- numbers -------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def calls(patient: Clinic, did: str, number_id: int | None, *days_ago: float) -> AsyncIterator[None]:
    """Calls in the log, so many days old."""
    sql = patient.installation.sql
    for days in days_ago:
        await sql(
            "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, started_at) "
            "SELECT 1, id, gen_random_uuid()::text, 3, 'ended', 'answered', $1, $2, now() - make_interval(secs => $3) "
            "FROM nodes",
            did,
            number_id,
            days * 86400,
        )
    try:
        yield
    finally:
        await sql("DELETE FROM calls")


async def test_a_number_that_no_pool_knows(patient: Clinic) -> None:
    async with calls(patient, "+13065558888", None, 1, 2, 29, 31):
        found = await patient.says("number.unknown")
    assert "was called 3 times in the last 30 days" in found["number.unknown"].what
    assert 'numberpool number add "+13065558888"' in found["number.unknown"].mend[0]


async def test_a_number_that_was_added_after_its_calls(patient: Clinic) -> None:
    async with calls(patient, "+13065552002", None, 1), calls(patient, "+13065558888", None, 40):
        await patient.says()


async def test_calls_without_a_number(patient: Clinic) -> None:
    async with calls(patient, "", None, 1):
        found = await patient.says("number.unread")
    assert "set_var=NP_DID_FROM=to" in found["number.unread"].mend[0]


async def test_a_number_that_has_never_rung(patient: Clinic) -> None:
    sql = patient.installation.sql
    await sql("UPDATE tracking_numbers SET created_at = now() - interval '20 days'")
    try:
        await patient.says()  # none rang: nothing to compare with
        async with calls(patient, "+13065552001", 1, 1):
            found = await patient.says("number.silent")
    finally:
        await sql("UPDATE tracking_numbers SET created_at = now()")
    assert found["number.silent"].where == "+13065552002"
    assert "has never rung since it was added" in found["number.silent"].what
    assert "call +13065552002 from a mobile" in found["number.silent"].mend[0]


async def test_a_number_that_went_silent(patient: Clinic) -> None:
    sql = patient.installation.sql
    await sql("UPDATE tracking_numbers SET created_at = now() - interval '200 days'")
    try:
        async with (
            calls(patient, "+13065552001", 1, *range(1, 90)),
            calls(patient, "+13065552002", 2, *range(31, 90)),
        ):
            found = await patient.says("number.silent")
    finally:
        await sql("UPDATE tracking_numbers SET created_at = now()")
    assert found["number.silent"].where == "+13065552002"
    assert "before, it rang 1.0 times a day on average" in found["number.silent"].what


async def test_a_number_that_rings_seldom_is_not_silent(patient: Clinic) -> None:
    sql = patient.installation.sql
    await sql("UPDATE tracking_numbers SET created_at = now() - interval '200 days'")
    try:
        async with (
            calls(patient, "+13065552001", 1, *range(1, 90)),
            calls(patient, "+13065552002", 2, 31, 52, 75, 98, 119),
        ):
            await patient.says()
    finally:
        await sql("UPDATE tracking_numbers SET created_at = now()")


@pytest.mark.parametrize(
    "spoil", ["database put numberpool 999 nonsense", "database del numberpool +13065552001", "database put {} 1|old"]
)
async def test_fallback_routes_unlike_the_database(patient: Clinic, spoil: str) -> None:
    pbx = patient.installation.pbx
    await pbx.cli(spoil.format("numberpool +13065552001"))
    try:
        found = await patient.says("fallback.unequal")
    finally:
        await pbx.cli("database del numberpool 999")
        await patient.installation.gateway.stop()
        await patient.installation.gateway.start()
    assert "A fallback route in Asterisk is not what the database says" in found["fallback.unequal"].what
    assert "numberpool run" in found["fallback.unequal"].mend[0]


def test_every_file_that_is_changed_here_can_be_reloaded() -> None:
    assert {"pjsip.conf", "extensions.conf", "queues.conf"} <= set(RELOADS)


# -- what we ship -----------------------------------------------------------------------------------------------------


async def test_our_own_example_of_a_trunk_is_well(patient: Clinic) -> None:
    """The example of a carrier known by its address, filled in as it says, instead of the installation's trunk."""
    pbx = patient.installation.pbx
    text = await asyncio.to_thread((pbx.etc / "pjsip.conf").read_text)
    trunk = text[text.index("[trunk]") : text.index("[main]")]
    contact = re.search(r"contact=sip:(127\.0\.0\.1:\d+)", trunk)
    assert contact is not None
    example = patient.texts["trunks/address.conf"].replace("192.0.2.10:5060", contact[1])
    example = example.replace("192.0.2.10", "127.0.0.1").replace("transport=transport-udp", "transport=udp")
    async with patient.mistake("pjsip.conf", trunk, example + "\n"):
        await pbx.cli("pjsip qualify carrier-ip")
        await patient.says()
