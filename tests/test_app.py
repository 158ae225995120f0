"""The gateway's process as a whole: how it starts, what it says when it cannot, how it stops."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import asyncpg

from gateway.local.postgres import EmbeddedPostgres
from gateway.opening import open_database
from gateway.settings import Settings, load_settings
from tests.installation import Gateway
from tests.stack import PROJECT, eventually

NODE = '[[nodes]]\nname = "pbx"\nport = 1\nsecret = "a"\nstore_secret = "b"\nspool = "{spool}"\n'


def _toml(folder: Path, more: str = "") -> str:
    return (
        f'data_folder = "{folder / "data"}"\n[log]\njson_lines = true\n[collector]\nport = 0\n[pages]\nport = 0\n{more}'
        + NODE.format(spool=folder / "spool")
    )


@asynccontextmanager
async def _running(folder: Path, more: str = "") -> AsyncIterator[Gateway]:
    gateway = Gateway(folder / "gateway", _toml(folder, more))
    await gateway.start(ready=False)
    try:
        yield gateway
    finally:
        await gateway.stop()


async def _command(folder: Path, *arguments: str, more: str = "") -> tuple[int, str]:
    config = folder / "command.toml"
    config.write_text(_toml(folder, more))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "--config", str(config), *arguments),
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_without_a_postgres_it_brings_its_own_and_starts_it_again(short_path: Path) -> None:
    async with _running(short_path) as gateway:
        await gateway.wait_health("postgres", "ok")
        code, said = await _command(short_path, "company", "add", "Acme", "--region", "CA")
        assert code == 0, said
        # A command beside a running gateway leaves the gateway's Postgres alone.
        assert (await gateway.health())["postgres"]["condition"] == "ok"
        EmbeddedPostgres(short_path / "data" / "postgres").kill()
        await gateway.wait_health("postgres", "troubled")
        await gateway.wait_health("postgres", "ok", 30)
    assert EmbeddedPostgres(short_path / "data" / "postgres").pid is None
    settings: Settings = load_settings(short_path / "command.toml")
    async with open_database(settings) as database, database.everything() as connection:
        assert await connection.fetchval("SELECT name FROM companies") == "Acme"


async def test_a_postgres_that_comes_later_is_waited_for(short_path: Path, postgres_server: EmbeddedPostgres) -> None:
    server = EmbeddedPostgres(short_path / "postgres", outlives_us=False, durable=False)
    dsn = await server.start()
    await server.stop()
    async with _running(short_path, f'[postgres]\ndsn = "{dsn}"\n') as gateway:

        async def has_said_so() -> bool:
            return any("does not answer" in line.get("event", "") for line in gateway.log_lines())

        await eventually(has_said_so)
        try:
            await server.start()
            await gateway.wait_health("postgres", "ok", 20)
        finally:
            await server.stop()


async def test_a_start_that_waits_can_be_stopped(short_path: Path) -> None:
    gateway = Gateway(
        short_path / "gateway", _toml(short_path, '[postgres]\ndsn = "postgresql://nobody@127.0.0.1:1/none"\n')
    )
    await gateway.start(ready=False)

    async def waits() -> bool:
        return bool(gateway.log_lines())

    await eventually(waits)
    assert await gateway.stop() == 0


async def test_a_superuser_is_refused_with_the_mend(short_path: Path, postgres_server: EmbeddedPostgres) -> None:
    code, said = await _command(short_path, "number", "list", more=f'[postgres]\ndsn = "{postgres_server.admin_dsn}"\n')
    assert code == 1
    assert "CREATE ROLE numberpool" in said
    assert "Traceback" not in said


async def test_a_taken_port_is_named(short_path: Path, database_dsn: str) -> None:
    async with _running(short_path, f'[postgres]\ndsn = "{database_dsn}"\n') as gateway:
        await gateway.wait_health("pages", "ok")
        url = next(line["url"] for line in gateway.log_lines() if line["event"] == "pages")
        other = short_path / "other"
        other.mkdir()
        toml = _toml(other, f'[postgres]\ndsn = "{database_dsn}"\n').replace(
            "port = 0", f"port = {url.rpartition(':')[2]}"
        )
        (other / "own.toml").write_text(toml)
        code, said = await _command(other, "--config", str(other / "own.toml"), "run")
        assert code == 1
        assert "pages.port" in said
        assert "choose another port" in said


async def test_health_speaks_of_an_asterisk_that_is_not_there(short_path: Path, database_dsn: str) -> None:
    async with _running(short_path, f'[postgres]\ndsn = "{database_dsn}"\n') as gateway:
        said = await gateway.wait_health("asterisk:pbx", "troubled")
        assert "cannot be reached" in said
        said = await gateway.wait_health("outbox:pbx", "needs_person")
        assert str(short_path / "spool" / "outbox") in said


async def test_calls_wait_for_the_first_company(short_path: Path, database_dsn: str) -> None:
    """Without any company a call cannot be anybody's; it stays in the outbox until there is one."""
    outbox = short_path / "spool" / "outbox"
    outbox.mkdir(parents=True)
    key = "pbx-1.0-100000"
    record = (
        f"v=1&key={key}&id=pbx-1.0&at=1795306187.0&trunk=t&first=1&request=1&to=&party=&caller=&name="
        "&stage=3&ended=1795306188.0&cause=16&source=&channel=&rate=&legs=&end=\n"
    )
    (outbox / key).write_text(record)
    async with _running(short_path, f'[postgres]\ndsn = "{database_dsn}"\n') as gateway:
        said = await gateway.wait_health("calls", "needs_person")
        assert "numberpool company add" in said
        assert (outbox / key).exists()
        code, _ = await _command(short_path, "company", "add", "Acme", more=f'[postgres]\ndsn = "{database_dsn}"\n')
        assert code == 0

        async def is_in() -> bool:
            return not (outbox / key).exists()

        await eventually(is_in)
        await gateway.wait_health("calls", "ok")
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.execute("SET numberpool.companies = 'all'")
        assert await connection.fetchval("SELECT count(*) FROM calls WHERE outcome = 'abandoned'") == 1
    finally:
        await connection.close()


async def test_sigterm_ends_it_at_once(short_path: Path, database_dsn: str) -> None:
    async with _running(short_path, f'[postgres]\ndsn = "{database_dsn}"\n') as gateway:
        await gateway.wait_health("pages", "ok")
        url = next(line["url"] for line in gateway.log_lines() if line["event"] == "pages")
        gateway._send(signal.SIGTERM)
        assert await gateway.stop() == 0
        async with aiohttp.ClientSession() as session:
            try:
                await session.get(f"{url}/healthz")
            except aiohttp.ClientConnectorError:
                return
        raise AssertionError("the pages still answer")
