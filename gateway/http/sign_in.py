"""Signing in: by password, by one-time link, with a second step; a forgotten password; signing out; the language."""

import math

from aiohttp import hdrs, web

from gateway.delivery.letters import Letter, post
from gateway.http import accounts, links, pace, passwords, second_step, sessions
from gateway.http.cookies import device_token, session_token
from gateway.http.entering import admit, enter, left
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.language import COOKIE, language_of
from gateway.http.pace import Counted
from gateway.http.protection import form_of, local_path
from gateway.http.rendering import TEMPLATES, render, words_for
from gateway.http.second_step import Shown
from gateway.http.words import Words

_YEAR = 365 * 24 * 3600


async def sign_in_page(request: web.Request) -> web.StreamResponse:
    """E-mail and password."""
    token = session_token(request)
    if token and await accounts.viewer_of(request.app[PARTS].database, token):
        raise web.HTTPSeeOther(local_path(request.query.get("next")))
    return _sign_in(request, local_path(request.query.get("next")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Check e-mail and password, at a pace that does not pay for guessing."""
    form = await form_of(request)
    database = request.app[PARTS].database
    email, password, next = form.get("email", ""), form.get("password", ""), local_path(form.get("next"))
    account, device = accounts.folded(email)[:200], device_token(request)
    known = bool(device) and await sessions.is_known_device(database, account, device or "")
    counted = pace.of_sign_in(request.remote or "", account, accounts.token_hash(device or "") if known else None)
    wait = await pace.seconds_to_wait(database, counted)
    if wait:
        return _sign_in(request, next, email, status=429, problem="too_many_attempts", wait=wait)
    user_id = await passwords.user_by_password(database, account, password)
    if user_id is None:
        return _sign_in(request, next, email, status=401, problem="wrong")
    await pace.was_right(database, counted)
    return await enter(request, user_id, next)


async def code_page(request: web.Request) -> web.StreamResponse:
    """The second step, for who has just shown his password."""
    token = session_token(request)
    user_id = await sessions.waiting_user(request.app[PARTS].database, token) if token else None
    if user_id is None:
        raise web.HTTPSeeOther("/sign-in")
    return await _ask_for_code(request, user_id, local_path(request.query.get("next")))


async def show_code(request: web.Request) -> web.StreamResponse:
    """Check the code of the app, or a recovery code."""
    form = await form_of(request)
    database, next = request.app[PARTS].database, local_path(form.get("next"))
    token = session_token(request)
    user_id = await sessions.waiting_user(database, token) if token else None
    if user_id is None:
        return left(request)
    counted = pace.of_code(user_id)
    wait = await pace.seconds_to_wait(database, counted)
    if wait:
        return await _ask_for_code(request, user_id, next, status=429, problem="too_many", wait=wait)
    async with database.everything() as connection:
        shown = await second_step.show(connection, request.app[PARTS].seal, user_id, form.get("code", ""))
    if shown is Shown.NOTHING:
        return await _ask_for_code(request, user_id, next, status=401, problem="wrong")
    await pace.was_right(database, counted)
    return await admit(request, user_id, next, shown)


async def _ask_for_code(
    request: web.Request, user_id: int, next: str, *, status: int = 200, problem: str | None = None, wait: int = 0
) -> web.Response:
    parts = request.app[PARTS]
    present = await second_step.second_step_of(parts.database, parts.seal, user_id)
    return render(
        request,
        "code.html",
        status=status,
        headers=_retry(wait) if wait else None,
        problem=problem,
        minutes=math.ceil(wait / 60),
        is_readable=present.is_readable,
        next=next,
    )


async def link_page(request: web.Request) -> web.StreamResponse:
    """What a one-time link opens: a button. Looking uses nothing up, so a preview of the link does no harm."""
    email = await links.link_email(request.app[PARTS].database, request.match_info["token"])
    return render(request, "link.html", status=200 if email else 410, email=email)


async def use_link(request: web.Request) -> web.StreamResponse:
    """Sign in by link, once."""
    user_id = await links.use_link(request.app[PARTS].database, request.match_info["token"])
    if user_id is None:
        return render(request, "link.html", status=410, email=None)
    return await enter(request, user_id, "/welcome")


async def forgotten_page(request: web.Request) -> web.StreamResponse:
    """Where to send a link for a new password."""
    mail = request.app[PARTS].settings.mail.is_set_up
    form = Form({"email": request.query.get("email", "")[:200]}, words_for(request))
    return render(request, "forgotten.html", form=form, state="ask" if mail else "no_mail")


async def forgotten(request: web.Request) -> web.StreamResponse:
    """Send a link, if there is such a user; the answer is the same where there is none, and takes as long."""
    parts, words = request.app[PARTS], words_for(request)
    if not parts.settings.mail.is_set_up:
        return await forgotten_page(request)
    form = Form(await form_of(request), words)
    email = accounts.folded(form.text("email"))
    if "@" not in email:
        form.refuse("email", words.say("This is not an e-mail address."))
    if form.problems:
        return render(request, "forgotten.html", status=422, form=form, state="ask")
    place = Counted(("mail from", pace.customer(request.remote or "")), pace.MAIL_FROM_ADDRESS)
    wait = await pace.seconds_to_wait(parts.database, [place])
    if wait:
        return render(request, "forgotten.html", status=429, headers=_retry(wait), form=form, state="too_many")
    # Beyond that nothing is sent and nothing is said: he has letters enough to choose from.
    account = Counted(("mail to", email), pace.MAIL_TO_ACCOUNT)
    if not await pace.seconds_to_wait(parts.database, [account]):
        language = language_of(request, request.app[TEMPLATES].languages)
        async with parts.database.everything() as connection:
            await post(connection, Letter.RESET, email=email, language=language.tag)
    return render(request, "forgotten.html", form=form, state="sent")


async def reset_page(request: web.Request) -> web.StreamResponse:
    """A new password, by the link from the mail."""
    return await _reset(request, Form(None, words_for(request)))


async def reset(request: web.Request) -> web.StreamResponse:
    """Set it; all sessions end, and this browser signs in with what is asked besides."""
    database, words = request.app[PARTS].database, words_for(request)
    token, form = request.match_info["token"], Form(await form_of(request), words)
    try:
        user_id = await links.reset_password(database, token, form.value("new"), request.remote or "")
    except passwords.PasswordRefused as error:
        form.refuse("new", why(error, words))
        return await _reset(request, form, status=422)
    if user_id is None:
        return await _reset(request, form)
    async with database.everything() as connection:
        if request.app[PARTS].settings.mail.is_set_up:
            await post(connection, Letter.PASSWORD_CHANGED, user=user_id, address=request.remote or "")
    return await enter(request, user_id, "/")


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End this session."""
    await sessions.end_session(request.app[PARTS].database, request[VIEWER].session)
    return left(request)


async def choose_language(request: web.Request) -> web.StreamResponse:
    """Remember the reader's language, and go back to the page he was on."""
    form = await form_of(request)
    answer = web.Response(status=303, headers={hdrs.LOCATION: local_path(form.get("next"))})
    tag = form.get("language", "")
    if tag in request.app[TEMPLATES].languages:
        remember_language(answer, tag)
    return answer


def remember_language(answer: web.Response, tag: str) -> None:
    """Have this browser ask for a language from now on."""
    answer.set_cookie(COOKIE, tag, max_age=_YEAR, httponly=True, samesite="Lax", path="/")


def why(error: passwords.PasswordRefused, words: Words) -> str:
    """What is wrong with a password, for the field where it was typed."""
    say = words.say
    return {
        passwords.PasswordTooShort: say("The password must have at least 12 characters."),
        passwords.PasswordTooLong: say("The password must have at most 1,000 characters."),
        passwords.PasswordIsAddress: say("The password must not be the e-mail address or a name."),
        passwords.PasswordTooCommon: say("This password is among the first that anybody would try."),
    }[type(error)]


def _sign_in(
    request: web.Request,
    next: str,
    email: str = "",
    *,
    status: int = 200,
    problem: str | None = None,
    wait: int = 0,
) -> web.Response:
    return render(
        request,
        "sign_in.html",
        status=status,
        headers=_retry(wait) if wait else None,
        problem=problem,
        minutes=math.ceil(wait / 60),
        email=email[:200],
        next=next,
        has_mail=request.app[PARTS].settings.mail.is_set_up,
    )


async def _reset(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    email = await links.link_email(request.app[PARTS].database, request.match_info["token"], links.Purpose.RESET)
    return render(request, "reset.html", status=status if email else 410, email=email, form=form)


def _retry(wait: int) -> dict[str, str]:
    return {hdrs.RETRY_AFTER: str(wait)}
