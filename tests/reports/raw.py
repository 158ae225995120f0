"""What reports answer, counted call by call from what is stored of each: slow, and plainly true."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from gateway.attribution.credit import CreditTouch, Model, shares
from gateway.attribution.gather import source_of
from gateway.leads.qualified import LeadRule
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.figures import LeftOut
from gateway.reports.measures import ADDED, Measures
from gateway.reports.question import Question
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "raw.sql")

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A call or another lead as reports see it: its own figures, and the shares of its touches by model."""

    kind: str  # call, lead, spam, blocked
    day: date
    hour: int  # of the week, Monday's first is 0
    caller: object  # tells callers apart
    measures: Measures
    own: Mapping[Dimension, str]
    touches: Sequence[tuple[date, Mapping[Dimension, str], Mapping[Model, float]]]


async def told(connection: Any, company_id: int) -> list[Told]:
    """Everything that a company's reports are made of, by time."""
    company = await _queries.company(connection, company_id=company_id)
    zone, half_life = ZoneInfo(company["time_zone"]), company["credit_half_life"]
    visits = {row["id"]: row async for row in _queries.visits(connection, company_id=company_id)}
    names = {row["name"]: row["id"] async for row in _queries.sources(connection, company_id=company_id)}
    first_site = min((row["site_id"] for row in visits.values()), default=0)
    touches = defaultdict(list)
    async for row in _queries.touches(connection, company_id=company_id):
        touches[row["call_id"]].append(row)
    jobs = await _jobs(connection, company_id)
    found = []
    async for row in _queries.calls(connection, company_id=company_id):
        at = row["started_at"].astimezone(zone)
        kind = "spam" if row["status"] == "spam" else "blocked" if row["outcome"] == "blocked" else "call"
        own_touches = [(each["at"], source_of(each), _touch(each, visits, first_site)) for each in touches[row["id"]]]
        unknown = _touch(row, visits, first_site)
        found.append(
            Told(
                kind,
                at.date(),
                at.weekday() * 24 + at.hour,
                row["caller"] or row["id"],
                _of_call(row, jobs.get(row["id"], []), company) if kind == "call" else Measures(),
                {
                    Dimension.POOL: str(row["pool_id"] or ""),
                    Dimension.NUMBER: row["did"],
                    Dimension.REGION: row["region"],
                    Dimension.PERSON: row["answered_by"] or "",
                },
                _shared(own_touches, unknown, row["started_at"], zone, half_life),
            )
        )
    since_days = timedelta(days=company["credit_days"])
    of_visitor = defaultdict(list)
    for visit in visits.values():
        if visit["is_touch"]:
            of_visitor[visit["visitor_id"] or visit["id"]].append(visit)
    async for row in _queries.leads(connection, company_id=company_id):
        at = row["received_at"].astimezone(zone)
        theirs = [
            each
            for each in of_visitor[row["visitor_id"] or row["visit_id"]]
            if row["received_at"] - since_days < each["started_at"] <= row["received_at"]
        ]
        if not theirs and row["visit_id"] in visits:
            theirs = [visits[row["visit_id"]]]
        own_touches = [
            (
                each["started_at"],
                source_of(each),
                _touch({**each, "source_id": names.get(each["label"]), "visit_id": each["id"]}, visits, first_site),
            )
            for each in theirs
        ]
        unknown = _touch(
            {name: row[name] for name in ("source_id", "channel", "campaign", "keyword")} | {"visit_id": None},
            visits,
            0,
        )
        worth = jobs.get(row["id"], [])
        measures = Measures(
            leads=1,
            qualified=float(LeadRule.of(company).counts_written(row["status"], row["is_first"])),
            jobs=len(worth),
            value=_value(worth, company),
        )
        found.append(
            Told(
                "lead",
                at.date(),
                at.weekday() * 24 + at.hour,
                None,
                measures,
                {
                    Dimension.POOL: str(row["pool_id"] or ""),
                    Dimension.NUMBER: row["number"],
                    Dimension.REGION: row["region"],
                    Dimension.PERSON: "",
                },
                _shared(own_touches, unknown, row["received_at"], zone, half_life),
            )
        )
    return found


