"""A visit of a page by the checking browser: opened as a visitor would, read, moved about in, and read again."""

import asyncio
import base64
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from gateway.site_check.devtools import Devtools, ProtocolError
from gateway.site_check.seen import Blocked, PageState, PolicyFault, Request, Seen

PROBE = (Path(__file__).parent / "probe.js").read_text()

# A page that has not loaded by then is looked at as it is.
LOAD_SECONDS = 25.0
# How long the snippet may take to ask and be answered after that; it waits five seconds itself.
SETTLE_SECONDS = 8.0
# Where there is no tag of it and nothing was asked for, it is not waited for as long: a tag manager takes a second.
_ABSENT_SECONDS = 3.0
_QUIET_SECONDS = 0.7
_LOOK_SECONDS = 0.1
# What is longer is not kept by the browser, and not read.
_LONGEST_TEXT = 4_000_000
_MOST_REQUESTS = 2000
_ASKED = re.compile(r"/v1/(?:visit|consent)(?:[?#]|$)")
SCRIPT = re.compile(r"/np\.js(?:[?#]|$)")
_FIGHT = "the page insists on its number"


def is_visit(request: Request) -> bool:
    """Whether a request asked the collector for numbers."""
    return bool(_ASKED.search(request.url)) and request.method == "POST"


def is_script(request: Request) -> bool:
    """Whether a request fetched the snippet."""
    return bool(SCRIPT.search(request.url))


def refusal_of(request: Request) -> str:
    """The name by which the collector itself refused a request; empty where it did not.

    A browser keeps no answer that the page did not read, so the status must do; a web server's own page is no JSON.
    """
    if "json" not in request.mime:
        return ""
    by_status = {
        403: "wrong_origin",
        404: "unknown_site" if is_visit(request) else "not_found",
        429: "too_many_requests",
    }
    return by_status.get(request.status or 0, "")


@dataclass(slots=True)
class _Watching:
    """What the browser tells of one page while it is open."""

    seen: Seen
    requests: dict[str, Request] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  # as they were sent; told before or after
    came: dict[str, tuple[int | None, dict[str, str]]] = field(default_factory=dict)  # also where it may not be read
    main: str = ""  # the document's request
    loaded: asyncio.Event = field(default_factory=asyncio.Event)
    last_at: float = 0.0

    def heard(self, name: str, event: dict[str, Any]) -> None:
        self.last_at = monotonic() if name.startswith("Network.") else self.last_at
        match name:
            case "Network.requestWillBeSent":
                self._sent(event)
            case "Network.requestWillBeSentExtraInfo":
                self.headers[event["requestId"]] = {
                    key.lower(): value for key, value in event.get("headers", {}).items()
                }
            case "Network.responseReceivedExtraInfo":
                said = {key.lower(): str(value)[:2000] for key, value in event.get("headers", {}).items()}
                self.came[event["requestId"]] = event.get("statusCode"), said
            case "Network.responseReceived":
                self._answered(event)
            case "Network.loadingFinished":
                self._ended(event["requestId"])
            case "Network.loadingFailed":
                self._failed(event)
            case "Page.loadEventFired":
                self.loaded.set()
            case "Audits.issueAdded":
                self._issue(event.get("issue", {}))
            case "Runtime.consoleAPICalled":
                words = " ".join(str(each.get("value", "")) for each in event.get("args", []))
                self.seen.fights = self.seen.fights or _FIGHT in words

    def _sent(self, event: dict[str, Any]) -> None:
        id, request = event["requestId"], event["request"]
        before = self.requests.get(id)
        if before is not None and (redirect := event.get("redirectResponse")):
            before.status = redirect.get("status")
            came_from = (*before.redirected_from, before.url)
        else:
            came_from = ()
        if len(self.requests) >= _MOST_REQUESTS and before is None:
            return
        made = Request(
            url=request["url"],
            kind=event.get("type", ""),
            method=request.get("method", "GET"),
            callers=_callers(event.get("initiator", {})),
            sent=str(request.get("postData", ""))[:20_000],
            redirected_from=came_from,
        )
        if before is not None:
            self.seen.requests.remove(before)
        self.requests[id] = made
        self.seen.requests.append(made)
        self.began[id] = event.get("timestamp", 0.0)
        if made.kind == "Document" and not self.main:
            self.main = id

    def _answered(self, event: dict[str, Any]) -> None:
        request = self.requests.get(event["requestId"])
        if request is None:
            return
        answer = event["response"]
        request.status, request.mime = answer.get("status"), answer.get("mimeType", "")
        request.from_worker = bool(answer.get("fromServiceWorker"))
        request.headers = {key.lower(): str(value)[:2000] for key, value in answer.get("headers", {}).items()}
        request.seconds = event.get("timestamp", 0.0) - self.began.get(event["requestId"], 0.0)
        if event["requestId"] == self.main:
            self.seen.status, self.seen.headers = request.status, request.headers

    def _failed(self, event: dict[str, Any]) -> None:
        request = self.requests.get(event["requestId"])
        if request is None:
            return
        request.error = event.get("errorText") or "failed"
        reason = event.get("blockedReason", "")
        if reason:
            request.blocked = (
                Blocked(reason) if reason in (Blocked.POLICY, Blocked.MIXED, Blocked.CLIENT) else Blocked.OTHER
            )
        elif event.get("corsErrorStatus"):
            request.blocked = Blocked.CORS
        self._ended(event["requestId"])

    def _ended(self, id: str) -> None:
        self.last_at = monotonic()

    def _issue(self, issue: dict[str, Any]) -> None:
        details = issue.get("details", {})
        if (policy := details.get("contentSecurityPolicyIssueDetails")) and not policy.get("isReportOnly"):
            blocked = policy.get("blockedURL") or "inline"
            self.seen.policy.append(PolicyFault(policy.get("violatedDirective", "").partition(" ")[0], blocked))
        if mixed := details.get("mixedContentIssueDetails"):
            for request in self.seen.requests:
                if request.url == mixed.get("insecureURL"):
                    request.blocked = Blocked.MIXED

    def asked(self) -> list[Request]:
        return [each for each in self.seen.requests if is_visit(each)]

    def is_answered(self, count: int) -> bool:
        asked = self.asked()
        return len(asked) >= count and all(each.status is not None or each.error for each in asked)


