"""Reports by mail: who gets which, when the next one goes, what became of the last ones, and what they look like.

Everybody keeps his own; those of others, and of addresses outside, are for whoever may change settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.http import members
from gateway.http.accounts import Company
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.language import language_of
from gateway.http.mail_form import OUTSIDE, choices, values_of
from gateway.http.mail_sheet import standing_alone
from gateway.http.mail_words import begun, fate_words, weekday_names, when
from gateway.http.members import Member
from gateway.http.permissions import Permission
from gateway.http.protection import MAIL_POLICY, content_policy
from gateway.http.refusals import NotFound
from gateway.http.rendering import TEMPLATES, render, words_for
from gateway.http.report_letters import ReportDesk, mail_words, may_have, needed
from gateway.http.report_sheet import period_words
from gateway.http.routing import companies_with
from gateway.http.scope import company_of, id_in_path
from gateway.reports import mail_figures, mail_subscriptions
from gateway.reports.mail_due import Days, Kind, due, next_at
from gateway.reports.mail_subscriptions import PostedMail, Subscription, Wish

_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shown:
    """A subscription as the pages show it; ``next_at`` is none where nothing comes by the calendar, or at all."""

    subscription: Subscription
    mails: tuple[PostedMail, ...]
    next_at: datetime | None
    may_have: bool

    @property
    def last(self) -> PostedMail | None:
        """Its newest mail."""
        return self.mails[0] if self.mails else None


async def all_mail(request: web.Request) -> web.StreamResponse:
    """Who gets what, and what it looks like."""
    company, words = company_of(request), words_for(request, company_of(request))
    async with request.app[PARTS].database.companies(company.id) as connection:
        user_id = None if manages(request, company) else request[VIEWER].user_id
        found = await mail_subscriptions.subscriptions(connection, company.id, user_id)
        mails = await mail_subscriptions.last_mails(connection, company.id, [each.id for each in found])
    kinds = [kind for kind in Kind if company.id in companies_with(needed(kind), request[VIEWER])]
    look = next((kind for kind in kinds if kind.value == request.query.get("show")), None)
    return render(
        request,
        "mail.html",
        company=company,
        headers={"Content-Security-Policy": content_policy(frames=True)},
        shown=[_shown(each, mails, company) for each in found],
        kinds=[(kind, begun(mail_words(words, kind))) for kind in kinds],
        look=look,
        kind_name=lambda kind: begun(mail_words(words, kind)),
        when=lambda wish: when(words, wish),
        fate=lambda mail: fate_words(words, mail),
        **_common(request, company),
    )


async def new_page(request: web.Request) -> web.StreamResponse:
    """The form for another one."""
    company = company_of(request)
    language = language_of(request, request.app[TEMPLATES].languages)
    kind = request.query.get("kind", Kind.WEEKLY.value)
    values = {"who": str(request[VIEWER].user_id), **values_of(Wish(Kind.WEEKLY, language=language.tag)), "kind": kind}
    return await show_new(request, company, Form(values, words_for(request, company)))


async def one_page(request: web.Request) -> web.StreamResponse:
    """One of them: when it comes, its last mails, what it looks like."""
    company, found = await found_of(request)
    return await show_one(request, company, found, Form(values_of(found.wish), words_for(request, company)))


async def preview(request: web.Request) -> web.StreamResponse:
    """What such a mail looks like with the figures of now, for the frame in the pages."""
    company, parts = company_of(request), request.app[PARTS]
    kind = next((kind for kind in Kind if kind.value == request.query.get("kind")), None)
    if kind is None or company.id not in companies_with(needed(kind), request[VIEWER]):
        raise NotFound()
    tag = request.query.get("language", "")
    language = tag if tag in request.app[TEMPLATES].languages else words_for(request).language.tag
    desk = ReportDesk(parts.database, request.app[TEMPLATES], parts.settings.pages.public_url or "")
    async with parts.database.companies(company.id) as connection:
        firm = await mail_figures.firm_of(connection, company.id)
        if firm is None:
            raise NotFound()
        wish = Wish(kind, language=language)
        mail = await desk.specimen(connection, firm, wish, latest(wish, company))
    return web.Response(
        text=standing_alone(mail),
        content_type="text/html",
        headers={"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"},
    )


async def show_new(request: web.Request, company: Company, form: Form, status: int = 200) -> web.StreamResponse:
    """The form for another one."""
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        people = await people_of(request, connection, company)
    kinds = [kind for kind in Kind if company.id in companies_with(needed(kind), request[VIEWER])]
    if form.value("kind") not in {kind.value for kind in kinds}:
        form.values["kind"] = kinds[0].value
    own = request[VIEWER].user_id
    who = [(str(each.user_id), words.say("You") if each.user_id == own else each.called) for each in people]
    if manages(request, company):
        who.append((OUTSIDE, words.say("An address outside")))
    return render(
        request,
        "mail_new.html",
        company=company,
        status=status,
        form=form,
        who=sorted(who, key=lambda each: (each[0] != str(own), each[0] == OUTSIDE, each[1].lower())),
        outside=OUTSIDE,
        **choices(words, kinds, weekday_names(words), languages_of(request)),
        **_common(request, company),
    )


async def show_one(
    request: web.Request, company: Company, found: Subscription, form: Form, status: int = 200
) -> web.StreamResponse:
    """One of them, with the form to change it."""
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        mails = await mail_subscriptions.last_mails(connection, company.id, [found.id])
    return render(
        request,
        "mail_one.html",
        company=company,
        status=status,
        headers={"Content-Security-Policy": content_policy(frames=True)},
        form=form,
        shown=_shown(found, mails, company),
        kind_name=begun(mail_words(words, found.wish.kind)),
        when=when(words, found.wish),
        fate=lambda mail: fate_words(words, mail),
        days=lambda mail: period_words(words, found.wish.kind, Days(mail.since, mail.until)),
        **choices(words, [found.wish.kind], weekday_names(words), languages_of(request)),
        **_common(request, company),
    )


async def found_of(request: web.Request) -> tuple[Company, Subscription]:
    """The subscription that the address names; NotFound for one that is not the viewer's to look after."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = await mail_subscriptions.subscription(connection, id_in_path(request))
    if found is None or found.removed_at is not None or found.company_id != company.id:
        raise NotFound()
    if found.user_id != request[VIEWER].user_id and not manages(request, company):
        raise NotFound()
    return company, found


