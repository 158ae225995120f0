"""The shop of the demonstration: a small business's website, with the real snippet of the real collector in its pages.

    async with opened_shop(port, company) as shop:
        print(shop.url)

It plays the public: whoever opens an address of it by hand, or follows a link from elsewhere, is somebody new, with a
telephone of his own; whoever goes on within the site, or loads a page again, stays who he is. "Call this number" has
the simulated carrier ring what the page shows, as that person would.
"""

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from aiohttp import hdrs, web

from gateway.http.collector.asking import cookie_name
from gateway.local.carrier import CallerReport
from gateway.local.shop_people import Person, person_of
from gateway.pools.numbers import NumberError, printed, to_e164
from gateway.visits.snippet import inline_snippet

_FOLDER = Path(__file__).parent / "shop_pages"
_PAGES = {"/": "home", "/roof-repair": "roof-repair", "/prices": "prices", "/contact": "contact", "/thanks": "thanks"}
_FILES = {
    "/shop.css": "text/css",
    "/demo.css": "text/css",
    "/demo.js": "text/javascript",
    "/newcomer.js": "text/javascript",
}

# How people come, as the address of the page says it.
ARRIVALS = {
    "google-ad": ("from a Google ad", "/?gclid=demo-click&utm_campaign=emergency-roof-repair"),
    "facebook": ("from Facebook", "/?utm_source=facebook&utm_medium=paid&utm_campaign=spring-maintenance"),
    "google-search": ("from a Google search", "/?utm_source=google&utm_medium=organic"),
    "direct": ("directly", "/"),
}

# Who somebody is, the page he came to, and the one he was on last: a page that is loaded again, or gone back to, is so
# known from one that is opened.
_COOKIE = "acme_shop"
_MOST_CALLS = 4
_REGION = "CA"


@dataclass(frozen=True)
class PlacedCall:
    """A call that somebody placed from a page."""

    number: str
    person: Person
    report: CallerReport


@dataclass(frozen=True)
class ShopCompany:
    """What the shop is given: the site's key, the ports of collector and pages, and the way to the telephone network.

    ``numbers`` are those that it may ring, as E.164; ``call`` rings one and returns when the call has ended.
    """

    site_key: str
    collector_port: int
    pages_url: str
    numbers: Callable[[], Awaitable[set[str]]]
    call: Callable[[str, Person], Awaitable[CallerReport]]


@dataclass
class Shop:
    """The running shop: the calls from its pages that are over, and the numbers of everybody who placed one."""

    url: str
    placed: list[PlacedCall] = field(default_factory=list)
    callers: set[str] = field(default_factory=set)


