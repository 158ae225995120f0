"""Every page of a company with a hundred thousand calls and ten times the visits: how long the server takes for it.

Pages are found as a person finds them, by the links of the pages before.

    python -m tests.bench.every_page            prints each page with its quickest answer
"""

import asyncio
import html
import re
import shutil
import tempfile
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from gateway.http.permissions import Permission, Role
from gateway.http.routing import Answers
from gateway.leads.gathering import gather_all
from gateway.local.postgres import EmbeddedPostgres
from gateway.reports.rollup import count_some, make_all
from gateway.store.migrate import migrate
from tests.bench.call_list import Slowest
from tests.bench.year import fill
from tests.http.company import MadeCompany
from tests.http.conftest import running_pages
from tests.http.test_every_page import PRIVATE, pattern

CALLS, VISITS = 100_000, 1_000_000
ROUNDS = 5
_LINK = re.compile(r'href="(/[^"]*)"')


async def measured(calls: int = CALLS, visits: int = VISITS) -> dict[str, float]:
    """Milliseconds of the quickest of some answers, by address."""
    folder = Path(tempfile.mkdtemp(prefix="np-bench-"))
    server = EmbeddedPostgres(folder / "postgres", outlives_us=False, durable=False)
    try:
        await server.start()
        await migrate(server.dsn)
        async with running_pages(server.dsn, folder / "data") as pages:
            company, _, _ = await fill(server.admin_dsn.replace("/postgres?", "/numberpool?"), calls, visits)
            while await count_some(pages.database, 4000):
                pass
            await make_all(pages.database)
            await gather_all(pages.database)
            async with pages.database.everything() as wire:
                await wire.execute("ANALYZE")
            return await _walk(await pages.signed_in(Role.OWNER, MadeCompany(company)))
    finally:
        await server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _walk(client: aiohttp.ClientSession) -> dict[str, float]:
    """Each page that links lead to, once; pages that need no id first, since they lead to the others."""
    found: dict[str, float] = {}
    known: list[str] = []
    left = [route for route in PRIVATE if route.answers is Answers.PAGE]
    while left:
        for route in left:
            fits = pattern(route)
            address = next((link for link in known if fits.fullmatch(urlsplit(link).path)), None)
            if address is None and "{" not in route.path and route.permission is not Permission.PUBLIC:
                address = route.path
            if address is not None:
                break
        else:
            return found
        left.remove(route)
        times = []
        for _ in range(ROUNDS):
            began = perf_counter()
            async with client.get(address) as answer:
                text = await answer.text() if answer.content_type == "text/html" else ""
                status = answer.status
            times.append(perf_counter() - began)
        if status == web.HTTPOk.status_code:
            found[address] = min(times) * 1000
        known += map(html.unescape, _LINK.findall(text))
    return found


async def slowest() -> Slowest:
    """What takes longest of all."""
    address, milliseconds = max((await measured()).items(), key=lambda each: each[1])
    return Slowest(address, milliseconds)


if __name__ == "__main__":
    for where, took in sorted(asyncio.run(measured()).items(), key=lambda each: each[1]):
        print(f"{took:7.1f} ms  {where}")
