"""The pools of a company: how full they are, their settings and their numbers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlencode

from aiohttp import web

from gateway.audit import Action, note
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.flow_routing import routing_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.pool_chart import PoolChart, pool_chart
from gateway.http.pool_form import listed, pool_values, read_conditions, read_settings, targets_of
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import may_write
from gateway.http.undo import Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import errors, pool_changes, pool_setup, setup
from gateway.pools.conditions import stored
from gateway.pools.health import PoolHealth, pool_health
from gateway.pools.pool import Kind
from gateway.pools.pool_changes import PoolRow, Sum

POOLS = "/settings/pools"
SHOWN_DAYS = 7
# From this share of its numbers on, a pool is nearly full.
NEARLY = 0.8
NUMBERS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool of the list: its settings, what it has and costs, and how it does where it lends."""

    row: PoolRow
    sum: Sum
    health: PoolHealth | None
    chart: PoolChart | None

    @property
    def lendable(self) -> int:
        """Numbers that can be lent now."""
        return self.health.numbers - self.health.resting if self.health else 0

    @property
    def is_nearly_full(self) -> bool:
        """Whether it was close to having no number left, without having failed anybody yet."""
        health = self.health
        return bool(
            health
            and self.lendable
            and not (health.displaced or health.refused)
            and health.occupied_most >= NEARLY * self.lendable
        )


async def all_pools(request: web.Request) -> web.StreamResponse:
    """The pools, each with how full it is and was."""
    company = company_of(request)
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        views = await pool_views(connection, company)
    prices = [view.sum.price for view in views if view.sum.price is not None]
    return render(
        request,
        "pools.html",
        company=company,
        pools=[view for view in views if view.row.removed_at is None],
        removed=[view for view in views if view.row.removed_at is not None and view.sum.numbers],
        shown_when=lambda row: shown_when(row, words),
        total=sum(prices, Decimal(0)) if prices else None,
        numbers=sum(view.sum.numbers for view in views),
        may_write=may_write(request, company),
    )


async def new_pool_page(request: web.Request) -> web.StreamResponse:
    """The form for another pool."""
    company = company_of(request)
    return render(
        request, "pool_new.html", company=company, form=Form({"kind": "dynamic"}, words_for(request, company))
    )


