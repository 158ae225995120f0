"""The doctor's plain functions, by table; what they say of Asterisk's rules is asked of a real one where it can be."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.asterisk.render import render_texts
from gateway.doctor import modules, network, sound
from gateway.doctor.accounts import Account, Login, check_rights, check_version
from gateway.doctor.commands import report
from gateway.doctor.conf import Config, parse_config, read_config
from gateway.doctor.contexts import ENTRY, VERSIONS
from gateway.doctor.dialplan import dialplan_of_config, dialplan_of_listing, leads_to, matches, taker
from gateway.doctor.examine import checked
from gateway.doctor.files import is_read_by_asterisk
from gateway.doctor.findings import Area, Finding, error, note, warning
from gateway.doctor.pjsip import Aor, Contact, Endpoint, parts_of
from gateway.doctor.recorders import check_recorders
from gateway.doctor.second_steps import Sealed, check_key
from gateway.doctor.trunks import check_matching
from gateway.doctor.trunks import network as addresses_of
from gateway.http.sealing import KEY_FILE, Seal, key_name
from gateway.settings import CallSettings, NodeSettings
from tests.doctor.clinic import Clinic


def node(**changes: object) -> NodeSettings:
    return NodeSettings.model_validate({"secret": "s1", "store_secret": "s2", "spool": "/var/spool/x"} | changes)


def rendered() -> Config:
    texts = render_texts(node(), CallSettings(), Path("/etc/asterisk/numberpool"))
    return parse_config("\n".join(text for name, text in texts.items() if is_read_by_asterisk(name)))


# -- files ------------------------------------------------------------------------------------------------------------

FILE = """\
; a comment
[general]
key = value ; and a comment
key => other
[tpl](!)
type=endpoint
allow = ulaw
;-- a block
[hidden]
--;
[a](tpl)
context = x\\;y
[a]
type = aor
[b](+)
[a](+type=aor)
contact = sip:a
#include nowhere.conf
"""


def test_a_file() -> None:
    config = parse_config(FILE)
    assert [section.name for section in config.sections] == ["general", "tpl", "a", "a", "b"]
    assert config.named("general")[0].all("key") == ["value", "other"]
    assert config.named("tpl") == []
    first, second = config.named("a")
    assert (first.get("type"), first.get("allow"), first.get("context")) == ("endpoint", "ulaw", "x;y")
    assert (second.get("type"), second.get("contact")) == ("aor", "sip:a")
    assert [section.name for section in config.of_type("endpoint")] == ["a"]


def test_included_files(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text(
        '[one]\nx = 1\n#include "parts/*.conf"\ny = 2\n#include a.conf\n#include none.conf\n'
    )
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "p.conf").write_text("[two]\nz = 3\n")
    config = read_config(tmp_path, "a.conf")
    assert tmp_path / "parts" / "p.conf" in config.includes
    # As Asterisk does: what stands behind an #include goes on with the section before it.
    assert config.named("one")[0].options == (("x", "1"), ("y", "2"))
    assert config.named("two")[0].options == (("z", "3"),)
    assert not read_config(tmp_path, "b.conf").exists


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    dialplan_of_config(parse_config(text))


async def test_a_file_reads_as_asterisk_reads_it(patient: Clinic) -> None:
    """Every extension of our own files, as we read them and as Asterisk runs them."""
    from gateway.doctor.asterisk_look import look_at_asterisk

    found = await look_at_asterisk(patient.settings.nodes[0], ["app_dial", "app_nothing"], None)
    running = found.dialplan
    assert running is not None
    read = dialplan_of_config(read_config(patient.installation.pbx.etc, "extensions.conf"))
    ours = {name: context for name, context in running.items() if name in read}
    assert set(ours) == set(read)
    for name, context in read.items():
        assert {e: dict(s) for e, s in ours[name].extensions.items()} == {
            e: dict(s) for e, s in context.extensions.items()
        }
    assert found.modules == {"app_dial": True, "app_nothing": False}


# -- the dialplan -----------------------------------------------------------------------------------------------------

PATTERNS = [
    "100",
    "+13065552001",
    "_X.",
    "_!",
    "_.",
    "_+1306X!",
    "_NXXNXXXXXX",
    "_[13-5]Z",
    "_1-8-0-0.",
    "_[+]1.",
    "_0[!0]",
]
DIALLED = ["100", "+13065552001", "13065552001", "3065552001", "35", "45", "25", "1800", "18001", "0!", "s", "", "+1"]


async def test_patterns_match_as_in_asterisk(patient: Clinic) -> None:
    extensions = "\n".join(f"[probe-{place}]\nexten => {pattern},1,NoOp()" for place, pattern in enumerate(PATTERNS))
    pbx = patient.installation.pbx
    async with patient.mistake("extensions.conf", "", "\n" + extensions + "\n"):
        for place, pattern in enumerate(PATTERNS):
            for dialled in DIALLED:
                if not dialled:
                    continue
                said = await pbx.cli(f"dialplan eval function DIALPLAN_EXISTS(probe-{place},{dialled},1)")
                answer = re.search(r"Result:\s*(\d)", said)
                assert answer is not None, said
                assert matches(pattern, dialled) is (answer[1] == "1"), (pattern, dialled, said)


DIALPLAN = dialplan_of_config(
    parse_config(
        """
