"""A company with a past drawn by a seed, and what befalls it afterwards: for comparing reports with all that is stored.

Everything is written as it lies in the tables, by ordinary statements, so that every trigger does its work.
"""

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.store.database import Connection, Database

ZONE = ZoneInfo("America/St_Johns")  # half an hour beside everybody else's, and with summer time
BEGAN = date(2026, 2, 20)
DAYS = 60
# Arrivals: label, channel, source, medium.
ARRIVALS = (
    ("Google Paid", "Paid Search", "google", "cpc"),
    ("Google Organic", "Organic Search", "google", "organic"),
    ("Facebook Paid", "Paid Social", "facebook", "paid_social"),
    ("Direct", "Direct", "(direct)", "(none)"),
    ("news.example", "Referral", "news.example", "referral"),
)
OUTCOMES = ("answered",) * 6 + ("no_answer", "busy", "abandoned", "failed", "voicemail", "blocked", "cut_off")
STATUSES = ("new",) * 9 + ("lead", "booked", "lost", "spam")


@dataclass
class Past:
    """What was made."""

    company_id: int
    node_id: int
    seed: int
    dice: random.Random
    sources: dict[str, int] = field(default_factory=dict)
    sites: list[int] = field(default_factory=list)
    numbers: list[tuple[int, str]] = field(default_factory=list)
    calls: list[int] = field(default_factory=list)
    leads: list[UUID] = field(default_factory=list)
    jobs: list[int] = field(default_factory=list)
    visits: dict[UUID, list[tuple[UUID, datetime, tuple[str, ...]]]] = field(default_factory=dict)

    def moment(self) -> datetime:
        """Some moment, often close to a midnight of the company's."""
        day = BEGAN + timedelta(days=self.dice.randrange(DAYS))
        hour = self.dice.choice((time(0, 0), time(23, 59, 59), time(self.dice.randrange(24), self.dice.randrange(60))))
        return datetime.combine(day, hour, ZONE).astimezone(UTC)


