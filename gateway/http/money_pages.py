"""Money: what came back of what was spent, and what is spent, by source and month, typed in place."""

from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from aiohttp import hdrs, web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.came_back import came_back
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.overview_page import question_of, standing_of
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup
from gateway.http.protection import form_of
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, period_of
from gateway.http.site_pages import may_write
from gateway.http.spend_grid import MONTHS, cell_named, grid_of, month_in
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import setup
from gateway.reports import spend_book, spend_errors
from gateway.reports.answer import answer
from gateway.reports.dimension import Dimension
from gateway.reports.money import HIGHEST, digits_of
from gateway.reports.spend_import import imports
from gateway.store.database import Connection

MONEY = "/money"
_IMPORTS_SHOWN = 12
# What is posted at once lies within ten years.
_MOST_MONTHS = 120


async def money_page(request: web.Request) -> web.StreamResponse:
    """What came back in the period, and what is spent."""
    company = company_of(request)
    return await _show(request, company)


async def type_months(request: web.Request) -> web.StreamResponse:
    """Keep what was typed into cells of the grid: one of them with the script, all of them without."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    step = None
    try:
        async with request.app[PARTS].database.companies(company.id) as connection:
            names = {row["id"]: row["name"] for row in await setup.sources(connection, of_setup(company))}
            wanted = await _wanted(connection, company, form, names)
            if wanted and not form.problems:
                step = await _typed(request, connection, company, wanted)
    except _Overtaken as overtaken:
        form.refuse(overtaken.field, words.say("Something else was entered here meanwhile. Reload the page."))
    if form.problems:
        if "application/json" in request.headers.get(hdrs.ACCEPT, ""):
            first = form.first_problem or ""
            return web.json_response(asdict(Notice(form.problems[first], is_problem=True)))
        return await _show(request, company, form, status=422)
    said = words.say("Saved.") if wanted else words.say("Nothing was changed.")
    return changed(request, to_money(request, company), Notice(said, undo=step))


@dataclass(frozen=True, slots=True)
class _Change:
    """A cell that is to be changed: its field, what stands there (none: nothing), and what shall."""

    field: str
    source_id: int
    source_name: str
    month: date
    before: Decimal | None
    after: Decimal | None


class _Overtaken(Exception):
    """Somebody entered something else for a cell that was open when it was shown."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


async def _wanted(connection: Connection, company: Company, form: Form, names: dict[int, str]) -> list[_Change]:
    fields = [(name, cell) for name in form.values if (cell := cell_named(name)) and cell[0] in names]
    if not fields:
        return []
    currency = await spend_book.currency_of(connection, company.id)
    since = min(month for _, (_, month) in fields)
    until = spend_book.month_after(max(month for _, (_, month) in fields))
    if until > spend_book.months_before(since, -_MOST_MONTHS):
        return []
    there = await spend_book.months(connection, company.id, since, until)
    found = []
    for name, (source_id, month) in fields:
        present = there.get((source_id, month), spend_book.EMPTY)
        before = present.amount if present.number else None
        after = form.decimal(name, required=False, most=HIGHEST, places=digits_of(currency))
        if name not in form.problems and after != before:
            found.append(_Change(name, source_id, names[source_id], month, before, after))
    return found


async def _typed(request: web.Request, connection: Connection, company: Company, wanted: list[_Change]) -> int:
    """Write changes of cells; the step that takes them back. Raises _Overtaken."""
    added: list[int] = []
    removed: list[int] = []
    for each in wanted:
        try:
            entered = await spend_book.set_month(
                connection, company.id, each.source_id, each.month, each.after, user_id=request[VIEWER].user_id
            )
        except spend_errors.Overlaps:
            raise _Overtaken(each.field) from None
        added += [entered.id] if entered.id is not None else []
        removed += entered.removed
        amounts = [None if amount is None else str(amount) for amount in (each.before, each.after)]
        await note(
            connection,
            actor_of(request),
            company.id,
            Action.SETTING_CHANGED,
            f"spend/{each.source_id}",
            name=each.source_name,
            changes={f"{each.month:%Y-%m}": amounts},
        )
    values = {"added": added, "removed": removed}
    return await offer_undo(connection, company.id, request[VIEWER], "spend.typed", values)


async def take_back_typed(undoing: Undoing) -> str:
    """What was typed is gone, and what stood there before is there again."""
    connection, company_id, values = undoing.connection, undoing.company_id, undoing.values
    await spend_book.remove_amounts(connection, company_id, values["added"])
    await bring_back(connection, company_id, values["removed"])
    return f"spend/{(values['added'] or values['removed'])[0]}"


async def bring_back(connection: Connection, company_id: int, ids: list[int]) -> None:
    """Amounts count again. Raises NoWayBack where something else was entered for their days since."""
    back = await spend_book.bring_back(connection, company_id, ids)
    for id in back:
        one = await spend_book.one_amount(connection, company_id, id)
        if one.on_top:
            continue
        there = await spend_book.clashes(
            connection, company_id, one.source_id, one.campaign, one.first_day, one.last_day
        )
        if any(each.id not in back for each in there):
            raise NoWayBack


def to_money(request: web.Request, company: Company, more: str = "", **query: Any) -> str:
    """The address of the page, or of what lies below it."""
    kept = {"company": company.id} if len(request[ALLOWED]) > 1 else {}
    kept |= {name: value for name, value in query.items() if value is not None}
    return f"{MONEY}{more}?{urlencode(kept)}" if kept else f"{MONEY}{more}"


async def _show(
    request: web.Request, company: Company, form: Form | None = None, status: int = 200
) -> web.StreamResponse:
    words, period = words_for(request, company), period_of(request)
    today = words.now.date()
    last, show_all = month_in(request.query.get("month"), today), request.query.get("sources") == "all"
    async with request.app[PARTS].database.companies(company.id) as connection:
        standing = await standing_of(connection, company)
        question = replace(question_of(company.id, period, standing, today), by=(Dimension.SOURCE,))
        found = await answer(connection, question)
        sources = await setup.sources(connection, of_setup(company))
        since, until = spend_book.months_before(last, MONTHS - 1), spend_book.month_after(last)
        cells = await spend_book.months(connection, company.id, since, until)
        link = {"company": str(company.id)} if len(request[ALLOWED]) > 1 else {}
        view: dict[str, Any] = {
            "back": await came_back(connection, words, question, found, standing.currency),
            "grid": grid_of(words, sources, cells, last, standing.currency, show_all=show_all, link=link),
            "doubled": await spend_book.doubled(connection, company.id, since, until),
            "other_currency": await spend_book.in_other_currency(connection, company.id),
            "prices": [each for each in await spend_book.prices(connection, company.id) if each.priced],
            "imports": await imports(connection, company.id, most=_IMPORTS_SHOWN),
        }
    return render(
        request,
        "money.html",
        company=company,
        status=status,
        form=form or Form(None, words),
        period=period,
        currency=standing.currency,
        currency_name=currency_name(words, standing.currency),
        show_all=show_all,
        stale_days=found.stale_days,
        may_write=may_write(request, company),
        **view,
    )


def currency_name(words: Words, currency: str) -> str:
    """Canadian Dollar."""
    return str(words.locale.currencies.get(currency, currency))


REVERSALS = {"spend.typed": Reversal(Permission.SETTINGS_WRITE, take_back_typed)}
