"""The rendered configuration: a real Asterisk loads it, changes by hand are kept, what cannot stand is refused."""

import os
import re
import stat
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.asterisk.render import DIALPLAN, MANIFEST, Change, render_texts, write_files
from gateway.cli import numberpool
from gateway.settings import CallSettings, NodeSettings, SettingsError
from tests.stack import PROJECT, StartAsterisk

# Asterisk advises against a pattern that matches everything at once; catching everything is what it is for.
KNOWN_WARNING = "The use of '_!' for an extension is strongly discouraged"
MOST_LINES = 250
# tests/carriers loads each of them and calls through it.
EXAMPLES = ("address", "failover", "fax", "nat", "registering", "tls")
FILES = [
    "numberpool-dialplan-{version}.conf",
    "numberpool-emergency.conf",
    "numberpool-extensions.conf",
    "numberpool-features.conf",
    "numberpool-manager.conf",
    *(f"trunks/{name}.conf" for name in EXAMPLES),
]


def node(**changes: object) -> NodeSettings:
    return NodeSettings.model_validate({"secret": "s1", "store_secret": "s2", "spool": "/var/spool/x"} | changes)


def version_of(folder: Path) -> str:
    """The version that new calls take."""
    found = re.search(r"Goto\(np-call-([0-9a-f]{8}),s,1\)", (folder / "numberpool-extensions.conf").read_text())
    assert found
    return found[1]


def rendered(folder: Path, **changes: object) -> dict[str, str]:
    return render_texts(node(**changes), CallSettings(), folder)


async def test_a_real_asterisk_loads_it_without_a_word(start_asterisk: StartAsterisk, tmp_path: Path) -> None:
    write_files(rendered(tmp_path, spool=tmp_path / "spool"), tmp_path)
    pbx = await start_asterisk(
        "pbx",
        config={
            "extensions.conf": f"#include {tmp_path}/numberpool-extensions.conf\n",
            "manager.conf": f"#include {tmp_path}/numberpool-manager.conf\n",
        },
    )
    said = [
        line
        for line in pbx.log_file.read_text().splitlines()
        if ("WARNING" in line or "ERROR" in line) and KNOWN_WARNING not in line
    ]
    assert said == []
    contexts = await pbx.cli(f"dialplan show np-ask-{version_of(tmp_path)}")
    assert "WaitForCondition(#,#[" in contexts
    assert ",0.3,0.001)" in contexts
    user = await pbx.cli("manager show user numberpool")
    assert "user" in user
    accounts = await pbx.cli("manager show users")
    assert "numberpool-store" in accounts


async def test_a_reload_loads_it_again_without_a_word(start_asterisk: StartAsterisk, tmp_path: Path) -> None:
    write_files(rendered(tmp_path, spool=tmp_path / "spool"), tmp_path)
    pbx = await start_asterisk("pbx", config={"extensions.conf": f"#include {tmp_path}/numberpool-extensions.conf\n"})
    write_files(render_texts(node(spool=tmp_path / "spool"), CallSettings(decision_bound_ms=450), tmp_path), tmp_path)
    await pbx.cli("dialplan reload")
    assert ",0.45,0.001)" in await pbx.cli(f"dialplan show np-ask-{version_of(tmp_path)}")
    said = [line for line in pbx.log_file.read_text().splitlines() if "ERROR" in line]
    assert said == []


@pytest.mark.parametrize("trunks", [0, 2])
def test_it_is_read_in_one_sitting(tmp_path: Path, trunks: int) -> None:
    """At most 250 lines that are no comments, as a template and as an admin finds it; and every context says why."""
    texts = rendered(tmp_path, trunks=[{"name": f"carrier-{number}"} for number in range(trunks)])
    (written,) = (text for name, text in texts.items() if name.startswith(DIALPLAN))
    template = (PROJECT / "asterisk_conf" / f"{DIALPLAN}.conf.j2").read_text()
    for text in (written, template):
        lines = [line.strip() for line in text.splitlines()]
        assert sum(bool(line) and not line.startswith(";") for line in lines) <= MOST_LINES
    lines = written.splitlines()
    unsaid = [line for line, after in pairwise(lines) if line.startswith("[") and not after.startswith(";")]
    assert unsaid == []


def test_written_once_and_then_unchanged(tmp_path: Path) -> None:
    first = write_files(rendered(tmp_path), tmp_path)
    assert [str(done.file.relative_to(tmp_path)) for done in first] == [
        name.format(version=version_of(tmp_path)) for name in FILES
    ]
    assert {done.change for done in first} == {Change.WRITTEN}
    assert {done.change for done in write_files(rendered(tmp_path), tmp_path)} == {Change.UNCHANGED}
    changed = write_files(rendered(tmp_path, secret="another"), tmp_path)
    assert [done.change for done in changed] == [
        Change.WRITTEN if done.file.name == "numberpool-manager.conf" else Change.UNCHANGED for done in changed
    ]
    assert all(done.kept is None for done in changed)


