"""Says a line of the audit log as a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.audit import Action, Via
from gateway.http.words import Words


def N_(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is said."""
    return text


@dataclass(frozen=True, slots=True)
class Line:
    """A line as the database has it; ``who`` is the name at the time, ``call`` what its subject still tells."""

    id: int
    at: datetime
    user_id: int | None
    who: str
    via: str
    address: str
    action: str
    subject: str
    details: Mapping[str, Any]
    caller: str | None
    called_at: datetime | None  # none: the subject is no call, or the call is gone


# Of each action. %(who)s did it; %(call)s, %(name)s and the rest come from subject and details.
SENTENCES: dict[Action, str] = {
    Action.RECORDING_HEARD: N_("%(who)s heard the recording of %(call)s"),
    Action.RECORDING_DOWNLOADED: N_("%(who)s downloaded the recording of %(call)s"),
    Action.RECORDING_DELETED: N_("%(who)s deleted the recording of %(call)s"),
    Action.CALLS_EXPORTED: N_("%(who)s exported a list of calls (%(count)s)"),
    Action.REPORT_EXPORTED: N_("%(who)s exported the report “%(name)s” (%(count)s rows)"),
    Action.AUDIT_EXPORTED: N_("%(who)s exported the audit log (%(count)s lines)"),
    Action.CALL_PLACED: N_("%(who)s called back: %(call)s"),
    Action.CALL_MARKED: N_("%(who)s marked %(call)s: %(what)s"),
    Action.TEXT_SENT: N_("%(who)s texted %(name)s"),
    Action.PERSON_CHANGED: N_("%(who)s changed a person: %(what)s"),
    Action.PERSON_ERASED: N_("%(who)s erased a person and what they left here"),
    Action.SIGNED_IN: N_("%(who)s signed in"),
    Action.PASSWORD_SET: N_("%(who)s set a new password"),
    Action.PASSWORD_RESET: N_("%(who)s set a new password by a link from the mail"),
    Action.SECOND_STEP_ON: N_("%(who)s turned the second step of signing in on"),
    Action.SECOND_STEP_OFF: N_("%(who)s turned the second step of signing in off"),
    Action.CODES_RENEWED: N_("%(who)s made new recovery codes"),
    Action.RECOVERY_CODE_USED: N_("%(who)s signed in with a recovery code"),
    Action.USER_INVITED: N_("%(who)s invited %(name)s as %(role)s"),
    Action.INVITATION_RENEWED: N_("%(who)s made a new link for the invitation of %(name)s"),
    Action.INVITATION_WITHDRAWN: N_("%(who)s withdrew the invitation of %(name)s"),
    Action.INVITATION_ACCEPTED: N_("%(who)s accepted the invitation and is now %(role)s"),
    Action.USER_ADDED: N_("%(who)s made %(name)s %(role)s"),
    Action.ROLE_CHANGED: N_("%(who)s made %(name)s %(role)s (before: %(before)s)"),
    Action.TELEPHONES_CHANGED: N_("%(who)s changed the telephones of %(name)s: %(what)s"),
    Action.USER_REMOVED: N_("%(who)s removed %(name)s, who was %(role)s"),
    Action.SETTING_ADDED: N_("%(who)s added %(kind)s %(name)s"),
    Action.SETTING_CHANGED: N_("%(who)s changed %(kind)s %(name)s"),
    Action.SETTING_REMOVED: N_("%(who)s removed %(kind)s %(name)s"),
    Action.LIMIT_REACHED: N_("%(who)s turned calls away by a limit (%(count)s), the last of them %(call)s"),
    Action.CHANGE_UNDONE: N_("%(who)s took a change back: %(what)s"),
    Action.COMMAND_RUN: N_("%(who)s ran the command %(what)s"),
}

# In the filter: groups of actions, by the first part of their names.
GROUPS: dict[str, str] = {
    "recording": N_("Recordings heard, taken away, deleted"),
    "calls": N_("Exports of calls"),
    "call": N_("Marks on calls"),
    "text": N_("Texts sent"),
    "person": N_("People"),
    "setting": N_("Settings"),
    "user": N_("Users and roles"),
    "invitation": N_("Invitations"),
    "account": N_("Signing in"),
    "change": N_("Changes taken back"),
    "limit": N_("Calls turned away by a limit"),
    "command": N_("Commands on the server"),
    "report": N_("Exports of reports"),
    "audit": N_("Exports of this log"),
}

# The kinds of subjects that settings have, as the first part of a subject names them.
_KINDS: dict[str, str] = {
    "company": N_("the company"),
    "example": N_("the example data of"),
    "site": N_("the website"),
    "pool": N_("the pool"),
    "number": N_("the number"),
    "source": N_("the source"),
    "rules": N_("the source rules"),
    "destination": N_("the destination"),
    "flow": N_("the call routing"),
    "switch": N_("the switch “closed now”"),
    "sound": N_("the sound"),
    "telephone": N_("what is asked on the telephone"),
    "tag": N_("the tag"),
    "program": N_("the program"),
    "view": N_("the saved view"),
    "caller": N_("the rule for the caller"),
    "recording-rules": N_("the recording rules"),
    "lead-rule": N_("the rule for leads"),
    "call-rules": N_("the rules for calls"),
    "spend": N_("the spend of"),
    "spend-import": N_("the import of spend"),
    "announcement": N_("the announcement"),
    "whisper": N_("the whisper"),
    "mail": N_("what is sent by mail to"),
    "text-account": N_("the account for texts"),
    "texts-mail": N_("who is told of texts by mail:"),
}

ROLES: dict[str, str] = {
    "owner": N_("owner"),
    "manager": N_("manager"),
    "analyst": N_("analyst"),
    "agent": N_("agent"),
}

