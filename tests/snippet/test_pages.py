"""Pages as they are found in the world, with the snippet in them."""

import pytest
from playwright.async_api import Page

from tests.snippet.site import LENT, MAIN, OTHER, SHOP, TAG, Site, Window, shows, stays

OLD, NEW = "(306) 555-1234", "(306) 555-2001"
NO_ANSWER = "document.body.textContent"


async def html_of(page: Page, selector: str = "main") -> str:
    """The inside of an element."""
    found: str = await page.eval_on_selector(selector, "(element) => element.innerHTML")
    return found


async def test_text_links_and_attributes(window: Window) -> None:
    page = await window.page(
        """<main><p id=a>Call (306) 555-1234 today</p>
        <p id=b>Call <b>(306)</b> 555-<i>1234</i>!</p>
        <p id=c><span>+1</span> <span>306</span>.<span>555</span>.<span>12</span><span>34</span> x5</p>
        <a id=d href="tel:+13065551234">Call</a> <a id=e href="tel:306-555-1234,5">5</a>
        <a id=f href="tel:(306)%20555-1234">%</a> <a id=g href="sms:+13065551234?body=Hi%20there">Text</a>
        <a id=h href="https://wa.me/13065551234?text=Hi%20%26">Chat</a>
        <a id=i href="https://api.whatsapp.com/send?phone=13065551234&text=a">Chat</a>
        <a id=j href="whatsapp://send?text=x&phone=+13065551234">Chat</a>
        <a id=k href="https://shop.example/?p=3065551234">shop</a> <a id=l href="tel:+443065551234">UK</a>
        <img id=m alt="Ring 306-555-1234" title="or 306.555.1234"><button id=n aria-label="Call 306 555 1234">x</button>
        <input id=o placeholder="e.g. 306-555-1234" value="306-555-1234">
        </main>""",
        head=f"<title>Roofs, (306) 555-1234</title>{TAG}",
    )
    await shows(page, "#a", f"Call {NEW} today")
    assert await html_of(page, "#b") == "Call <b>(306)</b> 555-<i>2001</i>!"
    assert (
        await html_of(page, "#c")
        == "<span>+1</span> <span>306</span>.<span>555</span>.<span>20</span><span>01</span> x5"
    )
    hrefs = await page.eval_on_selector_all("main a", "(all) => all.map((a) => a.getAttribute('href'))")
    assert hrefs == [
        "tel:+13065552001",
        "tel:306-555-2001,5",
        "tel:(306)555-2001" if "(" in hrefs[2] else "tel:306555-2001",
        "sms:+13065552001?body=Hi%20there",
        "https://wa.me/13065552001?text=Hi%20%26",
        "https://api.whatsapp.com/send?phone=13065552001&text=a",
        "whatsapp://send?text=x&phone=13065552001",
        "https://shop.example/?p=3065551234",
        "tel:+443065551234",
    ]
    assert "".join(letter for letter in hrefs[2] if letter.isdigit()) == "3065552001"
    assert await page.get_attribute("#m", "alt") == "Ring 306-555-2001"
    assert await page.get_attribute("#m", "title") == "or 306.555.2001"
    assert await page.get_attribute("#n", "aria-label") == "Call 306 555 2001"
    assert await page.get_attribute("#o", "placeholder") == "e.g. 306-555-2001"
    assert await page.input_value("#o") == "306-555-1234"
    assert await page.title() == f"Roofs, {NEW}"


UNTOUCHED = """<script type="application/json">"(306) 555-1234"</script><style>/* (306) 555-1234 */</style>
<textarea>(306) 555-1234</textarea><div contenteditable><p>(306) 555-1234</p></div><code>(306) 555-1234</code>
<p data-np-skip>(306) 555-1234 <a href="tel:+13065551234">x</a></p><p>Order A-3065551234-7</p>
<p>$3,065,551,234</p><p>a@3065551234.example</p><p>https://x.example/3065551234</p><p>9<b>306-555-1234</b></p>
<p>306-555-1234<b>5</b></p><table><tbody><tr><td>306</td><td>555</td><td>1234</td></tr></tbody></table>
<select><option>(306) 555-1234</option></select><p>306-555<br>1234</p>"""