def _callers(initiator: dict[str, Any]) -> tuple[str, ...]:
    found = [initiator["url"]] if initiator.get("url") else []
    stack = initiator.get("stack")
    while stack:
        found += [frame.get("url", "") for frame in stack.get("callFrames", [])]
        stack = stack.get("parent")
    return tuple(dict.fromkeys(url for url in found if url))


async def look(devtools: Devtools, url: str, *, consent: bool = False, again: bool = False) -> Seen:
    """Visit ``url`` in a browser without any past.

    Where the snippet has not begun by itself, it moves, presses a key and scrolls as a visitor does. ``consent``: where
    the snippet waits for a yes, say it and look again; ``again``: where the page has a service worker, load it once
    more, as that one answers then. Raises ProtocolError, TimeoutError where the browser is gone.
    """
    context = (await devtools.send("Target.createBrowserContext"))["browserContextId"]
    try:
        target = (await devtools.send("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        session = (await devtools.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        seen = Seen(url)
        watching = _Watching(seen)
        devtools.listen(session, watching.heard)
        await devtools.send(
            "Network.enable",
            session,
            maxPostDataSize=65536,
            maxResourceBufferSize=_LONGEST_TEXT,
            maxTotalBufferSize=4 * _LONGEST_TEXT,
        )
        for domain in ("Page", "Runtime", "Audits"):
            await devtools.send(f"{domain}.enable", session)
        await _visit(devtools, session, watching, url, consent=consent)
        if again and seen.state.workers:
            await _reload(devtools, session, watching)
        return seen
    finally:
        with suppress(ProtocolError, TimeoutError):
            await devtools.send("Target.disposeBrowserContext", browserContextId=context)


async def _visit(devtools: Devtools, session: str, watching: _Watching, url: str, *, consent: bool) -> None:
    seen = watching.seen
    navigated = await devtools.send("Page.navigate", session, url=url)
    if navigated.get("errorText"):
        seen.error = navigated["errorText"]
        return
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            await watching.loaded.wait()
    except TimeoutError:
        seen.timed_out = True
    await _settle(devtools, session, watching, 1)
    seen.state = await _read(devtools, session)
    seen.final_url = seen.state.url or url
    seen.html = await _body(devtools, session, watching.main)
    if not seen.state.ready:
        seen.before = seen.state
        await _move(devtools, session)
        await _settle(devtools, session, watching, 1)
        seen.state = await _read(devtools, session)
        seen.moved_first = seen.state.ready
    await _bodies(devtools, session, watching)
    if seen.state.ready and consent and seen.answers and seen.answers[-1].get("why") == "consent":
        before = len(watching.asked())
        await _evaluate(devtools, session, "void numberpool.consent(true)")
        await _settle(devtools, session, watching, before + 1)
        seen.consented = await _read(devtools, session)
        await _bodies(devtools, session, watching)


async def _reload(devtools: Devtools, session: str, watching: _Watching) -> None:
    watching.loaded.clear()
    before = len(watching.asked())
    await devtools.send("Page.reload", session)
    with suppress(TimeoutError):
        async with asyncio.timeout(LOAD_SECONDS):
            await watching.loaded.wait()
    await _settle(devtools, session, watching, before + 1)


async def _bodies(devtools: Devtools, session: str, watching: _Watching) -> None:
    """What the collector answered, as far as it is not read yet."""
    for id, request in watching.requests.items():
        said = watching.headers.get(id, {})
        request.fetch_site, request.origin = said.get("sec-fetch-site", ""), said.get("origin", "")
        if request.status is None and id in watching.came:
            request.status, request.headers = watching.came[id]
            request.mime = request.headers.get("content-type", "").partition(";")[0]
        if request.body is not None:
            continue
        if is_visit(request) or (is_script(request) and request.status != 200):
            request.body = await _body(devtools, session, id)
        if is_visit(request):
            with suppress(ValueError):
                answer = json.loads(request.body or "")
                if request.status == 200 and isinstance(answer, dict):
                    watching.seen.answers.append(answer)


async def _settle(devtools: Devtools, session: str, watching: _Watching, asked: int) -> None:
    """Return once the collector has answered so many times and the page is quiet, or it is clear that it will not."""
    began = monotonic()
    while (waited := monotonic() - began) < SETTLE_SECONDS:
        if devtools.gone.is_set():
            raise ProtocolError("the browser is gone")
        quiet = monotonic() - watching.last_at > _QUIET_SECONDS
        if watching.is_answered(asked) and quiet:
            return
        if not any(map(is_script, watching.seen.requests)) and quiet and waited > _ABSENT_SECONDS:
            return
        if (
            any(is_script(each) and (each.error or (each.status or 0) >= 400) for each in watching.seen.requests)
            and quiet
        ):
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _move(devtools: Devtools, session: str) -> None:
    """What visitors do, and what scripts that are held back wait for."""
    for x, y in ((200, 200), (320, 260), (400, 420)):
        await devtools.send("Input.dispatchMouseEvent", session, type="mouseMoved", x=x, y=y)
    await devtools.send("Input.dispatchMouseEvent", session, type="mouseWheel", x=400, y=420, deltaX=0, deltaY=300)
    for kind in ("keyDown", "keyUp"):
        await devtools.send("Input.dispatchKeyEvent", session, type=kind, key="Shift", code="ShiftLeft")


async def _read(devtools: Devtools, session: str) -> PageState:
    value = await _evaluate(devtools, session, PROBE)
    try:
        return PageState.model_validate(value)
    except ValidationError:
        return PageState()


async def _evaluate(devtools: Devtools, session: str, expression: str) -> Any:
    try:
        answer = await devtools.send(
            "Runtime.evaluate", session, expression=expression, awaitPromise=True, returnByValue=True, timeout=10_000
        )
    except (ProtocolError, TimeoutError):
        if devtools.gone.is_set():
            raise
        return None  # a page that never rests, or has just gone to another
    return answer.get("result", {}).get("value")


async def _body(devtools: Devtools, session: str, request: str) -> str:
    try:
        answer = await devtools.send("Network.getResponseBody", session, requestId=request)
    except (ProtocolError, TimeoutError):
        return ""
    text: str = answer.get("body", "")
    if answer.get("base64Encoded"):
        text = base64.b64decode(text).decode(errors="replace")
    return text[:_LONGEST_TEXT]


def host_in(url: str) -> str:
    """The host of an address, in small letters; empty where it has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