[in]
exten => _X.,1,NoOp()
exten => _13X.,1,NoOp()
exten => 1300,1,NoOp()
exten => 55,hint,PJSIP/a
include => first
include => second,9:00-17:00,mon-fri,*,*
[first]
exten => _+X.,1,GotoIf($["a" = "b"]?end,s,1)
[second]
exten => _.,1,Gosub(loop,s,1)
[loop]
exten => s,1,Dial(Local/1@in/n)
include => loop
[end]
exten => s,1,Hangup()
[else]
exten => s,1,ExecIf($[1]?Goto(in,1,1):NoOp())
"""
    )
)


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("1300", ("in", "1300")),
        ("13001", ("in", "_13X.")),
        ("2000", ("in", "_X.")),
        ("+1306", ("first", "_+X.")),
        ("s", ("second", "_.")),
    ],
)
def test_who_takes_a_call(number: str, place: tuple[str, str]) -> None:
    assert taker(DIALPLAN, "in", number) == place


def test_where_a_call_may_come_to() -> None:
    assert leads_to(DIALPLAN, "in", "end")
    assert leads_to(DIALPLAN, "in", "loop")
    assert leads_to(DIALPLAN, "else", "in")
    assert not leads_to(DIALPLAN, "end", "in")
    assert taker(DIALPLAN, "nowhere", "1") is None
    assert taker(DIALPLAN, "loop", "77") is None


def test_a_listing_of_asterisk() -> None:
    listing = [
        {"Context": "a", "Extension": "1", "Priority": "1", "Application": "NoOp", "AppData": ""},
        {"Context": "a", "Extension": "1", "Priority": "hint", "Application": "PJSIP/x"},
        {"Context": "a", "IncludeContext": "b,9:00-17:00,mon-fri,*,*"},
        {"Context": "a", "Switch": "Realtime/x@"},
        {"Context": "a", "IgnorePattern": "9"},
    ]
    context = dialplan_of_listing(listing)["a"]
    assert (list(context.extensions), context.includes, context.has_switch) == (["1"], ("b",), True)


def test_our_own_dialplan_has_the_contexts_that_are_looked_for() -> None:
    ours = dialplan_of_config(rendered())
    assert {ENTRY, VERSIONS} <= set(ours)
    assert any(leads_to(ours, ENTRY, name) for name in ours if name.startswith("np-ring"))


# -- modules ----------------------------------------------------------------------------------------------------------


def test_every_application_and_function_of_our_dialplan_has_its_module() -> None:
    """A new one needs its line in gateway/doctor/modules.py, or to be known as one of the core."""
    ours = dialplan_of_config(rendered())
    steps = [step for context in ours.values() for step in context.steps]
    used = {step.application for step in steps}
    used |= {name for step in steps for name in re.findall(r"[$#]\{([A-Z_]+)\(", step.data)}
    used |= {name for step in steps if step.application == "Set" for name in re.findall(r"^_*([A-Z_]+)\(", step.data)}
    assert used - set(modules.MODULE_OF) - modules.OF_THE_CORE == set()
    assert {"app_dial", "func_cut", "app_mixmonitor", "app_waitforcond"} <= set(modules.modules_needed(ours))


async def test_the_modules_are_those_that_asterisk_names(patient: Clinic) -> None:
    """Where we say that an application or function lives, it goes away with the module."""
    pbx = patient.installation.pbx
    for module, what in (("func_rand", "function RAND"), ("app_userevent", "application UserEvent")):
        assert "Synopsis" in await pbx.cli(f"core show {what}")
        await pbx.cli(f"module unload {module}.so")
        try:
            assert "Synopsis" not in await pbx.cli(f"core show {what}")
        finally:
            await pbx.cli(f"module load {module}.so")


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("Gosub(sub-record-check,s,1(q,600,force))", True),
        ("Gosub(sub-record-check,s,1(q,600,dontcare))", False),
        ("MixMonitor(x.wav)", True),
        ("Monitor(wav,x)", True),
        ('ExecIf($["a" = "a"]?MixMonitor(x.wav))', True),
        ("Set(MixMonitor=no)", False),
        ("StopMixMonitor()", False),
    ],
)
def test_what_records(step: str, told: bool) -> None:
    """FreePBX's own way into its recorder is on every call; only where it is told to record does it count."""
    text = f"[queue]\nexten => 600,1,{step}\nexten => 601,1,MixMonitor(another.wav)\n"
    freepbx = "[sub-record-check]\nexten => s,1,MixMonitor(y.wav)\n same => n,Return()\n"
    found = check_recorders(dialplan_of_config(parse_config(text + freepbx)), [], [("queue", "600")], None)
    assert [each.where for each in found] == (["queue"] if told else [])


