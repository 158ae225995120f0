"""What needs somebody, said in one sentence each, with where it is mended; and putting it off."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlencode

from aiohttp import web
from babel import dates

from gateway.attention import facts
from gateway.attention.needs import Kind, Need
from gateway.attention.node_states import UNREGISTERED
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of, local_path
from gateway.http.refusals import BadRequest
from gateway.http.rendering import words_for
from gateway.http.scope import company_of
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words

_KEY = re.compile(rf"({'|'.join(Kind)})(/[^/]{{1,100}}){{1,2}}")
_MONEY = "/money"

_WEEK, _MONTH = 7, 30


@dataclass(frozen=True, slots=True)
class ToldNeed:
    """A need in words. ``path`` and ``query`` of the page where it is mended, under ``mend``; or a ``command``."""

    key: str
    is_urgent: bool
    sentence: str
    mend: str = ""
    path: str = ""
    query: tuple[tuple[str, str], ...] = ()
    command: str = ""

    @property
    def values(self) -> dict[str, str]:
        """What its address says besides company and period."""
        return dict(self.query)


def told(words: Words, need: Need, *, may_write: bool) -> ToldNeed:
    """One need. ``may_write``: its reader may change settings."""
    say = words.say
    named = {"name": need.name, "long": how_long(words, need.since), "rate": how_often(words, need.a_day)}
    match need.kind:
        case Kind.GATEWAY:
            said = say(
                "Numberpool’s gateway for Asterisk %(name)s has not been heard of for %(long)s. Calls ring all the "
                "same; they are counted once it runs again."
            )
            return ToldNeed(need.key, True, said % named, command="systemctl restart numberpool")
        case Kind.LINK:
            said = (
                say("Asterisk %(name)s has been out of reach for %(long)s.")
                if need.since
                else say("Asterisk %(name)s has not been reached yet.")
            )
            return ToldNeed(need.key, True, said % named, command="numberpool doctor")
        case Kind.TRUNK:
            said = (
                say("The trunk %(name)s has been without registration for %(long)s: its calls do not come here.")
                if need.detail == UNREGISTERED
                else say("The trunk %(name)s has not answered for %(long)s.")
            )
            return ToldNeed(need.key, True, said % named, command="numberpool doctor")
        case Kind.MISSED:
            said = words.ngettext(
                "%(num)s person called and was missed, and nobody has called back.",
                "%(num)s people called and were missed, and nobody has called back.",
                need.count,
            )
            if need.count > 1:
                longest = say("The first of them has waited for %(long)s.") % named
                said = f"{said} {longest}"
            return ToldNeed(need.key, True, said, say("Call back"), "/reports/missed")
        case Kind.LIMIT:
            said = words.ngettext(
                "%(num)s call was turned away in the last day, because there was no line left.",
                "%(num)s calls were turned away in the last day, because there was no line left.",
                need.count,
            )
            if may_write:
                return ToldNeed(need.key, True, said, say("Look at the limits"), "/settings/calls")
            query = (("outcome", "blocked"), ("period", "7d"))
            return ToldNeed(need.key, True, said, say("Its calls"), "/calls", query)
        case Kind.NUMBER:
            said = say("%(name)s has not rung for %(long)s; it used to ring %(rate)s.")
            sentence = said % (named | {"name": words.phone(need.name)})
            if may_write:
                return ToldNeed(need.key, True, sentence, say("Look at the number"), f"/settings/numbers/{need.id}")
            query = (("number", need.name), ("period", "all"))
            return ToldNeed(need.key, True, sentence, say("Its calls"), "/calls", query)
        case Kind.SITE:
            said = say("No visit has come from the site “%(name)s” for %(long)s; there used to be %(visits)s.")
            sentence = said % (named | {"visits": _visits(words, need.a_day)})
            return ToldNeed(need.key, True, sentence, say("Check the site"), f"/settings/sites/{need.id}")
        case Kind.EMPTY:
            said = say("The pool “%(name)s” has no number to lend: its visitors see the number of the page.")
            return ToldNeed(need.key, False, said % named, say("To the pool"), f"/settings/pools/{need.id}")
        case Kind.POOL:
            said = words.ngettext(
                "The pool “%(name)s” was full for %(num)s visit in the last 7 days.",
                "The pool “%(name)s” was full for %(num)s visits in the last 7 days.",
                need.count,
                name=need.name,
            )
            return _of_pool(words, need, said)
        case Kind.NEARLY:
            said = words.ngettext(
                "The pool “%(name)s” was nearly full on %(num)s day of the last 7.",
                "The pool “%(name)s” was nearly full on %(num)s days of the last 7.",
                need.count,
                name=need.name,
            )
            return _of_pool(words, need, said)
        case Kind.RECORDINGS:
            said = words.ngettext(
                "%(num)s recording of the last 7 days could not be made.",
                "%(num)s recordings of the last 7 days could not be made.",
                need.count,
            )
            return ToldNeed(need.key, False, said, say("Look at the newest"), f"/calls/{need.id}")
        case Kind.SPEND:
            month = dates.format_skeleton("yMMMM", date.fromisoformat(need.detail), locale=words.locale)
            said = say("What you spent in %(month)s is not here yet, so that costs cannot be told.")
            return ToldNeed(need.key, False, said % {"month": month}, say("Enter it"), _MONEY)


def _of_pool(words: Words, need: Need, sentence: str) -> ToldNeed:
    mend = words.say("How many numbers does it need?")
    return ToldNeed(need.key, False, sentence, mend, f"/settings/pools/{need.id}/advice")


def how_long(words: Words, since: datetime | None) -> str:
    """9 days; empty where it never was."""
    if since is None:
        return ""
    return dates.format_timedelta(words.now - since, threshold=1.5, locale=words.locale)


def how_often(words: Words, a_day: float) -> str:
    """3 times a week."""
    if a_day >= 1:
        return words.ngettext("%(num)s time a day", "%(num)s times a day", round(a_day))
    if a_day * _WEEK >= 1:
        return words.ngettext("%(num)s time a week", "%(num)s times a week", round(a_day * _WEEK))
    return words.ngettext("%(num)s time a month", "%(num)s times a month", max(1, round(a_day * _MONTH)))


def _visits(words: Words, a_day: float) -> str:
    if a_day >= 1:
        return words.ngettext("%(num)s visit a day", "%(num)s visits a day", round(a_day))
    return words.ngettext("%(num)s visit a week", "%(num)s visits a week", max(1, round(a_day * _WEEK)))


async def put_off(request: web.Request) -> web.StreamResponse:
    """Tell nobody in the company of one need for a week."""
    company, words = company_of(request), words_for(request)
    form = await form_of(request)
    key = form.get("need", "")
    if not _KEY.fullmatch(key) or not key.isprintable():
        raise BadRequest(part="need")
    viewer = request[VIEWER]
    async with request.app[PARTS].database.companies(company.id) as connection:
        await facts.put_off(connection, company.id, key, viewer.user_id, datetime.now(UTC))
        step = await offer_undo(connection, company.id, viewer, "need.put-off", {"need": key})
    several = len(request[ALLOWED]) > 1
    to = local_path(form.get("next"), f"/overview?{urlencode({'company': company.id})}" if several else "/overview")
    return changed(request, to, Notice(words.say("You will not be told of that for a week."), undo=step))


async def take_up(undoing: Undoing) -> str:
    """Tell of it again."""
    await facts.take_up(undoing.connection, undoing.company_id, str(undoing.values["need"]))
    return f"need/{undoing.company_id}"


REVERSALS = {"need.put-off": Reversal(Permission.SETTINGS_WRITE, take_up)}