async def add_pool(request: web.Request) -> web.StreamResponse:
    """Make a pool; its settings are those that do for most, and its page has them all."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    name, kind = form.text("name", longest=80), form.choice("kind", Kind, Kind.DYNAMIC)
    made = None
    if not form.problems:
        asked: Literal["static", "dynamic"] = "static" if kind is Kind.STATIC else "dynamic"
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                made = await setup.add_pool(connection, of_setup(company), name, asked)
                await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, f"pool/{made}", name=name)
        except errors.NameTaken:
            form.refuse("name", words.say("Another pool has this name already."))
    if made is None:
        return render(request, "pool_new.html", company=company, form=form, status=422)
    said = words.say("%(name)s is added. Now give it numbers.") % {"name": name}
    return changed(request, to_pools(request, company, f"/{made}/import"), Notice(said))


async def one_pool_page(request: web.Request) -> web.StreamResponse:
    """One pool: how it does, its numbers, its settings."""
    company = company_of(request)
    return await show_pool(request, company, await pool_of(request, company))


async def show_pool(
    request: web.Request, company: Company, row: PoolRow, *, status: int = 200, **forms: Form
) -> web.StreamResponse:
    """The page of a pool; ``forms`` are those with problems: form, numbers_form, removal_form."""
    words = words_for(request, company)
    now = datetime.now(UTC)
    digits = "".join(sign for sign in request.query.get("q", "")[:40] if sign.isdigit() and sign.isascii())
    after = request.query.get("after", "0")
    async with request.app[PARTS].database.companies(company.id) as connection:
        view = next(
            view for view in await pool_views(connection, company, row.pool.id) if view.row.pool.id == row.pool.id
        )
        numbers = await pool_changes.numbers_of_pool(
            connection,
            row.pool,
            now=now,
            after=int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0,
            digits=digits,
            most=NUMBERS_A_PAGE + 1,
        )
        targets = await pool_changes.all_targets(connection, company.id)
        pools = await setup.pools(connection, of_setup(company))
        sources = await setup.sources(connection, of_setup(company))
        routing = await routing_of(connection, company, "pool", row.pool.id)
    return render(
        request,
        "pool.html",
        company=company,
        routing=routing,
        status=status,
        view=view,
        numbers=numbers[:NUMBERS_A_PAGE],
        more=numbers[NUMBERS_A_PAGE - 1].id if len(numbers) > NUMBERS_A_PAGE else None,
        q=request.query.get("q", "")[:40],
        targets=targets,
        pools=pools,
        sources=sources,
        shown_when=shown_when(row, words),
        may_write=may_write(request, company),
        form=forms.get("form") or Form(pool_values(row, words), words),
        numbers_form=forms.get("numbers_form") or Form(None, words),
        removal_form=forms.get("removal_form") or Form({"goes": "retire"}, words),
    )


async def change_pool(request: web.Request) -> web.StreamResponse:
    """Set everything of a pool."""
    company = company_of(request)
    row, words = await pool_of(request, company), words_for(request, company)
    form = Form(await form_of(request), words)
    name = " ".join(form.text("name", longest=80).split())
    settings = read_settings(form, words, lends=row.pool.kind is Kind.DYNAMIC)
    conditions = read_conditions(form, words)
    step = None
    if not form.problems:
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                await pool_setup.change_pool(connection, of_setup(company), row.pool.name, settings)
                after = await _after_change(connection, company, row, form, name, stored(conditions))
                if after.stored != row.stored:
                    values = {"pool": row.pool.id, "before": row.stored}
                    step = await offer_undo(connection, company.id, request[VIEWER], "pool.changed", values)
                    subject = f"pool/{row.pool.id}"
                    changes = {
                        key: [row.stored[key], new] for key, new in after.stored.items() if row.stored[key] != new
                    }
                    await note(
                        connection,
                        actor_of(request),
                        company.id,
                        Action.SETTING_CHANGED,
                        subject,
                        name=name,
                        changes=changes,
                    )
        except errors.NameTaken:
            form.refuse("name", words.say("Another pool has this name already."))
        except errors.SetupError as error:
            form.refuse("name", str(error))
    if form.problems:
        return await show_pool(request, company, row, status=422, form=form)
    said = words.say("%(name)s is changed.") % {"name": name}
    return changed(request, to_pools(request, company, f"/{row.pool.id}"), Notice(said, undo=step))


async def take_back_change(undoing: Undoing) -> str:
    """A pool is as it was before."""
    pool_id = int(undoing.values["pool"])
    if await pool_changes.one_pool(undoing.connection, undoing.company_id, pool_id) is None:
        raise NotFound()
    await pool_changes.restore_pool(undoing.connection, undoing.company_id, pool_id, undoing.values["before"])
    return f"pool/{pool_id}"


async def pool_views(connection: Any, company: Company, only: int | None = None) -> list[PoolView]:
    """The pools of a company, or one of them, with how they did in the last days."""
    now = datetime.now(UTC)
    finish = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    start = finish - timedelta(days=SHOWN_DAYS)
    health = {
        each.pool_id: each for each in await pool_health(connection, company.id, start=start, finish=finish, now=now)
    }
    sums = await pool_changes.sums(connection, company.id)
    views = []
    for pool_id in sorted(sums) if only is None else (only,):
        row = await pool_changes.one_pool(connection, company.id, pool_id)
        if row is not None:
            each = health.get(pool_id)
            chart = pool_chart(each, start, finish, company.zone) if each else None
            views.append(PoolView(row, sums[pool_id], each, chart))
    return views


def shown_when(row: PoolRow, words: Words) -> list[tuple[str, str]]:
    """The conditions of a pool as (what they are about, its values)."""
    return [(fact_name(each.fact, words), listed(each.values)) for each in row.conditions.each]


def fact_name(fact: str, words: Words) -> str:
    """What a condition is about, in words; a parameter is named as it is."""
    say = words.say
    return {
        "channel": say("Channel"),
        "source": say("Source"),
        "medium": say("Medium"),
        "campaign": say("Campaign"),
        "content": say("Content"),
        "keyword": say("Keyword"),
        "landing_page": say("First page"),
        "referrer": say("Came from"),
        "region": say("Region"),
        "device": say("Device"),
        "language": say("Language"),
    }.get(fact, fact)


async def pool_of(request: web.Request, company: Company) -> PoolRow:
    """The pool that the address names. Raises NotFound for one that is not this company's."""
    pool_id = id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = await pool_changes.one_pool(connection, company.id, pool_id)
    if row is None:
        raise NotFound()
    return row


def to_pools(request: web.Request, company: Company, more: str = "") -> str:
    """The address of the list, or of what lies below it."""
    query = f"?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else ""
    return f"{POOLS}{more}{query}"


def of_setup(company: Company) -> setup.Company:
    """The company as the rooms of the set-up know it."""
    return setup.Company(company.id, company.name, company.region)


async def _after_change(
    connection: Any, company: Company, row: PoolRow, form: Form, name: str, conditions: dict[str, Any]
) -> PoolRow:
    """Write what ``change_pool`` of the set-up does not: name, conditions as values, and targets; the pool after it."""
    present = await pool_changes.one_pool(connection, company.id, row.pool.id)
    if present is None:
        raise NotFound()
    wanted = targets_of(form, await pool_changes.all_targets(connection, company.id))
    after = {**present.stored, "name": name, "conditions": conditions, "targets": wanted}
    await pool_changes.restore_pool(connection, company.id, row.pool.id, after)
    found = await pool_changes.one_pool(connection, company.id, row.pool.id)
    if found is None:
        raise NotFound()
    return found
