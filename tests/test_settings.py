"""Settings from file and environment: what wins, and that every error says which setting and how to mend it."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.settings import Settings, SettingsError, load_settings
from gateway.visits import months

Load = Callable[..., Settings]

NODE = "[[nodes]]\nsecret='a'\nstore_secret='b'\n"


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Loads a TOML text, with nothing else of ours around."""
    for name in list(os.environ):
        if name.startswith("NUMBERPOOL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    def load(toml: str = "", **environment: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        file = tmp_path / "numberpool.toml"
        file.write_text(toml)
        (tmp_path / "binary").write_bytes(b"\xff")
        return load_settings(file)

    return load


def test_with_nothing_set_it_runs_on_its_own_postgres(load: Load, tmp_path: Path) -> None:
    settings = load()
    assert settings.postgres.dsn is None
    assert settings.data_folder == tmp_path / ".local/share/numberpool"
    assert (settings.pages.host, settings.pages.port) == ("127.0.0.1", 8080)
    assert settings.nodes == ()


def test_the_environment_stands_above_the_file(load: Load) -> None:
    settings = load(
        "[pages]\nport=8081\nhost='127.0.0.2'\n[postgres]\ndsn='postgresql://file/x'",
        NUMBERPOOL_PAGES__PORT="9090",
        NUMBERPOOL_POSTGRES__DSN="postgresql://environment/x",
    )
    assert (settings.pages.host, settings.pages.port) == ("127.0.0.2", 9090)
    assert settings.postgres.dsn is not None
    assert settings.postgres.dsn.get_secret_value() == "postgresql://environment/x"


def test_the_file_is_found_where_it_is_named_and_where_it_usually_is(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load("[pages]\nport=8081")
    assert load_settings().pages.port == 8081  # numberpool.toml of the working folder
    other = tmp_path / "other.toml"
    other.write_text("[pages]\nport=8082")
    monkeypatch.setenv("NUMBERPOOL_CONFIG", str(other))
    assert load_settings().pages.port == 8082


def test_secrets_come_from_files_and_are_never_printed(load: Load, tmp_path: Path) -> None:
    for name in ("dsn", "ami", "store"):
        (tmp_path / name).write_text(f"hidden-{name}\n")
    settings = load(
        f"[postgres]\ndsn_file='{tmp_path}/dsn'\n"
        f"[[nodes]]\nsecret_file='{tmp_path}/ami'\nstore_secret_file='{tmp_path}/store'\n"
    )
    assert settings.postgres.dsn is not None
    assert settings.postgres.dsn.get_secret_value() == "hidden-dsn"
    assert settings.nodes[0].secret.get_secret_value() == "hidden-ami"
    assert settings.nodes[0].store_secret.get_secret_value() == "hidden-store"
    assert "hidden" not in repr(settings)
    assert "hidden" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("toml", "environment", "said"),
    [
        ("[pages]\nport=70000", {}, ["pages.port", "less than or equal to 65535"]),
        ("[pages]\nport='http'", {}, ["pages.port", "integer"]),
        ("", {"NUMBERPOOL_PAGES__PORT": "http"}, ["pages.port", "integer"]),
        ("[pages]\nprot=1", {}, ["pages.prot: there is no such setting", "correct its spelling"]),
        ("[page]\nport=1", {}, ["page: there is no such setting", "correct its spelling"]),
        ("", {"NUMBERPOOL_PAGES__PROT": "1"}, ["pages.prot: there is no such setting"]),
        ("[pages]\npublic_url='calls.example.com'", {}, ["pages.public_url", "http"]),
        ("[pages]\npublic_url='https://example.com/calls'", {}, ["pages.public_url"]),
        ("[visits]\nkeep_months=0", {}, ["visits.keep_months: 0 is no number of months", "1 to 240"]),
        ("[visits]\nkeep_months=-1", {}, ["-1 is no number of months"]),
        ("[visits]\nkeep_months=2026", {}, ["2026 is no number of months"]),
        ("[visits]\nkeep_months=1.5", {}, ["1.5 is no number of months"]),
        ("[visits]\nkeep_months=true", {}, ["true is no number of months"]),
        ("[visits]\nkeep_months='for ever'", {}, ["for ever is no number of months"]),
        ("", {"NUMBERPOOL_VISITS__KEEP_MONTHS": "12 months"}, ["12 months is no number of months"]),
        ("[log]\nlevel='loud'", {}, ["log.level", "debug", "info", "warning", "error"]),
        ("[postgres]\nconnections=1", {}, ["postgres.connections", "greater than or equal to 2"]),
        ("[postgres]\ndsn='a'\ndsn_file='b'", {}, ["postgres: both dsn and dsn_file", "remove one"]),
        ("[postgres]\ndsn_file='/nowhere/dsn'", {}, ["dsn_file: cannot read /nowhere/dsn", "create it", "or set dsn"]),
        ("[postgres]\ndsn_file='/'", {}, ["dsn_file: cannot read /", "directory"]),
        ("[calls]\ndefault_destination='reception'", {}, ["calls.default_destination", "PJSIP/reception"]),
        ("[calls]\ndefault_destination='PJSIP/a,30'", {}, ["calls.default_destination", "not a dial string"]),
        ("[calls]\ndecision_bound_ms=0", {}, ["calls.decision_bound_ms", "greater than or equal to 20"]),
        ("[calls]\nring_seconds=1000", {}, ["calls.ring_seconds", "600"]),
        (
            "[[nodes]]\nhost='pbx'",
            {},
            ["nodes.0.secret: is missing", "secret_file", "nodes.0.store_secret: is missing"],
        ),
        (NODE + "port='x'", {}, ["nodes.0.port", "integer"]),
        (NODE + "name='PBX 1'", {}, ["nodes.0.name"]),
        (NODE + "username='a b'", {}, ["nodes.0.username"]),
        (NODE + "secret_file='/x'", {}, ["nodes.0: both secret and secret_file", "remove one"]),
        (NODE + NODE, {}, ["nodes share a name (pbx, pbx)", "rename one"]),
        ("nodes=3", {}, ["nodes"]),
        ("pages=3", {}, ["pages"]),
        ("postgres=3", {}, ["postgres: is a table of settings; write [postgres]"]),
        ("nodes=[3]", {}, ["nodes.0: is a table of settings; write [[nodes]]"]),
        ("[postgres]\ndsn_file=['x']", {}, ["postgres.dsn_file"]),
        (NODE + "name='PBX 1'", {}, ["nodes.0.name: 'PBX 1' will not do; use small letters"]),
        ("", {"NUMBERPOOL_NODES__0__SECRET": "a"}, ["nodes: is a list; write [[nodes]] tables"]),
        ("[postgres]\ndsn_file='binary'", {}, ["dsn_file: binary is not text"]),
        ("pages=", {}, ["is not valid TOML", "line"]),
    ],
)
def test_every_error_says_which_setting_and_how_to_mend_it(
    load: Load, toml: str, environment: dict[str, str], said: list[str]
) -> None:
    with pytest.raises(SettingsError) as raised:
        load(toml, **environment)
    for words in said:
        assert words in str(raised.value)
    assert "numberpool.toml" in str(raised.value)


def test_how_long_visits_are_kept(load: Load) -> None:
    assert load("").visits.keep_months == months.KEPT == 25
    assert load("[visits]\nkeep_months=14").visits.keep_months == 14
    assert load("[visits]\nkeep_months=14", NUMBERPOOL_VISITS__KEEP_MONTHS="36").visits.keep_months == 36


def test_all_faults_are_told_at_once(load: Load) -> None:
    with pytest.raises(SettingsError) as raised:
        load("[pages]\nport='x'\nprot=1\n[log]\nlevel='loud'")
    assert len(str(raised.value).splitlines()) == 4


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no settings file .*; create it, or name another"):
        load_settings(tmp_path / "gone.toml")


@pytest.mark.parametrize(("wanted", "found"), [("pbx", "pbx"), ("east", "east")])
def test_a_node_is_found_by_name(load: Load, wanted: str, found: str) -> None:
    settings = load(NODE + NODE + "name='east'")
    assert settings.node(wanted).name == found


def test_the_only_node_needs_no_name(load: Load) -> None:
    assert load(NODE).node(None).name == "pbx"


@pytest.mark.parametrize(("toml", "name"), [("", None), (NODE, "west"), (NODE + NODE + "name='east'", None)])
def test_which_node_is_asked_with_the_names_there_are(load: Load, toml: str, name: str | None) -> None:
    with pytest.raises(SettingsError, match=r"which Asterisk node\? Known: .*--node"):
        load(toml).node(name)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"NUMBERPOOL_NODES": "pbx"}, ["nodes", "JSON"]),
        ({"NUMBERPOOL_POSTGRES": "postgresql://x"}, ["postgres", "one by one"]),
        ({"NUMBERPOOL_PAGE__PORT": "1"}, ["NUMBERPOOL_PAGE__PORT: there is no such setting", "spelling"]),
    ],
)
def test_errors_of_the_environment_name_the_variable(load: Load, environment: dict[str, str], said: list[str]) -> None:
    with pytest.raises(SettingsError) as raised:
        load("", **environment)
    for words in said:
        assert words in str(raised.value)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="is not UTF-8 text; save it as such"):
        load_settings(tmp_path / "x.toml")


