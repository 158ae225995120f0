"""Many numbers at once, pasted or as a file: what each line would become is shown before anything is made."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.attribution.recompute import tried
from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.pool_pages import of_setup, pool_of, to_pools
from gateway.http.posted_file import posted_with_file
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of
from gateway.http.undo import offer_undo
from gateway.http.words import Words
from gateway.pools import setup
from gateway.pools.import_numbers import Fault, Imported, import_numbers
from gateway.pools.number_table import Entry, decoded, entries_of
from gateway.pools.pool import Kind
from gateway.pools.pool_changes import PoolRow

# Several thousand numbers with remarks.
LONGEST_LIST = 400_000
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list would become: the numbers that would be made, and the lines that would not, with why not."""

    made: tuple[str, ...]
    faults: tuple[tuple[int, str, str], ...]  # line, as it stands there, why

    @property
    def shown_faults(self) -> tuple[tuple[int, str, str], ...]:
        """The first of them."""
        return self.faults[:_SHOWN]


async def import_page(request: web.Request) -> web.StreamResponse:
    """The form for a list of numbers."""
    company = company_of(request)
    row = await pool_of(request, company)
    return await _show(request, company, row, Form(None, words_for(request, company)))


async def import_list(request: web.Request) -> web.StreamResponse:
    """Show what a list would become; make it, where the form says so."""
    company = company_of(request)
    row, words = await pool_of(request, company), words_for(request, company)
    values, file = await posted_with_file(request, LONGEST_LIST)
    if file is not None:
        values["list"] = decoded(file)
    form = Form(values, words)
    text = form.value("list")
    if not text.strip():
        form.refuse("list", words.say("Paste numbers here, or choose a file."))
    elif len(text) > LONGEST_LIST:
        form.refuse("list", words.say("That is too long at once; split it in two."))
    source = form.value("source") or None
    async with request.app[PARTS].database.companies(company.id) as connection:
        known = {each["name"] for each in await setup.sources(connection, of_setup(company))}
    if source is not None and source not in known:
        form.refuse("source", words.say("Choose one of these."))
    entries = entries_of(text, company.region) if not form.problems else []
    if not entries and not form.problems:
        form.refuse("list", words.say("There is no number in this list."))
    if form.problems:
        return await _show(request, company, row, form, status=422)
    if form.value("do") != "make":
        async with request.app[PARTS].database.companies(company.id) as connection, tried(connection):
            found = await _imported(connection, company, row, entries, source)
        return await _show(request, company, row, form, preview=_preview(found, entries, words))
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = await _imported(connection, company, row, entries, source)
        step = None
        if found.made:
            values_kept = {"pool": row.pool.id, "numbers": list(found.made), "region": company.region}
            step = await offer_undo(connection, company.id, request[VIEWER], "numbers.imported", values_kept)
            await note(
                connection,
                actor_of(request),
                company.id,
                Action.SETTING_CHANGED,
                f"pool/{row.pool.id}",
                name=row.pool.name,
                changes={"numbers": [None, list(found.made)[:200]]},
            )
    said = words.ngettext("%(num)s number is made.", "%(num)s numbers are made.", len(found.made))
    if found.faults:
        left = words.ngettext("%(num)s line was left out.", "%(num)s lines were left out.", len(found.faults))
        said = f"{said} {left}"
    return changed(request, to_pools(request, company, f"/{row.pool.id}"), Notice(said, undo=step))


async def _imported(
    connection: Any, company: Company, row: PoolRow, entries: list[Entry], source: str | None
) -> Imported:
    return await import_numbers(
        connection, of_setup(company), entries, pool=row.pool.name, source=source, only_good=True
    )


def _preview(found: Imported, entries: list[Entry], words: Words) -> Preview:
    texts = {entry.line: entry.text for entry in entries}
    return Preview(
        found.made,
        tuple((each.line, each.text or texts.get(each.line, ""), fault_said(each, words)) for each in found.faults),
    )


def fault_said(fault: Fault, words: Words) -> str:
    """What is wrong with a line and how to mend it, in the reader's language."""
    say = words.say
    known = {
        "NotANumber": say("This is not a telephone number; write it with its area code."),
        "WrongLength": say("It has too many or too few digits; write it with its area code."),
        "HasExtension": say("It has an extension, which a carrier does not route; leave that away."),
        "EmergencyNumber": say("This is an emergency number, which nobody owns; remove the line."),
        "IsDestination": say("Calls are sent to this number, so they would go round in circles; remove the line."),
        "NeedsSource": say("A number of this pool stands for a source; choose one below, or write it into the list."),
        "NoSuchPool": say("There is no pool of that name; correct it in the list."),
        "NoSuchSource": say("There is no source of that name; add it first, or correct the list."),
        "NoSuchDestination": say("There is no destination of that name; add it first, or correct the list."),
        "BadSound": say("The whisper is no name of a sound: letters, digits, - and /."),
        "BadPrice": say("The price is no number such as 1.15."),
        "EmptyLine": say("There is no number in this line; write it into its column, or remove the line."),
        "RoundedNumber": say("A spreadsheet rounded it and its last digits are lost; format that column as text."),
        "Twice": say("It stands in an earlier line already; remove one of them."),
        "Taken": say("It is a tracking number already; remove the line."),
    }
    if fault.kind == "Taken" and fault.where:
        return say("It is in the pool %(pool)s already; remove the line, or move it from there.") % {
            "pool": fault.where
        }
    return known.get(fault.kind, fault.what)


async def _show(
    request: web.Request,
    company: Company,
    row: PoolRow,
    form: Form,
    *,
    status: int = 200,
    preview: Preview | None = None,
) -> web.StreamResponse:
    async with request.app[PARTS].database.companies(company.id) as connection:
        known = await setup.sources(connection, of_setup(company))
        sources = [(each["name"], each["name"]) for each in known if each["hidden_at"] is None]
    return render(
        request,
        "pool_import.html",
        company=company,
        status=status,
        pool=row.pool,
        is_static=row.pool.kind is Kind.STATIC,
        source_options=sources,
        preview=preview,
        form=form,
    )
