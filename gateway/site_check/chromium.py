"""A Chromium of the system for one check: a profile of its own, locked in, watched, and gone afterwards.

It is driven by the few commands of ``devtools`` and not by Playwright: that would bring 130 MB with a second runtime
into every installation, and wants a browser of its own version.
"""

import asyncio
import os
import pwd
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.site_check.devtools import LARGEST_MESSAGE, Devtools
from gateway.site_check.errors import BrowserFailed, NoBrowser, NoSandbox, SiteCheckError, TooMuch

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge-stable")
# What it is called where we are root: a stranger's page is nobody's.
_NOBODY = "nobody"
_PREFIX = "numberpool-check-"
_LEFT_SECONDS = 3600.0
_LARGEST_MEMORY = 1_500_000_000
_WATCH_SECONDS = 0.5
_START_SECONDS = 30.0
_END_SECONDS = 3.0
_WORDS_OF_NO_SANDBOX = (
    "No usable sandbox",
    "without --no-sandbox",
    "Failed to move to new namespace",
    "setuid sandbox",
)

_FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-breakpad",
    "--disable-blink-features=AutomationControlled",
    # The page is asked for as it is written; nothing is sent anywhere else.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,OptimizationHints,Translate,MediaRouter",
    "--mute-audio",
    "--password-store=basic",
    "--window-size=1280,1000",
    "--lang=en-US",
    "--js-flags=--max-old-space-size=512",
    "--disk-cache-size=50000000",
    # Every connection goes through our proxy, also those to this machine and those of calls between browsers.
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)


@dataclass(frozen=True, slots=True)
class BrowserChoice:
    """Which browser, and whether it must lock pages in; ``program`` none: the first that is found."""

    program: Path | None = None
    sandbox: bool = True


def find_chromium(named: Path | None) -> Path:
    """The browser's program. Raises NoBrowser."""
    if named is not None:
        if os.access(named, os.X_OK):
            return named
        raise NoBrowser
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    raise NoBrowser


@asynccontextmanager
async def running_chromium(choice: BrowserChoice, *, calls_itself: str, proxy: str) -> AsyncIterator[Devtools]:
    """A browser, as long as the block lasts; ``calls_itself`` stands behind its usual user agent.

    Raises NoBrowser, NoSandbox, BrowserFailed; TooMuch in the middle, where its pages took too much memory.
    """
    program = find_chromium(choice.program)
    with _profile() as profile:
        version = await _version(program)
        agent = (
            f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 "
            f"Safari/537.36 {calls_itself}"
        )
        command = [
            str(program),
            *_FLAGS,
            f"--user-data-dir={profile}",
            f"--user-agent={agent}",
            f"--proxy-server={proxy}",
        ]
        if not choice.sandbox:
            command.append("--no-sandbox")
        said = profile / "said"
        process = await _spawn([*command, "about:blank"], profile, said)
        assert process.stdin is not None
        assert process.stdout is not None
        devtools = Devtools(process.stdout, process.stdin)
        watching: asyncio.Task[None] | None = None
        try:
            devtools.open()
            try:
                async with asyncio.timeout(_START_SECONDS):
                    await devtools.send("Browser.getVersion")
            except Exception:
                raise _why(said) from None
            await devtools.send("Browser.setDownloadBehavior", behavior="deny")
            watch = _Watch(process.pid, devtools)
            watching = asyncio.create_task(watch.run())
            try:
                yield devtools
            except SiteCheckError:
                raise
            except Exception:
                if watch.took_too_much:
                    raise TooMuch from None
                if devtools.gone.is_set():
                    raise _why(said) from None
                raise
        finally:
            if watching is not None:
                watching.cancel()
            await devtools.close()
            await _end(process)


def _why(said: Path) -> SiteCheckError:
    with suppress(OSError):
        text = said.read_text(errors="replace")
        if any(words in text for words in _WORDS_OF_NO_SANDBOX):
            return NoSandbox()
        lines = [line for line in text.splitlines() if "dbus" not in line]
        return BrowserFailed("\n".join(lines[-5:])[:2000])
    return BrowserFailed("")


@contextmanager
def _profile() -> Iterator[Path]:
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - _LEFT_SECONDS:  # of a check that was killed
                shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        if os.geteuid() == 0:
            someone = pwd.getpwnam(_NOBODY)
            os.chown(folder, someone.pw_uid, someone.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _version(program: Path) -> str:
    """The first part of the version: what the browser would tell of itself if it had a screen."""
    process = await asyncio.create_subprocess_exec(
        program, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, **_someone()
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            text, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        raise BrowserFailed(f"{program} --version does not end") from None
    for word in text.decode(errors="replace").split():
        if word[:1].isdigit():
            return word.partition(".")[0]
    raise BrowserFailed(f"{program} --version says nothing of a version")


def _someone() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    someone = pwd.getpwnam(_NOBODY)
    return {"user": someone.pw_uid, "group": someone.pw_gid, "extra_groups": []}


async def _spawn(command: list[str], profile: Path, said: Path) -> asyncio.subprocess.Process:
    """Start it. What it reads and writes as 3 and 4 are our pipes to its standard input and output."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(profile), "TMPDIR": str(profile)}
    with said.open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            'exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null',
            "sh",
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            limit=LARGEST_MESSAGE,
            start_new_session=True,
            env=environment,
            cwd=profile,
            **_someone(),
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it and all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
                break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class _Watch:
    """Ends a browser whose pages take too much memory."""

    def __init__(self, pid: int, devtools: Devtools) -> None:
        self._pid, self._devtools = pid, devtools
        self.took_too_much = False

    async def run(self) -> None:
        """Until cancelled."""
        while not self._devtools.gone.is_set():
            if await asyncio.to_thread(memory_of, self._pid) > _LARGEST_MEMORY:
                self.took_too_much = True
                with suppress(ProcessLookupError):
                    os.killpg(self._pid, signal.SIGKILL)
                return
            await asyncio.sleep(_WATCH_SECONDS)


def memory_of(session: int) -> int:
    """Bytes of memory that the processes of a session have for themselves."""
    total = 0
    page = os.sysconf("SC_PAGE_SIZE")
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                resident, shared = (folder / "statm").read_text().split()[1:3]
                total += (int(resident) - int(shared)) * page
    return total