def test_a_file_changed_by_hand_is_kept_and_told(tmp_path: Path) -> None:
    write_files(rendered(tmp_path), tmp_path)
    file = tmp_path / FILES[1]
    by_hand = file.read_text() + "; my own line\n"
    file.write_text(by_hand)
    done = write_files(rendered(tmp_path), tmp_path)[1]
    assert done.change is Change.REPLACED
    assert done.kept is not None
    assert done.kept.read_text() == by_hand
    assert file.read_text() == rendered(tmp_path)[FILES[1]]
    assert write_files(rendered(tmp_path), tmp_path)[1].change is Change.UNCHANGED


@pytest.mark.parametrize("manifest", [None, "", "{", "[]"])
def test_a_file_of_unknown_origin_is_kept(tmp_path: Path, manifest: str | None) -> None:
    """Also where the manifest is lost or damaged."""
    (tmp_path / FILES[1]).write_text("the admin's own\n")
    if manifest is not None:
        (tmp_path / MANIFEST).write_text(manifest)
    done = write_files(rendered(tmp_path), tmp_path)[1]
    assert done.kept is not None
    assert done.kept.read_text() == "the admin's own\n"


def test_where_there_is_no_room_the_old_file_stays(tmp_path: Path) -> None:
    """Without numberpool-extensions.conf the next reload would leave every call in 404."""
    write_files(rendered(tmp_path), tmp_path)
    entry = tmp_path / "numberpool-extensions.conf"
    entry.write_text(entry.read_text() + "; mine\n")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    config = tmp_path / "numberpool.toml"
    config.write_text(
        '[[nodes]]\nname = "pbx"\nspool = "/var/spool/x"\nsecret = "s1"\nstore_secret = "s2"\n'
        "[calls]\nring_seconds = 17\n"
    )
    # A full disk is not to be had without being root; a limit of the size of files fails in the same place.
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500)); "
    limited += "from gateway.cli import main; main()"
    command = [sys.executable, "-c", limited, "--config", str(config), "asterisk", "render", "--into", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == 1
    assert str(tmp_path / "numberpool-") in done.stderr
    assert "Traceback" not in done.stderr
    config.unlink()
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_file_in_another_script_is_kept_as_it_is(tmp_path: Path) -> None:
    write_files(rendered(tmp_path), tmp_path)
    entry = tmp_path / "numberpool-extensions.conf"
    changed = entry.read_bytes() + "; Grüße\n".encode("latin-1")
    entry.write_bytes(changed)
    (done,) = (each for each in write_files(rendered(tmp_path), tmp_path) if each.change is not Change.UNCHANGED)
    assert done.kept is not None
    assert done.kept.read_bytes() == changed


def test_secrets_are_not_for_everybody(tmp_path: Path) -> None:
    write_files(rendered(tmp_path), tmp_path)
    assert stat.S_IMODE((tmp_path / "numberpool-manager.conf").stat().st_mode) == 0o640
    assert "s1" not in (tmp_path / MANIFEST).read_text()


@pytest.mark.parametrize("secret", ["a;b", "a\nb", "a\r\n[admin]", "a,b", "${x}", "a}", "a$b"])
@pytest.mark.parametrize("which", ["secret", "store_secret"])
def test_a_secret_that_cannot_stand_in_the_file(tmp_path: Path, which: str, secret: str) -> None:
    with pytest.raises(SettingsError, match=f"{which} holds one of"):
        rendered(tmp_path, **{which: secret})


def test_a_folder_that_cannot_stand_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="outbox holds one of"):
        rendered(tmp_path, spool="/var/spool/a,b")


def test_a_node_without_a_spool_is_told_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set spool"):
        rendered(tmp_path, spool=None)


def test_the_command(tmp_path: Path) -> None:
    settings = tmp_path / "numberpool.toml"
    settings.write_text(f'[[nodes]]\nname = "pbx"\nsecret = "a"\nstore_secret = "b"\nspool = "{tmp_path}/spool"\n')
    run = ["--config", str(settings), "asterisk", "render", "--into", str(tmp_path / "conf")]
    first = CliRunner().invoke(numberpool, run)
    assert first.exit_code == 0, first.output
    assert f"#include {tmp_path}/conf/numberpool-extensions.conf" in first.output
    (tmp_path / "conf" / FILES[2]).write_text("by hand\n")
    again = CliRunner().invoke(numberpool, run)
    assert "replaced a file that was changed by hand; the old one is" in again.output
    settings.write_text(settings.read_text().replace('"a"', '"a;b"'))
    refused = CliRunner().invoke(numberpool, run)
    assert refused.exit_code != 0
    assert "choose another" in refused.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_the_files_belong_to_whom_asterisk_s_folder_belongs(tmp_path: Path) -> None:
    etc = tmp_path / "asterisk"
    etc.mkdir()
    os.chown(etc, 1234, 1235)
    folder = etc / "numberpool"
    write_files(rendered(folder), folder)
    for path in (folder, folder / "trunks", *(folder / name.format(version=version_of(folder)) for name in FILES)):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)
    assert stat.S_IMODE((folder / "numberpool-manager.conf").stat().st_mode) == 0o640
