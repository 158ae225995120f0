"""One source: its name and colour, what tells its visits, merging it into another, hiding it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.flow_routing import routing_of
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import PALETTE, render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import may_write
from gateway.http.source_pages import to_sources
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import errors, setup
from gateway.store.database import Connection
from gateway.visits import source_changes
from gateway.visits.source_changes import BothHave, NameOfAnother, SourceSettings, StillInUse

_FACTS = ("channel", "source", "medium", "campaign")
# Places in the palette that look different from each other: each colour with each shape. The first rows are offered.
_DIFFERENT = PALETTE * PALETTE
_OFFERED = 4 * PALETTE


async def one_source_page(request: web.Request) -> web.StreamResponse:
    """A source; with ``?into=`` what would change if it became part of another."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        source = await _source_of(connection, request, company)
    values = {**asdict(source), "colour": source.colour % _DIFFERENT, "into": request.query.get("into", "")[:20]}
    return await _show(request, company, source, Form(values, words_for(request, company)))


async def change_source(request: web.Request) -> web.StreamResponse:
    """Set its name, its colour, and what tells its visits."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    name = form.text("name", longest=80)
    facts: dict[str, Any] = {field: form.text(field, longest=200, required=False) for field in _FACTS}
    colour = form.whole("colour", most=_DIFFERENT - 1, required=False)
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = await _source_of(connection, request, company, hold=True)
        if colour is None or colour == before.colour % _DIFFERENT:
            colour = before.colour
        if not form.problems:
            try:
                wanted = replace(before, name=setup.checked_name(name), colour=colour, **facts)
                differs = source_changes.changes(before, wanted)
                if differs:
                    label = await source_changes.save_source(connection, company.id, wanted)
                    values = {"before": _kept(before), "label": label}
                    step = await offer_undo(connection, company.id, request[VIEWER], "source.changed", values)
                    await note(
                        connection,
                        actor_of(request),
                        company.id,
                        Action.SETTING_CHANGED,
                        f"source/{before.id}",
                        name=wanted.name,
                        changes=differs,
                    )
            except NameOfAnother:
                form.refuse("name", words.say("Another source has this name, or had it. Merge the two instead."))
            except errors.NoName:
                form.refuse("name", words.say("Write something here."))
    if form.problems:
        return await _show(request, company, before, form, status=422)
    said = words.say("%(name)s is changed.") % {"name": name}
    return changed(request, to_sources(request, company, f"/{before.id}"), Notice(said, undo=step))


async def hide_source(request: web.Request) -> web.StreamResponse:
    """Offer it no longer, or again."""
    company = company_of(request)
    words, posted = words_for(request, company), await form_of(request)
    at = None if posted.get("hidden") == "no" else datetime.now(UTC)
    async with request.app[PARTS].database.companies(company.id) as connection:
        source = await _source_of(connection, request, company, hold=True)
        to = to_sources(request, company, f"/{source.id}")
        try:
            await source_changes.hide(connection, company.id, source.id, at)
        except StillInUse:
            said = words.say("Numbers still stand for %(name)s. Give them another source, or retire them, first.")
            return changed(request, to, Notice(said % {"name": source.name}, is_problem=True))
        values = {"id": source.id, "at": source.hidden_at and source.hidden_at.isoformat()}
        step = await offer_undo(connection, company.id, request[VIEWER], "source.hidden", values)
        await note(
            connection,
            actor_of(request),
            company.id,
            Action.SETTING_CHANGED,
            f"source/{source.id}",
            name=source.name,
            changes={"hidden": [source.hidden_at is not None, at is not None]},
        )
    said = words.say("%(name)s is hidden.") if at is not None else words.say("%(name)s is offered again.")
    return changed(request, to_sources(request, company), Notice(said % {"name": source.name}, undo=step))


async def merge_source(request: web.Request) -> web.StreamResponse:
    """Make it part of another source, with all that is its."""
    company = company_of(request)
    words, posted = words_for(request, company), await form_of(request)
    into = str(posted.get("into", ""))
    try:
        async with request.app[PARTS].database.companies(company.id) as connection:
            source = await _source_of(connection, request, company, hold=True)
            target = await _other(connection, company, source, into)
            if target is None:
                form = Form({**asdict(source), "colour": source.colour % _DIFFERENT, "into": into[:20]}, words)
                form.refuse("into", words.say("Choose the source that it shall be part of."))
                return await _show(request, company, source, form, status=422)
            await source_changes.merge(connection, company.id, source.id, target.id)
            values = {"merged": source.id}
            step = await offer_undo(connection, company.id, request[VIEWER], "source.merged", values)
            await note(
                connection,
                actor_of(request),
                company.id,
                Action.SETTING_REMOVED,
                f"source/{source.id}",
                name=source.name,
                merged_into=target.name,
            )
    except BothHave as error:
        said = words.say(
            "Both sources have an entry of the same time under “%(what)s”. Remove one of the two, then merge again."
        )
        notice = Notice(said % {"what": _named(error.table, words)}, is_problem=True)
        return changed(request, to_sources(request, company, f"/{source.id}"), notice)
    said = words.say("%(one)s is part of %(other)s now.") % {"one": source.name, "other": target.name}
    return changed(request, to_sources(request, company, f"/{target.id}"), Notice(said, undo=step))


async def take_back_change(undoing: Undoing) -> str:
    """The source is as it was."""
    values = undoing.values
    before = SourceSettings(hidden_at=None, **values["before"])
    if await source_changes.one_source(undoing.connection, undoing.company_id, before.id) is None:
        raise NoWayBack
    try:
        await source_changes.take_name_back(undoing.connection, undoing.company_id, before, values["label"])
    except NameOfAnother:
        raise NoWayBack from None
    return f"source/{before.id}"


async def take_back_hiding(undoing: Undoing) -> str:
    """It is hidden, or offered, as before."""
    id, at = int(undoing.values["id"]), undoing.values["at"]
    try:
        await source_changes.hide(undoing.connection, undoing.company_id, id, at and datetime.fromisoformat(at))
    except StillInUse:
        raise NoWayBack from None
    return f"source/{id}"


async def take_back_merge(undoing: Undoing) -> str:
    """There are two again, each with what was its."""
    merged = int(undoing.values["merged"])
    if not await source_changes.split(undoing.connection, undoing.company_id, merged):
        raise NoWayBack
    return f"source/{merged}"


REVERSALS = {
    "source.changed": Reversal(Permission.SETTINGS_WRITE, take_back_change),
    "source.hidden": Reversal(Permission.SETTINGS_WRITE, take_back_hiding),
    "source.merged": Reversal(Permission.SETTINGS_WRITE, take_back_merge),
}


async def _source_of(
    connection: Connection, request: web.Request, company: Company, *, hold: bool = False
) -> SourceSettings:
    source = await source_changes.one_source(connection, company.id, id_in_path(request), hold=hold)
    if source is None:
        raise NotFound()
    return source


async def _other(connection: Connection, company: Company, source: SourceSettings, text: str) -> SourceSettings | None:
    """The source that a form names, where it is another one of the company."""
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) == source.id:
        return None
    return await source_changes.one_source(connection, company.id, int(text))


def _kept(source: SourceSettings) -> dict[str, Any]:
    return {name: value for name, value in asdict(source).items() if name != "hidden_at"}


async def _show(
    request: web.Request, company: Company, source: SourceSettings, form: Form, *, status: int = 200
) -> web.StreamResponse:
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        labels = await source_changes.labels_of(connection, company.id, source.id)
        rows = await source_changes.rows_of(connection, company.id, source.id)
        others = [row for row in await setup.sources(connection, of_setup(company)) if row["id"] != source.id]
        into = await _other(connection, company, source, form.value("into"))
        used = await source_changes.numbers_in_use(connection, company.id, source.id)
        routing = await routing_of(connection, company, "source", source.id)
    return render(
        request,
        "source.html",
        company=company,
        routing=routing,
        status=status,
        source=source,
        labels=[label for label in labels if label != source.name],
        rows=counted(rows, words),
        calls=rows.get("calls", 0),
        numbers=used,
        others=[(row["id"], row["name"]) for row in others],
        into=into,
        colours=sorted({*range(_OFFERED), source.colour % _DIFFERENT}),
        may_write=may_write(request, company),
        form=form,
    )


def counted(rows: Mapping[str, int], words: Words) -> list[tuple[str, int]]:
    """What is a source's, in words, each with how much; what nobody counts, such as labels, is left out."""
    found: dict[str, int] = {}
    for table, count in rows.items():
        if count and table not in ("source_labels", "merged_sources", "call_candidates", "call_touches"):
            name = _named(table, words)
            found[name] = found.get(name, 0) + count
    return list(found.items())


def _named(table: str, words: Words) -> str:
    """What the rows of a table are, as people call them."""
    names = {
        "calls": words.say("Calls"),
        "tracking_numbers": words.say("Numbers that stand for it"),
        "attributions": words.say("Calls credited to it"),
        "people": words.say("People whose first contact it brought"),
        "spend": words.say("Amounts spent on it"),
    }
    return names.get(table, words.say("Other entries"))
