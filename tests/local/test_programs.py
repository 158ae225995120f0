"""Where the programs come from: apt's sources, the versions that will do, the cache."""

from pathlib import Path

import pytest

from gateway.local.apt_root import COMPLETE, is_complete
from gateway.local.apt_sources import (
    AptSource,
    machine_sources,
    own_archive,
    parse_deb822,
    parse_one_line,
)
from gateway.local.programs import is_new_enough, parse_version, prepare
from tests.stack import ASTERISK_CACHE

DEBIAN = {"ID": "debian", "VERSION_CODENAME": "bookworm"}


def test_both_formats_of_apt_sources_are_read(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(
        "# the mirror\n"
        "deb [arch=amd64 signed-by=/keys/a.gpg] https://mirror.example/debian bookworm main\n"
        "deb-src https://mirror.example/debian bookworm main\n"
    )
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "own.sources").write_text(
        "Types: deb deb-src\nURIs: https://other.example/debian\nSuites: trixie trixie-updates\n"
        "Components: main contrib\nSigned-By:\n -----BEGIN-----\n .\n abc\n -----END-----\n\n"
        "Enabled: no\nTypes: deb\nURIs: https://off.example\nSuites: x\nComponents: main\n"
    )
    (parts / "ignored.list.save").write_text("deb https://saved.example/debian bookworm main\n")
    found = machine_sources(tmp_path)
    assert [(source.uri, source.suite) for source in found] == [
        ("https://mirror.example/debian", "bookworm"),
        ("https://other.example/debian", "trixie"),
        ("https://other.example/debian", "trixie-updates"),
    ]
    assert found[0].options == (("Signed-By", "/keys/a.gpg"),)
    # What is written is read as the same again, a key in the stanza included.
    assert parse_deb822(found[1].as_deb822()) == [found[1]]


def test_the_archive_is_debians_own_main() -> None:
    sources = parse_one_line(
        "deb https://a.example/debian-security bookworm-security main\n"
        "deb https://b.example/packages stable other\n"
        "deb https://c.example/debian bookworm main non-free\n"
    )
    archive = own_archive(sources, DEBIAN)
    assert archive is not None
    assert archive.uri == "https://c.example/debian"
    assert archive.for_suite("forky") == AptSource("https://c.example/debian", "forky", ("main",))


def test_ubuntu_has_an_archive_of_its_own_and_other_distributions_have_none() -> None:
    sources = parse_one_line("deb https://a.example/ubuntu noble main universe")
    archive = own_archive(sources, {"ID": "ubuntu", "VERSION_CODENAME": "noble"})
    assert archive is not None
    assert archive.for_suite("resolute", ("main", "universe")).components == ("main", "universe")
    assert own_archive(sources, {"ID": "linuxmint", "VERSION_CODENAME": "noble"}) is None


@pytest.mark.parametrize(
    ("printed", "enough"),
    [
        ("Asterisk 20.6.0~dfsg+~cs6.13", False),
        ("Asterisk 20.11.1", True),
        ("Asterisk 21.5.0", False),
        ("Asterisk 22.0.0", False),
        ("Asterisk 22.10.1+dfsg+~cs6.17", True),
        ("Asterisk certified-20.7-cert4", False),
        ("Asterisk 18.26.2", False),
        ("Asterisk 23.0.0", True),
    ],
)
def test_versions_that_filter_events_by_name(printed: str, enough: bool) -> None:
    version = parse_version(printed)
    assert version is not None
    assert is_new_enough(version) is enough


def test_a_folder_without_its_mark_is_not_whole(tmp_path: Path) -> None:
    assert not is_complete(tmp_path, ["asterisk"])
    (tmp_path / COMPLETE).write_text("asterisk\nsip-tester\n")
    assert is_complete(tmp_path, ["asterisk"])
    assert not is_complete(tmp_path, ["asterisk", "espeak-ng"])


def test_the_second_time_nothing_is_fetched(asterisk_home: object) -> None:
    said: list[str] = []
    assert prepare(ASTERISK_CACHE, said.append) == asterisk_home
    assert said == []
