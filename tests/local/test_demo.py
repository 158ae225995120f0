"""The demonstration as a person runs it: once with a table, and until Ctrl-C."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from gateway.local.carrier import Business, CallerReport, Scenario
from gateway.local.demo_calls import CallLine, CallVisit, DemoCall, shortfalls, table
from gateway.local.demo_company import GOOGLE, MAIL
from gateway.local.programs import AsteriskHome
from tests.stack import PROJECT

CALLER = "+13065550141"


@asynccontextmanager
async def _demo(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway.local.demo", "--folder", str(folder), *arguments),
        cwd=PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.communicate()


def _files(names: Iterable[str]) -> bool:
    return all(Path(name).is_file() for name in names)


def _left_over(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


async def test_once_shows_every_call_as_the_log_has_it(asterisk_home: AsteriskHome, short_path: Path) -> None:
    folder = short_path / "demo"
    async with _demo(folder, "--once", "--json") as process:
        async with asyncio.timeout(180):
            printed, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    calls = [json.loads(line) for line in printed.splitlines()]
    assert list(calls[0]) == [
        "did",
        "caller",
        "source",
        "visit",
        "outcome",
        "ring_seconds",
        "talk_seconds",
        "recording",
        "decided_by",
        "added_ms",
    ]
    from_visits = {call["visit"]["source"]: call for call in calls if call["visit"]}
    assert set(from_visits) == {"Google Paid", "Facebook Paid"}
    assert all(call["source"] == source for source, call in from_visits.items())
    assert {"gclid", "utm_source=facebook"} == {
        word
        for word in ("gclid", "utm_source=facebook")
        for call in calls
        if word in (call["visit"] or {}).get("page", "")
    }
    assert len({call["did"] for call in from_visits.values()}) == 2
    others = [call for call in calls if call not in from_visits.values()]
    assert {call["source"] for call in others} == {"Google Ads", "Facebook", "Direct mail", "Direct"}
    assert {call["did"] for call in others if call["source"] == "Direct"} == {"+13065551234"}
    assert {"answered", "busy", "no_answer", "abandoned"} == {call["outcome"] for call in calls}
    assert _files(call["recording"] for call in calls if call["outcome"] == "answered")
    assert _left_over(folder) == []


async def test_it_stays_until_ctrl_c_and_leaves_nothing_running(asterisk_home: AsteriskHome, short_path: Path) -> None:
    folder = short_path / "demo"
    async with _demo(folder) as process:
        assert process.stderr is not None
        said = ""
        # With ninety days of history, which take a while on a busy machine.
        async with asyncio.timeout(240):
            while "Logs:" not in said:
                said += (await process.stderr.readline()).decode()
        link = re.search(r"http://\S+", said)
        assert link is not None
        assert re.search(r"sip:\+13065552001@127\.0\.0\.1:\d+", said)
        async with aiohttp.ClientSession() as session, session.get(link[0]) as page:
            assert page.status == 200
        assert _left_over(folder) != []
        async with _demo(folder, "--once") as second:
            _printed, refused = await second.communicate()
        assert second.returncode == 1
        assert b"already" in refused
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(60):
            await process.communicate()
    assert process.returncode == 0
    assert _left_over(folder) == []


async def test_nothing_outlives_a_demonstration_that_was_killed(asterisk_home: AsteriskHome, short_path: Path) -> None:
    folder = short_path / "demo"
    async with _demo(folder) as process:
        assert process.stderr is not None
        async with asyncio.timeout(60):
            while b"placing" not in await process.stderr.readline():
                pass
        process.kill()
        await process.wait()
        async with asyncio.timeout(10):
            while _left_over(folder):  # noqa: ASYNC110 - other processes, nothing to wait on
                await asyncio.sleep(0.05)


def _line(**changes: object) -> CallLine:
    values: dict[str, object] = {
        "did": "+13065552001",
        "caller": CALLER,
        "source": GOOGLE,
        "visit": None,
        "outcome": "busy",
        "ring_seconds": 0.1,
        "talk_seconds": None,
        "recording": None,
        "decided_by": "gateway",
        "added_ms": 1.0,
    }
    return CallLine(**{**values, **changes})  # type: ignore[arg-type]


BUSY = DemoCall(GOOGLE, CALLER, "Dana", Scenario(Business.BUSY), "busy")
REPORT = CallerReport(1.0, 2.0, "BUSY", 17, 486, 0.0, 0.0)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([_line()], None),
        ([], "0 times"),
        ([_line(), _line()], "2 times"),
        ([_line(did="+13065552002")], "logged as"),
        ([_line(source=MAIL)], "its source is Direct mail"),
        ([_line(outcome="answered", recording=__file__)], "its outcome is answered"),
        ([_line(outcome="answered")], "no recording"),
        ([_line(recording="/nowhere.mp3")], "is not there"),
        ([_line(decided_by="fallback")], "decided by fallback"),
        ([_line(talk_seconds=4.0)], "4.0 s of talk"),
    ],
)
def test_every_shortfall_is_named(lines: list[CallLine], fault: str | None) -> None:
    found = "\n".join(shortfalls([BUSY], [REPORT], lines))
    assert found == "" if fault is None else fault in found


def test_the_table_has_a_row_a_call() -> None:
    rows = table([_line(), _line(recording="/a/7.mp3")]).splitlines()
    assert len(rows) == 3
    assert "7.mp3" in rows[2]
    assert table([]) == "no call"


def test_the_table_says_which_visit_it_was() -> None:
    address = "http://127.0.0.1:8082/prices?utm_source=facebook&utm_medium=paid&utm_campaign=spring"
    row = table([_line(visit=CallVisit("01a2", "Facebook Paid", address, 0.987))]).splitlines()[1]
    assert "Facebook Paid: /prices?utm_source=facebook" in row
    assert "(99%)" in row
    assert "campaign" not in row
