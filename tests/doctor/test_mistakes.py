"""Each mistake in Asterisk's files, made in a real installation: the doctor finds that one, and says what to type."""

import asyncio
from dataclasses import dataclass

import pytest

from tests.doctor.clinic import Clinic


@dataclass(frozen=True)
class Mistake:
    """What is done to a file, what the doctor must find by it (and nothing else), and what it says to type."""

    kind: str
    file: str
    before: str
    after: str
    where: str
    mend: str
    also: tuple[str, ...] = ()


CARRIER = "\n[trunk]\ntype=identify\nendpoint=trunk\nmatch=127.0.0.1\n"
FROM_TRUNK = "context=from-trunk\n"
PJSIP = [
    Mistake("trunk.allow-transfer", "pjsip.conf", "allow_transfer=no\n", "", "trunk", "allow_transfer=no"),
    Mistake("trunk.allow-transfer", "pjsip.conf", "allow_transfer=no", "allow_transfer=yes", "trunk", "=no"),
    Mistake("trunk.allow-subscribe", "pjsip.conf", "allow_subscribe=no\n", "", "trunk", "allow_subscribe=no"),
    Mistake("trunk.direct-media", "pjsip.conf", "direct_media=no\n", "", "trunk", "direct_media=no"),
    Mistake("trunk.unmatched", "pjsip.conf", CARRIER, "\n", "trunk", "type=identify  endpoint=trunk"),
    Mistake("trunk.by-name", "pjsip.conf", "identify_by=ip\n", "", "trunk", "identify_by=ip"),
    Mistake("trunk.everybody", "pjsip.conf", "match=127.0.0.1", "match=0.0.0.0/0", "trunk", "match=THE CARRIER"),
    Mistake(
        "trunk.same-address",
        "pjsip.conf",
        "",
        "\n[door]\ntype=endpoint\ncontext=phones\nallow=ulaw\n[door]\ntype=identify\nendpoint=door\nmatch=127.0.0.1\n",
        "trunk",
        "remove the match from the identify section of trunk or of door",
    ),
    Mistake("trunk.uri-options", "pjsip.conf", "ignore_uri_user_options=yes\n", "", "", "ignore_uri_user_options=yes"),
    Mistake(
        "trunk.identifier-order",
        "pjsip.conf",
        "type=global\n",
        "type=global\nendpoint_identifier_order=username,anonymous\n",
        "",
        "endpoint_identifier_order=ip,username",
    ),
    Mistake(
        "trunk.identify-nobody",
        "pjsip.conf",
        "",
        "\n[ghost]\ntype=identify\nendpoint=ghost\nmatch=127.0.0.99\n",
        "ghost",
        "endpoint=AN ENDPOINT",
    ),
    Mistake(
        "trunk.unreachable",
        "pjsip.conf",
        "[trunk]\ntype=aor\n",
        "[trunk]\ntype=aor\nqualify_timeout=0.2\ncontact=sip:127.0.0.1:9\n",
        "trunk",
        "pjsip qualify trunk",
    ),
    Mistake(
        "trunk.unregistered",
        "pjsip.conf",
        "",
        "\n[trunk]\ntype=registration\nserver_uri=sip:127.0.0.1:9\nclient_uri=sip:a@127.0.0.1:9\nendpoint=trunk\nline=yes\n",
        "trunk",
        "pjsip send register trunk",
    ),
    Mistake("trunk.none", "pjsip.conf", "context=numberpool-in", "context=phones", "", "context=numberpool-in"),
    Mistake(
        "destination.no-transport",
        "pjsip.conf",
        "context=phones\ntransport=udp\n",
        "context=phones\n",
        "main",
        "[main] type=endpoint:  transport=",
    ),
    Mistake(
        "destination.trusts-identity",
        "pjsip.conf",
        "trust_id_inbound=no\naors=main",
        "trust_id_inbound=yes\naors=main",
        "main",
        "trust_id_inbound=no",
    ),
    Mistake("destination.no-aor", "pjsip.conf", "aors=main-aor\n", "", "main", "aors=main"),
    Mistake(
        "destination.no-qualify",
        "pjsip.conf",
        "qualify_frequency=60\n",
        "qualify_frequency=60\n",
        "main",
        "[main-aor] type=aor:  qualify_frequency=60",
    ),
    Mistake(
        "destination.not-registered",
        "pjsip.conf",
        "contact=sip:main@",
        ";contact=sip:main@",
        "main",
        "show endpoint main",
    ),
    Mistake(
        "destination.unreachable",
        "pjsip.conf",
        "[main-aor]\ntype=aor\ncontact=sip:main@127.0.0.1:",
        "[main-aor]\ntype=aor\nqualify_timeout=0.2\ncontact=sip:main@127.0.0.1:9\n;",
        "main",
        "pjsip qualify main",
    ),
    Mistake(
        "default.no-endpoint",
        "pjsip.conf",
        "[main]\n",
        "[Main]\n",
        "calls.default_destination",
        'default_destination = "PJSIP/Main"',
        ("destination.no-endpoint",),
    ),
    Mistake("codec.none", "pjsip.conf", "allow=ulaw,alaw,g722\n", "", "trunk", "allow=ulaw,alaw,g722"),
    Mistake("codec.untranslated", "pjsip.conf", "allow=ulaw,alaw,g722", "allow=g729", "trunk", "allow=ulaw,alaw,g729"),
    Mistake("codec.untranslated", "pjsip.conf", "allow=ulaw,alaw,g722", "allow=g729,ulaw", "trunk", "allow=ulaw,alaw"),
    Mistake(
        "tones.no-zone",
        "pjsip.conf",
        "aors=main-aor\n",
        "aors=main-aor\ntone_zone=zz\n",
        "zz",
        "indications.conf:  [zz]",
    ),
    Mistake(
        "music.no-class",
        "pjsip.conf",
        "aors=main-aor\n",
        "aors=main-aor\nmoh_suggest=jazz\n",
        "jazz",
        "[jazz]  mode=files",
    ),
    Mistake(
        "nat.private",
        "pjsip.conf",
        "match=127.0.0.1",
        "match=127.0.0.1,8.8.8.8",
        "trunk",
        "external_media_address=YOUR PUBLIC ADDRESS",
    ),
    Mistake(
        "nat.half",
        "pjsip.conf",
        "protocol = udp\n",
        "protocol = udp\nexternal_media_address=203.0.113.7\nlocal_net=10.0.0.0/8\n",
        "udp",
        "external_signaling_address=203.0.113.7",
    ),
    Mistake(
        "nat.no-local-net",
        "pjsip.conf",
        "protocol = udp\n",
        "protocol = udp\nexternal_media_address=203.0.113.7\nexternal_signaling_address=203.0.113.7\n",
        "udp",
        "local_net=",
    ),
]
INCLUDE = "#include"
OTHERS = [
    Mistake("dialplan.not-loaded", "extensions.conf", INCLUDE, ";", "numberpool-in", "#include {conf}/numberpool-ext"),
    Mistake(
        "dialplan.stranger",
        "extensions.conf",
        "",
        "\n[numberpool-in]\nexten => _+1306.,1,Hangup()\n",
        "numberpool-in",
        "give the lines of _+1306. a context of another name",
    ),
    Mistake(
        "dialplan.changed",
        "extensions.conf",
        INCLUDE,
        "[numberpool-in]\nexten => _!,1,Hangup()\n#include",
        "numberpool-in",
        "remove any other [numberpool-in]",
    ),
    Mistake("tones.none", "indications.conf", "country = us\n", "", "", "country = us"),
    Mistake("tones.no-zone", "indications.conf", "country = us", "country = zz", "zz", "[zz]  ring = "),
    Mistake("music.no-class", "musiconhold.conf", "[default]", "[other]", "default", "[default]  mode=files"),
    Mistake("music.no-files", "musiconhold.conf", "/moh", "/spool", "default", "put sound files into"),
    Mistake("music.no-files", "musiconhold.conf", "/moh", "/nowhere", "default", "put sound files into"),
    Mistake("rtp.range", "rtp.conf", "rtpstart = ", "rtpstart = 6", "", "rtpstart=10000"),
    Mistake("rtp.few", "rtp.conf", "rtpend = ", "rtpend = {few}\n;", "", "rtpend=20000"),
    Mistake("rtp.ephemeral", "rtp.conf", "rtpend = ", "rtpend = 65535\n;", "", "rtpend=20000", ("rtp.sip-port",)),
    Mistake("rtp.sip-port", "rtp.conf", "rtpend = ", "rtpend = 65535\n;", "udp", "rtpend=20000", ("rtp.ephemeral",)),
]


