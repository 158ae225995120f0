"""The page that lists what we add to an Asterisk says all of it, as the rendered files and the code have it."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.assets import asset_folder
from gateway.asterisk.fallback import FAMILY
from gateway.asterisk.render import MANIFEST, render_texts
from gateway.local.asterisk import PrivateAsterisk
from gateway.local.asterisk_config import MODULES
from gateway.local.programs import AsteriskHome
from gateway.settings import CallSettings, NodeSettings

GATEWAY = Path(__file__).parents[2] / "gateway"
PAGE = (asset_folder("asterisk_conf") / "README.md").read_text()
# What stands between backquotes; "…" is what differs from one installation to the next.
NAMED = set(re.findall(r"`([^`\n]+)`", PAGE))


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every rendered file, with every optional part in it."""
    node = NodeSettings.model_validate(
        {"secret": "a", "store_secret": "b", "trunks": [{"name": "carrier", "diversion": True}]}
    )
    return render_texts(node, CallSettings(dialplan_contexts=("queues",)), Path("/etc/asterisk/numberpool"))


def _version(texts: dict[str, str]) -> str:
    found = re.search(r"goto\(np-call-([0-9a-f]+)", texts["numberpool-extensions.conf"], re.IGNORECASE)
    assert found
    return found[1]


def _live(texts: dict[str, str]) -> dict[str, str]:
    """The files that Asterisk reads."""
    return {name: text for name, text in texts.items() if not name.startswith("trunks/")}


def test_every_file(texts: dict[str, str]) -> None:
    for name in texts:
        shown = "trunks/…" if name.startswith("trunks/") else name.replace(_version(texts), "…")
        assert shown in NAMED, f"asterisk_conf/README.md does not name {shown}"
    assert MANIFEST in NAMED


def test_every_context_and_account(texts: dict[str, str]) -> None:
    sections = {name for text in _live(texts).values() for name in re.findall(r"^\[([^\]]+)\]", text, re.MULTILINE)}
    assert {"numberpool-in", "numberpool", "numberpool-store"} <= sections
    for name in sections:
        shown = name.replace(_version(texts), "…")
        assert shown in NAMED, f"asterisk_conf/README.md does not name [{shown}]"


def test_nothing_that_is_no_longer_there(texts: dict[str, str]) -> None:
    rendered = "\n".join([*texts, *texts.values()]).replace(_version(texts), "…")
    for name in NAMED:
        if re.match(r"(np|numberpool)-[a-z-]+(…|\.conf)?$", name) and name != "numberpool-store":
            assert name in rendered, f"asterisk_conf/README.md names {name}, which nothing writes"


def test_every_class_of_the_accounts(texts: dict[str, str]) -> None:
    for classes in re.findall(r"^(?:read|write) = (.+)$", texts["numberpool-manager.conf"], re.MULTILINE):
        for each in classes.split(","):
            assert each == "no" or each in NAMED, f"asterisk_conf/README.md does not name the class {each}"


def _globals(texts: dict[str, str]) -> Iterator[str]:
    for text in texts.values():
        yield from re.findall(r"GLOBAL\(([A-Za-z_]+)\)", text)
    for file in GATEWAY.glob("asterisk/*.py"):
        # A Setvar that names no channel.
        yield from re.findall(r'\("Setvar", \{"Variable": "([A-Z_]+)"', file.read_text())
        yield from re.findall(r'"Setvar", Variable="([A-Z_]+)"', file.read_text())


def test_every_global_variable(texts: dict[str, str]) -> None:
    found = set(_globals(texts))
    assert {"NP_GATE", "NP_GATEWAY"} <= found
    assert found <= NAMED, f"asterisk_conf/README.md does not name {found - NAMED}"


def test_every_variable_of_a_call_has_the_prefix(texts: dict[str, str]) -> None:
    for text in _live(texts).values():
        for name in re.findall(r"Set\(_{0,2}([A-Za-z][A-Za-z0-9_]*)=", text):
            assert name.startswith("NP_") or name in NAMED, name
    assert "NP_" in NAMED


def test_astdb_groups_and_folders(texts: dict[str, str]) -> None:
    dialplan = "\n".join(_live(texts).values())
    assert set(re.findall(r"DB\(([a-z]+)/", dialplan)) == {FAMILY}
    assert set(re.findall(r"GROUP\(([a-z]+)\)", dialplan)) == {"numberpool"}
    assert {"GROUP(numberpool)", ["AstDB family ", "numberpool", ""][1]} <= NAMED
    for folder in set(re.findall(r"(/var/[a-z/]+?)/\$\{NP_KEY\}", dialplan)):
        assert folder in NAMED, f"asterisk_conf/README.md does not name {folder}"


class SmallAsterisk(PrivateAsterisk):
    """One that has of all applications and functions only what the page names."""

    def write_config(self) -> None:
        """As usual; but fewer modules."""
        super().write_config()
        wanted = [name for name in MODULES if not name.startswith(("app_", "func_")) or name in NAMED]
        if "res_pjsip_header_funcs" not in NAMED:
            wanted.remove("res_pjsip_header_funcs")
        present = [name for name in wanted if (self.home.modules / f"{name}.so").is_file()]
        (self.etc / "modules.conf").write_text(
            "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in present)
        )


async def test_every_module(asterisk_home: AsteriskHome, short_path: Path, texts: dict[str, str]) -> None:
    """An Asterisk with those modules knows every application and function of the dialplan."""
    lines = (line for text in _live(texts).values() for line in text.splitlines())
    dialplan = "\n".join(line for line in lines if not line.startswith(";"))
    steps = re.findall(r"(?:exten => [^,]+,1|same => n(?:\([a-z-]+\))?),(\w+)\(", dialplan)
    inner = re.findall(r"ExecIf\(.*?\?(\w+)\(", dialplan)
    functions = set(re.findall(r"[$#]\{([A-Z_]+)\(", dialplan)) | set(re.findall(r"Set\(([A-Z_]+)\(", dialplan))
    assert {"Dial", "MixMonitor", "WaitForCondition"} <= {*steps, *inner}
    assert {"SHARED", "DB", "PJSIP_HEADER", "AMI_CLIENT"} <= functions
    asterisk = SmallAsterisk(asterisk_home, short_path / "small", name="small")
    try:
        await asterisk.start()
        for name in sorted({*steps, *inner}):
            assert not (await asterisk.cli(f"core show application {name}")).startswith("Your application"), name
        for name in sorted(functions):
            assert not (await asterisk.cli(f"core show function {name}")).startswith("No function"), name
        # None of the modules that the page names is there in vain.
        modules = {name for name in NAMED if name.startswith(("app_", "func_"))}
        assert modules <= set(MODULES)
        with suppress(FileNotFoundError):
            assert "Unable to load" not in asterisk.log_file.read_text()
    finally:
        await asterisk.stop()
