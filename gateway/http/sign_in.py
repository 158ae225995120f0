"""Signing in, by one-time link or by password; signing out; the account's own page; the choice of language."""

import math

from aiohttp import hdrs, web

from gateway.http import accounts
from gateway.http.cookies import clear_session, session_token, set_session
from gateway.http.keys import PARTS, VIEWER
from gateway.http.language import COOKIE
from gateway.http.protection import form_of, local_path
from gateway.http.rendering import TEMPLATES, render
from gateway.http.throttle import THROTTLE

_YEAR = 365 * 24 * 3600


async def sign_in_page(request: web.Request) -> web.StreamResponse:
    """E-mail and password."""
    token = session_token(request)
    if token and await accounts.viewer_of(request.app[PARTS].database, token):
        raise web.HTTPSeeOther(local_path(request.query.get("next")))
    return render(request, "sign_in.html", problem=None, email="", next=local_path(request.query.get("next")))


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Check e-mail and password, at a pace that does not pay for guessing."""
    form = await form_of(request)
    email, password, next = form.get("email", ""), form.get("password", ""), local_path(form.get("next"))
    account, address = accounts.folded(email)[:200], request.remote or ""
    throttle = request.app[THROTTLE]
    wait = throttle.seconds_to_wait(address, account)
    if wait:
        minutes = math.ceil(wait / 60)
        return render(
            request,
            "sign_in.html",
            status=429,
            headers={hdrs.RETRY_AFTER: str(wait)},
            problem="too_many_attempts",
            minutes=minutes,
            email=email,
            next=next,
        )
    throttle.attempt(address, account)
    user_id = await accounts.user_by_password(request.app[PARTS].database, email, password)
    if user_id is None:
        return render(request, "sign_in.html", status=401, problem="wrong", email=email, next=next)
    throttle.succeeded(address, account)
    return await _signed_in(request, user_id, next)


async def link_page(request: web.Request) -> web.StreamResponse:
    """What a one-time link opens: a button. Looking uses nothing up, so a preview of the link does no harm."""
    email = await accounts.link_email(request.app[PARTS].database, request.match_info["token"])
    return render(request, "link.html", status=200 if email else 410, email=email)


async def use_link(request: web.Request) -> web.StreamResponse:
    """Sign in by link, once."""
    database = request.app[PARTS].database
    user_id = await accounts.use_link(database, request.match_info["token"])
    if user_id is None:
        return render(request, "link.html", status=410, email=None)
    return await _signed_in(request, user_id, "/welcome")


async def welcome(request: web.Request) -> web.StreamResponse:
    """After the first link: the offer to set a password; later straight to the calls."""
    if request[VIEWER].has_password:
        raise web.HTTPSeeOther("/")
    return await _account(request, "welcome.html")


async def account_page(request: web.Request) -> web.StreamResponse:
    """Who is signed in, and the password."""
    return await _account(request, "account.html", done=request.query.get("done") == "password")


async def change_password(request: web.Request) -> web.StreamResponse:
    """Set a password; all other sessions end."""
    viewer, form = request[VIEWER], await form_of(request)
    parts, throttle = request.app[PARTS], request.app[THROTTLE]
    address, account = request.remote or "", viewer.email
    came_from_welcome = form.get("from") == "welcome"
    template = "welcome.html" if came_from_welcome else "account.html"
    if throttle.seconds_to_wait(address, account):
        return await _account(request, template, status=429, problem="TooManyAttempts")
    try:
        await accounts.set_password(parts.database, viewer, form.get("new", ""), form.get("present", ""))
    except accounts.WrongPassword as error:
        throttle.attempt(address, account)
        return await _account(request, template, status=422, problem=type(error).__name__)
    except accounts.AccountError as error:
        return await _account(request, template, status=422, problem=type(error).__name__)
    raise web.HTTPSeeOther("/" if came_from_welcome else "/account?done=password")


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End this session."""
    await accounts.end_session(request.app[PARTS].database, request[VIEWER].session)
    answer = web.Response(status=303, headers={hdrs.LOCATION: "/sign-in"})
    clear_session(request, answer)
    return answer


async def choose_language(request: web.Request) -> web.StreamResponse:
    """Remember the reader's language, and go back to the page he was on."""
    form = await form_of(request)
    answer = web.Response(status=303, headers={hdrs.LOCATION: local_path(form.get("next"))})
    tag = form.get("language", "")
    if tag in request.app[TEMPLATES].languages:
        answer.set_cookie(COOKIE, tag, max_age=_YEAR, httponly=True, samesite="Lax", path="/")
    return answer


async def _account(
    request: web.Request, template: str, *, status: int = 200, problem: str | None = None, done: bool = False
) -> web.StreamResponse:
    viewer = request[VIEWER]
    asks_present = await accounts.needs_present_password(request.app[PARTS].database, viewer)
    return render(
        request,
        template,
        status=status,
        company=viewer.memberships[0].company if viewer.memberships else None,
        problem=problem,
        done=done,
        asks_present=asks_present,
        shortest=accounts.SHORTEST_PASSWORD,
    )


async def _signed_in(request: web.Request, user_id: int, next: str) -> web.StreamResponse:
    parts = request.app[PARTS]
    # A session that this browser still had is not left behind, open.
    old = session_token(request)
    if old:
        await accounts.end_session(parts.database, accounts.token_hash(old))
    token = await accounts.start_session(parts.database, user_id, request.headers.get(hdrs.USER_AGENT, ""))
    answer = web.Response(status=303, headers={hdrs.LOCATION: next})
    set_session(request, answer, token, int(accounts.SESSION_LONGEST.total_seconds()))
    return answer
