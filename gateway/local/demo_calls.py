"""The calls of the demonstration, and whether they came out as they should.

What is shown is read from the database. What was asked of the carrier is only compared with it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.local.carrier import Business, CallerReport, Carrier, DidForm, Scenario
from gateway.local.voices import Side, Sounds
from gateway.pools import setup
from gateway.store.database import Database

COMPANY = "Acme Roofing"
TIME_ZONE = "America/Regina"

GOOGLE, FACEBOOK, MAIL = "Google Ads", "Facebook", "Direct mail"
NUMBERS = {GOOGLE: "+13065552001", FACEBOOK: "+13065552002", MAIL: "+13065552003"}

# What the database may tell apart from the carrier's clock: the way of an answer and of a hangup.
_TALK_TOLERANCE_SECONDS = 0.5


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
class CallLine:
    """One call as the log has it."""

    did: str
    caller: str | None
    source: str | None
    outcome: str | None
    ring_seconds: float | None
    talk_seconds: float | None
    recording: str | None
    decided_by: str
    added_ms: float | None

    def as_json(self) -> dict[str, Any]:
        """The fields, in order."""
        return asdict(self)


async def set_up_company(database: Database, main_line: str, ring_seconds: int) -> None:
    """Make the company of the example, with its numbers, unless an earlier run has."""
    async with database.everything() as connection:
        if any(row["name"] == COMPANY for row in await setup.companies(connection)):
            return
        company = await setup.add_company(connection, COMPANY, time_zone=TIME_ZONE, region="CA", currency="CAD")
        await setup.add_destination(
            connection, company, "Main line", main_line, ring_seconds=ring_seconds, is_default=True
        )
        channels = {
            GOOGLE: ("Paid search", "google", "cpc"),
            FACEBOOK: ("Paid social", "facebook", "paid"),
            MAIL: ("Print", "direct-mail", "letter"),
        }
        for source, number in NUMBERS.items():
            channel, name, medium = channels[source]
            await setup.add_source(connection, company, source, channel=channel, source=name, medium=medium)
            await setup.add_number(connection, company, number, source=source)


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
        rows = await connection.fetch(
            """
            SELECT did, caller, sources.name AS source, outcome, ring_seconds, talk_seconds,
                   CASE WHEN recordings.state = 'ready' THEN file END AS file, decided_by, decision_ms
              FROM calls
              LEFT JOIN sources ON sources.id = calls.source_id
              LEFT JOIN recordings ON recordings.call_id = calls.id
             WHERE started_at >= $1
             ORDER BY started_at, calls.id
            """,
            began,
        )

    def rounded(value: float | None, digits: int) -> float | None:
        return None if value is None else round(value, digits)

    return [
        CallLine(
            row["did"],
            row["caller"],
            row["source"],
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
        ["-" if value is None else str(value) for value in {**line.as_json(), "recording": _name(line)}.values()]
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [titles, *rows]
    )


def _name(line: CallLine) -> str | None:
    return None if line.recording is None else Path(line.recording).name
