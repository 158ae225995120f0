"""A check that a page asked for, and what is left when it is stopped, or its process is killed: nothing."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web

from gateway.pools import sites
from gateway.site_check.findings import report_of
from gateway.site_check.job import ask_for_check, handlers
from gateway.site_check.stored import Check, one_check
from gateway.store.jobs import Job
from tests.site_check.conftest import Town
from tests.site_check.test_findings import NUMBER
from tests.site_check.website import Checked
from tests.stack import eventually


async def asked(town: Town, shop: Checked) -> tuple[Job, int]:
    """A check in the queue."""
    async with town.database.companies(town.company.id) as connection:
        user = await connection.fetchval("INSERT INTO users (email) VALUES ('a@example.com') RETURNING id")
        (site,) = await sites.sites(connection, town.company)
        check = await ask_for_check(connection, town.company.id, site["id"], town.key, shop.site.url, user)
        payload = await connection.fetchval("SELECT convert_from(payload, 'UTF8')::jsonb::text FROM pgqueuer")
    return Job("site.check", json.loads(payload), 1, False), check


async def found(town: Town, check: int) -> Check:
    """How far it is."""
    async with town.database.companies(town.company.id) as connection:
        stored = await one_check(connection, town.company.id, check)
    assert stored is not None
    return stored


def processes(words: str) -> set[int]:
    """Processes with these words in their command line."""
    there = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            with suppress(OSError):
                if words in (folder / "cmdline").read_text(errors="replace").replace("\0", " "):
                    there.add(int(folder.name))
    return there


async def test_it_is_made_and_stored(town: Town) -> None:
    shop = await town.website()
    shop.site.page(NUMBER)
    job, check = await asked(town, shop)
    settings = town.settings.model_copy(
        update={"site_check": town.settings.site_check.model_copy(update={"private_addresses": True})}
    )
    work = handlers(town.database, settings)["site.check"]
    await work(job)
    ended = await found(town, check)
    assert ended.ended_at is not None
    assert report_of(ended.report or {}).is_well, ended.report
    # Delivered once more, it is not made again.
    shop.site.agents.clear()
    await work(job)
    assert shop.site.agents == set()


@pytest.mark.parametrize("how", ["stopped", "killed"])
async def test_no_browser_outlives_it(town: Town, how: str, short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that never ends loading is left in the middle."""
    monkeypatch.setenv("TMPDIR", str(short_path))
    os.chmod(short_path, 0o755)  # noqa: PTH101 - a folder of ours, at once
    profile = f"--user-data-dir={short_path}"
    shop = await town.website()
    shop.site.page(f'{NUMBER}<img src="/np/never">')
    came = asyncio.Event()

    async def never(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("never"):
            came.set()
            await asyncio.sleep(60)
        return await shop.site.pass_on(request)

    shop.site.np = never
    job, check = await asked(town, shop)
    settings = town.settings.model_copy(
        update={"site_check": town.settings.site_check.model_copy(update={"private_addresses": True})}
    )
    makers = processes("gateway.site_check.job")
    working = asyncio.ensure_future(handlers(town.database, settings)["site.check"](job))
    async with asyncio.timeout(60):
        await came.wait()
    (maker,) = processes("gateway.site_check.job") - makers
    assert processes(profile)
    if how == "stopped":
        working.cancel()
        await asyncio.wait([working])
    else:
        os.kill(maker, signal.SIGKILL)
        await working

    async def are_gone() -> bool:
        return not processes("gateway.site_check.job") - makers and not processes(profile)

    await eventually(are_gone, 20, 0.2)
    if how == "killed":
        assert (await found(town, check)).report == {"fault": "it broke off (-9)"}
