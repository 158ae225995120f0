"""Pools and websites removed, and taken back: the numbers of a pool go elsewhere or are retired, visits stay."""

from datetime import UTC, datetime
from enum import StrEnum

from aiohttp import web

from gateway.audit import Action, note
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup, pool_of, show_pool, to_pools
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import words_for
from gateway.http.scope import company_of
from gateway.http.site_pages import site_of, to_sites
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo
from gateway.pools import errors, number_changes, pool_changes, pool_errors, site_changes


class Goes(StrEnum):
    """What becomes of the numbers of a pool that is removed."""

    RETIRE = "retire"
    MOVE = "move"


async def remove_pool(request: web.Request) -> web.StreamResponse:
    """Lend from it no more; its numbers are retired where they are, or go into another pool."""
    company = company_of(request)
    row, words = await pool_of(request, company), words_for(request, company)
    form = Form(await form_of(request), words)
    if row.removed_at is not None:
        raise NotFound()
    now = datetime.now(UTC)
    goes = form.choice("goes", Goes, Goes.RETIRE)
    numbers: list[str] = []
    step = None
    if not form.problems:
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                used = await pool_changes.numbers_in_use(connection, company.id, row.pool.id)
                kept = await pool_changes.numbers_as_they_are(connection, company.id, used)
                owner = of_setup(company)
                if goes is Goes.MOVE:
                    source, into = form.value("source") or None, form.value("pool")
                    if into == row.pool.name:
                        raise errors.NoSuchPool(into)
                    numbers = await number_changes.move(connection, owner, kept, into, source=source, now=now)
                else:
                    numbers = await number_changes.retire(connection, owner, kept, now=now)
                await pool_changes.set_removed(connection, company.id, row.pool.id, now)
                values = {"pool": row.pool.id, "kept": list(kept.values())}
                step = await offer_undo(connection, company.id, request[VIEWER], "pool.removed", values)
                await note(
                    connection,
                    actor_of(request),
                    company.id,
                    Action.SETTING_REMOVED,
                    f"pool/{row.pool.id}",
                    name=row.pool.name,
                    numbers=numbers[:200],
                )
        except pool_errors.StaticNeedsSource:
            form.refuse("goes", words.say("In that pool every number stands for a source; choose which."))
        except errors.NoSuchPool:
            form.refuse("goes", words.say("Choose the pool that its numbers shall go to."))
        except errors.SetupError as error:
            form.refuse("goes", str(error))
    if form.problems:
        return await show_pool(request, company, row, status=422, removal_form=form)
    said = words.say("%(name)s is removed.") % {"name": row.pool.name}
    if numbers and goes is Goes.RETIRE:
        said += " " + words.ngettext(
            "%(num)s number is retired; its calls ring on.",
            "%(num)s numbers are retired; their calls ring on.",
            len(numbers),
        )
    elif numbers:
        said += " " + words.ngettext("%(num)s number is moved.", "%(num)s numbers are moved.", len(numbers))
    return changed(request, to_pools(request, company), Notice(said, undo=step))


async def take_back_pool(undoing: Undoing) -> str:
    """It lends again, with the numbers that were its."""
    connection, company_id, pool_id = undoing.connection, undoing.company_id, int(undoing.values["pool"])
    row = await pool_changes.one_pool(connection, company_id, pool_id)
    if row is None:
        raise NoWayBack
    await pool_changes.set_removed(connection, company_id, pool_id, None)
    await pool_changes.restore_numbers(connection, company_id, undoing.values["kept"], now=datetime.now(UTC))
    return f"pool/{pool_id}"


async def remove_site(request: web.Request) -> web.StreamResponse:
    """Answer its snippet no more; its visits stay as long as others."""
    company = company_of(request)
    site, words = await site_of(request, company), words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        await site_changes.set_removed(connection, company.id, site.id, datetime.now(UTC))
        step = await offer_undo(connection, company.id, request[VIEWER], "site.removed", {"site": site.id})
        subject = f"site/{site.id}"
        await note(connection, actor_of(request), company.id, Action.SETTING_REMOVED, subject, name=site.name)
    said = words.say("%(name)s is removed. Take its line out of the pages when you can; it does nothing any more.")
    return changed(request, to_sites(request, company), Notice(said % {"name": site.name}, undo=step))


async def take_back_site(undoing: Undoing) -> str:
    """Its snippet is answered again."""
    site_id = int(undoing.values["site"])
    await site_changes.set_removed(undoing.connection, undoing.company_id, site_id, None)
    return f"site/{site_id}"


REVERSALS = {
    "pool.removed": Reversal(Permission.SETTINGS_WRITE, take_back_pool),
    "site.removed": Reversal(Permission.SETTINGS_WRITE, take_back_site),
}
