"""A company's own source rules in Postgres: each version kept, the highest in force, and history run again by it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from gateway.store.queries import load_queries
from gateway.visits.classify import Classifier
from gateway.visits.entries import source_columns
from gateway.visits.ruleset import BadRuleSet, RuleSet, default_rule_set
from gateway.visits.source import Decision, Source, Touch

# So many visits are read and written at a time.
_CHUNK = 2000
_NIL = UUID(int=0)

# When a visit began, and its id: where it stands in the order of a company's visits.
Place = tuple[datetime, UUID | None]

_queries = load_queries(Path(__file__).parent, "rule_store.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredRules:
    """A rule set and its number; 0 for the set that comes with Numberpool."""

    version: int
    rule_set: RuleSet


@dataclass(frozen=True, slots=True)
class Relabelled:
    """A stored visit, what was stored of it, and what a rule set says."""

    id: UUID
    touch: Touch
    started_at: datetime
    before: Decision
    after: Decision

    @property
    def differs(self) -> bool:
        """Whether people would see something else."""
        return (self.before.source, self.before.is_touch) != (self.after.source, self.after.is_touch)


def rules_of_default() -> StoredRules:
    """The rules of a company that has none of its own."""
    return StoredRules(0, default_rule_set())


async def newest_rules(connection: Any, known: Mapping[int, StoredRules]) -> dict[int, StoredRules]:
    """The rules in force of every company that has its own; those already ``known`` are not read again.

    A set that cannot be read leaves the known one, or the default, in force, and says so in the log.
    """
    found = {}
    for row in [row async for row in _queries.versions(connection)]:
        company, version = row["company_id"], row["version"]
        before = known.get(company)
        if before is not None and before.version == version:
            found[company] = before
            continue
        try:
            rules = await _queries.rules(connection, company_id=company, version=version)
            found[company] = StoredRules(version, RuleSet.from_json(rules))
        except BadRuleSet as error:
            _log.error("source rules cannot be read; the ones before serve", company=company, fault=str(error))
            if before is not None:
                found[company] = before
    return found


async def rules_in_force(connection: Any, company_id: int) -> StoredRules:
    """The rules of one company. Raises BadRuleSet."""
    for row in [row async for row in _queries.stored(connection, company_id=company_id)]:
        rules = await _queries.rules(connection, company_id=company_id, version=row["version"])
        return StoredRules(row["version"], RuleSet.from_json(rules))
    return rules_of_default()


async def store_rules(connection: Any, company_id: int, rule_set: RuleSet, note: str = "") -> int:
    """Store a rule set as the next version of a company; its number."""
    version: int = await _queries.store(connection, company_id=company_id, rules=rule_set.to_json(), note=note)
    return version


async def stored_versions(connection: Any, company_id: int) -> list[Any]:
    """The versions of a company: number, note and when it was stored, the one in force first."""
    return [row async for row in _queries.stored(connection, company_id=company_id)]


async def run_again(
    connection: Any, company_id: int, rule_set: RuleSet, since: datetime, until: datetime
) -> AsyncIterator[Relabelled]:
    """Every visit of a period with what ``rule_set`` says of it, oldest first. Nothing is changed."""
    rules = await site_rules(connection, company_id, rule_set)
    after: Place = (since, None)
    while True:
        rows = await next_visits(connection, company_id, after, until, _CHUNK)
        for row in rows:
            yield rules.relabelled(row)
        if len(rows) < _CHUNK:
            return
        after = rows[-1]["started_at"], rows[-1]["id"]


async def next_visits(connection: Any, company_id: int, after: Place, until: datetime, most: int) -> list[Any]:
    """Stored visits after a place in their order (without id: from that time on) and before a time."""
    rows = _queries.visits_between(
        connection,
        company_id=company_id,
        since=after[0],
        until=until,
        after_time=after[0],
        after_id=after[1] or _NIL,
        most=most,
    )
    return [row async for row in rows]


async def site_rules(connection: Any, company_id: int, rule_set: RuleSet) -> "SiteRules":
    """A rule set with the hosts of each site of a company."""
    hosts = {row["id"]: tuple(row["hosts"]) async for row in _queries.hosts(connection, company_id=company_id)}

    def made() -> SiteRules:
        by_site = {site: Classifier(rule_set.with_own_domains(*own)) for site, own in hosts.items()}
        return SiteRules(by_site, Classifier(rule_set))

    # It takes a moment for each site, in which calls are to be decided.
    return await asyncio.to_thread(made)


@dataclass(frozen=True, slots=True)
class SiteRules:
    """Rules that know each site's own hosts; ``other`` is for visits of sites that are gone."""

    by_site: Mapping[int, Classifier]
    other: Classifier

    def relabelled(self, row: Any) -> Relabelled:
        """A stored visit with what the rules say of it."""
        return _relabelled(row, self.by_site.get(row["site_id"], self.other))


async def rules_of_version(connection: Any, company_id: int, version: int) -> RuleSet | None:
    """One version of a company's rules; 0 is the set that comes with Numberpool. Raises BadRuleSet."""
    if version == 0:
        return default_rule_set()
    rules = await _queries.rules(connection, company_id=company_id, version=version)
    return RuleSet.from_json(rules) if rules is not None else None


async def relabel(connection: Any, company_id: int, version: int, changed: list[Relabelled]) -> None:
    """Write what rules say of visits; ``version`` is theirs."""
    for start in range(0, len(changed), _CHUNK):
        rows = [
            {
                "company_id": company_id,
                "id": str(each.id),
                "started_at": each.started_at.isoformat(),
                "rule_set_version": version,
                **source_columns(each.after),
            }
            for each in changed[start : start + _CHUNK]
        ]
        await _queries.relabel(connection, visits=json.dumps(rows, ensure_ascii=False))


def _relabelled(row: Any, classifier: Classifier) -> Relabelled:
    touch = Touch(str(row["id"]), row["url"], row["referrer"])
    said = classifier.decide(touch.url, touch.referrer)
    # What Google Ads told of the click is no matter of rules, nor is a click id that was not kept.
    after = replace(
        said,
        source=replace(
            said.source,
            campaign=(row["campaign"] or None) if row["campaign_told"] else said.source.campaign,
            keyword=(row["keyword"] or None) if row["keyword_told"] else said.source.keyword,
            click_id=row["click_id"] or None,
            click_id_type=row["click_id_type"] or None,
        ),
    )
    before = Decision(
        Source(
            row["label"],
            row["channel"],
            row["source"],
            row["medium"],
            row["campaign"] or None,
            row["content"] or None,
            row["keyword"] or None,
            row["click_id"] or None,
            row["click_id_type"] or None,
        ),
        row["rule"],
        row["is_touch"],
    )
    return Relabelled(row["id"], touch, row["started_at"], before, after)
