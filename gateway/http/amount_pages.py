"""Every amount that was entered: of any days, of a source or a campaign, to be looked at, added and removed."""

from datetime import date
from decimal import Decimal
from typing import Any

from aiohttp import web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.money_pages import bring_back, currency_name, to_money
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.report_words import money
from gateway.http.scope import company_of, id_in_path, period_of
from gateway.http.site_pages import may_write
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import setup
from gateway.reports import spend_book, spend_errors, spend_import
from gateway.reports.money import HIGHEST, digits_of
from gateway.reports.spend_book import LONGEST_CAMPAIGN, Amount
from gateway.store.database import Connection

AMOUNTS_A_PAGE = 100
_LONGEST_NOTE = 200


async def amounts_page(request: web.Request) -> web.StreamResponse:
    """The amounts of a period, of one source or of one import, and the form for another."""
    company = company_of(request)
    return await _show(request, company, Form(None, words_for(request, company)))


async def add_amount(request: web.Request) -> web.StreamResponse:
    """Enter an amount for any days."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    note_text = form.text("note", longest=_LONGEST_NOTE, required=False)
    campaign = form.text("campaign", longest=LONGEST_CAMPAIGN, required=False)
    first, last = _day(form, "first", words), _day(form, "last", words)
    if first and last and first > last:
        form.refuse("last", words.say("The last day is before the first."))
    async with request.app[PARTS].database.companies(company.id) as connection:
        currency = await spend_book.currency_of(connection, company.id)
        amount = form.decimal("amount", most=HIGHEST, places=digits_of(currency))
        names = {str(row["id"]): row["name"] for row in await setup.sources(connection, of_setup(company))}
        source = form.value("source")
        if source not in names:
            form.refuse("source", words.say("Choose one of these."))
        clashes: tuple[Amount, ...] = ()
        step = None
        if not form.problems and first and last and amount is not None:
            try:
                added = await spend_book.add_amount(
                    connection,
                    company.id,
                    int(source),
                    first,
                    last,
                    amount,
                    campaign=campaign,
                    note=note_text,
                    on_top=form.flag("on_top"),
                    user_id=request[VIEWER].user_id,
                )
                one = await spend_book.one_amount(connection, company.id, added)
                step = await offer_undo(connection, company.id, request[VIEWER], "spend.added", {"id": added})
                await note_amount(request, connection, company, Action.SETTING_ADDED, one)
            except spend_errors.Overlaps:
                form.refuse(
                    "on_top", words.say("There is an amount for some of these days already, so nothing was added.")
                )
                clashes = await spend_book.clashes(connection, company.id, int(source), campaign, first, last)
            except spend_errors.BadDays:
                form.refuse("last", words.say("At most ten years, please."))
    if form.problems:
        return await _show(request, company, form, status=422, clashes=clashes)
    return changed(
        request, to_money(request, company, "/amounts", period="all"), Notice(words.say("Saved."), undo=step)
    )


async def remove_amount(request: web.Request) -> web.StreamResponse:
    """Take an amount out."""
    company = company_of(request)
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        try:
            one = await spend_book.one_amount(connection, company.id, id_in_path(request))
        except spend_errors.NoSuchAmount:
            raise NotFound() from None
        await spend_book.remove_amounts(connection, company.id, [one.id])
        step = await offer_undo(connection, company.id, request[VIEWER], "spend.removed", {"id": one.id})
        await note_amount(request, connection, company, Action.SETTING_REMOVED, one)
    said = words.say("%(amount)s of %(source)s is removed.") % {
        "amount": money(words, one.amount, one.currency),
        "source": one.source_name,
    }
    return changed(request, to_money(request, company, "/amounts", period="all"), Notice(said, undo=step))


async def remove_import(request: web.Request) -> web.StreamResponse:
    """Take a whole import out; what it had replaced counts again."""
    company = company_of(request)
    words, id = words_for(request, company), id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        try:
            gone = await spend_import.remove_import(connection, company.id, id)
        except spend_errors.NoSuchAmount:
            raise NotFound() from None
        values = {"id": id, "amounts": list(gone.amounts), "restored": list(gone.restored)}
        step = await offer_undo(connection, company.id, request[VIEWER], "spend.import_removed", values)
        await note(
            connection,
            actor_of(request),
            company.id,
            Action.SETTING_REMOVED,
            f"spend-import/{id}",
            name=gone.file_name,
            changes={"amounts": [len(gone.amounts), 0]},
        )
    said = words.ngettext(
        "The import with %(num)s amount is removed.", "The import with %(num)s amounts is removed.", len(gone.amounts)
    )
    if gone.restored:
        more = words.ngettext(
            "%(num)s amount that it had replaced counts again.",
            "%(num)s amounts that it had replaced count again.",
            len(gone.restored),
        )
        said = f"{said} {more}"
    return changed(request, to_money(request, company), Notice(said, undo=step))


async def note_amount(
    request: web.Request, connection: Connection, company: Company, action: Action, one: Amount
) -> None:
    """Write an amount's line for the audit log."""
    text = f"{one.first_day.isoformat()}..{one.last_day.isoformat()} {one.campaign}".strip()
    amounts = [None, str(one.amount)] if action is Action.SETTING_ADDED else [str(one.amount), None]
    await note(
        connection,
        actor_of(request),
        company.id,
        action,
        f"spend/{one.source_id}",
        name=one.source_name,
        changes={text: amounts},
    )


