"""One's own account: name, password, second step, where one is signed in."""

import math
from typing import Any

from aiohttp import web

from gateway.audit import Action
from gateway.delivery.letters import Letter, post
from gateway.http import accounts, links, pace, passwords, second_step, sessions
from gateway.http.accounts import note_everywhere
from gateway.http.actor import actor_of
from gateway.http.browsers import browser_of
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.protection import form_of
from gateway.http.refusals import BadRequest, NotFound
from gateway.http.rendering import TEMPLATES, render, words_for
from gateway.http.second_step import Shown
from gateway.http.shell import named_company
from gateway.http.sign_in import remember_language, why
from gateway.http.words import Words
from gateway.store.queries import load_queries

_queries = load_queries(accounts.FOLDER, "accounts.sql")

ACCOUNT = "/account"
SECOND_STEP = "/account/second-step"


async def welcome(request: web.Request) -> web.StreamResponse:
    """After the first link: the offer to set a password; later straight to the calls."""
    if request[VIEWER].has_password:
        raise web.HTTPSeeOther("/")
    return render(request, "welcome.html", form=Form(None, words_for(request)), asks_present=False)


async def account_page(request: web.Request) -> web.StreamResponse:
    """Who is signed in, and what he can change about it."""
    return await _account(request)


async def change_name(request: web.Request) -> web.StreamResponse:
    """How the pages and letters call the viewer."""
    viewer, words = request[VIEWER], words_for(request)
    form = Form(await form_of(request), words)
    name = form.text("name", longest=80, required=False)
    if form.problems:
        return await _account(request, form, status=422)
    async with request.app[PARTS].database.everything() as connection:
        await _queries.set_name(connection, user_id=viewer.user_id, name=name)
    return changed(request, ACCOUNT, Notice(words.say("Your name is changed.")))


async def change_language(request: web.Request) -> web.StreamResponse:
    """In which language pages and letters speak to the viewer."""
    tag = (await form_of(request)).get("language", "")
    languages = request.app[TEMPLATES].languages
    if tag not in languages:
        raise BadRequest(part="language")
    async with request.app[PARTS].database.everything() as connection:
        await _queries.set_language(connection, user_id=request[VIEWER].user_id, language=tag)
    said = languages[tag].translations.gettext("Pages and letters speak English now.")
    answer = changed(request, ACCOUNT, Notice(said))
    remember_language(answer, tag)
    return answer


async def change_password(request: web.Request) -> web.StreamResponse:
    """Set a password; all other sessions end."""
    parts, viewer, words = request.app[PARTS], request[VIEWER], words_for(request)
    form = Form(await form_of(request), words)
    welcomed = form.value("from") == "welcome"
    # A session that somebody left open is no way to guess the password behind it.
    counted = pace.of_sign_in(request.remote or "", viewer.email, viewer.session)
    wait = await pace.seconds_to_wait(parts.database, counted)
    status = 422
    if wait:
        status = 429
        form.refuse("present", _wait(words, wait))
    else:
        try:
            await links.set_password(
                parts.database, viewer, form.value("new"), form.value("present"), actor_of(request)
            )
            await pace.was_right(parts.database, counted)
        except links.WrongPassword:
            form.refuse("present", words.say("This is not your present password."))
        except passwords.PasswordRefused as error:
            form.refuse("new", why(error, words))
    if form.problems:
        if welcomed:
            asks = await links.needs_present_password(parts.database, viewer)
            return render(request, "welcome.html", status=status, form=form, asks_present=asks)
        return await _account(request, form, status=status)
    await _tell(request, Letter.PASSWORD_CHANGED)
    if welcomed:
        return changed(request, "/", Notice(words.say("The password is set.")))
    return changed(request, ACCOUNT, Notice(words.say("The password is set, and your other sessions have ended.")))


async def end_session(request: web.Request) -> web.StreamResponse:
    """Sign out in one other place."""
    id = int(request.match_info["id"])
    if id >= 2**63 or not await sessions.end_one_session(request.app[PARTS].database, request[VIEWER], id):
        raise NotFound()
    return changed(request, ACCOUNT, Notice(words_for(request).say("That browser is signed out.")))


async def end_other_sessions(request: web.Request) -> web.StreamResponse:
    """Sign out everywhere but here."""
    ended, words = await sessions.end_other_sessions(request.app[PARTS].database, request[VIEWER]), words_for(request)
    said = words.ngettext("%(num)s other browser is signed out.", "%(num)s other browsers are signed out.", ended)
    return changed(request, ACCOUNT, Notice(said))


# --------------------------------------------------------------------------------------------------------- second step


async def second_step_page(request: web.Request) -> web.StreamResponse:
    """To turn the second step on: a picture for the app, and a field for its code. Else how it stands."""
    return await _second_step(request, Form(None, words_for(request)))


