"""Exports of advertisements, imported: what a file would become is shown before anything is stored, then all of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from aiohttp import web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.money_pages import currency_name, to_money
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup
from gateway.http.posted_file import posted_with_file
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.report_words import money
from gateway.http.scope import company_of
from gateway.http.spend_preview import Group, column_name, fault_said, groups_of, headings
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import setup
from gateway.reports import spend_book, spend_errors, spend_import
from gateway.reports.export_columns import ExportKind, Field
from gateway.reports.export_text import decoded
from gateway.reports.spend_exports import Export, Said, UnreadableExport, read_export
from gateway.reports.spend_import import Clash, Plan
from gateway.reports.spend_sources import NEW, named_source, usual_source
from gateway.store.database import Connection

# Some tens of thousands of lines.
LONGEST_EXPORT = 6_000_000
_SHOWN_GROUPS, _SHOWN_FAULTS, _SHOWN_CLASHES = 60, 50, 20
_NEW = "new"


@dataclass(frozen=True, slots=True)
class Preview:
    """A file as it was read, what would become of it, and how each campaign's source was chosen."""

    export: Export
    groups: tuple[Group, ...]
    chosen: Mapping[str, str]  # by field: the id of a source, "new", or "" where nobody said
    plan: Plan | None  # none: something must be said first
    refusal: str

    @property
    def may_store(self) -> bool:
        """Whether there is anything to store, and nothing in its way."""
        return self.plan is not None and bool(self.plan.lines) and not self.refusal

    @property
    def shown_groups(self) -> tuple[Group, ...]:
        """The dearest of them."""
        return self.groups[:_SHOWN_GROUPS]


async def import_page(request: web.Request) -> web.StreamResponse:
    """The form for a file."""
    company = company_of(request)
    return await _show(request, company, Form(None, words_for(request, company)))


async def import_export(request: web.Request) -> web.StreamResponse:
    """Show what a file would become; store it, where the form says so."""
    company = company_of(request)
    words = words_for(request, company)
    values, file = await posted_with_file(request, LONGEST_EXPORT)
    if file is not None:
        kept = {"list": decoded(file)[:LONGEST_EXPORT], "file_name": values.get("file_name", "")}
        values = kept if values.get("list", "") != kept["list"] else {**values, **kept}
    form = Form(values, words)
    if not form.value("list").strip():
        form.refuse("file", words.say("Choose a file."))
        return await _show(request, company, form, status=422)
    async with request.app[PARTS].database.companies(company.id) as connection:
        sources = await setup.sources(connection, of_setup(company))
        currency = await spend_book.currency_of(connection, company.id)
        try:
            # Tens of thousands of lines take a moment, in which other pages are served.
            export = await asyncio.to_thread(
                read_export, form.value("list"), region=company.region, currency=currency, said=_said(form)
            )
        except UnreadableExport:
            form.refuse("file", words.say("There is no table with amounts in this file."))
            return await _show(request, company, form, status=422)
        preview = await _preview(connection, words, company, form, export, sources, currency)
        if form.value("do") == "store" and preview.may_store:
            return await _stored(request, connection, words, company, form, preview, sources)
    return await _show(request, company, form, preview=preview, sources=sources, currency=currency)


async def take_back_import(undoing: Undoing) -> str:
    """An import is gone, and what it had replaced counts again."""
    id = int(undoing.values["id"])
    try:
        await spend_import.remove_import(undoing.connection, undoing.company_id, id)
    except spend_errors.NoSuchAmount:
        raise NotFound() from None
    return f"spend-import/{id}"


async def _preview(
    connection: Connection,
    words: Words,
    company: Company,
    form: Form,
    export: Export,
    sources: Sequence[Any],
    currency: str,
) -> Preview:
    groups = groups_of(export.rows)
    chosen = {group.field: _choice(form, export.kind, group, sources) for group in groups}
    others = export.currencies - {currency}
    refusal = ""
    if others:
        refusal = words.say(
            "This file is in %(theirs)s, and the company’s money is %(ours)s, so it cannot be stored. Export it in "
            "%(ours)s, or change the company’s currency under Settings, Company."
        ) % {"theirs": ", ".join(sorted(others)), "ours": currency}
    plan = None
    if groups and all(chosen.values()):
        # A source that is yet to be made has no amounts that could be in the way.
        source_of = {group.key: int(chosen[group.field].replace(_NEW, "0")) for group in groups}
        plan = await spend_import.plan(connection, company.id, export.rows, source_of)
    return Preview(export, groups, chosen, plan, refusal)


