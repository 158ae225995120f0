"""The calls of the demonstration, and whether they came out as they should.

What is shown is read from the database. What was asked of the carrier is only compared with it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.local.carrier import Business, CallerReport, Carrier, DidForm, Scenario
from gateway.local.demo_company import FACEBOOK, GOOGLE, MAIL, NUMBERS
from gateway.local.voices import Side, Sounds
from gateway.store.database import Database
from gateway.store.queries import load_queries

# What the database may tell apart from the carrier's clock: the way of an answer and of a hangup.
_TALK_TOLERANCE_SECONDS = 0.5


# How much of a page's address the table shows.
_PAGE_LETTERS = 34

_queries = load_queries(Path(__file__).parent, "demo.sql")


@dataclass(frozen=True)
class DemoCall:
    """One call to place, and the outcome that the log must show."""

    source: str
    caller: str
    name: str
    scenario: Scenario
    outcome: str
    did_form: DidForm = "+E164"


def demo_calls(sounds: Sounds) -> tuple[DemoCall, ...]:
    """The calls: every source, and every way in which a call ends."""

    def talk(conversation: str, after: float, ends: Side = Side.BUSINESS) -> Scenario:
        return Scenario(after=after, talk=sounds.seconds(conversation), ends=ends, conversation=conversation)

    return (
        DemoCall(GOOGLE, "+13065550141", "Dana Whitfield", talk("google", 1.0), "answered"),
        DemoCall(FACEBOOK, "+13065550178", "Luc Tremblay", talk("facebook", 1.5), "answered", "E164"),
        DemoCall(MAIL, "+13065550123", "Marion Olsen", talk("mail", 2.0, Side.CALLER), "answered", "national"),
        DemoCall(GOOGLE, "+13065550166", "Priya Nair", Scenario(Business.BUSY, after=0), "busy"),
        DemoCall(FACEBOOK, "+13065550119", "Tom Becker", Scenario(Business.NO_ANSWER), "no_answer"),
        DemoCall(MAIL, "+13065550152", "Ruth Ahenakew", Scenario(after=9, caller_leaves_at=3.2), "abandoned"),
        DemoCall(GOOGLE, "+13065550107", "Dana Whitfield", talk("repeat", 0.8, Side.CALLER), "answered"),
    )


@dataclass(frozen=True)
class CallVisit:
    """The visit that made a call: its id, what brought it, where it began, and how sure it is that it was this one."""

    id: str
    source: str
    page: str
    confidence: float


@dataclass(frozen=True)
class CallLine:
    """One call as the log has it."""

    did: str
    caller: str | None
    source: str | None
    visit: CallVisit | None
    outcome: str | None
    ring_seconds: float | None
    talk_seconds: float | None
    recording: str | None
    decided_by: str
    added_ms: float | None

    def as_json(self) -> dict[str, Any]:
        """The fields, in order."""
        return asdict(self)


async def place_all(carrier: Carrier, calls: Sequence[DemoCall]) -> list[CallerReport]:
    """Place all calls at once; the carrier's reports, in the same order."""
    return await asyncio.gather(
        *(
            carrier.place(NUMBERS[call.source], call.caller, call.scenario, name=call.name, did_form=call.did_form)
            for call in calls
        )
    )


async def logged_since(database: Database, began: datetime, data_folder: Path) -> list[CallLine]:
    """Every call that the log has since then, oldest first."""
    async with database.everything() as connection:
        rows = [row async for row in _queries.calls_since(connection, began=began)]

    def rounded(value: float | None, digits: int) -> float | None:
        return None if value is None else round(value, digits)

    return [
        CallLine(
            row["did"],
            row["caller"],
            row["source"],
            row["visit_id"]
            and CallVisit(str(row["visit_id"]), row["label"], row["url"], round(float(row["confidence"]), 3)),
            row["outcome"],
            rounded(row["ring_seconds"], 2),
            rounded(row["talk_seconds"], 2),
            str(data_folder / row["file"]) if row["file"] else None,
            row["decided_by"],
            rounded(row["decision_ms"], 1),
        )
        for row in rows
    ]


def shortfalls(calls: Sequence[DemoCall], reports: Sequence[CallerReport], lines: Sequence[CallLine]) -> list[str]:
    """What fell short, in words; nothing when all went as it should."""
    faults = []
    if len(lines) != len(calls):
        faults.append(f"{len(calls)} calls were placed, and the log has {len(lines)}")
    for call, report in zip(calls, reports, strict=True):
        mine = [line for line in lines if line.caller == call.caller]
        who = f"the call of {call.caller} to {NUMBERS[call.source]}"
        if len(mine) != 1:
            faults.append(f"{who} is in the log {len(mine)} times")
            continue
        line = mine[0]
        told = [
            (line.did == NUMBERS[call.source], f"its number is logged as {line.did}"),
            (line.source == call.source, f"its source is {line.source}, not {call.source}"),
            (line.outcome == call.outcome, f"its outcome is {line.outcome}, not {call.outcome}"),
            (line.decided_by == "gateway", f"it was decided by {line.decided_by}"),
            (line.outcome != "answered" or line.recording is not None, "it has no recording"),
            (
                line.recording is None or Path(line.recording).is_file(),
                f"its recording {line.recording} is not there",
            ),
            (
                abs((line.talk_seconds or 0) - report.talk_seconds) <= _TALK_TOLERANCE_SECONDS,
                f"the log has {line.talk_seconds} s of talk, the carrier {report.talk_seconds} s",
            ),
        ]
        faults += [f"{who}: {fault}" for holds, fault in told if not holds]
    return faults


def table(lines: Sequence[CallLine]) -> str:
    """The calls in columns, for people."""
    if not lines:
        return "no call"
    titles = list(lines[0].as_json())
    rows = [
        [
            "-" if value is None else str(value)
            for value in {**line.as_json(), "visit": _visit(line), "recording": _name(line)}.values()
        ]
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [titles, *rows]
    )


def _name(line: CallLine) -> str | None:
    return None if line.recording is None else Path(line.recording).name


def _visit(line: CallLine) -> str | None:
    if line.visit is None:
        return None
    address = urlsplit(line.visit.page)
    page = address.path + (f"?{address.query}" if address.query else "")
    page = page if len(page) <= _PAGE_LETTERS else page[: _PAGE_LETTERS - 1] + "…"
    return f"{line.visit.source}: {page} ({line.visit.confidence:.0%})"