async def test_what_is_never_touched(window: Window) -> None:
    page = await window.page(f"<main>{UNTOUCHED}</main><p id=a>{OLD}</p><p>Room 12</p><p id=b>{OLD}</p><p>5</p>")
    before = await page.evaluate(
        "(text) => { const t = document.createElement('template'); t.innerHTML = text; return t.innerHTML }", UNTOUCHED
    )
    await shows(page, "#a", NEW)
    await shows(page, "#b", NEW)
    assert await html_of(page) == before


async def test_data_for_search_engines_only_if_asked(window: Window) -> None:
    body = """<main><script type="application/ld+json">{"telephone": "+1-306-555-1234", "n": 3065551234567}</script>
    <meta itemprop="telephone" content="+1-306-555-1234"><p id=a itemprop="telephone">(306) 555-1234</p></main>"""
    page = await window.page(body)
    await shows(page, "#a", NEW)
    assert '"+1-306-555-1234"' in await html_of(page)
    assert 'content="+1-306-555-1234"' in await html_of(page)
    page = await window.page(body, head=TAG.replace("data-site", "data-jsonld data-site"), path="/asked")
    await shows(page, "#a", NEW)
    assert '"+1-306-555-2001", "n": 3065551234567' in await html_of(page)
    assert 'content="+1-306-555-2001"' in await html_of(page)


async def test_several_targets(site: Site, window: Window) -> None:
    site.swaps = {MAIN: LENT, SHOP: OTHER}
    page = await window.page("<p id=a>Office 306-555-1234, shop 306-555-9000</p>")
    await shows(page, "#a", "Office 306-555-2001, shop 306-555-2002")


async def test_numbers_that_stand_for_each_other_do_not_go_round(site: Site, window: Window) -> None:
    site.swaps = {MAIN: SHOP, SHOP: MAIN}
    page = await window.page("<p id=a>306-555-1234 and 306-555-9000</p>")
    await page.evaluate("document.querySelector('#a').append(' more 1')")
    await stays(page, "document.querySelector('#a').textContent == '306-555-1234 and 306-555-9000 more 1'")


async def test_a_changing_page(window: Window) -> None:
    page = await window.page("<main><p id=a>(306) 555-1234</p></main><a id=l href='tel:1'>x</a>")
    await shows(page, "#a", NEW)
    await page.evaluate("""() => {
        const main = document.querySelector('main'), add = (html) => main.insertAdjacentHTML('beforeend', html)
        add('<section><p id=b>New: <font><font>306-555-1234</font></font></p></section>')
        add('<section><a href="tel:+13065551234">x</a></section>')
        document.querySelector('#a').firstChild.data = 'Again: (306) 555-1234'
        document.querySelector('#l').href = 'tel:+13065551234'
        const pieces = document.createElement('p'); pieces.id = 'c'; document.querySelector('main').append(pieces)
        for (const piece of ['30', '6-5', '55-12', '34']) pieces.append(piece)
        document.title = 'Now 306-555-1234'
    }""")
    await shows(page, "#b", "New: 306-555-2001")
    await shows(page, "#a", f"Again: {NEW}")
    await shows(page, "#c", "306-555-2001")
    await page.wait_for_function("document.querySelector('#l').href == 'tel:+13065552001'")
    await page.wait_for_function("document.title == 'Now 306-555-2001'")
    assert await page.get_attribute("section a", "href") == "tel:+13065552001"


SHADOWS = """<shop-card></shop-card><div id=late></div><div id=declared><template shadowrootmode=open>
<p>Declared (306) 555-1234</p></template></div><script>
customElements.define('shop-phone', class extends HTMLElement {
  constructor() { super(); this.attachShadow({mode: 'open'}).innerHTML = '<b>306</b>-555-1234' } })
customElements.define('shop-card', class extends HTMLElement {
  connectedCallback() { this.attachShadow({mode: 'open'}).innerHTML = '<p>In: <shop-phone></shop-phone></p>' } })
</script>"""


