"""Reads the list of all leads: calls, and forms, chats and texts between them, as one order of time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.http import call_list
from gateway.http.accounts import Company
from gateway.http.call_filter import SUSPECT, WRITTEN, CallFilter, Place
from gateway.http.call_list import SourceCount, Totals, load_list_queries
from gateway.http.call_store import CallRow, source_of
from gateway.http.lead_store import LeadRow, lead_row
from gateway.store.database import Connection

AnyLead = CallRow | LeadRow

_queries = load_list_queries("lead_list.sql", "leads_page")


@dataclass(frozen=True, slots=True)
class LeadSummary(Totals):
    """A period in a few numbers; ``written`` are forms, chats and texts, and ``sources`` are of all.

    Where ``is_cut``, only ``calls`` and ``written`` count: there are more than so many.
    """

    written: int
    sources: tuple[SourceCount, ...]
    is_cut: bool

    @property
    def leads(self) -> int:
        """All of them."""
        return self.calls + self.written


async def page_of_leads(
    connection: Connection,
    company: Company,
    filter: CallFilter,
    before: Place | None,
    most: int,
    *,
    has_written: bool = True,
) -> tuple[list[AnyLead], bool]:
    """At most ``most`` leads, newest first, and whether there are older ones. Calls are those that ended.

    Without ``has_written`` the company has calls alone, and nothing is asked about others.
    """
    found: list[AnyLead] = []
    has_older = False
    if filter.has_calls:
        calls, has_older = await call_list.page_of_calls(connection, company, filter, before, most)
        found += calls
    if filter.has_written and has_written:
        await call_list.plan_with_values(connection)
        at, id = before.among_written if before else (None, None)
        parameters = await _parameters(connection, company, filter)
        rows = _queries.leads_page(connection, before_at=at, before_id=id, most=most + 1, **parameters)
        found += [lead_row(row) async for row in rows]
    # Of one moment, calls come first.
    found.sort(key=lambda lead: (lead.started_at, lead.is_call, _order(lead)), reverse=True)
    return found[:most], has_older or len(found) > most


async def summary(
    connection: Connection, company: Company, filter: CallFilter, now: datetime, *, has_written: bool = True
) -> LeadSummary:
    """The chosen period, its calls compared with those of the one before it."""
    calls = await call_list.summary(connection, company, filter, now) if filter.has_calls else call_list.NO_CALLS
    counts = {each.source: each.calls for each in calls.sources}
    written, is_cut = 0, calls.is_cut
    if filter.has_written and has_written:
        await call_list.plan_with_values(connection)
        most = call_list.MOST_COUNTED_FILTERED if filter else call_list.MOST_COUNTED
        parameters = await _parameters(connection, company, filter)
        async for row in _queries.leads_in_short(connection, most=most + 1, **parameters):
            written += row["leads"]
            source = source_of(row)
            counts[source] = counts.get(source, 0) + row["leads"]
        is_cut, written = is_cut or written > most, min(written, most)
    in_order = sorted(counts.items(), key=lambda each: (-each[1], each[0].name if each[0] else "\uffff"))
    return LeadSummary(
        calls=calls.calls,
        calls_before=calls.calls_before,
        answered=calls.answered,
        missed=calls.missed,
        talk_seconds=calls.talk_seconds,
        written=written,
        sources=() if is_cut else tuple(SourceCount(source, count) for source, count in in_order),
        is_cut=is_cut,
    )


async def count(connection: Connection, company: Company, filter: CallFilter) -> int:
    """How many leads the view holds: all of them, which takes its time. Calls are those that ended."""
    found = await call_list.count(connection, company, filter) if filter.has_calls else 0
    if filter.has_written:
        await call_list.plan_with_values(connection)
        parameters = await _parameters(connection, company, filter)
        found += int(await _queries.count_leads(connection, **parameters))
    return found


async def has_leads(connection: Connection, company: Company) -> bool:
    """Whether the company has had any lead that is no call."""
    return bool(await _queries.has_leads(connection, company_id=company.id))


async def has_suspects(connection: Connection, company: Company) -> bool:
    """Whether programs seem to have sent any."""
    return bool(await _queries.has_suspects(connection, company_id=company.id))


async def _parameters(connection: Connection, company: Company, filter: CallFilter) -> dict[str, Any]:
    parameters = await call_list.parameters_of(connection, company, filter)
    parameters["kind"] = None if filter.kind in (None, WRITTEN, SUSPECT) else filter.kind
    parameters["suspects"] = filter.kind == SUSPECT
    return parameters


def _order(lead: AnyLead) -> Any:
    return lead.id