async def take_back_added(undoing: Undoing) -> str:
    """An amount that was added is gone."""
    id = int(undoing.values["id"])
    await spend_book.remove_amounts(undoing.connection, undoing.company_id, [id])
    return f"spend/{id}"


async def take_back_removed(undoing: Undoing) -> str:
    """An amount that was removed counts again."""
    id = int(undoing.values["id"])
    await bring_back(undoing.connection, undoing.company_id, [id])
    return f"spend/{id}"


async def take_back_import_removed(undoing: Undoing) -> str:
    """An import that was removed is there again."""
    values = undoing.values
    try:
        await spend_import.import_again(
            undoing.connection, undoing.company_id, values["id"], values["amounts"], values["restored"]
        )
    except spend_errors.NoSuchAmount:
        raise NotFound() from None
    return f"spend-import/{values['id']}"


async def _show(
    request: web.Request, company: Company, form: Form, *, clashes: tuple[Amount, ...] = (), status: int = 200
) -> web.StreamResponse:
    words = words_for(request, company)
    first, last = period_of(request).days(words.now.date())
    wanted: dict[str, Any] = {
        "source_id": _id(request, "source"),
        "import_id": _id(request, "import"),
        "since": first,
        "until": date.fromordinal(last.toordinal() + 1) if last else None,
    }
    page = min(_id(request, "page") or 0, 10_000)
    async with request.app[PARTS].database.companies(company.id) as connection:
        currency = await spend_book.currency_of(connection, company.id)
        rows = await spend_book.amounts(
            connection, company.id, **wanted, most=AMOUNTS_A_PAGE, leave=page * AMOUNTS_A_PAGE
        )
        number, together = await spend_book.counted(connection, company.id, **wanted)
        sources = await setup.sources(connection, of_setup(company))
    return render(
        request,
        "amounts.html",
        company=company,
        status=status,
        amounts=rows,
        number=number,
        together=money(words, Decimal(together), currency),
        page=page,
        has_more=(page + 1) * AMOUNTS_A_PAGE < number,
        source=next((row for row in sources if row["id"] == wanted["source_id"]), None),
        of_import=wanted["import_id"],
        source_options=[("", "–"), *((row["id"], row["name"]) for row in sources if row["hidden_at"] is None)],
        form=form,
        clashes=clashes,
        said=lambda one: money(words, one.amount, one.currency),
        currency=currency,
        currency_name=currency_name(words, currency),
        may_write=may_write(request, company),
    )


def _id(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _day(form: Form, name: str, words: Words) -> date | None:
    try:
        day = date.fromisoformat(form.value(name))
    except ValueError:
        form.refuse(name, words.say("Choose a day."))
        return None
    if not 2000 <= day.year <= 2100:
        form.refuse(name, words.say("Choose a day."))
        return None
    return day


REVERSALS = {
    "spend.added": Reversal(Permission.SETTINGS_WRITE, take_back_added),
    "spend.removed": Reversal(Permission.SETTINGS_WRITE, take_back_removed),
    "spend.import_removed": Reversal(Permission.SETTINGS_WRITE, take_back_import_removed),
}
