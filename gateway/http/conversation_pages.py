"""Conversations by text: the list, one of them, and the answer that is written there."""

from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import web

from gateway.audit import Action, note
from gateway.http import conversation_store
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_filter import Place
from gateway.http.conversation_store import Talk, TalksView
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of, id_in_path
from gateway.http.words import Words
from gateway.store.database import Connection
from gateway.texts import accounts, sending
from gateway.texts.carriers import CARRIERS
from gateway.texts.carriers.shape import Account
from gateway.texts.text import GSM, GSM_DOUBLE, LONGEST_TO_SEND, State, is_telephone, plain

PATH = "/conversations"


async def all_talks(request: web.Request) -> web.StreamResponse:
    """The conversations of a company, the last one first."""
    company = company_of(request)
    view = TalksView.parse(request.query, company.id if len(request[ALLOWED]) > 1 else None)
    if "" in request.query.values():
        raise web.HTTPSeeOther(view.url())  # a form sends also what was not filled in
    async with request.app[PARTS].database.companies(company.id) as connection:
        talks, older = await conversation_store.page_of_talks(connection, company.id, view)
        has_any = bool(talks) or await conversation_store.has_any(connection, company.id)
        has_account = bool(await accounts.standings(connection, company.id))
    return render(
        request,
        "conversations.html",
        company=company,
        view=view,
        talks=talks,
        older=older,
        has_any=has_any,
        has_account=has_account,
        may_set_up=company.id in companies_with(Permission.SETTINGS_READ, request[VIEWER]),
    )


async def one_talk(request: web.Request) -> web.StreamResponse:
    """One conversation, with the box to answer."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        talk, company = await _talk_of(connection, request)
        return await _show(request, connection, company, talk, Form(None, words_for(request, company)))


async def of_lead(request: web.Request) -> web.StreamResponse:
    """To the conversation in which a lead began."""
    try:
        lead_id = UUID(request.match_info["lead"])
    except ValueError:
        raise NotFound() from None
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        found = await conversation_store.talk_of_lead(connection, lead_id)
    if found is None:
        raise NotFound()
    talk, text = found
    raise web.HTTPSeeOther(f"{PATH}/{talk}#text-{text}")


async def answer(request: web.Request) -> web.StreamResponse:
    """Send what was written."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        talk, company = await _talk_of(connection, request)
        words = words_for(request, company)
        form = Form(await form_of(request), words)
        account = await _account_of(connection, talk)
        body = plain(form.value("text")).strip()
        if not body:
            form.refuse("text", words.say("Write something here."))
        elif len(body) > LONGEST_TO_SEND:
            form.refuse(
                "text",
                words.say("At most %(count)s characters, please.") % {"count": words.number(LONGEST_TO_SEND)},
            )
        if (why := why_not(talk, account, words)) is not None:
            form.refuse("text", why)
        if form.problems or account is None:
            return await _show(request, connection, company, talk, form)
        id = await sending.send(
            connection,
            company.id,
            talk.id,
            body,
            account_id=account.id,
            sent_by=request[VIEWER].user_id,
            now=datetime.now(UTC),
        )
        await note(connection, actor_of(request), company.id, Action.TEXT_SENT, f"text/{id}", name=talk.other)
    return changed(request, _to(request, talk), Notice(words.say("On its way.")))


async def send_again(request: web.Request) -> web.StreamResponse:
    """Send one again that failed, or of which nobody knows."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        talk, company = await _talk_of(connection, request)
        words, posted = words_for(request, company), (await form_of(request)).get("id", "")
        id = int(posted) if posted.isascii() and posted.isdigit() and len(posted) < 19 else 0
        why = why_not(talk, await _account_of(connection, talk), words)
        if why is not None:
            return changed(request, _to(request, talk), Notice(why, is_problem=True))
        if not await sending.send_again(connection, company.id, talk.id, id):
            raise NotFound()
        await note(connection, actor_of(request), company.id, Action.TEXT_SENT, f"text/{id}", name=talk.other)
    return changed(request, _to(request, talk), Notice(words.say("On its way.")))


def why_not(talk: Talk, account: Account | None, words: Words) -> str | None:
    """Why nothing can be sent in a conversation; none where it can."""
    if talk.opted_out_by is not None:
        return words.say("They wrote “%(word)s”: no more texts go to this number.") % {"word": talk.opted_out_by}
    if not is_telephone(talk.other):
        return words.say("This sender is no telephone number and takes no answer.")
    if account is None:
        return words.say("No account with a carrier can send an answer. See Settings → Texts.")
    if not CARRIERS[account.kind].can_send(account):
        return words.say("The account by which this came only brings texts. See Settings → Texts.")
    return None


async def _show(
    request: web.Request, connection: Connection, company: Company, talk: Talk, form: Form
) -> web.StreamResponse:
    words = words_for(request, company)
    before = request.query.get("before")
    days, older = await conversation_store.texts_of(connection, talk, Place.parse(before) if before else None, words)
    may_answer = company.id in companies_with(Permission.TEXTS_WRITE, request[VIEWER])
    if may_answer:
        await conversation_store.was_read(connection, talk)
    return render(
        request,
        "conversation.html",
        company=company,
        status=422 if form.problems else 200,
        talk=talk,
        days=days,
        older=str(older) if older else None,
        is_newest=before is None,
        form=form,
        may_answer=may_answer,
        why_not=why_not(talk, await _account_of(connection, talk), words),
        state_words=lambda text: state_words(words, text.state),
        longest=LONGEST_TO_SEND,
        gsm=GSM,
        gsm_double=GSM_DOUBLE,
        may_see_people=company.id in companies_with(Permission.PEOPLE_READ, request[VIEWER]),
    )


def state_words(words: Words, state: State) -> str:
    """What became of a text, in a few words."""
    return {
        State.RECEIVED: "",
        State.WAITING: words.say("waiting to be sent"),
        State.SENDING: words.say("being sent"),
        State.UNSURE: words.say("perhaps sent"),
        State.SENT: words.say("sent"),
        State.DELIVERED: words.say("delivered"),
        State.FAILED: words.say("not sent"),
    }[state]


async def _account_of(connection: Connection, talk: Talk) -> Account | None:
    """By which answers go: the account that brought the last text; else the only one there is that sends."""
    account = None
    if talk.account_id is not None:
        account = await accounts.account_by_id(connection, talk.company_id, talk.account_id)
    if account is not None:
        return account
    every = [each.account for each in await accounts.standings(connection, talk.company_id)]
    able = [each for each in every if CARRIERS[each.kind].can_send(each)]
    return able[0] if len(able) == 1 else None


async def _talk_of(connection: Connection, request: web.Request) -> tuple[Talk, Company]:
    talk = await conversation_store.talk_by_id(connection, id_in_path(request))
    company = request[VIEWER].company(talk.company_id) if talk else None
    if talk is None or company is None:
        raise NotFound()
    return talk, company


def _to(request: web.Request, talk: Talk) -> str:
    query = f"?{urlencode({'company': talk.company_id})}" if len(request[ALLOWED]) > 1 else ""
    return f"{PATH}/{talk.id}{query}"
