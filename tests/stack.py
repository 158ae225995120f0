"""The real parts that tests run against: one Postgres for the session, Asterisks, SIPp.

Every test that needs a database gets one of its own, copied from a migrated template; an Asterisk
lives in a temporary folder and on free ports. Nothing is shared but the programs themselves.
"""

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from gateway.local.asterisk import PrivateAsterisk
from gateway.local.postgres import EmbeddedPostgres
from gateway.local.programs import AsteriskHome, prepare
from gateway.store.migrate import migrate

PROJECT = Path(__file__).parent.parent

# The cache of the demonstration, so that one fetch serves both.
ASTERISK_CACHE = PROJECT / ".numberpool" / "asterisk"

_TEMPLATE = "numberpool_template"

StartAsterisk = Callable[..., Awaitable[PrivateAsterisk]]
# A command as a person types it; ``given`` is what it reads.
Typed = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def short_path() -> Iterator[Path]:
    """An empty folder with a short name, for what has unix sockets in it; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="np-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def asterisk_home() -> AsteriskHome:
    """The programs: an Asterisk that is new enough, SIPp, espeak-ng."""
    return prepare(ASTERISK_CACHE, print)


@pytest_asyncio.fixture(scope="session")
async def postgres_server() -> AsyncIterator[EmbeddedPostgres]:
    """One Postgres for all tests; whoever kills or stops a server starts one of his own."""
    folder = Path(tempfile.mkdtemp(prefix="np-test-"))
    server = EmbeddedPostgres(folder / "postgres", outlives_us=False, durable=False)
    await server.start()
    yield server
    await server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def database(server: EmbeddedPostgres, template: str = "template1") -> AsyncIterator[str]:
    """A database of its own, copied from `template`, owned by the ordinary role; yields its DSN."""
    name = f"test_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(server.admin_dsn)
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER numberpool")
        try:
            yield server.dsn.replace("/numberpool?", f"/{name}?")
        finally:
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest_asyncio.fixture(scope="session")
async def migrated_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a database with the newest schema and nothing in it, to be copied."""
    admin = await asyncpg.connect(postgres_server.admin_dsn)
    try:
        await admin.execute(f"CREATE DATABASE {_TEMPLATE} OWNER numberpool")
    finally:
        await admin.close()
    await migrate(postgres_server.dsn.replace("/numberpool?", f"/{_TEMPLATE}?"))
    return _TEMPLATE


@pytest_asyncio.fixture
async def database_dsn(postgres_server: EmbeddedPostgres, migrated_template: str) -> AsyncIterator[str]:
    """A migrated database for this test alone."""
    async with database(postgres_server, migrated_template) as dsn:
        yield dsn


@pytest_asyncio.fixture(scope="module")
async def module_database_dsn(postgres_server: EmbeddedPostgres, migrated_template: str) -> AsyncIterator[str]:
    """A migrated database for the tests of one module."""
    async with database(postgres_server, migrated_template) as dsn:
        yield dsn


@pytest_asyncio.fixture
async def empty_database_dsn(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database without any schema, for this test alone."""
    async with database(postgres_server) as dsn:
        yield dsn


@pytest_asyncio.fixture
async def start_asterisk(asterisk_home: AsteriskHome, short_path: Path) -> AsyncIterator[StartAsterisk]:
    """Starts Asterisks that are stopped when the test ends: `await start_asterisk("pbx", ...)`.

    Takes what `PrivateAsterisk` takes.
    """
    async with AsyncExitStack() as running:

        async def start(name: str, **settings: object) -> PrivateAsterisk:
            asterisk = PrivateAsterisk(
                asterisk_home,
                short_path / name,
                name=name,
                **settings,  # type: ignore[arg-type]
            )
            running.push_async_callback(asterisk.stop)
            await asterisk.start()
            return asterisk

        yield start


@pytest.fixture
def numberpool(database_dsn: str, tmp_path: Path) -> Typed:
    """``numberpool``, each command a process of its own, over the test's database."""

    def typed(*words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "gateway", *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "PYTHONPATH": str(PROJECT),
                "NUMBERPOOL_POSTGRES__DSN": database_dsn,
            },
        )

    return typed


def lasts(measured: float, seconds: float) -> bool:
    """Whether something took `seconds`, as another measured it: on a busy machine each sees either end late."""
    return max(0.0, seconds - 0.5) <= measured <= seconds + 3


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 30.0, pause: float = 0.02) -> None:
    """Wait until `check` holds; fails the test when it does not within the time."""
    async with asyncio.timeout(seconds):
        while not await check():  # noqa: ASYNC110 - what it asks has no event to wait for
            await asyncio.sleep(pause)
