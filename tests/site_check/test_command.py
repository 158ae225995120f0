"""``numberpool site check`` as it is typed: sentences or JSON, and how it ends."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.pools import sites
from gateway.site_check.findings import report_of
from gateway.site_check.job import ask_for_check
from gateway.site_check.stored import one_check
from gateway.site_check.words import SENTENCES
from tests.site_check.conftest import SANDBOX, Town
from tests.stack import PROJECT, eventually

PAGE = '<p>Call (306) 555-1234</p><a href="tel:+13065551234">Call</a>'


@pytest.fixture(autouse=True)
def own_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is left behind is of this test: others check sites at the same time."""
    with tempfile.TemporaryDirectory(prefix="np-test-") as folder:
        Path(folder).chmod(0o755)  # the browser may run as somebody else
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield


def settings_file(town: Town, folder: Path, chromium: str, more: str = "") -> Path:
    """The settings of a command."""
    config = folder / "numberpool.toml"
    config.write_text(
        f'data_folder = "{folder}"\n[postgres]\ndsn = "{town.database.dsn}"\n'
        f"[collector]\nport = {town.settings.collector.port}\n"
        f'[site_check]\nchromium = "{chromium}"\nsandbox = {str(SANDBOX).lower()}\n{more}'
    )
    return config


async def started(config: Path, *arguments: str) -> asyncio.subprocess.Process:
    """``numberpool site`` with those arguments."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        "--config",
        str(config),
        "site",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )


async def typed(town: Town, folder: Path, *arguments: str, chromium: str | None = None) -> tuple[int, str, str]:
    """What the command says, and how it ends."""
    config = settings_file(town, folder, chromium or str(town.settings.site_check.chromium))
    process = await started(config, "check", *arguments)
    async with asyncio.timeout(150):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def profiles() -> set[str]:
    """The folders in which browsers of checks work."""
    return {each.name for each in Path(tempfile.gettempdir()).glob("numberpool-check-*")}


def program_in(folder: Path, script: str) -> Path:
    """A program that whoever runs the browser may run."""
    program = folder / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    folder.chmod(0o755)
    return program


async def test_all_is_well(town: Town, tmp_path: Path) -> None:
    shop = await town.website()
    shop.site.page(PAGE)
    code, out, err = await typed(town, tmp_path, shop.site.url)
    assert code == 0, err
    assert "(306) 555-1234 is swapped to (306) 555-2001: 1 × in text, 1 × in links" in out
    assert "The key is that of Acme's site (Acme Roofing)." in out
    assert out.endswith("All is well.\n")
    assert "Traceback" not in err


async def test_what_is_wrong_comes_with_its_mend(town: Town, tmp_path: Path) -> None:
    shop = await town.website()
    shop.site.page(PAGE, head="")
    code, out, _ = await typed(town, tmp_path, shop.site.url, "--site", town.key)
    assert code == 1
    assert "PROBLEM: The snippet is not in the page." in out
    assert (
        f'Put this tag into the head of every page: <script async src="/np/np.js" data-site="{town.key}"></script>'
        in (" ".join(out.split()))
    )
    assert out.endswith("1 problem\n")


async def test_for_machines(town: Town, tmp_path: Path) -> None:
    shop = await town.website(headers={"Content-Security-Policy": "connect-src 'none'"})
    shop.site.page(PAGE)
    code, out, _ = await typed(town, tmp_path, shop.site.url, "--json")
    assert code == 1
    said = json.loads(out)
    assert (said["url"], said["key"], said["well"]) == (shop.site.url, town.key, False)
    (found,) = [each for each in said["findings"] if each["level"] == "problem"]
    assert found["kind"] == "collector.policy"
    assert found["area"] == "collector"
    assert found["facts"]["directive"] == "connect-src"
    assert "connect-src" in found["mend"]
    assert {each["kind"] for each in said["findings"]} <= set(SENTENCES)


@pytest.mark.parametrize(
    "given", ["", "ftp://example.com/", "http://", "http://a b/", "javascript:alert(1)", "http://u:p@x/"]
)
async def test_what_is_no_address(town: Town, tmp_path: Path, given: str) -> None:
    code, _, err = await typed(town, tmp_path, "--", given)
    assert code == 1
    assert "is not the address of a page" in err


async def test_without_a_browser_it_says_what_to_type(town: Town, tmp_path: Path) -> None:
    code, _, err = await typed(town, tmp_path, "http://localhost/", chromium="/nowhere/chromium")
    assert code == 1
    assert "sudo apt-get install -y chromium" in err
    assert "Traceback" not in err


async def test_a_browser_that_does_not_start(town: Town, tmp_path: Path, short_path: Path) -> None:
    broken = program_in(
        short_path, "[ \"$1\" = --version ] && echo Chromium 1.0 && exit\necho 'cannot open shared object' >&2"
    )
    code, _, err = await typed(town, tmp_path, "http://localhost/", chromium=str(broken))
    assert code == 1
    assert "cannot open shared object" in err
    assert "Traceback" not in err


async def test_nothing_is_left_behind(town: Town, tmp_path: Path) -> None:
    shop = await town.website()
    shop.site.page(PAGE)
    before = profiles()
    await typed(town, tmp_path, shop.site.url)
    async with town.database.companies(town.company.id) as connection:
        (row,) = await connection.fetch("SELECT ended_at, report::text FROM site_checks")
        assert row["ended_at"] is not None
        assert json.loads(row["report"])["key"] == town.key
        for table in ("visits", "exposures", "leases"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert profiles() <= before


async def test_a_worker_makes_what_pages_ask_for_and_stops(town: Town, tmp_path: Path) -> None:
    shop = await town.website()
    shop.site.page(PAGE)
    config = settings_file(town, tmp_path, str(town.settings.site_check.chromium), "private_addresses = true\n")
    async with town.database.companies(town.company.id) as connection:
        user = await connection.fetchval("INSERT INTO users (email) VALUES ('a@example.com') RETURNING id")
        (site,) = await sites.sites(connection, town.company)
        check = await ask_for_check(connection, town.company.id, site["id"], town.key, shop.site.url, user)
    process = await started(config, "checks")

    async def has_ended() -> bool:
        async with town.database.companies(town.company.id) as connection:
            found = await one_check(connection, town.company.id, check)
        return found is not None and found.ended_at is not None

    try:
        await eventually(has_ended, 90, 0.2)
    finally:
        process.terminate()
        async with asyncio.timeout(30):
            _, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    async with town.database.companies(town.company.id) as connection:
        found = await one_check(connection, town.company.id, check)
    assert found is not None
    assert report_of(found.report or {}).is_well, found.report
