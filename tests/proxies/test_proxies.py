"""The set-ups that the examples make: what comes through, what is remembered where, and what survives the collector."""

import gzip
import json
import re
import time
from typing import Any

from playwright.async_api import BrowserContext, Page, expect

from gateway.visits import snippet
from gateway.visits.ways import Way, setup_in_force
from tests.proxies.conftest import BESIDE, ELSEWHERE, EXAMPLES, PAGES, SITE, Proxy
from tests.snippet_live.conftest import OWN, shown, shows

AD = "?gclid=Cj0KCQ_test"
DAY = 86400


async def test_requests_come_through_as_they_were_sent(proxy: Proxy) -> None:
    key = proxy.shop.site.public_key
    body: dict[str, Any] = {"site": key, "url": f"https://{SITE}/{AD}", "visible": True}
    says = {
        "Origin": f"https://{SITE}",
        "User_Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
        "Accept_Language": "en",
        # What a visitor claims of himself is not believed.
        "X_Forwarded_For": "203.0.113.9",
        "X_Forwarded_Proto": "http",
        "X_Forwarded_Host": "evil.example",
    }
    for host, path, fetch_site, domain in (
        (SITE, "/np/v1/visit", "same-origin", ""),
        (BESIDE, "/v1/visit", "same-site", "; Domain=shop.example"),
        (ELSEWHERE, "/v1/visit", "cross-site", None),
    ):
        answer = await proxy.ask(host, path, body, Sec_Fetch_Site=fetch_site, **says)
        assert answer.status == 200, await answer.text()
        assert answer.headers["Access-Control-Allow-Origin"] == f"https://{SITE}"
        read = json.loads(await answer.read())
        await proxy.worker.written()
        (row,) = await proxy.shop.rows("SELECT network FROM visits WHERE id = $1", read["visit"])
        assert str(row["network"]) == "127.0.1.0/24"
        if domain is None:
            assert "Set-Cookie" not in answer.headers
        else:
            cookie = f"np_{key}={read['visitor']}; Max-Age={400 * DAY}; Path=/{domain}; HttpOnly; Secure; SameSite=Lax"
            assert answer.headers["Set-Cookie"] == cookie
    lead = {"site": key, "data": {"text": "x" * 60_000}}
    assert (await proxy.ask(SITE, "/np/v1/lead", lead, **says)).status == 200
    assert (await proxy.ask(SITE, "/np/v1/lead", {"site": key, "data": {"a": "x" * 80_000}}, **says)).status == 413
    # What is for this machine alone does not face the internet.
    assert (await proxy.ask(SITE, "/np/metrics")).status == 404
    assert (await proxy.ask(BESIDE, "/metrics")).status == 404
    # The site itself is as it was.
    assert OWN.encode() in await (await proxy.ask(SITE, "/")).read()


async def test_the_script_is_kept_and_outlives_the_collector(proxy: Proxy) -> None:
    before = await proxy.served("/np.js")
    first = await proxy.ask(SITE, "/np/np.js", Accept_Encoding="gzip")
    assert (first.status, first.headers["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(await first.read()) == snippet.script_of("np.js")
    assert first.headers["Cache-Control"].startswith("public, max-age=600, stale-while-revalidate=")
    again = await proxy.ask(SITE, "/np/np.js", Accept_Encoding="gzip", If_None_Match=first.headers["ETag"])
    assert (again.status, await again.read()) == (304, b"")
    for _ in range(5):
        plain = await proxy.ask(SITE, "/np/np.js", Accept_Encoding="identity")
        assert await plain.read() == snippet.script_of("np.js")
    through = await proxy.served("/np.js") - before
    if proxy.name == "nginx":
        assert through <= 2  # once packed, once unpacked
    await proxy.stop_collector.aclose()
    dead = await proxy.ask(SITE, "/np/v1/visit", {"site": "x", "url": "y"})
    assert dead.status in (502, 503, 504)
    kept = await proxy.ask(SITE, "/np/np.js", Accept_Encoding="identity")
    if proxy.name == "nginx":
        assert (kept.status, await kept.read()) == (200, snippet.script_of("np.js"))
    else:
        assert kept.status in (502, 503, 504)  # Caddy keeps nothing; browsers do


async def opened(person: BrowserContext, path: str) -> Page:
    page = await person.new_page()
    await page.goto(f"https://{SITE}{path}")
    await page.wait_for_function("!!window.numberpool?.on")
    return page


async def cookies(person: BrowserContext) -> list[Any]:
    return [each for each in await person.cookies() if each["name"].startswith("np_")]


async def test_how_browsers_remember_by_each_set_up(proxy: Proxy) -> None:
    key = proxy.shop.site.public_key
    async with proxy.browser() as browsers:
        for path, domain in zip(PAGES, (SITE, ".shop.example", None), strict=True):
            person = await browsers.anew()
            page = await opened(person, path + AD)
            number = await shown(page)
            stored = json.loads(await page.evaluate(f"localStorage.np_{key}"))
            kept = await cookies(person)
            if domain is None:
                assert kept == []
            else:
                (cookie,) = kept
                assert (cookie["value"], cookie["domain"], cookie["path"]) == (stored["visitor"], domain, "/")
                assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
                assert abs(cookie["expires"] - time.time() - 400 * DAY) < DAY / 2
            page = await opened(person, path)
            await shows(page, number)
            # Without storage, as after a week of Safari, the server's cookie is what is left.
            await page.evaluate("localStorage.clear()")
            page = await opened(person, path)
            if domain is not None:
                await shows(page, number)
            else:
                await page.wait_for_function(f"!!localStorage.np_{key}")
                await expect(page.locator("#number")).to_have_text(OWN)
            visitor = json.loads(await page.evaluate(f"localStorage.np_{key}"))["visitor"]
            assert (visitor == stored["visitor"]) == (domain is not None)
            # Who says no is rid of it all.
            await page.evaluate("numberpool.consent(false)")
            await shows(page, OWN)
            assert await cookies(person) == []
            assert await page.evaluate("localStorage.length") == 0
            await person.close()
    await proxy.worker.parts.ways.write(proxy.worker.database)
    async with proxy.shop.database.companies(proxy.shop.company.id) as connection:
        setup = await setup_in_force(connection, proxy.shop.company.id, proxy.shop.site.id)
    # Three pages and one no each.
    assert {used.way: used.visits for used in setup.used} == dict.fromkeys(Way, 4)


async def test_a_page_whose_collector_is_gone(proxy: Proxy) -> None:
    async with proxy.browser() as browsers:
        person, stranger = await browsers.anew(), await browsers.anew()
        number = await shown(await opened(person, "/" + AD))
        await shows(await opened(stranger, "/"), OWN)
        await proxy.stop_collector.aclose()
        # Scripts come from the browser's own memory or the proxy's; the number from the page before.
        await shows(await opened(person, "/"), number)
        await shows(await opened(stranger, "/" + AD), OWN)


def test_the_examples_say_what_they_need() -> None:
    for name in ("nginx.conf", "Caddyfile"):
        text = (EXAMPLES / name).read_text()
        for words in ('trusted_proxies = ["127.0.0.1"]', "numberpool site snippet KEY --address /np/", "reload"):
            assert words in text, (name, words)
        assert max(map(len, text.splitlines())) <= 120
        assert not re.search(r"\t| +$", text, re.M) or name == "Caddyfile"