# -- trunks and destinations ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dial", "parts"),
    [
        ("PJSIP/main", [("PJSIP", "main", "", "")]),
        ("PJSIP/+13065551234@carrier", [("PJSIP", "carrier", "", "")]),
        ("PJSIP/main/sip:main@192.0.2.1", [("PJSIP", "main", "", "")]),
        ("Local/100@phones/n&PJSIP/b", [("Local", "100", "phones", "n"), ("PJSIP", "b", "", "")]),
        ("Local/100", [("Local", "100", "default", "")]),
        ("Dialplan/600@queues", [("Dialplan", "600", "queues", "")]),
    ],
)
def test_parts_of_a_dial_string(dial: str, parts: list[tuple[str, str, str, str]]) -> None:
    assert [(each.technology, each.target, each.context, each.options) for each in parts_of(dial)] == parts


def endpoint(name: str = "trunk", *, matches: tuple[str, ...] = (), context: str = ENTRY, **options: str) -> Endpoint:
    return Endpoint(name, {"context": context, "allow": "(ulaw)", **options}, (Aor(name, 60),), matches)


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("192.0.2.1/32", "192.0.2.1/255.255.255.255", True),
        ("192.0.2.0/24", "192.0.2.1/32", False),
        ("192.0.2.1/32", "2001:db8::1/128", False),
        ("carrier.example", "carrier.example", False),
    ],
)
def test_two_trunks_of_one_address(one: str, other: str, told: bool) -> None:
    mine = endpoint("a", matches=(one,), identifyby="ip")
    theirs = endpoint("b", matches=(other,), identifyby="ip", context="phones")
    kinds = [each.kind for each in check_matching([mine], [mine, theirs], [], None)]
    assert kinds == (["trunk.same-address"] if told else [])


def test_addresses() -> None:
    assert str(addresses_of("192.0.2.10/255.255.255.0")) == "192.0.2.0/24"
    assert addresses_of("carrier.example") is None
    assert Contact("sip:a@[2001:db8::1]:5060;transport=tcp").host == "2001:db8::1"
    assert Contact("sips:carrier.example").host == "carrier.example"


# -- sound ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "kinds"),
    [
        ("(ulaw|alaw|g722|opus)", []),
        ("(opus|ulaw)", ["codec.untranslated"]),
        ("(g729)", ["codec.untranslated"]),
        ("(slin16)", []),
        ("(nothing)", ["codec.none"]),
        ("(h264|vp8)", ["codec.none"]),
        ("(ulaw|h264)", []),
        ("(something-new)", []),
    ],
)
def test_codecs(allow: str, kinds: list[str]) -> None:
    loaded = {"codec_ulaw": True, "codec_alaw": True, "codec_g722": True, "codec_opus": False, "codec_g729": False}
    loaded |= {"codec_opus_open_source": False, "codec_g729a": False}
    assert [each.kind for each in sound.check_codecs([endpoint(allow=allow)], loaded)] == kinds
    assert sound.check_codecs([endpoint(allow="(opus)")], {"codec_opus": False, "codec_opus_open_source": True}) == []
    assert sound.check_codecs([endpoint(allow="(g729)")], {}) == []  # nobody could tell


@pytest.mark.parametrize(
    ("start", "end", "kinds"),
    [
        ("10000", "20000", []),
        ("10000", "10050", ["rtp.few"]),
        ("20000", "10000", ["rtp.range"]),
        ("80", "9000", ["rtp.range"]),
        ("x", "9000", ["rtp.range"]),
        ("5000", "31000", ["rtp.sip-port"]),
        ("10000", "40000", ["rtp.ephemeral"]),
        ("", "", ["rtp.sip-port"]),  # Asterisk's own range, where rtp.conf says nothing
    ],
)
def test_ports(start: str, end: str, kinds: list[str]) -> None:
    lines = f"[general]\nrtpstart={start}\nrtpend={end}\n" if start else ""
    transports = [network.Transport("udp", "udp", "0.0.0.0", 5060), network.Transport("tcp", "tcp", "0.0.0.0", 15060)]
    assert [each.kind for each in network.check_rtp(parse_config(lines), transports, (32768, 60999))] == kinds