async def _stored(
    request: web.Request,
    connection: Connection,
    words: Words,
    company: Company,
    form: Form,
    preview: Preview,
    sources: Sequence[Any],
) -> web.StreamResponse:
    export = preview.export
    new = await _new_source(request, connection, company, export.kind) if _NEW in preview.chosen.values() else 0
    source_of = {group.key: int(preview.chosen[group.field].replace(_NEW, str(new))) for group in preview.groups}
    try:
        clash = Clash(form.value("clash") or Clash.KEEP)
    except ValueError:
        clash = Clash.KEEP
    file_name = "".join(sign for sign in form.value("file_name") if sign.isprintable())[:200]
    stored = await spend_import.store(
        connection,
        company.id,
        export.kind,
        file_name,
        export.rows,
        source_of,
        clash=clash,
        user_id=request[VIEWER].user_id,
    )
    if stored.id is None:
        said = words.say("Nothing was stored: all of it was there already.")
        return changed(request, to_money(request, company), Notice(said))
    step = await offer_undo(connection, company.id, request[VIEWER], "spend.imported", {"id": stored.id})
    await note(
        connection,
        actor_of(request),
        company.id,
        Action.SETTING_ADDED,
        f"spend-import/{stored.id}",
        name=file_name,
        changes={"amounts": [0, stored.number]},
    )
    said = words.ngettext("%(num)s amount is stored.", "%(num)s amounts are stored.", stored.number)
    left = stored.left_out + len(export.faults)
    if left:
        more = words.ngettext("%(num)s line was left out.", "%(num)s lines were left out.", left)
        said = f"{said} {more}"
    return changed(request, to_money(request, company), Notice(said, undo=step))


async def _new_source(request: web.Request, connection: Connection, company: Company, kind: ExportKind) -> int:
    name, channel, source, medium = NEW[kind]
    made = await setup.add_source(connection, of_setup(company), name, channel=channel, source=source, medium=medium)
    await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, f"source/{made}", name=name)
    return made


def _choice(form: Form, kind: ExportKind, group: Group, sources: Sequence[Any]) -> str:
    """The source of a campaign: as chosen for it, as chosen for all, as the file says, else as is usual."""
    known = {str(row["id"]) for row in sources} | ({_NEW} if kind in NEW else set())
    for name in (group.field, "source"):
        if form.value(name) in known:
            return form.value(name)
    if group.is_source:
        found = named_source(group.name, sources)
        return "" if found is None else str(found)
    usual = usual_source(kind, sources)
    if usual is not None:
        return str(usual)
    return _NEW if kind in NEW else ""


def _said(form: Form) -> Said:
    columns: dict[Field, int | None] = {}
    for field in Field:
        text = form.value(f"column-{field.value}")
        if text == "none":
            columns[field] = None
        elif text.isascii() and text.isdigit() and len(text) < 4:
            columns[field] = int(text)
    period = None
    try:
        first, last = (date.fromisoformat(form.value(name)) for name in ("first", "last"))
        period = (min(first, last), max(first, last))
    except ValueError:
        pass
    return Said(
        columns,
        {"day": True, "month": False}.get(form.value("days")),
        {"yes": True, "no": False}.get(form.value("micros")),
        period,
    )


async def _show(
    request: web.Request,
    company: Company,
    form: Form,
    *,
    preview: Preview | None = None,
    sources: Sequence[Any] = (),
    currency: str = "",
    status: int = 200,
) -> web.StreamResponse:
    words = words_for(request, company)
    values: dict[str, Any] = {"form": form, "preview": preview}
    if preview is not None:
        export = preview.export
        options = [("", "–"), *((row["id"], row["name"]) for row in sources if row["hidden_at"] is None)]
        if export.kind in NEW and named_source(NEW[export.kind][0], sources) is None:
            options.append((_NEW, words.say("A new source: %(name)s") % {"name": NEW[export.kind][0]}))
        by_hand = export.kind is ExportKind.TABLE
        values |= {
            "sources": options,
            "faults": [(each, fault_said(words, each, by_hand=by_hand)) for each in export.faults[:_SHOWN_FAULTS]],
            "clashes": preview.plan.clashes[:_SHOWN_CLASHES] if preview.plan else (),
            "columns": [(each.value, column_name(words, each), _place(export, each)) for each in Field],
            "headings": headings(export),
            "missing": [column_name(words, each) for each in export.missing],
            "money": lambda amount: money(words, Decimal(amount), currency),
            "said": lambda one: money(words, one.amount, one.currency),
            "currency": currency,
            "currency_name": currency_name(words, currency),
        }
    return render(request, "spend_import.html", company=company, status=status, **values)


def _place(export: Export, field: Field) -> str:
    place = export.columns.get(field)
    return "none" if place is None else str(place)


REVERSALS = {"spend.imported": Reversal(Permission.SETTINGS_WRITE, take_back_import)}
