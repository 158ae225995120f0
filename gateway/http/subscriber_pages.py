"""What the links in mails open: unsubscribing, and saying yes. Whoever holds the link needs no account.

Looking changes nothing, because programs that check mails open every link. Unsubscribing is one click: a mail program
may post to that address by itself (RFC 8058), which ends the mails without a question.
"""

from aiohttp import web

from gateway.audit import Action, Actor, note
from gateway.http.keys import PARTS
from gateway.http.language import COOKIE, SOURCE
from gateway.http.protection import form_of
from gateway.http.rendering import TEMPLATES, render
from gateway.http.report_letters import mail_words
from gateway.http.words import Words
from gateway.reports import mail_figures, mail_subscriptions
from gateway.reports.mail_figures import Firm
from gateway.reports.mail_subscriptions import Pause, Purpose, Subscription
from gateway.store.database import Connection


async def leave_page(request: web.Request) -> web.StreamResponse:
    """One button that ends these mails."""
    async with request.app[PARTS].database.everything() as connection:
        found = await _by_token(request, connection, Purpose.LEAVE)
    return _show(request, found, "leave")


async def leave(request: web.Request) -> web.StreamResponse:
    """End them, or take that back, which only the page asks for."""
    again = (await form_of(request)).get("again") == "yes"
    async with request.app[PARTS].database.everything() as connection:
        found = await _by_token(request, connection, Purpose.LEAVE)
        if found is not None:
            of, _ = found
            is_paused = of.paused_why is Pause.UNSUBSCRIBED
            if again and is_paused:
                await mail_subscriptions.resume(connection, of, is_reader=True)
            elif not again and not is_paused:
                if of.paused_at is not None:  # for another reason, which no longer matters
                    await mail_subscriptions.resume(connection, of, is_reader=True)
                await mail_subscriptions.pause(connection, of, Pause.UNSUBSCRIBED)
            if again == is_paused:
                await _note(request, connection, of, {"unsubscribed": ["yes", ""] if again else ["", "yes"]})
            found = await _by_token(request, connection, Purpose.LEAVE)
    return _show(request, found, "leave")


async def confirm_page(request: web.Request) -> web.StreamResponse:
    """One button that says yes."""
    async with request.app[PARTS].database.everything() as connection:
        found = await _by_token(request, connection, Purpose.CONFIRM)
    return _show(request, found, "confirm")


async def confirm(request: web.Request) -> web.StreamResponse:
    """Yes: send it."""
    await form_of(request)
    async with request.app[PARTS].database.everything() as connection:
        found = await _by_token(request, connection, Purpose.CONFIRM)
        if found is not None and found[0].confirmed_at is None:
            await mail_subscriptions.confirm(connection, found[0])
            await _note(request, connection, found[0], {"confirmed": ["", "yes"]})
            found = await _by_token(request, connection, Purpose.CONFIRM)
    return _show(request, found, "confirm")


async def _by_token(request: web.Request, connection: Connection, purpose: Purpose) -> tuple[Subscription, Firm] | None:
    found = await mail_subscriptions.by_token(connection, request.match_info["token"], purpose)
    firm = None if found is None else await mail_figures.firm_of(connection, found.company_id)
    return None if found is None or firm is None else (found, firm)


async def _note(request: web.Request, connection: Connection, of: Subscription, changes: dict[str, list[str]]) -> None:
    reader = Actor(of.user_id, of.called, address=request.remote or "")
    name = f"{of.called}: {of.wish.kind.value}"
    subject = f"mail/{of.id}"
    await note(connection, reader, of.company_id, Action.SETTING_CHANGED, subject, name=name, changes=changes)


def _show(request: web.Request, found: tuple[Subscription, Firm] | None, purpose: str) -> web.StreamResponse:
    """In the language of the mails, unless the reader chose another here."""
    languages = request.app[TEMPLATES].languages
    if found is None:
        return render(request, "subscriber.html", status=410, found=None, purpose=purpose)
    of, firm = found
    chosen = request.cookies.get(COOKIE, of.wish.language)
    words = Words(languages.get(chosen, languages[SOURCE]), firm.region, firm.zone)
    return render(
        request,
        "subscriber.html",
        words=words,
        found=of,
        purpose=purpose,
        firm=firm,
        what=mail_words(words, of.wish.kind),
        path=request.path,
    )
