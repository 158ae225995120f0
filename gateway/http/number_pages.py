"""The numbers of a pool, changed one by one or many at once."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from aiohttp import web

from gateway.asterisk.dialstring import checked_sound
from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.flow_routing import routing_of
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.pool_form import Records
from gateway.http.pool_pages import of_setup, pool_of, show_pool, to_pools
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.undo import Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import errors, number_changes, pool_changes, pool_errors, setup
from gateway.pools.pool_changes import NumberSettings, PoolRow

_MOST_REST_DAYS = 3650


class Do(StrEnum):
    """What is done with the numbers that are ticked."""

    REST = "rest"
    WAKE = "wake"
    RETIRE = "retire"
    RELEASE = "release"
    MOVE = "move"
    REMOVE = "remove"


async def change_numbers(request: web.Request) -> web.StreamResponse:
    """Rest, wake, retire, take back, move or remove the numbers that are ticked."""
    company = company_of(request)
    row, words = await pool_of(request, company), words_for(request, company)
    form = Form(await form_of(request), words)
    chosen = [int(name.removeprefix("number-")) for name in form.values if _names_number(name)]
    do = form.choice("do", Do)
    days = form.whole("days", least=1, most=_MOST_REST_DAYS, required=False) if do is Do.REST else None
    if not chosen:
        form.refuse("do", words.say("Tick the numbers it is about."))
    if form.problems or do is None:
        return await show_pool(request, company, row, status=422, numbers_form=form)
    now, step = datetime.now(UTC), None
    done: list[str] = []
    try:
        async with request.app[PARTS].database.companies(company.id) as connection:
            kept = await pool_changes.numbers_as_they_are(connection, company.id, chosen)
            kept = {e164: each for e164, each in kept.items() if each["pool_id"] == row.pool.id}
            done = await _done(connection, company, form, do, kept, days, now)
            if do is Do.REMOVE:
                values = {"pool": row.pool.id, "kept": list(kept.values())}
                step = await offer_undo(connection, company.id, request[VIEWER], "numbers.removed", values)
            elif do is not Do.RELEASE and kept:
                values = {"pool": row.pool.id, "kept": list(kept.values())}
                step = await offer_undo(connection, company.id, request[VIEWER], "numbers.changed", values)
            await _note(connection, request, company, row, do.value, done)
    except pool_errors.HasHistory:
        form.refuse("do", words.say("One of them was called or shown already; retire it, and its history stays."))
    except pool_errors.StaticNeedsSource:
        form.refuse("source", words.say("In that pool every number stands for a source; choose which."))
    except errors.SetupError as error:
        form.refuse("pool", str(error))
    if form.problems:
        return await show_pool(request, company, row, status=422, numbers_form=form)
    return changed(
        request, to_pools(request, company, f"/{row.pool.id}"), Notice(_said(words, do, len(done)), undo=step)
    )


async def one_number_page(request: web.Request) -> web.StreamResponse:
    """One number: what it stands for, where it rings, what it costs."""
    company = company_of(request)
    number = await _number_of(request, company)
    return await _show_number(request, company, number)


async def change_number(request: web.Request) -> web.StreamResponse:
    """Set everything of a number."""
    company = company_of(request)
    number, words = await _number_of(request, company), words_for(request, company)
    form = Form(await form_of(request), words)
    async with request.app[PARTS].database.companies(company.id) as connection:
        sources = {str(row["id"]) for row in await setup.sources(connection, of_setup(company))}
        destinations = {str(row["id"]) for row in await setup.destinations(connection, of_setup(company))}
    settings = _settings(form, words, sources, destinations, is_static=number["kind"] == "static")
    if form.problems or settings is None:
        return await _show_number(request, company, number, status=422, form=form)
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = (await pool_changes.numbers_as_they_are(connection, company.id, [number["id"]]))[number["e164"]]
        await pool_changes.save_number(connection, company.id, number["id"], settings)
        after = (await pool_changes.numbers_as_they_are(connection, company.id, [number["id"]]))[number["e164"]]
        changes = {name: [before[name], value] for name, value in after.items() if before[name] != value}
        if changes:
            values = {"pool": number["pool_id"], "kept": [before]}
            step = await offer_undo(connection, company.id, request[VIEWER], "numbers.changed", values)
            subject = f"number/{number['id']}"
            name = words.phone(number["e164"])
            await note(
                connection,
                actor_of(request),
                company.id,
                Action.SETTING_CHANGED,
                subject,
                name=name,
                changes=changes,
            )
    said = words.say("%(name)s is changed.") % {"name": words.phone(number["e164"])}
    return changed(request, to_pools(request, company, f"/{number['pool_id']}"), Notice(said, undo=step))


async def take_back_changes(undoing: Undoing) -> str:
    """Numbers are as they were before."""
    await pool_changes.restore_numbers(
        undoing.connection, undoing.company_id, undoing.values["kept"], now=datetime.now(UTC)
    )
    return f"pool/{undoing.values['pool']}"


async def take_back_removal(undoing: Undoing) -> str:
    """Numbers that were removed are there again."""
    await pool_changes.insert_numbers(undoing.connection, undoing.company_id, undoing.values["kept"])
    return f"pool/{undoing.values['pool']}"


async def take_back_import(undoing: Undoing) -> str:
    """Numbers that were just made are removed, those that nobody has used since."""
    unused = await pool_changes.unused_numbers(undoing.connection, undoing.company_id, undoing.values["numbers"])
    if unused:
        owner = setup.Company(undoing.company_id, "", undoing.values["region"])
        await number_changes.remove(undoing.connection, owner, unused)
    return f"pool/{undoing.values['pool']}"


async def _done(
    connection: Any, company: Company, form: Form, do: Do, kept: Collection[str], days: int | None, now: datetime
) -> list[str]:
    owner = of_setup(company)
    match do:
        case Do.REST:
            until = None if days is None else now + timedelta(days=days)
            return await number_changes.rest(connection, owner, kept, until=until, now=now)
        case Do.WAKE:
            return await number_changes.wake(connection, owner, kept, now=now)
        case Do.RETIRE:
            return await number_changes.retire(connection, owner, kept, now=now)
        case Do.RELEASE:
            return await number_changes.release(connection, owner, kept, now=now)
        case Do.REMOVE:
            return await number_changes.remove(connection, owner, kept)
        case Do.MOVE:
            pool, source = form.value("pool"), form.value("source") or None
            return await number_changes.move(connection, owner, kept, pool, source=source, now=now)


async def _note(
    connection: Any, request: web.Request, company: Company, row: PoolRow, what: str, numbers: list[str]
) -> None:
    if numbers:
        action = Action.SETTING_REMOVED if what == Do.REMOVE else Action.SETTING_CHANGED
        subject = f"pool/{row.pool.id}"
        done = {what: [None, numbers[:200]]}
        name = row.pool.name
        if what == Do.REMOVE:  # the numbers, not the pool
            subject, name = f"number/{numbers[0]}", ", ".join(numbers[:20])
        await note(connection, actor_of(request), company.id, action, subject, name=name, changes=done)


def _said(words: Words, do: Do, count: int) -> str:
    match do:
        case Do.REST:
            return words.ngettext(
                "%(num)s number rests; its calls ring.", "%(num)s numbers rest; their calls ring.", count
            )
        case Do.WAKE:
            return words.ngettext("%(num)s number is lent again.", "%(num)s numbers are lent again.", count)
        case Do.RETIRE:
            return words.ngettext(
                "%(num)s number is retired; its calls ring on.",
                "%(num)s numbers are retired; their calls ring on.",
                count,
            )
        case Do.RELEASE:
            return words.ngettext(
                "%(num)s number was taken back from its visitor.",
                "%(num)s numbers were taken back from their visitors.",
                count,
            )
        case Do.MOVE:
            return words.ngettext("%(num)s number is moved.", "%(num)s numbers are moved.", count)
        case Do.REMOVE:
            return words.ngettext("%(num)s number is removed.", "%(num)s numbers are removed.", count)


def _settings(
    form: Form, words: Words, sources: set[str], destinations: set[str], *, is_static: bool
) -> NumberSettings | None:
    source, destination = form.value("source"), form.value("destination")
    if (source and source not in sources) or (is_static and not source):
        form.refuse("source", words.say("Choose one of these."))
    if destination and destination not in destinations:
        form.refuse("destination", words.say("Choose one of these."))
    record = form.choice("record", Records, Records.COMPANY)
    price = form.decimal("price", required=False, places=4)
    note_text = form.text("note", longest=300, required=False)
    fax = form.flag("fax")
    whisper: str | None = form.text("whisper", longest=120, required=False) or None
    if whisper is not None:
        try:
            whisper = checked_sound(whisper)
        except ValueError:
            form.refuse(
                "whisper", words.say("The name of a sound, such as custom/google-ads: letters, digits, - and /.")
            )
    if fax and (whisper or record is Records.ON):
        form.refuse("fax", words.say("A fax hears no whisper and is not recorded; leave both away."))
    if form.problems:
        return None
    recorded = {Records.ON: True, Records.OFF: False}.get(record or Records.COMPANY)
    return NumberSettings(
        int(source) if source else None,
        int(destination) if destination else None,
        recorded,
        whisper,
        fax,
        price,
        note_text,
    )


async def _show_number(
    request: web.Request, company: Company, number: Any, *, status: int = 200, form: Form | None = None
) -> web.StreamResponse:
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        sources = await setup.sources(connection, of_setup(company))
        sources = [each for each in sources if each["hidden_at"] is None or each["id"] == number["source_id"]]
        destinations = await setup.destinations(connection, of_setup(company))
        paid_in = await pool_changes.currency(connection, company.id)
        routing = await routing_of(connection, company, "number", number["id"])
    record = number["record_calls"]
    values = {
        "source": number["source_id"],
        "destination": number["destination_id"],
        "record": "company" if record is None else ("on" if record else "off"),
        "whisper": number["whisper"],
        "fax": "yes" if number["fax"] else "",
        "price": None if number["monthly_price"] is None else f"{number['monthly_price'].normalize():f}",
        "note": number["note"],
    }
    return render(
        request,
        "pool_number.html",
        company=company,
        status=status,
        number=number,
        source_options=[(row["id"], row["name"]) for row in sources],
        destination_options=[(row["id"], row["name"]) for row in destinations],
        currency=paid_in,
        routing=routing,
        form=form or Form(values, words),
    )


async def _number_of(request: web.Request, company: Company) -> Any:
    number_id = id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        number = await pool_changes.one_number(connection, company.id, number_id)
    if number is None:
        raise NotFound()
    return number


def _names_number(name: str) -> bool:
    digits = name.removeprefix("number-")
    return name.startswith("number-") and digits.isascii() and digits.isdigit() and len(digits) < 19
