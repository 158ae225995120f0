"""From having shown who one is to an open session: the second step, the known browser, the line in the audit log."""

from urllib.parse import urlencode

from aiohttp import hdrs, web

from gateway.audit import Action, Actor
from gateway.delivery.letters import Letter, post
from gateway.http import accounts, second_step, sessions
from gateway.http.accounts import new_token, note_everywhere
from gateway.http.cookies import clear_session, device_token, session_token, set_device, set_session
from gateway.http.keys import PARTS
from gateway.http.language import language_of
from gateway.http.rendering import TEMPLATES
from gateway.http.second_step import Shown
from gateway.store.queries import load_queries

_queries = load_queries(accounts.FOLDER, "accounts.sql")

_LONGEST_DEVICE = 100


async def enter(request: web.Request, user_id: int, next: str) -> web.StreamResponse:
    """To the page ``next`` with a session, or to the second step first where this user has one."""
    parts = request.app[PARTS]
    database = parts.database
    asks = (await second_step.second_step_of(database, parts.seal, user_id)).since is not None
    if not asks:
        return await admit(request, user_id, next)
    async with database.everything() as connection:
        await _forget_session(request, connection)
        token = await sessions.start_session(
            connection, user_id, request.headers.get(hdrs.USER_AGENT, ""), request.remote or "", awaits_code=True
        )
    answer = web.Response(status=303, headers={hdrs.LOCATION: f"/sign-in/code?{urlencode({'next': next})}"})
    set_session(request, answer, token, int(sessions.CODE_WAIT.total_seconds()))
    return answer


async def admit(request: web.Request, user_id: int, next: str, shown: Shown = Shown.NOTHING) -> web.StreamResponse:
    """Open a session for somebody who has shown everything that is asked of him."""
    parts = request.app[PARTS]
    user_agent, address = request.headers.get(hdrs.USER_AGENT, ""), request.remote or ""
    device = (device_token(request) or "")[:_LONGEST_DEVICE] or new_token()
    async with parts.database.everything() as connection:
        await _forget_session(request, connection)
        token = await sessions.start_session(connection, user_id, user_agent, address)
        is_new = await sessions.know_device(connection, user_id, device)
        user = await _queries.user_by_id(connection, user_id=user_id)
        language = language_of(request, request.app[TEMPLATES].languages)
        await _queries.set_language(connection, user_id=user_id, language=language.tag)
        actor = Actor(user_id, user["name"] or user["email"], address=address)
        await note_everywhere(connection, actor, user_id, Action.SIGNED_IN)
        if shown is Shown.RECOVERY_CODE:
            await note_everywhere(connection, actor, user_id, Action.RECOVERY_CODE_USED)
        if is_new and parts.settings.mail.is_set_up:
            await post(connection, Letter.NEW_DEVICE, user=user_id, user_agent=user_agent[:300], address=address)
    answer = web.Response(status=303, headers={hdrs.LOCATION: next})
    set_session(request, answer, token, int(accounts.SESSION_LONGEST.total_seconds()))
    set_device(request, answer, device, int(sessions.DEVICE_KEPT.total_seconds()))
    return answer


def left(request: web.Request, to: str = "/sign-in") -> web.Response:
    """The answer that takes the session's cookie away."""
    answer = web.Response(status=303, headers={hdrs.LOCATION: to})
    clear_session(request, answer)
    return answer


async def _forget_session(request: web.Request, connection: object) -> None:
    """A session that this browser still had is not left behind, open."""
    old = session_token(request)
    if old:
        await _queries.end_session(connection, token_hash=accounts.token_hash(old))
