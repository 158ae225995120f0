"""Source rules run over past visits beside everything else: tried, or applied to visits and the calls they made.

Each step is a transaction of its own over some hundred visits and keeps how far it came, so that a run goes on where a
gateway was stopped, and a million visits hold nothing up. Whoever waits for a call's decision waits for no step: the
rules are asked for a few visits at a time.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from gateway.attribution.recompute import recompute_calls_of
from gateway.store.database import Connection, Database
from gateway.store.jobs import Handler, Job, enqueue
from gateway.store.queries import load_queries
from gateway.visits.rule_store import Place, Relabelled, SiteRules, next_visits, relabel, site_rules
from gateway.visits.ruleset import RuleSet

JOB = "run_rules"
# So many visits a transaction; so many before others have their turn.
_STEP = 500
_AT_ONCE = 25
_SHOWN = 50
_MOST_PAIRS = 500
STOPPED = "stopped"
BROKEN = "broken"

_queries = load_queries(Path(__file__).parent, "rule_runs.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A visit that changes: what it is put down to before and after, and by which rule."""

    at: datetime
    url: str
    before: str
    after: str
    rule: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it stands. ``version``: put in force under this number, and applied; none: only tried."""

    id: int
    rules: str
    version: int | None
    since: datetime
    until: datetime
    total: int
    seen: int
    changed: int
    calls: int
    totals: tuple[tuple[str, str, int], ...]  # from, to, visits; the most frequent first
    shown: tuple[ShownVisit, ...]
    asked_at: datetime
    told_at: datetime
    ended_at: datetime | None
    fault: str | None

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    @property
    def days(self) -> int:
        """The length of its time."""
        return max(1, round((self.until - self.since).total_seconds() / 86400))


async def how_many(connection: Connection, company_id: int, since: datetime, until: datetime) -> int:
    """Visits of a time."""
    found: int = await _queries.how_many(connection, company_id=company_id, since=since, until=until)
    return found


async def begin(
    connection: Connection,
    company_id: int,
    rule_set: RuleSet,
    since: datetime,
    until: datetime,
    *,
    version: int | None,
    user_id: int | None,
) -> int:
    """Let the gateway run rules over the visits of a time, within the transaction; the run's id."""
    await _queries.forget_old(connection, company_id=company_id)
    id: int = await _queries.begin(
        connection,
        company_id=company_id,
        rules=rule_set.to_json(),
        version=version,
        since=since,
        until=until,
        total=await how_many(connection, company_id, since, until),
        user_id=user_id,
    )
    await enqueue(connection, JOB, {"company": company_id, "run": id}, key=f"{JOB}:{id}")
    return id


async def one_run(connection: Connection, company_id: int, id: int) -> Run | None:
    """A run of a company."""
    row = await _queries.one_run(connection, company_id=company_id, id=id)
    if row is None:
        return None
    totals = tuple((before, after, visits) for before, after, visits in json.loads(row["totals"]))
    shown = tuple(ShownVisit(datetime.fromisoformat(at), *others) for at, *others in json.loads(row["shown"]))
    return Run(**{**row, "totals": totals, "shown": shown})


async def newest_runs(connection: Connection, company_id: int) -> list[Any]:
    """The last runs, the newest first, without what they found."""
    return [row async for row in _queries.newest_runs(connection, company_id=company_id)]


async def stop(connection: Connection, company_id: int, id: int) -> None:
    """End a run where it is; visits that are changed already stay changed."""
    await _queries.end_run(connection, company_id=company_id, id=id, fault=STOPPED)


def handlers(database: Database) -> Mapping[str, Handler]:
    """What ``run_jobs`` shall do."""

    async def work(job: Job) -> None:
        company_id, id = int(job.payload["company"]), int(job.payload["run"])
        try:
            await carry_out(database, company_id, id)
        except Exception:
            if job.last:
                async with database.companies(company_id) as connection:
                    await _queries.end_run(connection, company_id=company_id, id=id, fault=BROKEN)
            raise

    return {JOB: work}


async def carry_out(database: Database, company_id: int, id: int) -> None:
    """Take a run to its end, from where it stands; nothing where it has ended or is gone."""
    rules: SiteRules | None = None
    while True:
        async with database.companies(company_id) as connection:
            run = await _queries.hold_run(connection, company_id=company_id, id=id)
            if run is None:
                return
            if rules is None:
                rule_set = await asyncio.to_thread(RuleSet.from_json, run["rules"])
                rules = await site_rules(connection, company_id, rule_set)
            if await _step(connection, company_id, run, rules):
                _log.info("source rules were run", company=company_id, run=id, visits=run["seen"])
                return


async def _step(connection: Connection, company_id: int, run: Any, rules: SiteRules) -> bool:
    """One step of a run; whether it was the last."""
    after: Place = (run["after_time"], run["after_id"]) if run["after_time"] else (run["since"], None)
    found: list[Relabelled] = []
    seen: list[Relabelled] = []
    rows = await next_visits(connection, company_id, after, run["until"], _STEP)
    for start in range(0, len(rows), _AT_ONCE):
        seen += [rules.relabelled(row) for row in rows[start : start + _AT_ONCE]]
        await asyncio.sleep(0)
    found = [each for each in seen if each.differs]
    calls = 0
    if run["version"] is not None and found:
        await relabel(connection, company_id, run["version"], found)
        # The calls that these visits made, or may have made, go by the new sources with them.
        ids = [each.id for each in found]
        calls = (await recompute_calls_of(connection, company_id, ids, now=datetime.now(UTC))).calls
    totals = Counter({(before, now): visits for before, now, visits in json.loads(run["totals"])})
    totals.update((each.before.source.label, each.after.source.label) for each in found)
    shown = json.loads(run["shown"])
    shown += [_shown(each) for each in found[: max(0, _SHOWN - len(shown))]]
    last = seen[-1] if seen else None
    ends = len(rows) < _STEP
    await _queries.tell(
        connection,
        company_id=company_id,
        id=run["id"],
        seen=run["seen"] + len(seen),
        changed=run["changed"] + len(found),
        calls=run["calls"] + calls,
        totals=json.dumps([[*pair, visits] for pair, visits in totals.most_common(_MOST_PAIRS)], ensure_ascii=False),
        shown=json.dumps(shown, ensure_ascii=False),
        after_time=last.started_at if last else run["after_time"],
        after_id=last.id if last else run["after_id"],
        ends=ends,
    )
    return ends


def _shown(each: Relabelled) -> list[str]:
    said = each.after
    return [each.started_at.isoformat(), each.touch.url[:200], each.before.source.label, said.source.label, said.rule]
