"""Missed calls: who still waits for a call back, how long the others waited, and when calls are missed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from gateway import audit
from gateway.audit import Action
from gateway.http import call_store
from gateway.http.actor import actor_of
from gateway.http.call_pages import call_id_of
from gateway.http.call_store import Source, subject_of
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of, local_path
from gateway.http.refusals import BadRequest, CallNotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import bounds_of, company_of, period_of
from gateway.http.table_export import Cell, Column, Format, Kind, Table, send_table
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.reports import missed
from gateway.reports.missed import MissedCall, Misses, Reach, Share, Wait

PAGE = 25
# The rows of "by source" and "by line" that are shown; the others are few calls each.
MOST_ROWS = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """A wait on the page. ``took``: how long it lasted, or lasts by now."""

    wait: Wait
    call: MissedCall  # the newest of its missed calls
    took: float

    @property
    def source(self) -> Source | None:
        """What brought the newest call."""
        call = self.call
        return Source(call.source_id, call.source, call.colour) if call.source_id is not None else None


@dataclass(frozen=True, slots=True)
class Hours:
    """When calls are missed: the hours that have any call, and what each cell of the week holds."""

    hours: tuple[int, ...]
    days: tuple[tuple[int, tuple[Share, ...]], ...]  # weekday, its hours
    most: int

    def depth(self, cell: Share) -> int:
        """How deep a cell's colour is, from 0 to 5."""
        return -(-5 * cell.missed // self.most) if self.most else 0


async def missed_calls(request: web.Request) -> web.StreamResponse:
    """The page: what is to be done, then what happened."""
    company, viewer = company_of(request), request[VIEWER]
    since, until = bounds_of(request, company)
    done, place = request.query.get("show") == "reached", _page_of(request)
    now = datetime.now(UTC)
    period = period_of(request)
    earlier = period.before(now.astimezone(company.zone).date())
    async with request.app[PARTS].database.companies(company.id) as connection:
        every = await missed.waits(connection, company.id, since, until)
        found = await missed.misses(connection, company.id, since, until, company.zone.key)
        compared = await missed.total(connection, company.id, *earlier.bounds(company.zone, now)) if earlier else None
        chosen = [wait for wait in every if (wait.reached is not None) == done]
        part = chosen[(place - 1) * PAGE : place * PAGE]
        calls = await missed.details(connection, company.id, [wait.last.call_id for wait in part])
    return render(
        request,
        "missed.html",
        company=company,
        show="reached" if done else "waiting",
        shown=_shown(part, calls, now),
        place=place,
        pages=max(1, -(-len(chosen) // PAGE)),
        times=missed.time_to_call_back(every),
        found=found,
        before=compared if compared is not None and compared.calls else None,
        week=_hours(found),
        source_of=lambda share: Source(share.id, share.name, share.colour) if share.id is not None else None,
        line_name=line_name,
        most_rows=MOST_ROWS,
        reach=Reach,
        how=how,
        can_mark=company.id in companies_with(Permission.CALLS_MARK, viewer),
        can_export=company.id in companies_with(Permission.CALLS_EXPORT, viewer),
        can_call_back=company.id in companies_with(Permission.CALLS_BACK, viewer),
    )


def line_name(line: Share) -> str:
    """What the company calls a line; telephones that no destination names, without what Asterisk needs."""
    if line.id is not None:
        return line.name
    return ", ".join(part.partition("/")[2] or part for part in line.name.split("&"))


async def as_csv(request: web.Request) -> web.StreamResponse:
    """Everybody who waits or waited, as CSV."""
    return await _export(request, Format.CSV)


async def as_xlsx(request: web.Request) -> web.StreamResponse:
    """The same as XLSX."""
    return await _export(request, Format.XLSX)


async def called_back(request: web.Request) -> web.StreamResponse:
    """Somebody says that he called the caller of a missed call back."""
    viewer, form = request[VIEWER], await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        call = await call_store.call_by_id(connection, call_id_of(request))
        company = viewer.company(call.row.company_id) if call else None
        if call is None or company is None:
            raise CallNotFound()
        words, row = words_for(request, company), call.row
        to = local_path(form.get("next"), f"/calls/{row.id}")
        if not await missed.mark(connection, company.id, row.id, viewer.user_id, datetime.now(UTC)):
            return changed(request, to, Notice(words.say("Nothing to do: this call was answered, or is done already.")))
        await audit.note(
            connection,
            actor_of(request),
            company.id,
            Action.CALL_MARKED,
            subject_of(row.id),
            what="called_back",
            value="",
        )
        step = await offer_undo(connection, company.id, viewer, "call.called_back", {"call": row.id})
    said = words.say("Called back: %(who)s.") % {"who": words.phone(row.caller)}
    return changed(request, to, Notice(said, undo=step))


async def _take_back(undoing: Undoing) -> str:
    call_id = int(undoing.values["call"])
    await missed.unmark(undoing.connection, undoing.company_id, call_id)
    return subject_of(call_id)


REVERSALS = {"call.called_back": Reversal(Permission.CALLS_MARK, _take_back)}


async def _export(request: web.Request, format: Format) -> web.StreamResponse:
    company = company_of(request)
    words = words_for(request, company)
    since, until = bounds_of(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        every = await missed.waits(connection, company.id, since, until)
        calls = await missed.details(connection, company.id, [wait.last.call_id for wait in every])
    say = words.say
    table = Table(
        key="missed-calls",
        title=f"{say('Missed calls')} · {company.name} · {words.period(period_of(request))}",
        columns=[
            Column(say("Caller")),
            Column(say("Name")),
            Column(say("Missed calls"), Kind.COUNT),
            Column(say("First missed"), Kind.TIME),
            Column(say("Last missed"), Kind.TIME),
            Column(say("Source")),
            Column(say("Number called")),
            Column(say("Reached")),
            Column(say("Reached at"), Kind.TIME),
            Column(say("Waited, seconds"), Kind.SECONDS),
        ],
        rows=[_cells(each, words) for each in _shown(every, calls, datetime.now(UTC))],
    )
    return await send_table(request, company, table, format)


def _cells(each: Shown, words: Words) -> Sequence[Cell]:
    wait, call = each.wait, each.call
    return [
        wait.caller,
        call.person or call.caller_name,
        wait.tries,
        wait.since,
        wait.last.at,
        call.source or words.say("Unknown"),
        call.did,
        how(wait, words),
        wait.reached.at if wait.reached else None,
        None if wait.seconds is None else round(wait.seconds),
    ]


def how(wait: Wait, words: Words) -> str:
    """How a caller was reached, in words."""
    say = words.say
    if wait.reached is None:
        return say("still waits")
    if wait.reached.how is Reach.CALLED_AGAIN:
        return say("called again and was answered")
    if wait.reached.by:
        return say("called back by %(who)s") % {"who": wait.reached.by}
    return say("was called back")


def _shown(waits: Sequence[Wait], calls: Mapping[int, MissedCall], now: datetime) -> list[Shown]:
    return [
        Shown(wait, calls[wait.last.call_id], (now - wait.since).total_seconds() if took is None else took)
        for wait in waits
        if wait.last.call_id in calls
        for took in (wait.seconds,)
    ]


def _hours(found: Misses) -> Hours:
    """The hours between the first and the last with a call, so that the night takes no room where nobody calls."""
    busy = [hour for hour in range(24) if any(day[hour].calls for day in found.hours)]
    hours = tuple(range(busy[0], busy[-1] + 1)) if busy else ()
    return Hours(
        hours,
        tuple((number, tuple(day[hour] for hour in hours)) for number, day in enumerate(found.hours)),
        max((cell.missed for day in found.hours for cell in day), default=0),
    )


def _page_of(request: web.Request) -> int:
    text = request.query.get("page") or "1"
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:8]) < 100_000:
        raise BadRequest(part="page")
    return int(text[:8])
