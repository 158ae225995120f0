"""A company with believable calls, made through the real schema and the real audio functions."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from gateway.calls.audio import Encoded, make_stereo
from gateway.calls.sides import finished_file
from gateway.store.database import Connection, Database

RATE = 8000

# (number, name); withheld callers have no number.
CALLERS: tuple[tuple[str | None, str], ...] = (
    ("+13065550142", "Dana Whitford"),
    ("+13065550199", "Maria Lavallée"),
    ("+13065550177", ""),
    ("+16395550123", "Олена Коваленко"),
    ("+13065550158", "محمد الحسن"),
    (None, ""),
    ("+13065550111", "WILSON PLUMBING & HEATING LTD"),
    ("+442079460018", "Siân Pritchard"),
    ("+13065550184", "Nguyễn Thị Hương"),
    ("+14035550135", ""),
    ("+13065550166", "J. O’Neill"),
    ("+13065550120", "Priya Ramanathan"),
)


@dataclass
class MadeCompany:
    """The ids of what was made."""

    id: int
    sources: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, tuple[int, str]] = field(default_factory=dict)  # source: id, E.164
    node_id: int = 0
    calls: list[int] = field(default_factory=list)


async def make_company(
    database: Database, name: str = "Acme Roofing", numbers: tuple[str, str, str] = ("2001", "2002", "2003")
) -> MadeCompany:
    """A company with three sources, a number for each, and its main line."""
    async with database.everything() as wire:
        company = MadeCompany(
            await wire.fetchval(
                "INSERT INTO companies (name, time_zone, region, currency) "
                "VALUES ($1, 'America/Regina', 'CA', 'CAD') RETURNING id",
                name,
            )
        )
        company.node_id = await wire.fetchval(
            "INSERT INTO nodes (name) VALUES ('pbx') ON CONFLICT (name) DO UPDATE SET name = 'pbx' RETURNING id"
        )
        await wire.execute(
            "INSERT INTO destinations (company_id, name, dial, is_default) VALUES ($1, 'Reception', $2, true)",
            company.id,
            "PJSIP/reception",
        )
        pool = await wire.fetchval(
            "INSERT INTO pools (company_id, name, kind) VALUES ($1, 'Advertisements', 'static') RETURNING id",
            company.id,
        )
        for colour, (source, end) in enumerate(zip(("Google Ads", "Facebook", "Direct mail"), numbers, strict=True)):
            source_id = await wire.fetchval(
                "INSERT INTO sources (company_id, name, colour) VALUES ($1, $2, $3) RETURNING id",
                company.id,
                source,
                colour,
            )
            e164 = f"+1306555{end}"
            number_id = await wire.fetchval(
                "INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id) "
                "VALUES ($1, $2, $3, $4) RETURNING id",
                company.id,
                pool,
                e164,
                source_id,
            )
            company.sources[source] = source_id
            company.numbers[source] = (number_id, e164)
    return company


async def add_call(
    database: Database,
    company: MadeCompany,
    *,
    source: str | None = "Google Ads",
    caller: str | None = "+13065550142",
    caller_name: str = "",
    state: str = "ended",
    outcome: str | None = "answered",
    started_at: datetime | None = None,
    ring: float = 7,
    talk: float = 192,
    recording: tuple[str, Encoded] | None = None,
) -> int:
    """One call, as the gateway would have written it; its id."""
    started = started_at or datetime.now(UTC)
    answered = outcome == "answered" if state == "ended" else state == "answered"
    ended = state == "ended"
    number_id, did = company.numbers[source] if source else (None, "+13065551234")
    async with database.companies(company.id) as wire:
        call_id: int = await wire.fetchval(
            """INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, source_id,
                 trunk, caller, caller_name, started_at, answered_at, ended_at, ring_seconds, talk_seconds, answered_by,
                 hung_up_by, hangup_cause, decided_by, decision_ms, recorded, evidence)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'carrier', $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                 'gateway', 4.2, $20, $21) RETURNING id""",
            company.id,
            company.node_id,
            f"{started.timestamp():.3f}.{random.getrandbits(48)}",
            3 if ended else 1 + answered,
            state,
            outcome if ended else None,
            did,
            number_id,
            company.sources.get(source or ""),
            caller,
            caller_name,
            started,
            started + timedelta(seconds=ring) if answered else None,
            started + timedelta(seconds=ring + (talk if answered else 0)) if ended else None,
            ring if ended or answered else None,
            (talk if answered else 0) if ended else None,
            "PJSIP/reception" if answered else None,
            "caller" if ended and (answered or outcome == "abandoned") else None,
            {"answered": 16, "busy": 17, "no_answer": 19, "abandoned": 16, "failed": 20}.get(outcome or "")
            if ended
            else None,
            recording is not None,
            f'{{"request": "{did}", "to": "{did}"}}',
        )
        if ended:
            await _add_leg_and_recording(wire, company, call_id, outcome, ring, recording)
    company.calls.append(call_id)
    return call_id


async def _add_leg_and_recording(
    wire: Connection,
    company: MadeCompany,
    call_id: int,
    outcome: str | None,
    ring: float,
    recording: tuple[str, Encoded] | None,
) -> None:
    if outcome in ("answered", "busy", "no_answer", "abandoned", "failed"):
        await wire.execute(
            "INSERT INTO legs (company_id, call_id, position, dial, ring_seconds, result, hangup_cause, answered_by) "
            "VALUES ($1, $2, 1, 'PJSIP/reception', $3, $4, 16, $5)",
            company.id,
            call_id,
            ring,
            outcome,
            "PJSIP/reception" if outcome == "answered" else None,
        )
    if recording is not None:
        file, encoded = recording
        await wire.execute(
            "INSERT INTO recordings (company_id, call_id, state, sides, rate, file, seconds, bytes, peaks, ready_at) "
            "VALUES ($1, $2, 'ready', $3, $4, $5, $6, $7, $8, now())",
            company.id,
            call_id,
            file.removesuffix(".mp3"),
            RATE,
            file,
            encoded.seconds,
            encoded.size,
            encoded.peaks,
        )


def make_recording(folder: Path, name: str, seconds: float, seed: int = 1) -> tuple[str, Encoded]:
    """A real stereo recording of two people who take turns; its file as the database names it, and what it holds."""
    dice = np.random.default_rng(seed)
    caller, business = _talk(dice, seconds)
    folder.mkdir(parents=True, exist_ok=True)
    left, right = folder / f"{name}.caller.sln", folder / f"{name}.business.sln"
    left.write_bytes(caller.tobytes())
    right.write_bytes(business.tobytes())
    file = finished_file(1, datetime(2026, 11, 21, tzinfo=UTC), crc32(name.encode()))
    target = folder.parent / file
    target.parent.mkdir(parents=True, exist_ok=True)
    encoded = make_stereo(left, right, RATE, target)
    left.unlink()
    right.unlink()
    return file, encoded


def _talk(dice: np.random.Generator, seconds: float) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Tones (300 Hz the caller, 500 Hz the business) in syllables, phrases and turns, as speech goes."""
    total = int(seconds * RATE)
    loud = np.zeros((2, total), np.float32)
    at, who = int(dice.uniform(0.2, 0.8) * RATE), 1
    while at < total:
        end = min(total, at + int(dice.uniform(1.2, min(9, seconds / 3 + 1.3)) * RATE))
        phrase = dice.uniform(0.25, 0.8)
        while at < end:
            syllable = int(dice.uniform(0.09, 0.24) * RATE)
            stop = min(total, at + syllable)
            loud[who, at:stop] = phrase * dice.uniform(0.3, 1) * np.sin(np.linspace(0, np.pi, syllable))[: stop - at]
            at = stop + int(dice.exponential(0.05) * RATE)
            if dice.random() < 0.08:
                at += int(dice.uniform(0.2, 0.5) * RATE)
                phrase = dice.uniform(0.25, 0.8)
        at += int(dice.uniform(0.1, 0.9) * RATE)
        who = 1 - who
    time = np.arange(total) / RATE
    caller = loud[0] * np.sin(2 * np.pi * 300 * time) * 0.6
    business = loud[1] * np.sin(2 * np.pi * 500 * time) * 0.5
    hum = dice.normal(0, 0.0012, total)
    return tuple(((side + hum) * 32767).clip(-32768, 32767).astype(np.int16) for side in (caller, business))