def test_transports() -> None:
    text = (
        "[a]\ntype=transport\nprotocol=tls\nbind=[::]\n[b]\ntype=transport\nbind=0.0.0.0:5070\nlocal_net=10.0.0.0/8\n"
    )
    first, second = network.transports_of(parse_config(text))
    assert (first.protocol, first.host, first.port) == ("tls", "::", 5061)
    assert (second.protocol, second.host, second.port, second.local_nets) == ("udp", "0.0.0.0", 5070, ("10.0.0.0/8",))


@pytest.mark.parametrize(
    ("bind", "external", "own", "told"),
    [
        ("192.168.1.5", "", "", True),
        ("192.168.1.5", "203.0.113.7", "", False),
        ("0.0.0.0", "", "192.168.1.5", True),
        ("0.0.0.0", "", "9.9.9.9", False),
        ("0.0.0.0", "", "", False),  # nobody knows
        ("9.9.9.9", "", "", False),
    ],
)
def test_nat(bind: str, external: str, own: str, told: bool) -> None:
    transport = network.Transport("udp", "udp", bind, 5060, external, external, ("192.168.0.0/16",) if external else ())
    trunk = endpoint(matches=("8.8.8.8/255.255.255.255",), transport="udp")
    found = network.check_nat([trunk], [transport], {"8.8.8.8": own} if own else {})
    assert [each.kind for each in found] == (["nat.private"] if told else [])
    inside = endpoint(matches=("192.168.1.20/32",), transport="udp")
    assert network.check_nat([inside], [transport], {}) == []


# -- accounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "told"), [("22.10.1", False), ("20.11.0", False), ("20.10.0", True), ("", True)])
def test_versions(text: str, told: bool) -> None:
    assert [each.kind for each in check_version(text)] == (["asterisk.version"] if told else [])


def test_rights_that_nobody_knows_are_no_finding() -> None:
    assert check_rights(node(), Account("numberpool", Login.REFUSED), rendered()) == []


def test_a_check_that_fails_is_told_and_the_others_go_on() -> None:
    def fails() -> list[Finding]:
        raise KeyError("what nobody thought of")

    found = checked([fails, lambda: [error("x", Area.AMI, "An error.")]])
    assert [each.kind for each in found] == ["doctor.failed", "x"]
    assert found[0].severity == "note"


# -- the report -------------------------------------------------------------------------------------------------------


def test_the_report_has_its_headings_and_the_worst_first() -> None:
    found = [
        note("x", Area.AMI, "A note."),
        warning("x", Area.NUMBERS, "A warning.", "type this"),
        error("x", Area.NUMBERS, "An error.", "type that"),
    ]
    assert report(found).splitlines() == [
        *("Manager interface", "  note: A note.", ""),
        *("Numbers", "  ERROR: An error.", "      type that", "  warning: A warning.", "      type this", ""),
        "1 error, 1 warning, 1 note",
    ]
    assert report([found[0]]).splitlines()[-1] == "Nothing is wrong. (1 note)"


# -- the key of second steps -------------------------------------------------------------------------------------------


def test_the_key_of_second_steps(tmp_path: Path) -> None:
    seal, file = Seal(tmp_path), tmp_path / KEY_FILE
    assert check_key([], tmp_path) == []
    assert seal.open(1, seal.close(1, "JBSWY3DPEHPK3PXP")) == "JBSWY3DPEHPK3PXP"
    name = key_name(file.read_bytes())
    dana, old = Sealed("dana@example.com", name), Sealed("old@example.com", "0" * 16)
    assert check_key([dana], tmp_path) == []
    assert [each.kind for each in check_key([dana, Sealed("clear@example.com", "")], tmp_path)] == ["second-step.clear"]
    file.chmod(0o640)
    (open_key,) = check_key([dana], tmp_path)
    assert (open_key.kind, open_key.mend) == ("second-step.open-key", (f"chmod 600 {file}",))
    file.chmod(0o600)
    (another,) = check_key([dana, old], tmp_path)
    assert another.kind == "second-step.key"
    assert "old@example.com" in another.what
    assert "dana@example.com" not in another.what
    file.write_bytes(b"short")
    (spoilt,) = check_key([dana], tmp_path)
    assert spoilt.kind == "second-step.key"
    assert "holds no key" in spoilt.what
    file.unlink()
    (gone,) = check_key([dana], tmp_path)
    assert "not there" in gone.what
    assert "numberpool user second-step-off EMAIL" in gone.mend[1]