def test_trunks_of_a_node(load: Load) -> None:
    (node,) = load(
        NODE + "[[nodes.trunks]]\nname='carrier-a'\n"
        "[[nodes.trunks]]\nname='carrier_b'\nshows='main'\ndiversion=false\nform='national'\ncountry='CA'\n"
    ).nodes
    first, second = node.trunks
    assert (first.name, first.shows, first.diversion, first.form) == ("carrier-a", "caller", True, "+e164")
    assert (second.shows, second.diversion, second.form, second.country) == ("main", False, "national", "CA")


@pytest.mark.parametrize(
    ("trunk", "said"),
    [
        ("name='a b'", "write the name of its endpoint in pjsip.conf"),
        ("name='_a'", "write the name of its endpoint in pjsip.conf"),
        ("name='a,b'", "write the name of its endpoint in pjsip.conf"),
        ("name='a'\nshows='nothing'", "nodes.0.trunks.0.shows"),
        ("name='a'\nform='national'", "set country to its two letters"),
        ("name='a'\nform='national'\ncountry='XX'", "set country to its two letters"),
        ("name='a'\ncountry='Canada'", "write two capital letters"),
        ("name='a'\n[[nodes.trunks]]\nname='a'", "two trunks of node pbx share a name"),
    ],
)
def test_a_trunk_that_cannot_be(load: Load, trunk: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        load(f"{NODE}[[nodes.trunks]]\n{trunk}\n")
