"""The inline variant, printed into a page's head, and the scripts as they are served."""

import re

import pytest
from aiohttp import ClientSession, web

from gateway.http.collector.snippet import CACHING, SCRIPTS, script
from gateway.visits.snippet import INLINE_LIMIT, BadSnippetAddress, inline_snippet, script_of, tag
from tests.snippet.site import KEY, MAIN, NO_FAVICON, OTHER, TAG, Site, Window, shows

LONG = "https://collector.a-rather-long-name.example.com/np/"
BODY = """<h1 id=a>Call (306) 555-1234 now</h1><p id=b>Or <b>306</b>-<i>555</i>-12<u>34</u>.</p>
<a id=c href="tel:+13065551234">Call</a><p id=d>Order A-3065551234-7, 306-555-12345, #3065551234, 9<b>306-555-1234</b>
<span data-np-skip>306-555-1234</span> <textarea>306-555-1234</textarea> $306-555-1234</p>"""
KEPT = "Order A-3065551234-7, 306-555-12345, #3065551234, 9306-555-1234 306-555-1234 306-555-1234 $306-555-1234"


def test_it_is_small_with_any_address() -> None:
    found = inline_snippet("a" * 20, LONG)
    assert len(found.html.encode()) <= INLINE_LIMIT == 2048
    assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", found.csp_hash)
    assert "__" not in found.html


def test_an_address_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadSnippetAddress):
        inline_snippet("a" * 20, f"https://{'a' * 200}.example/")


@pytest.mark.parametrize(
    "address", ["np", "//x.example/", "javascript:alert(1)", "/a?b", "/a#b", '/"', "/</script>", "/a b", "ftp://a/b"]
)
def test_what_is_no_folder_is_refused(address: str) -> None:
    for make in (inline_snippet, tag):
        with pytest.raises(BadSnippetAddress):
            make(KEY, address)


def test_the_tag() -> None:
    assert tag(KEY, "/np") == TAG
    with pytest.raises(BadSnippetAddress):
        tag('"><script>', "/np/")


async def test_remembered_numbers_are_there_before_np_js(site: Site, window: Window) -> None:
    inline = inline_snippet(KEY, "/np/")
    site.headers["Content-Security-Policy"] = (
        f"default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src {inline.csp_hash} 'self'"
    )
    head = NO_FAVICON + inline.html
    page = await window.page(BODY, head=head)
    await shows(page, "#a", "Call (306) 555-2001 now")
    assert site.of("visit")[0]["site"] == KEY
    await window.context.route("**/np.js", lambda route: route.abort())
    page = await window.page(BODY, head=head, path="/second", wait=False)
    assert await page.inner_text("#a") == "Call (306) 555-2001 now"
    assert await page.inner_html("#b") == "Or <b>306</b>-<i>555</i>-20<u>01</u>."
    assert await page.get_attribute("#c", "href") == "tel:+13065552001"
    assert " ".join((await page.text_content("#d") or "").split()) == KEPT
    assert not [note for note in window.notes if "Content Security" in note]
    await window.context.unroute("**/np.js")
    site.swaps = {MAIN: OTHER}
    page = await window.page(BODY, head=head, path="/third")
    await shows(page, "#a", "Call (306) 555-2002 now")
    assert await page.inner_html("#b") == "Or <b>306</b>-<i>555</i>-20<u>02</u>."


async def test_consent_is_asked_for_by_the_inline_variant_as_well(site: Site, window: Window) -> None:
    html = inline_snippet(KEY, "/np/").html.replace("<script>", '<script data-consent="required">')
    page = await window.page(BODY, head=html)
    await shows(page, "#a", "Call (306) 555-2001 now")
    assert site.of("visit")[0]["consent"]["required"] is True
    assert await page.evaluate("localStorage.length") == 0


async def test_the_scripts_survive_an_update() -> None:
    app = web.Application()
    for name in SCRIPTS:
        app.router.add_get(f"/{name}", script)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with ClientSession() as client:
        for name in SCRIPTS:
            async with client.get(f"{url}/{name}") as answer:
                assert (answer.status, answer.headers["Cache-Control"]) == (200, CACHING)
                kind = "text/javascript" if name.endswith(".js") else "text/plain"
                assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
                assert await answer.read() == script_of(name)
                assert answer.headers["Content-Encoding"] in ("gzip", "deflate")
                tag = answer.headers["ETag"]
            async with client.get(f"{url}/{name}", headers={"If-None-Match": tag}) as answer:
                assert (answer.status, await answer.read()) == (304, b"")
            async with client.get(f"{url}/{name}", headers={"If-None-Match": '"old"'}) as answer:
                assert answer.status == 200
    await runner.cleanup()
