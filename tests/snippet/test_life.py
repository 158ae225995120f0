"""What the snippet asks and tells, when, and how it gets on with a world that does not help."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.snippet.site import KEY, LENT, MAIN, OTHER, TAG, Site, Window, open_window, shows, stays

NUMBER = "<p id=a>(306) 555-1234</p><a id=l href='tel:+13065551234'>Call</a>"
OLD, NEW, NEXT = "(306) 555-1234", "(306) 555-2001", "(306) 555-2002"
STORED = f"JSON.parse(localStorage.np_{KEY} || '{{}}')"
HIDE = """(hidden) => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden})
    document.dispatchEvent(new Event('visibilitychange', {bubbles: true})) }"""


async def events(page: Page, name: str) -> list[dict[str, Any]]:
    """What went into ``dataLayer``."""
    found: list[dict[str, Any]] = await page.evaluate("(name) => dataLayer.filter((one) => one.event == name)", name)
    return found


async def test_a_visit_is_told_and_remembered(site: Site, window: Window) -> None:
    page = await window.page(NUMBER, head=f"<title>Roofs</title>{TAG}", query="?utm_source=facebook")
    await shows(page, "#a", NEW)
    (first,) = site.of("visit")
    assert first["site"] == KEY
    assert first["url"] == f"{site.url}/?utm_source=facebook"
    assert first["title"] == "Roofs"
    assert first["consent"] == {"required": False, "state": "unknown"}
    assert "visitor" not in first
    stored = await page.evaluate(STORED)
    page = await window.page(NUMBER, path="/second")
    second = site.of("visit")[1]
    assert (second["visit"], second["visitor"]) == (stored["visit"], stored["visitor"])
    assert second["touch"] == {"url": first["url"], "referrer": ""}


async def test_the_second_page_swaps_before_it_asks_and_mends_a_stale_answer(site: Site, window: Window) -> None:
    await shows(await window.page(NUMBER), "#a", NEW)
    site.delay, site.swaps = 1.0, {MAIN: OTHER}
    page = await window.page(NUMBER, path="/second")
    await shows(page, "#a", NEW)
    await shows(page, "#a", NEXT)
    site.delay, site.swaps = 0, {MAIN: MAIN}
    page = await window.page(NUMBER, path="/third")
    await shows(page, "#a", OLD)
    assert await page.get_attribute("#l", "href") == f"tel:{MAIN}"


async def test_a_number_that_was_last_alive_too_long_ago_is_not_shown_from_memory(site: Site, window: Window) -> None:
    page = await window.page(NUMBER)
    await shows(page, "#a", NEW)
    await page.evaluate(f"localStorage.np_{KEY} = JSON.stringify({{...{STORED}, at: Date.now() - 1201000}})")
    site.delay = 30
    page = await window.page(NUMBER, path="/second")
    await stays(page, f"document.querySelector('#a').textContent == '{OLD}'")


async def test_a_collector_that_is_slow_down_or_something_else_leaves_the_page_alone(
    site: Site, chromium: Browser
) -> None:
    for delay, broken in ((30.0, None), (0, "{"), (0, "null"), (0, '{"message": "no"}'), (0, "<html>")):
        site.delay, site.broken = delay, broken
        window = await open_window(site, chromium)
        page = await window.page(NUMBER)
        await stays(page, f"document.querySelector('#a').textContent == '{OLD}'", 0.2)
        assert window.errors == []
        await window.context.close()
    window = await open_window(site, chromium)
    await window.context.route("**/v1/**", lambda route: route.abort())
    page = await window.page(NUMBER, wait=False)
    await page.wait_for_function("!!window.numberpool?.on")
    await stays(page, f"document.querySelector('#a').textContent == '{OLD}'", 0.2)
    assert await page.evaluate("numberpool.number('306-555-1234')") == "306-555-1234"
    assert await page.evaluate("numberpool.lead('chat', {a: 1})") is False
    assert window.errors == []
    await window.context.close()


async def test_blocked_storage(site: Site, window: Window) -> None:
    await window.context.add_init_script(
        """Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})
        Object.defineProperty(document, 'cookie', {get() { throw new DOMException('no', 'SecurityError') }})"""
    )
    await shows(await window.page(NUMBER), "#a", NEW)


async def test_included_twice_and_by_a_tag_manager(site: Site, window: Window) -> None:
    page = await window.page(NUMBER, head=TAG + TAG.replace(' data-site="demo"', ""))
    await shows(page, "#a", NEW)
    await asyncio.sleep(0.3)
    assert len(site.of("visit")) == 1
    await shows(await window.page(NUMBER, head=f'<script async src="/np/np.js?site={KEY}"></script>'), "#a", NEW)
    head = f"<script>numberpool = {{site: '{KEY}'}}</script><script async src='/np/np.js'></script>"
    await shows(await window.page(NUMBER, head=head), "#a", NEW)
    assert {body["site"] for body in site.of("visit")} == {KEY}


async def test_a_tag_without_a_site_does_nothing(site: Site, window: Window) -> None:
    page = await window.page(NUMBER, head="<script async src=/np/np.js></script>", wait=False)
    await stays(page, f"document.querySelector('#a').textContent == '{OLD}'")
    assert site.heard == []


async def test_a_strict_policy_with_trusted_types(site: Site, window: Window) -> None:
    site.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
    )
    page = await window.context.new_page()
    site.pages["/"] = f"<!doctype html><html><head>{TAG}</head><body>{NUMBER}</body></html>"
    page.on("pageerror", lambda error: window.errors.append(str(error)))
    page.on("console", lambda message: window.notes.append(message.text))
    await page.goto(f"{site.url}/")
    await shows(page, "#a", NEW)
    assert [note for note in window.notes if "favicon" not in note and "404" not in note] == []


async def test_kept_alive_while_it_is_shown_and_used_and_left_at_the_end(site: Site, window: Window) -> None:
    site.keep_alive = 1
    page = await window.page(NUMBER)
    await shows(page, "#a", NEW)
    alive = await site.wait_for("alive", 2)
    assert alive[0]["exposures"] == [site.exposures[LENT]]
    await page.evaluate(HIDE, True)
    (left,) = await site.wait_for("leave")
    assert left["exposures"] == [site.exposures[LENT]]
    so_far = len(site.of("alive"))
    await asyncio.sleep(2.2)
    assert len(site.of("alive")) == so_far
    await page.evaluate(HIDE, False)
    await site.wait_for("alive", so_far + 1)
    await page.evaluate("Date.now = ((now) => () => now() + 301000)(Date.now.bind(Date))")
    so_far = len(site.of("alive"))
    await asyncio.sleep(2.2)
    assert len(site.of("alive")) <= so_far + 1, "nobody is there"
    await page.keyboard.press("a")
    await site.wait_for("alive", so_far + 1)
    leaves = len(site.of("leave"))
    await page.goto("about:blank")
    await site.wait_for("leave", leaves + 1)


async def test_a_displaced_number_is_asked_for_anew(site: Site, window: Window) -> None:
    site.keep_alive = 1
    page = await window.page(NUMBER)
    await shows(page, "#a", NEW)
    site.swaps, site.answers = {MAIN: OTHER}, {"ask_again": True}
    await site.wait_for("alive")
    site.answers = {}
    await shows(page, "#a", NEXT)


@pytest.mark.parametrize("event", ["visibilitychange", "prerenderingchange"])
async def test_a_page_that_opens_hidden_or_prerendered_asks_when_it_is_shown(
    site: Site, window: Window, event: str
) -> None:
    # Chromium prerenders nothing for a page that is driven from outside, so its signs are given by hand.
    sign = "hidden" if event == "visibilitychange" else "prerendering"
    await window.context.add_init_script(
        f"Object.defineProperty(document, '{sign}', {{configurable: true, get: () => true}})"
    )
    page = await window.page(NUMBER, wait=False)
    await page.wait_for_function("!!window.numberpool?.on")
    await stays(page, f"document.querySelector('#a').textContent == '{OLD}'")
    assert site.heard == []
    await page.evaluate(HIDE.replace("visibilitychange", event).replace("'hidden'", f"'{sign}'"), False)
    await shows(page, "#a", NEW)


async def test_a_page_from_the_back_forward_cache_asks_again(site: Site, window: Window) -> None:
    page = await window.page(NUMBER)
    await shows(page, "#a", NEW)
    site.swaps = {MAIN: OTHER}
    site.pages["/other"] = "<!doctype html><p>other</p>"
    await page.evaluate("window.kept = true")
    await page.goto(f"{site.url}/other")
    await site.wait_for("leave")
    await page.evaluate("history.back()")
    await shows(page, "#a", NEXT)
    assert await page.evaluate("window.kept") is True
    assert len(site.of("visit")) == 2


async def test_single_page_navigation(site: Site, window: Window) -> None:
    page = await window.page(NUMBER)
    await shows(page, "#a", NEW)
    await page.evaluate(f"history.pushState(0, '', '/prices'); document.body.innerHTML = '<h1 id=b>{OLD}</h1>'")
    await shows(page, "#b", NEW)
    (seen,) = await site.wait_for("page")
    assert seen["url"] == f"{site.url}/prices"
    assert seen["visit"] == (await page.evaluate(STORED))["visit"]
    await page.evaluate("history.pushState(0, '', '/prices?utm_source=x')")
    await site.wait_for("visit", 2)
    assert site.of("visit")[1]["url"] == f"{site.url}/prices?utm_source=x"


async def test_a_tap_is_told_before_the_phone_opens(site: Site, window: Window) -> None:
    page = await window.page(NUMBER + "<script>addEventListener('click', (e) => e.preventDefault())</script>")
    await shows(page, "#a", NEW)
    await page.evaluate("window.taps = []; numberpool.on('tap', (tap) => taps.push(tap))")
    await page.click("#l")
    (tap,) = await site.wait_for("tap")
    assert (tap["number"], tap["exposure"]) == (LENT[1:], site.exposures[LENT])
    await page.wait_for_function("taps.length == 1")
    assert await page.evaluate("[taps[0].href, taps[0].shown.number.e164]") == [f"tel:{LENT}", LENT]
    assert await events(page, "np_tap") == [{"event": "np_tap", "np_number": LENT[1:], "np_target": None}]


async def test_the_api(site: Site, window: Window) -> None:
    head = (
        """<script>window.early = []; numberpool = {q: [['on', 'swap', (one) => early.push(one.number.e164)]]}
        </script>"""
        + TAG
    )
    page = await window.page(NUMBER, head=head)
    await page.wait_for_function("early.length == 1")
    assert await page.evaluate("new Promise((done) => numberpool.on('swap', (one) => done(one.target.e164)))") == MAIN
    assert await page.evaluate("numberpool.number('+1 306 555 1234')") == "+1 306 555 2001"
    assert await events(page, "np_swap") == [{"event": "np_swap", "np_number": LENT, "np_target": MAIN}]
    await page.evaluate(
        "numberpool.on('swap', (one) => { if (one.number.e164.endsWith('2002')) throw new Error('theirs') })"
    )
    site.swaps = {MAIN: OTHER}
    await page.evaluate("numberpool.refresh()")
    await shows(page, "#a", NEXT)
    assert await page.evaluate("numberpool.lead('chat', {name: 'Ann'})") is True
    (lead,) = site.of("lead")
    assert (lead["kind"], lead["data"]) == ("chat", {"name": "Ann"})
    window.errors.remove("theirs")


async def test_consent_that_is_required(site: Site, window: Window) -> None:
    head = TAG.replace("data-site", "data-consent=required data-site")
    page = await window.page(NUMBER, head=head)
    await shows(page, "#a", NEW)
    assert site.of("visit")[0]["consent"] == {"required": True, "state": "unknown"}
    assert await page.evaluate("localStorage.length") == 0
    site.swaps = {MAIN: OTHER}
    await page.evaluate("numberpool.consent(true)")
    await shows(page, "#a", NEXT)
    assert site.of("consent")[0]["consent"] == {"required": True, "state": "granted", "signal": "api"}
    assert (await page.evaluate(STORED))["visitor"]
    page = await window.page(NUMBER, head=head, path="/second")
    assert site.of("visit")[1]["consent"]["state"] == "granted"
    await page.evaluate("numberpool.consent(false)")
    assert site.of("consent")[1]["consent"]["state"] == "denied"
    assert await page.evaluate("localStorage.length") == 0
    await window.page(NUMBER, head=head, path="/third")
    assert "visitor" not in site.of("visit")[2]


async def test_consent_mode(site: Site, window: Window) -> None:
    gtag = """<script>dataLayer = []; function gtag() { dataLayer.push(arguments) }
        gtag('consent', 'default', {ad_storage: 'denied', analytics_storage: 'denied'})</script>"""
    page = await window.page(NUMBER, head=gtag + TAG)
    await shows(page, "#a", NEW)
    assert site.of("visit")[0]["consent"] == {"required": True, "state": "unknown"}
    assert await page.evaluate("localStorage.length") == 0
    await page.evaluate("dataLayer.push({event: 'other'}, null, 'x'); gtag('event', 'x', {})")
    await page.evaluate("gtag('consent', 'update', {ad_storage: 'granted', analytics_storage: 'granted'})")
    (consent,) = await site.wait_for("consent")
    assert (consent["consent"]["state"], consent["consent"]["signal"]) == ("granted", "consent mode")
    await page.evaluate("gtag('consent', 'update', {ad_storage: 'denied'})")
    await site.wait_for("consent", 2)
    assert site.of("consent")[1]["consent"]["state"] == "denied"
    await page.wait_for_function("localStorage.length == 0")


async def test_global_privacy_control(site: Site, window: Window) -> None:
    await window.context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})")
    page = await window.page(NUMBER)
    await shows(page, "#a", NEW)
    assert site.of("visit")[0]["gpc"] is True
    await page.evaluate("numberpool.consent(true)")
    assert await page.evaluate("localStorage.length") == 0


async def test_forms_are_captured_only_where_they_are_marked(site: Site, window: Window) -> None:
    form = """<form{} action="/thanks"><input name=name value=Ann><input name=phone><input type=password name=p value=x>
        <input type=hidden name=token value=x><input name=card autocomplete=cc-number value=4111><input type=checkbox
        name=no value=1><input type=checkbox name=yes value=1 checked><textarea name=text>Hail</textarea>
        <input name=own data-np-skip value=x><button id=s>Send</button></form>"""
    page = await window.page(form.format(""))
    assert await page.evaluate("document.scripts.length") == 1
    page = await window.page(form.format(" data-np-form=quote"), path="/form")
    await page.wait_for_function("document.scripts.length == 2")
    await page.wait_for_load_state("networkidle")
    await page.fill("[name=phone]", "306-555-0190")
    await page.click("#s")
    (lead,) = await site.wait_for("lead")
    assert lead["kind"] == "form"
    assert lead["data"] == {"form": "quote", "name": "Ann", "phone": "306-555-0190", "yes": "1", "text": "Hail"}