async def fill(database: Database, company: MadeCompany, recordings: Path, now: datetime) -> None:
    """A month of calls: much from Google Ads, some from Facebook, one from direct mail; two that are under way."""
    dice = random.Random(7)
    sounds = [
        make_recording(recordings, f"sound-{number}", seconds, seed=number)
        for number, seconds in enumerate((41, 192, 74, 305, 128, 18, 251, 97), start=1)
    ]
    outcomes = ["answered"] * 11 + ["no_answer", "busy", "abandoned", "answered"]
    weights = {"Google Ads": 47, "Facebook": 9, "Direct mail": 2}
    moments = sorted(
        (now - timedelta(minutes=14) - timedelta(hours=24 * 29 * dice.random() ** 1.8) for _ in range(62)), reverse=True
    )
    # The office hours of Regina (UTC-6), and nothing from the future.
    moments = sorted({min(now, m.replace(hour=dice.randrange(14, 23), minute=m.minute)) for m in moments}, reverse=True)
    moments = [now - timedelta(minutes=m) for m in (9, 31, 58, 84, 97, 143)] + [
        m for m in moments if m < now - timedelta(minutes=150)
    ]
    first = ("answered", "no_answer", "answered", "answered", "busy", "answered", "answered", "abandoned")
    for place, moment in enumerate(moments):
        who, called = CALLERS[(place * 5 + 1) % len(CALLERS)]
        source: str | None = dice.choices(list(weights), list(weights.values()))[0]
        if place in (0, 3):
            source = "Facebook" if place == 0 else "Direct mail"
        outcome = first[place] if place < len(first) else dice.choice(outcomes)
        file, encoded = sounds[(place * 3 + 1) % len(sounds)]
        await add_call(
            database,
            company,
            source=None if place == 17 else source,
            caller=who,
            caller_name=called,
            outcome=outcome,
            started_at=moment,
            ring=dice.uniform(3, 24),
            talk=encoded.seconds,
            recording=(file, encoded) if outcome == "answered" and place != 9 else None,
        )
    for before in range(61):
        moment = now - timedelta(days=31 + before % 28, minutes=before)
        await add_call(database, company, started_at=moment, outcome=dice.choice(outcomes))
    await add_call(
        database,
        company,
        caller="+13065550190",
        caller_name="Tom Bear",
        state="answered",
        outcome=None,
        started_at=now - timedelta(seconds=83),
        source="Facebook",
    )
    await add_call(
        database,
        company,
        caller="+13065550142",
        caller_name="Dana Whitford",
        state="ringing",
        outcome=None,
        started_at=now - timedelta(seconds=7),
    )
