"""Mistakes with the AMI accounts and the rendered files, made in a real installation."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr

from gateway.asterisk.ami import AmiLink
from gateway.asterisk.render import write_files
from gateway.doctor.conf import read_config
from gateway.local.processes import free_port
from gateway.settings import Settings
from tests.doctor.clinic import RELOADS, Clinic
from tests.stack import eventually

ACCOUNTS = "numberpool-manager.conf"
STORE_MAY = "write = system,reporting,originate"
FILTER = "eventfilter(action(include),name(UserEvent),header(UserEvent),method(starts_with)) = NP\n"


@asynccontextmanager
async def spoilt_account(patient: Clinic, before: str, after: str) -> AsyncIterator[None]:
    """The rendered accounts, changed by hand."""
    path = patient.installation.conf / ACCOUNTS
    async with patient.rewritten(path, before, after, RELOADS["manager.conf"]):
        yield


def with_node(settings: Settings, **changes: object) -> Settings:
    """The settings with another node in them."""
    (node,) = settings.nodes
    return settings.model_copy(update={"nodes": (node.model_copy(update=changes),)})


async def lines_of(patient: Clinic, account: str, key: str) -> list[str]:
    """What an account of the rendered file says, as it is typed."""
    config = await asyncio.to_thread(read_config, patient.installation.conf, ACCOUNTS)
    return [
        f"{name} = {value}".strip()
        for section in config.named(account)
        for name, value in section.options
        if name.startswith(key)
    ]


@pytest.mark.parametrize(
    ("kind", "before", "after", "account", "key"),
    [
        ("ami.rights", "write = call,user,reporting", "write = user,reporting", "numberpool", "write"),
        ("ami.rights", "write = call,user,reporting", "write = call,user", "numberpool", "write"),
        ("ami.rights", "write = call,user,reporting", "write = call,reporting", "numberpool", "write"),
        ("ami.too-many-rights", "write = call,user,reporting", "write = all", "numberpool", "write"),
        ("ami.too-many-rights", STORE_MAY, f"{STORE_MAY},command", "", "write"),
        ("ami.no-events", "read = user", "read = log,x", "numberpool", "read"),
        ("ami.filter", FILTER, "", "numberpool", "eventfilter"),
        ("ami.filter", FILTER, "eventfilter = Event: .*\n", "numberpool", "eventfilter"),
    ],
)
async def test_a_spoilt_account(patient: Clinic, kind: str, before: str, after: str, account: str, key: str) -> None:
    account = account or "numberpool-store"
    wanted = await lines_of(patient, account, key)
    if kind == "ami.filter":  # without any filter at all, everything comes
        text = await asyncio.to_thread((patient.installation.conf / ACCOUNTS).read_text)
        lines = [line for line in text.splitlines(keepends=True) if line.startswith("eventfilter")]
        before = "".join(text[text.index(lines[0]) : text.index(lines[-1]) + len(lines[-1])])
    async with spoilt_account(patient, before, after):
        found = await patient.says(kind, "files.by-hand", *(["ami.lines"] if kind == "ami.too-many-rights" else []))
    assert found[kind].where == account
    for line in wanted:
        assert f"in {ACCOUNTS}, [{account}]:  {line}" in found[kind].mend
    assert RELOADS["manager.conf"] in found[kind].mend[-1]


async def test_a_store_account_without_its_class_is_told_and_the_rest_goes_on(patient: Clinic) -> None:
    """What only that account may look at is not known then, and nothing is made up about it."""
    async with spoilt_account(patient, STORE_MAY, "write = reporting"):
        found = await patient.says("ami.rights", "files.by-hand")
    assert found["ami.rights"].where == "numberpool-store"
    assert f"in numberpool-manager.conf, [numberpool-store]:  {STORE_MAY}" in found["ami.rights"].mend


async def test_a_line_that_an_account_lacks(patient: Clinic) -> None:
    async with spoilt_account(patient, "writetimeout = 5000\n", ""):
        found = await patient.says("ami.lines", "files.by-hand")
    assert f"in {ACCOUNTS}, [numberpool]:  writetimeout = 5000" in found["ami.lines"].mend


async def test_an_account_that_is_there_twice(patient: Clinic) -> None:
    again = "\n[numberpool]\nsecret = s-calls\nread = user,call\nwrite = call,user,reporting\n" + FILTER
    async with patient.mistake("manager.conf", "", again):
        found = await patient.says("ami.twice")
    assert found["ami.twice"].where == "numberpool"
    assert "remove every [numberpool] but that of numberpool-manager.conf" in found["ami.twice"].mend[0]


async def test_a_second_account_with_another_secret_keeps_us_out(patient: Clinic) -> None:
    async with patient.mistake("manager.conf", "", "\n[numberpool-store]\nsecret = other\nwrite = system\n"):
        found = await patient.says("ami.refused", "ami.twice")
    assert "2 times, and the last one counts" in found["ami.refused"].what


async def test_another_secret_than_the_settings(patient: Clinic) -> None:
    settings = with_node(patient.settings, secret=SecretStr("forgotten"))
    # The rendered file is of earlier settings then.
    found = await patient.says("ami.refused", "files.old", settings=settings, folder=patient.installation.pbx.etc)
    assert "its secret in manager.conf is another than in the settings" in found["ami.refused"].what
    assert "numberpool asterisk render --node pbx" in found["ami.refused"].mend


async def test_accounts_that_nobody_included(patient: Clinic) -> None:
    async with patient.mistake("manager.conf", "#include", ";"):
        found = await patient.says("ami.refused", folder=patient.installation.pbx.etc)
    assert "manager.conf does not have it" in found["ami.refused"].what
    assert any("at the end of manager.conf:  #include" in line for line in found["ami.refused"].mend)


async def test_nobody_answers(patient: Clinic) -> None:
    """The rest is looked at all the same: here files and database."""
    etc = patient.installation.pbx.etc
    settings = with_node(patient.settings, port=free_port())
    async with patient.mistake("rtp.conf", "rtpstart = ", "rtpstart = 6"):
        found = await patient.says("ami.no-answer", "rtp.range", settings=settings, folder=etc)
    said = found["ami.no-answer"]
    port = patient.installation.pbx.ami_port
    assert f"manager.conf says port {port}" in said.what
    assert said.mend == (f"in numberpool.toml, [[nodes]]:  port = {port}",)


async def test_the_manager_interface_is_switched_off(patient: Clinic) -> None:
    pbx = patient.installation.pbx
    async with patient.mistake("manager.conf", "enabled = yes", "enabled = no"):
        found = await patient.says("ami.no-answer", folder=pbx.etc)
        assert "manager.conf has it switched off" in found["ami.no-answer"].what
        assert found["ami.no-answer"].mend[0] == "in manager.conf, [general]:  enabled = yes"
    await eventually(patient.installation.gateway.is_well, 20)


async def test_a_certificate_of_nobody_we_know(patient: Clinic, tmp_path: Path) -> None:
    authority, port = trustme.CA(), free_port()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "pair.pem"))
    lines = f"tlsenable = yes\ntlsbindaddr = 127.0.0.1:{port}\ntlscertfile = {tmp_path / 'pair.pem'}\n"
    async with patient.mistake("manager.conf", "enabled = yes\n", f"enabled = yes\n{lines}"):
        known = with_node(patient.settings, tls=True, port=port, tls_ca=tmp_path / "authority.pem")
        await patient.says(settings=known)
        unknown = with_node(patient.settings, tls=True, port=port)
        found = await patient.says("ami.certificate", settings=unknown, folder=patient.installation.pbx.etc)
    assert "is not trusted" in found["ami.certificate"].what
    assert 'tls_ca = "' in found["ami.certificate"].mend[0]


async def test_no_gateway(patient: Clinic) -> None:
    gateway = patient.installation.gateway
    await gateway.stop()
    try:
        found = await patient.says("gateway.none")
        assert found["gateway.none"].severity == "note"
    finally:
        await gateway.start()


async def test_two_gateways(patient: Clinic) -> None:
    port = patient.installation.pbx.ami_port
    other = await AmiLink.connect("127.0.0.1", port, "numberpool", "s-calls", lambda _: None)
    try:
        found = await patient.says("gateway.several")
    finally:
        other.close()
    assert "manager show connected" in found["gateway.several"].mend[0]


@pytest.mark.parametrize("module", ["func_rand", "app_userevent", "codec_alaw", "format_sln"])
async def test_a_module_that_is_not_loaded(patient: Clinic, module: str) -> None:
    pbx = patient.installation.pbx
    await pbx.cli(f"module unload {module}.so")
    try:
        found = await patient.says("module.missing")
    finally:
        await pbx.cli(f"module load {module}.so")
    assert found["module.missing"].where == module
    assert f"asterisk -rx 'module load {module}.so'" in found["module.missing"].mend


async def test_no_music_module(patient: Clinic) -> None:
    pbx = patient.installation.pbx
    await pbx.cli("module unload res_musiconhold.so")
    try:
        found = await patient.says("music.no-module")
    finally:
        await pbx.cli("module load res_musiconhold.so")
    assert "asterisk -rx 'module load res_musiconhold.so'" in found["music.no-module"].mend


# -- rendered files ---------------------------------------------------------------------------------------------------


async def test_files_that_were_changed_by_hand(patient: Clinic) -> None:
    path = patient.installation.conf / "numberpool-extensions.conf"
    async with patient.rewritten(path, "", "\n[mine]\nexten => 1,1,Hangup()\n", RELOADS["extensions.conf"]):
        found = await patient.says("files.by-hand")
    assert found["files.by-hand"].where == str(path)
    assert "files of your own" in found["files.by-hand"].mend[0]


async def test_a_comment_is_no_change(patient: Clinic) -> None:
    path = patient.installation.conf / "numberpool-extensions.conf"
    async with patient.rewritten(path, "", "\n; ask Bob before you touch this\n", RELOADS["extensions.conf"]):
        await patient.says()


async def test_files_of_earlier_settings(patient: Clinic) -> None:
    """The settings were changed, and nobody rendered and reloaded."""
    settings = patient.settings
    calls = settings.calls.model_copy(update={"decision_bound_ms": 450})
    found = await patient.says(
        "files.old", "files.missing", "dialplan.old", settings=settings.model_copy(update={"calls": calls})
    )
    render = f"numberpool asterisk render --node pbx --into {patient.installation.conf}"
    assert render in found["files.old"].mend
    assert found["dialplan.old"].mend == ("numberpool asterisk render", "asterisk -rx 'dialplan reload'")


async def test_files_that_were_rendered_and_not_reloaded(patient: Clinic) -> None:
    installation = patient.installation
    path = installation.conf / "numberpool-extensions.conf"
    async with patient.rewritten(path, "np-call-", "np-cull-", RELOADS["extensions.conf"]):
        await asyncio.to_thread(write_files, patient.texts, installation.conf)  # right again, but not read
        found = await patient.says("dialplan.changed")
        await asyncio.to_thread(_forget_copies, installation.conf)
    assert "asterisk -rx 'dialplan reload'" in found["dialplan.changed"].mend


def _forget_copies(folder: Path) -> None:
    for copy in folder.glob("*.changed-*"):
        copy.unlink()


async def test_files_that_are_not_there(patient: Clinic) -> None:
    path = patient.installation.conf / ACCOUNTS
    aside = path.with_suffix(".aside")
    shutil.move(path, aside)
    try:
        found = await patient.says("files.missing")
    finally:
        shutil.move(aside, path)
    assert found["files.missing"].where == str(path)


async def test_a_file_that_cannot_be_read_is_a_note(patient: Clinic) -> None:
    path = patient.installation.conf / ACCOUNTS
    aside = path.with_suffix(".aside")
    async with AsyncExitStack() as undo:
        shutil.move(path, aside)
        undo.callback(shutil.move, aside, path)
        await asyncio.to_thread(path.mkdir)
        undo.callback(path.rmdir)
        found = await patient.says("files.unreadable")
    assert found["files.unreadable"].severity == "note"
    assert "sudo numberpool doctor" in found["files.unreadable"].mend
