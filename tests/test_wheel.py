"""The wheel, built and installed outside the checkout, runs."""

import asyncio
import os
import re
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from gateway.local import charts, player
from gateway.local.snippet import SCRIPTS
from gateway.store.migrate import known_revisions

PROJECT = Path(__file__).parent.parent

Installed = Callable[..., "subprocess.CompletedProcess[str]"]

SETTINGS = """
[postgres]
dsn = "{dsn}"
[pages]
port = 0
[[nodes]]
host = "127.0.0.1"
port = 1
secret = "listens"
store_secret = "stores"
spool = "{spool}"
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PROJECT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment of its own that holds the wheel, and sees the locked packages but not the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=False)
    site = next((folder / "venv" / "lib").glob("python3.*")) / "site-packages"
    (site / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [sys.executable, "-m", "pip", "--python", str(folder / "venv/bin/python"), "install", "--no-deps"]
    command += ["--no-index", "--quiet", str(wheel)]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """Nothing of ours, and nothing that leads to the checkout."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


@pytest.fixture
def numberpool(home: Path, environment: dict[str, str]) -> Installed:
    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [str(home / "venv/bin/numberpool"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=home, env=environment)

    return run


@pytest.fixture
def settings(home: Path, database_dsn: str, tmp_path: Path) -> Path:
    file = home / "numberpool.toml"
    file.write_text(SETTINGS.format(dsn=database_dsn, spool=tmp_path / "spool"))
    return file


def test_the_wheel_holds_what_is_not_python_and_no_leavings(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("web", "migrations", "asterisk_conf"):
        wanted = {
            f"gateway/assets/{path.relative_to(PROJECT)}"
            for path in (PROJECT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert wanted
        assert wanted <= names
    for kind in ("*.sql", "machine/*.sh", "machine/*.service", "machine/*.conf"):
        assert {f"{path.relative_to(PROJECT)}" for path in (PROJECT / "gateway").rglob(kind)} <= names
    for folder, built in (("snippet", SCRIPTS), ("player", tuple(player.FILES)), ("charts", charts.FILES)):
        assert {f"gateway/assets/web/static/{folder}/{name}" for name in built} <= names
    assert [name for name in names if "node_modules" in name] == []
    assert [name for name in names if "__pycache__" in name or name.startswith("tests/")] == []


def test_it_is_the_wheel_that_runs(home: Path, environment: dict[str, str]) -> None:
    told = subprocess.run(
        [str(home / "venv/bin/python"), "-c", "import gateway; print(gateway.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
        env=environment,
    )
    assert Path(told.stdout.strip()).is_relative_to(home)


def test_help(numberpool: Installed) -> None:
    told = numberpool("--help")
    assert told.returncode == 0, told.stderr
    for command in ("run", "migrate", "asterisk", "company", "number", "source", "destination", "login-link"):
        assert command in told.stdout


async def test_migrate(numberpool: Installed, home: Path, empty_database_dsn: str, tmp_path: Path) -> None:
    file = home / "empty.toml"
    file.write_text(SETTINGS.format(dsn=empty_database_dsn, spool=tmp_path))
    told = await asyncio.to_thread(numberpool, "--config", str(file), "migrate")
    assert told.returncode == 0, told.stderr
    assert [line.removeprefix("applied ") for line in told.stdout.splitlines()] == known_revisions()
    connection = await asyncpg.connect(empty_database_dsn)
    try:
        assert await connection.fetchval("SELECT version_num FROM alembic_version") == known_revisions()[-1]
    finally:
        await connection.close()
    again = await asyncio.to_thread(numberpool, "--config", str(file), "migrate")
    assert "up to date" in again.stdout


def test_asterisk_render(numberpool: Installed, settings: Path, tmp_path: Path) -> None:
    told = numberpool("--config", str(settings), "asterisk", "render", "--into", str(tmp_path / "asterisk"))
    assert told.returncode == 0, told.stderr
    into, templates = tmp_path / "asterisk", PROJECT / "asterisk_conf"
    # The dialplan's file carries a version.
    written = {re.sub(r"-[0-9a-f]{8}\.conf$", ".conf", str(path.relative_to(into))) for path in into.rglob("*.conf")}
    assert {str(path.relative_to(templates)).removesuffix(".j2") for path in templates.rglob("*.conf.j2")} == written
    assert "numberpool-in" in (tmp_path / "asterisk" / "numberpool-extensions.conf").read_text()


def test_a_company_is_set_up(numberpool: Installed, settings: Path) -> None:
    made = numberpool("--config", str(settings), "company", "add", "Prairie Heating")
    assert made.returncode == 0, made.stderr
    assert "Prairie Heating" in numberpool("--config", str(settings), "company", "list").stdout


def test_the_gateway_serves_its_pages_and_stops(home: Path, environment: dict[str, str], settings: Path) -> None:
    """With no Asterisk to talk to: that is told on the health page, and the rest runs."""
    log = home / "log"
    with log.open("wb") as sink:
        running = subprocess.Popen(
            [str(home / "venv/bin/numberpool"), "--config", str(settings), "run"],
            stdout=sink,
            stderr=sink,
            cwd=home,
            env={**environment, "NUMBERPOOL_LOG__JSON_LINES": "true"},
        )
    try:
        url = _told_url(log, running)
        with urllib.request.urlopen(f"{url}/sign-in", timeout=10) as answer:
            assert answer.status == 200
            assert b"<html" in answer.read()
        running.terminate()
        assert running.wait(15) == 0
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()


def _told_url(log: Path, running: "subprocess.Popen[bytes]") -> str:
    """The address of the pages, from the log of a gateway that is starting."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and running.poll() is None:
        for line in log.read_text().splitlines():
            if '"url": "' in line:
                return line.split('"url": "')[1].split('"')[0]
        time.sleep(0.1)
    raise AssertionError(f"the gateway did not start:\n{log.read_text()}")