_WHAT: dict[str, str] = {
    "tags": N_("tags"),
    "note": N_("note"),
    "status": N_("status"),
    "job": N_("job"),
    "called_back": N_("called back"),
    "call.called_back": N_("that a caller was called back"),
    "joined": N_("joined two people into one"),
    "split": N_("split into two"),
    "corrected": N_("corrected"),
    "shared": N_("marked a number or address as one that many use"),
    "unshared": N_("marked a number or address as one person’s"),
    "call.status": N_("status of a call"),
    "call.note": N_("note on a call"),
    "call.tag_added": N_("tag on a call"),
    "call.tag_removed": N_("tag on a call"),
    "call.booked": N_("job of a call"),
    "call.job_left": N_("job of a call"),
    "call.job_value": N_("value of a job"),
    "view.kept": N_("kept view"),
    "view.removed": N_("kept view"),
    "company.changed": N_("the company"),
    "company.default_moved": N_("where calls go that nobody owns"),
    "destination.added": N_("the destination"),
    "destination.changed": N_("the destination"),
    "destination.removed": N_("the destination"),
    "flow.added": N_("the call routing"),
    "flow.changed": N_("the call routing"),
    "flow.removed": N_("the call routing"),
    "flow.assigned": N_("whose calls go by a routing"),
    "flow.switched": N_("the switch “closed now”"),
    "sound.added": N_("the sound"),
    "sound.removed": N_("the sound"),
    "whisper.changed": N_("the whisper"),
    "telephone.changed": N_("what is asked on the telephone"),
    "caller.set": N_("the rule for a caller"),
    "caller.removed": N_("the rule for a caller"),
    "recording-rules.changed": N_("the recording rules"),
    "lead-rule.changed": N_("the rule for leads"),
    "call-rules.changed": N_("the rules for calls"),
    "call.let-through": N_("that a call was let through"),
    "let through": N_("let through, not spam"),
    "need.put-off": N_("a reminder put off"),
    "pool.changed": N_("the pool"),
    "numbers.changed": N_("the number"),
    "numbers.removed": N_("the number"),
    "numbers.imported": N_("the pool"),
    "pool.removed": N_("the pool"),
    "site.removed": N_("the website"),
    "tag.renamed": N_("the tag"),
    "tag.removed": N_("the tag"),
    "text-account.changed": N_("the account for texts"),
    "text-account.removed": N_("the account for texts"),
    "texts-mail.changed": N_("who is told of texts by mail:"),
    "source.changed": N_("the source"),
    "source.hidden": N_("the source"),
    "source.merged": N_("two sources made one"),
    "mail.changed": N_("what is sent by mail"),
    "mail.removed": N_("what is sent by mail"),
    "spend.typed": N_("what a source costs"),
    "spend.added": N_("what a source costs"),
    "spend.removed": N_("what a source costs"),
    "spend.imported": N_("an import of spend"),
    "spend.import_removed": N_("an import of spend"),
    "site.changed": N_("the website"),
    "site.number_removed": N_("a number taken off a website"),
}


def sentence(line: Line, words: Words) -> str:
    """What happened, in the reader's language; an action this version does not know is named as it is."""
    say = words.say
    try:
        template = SENTENCES[Action(line.action)]
    except ValueError:
        return say("%(who)s: %(action)s (%(subject)s)") % {
            "who": who(line, words),
            "action": line.action,
            "subject": line.subject,
        }
    return say(template) % _Values(line, words)


def who(line: Line, words: Words) -> str:
    """Who did it, and that it was a command where it was one."""
    if line.via == Via.COMMAND:
        return words.say("%(name)s, by command") % {"name": line.who or words.say("Somebody on the server")}
    if line.via == Via.SYSTEM:
        return "Numberpool"
    return line.who or words.say("Somebody who is no longer a user")


class _Values(dict[str, str]):
    """What the places in a sentence stand for."""

    def __init__(self, line: Line, words: Words) -> None:
        super().__init__()
        self._line = line
        self._words = words

    def __missing__(self, place: str) -> str:
        line, words, details = self._line, self._words, self._line.details
        match place:
            case "who":
                return who(line, words)
            case "call":
                return _call(line, words)
            case "count":
                return words.number(_number(details.get("calls", details.get("lines", details.get("rows")))))
            case "role" | "before":
                return words.say(ROLES.get(str(details.get(place)), str(details.get(place, "?"))))
            case "kind":
                kind = line.subject.partition("/")[0]
                return words.say(_KINDS.get(kind, kind))
            case "what":
                return _what(line, words)
        return str(details.get(place, ""))


def _call(line: Line, words: Words) -> str:
    if line.called_at is None:
        return words.say("a call that is no longer here")
    day = words.short_date(words.local_day(line.called_at))
    if line.caller is None:
        return words.say("the call from a withheld number on %(day)s") % {"day": day}
    return words.say("the call from %(number)s on %(day)s") % {"number": words.phone(line.caller), "day": day}


def _what(line: Line, words: Words) -> str:
    details = line.details
    if line.action == Action.COMMAND_RUN:
        typed = details.get("typed") or {}
        return " ".join(
            [f"numberpool {details.get('command', '')}", *(f"{name}={value}" for name, value in typed.items())]
        )
    if line.action == Action.TELEPHONES_CHANGED:
        return ", ".join(details.get("endpoints") or []) or words.say("none")
    what = str(details.get("what", details.get("kind", "")))
    named = words.say(_WHAT.get(what, what))
    value = details.get("value")
    if what == "status" and value:
        value = words.status(str(value))
    return f"{named}: {value}" if value not in (None, "", []) else named


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0
