"""Undo, rather than "are you sure": a change leaves a step that takes it back, and the next page offers it.

Whoever changes something calls :func:`offer_undo` in the transaction of the change and hands the id to the notice.
What takes a kind of change back is a :class:`Reversal`; app.py lists them all.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from asyncpg import IntegrityConstraintViolationError

from gateway import audit
from gateway.audit import Action
from gateway.http.accounts import Viewer
from gateway.http.actor import actor_of
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of, local_path
from gateway.http.refusals import NotAllowed, NotFound
from gateway.http.rendering import words_for
from gateway.http.routing import companies_with
from gateway.http.scope import id_in_path
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "undo.sql")

LASTS = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Undoing:
    """A change that is being taken back."""

    connection: Connection  # a transaction that sees the company alone
    company_id: int
    viewer: Viewer
    values: dict[str, Any]  # as offer_undo was given them


@dataclass(frozen=True, slots=True)
class Reversal:
    """How a kind of change is taken back, and who may."""

    permission: Permission
    take_back: Callable[[Undoing], Awaitable[str]]  # answers the subject for the audit log, such as call/123


REVERSALS: web.AppKey[Mapping[str, Reversal]] = web.AppKey("REVERSALS")


async def offer_undo(connection: Connection, company_id: int, viewer: Viewer, kind: str, values: dict[str, Any]) -> int:
    """Remember how to take a change back; the id for the notice. ``values`` become JSON."""
    step: int = await _queries.insert_undo_step(
        connection,
        company_id=company_id,
        user_id=viewer.user_id,
        kind=kind,
        reverse=json.dumps(values),
        lasts=LASTS,
    )
    return step


class NoWayBack(Exception):
    """What was changed since leaves no way back; raised by what takes a change back."""


class UnknownKind(Exception):
    """The step is of another version of Numberpool, which knew how to take this kind of change back."""


async def undo(request: web.Request) -> web.StreamResponse:
    """Take one change back, once, by whoever made it.

    Where nothing of that is kept, or later changes leave no way back, nothing is changed, and the next page says so.
    """
    form = await form_of(request)
    to, say = local_path(form.get("next")), words_for(request).say
    try:
        is_undone = await _taken_back(request)
    except (NoWayBack, IntegrityConstraintViolationError):
        said = say("That cannot be undone any more: what it was about has been changed or removed since.")
        return changed(request, to, Notice(said, is_problem=True))
    except UnknownKind:
        said = say(
            "Another version of Numberpool made this change, and this one cannot take it back. Nothing was changed: "
            "set it by hand, here."
        )
        return changed(request, to, Notice(said, is_problem=True))
    if not is_undone:
        return changed(request, to, Notice(say("That can no longer be undone."), is_problem=True))
    return changed(request, to, Notice(say("Undone.")))


async def _taken_back(request: web.Request) -> bool:
    """Take the change back that the address names; false where nothing of that is kept."""
    viewer, id = request[VIEWER], id_in_path(request)
    companies = companies_with(Permission.SIGNED_IN, viewer)
    async with request.app[PARTS].database.companies(*companies) as connection:
        step = await _queries.use_undo_step(connection, id=id, user_id=viewer.user_id, lasts=LASTS)
        if step is None:
            return False
        reversal = request.app[REVERSALS].get(step["kind"])
        if reversal is None:
            raise UnknownKind
        if step["company_id"] not in companies_with(reversal.permission, viewer):
            raise NotAllowed(permission=reversal.permission.value)
        undoing = Undoing(connection, step["company_id"], viewer, json.loads(step["reverse"]))
        try:
            subject = await reversal.take_back(undoing)
        except NotFound:
            raise NoWayBack from None
        kind = step["kind"]
        await audit.note(connection, actor_of(request), step["company_id"], Action.CHANGE_UNDONE, subject, kind=kind)
    return True
