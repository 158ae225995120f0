"""The audit log: who heard, exported, changed or removed what, when, and from where.

Lines are only added, in the transaction of what they tell, so that neither is there without the other; the database
refuses to change or remove one (migration 0009). ``gateway.http.audit_words`` says them in sentences.
"""

import getpass
import json
import os
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "audit.sql")

_LONGEST_NAME = 200


class Action(StrEnum):
    """What was done. Each has its sentence in ``gateway.http.audit_words``, with what ``details`` it wants."""

    RECORDING_HEARD = "recording.heard"
    RECORDING_DOWNLOADED = "recording.downloaded"
    RECORDING_DELETED = "recording.deleted"
    CALLS_EXPORTED = "calls.exported"  # calls: how many; format
    CALL_PLACED = "call.placed"  # to call back; telephone: which rang first
    CALL_MARKED = "call.marked"  # what: tags, note, status, job; value: as it is now
    TEXT_SENT = "text.sent"  # name: to which number
    PERSON_CHANGED = "person.changed"  # what: joined, split, corrected
    PERSON_ERASED = "person.erased"
    AUDIT_EXPORTED = "audit.exported"
    REPORT_EXPORTED = "report.exported"  # name: what the report says of itself; rows: how many; format

    SIGNED_IN = "account.signed_in"
    PASSWORD_SET = "account.password_set"
    PASSWORD_RESET = "account.password_reset"
    SECOND_STEP_ON = "account.second_step_on"
    SECOND_STEP_OFF = "account.second_step_off"
    CODES_RENEWED = "account.codes_renewed"
    RECOVERY_CODE_USED = "account.recovery_code_used"

    USER_INVITED = "user.invited"
    INVITATION_RENEWED = "invitation.renewed"
    INVITATION_WITHDRAWN = "invitation.withdrawn"
    INVITATION_ACCEPTED = "invitation.accepted"
    USER_ADDED = "user.added"
    ROLE_CHANGED = "user.role_changed"
    TELEPHONES_CHANGED = "user.telephones_changed"
    USER_REMOVED = "user.removed"

    # Of whatever the settings hold. name: what people call it; changes: {field: [before, after]}.
    SETTING_ADDED = "setting.added"
    SETTING_CHANGED = "setting.changed"
    SETTING_REMOVED = "setting.removed"

    LIMIT_REACHED = "limit.reached"  # calls: how many were turned away within the hour; the newest is the subject
    CHANGE_UNDONE = "change.undone"
    COMMAND_RUN = "command.run"


class Via(StrEnum):
    """By which way it was done."""

    PAGE = "page"
    API = "api"
    COMMAND = "command"
    SYSTEM = "system"  # by Numberpool itself, such as at the end of a retention


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. The name is kept as it is now: it outlives the person's leaving."""

    user_id: int | None
    name: str
    via: Via = Via.PAGE
    address: str = ""


SYSTEM = Actor(None, "", Via.SYSTEM)


def by_command() -> Actor:
    """Whoever runs a command on this machine: nobody the pages know, but the system does."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        name = str(os.getuid())
    return Actor(None, name[:_LONGEST_NAME], Via.COMMAND)


async def note(connection: Any, actor: Actor, company_id: int, action: Action, subject: str, /, **details: Any) -> None:
    """Write a line, in the caller's transaction. ``subject`` is a kind and an id, such as ``call/123``.

    ``details`` become JSON: what the sentence needs to stay readable once the subject is gone, and nothing secret.
    """
    await _queries.note(connection, **_line(actor, company_id, action, subject, details))


async def note_once(
    connection: Any, actor: Actor, company_id: int, action: Action, subject: str, within: timedelta, /, **details: Any
) -> None:
    """The same, unless this person's same doing already has a line that is younger than ``within``."""
    await _queries.take_turn(connection, subject=subject, action=action.value, user_id=actor.user_id)
    await _queries.note_once(connection, within=within, **_line(actor, company_id, action, subject, details))


async def note_command(connection: Any, command: str, given: dict[str, Any]) -> None:
    """Write that a command changed something, if this transaction did; for the company it names, else for all.

    ``given`` is what was typed, by name; what was left out is none.
    """
    if not await _queries.has_written(connection):
        return
    typed = {name: _plain(value) for name, value in given.items() if value not in (None, (), "", False)}
    named = given.get("company") or (given.get("name") if command.split()[-2:] == ["company", "add"] else None)
    found = [row["id"] async for row in _queries.companies_by_name(connection, name=named)]
    for company_id in found:
        await note(
            connection, by_command(), company_id, Action.COMMAND_RUN, f"command/{command}", command=command, typed=typed
        )


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))[:500]
    return str(getattr(value, "name", value))[:500]  # an open file is told by its name


def _line(actor: Actor, company_id: int, action: Action, subject: str, details: dict[str, Any]) -> dict[str, Any]:
    return {
        "company_id": company_id,
        "user_id": actor.user_id,
        "actor": actor.name[:_LONGEST_NAME],
        "via": actor.via.value,
        "address": actor.address,
        "action": action.value,
        "subject": subject,
        "details": json.dumps(details, sort_keys=True),
    }