def _of_call(row: Any, jobs: Sequence[Any], company: Any) -> Measures:
    answered = row["outcome"] == "answered" or (row["outcome"] == "cut_off" and row["answered_at"] is not None)
    qualified = LeadRule.of(company).counts(row["status"], row["outcome"], row["talk_seconds"], row["is_first"])
    return Measures(
        calls=1,
        answered=float(answered),
        missed=float(not answered),
        first_time=float(row["is_first"]),
        qualified=float(qualified),
        jobs=len(jobs),
        value=_value(jobs, company),
        talk_seconds=row["talk_seconds"] or 0.0 if answered else 0.0,
        ring_seconds=row["ring_seconds"] or 0.0,
    )


def _value(jobs: Sequence[Any], company: Any) -> Decimal:
    return sum((job["value"] for job in jobs if job["currency"] == company["currency"]), Decimal(0))


async def _jobs(connection: Any, company_id: int) -> Mapping[Any, list[Any]]:
    """Jobs by the earliest lead that counts."""
    of: dict[int, Any] = {}
    async for row in _queries.job_leads(connection, company_id=company_id):
        if row["counts"] and (row["id"] not in of or row["at"] < of[row["id"]]["at"]):
            of[row["id"]] = row
    found = defaultdict(list)
    for row in of.values():
        found[row["call_id"] or row["lead_id"]].append(row)
    return found


def _touch(row: Any, visits: Mapping[Any, Any], first_site: int) -> Mapping[Dimension, str]:
    visit = visits.get(row["visit_id"])
    landing = ""
    if visit is not None:
        host = "" if visit["site_id"] == first_site else (urlsplit(visit["url"]).hostname or "")
        landing = host + (visit["page"] or "")
    return {
        Dimension.SOURCE: str(row["source_id"] or ""),
        Dimension.CHANNEL: row["channel"],
        Dimension.CAMPAIGN: row["campaign"],
        Dimension.KEYWORD: row["keyword"],
        Dimension.LANDING: landing,
        Dimension.CITY: visit["city"] if visit else "",
        Dimension.DEVICE: visit["device"] if visit else "",
    }


def _shared(
    touches: Sequence[tuple[datetime, Any, Mapping[Dimension, str]]],
    unknown: Mapping[Dimension, str],
    at: datetime,
    zone: ZoneInfo,
    half_life: timedelta,
) -> list[tuple[date, Mapping[Dimension, str], Mapping[Model, float]]]:
    keyed = [CreditTouch(str(place), moment, source) for place, (moment, source, _) in enumerate(touches)]
    by_model = {model: shares(keyed, model, at=at, half_life=half_life) for model in Model}
    if not by_model[Model.FIRST]:
        return [(at.astimezone(zone).date(), unknown, dict.fromkeys(Model, 1.0))]
    return [
        (
            moment.astimezone(zone).date(),
            facets,
            {model: float(by_model[model].get(str(place), 0)) for model in Model},
        )
        for place, (moment, _, facets) in enumerate(touches)
    ]


def share_of(measures: Measures, share: float) -> Measures:
    """A part of some figures."""
    if share == 1.0:
        return measures
    return Measures(
        **{name: getattr(measures, name) * (Decimal(repr(share)) if name == "value" else share) for name in ADDED}
    )


def fitting(
    all_told: Sequence[Told], question: Question
) -> Iterator[tuple[Told, date, Mapping[Dimension, str], float]]:
    """What a question is about: each with the day it counts on, its values and its share."""
    for each in all_told:
        for touch_day, facets, by_model in each.touches:
            share = by_model[question.model]
            day = touch_day if question.basis is Basis.CLICK else each.day
            values = {**each.own, **facets}
            if (
                share
                and question.since <= day < question.until
                and all(values[name] == value for name, value in question.where.items())
            ):
                yield each, day, values, share


def counted(all_told: Sequence[Told], question: Question) -> tuple[dict[Keys, Measures], Measures, LeftOut]:
    """The figures by key, all of them, and what was left out."""
    rows: dict[Keys, Measures] = {}
    total = Measures()
    left_out = {"spam": 0.0, "blocked": 0.0}
    callers = set()
    for each, _, values, share in fitting(all_told, question):
        if each.kind in left_out:
            left_out[each.kind] += share
        else:
            part = share_of(each.measures, share)
            keys = tuple(values[name] for name in question.by)
            rows[keys] = part + rows[keys] if keys in rows else part
            total = total + part
            if each.kind == "call":
                callers.add(each.caller)
    left = LeftOut(round(left_out["spam"]), round(left_out["blocked"]))
    return rows, replace(total, callers=len(callers)), left