def name_of(mistake: Mistake) -> str:
    return f"{mistake.kind} {mistake.after.strip()[:20]}"


async def test_nothing_is_wrong_with_a_good_installation(patient: Clinic) -> None:
    assert await patient.says() == {}


@pytest.mark.parametrize("mistake", [*PJSIP, *OTHERS], ids=name_of)
async def test_a_mistake_in_a_file(patient: Clinic, mistake: Mistake) -> None:
    pbx = patient.installation.pbx
    before, after = mistake.before, mistake.after.replace("{few}", str(pbx.rtp_ports[0] + 19))
    if mistake.kind == "destination.no-qualify":  # the second one, of the phone
        text = await asyncio.to_thread((pbx.etc / "pjsip.conf").read_text)
        before = text[text.index("[main-aor]") :]
        after = before.replace("qualify_frequency=60\n", "")
    async with patient.mistake(mistake.file, before, after):
        if mistake.kind.endswith("unreachable"):
            await pbx.cli(f"pjsip qualify {mistake.where}")
        found = (await patient.says(mistake.kind, *mistake.also))[mistake.kind]
    assert mistake.where in found.where
    assert mistake.mend.replace("{conf}", str(patient.installation.conf)) in "\n".join(found.mend)
    assert found.what.endswith(".")
    assert found.node == "pbx"
