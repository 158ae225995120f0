"""A Chromium of this machine, steered as a person would use it: for visits that the demonstration makes by itself.

    async with opened_browser(program, folder / "browser") as browser:
        page = await browser.visitor()
        await page.open("http://127.0.0.1:8082/?gclid=demo")
        await page.until("document.title.includes('2011')")

It opens pages of this machine alone; the browser that looks at other people's is ``gateway.site_check``'s.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.local.errors import LocalError
from gateway.local.processes import ends_with_us
from gateway.site_check.devtools import LARGEST_MESSAGE, Devtools, ProtocolError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ANSWER_SECONDS = 20.0
_FAREWELL_SECONDS = 5.0

# Our own pages need no sandbox, which root and containers do not get.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--mute-audio",
    "--remote-debugging-pipe",
    # The collector gives no number to browsers that say a program steers them.
    "--disable-blink-features=AutomationControlled",
    "--lang=en-CA",
)


class BrowserError(LocalError):
    """The browser does not do what it should; the message says what it was."""


def find_browser() -> Path | None:
    """A Chromium of this machine: the one that ``NUMBERPOOL_CHROMIUM`` names, else one in the path."""
    named = os.environ.get("NUMBERPOOL_CHROMIUM")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return Path(found) if found else None


class Page:
    """One window of a visitor."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser, self._session = browser, session

    async def send(self, method: str, **parameters: Any) -> Any:
        """Send a command to the page. Raises BrowserError."""
        return await self._browser.send(method, self._session, **parameters)

    async def open(self, url: str) -> None:
        """Go to an address, written in full, and wait until it is loaded. Raises BrowserError."""
        gone = await self.send("Page.navigate", url=url)
        if "errorText" in gone:
            raise BrowserError(f"the browser cannot open {url}: {gone['errorText']}")
        await self.until(f"location.href == {json.dumps(url)} && document.readyState == 'complete'")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression on the page. Raises BrowserError."""
        done = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise BrowserError(f"{expression}: {done['exceptionDetails'].get('text', 'it fails')}")
        return done["result"].get("value")

    async def until(self, expression: str, seconds: float = _ANSWER_SECONDS) -> Any:
        """Wait until an expression is true; its value. Raises BrowserError when it does not become so."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    # While a page goes over to the next, there is nothing to ask.
                    with contextlib.suppress(BrowserError):
                        if found := await self.evaluate(expression):
                            return found
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise BrowserError(f"the page does not come to {expression}") from None


class Browser:
    """A running Chromium."""

    def __init__(self, devtools: Devtools, user_agent: str) -> None:
        self._devtools, self._user_agent = devtools, user_agent

    async def send(self, method: str, session: str = "", /, **parameters: Any) -> Any:
        """Send a command and return its result. Raises BrowserError."""
        try:
            return await self._devtools.send(method, session, **parameters)
        except (ProtocolError, TimeoutError) as error:
            raise BrowserError(f"the browser fails: {error or method}") from None

    async def visitor(self) -> Page:
        """A window of somebody who was never here before. Raises BrowserError."""
        context = (await self.send("Target.createBrowserContext"))["browserContextId"]
        target = await self.send(
            "Target.createTarget", url="about:blank", browserContextId=context, width=1280, height=900
        )
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, attached["sessionId"])
        await page.send(
            "Emulation.setUserAgentOverride", userAgent=self._user_agent, acceptLanguage="en-CA,en", platform="Linux"
        )
        return page


@asynccontextmanager
async def opened_browser(program: Path, folder: Path) -> AsyncIterator[Browser]:
    """A Chromium that keeps what it must in ``folder``, which is removed afterwards. Raises BrowserError."""
    _empty(folder)
    process = await _spawn(program, folder)
    assert process.stdin is not None
    assert process.stdout is not None
    devtools = Devtools(process.stdout, process.stdin)
    try:
        devtools.open()
        try:
            version = await devtools.send("Browser.getVersion")
        except (ProtocolError, TimeoutError):
            raise BrowserError(f"the browser does not start: {_last_words(folder)}") from None
        # The collector gives no number to browsers without a screen.
        yield Browser(devtools, version["userAgent"].replace("Headless", ""))
        with contextlib.suppress(ProtocolError, TimeoutError):
            await devtools.send("Browser.close")
    finally:
        await devtools.close()
        await _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _last_words(folder: Path) -> str:
    lines = (folder / "log").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it says nothing"


async def _spawn(program: Path, folder: Path) -> asyncio.subprocess.Process:
    """Start it, to end with us. What it reads and writes as 3 and 4 are our pipes to its standard input and output."""
    here = str(folder)
    with (folder / "log").open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *ends_with_us(),
            *("/bin/sh", "-c", 'exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null', "sh"),
            *(str(program), *_FLAGS, f"--user-data-dir={here}", "about:blank"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=LARGEST_MESSAGE,
            start_new_session=True,
            env={**os.environ, "HOME": here, "XDG_CONFIG_HOME": here, "XDG_CACHE_HOME": here},
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL_SECONDS):
            await process.wait()
    # Its helpers are of its session; some outlive it by a moment.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