async def turn_on(request: web.Request) -> web.StreamResponse:
    """The app shows a code: from now on it is asked for. The recovery codes are shown, this once."""
    viewer, words = request[VIEWER], words_for(request)
    form = Form(await form_of(request), words)
    if await _too_fast(request, form):
        return await _second_step(request, form, status=429)
    async with request.app[PARTS].database.everything() as connection:
        codes = await second_step.turn_on(connection, request.app[PARTS].seal, viewer.user_id, form.value("code"))
        if codes:
            await note_everywhere(connection, actor_of(request), viewer.user_id, Action.SECOND_STEP_ON)
    if not codes:
        form.refuse("code", words.say("This is not the code that the app shows now. Check the telephone's clock."))
        return await _second_step(request, form, status=422)
    await pace.was_right(request.app[PARTS].database, pace.of_code(viewer.user_id))
    await _tell(request, Letter.SECOND_STEP_CHANGED, on=True)
    return render(request, "recovery_codes.html", codes=codes)


async def turn_off(request: web.Request) -> web.StreamResponse:
    """With a last code: from now on the password is enough."""
    viewer, words = request[VIEWER], words_for(request)
    form = Form(await form_of(request), words)
    if not await _shows_code(request, form):
        return await _second_step(request, form, status=422)
    async with request.app[PARTS].database.everything() as connection:
        if await second_step.turn_off(connection, viewer.user_id):
            await note_everywhere(connection, actor_of(request), viewer.user_id, Action.SECOND_STEP_OFF)
    await _tell(request, Letter.SECOND_STEP_CHANGED, on=False)
    return changed(request, ACCOUNT, Notice(words.say("The second step is off. Your password alone signs you in.")))


async def renew_codes(request: web.Request) -> web.StreamResponse:
    """New recovery codes, with a code; the old ones are good for nothing any more."""
    viewer = request[VIEWER]
    form = Form(await form_of(request), words_for(request))
    if not await _shows_code(request, form):
        return await _second_step(request, form, status=422)
    async with request.app[PARTS].database.everything() as connection:
        codes = await second_step.renew_recovery_codes(connection, viewer.user_id)
        await note_everywhere(connection, actor_of(request), viewer.user_id, Action.CODES_RENEWED)
    return render(request, "recovery_codes.html", codes=codes)


async def _shows_code(request: web.Request, form: Form) -> bool:
    if await _too_fast(request, form):
        return False
    viewer, parts = request[VIEWER], request.app[PARTS]
    async with parts.database.everything() as connection:
        shown = await second_step.show(connection, parts.seal, viewer.user_id, form.value("code"))
    if shown is Shown.NOTHING:
        form.refuse("code", words_for(request).say("This code is not right, or was used already."))
        return False
    await pace.was_right(parts.database, pace.of_code(viewer.user_id))
    return True


async def _too_fast(request: web.Request, form: Form) -> bool:
    wait = await pace.seconds_to_wait(request.app[PARTS].database, pace.of_code(request[VIEWER].user_id))
    if wait:
        form.refuse("code", _wait(words_for(request), wait))
    return bool(wait)


def _wait(words: Words, seconds: int) -> str:
    return words.ngettext(
        "Too many attempts. Wait %(num)s minute.",
        "Too many attempts. Wait %(num)s minutes.",
        math.ceil(seconds / 60),
    )


async def _second_step(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    viewer, parts = request[VIEWER], request.app[PARTS]
    present = await second_step.second_step_of(parts.database, parts.seal, viewer.user_id)
    proposal = None
    if present.since is None:
        proposal = await second_step.propose(parts.database, parts.seal, viewer.user_id, viewer.email)
    return render(
        request,
        "second_step.html",
        company=named_company(request, viewer),
        status=status,
        form=form,
        present=present,
        proposal=proposal,
    )


async def _account(request: web.Request, form: Form | None = None, *, status: int = 200) -> web.Response:
    viewer, database = request[VIEWER], request.app[PARTS].database
    company = named_company(request, viewer)
    words = words_for(request, company)
    where = await sessions.sessions_of(database, viewer)
    return render(
        request,
        "account.html",
        company=company,
        status=status,
        form=form or Form({"name": viewer.name}, words),
        asks_present=await links.needs_present_password(database, viewer),
        second_step=await second_step.second_step_of(database, request.app[PARTS].seal, viewer.user_id),
        sessions=[(session, browser_of(session.user_agent, words)) for session in where],
    )


async def _tell(request: web.Request, letter: Letter, **about: Any) -> None:
    """A letter to the viewer about what was changed: if it was not him, he should know."""
    parts = request.app[PARTS]
    if parts.settings.mail.is_set_up:
        async with parts.database.everything() as connection:
            await post(connection, letter, user=request[VIEWER].user_id, address=request.remote or "", **about)