async def test_open_shadow_roots_nested_declared_and_late(window: Window) -> None:
    page = await window.page(SHADOWS)
    await shows(page, "shop-card shop-phone b", "306")
    inner = "document.querySelector('shop-card').shadowRoot.querySelector('shop-phone').shadowRoot.textContent"
    await page.wait_for_function(f"{inner} == '306-555-2001'")
    await page.wait_for_function("document.querySelector('#declared').shadowRoot.textContent.includes('555-2001')")
    await page.evaluate("""() => {
        const root = document.querySelector('#late').attachShadow({mode: 'open'})
        root.innerHTML = '<p>306-555-1234</p>'
        const made = document.createElement('shop-card'); document.body.append(made)
        setTimeout(() => made.shadowRoot.querySelector('shop-phone').shadowRoot.append(' or 306.555.1234'), 30)
    }""")
    await page.wait_for_function("document.querySelector('#late').shadowRoot.textContent == '306-555-2001'")
    last = "document.body.lastChild.shadowRoot.querySelector('shop-phone').shadowRoot.textContent"
    await page.wait_for_function(f"{last} == '306-555-2001 or 306.555.2001'")


# What React does: it keeps its text nodes, and writes into them when its own idea of a text has changed.
REACT = """<div id=root></div><script>
const root = document.querySelector('#root'); let count = 0
function render() {
  if (!root.firstChild) { const p = document.createElement('p')
    p.append('Call ', document.createComment(' '), '(306) 555-1234', document.createComment(' '), ' or wait', ' 0')
    root.append(p) }
  root.querySelector('p').lastChild.nodeValue = ' ' + ++count
  if (count % 3 == 0) root.querySelector('p').childNodes[2].nodeValue = '(306) 555-1234'
}
render(); window.ticking = setInterval(render, 150)</script>"""


async def test_a_framework_that_renders_again(window: Window) -> None:
    page = await window.page(REACT)
    await page.wait_for_function("count > 12")
    await page.wait_for_function(f"document.querySelector('#root').textContent.startsWith('Call {NEW} or wait')")
    assert await page.evaluate("document.querySelectorAll('#root p').length") == 1


async def test_a_page_that_insists_wins_after_a_while(window: Window) -> None:
    page = await window.page(
        """<p id=a>(306) 555-1234</p><p id=b>0</p><script>let writes = 0
        new MutationObserver(() => { const text = document.querySelector('#a').firstChild
          if (text.data != '(306) 555-1234') { writes++; text.data = '(306) 555-1234' } })
          .observe(document.querySelector('#a'), {subtree: true, characterData: true})</script>"""
    )
    await page.wait_for_function("writes > 3")
    await page.evaluate("new Promise((done) => setTimeout(done, 500))")
    writes = await page.evaluate("writes")
    assert writes < 60
    await stays(page, f"writes == {writes}")
    assert sum("insists" in note for note in window.notes) == 1


@pytest.mark.parametrize("kind", ["wordpress", "translated", "amp", "svg"])
async def test_markup_of_the_world(window: Window, kind: str) -> None:
    bodies = {
        "wordpress": """<div class="wp-block-group"><header class="site-header"><span class="top-bar__tel"><i class="fa
            fa-phone" aria-hidden="true"></i>&nbsp;<a class="tel" href="tel:3065551234"><span class="screen-reader-text"
            >Phone:</span> <strong id=a>306.555.1234</strong></a></span></header><aside class="widget widget_text"><div
            class="textwidget"><p>Roofs &amp; More<br />\n12 Main St<br />\nRegina SK S4P 3Y2<br />\n306.555.1234</p>
            </div></aside></div>""",
        "translated": """<p><font style="vertical-align: inherit;"><font style="vertical-align: inherit;">Appelez le
            </font><font style="vertical-align: inherit;" id=a>306.555.1234</font></font></p>""",
        "amp": """<amp-sidebar><amp-call-tracking config="/x"><a id=a href="tel:+13065551234">306.555.1234</a>
            </amp-call-tracking></amp-sidebar>""",
        "svg": """<svg><text>Call <tspan id=a>306.555.1234</tspan></text></svg>""",
    }
    page = await window.page(bodies[kind])
    await shows(page, "#a", "306.555.2001")
    assert "1234" not in await page.evaluate("document.body.outerHTML")
