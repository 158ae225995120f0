"""The snippet in Chromium: a large page swapped against a walk that only reads it; second pages before first paint."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from playwright.async_api import Browser, async_playwright

from gateway.local import snippet
from gateway.visits.snippet import inline_snippet
from tests.http.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.snippet.site import KEY, LENT, MAIN, parts

TEXT_NODES = 5000
LOADS = 100
SLOWER = 4
_WORDS = (
    "roof",
    "repair",
    "hail",
    "storm",
    "gutter",
    "crew",
    "free",
    "Regina",
    "since 1987",
    "24/7",
    "from 199 dollars",
)
_LINK = '<a href="tel:+13065551234">(306) 555-1234</a>'

# Reading and swapping in turns, each many times a sample, because a page's clock is coarse.
_MEASURE = """([there, back]) => {
  const nodes = document.createTreeWalker(document, 4); let count = 0; while (nodes.nextNode()) count++
  const read = () => { const walker = document.createTreeWalker(document, 4); let node, length = 0
    while (node = walker.nextNode()) length += node.data.length; return length }
  const swaps = page.watch(false, () => {})
  const time = (work, times) => { const begun = performance.now()
    for (let turn = 0; turn < times; turn++) work(turn); return (performance.now() - begun) / times }
  const write = (turn) => swaps.show(turn % 2 ? back : there)
  const cold = [time(read, 1), time(write, 1)]; write(1)
  const samples = []
  for (let round = 0; round < 40; round++) samples.push([time(write, 10), time(read, 10)])
  const left = document.body.textContent.split('555-1234').length - 1
  write(0)
  return {count, samples, cold, left, done: document.body.textContent.split('555-1234').length - 1}
}"""

# A frame is painted after its animation callbacks: what stands on the page then is what is seen.
_WATCH = """<script>window.frames_seen = 0; window.flashes = 0
requestAnimationFrame(function look() { requestAnimationFrame(look)
  const body = document.body; if (!body) return
  if (body.innerText.trim()) frames_seen++
  if (body.textContent.includes('555-1234') || body.querySelector('[href="tel:+13065551234"]')) flashes++ })</script>"""


def text_page(nodes: int = TEXT_NODES) -> str:
    """A page with so many text nodes, most of them prose; one in five hundred holds the number."""
    chosen = random.Random(5)
    made = ["<!doctype html><meta charset=utf-8><title>Roofs</title><body>"]
    for place in range(nodes // 5):
        words = " ".join(chosen.choices(_WORDS, k=14))
        number = f"Call {_LINK} now" if place % 100 == 0 else f'Read <a href="/{place}">more</a> here'
        made.append(f"<p>{words} <b>{chosen.choice(_WORDS)}</b> {words}. {number}</p>")
    return "\n".join(made)


@asynccontextmanager
async def _browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


async def swap_ratio() -> float:
    """How many times as long it takes to swap a page of 5,000 text nodes as to read them: the quickest of rounds."""
    there = [{"from": parts(MAIN), "to": parts(LENT)}]
    back = [{"from": parts(LENT), "to": parts(MAIN)}]
    async with _browser() as browser:
        page = await browser.new_page()
        await page.set_content(text_page())
        await page.add_script_tag(content=(snippet.WORKSHOP / "page.js").read_text() + ";window.page=page")
        found = await page.evaluate(_MEASURE, [there, back])
    assert found["count"] >= TEXT_NODES, f"the page has {found['count']} text nodes"
    assert found["left"] == TEXT_NODES // 500, "every number is swapped, and back"
    assert found["done"] == 0
    # The quickest of each: what else the machine does only ever adds.
    return float(min(swap for swap, _ in found["samples"]) / min(read for _, read in found["samples"]))


async def _second_page(request: web.Request) -> web.StreamResponse:
    """In pieces, one of which ends within a number, so that the browser has time to paint in between."""
    head = f"<!doctype html><html><head><meta charset=utf-8>{_WATCH}{inline_snippet(KEY, '/np/').html}"
    body = f"<title>x</title></head><body><header>Roofs {_LINK}</header>{text_page(1000).partition('<body>')[2]}"
    cut = body.index("555-1234") + 4
    text = [head, body[:cut], body[cut : cut + 20_000], body[cut + 20_000 :], f"<footer>{_LINK}</footer></body></html>"]
    response = web.StreamResponse(headers={"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"})
    await response.prepare(request)
    for piece in text:
        await response.write(piece.encode())
        await asyncio.sleep(0.03)
    return response


async def _unreachable(request: web.Request) -> web.StreamResponse:
    """What is asked of the collector hangs until the browser gives up."""
    await asyncio.sleep(3600)
    raise web.HTTPServiceUnavailable


async def loads_without_a_flash(loads: int = LOADS) -> int:
    """Of so many loads of a second page, processor throttled and collector unreachable, how many show no old number."""
    app = web.Application()
    app.router.add_get("/second", _second_page)
    app.router.add_get("/first", _first_page)
    app.router.add_route("*", "/np/{path:.*}", _unreachable)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://localhost:{runner.addresses[0][1]}"
    shown = {"target": parts(MAIN), "number": parts(LENT), "why": "lent", "exposure": None, "remember": 86400}
    good = 0
    async with _browser() as browser:
        page = await browser.new_page()
        await page.goto(f"{url}/first")
        await page.evaluate(
            "([key, one]) => localStorage.setItem(key, JSON.stringify("
            "{visitor: 'v', at: Date.now(), until: Date.now() + 1e9, numbers: [one]}))",
            [f"np_{KEY}", shown],
        )
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        for _ in range(loads):
            await page.goto(f"{url}/second", wait_until="domcontentloaded")
            await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            seen = await page.evaluate(
                "[frames_seen, flashes, performance.getEntriesByName('first-paint').length,"
                " document.body.textContent.split('555-2001').length]"
            )
            assert seen[0] > 0, "frames were painted"
            assert seen[2] == 1
            good += seen[1] == 0 and seen[3] == 1 + 4  # header, footer, and two in the text
    await runner.cleanup()
    return good


async def _first_page(_request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html>", content_type="text/html")