class _Refused(Exception):
    """Why the button does not ring."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@asynccontextmanager
async def opened_shop(port: int, company: ShopCompany) -> AsyncIterator[Shop]:
    """Serve the shop on that port of 127.0.0.1. Raises OSError."""
    shop = Shop(f"http://127.0.0.1:{port}")
    app = web.Application(client_max_size=16 * 1024)
    counter = _Counter(company, shop, port)
    app.router.add_post("/call", counter.call)
    app.router.add_post("/contact", counter.sent)
    app.router.add_get("/as/{way}", counter.somebody_else)
    app.router.add_get("/{path:.*}", counter.page)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield shop
    finally:
        await runner.cleanup()
        counter.close()


class _Counter:
    """What the shop answers."""

    def __init__(self, company: ShopCompany, shop: Shop, port: int) -> None:
        self._company, self._shop = company, shop
        self._hosts = {f"{name}:{port}": name for name in ("127.0.0.1", "localhost")}
        self._calling: set[asyncio.Task[PlacedCall]] = set()
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )

    def close(self) -> None:
        """Wait for no call any longer; it ends with the carrier."""
        for calling in self._calling:
            calling.cancel()

    async def page(self, request: web.Request) -> web.StreamResponse:
        """A page, or a file that belongs to one."""
        # Another name that leads to this machine would be another site's (DNS rebinding).
        host = self._hosts.get(request.host.lower())
        if host is None:
            return web.Response(status=421, text=f"This shop is at {self._shop.url}\n")
        if (kind := _FILES.get(request.path)) is not None:
            text = (_FOLDER / request.path[1:]).read_text()
            return web.Response(text=text, content_type=kind, headers={hdrs.CACHE_CONTROL: "no-cache"})
        name = _PAGES.get(request.path)
        person, is_new = _who(request)
        here = _digest(request.path_qs)
        came_to = here if is_new else request.cookies[_COOKIE].split(".")[1]
        # The same host by which the page was opened: cookies are the host's, whatever the port.
        collector = f"http://{host}:{self._company.collector_port}"
        snippet = inline_snippet(self._company.site_key, f"{collector}/")
        text = self._templates.get_template(f"{name or 'missing'}.html").render(
            # JSON-LD as well: search engines and assistants read it out.
            snippet=snippet.html.replace("<script>", "<script data-jsonld>", 1),
            is_new=is_new,
            site_key=self._company.site_key,
            here=request.path,
            person=person,
            caller=printed(person.number, _REGION),
            arrivals={way: words for way, (words, _) in ARRIVALS.items()},
            log_url=f"{self._company.pages_url}/calls",
        )
        response = web.Response(text=text, content_type="text/html", status=200 if name else 404)
        response.headers.update(
            {
                hdrs.CACHE_CONTROL: "private, no-cache",
                hdrs.CONTENT_SECURITY_POLICY: (
                    f"default-src 'none'; script-src 'self' {collector} {snippet.csp_hash}; "
                    f"connect-src 'self' {collector}; style-src 'self'; img-src data:; form-action 'self'; "
                    "base-uri 'none'; frame-ancestors 'none'"
                ),
                "Referrer-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
            }
        )
        if is_new:
            response.del_cookie(cookie_name(self._company.site_key))
        response.set_cookie(_COOKIE, f"{person.id}.{came_to}.{here}", httponly=True, samesite="Lax")
        return response

    async def somebody_else(self, request: web.Request) -> web.StreamResponse:
        """Go on as somebody new, who comes another way."""
        if request.match_info["way"] not in ARRIVALS:
            raise web.HTTPSeeOther("/")
        response = web.HTTPSeeOther(ARRIVALS[request.match_info["way"]][1])
        response.del_cookie(_COOKIE)
        raise response

    async def sent(self, request: web.Request) -> web.StreamResponse:
        """The form of the contact page. The shop keeps nothing of it; the snippet has handed it in as a lead."""
        if not self._is_own(request):
            return web.Response(status=403, text="Please send the form from the page itself.\n")
        raise web.HTTPSeeOther("/thanks")

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Ring a number as the person who looks at the page; answers when the call has ended."""
        try:
            placed = await self._placed(request)
        except _Refused as refused:
            return web.json_response({"error": refused.message}, status=refused.status)
        return web.json_response(
            {
                "number": printed(placed.number, _REGION),
                "caller": placed.person.name,
                "answered": placed.report.answered,
                "seconds": round(placed.report.talk_seconds),
            }
        )

    async def _placed(self, request: web.Request) -> PlacedCall:
        # Any page that a browser has open could send this; only ours may.
        if not self._is_own(request):
            raise _Refused(403, "Only the pages of this shop may ring.")
        number = await _number(request)
        if number not in await self._company.numbers():
            raise _Refused(422, f"{printed(number, _REGION)} is none of the demonstration's numbers.")
        if len(self._calling) >= _MOST_CALLS:
            raise _Refused(429, f"{_MOST_CALLS} calls are under way already; try again when one has ended.")
        person, _ = _who(request)
        # It goes on when the page is left.
        calling = asyncio.create_task(self._ring(number, person))
        self._calling.add(calling)
        calling.add_done_callback(self._calling.discard)
        try:
            return await asyncio.shield(calling)
        except (OSError, TimeoutError):
            raise _Refused(503, "The simulated carrier does not answer; start the demonstration anew.") from None

    async def _ring(self, number: str, person: Person) -> PlacedCall:
        self._shop.callers.add(person.number)
        placed = PlacedCall(number, person, await self._company.call(number, person))
        self._shop.placed.append(placed)
        return placed

    def _is_own(self, request: web.Request) -> bool:
        origin = request.headers.get(hdrs.ORIGIN, "")
        return request.host.lower() in self._hosts and origin == f"http://{request.host.lower()}"


async def _number(request: web.Request) -> str:
    try:
        asked = json.loads(await request.text())
        return to_e164(str(asked["number"]), _REGION)
    except (ValueError, KeyError, TypeError, NumberError):
        raise _Refused(400, 'Send the number to ring, as {"number": "(306) 555-1234"}.') from None


def _who(request: web.Request) -> tuple[Person, bool]:
    """Who looks, and whether he has only just come."""
    found = re.fullmatch("([0-9a-f]{16})[.]([0-9a-f]{16})[.]([0-9a-f]{16})", request.cookies.get(_COOKIE, ""))
    came_from_here = request.headers.get("Sec-Fetch-Site", "none") == "same-origin"
    if found is None or not (came_from_here or _digest(request.path_qs) in found.groups()[1:]):
        return person_of(secrets.token_hex(8)), True
    return person_of(found[1]), False


def _digest(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:16]