async def make_past(database: Database, seed: int, *, visitors: int = 40, calls: int = 160) -> Past:
    """A company, its visitors over two months, calls that some of them made, forms and jobs."""
    dice = random.Random(seed)
    async with database.everything() as wire:
        past = Past(
            await wire.fetchval(
                "INSERT INTO companies (name, time_zone, region, currency) VALUES ($1, $2, 'CA', 'CAD') RETURNING id",
                f"Seed {seed}",
                ZONE.key,
            ),
            await wire.fetchval(
                "INSERT INTO nodes (name) VALUES ('pbx') ON CONFLICT (name) DO UPDATE SET name = 'pbx' RETURNING id"
            ),
            seed,
            dice,
        )
        for name in ("shop.example", "blog.example"):
            past.sites.append(
                await wire.fetchval(
                    "INSERT INTO sites (company_id, name, public_key) VALUES ($1, $2, $3) RETURNING id",
                    past.company_id,
                    name,
                    f"key{past.company_id}{name[:4]}",
                )
            )
        for pool in ("Website", "Print"):
            pool_id = await wire.fetchval(
                "INSERT INTO pools (company_id, name, kind) VALUES ($1, $2, 'static') RETURNING id",
                past.company_id,
                pool,
            )
            for _ in range(2):
                e164 = f"+1709{past.company_id:03}{len(past.numbers):04}"
                past.numbers.append(
                    (
                        await wire.fetchval(
                            "INSERT INTO tracking_numbers (company_id, pool_id, e164) VALUES ($1, $2, $3) RETURNING id",
                            past.company_id,
                            pool_id,
                            e164,
                        ),
                        e164,
                    )
                )
        for _ in range(visitors):
            await _visitor(wire, past)
        for _ in range(calls):
            await add_call(wire, past)
        for _ in range(visitors):
            await add_lead(wire, past)
        for _ in range(calls // 5):
            await add_job(wire, past)
    return past


async def _visitor(wire: Connection, past: Past) -> None:
    dice = past.dice
    visitor = UUID(int=dice.getrandbits(128))
    site = dice.choice(past.sites)
    past.visits[visitor] = []
    first = past.moment()
    await wire.execute(
        "INSERT INTO visitors (company_id, site_id, id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)",
        past.company_id,
        site,
        visitor,
        first,
    )
    for turn in range(dice.choice((1, 1, 1, 2, 3, 5))):
        visit = UUID(int=dice.getrandbits(128))
        at = first + timedelta(hours=turn * dice.choice((0, 1, 20, 70)))
        arrival = dice.choice(ARRIVALS)
        await wire.execute(
            "INSERT INTO visits (company_id, site_id, id, visitor_id, started_at, is_touch, label, channel, source,"
            " medium, campaign, keyword, url, city, device)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            past.company_id,
            site,
            visit,
            visitor,
            at,
            dice.random() < 0.9,
            *arrival,
            dice.choice(("", "spring", "winter")),
            dice.choice(("", "roof", "leak")),
            f"https://{'Shop' if site == past.sites[0] else 'Blog'}.example:8443/"
            + dice.choice(("", "prices", "a?b=c")),
            dice.choice(("", "St. John's", "Gander")),
            dice.choice(("", "mobile", "desktop")),
        )
        past.visits[visitor].append((visit, at, arrival))


async def source_of(wire: Connection, past: Past, arrival: tuple[str, ...]) -> int:
    """The source of an arrival, made where it is missing."""
    label, channel, source, _ = arrival
    if label not in past.sources:
        past.sources[label] = await wire.fetchval(
            "INSERT INTO sources (company_id, name, channel, source, colour) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (company_id, name) DO UPDATE SET name = excluded.name RETURNING id",
            past.company_id,
            label,
            channel,
            source,
            len(past.sources),
        )
    return past.sources[label]


async def add_call(wire: Connection, past: Past, at: datetime | None = None) -> int:
    """A call, mostly decided: of somebody's visits, of a number that stands for a source, or of nobody."""
    dice = past.dice
    at = at or past.moment()
    outcome = dice.choice(OUTCOMES)
    number, e164 = dice.choice(past.numbers)
    answered = outcome == "answered" or (outcome == "cut_off" and dice.random() < 0.5)
    person = dice.choice(("PJSIP/101", "PJSIP/102"))
    ended = dice.random() < 0.97
    call: int = await wire.fetchval(
        """INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, caller,
               started_at, answered_at, ended_at, ring_seconds, talk_seconds, answered_by, region, status)
           VALUES ($1, $2, $3, 3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id""",
        past.company_id,
        past.node_id,
        f"{past.seed}-{dice.getrandbits(60)}",
        "ended" if ended else "ringing",
        outcome if ended else None,
        e164,
        number,
        dice.choice((None, *(f"+170955501{n:02}" for n in range(30)))),
        at,
        at + timedelta(seconds=5) if answered else None,
        at + timedelta(seconds=90) if ended else None,
        dice.randrange(30),
        dice.randrange(200) if answered else 0,
        person if answered else None,
        dice.choice(("", "Ontario", "Newfoundland and Labrador")),
        dice.choice(STATUSES),
    )
    past.calls.append(call)
    if dice.random() < 0.9:
        await decide(wire, past, call, at)
    return call


async def decide(wire: Connection, past: Past, call: int, at: datetime) -> None:
    """Say what brought a call, for the first time or anew."""
    dice = past.dice
    kind = dice.choice(("static number", "visits", "visits", "visits", "no number"))
    touches: list[tuple[datetime, UUID | None, tuple[str, ...]]] = []
    if kind == "static number":
        touches = [(at, None, dice.choice(ARRIVALS))]
    elif kind == "visits":
        visits = dice.choice(list(past.visits.values()))
        # Some calls come while a visit goes on that began after them, by the clocks.
        touches = [(began, visit, arrival) for visit, began, arrival in visits]
        if dice.random() < 0.7:
            touches = [each for each in touches if each[0] <= at]
    chosen = touches[0][2] if touches else None
    source = await source_of(wire, past, chosen) if chosen else None
    facts = (chosen[0], chosen[1], chosen[2], chosen[3]) if chosen else ("", "", "", "")
    chance = round(dice.random(), 3)
    await wire.execute(
        """INSERT INTO attributions (company_id, call_id, basis, confidence, source_confidence, nobody, because,
               source_id, label, channel, source, medium, decided_at, settled_at)
           VALUES ($1, $2, $3, 0.9, 0.9, $4, '{}', $5, $6, $7, $8, $9, now(), now())
           ON CONFLICT (company_id, call_id) DO UPDATE SET basis = excluded.basis, source_id = excluded.source_id,
               nobody = excluded.nobody, label = excluded.label, channel = excluded.channel, recomputed_at = now()""",
        past.company_id,
        call,
        kind,
        1 - chance if kind == "visits" else 0,
        source,
        *facts,
    )
    await wire.execute("DELETE FROM call_touches WHERE company_id = $1 AND call_id = $2", past.company_id, call)
    await wire.execute("DELETE FROM call_candidates WHERE company_id = $1 AND call_id = $2", past.company_id, call)
    for position, (began, visit, arrival) in enumerate(touches):
        await wire.execute(
            "INSERT INTO call_touches (company_id, call_id, position, at, visit_id, how, source_id, label, channel,"
            " source, medium, campaign, keyword) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            past.company_id,
            call,
            position,
            began,
            visit,
            "visit" if visit else "number",
            await source_of(wire, past, arrival),
            *arrival,
            dice.choice(("", "spring", "winter")),
            dice.choice(("", "roof", "leak")),
        )
    if kind == "visits":
        shares = [chance * 0.75, chance * 0.25]
        for position, share in enumerate(shares):
            await wire.execute(
                "INSERT INTO call_candidates (company_id, call_id, position, is_answer, chance, because, source_id) "
                "VALUES ($1, $2, $3, $4, $5, '{}', $6)",
                past.company_id,
                call,
                position,
                position == 0,
                share,
                await source_of(wire, past, dice.choice(ARRIVALS)),
            )
    await wire.execute(
        "UPDATE calls SET source_id = $3, settled_at = now() WHERE company_id = $1 AND id = $2",
        past.company_id,
        call,
        source,
    )


async def add_lead(wire: Connection, past: Past) -> UUID:
    """A form, mostly of somebody's visit; else a text to one of the numbers, with what brought it."""
    dice = past.dice
    lead = UUID(int=dice.getrandbits(128))
    visitor = dice.choice((None, *past.visits))
    visit, at = None, past.moment()
    if visitor is not None:
        visit, began, _ = dice.choice(past.visits[visitor])
        at = began + timedelta(minutes=dice.randrange(60))
    await wire.execute(
        "INSERT INTO leads (company_id, id, kind, data, visit_id, visitor_id, suspect, received_at, status) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        past.company_id,
        lead,
        "form" if visitor else dice.choice(("form", "text")),
        json.dumps({"name": "Dana"}),
        visit,
        visitor,
        "robot" if dice.random() < 0.1 else "",
        at,
        dice.choice(("new", "new", "new", "lead", "booked", "spam")),
    )
    number_id, _ = dice.choice(past.numbers)
    arrival = dice.choice(ARRIVALS)
    await wire.execute(
        """UPDATE leads l SET is_first = $3, number_id = n.id, number = n.e164, pool_id = n.pool_id, region = 'Ontario',
             source_id = $5, channel = $6, campaign = 'flyer'
           FROM tracking_numbers n WHERE l.company_id = $1 AND l.id = $2 AND l.kind = 'text' AND n.id = $4""",
        past.company_id,
        lead,
        dice.random() < 0.5,
        number_id,
        await source_of(wire, past, arrival),
        arrival[1],
    )
    past.leads.append(lead)
    return lead


async def add_job(wire: Connection, past: Past) -> None:
    """A job of one call or form, or of several."""
    dice = past.dice
    job = await wire.fetchval(
        "INSERT INTO jobs (company_id, value, currency, booked_at) VALUES ($1, $2, $3, now()) RETURNING id",
        past.company_id,
        dice.choice((0, 250, 1999.99)),
        dice.choice(("CAD", "CAD", "CAD", "USD")),
    )
    past.jobs.append(job)
    for _ in range(dice.choice((1, 1, 2, 3))):
        call = dice.choice((None, dice.choice(past.calls)))
        await wire.execute(
            "INSERT INTO job_leads (company_id, job_id, call_id, lead_id) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT DO NOTHING",
            past.company_id,
            job,
            call,
            None if call else dice.choice(past.leads),
        )