async def people_of(request: web.Request, connection: Any, company: Company) -> list[Member]:
    """To whom the viewer may have mails sent: himself, or everybody in the company."""
    people = await members.members_of(connection, company.id)
    own = request[VIEWER].user_id
    return [each for each in people if each.user_id == own or manages(request, company)]


def manages(request: web.Request, company: Company) -> bool:
    """Whether the viewer looks after the mails of others as well."""
    return company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER])


def languages_of(request: web.Request) -> Mapping[str, str]:
    """The languages that mails can be in, by tag, as their readers call them."""
    return {tag: each.name for tag, each in request.app[TEMPLATES].languages.items()}


def latest(wish: Wish, company: Company) -> Days | None:
    """The days that the last report told of, or would have."""
    now = datetime.now(UTC)
    return due(wish.rhythm, company.zone, now, _LONG_AGO, None) if wish.kind.is_report else None


def _shown(of: Subscription, mails: list[PostedMail], company: Company) -> Shown:
    allowed = may_have(of.wish.kind, of)
    comes = of.wish.kind.is_report and of.is_running and allowed
    return Shown(
        of,
        tuple(each for each in mails if each.subscription_id == of.id),
        next_at(of.wish.rhythm, company.zone, datetime.now(UTC)) if comes else None,
        allowed,
    )


def _common(request: web.Request, company: Company) -> dict[str, Any]:
    return {"has_mail": request.app[PARTS].settings.mail.is_set_up, "may_manage": manages(request, company)}
