"""Writes reports and alerts by mail, each in the language of who gets it, with what that person may see."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.delivery.mail import Mail
from gateway.http.language import SOURCE
from gateway.http.mail_sheet import Sheet, mail_of, one_line
from gateway.http.missed_sheet import message_sheet, missed_sheet
from gateway.http.permissions import GRANTS, OWN_CALLS_ONLY, Permission, Role
from gateway.http.rendering import Templates
from gateway.http.report_sheet import report_sheet
from gateway.http.words import Words
from gateway.reports import mail_calls, mail_figures
from gateway.reports.mail_clerk import Errand
from gateway.reports.mail_due import Days, Kind
from gateway.reports.mail_figures import Firm
from gateway.reports.mail_subscriptions import Purpose, Subscription, Wish
from gateway.store.database import Connection, Database, OwnCalls, only_own_calls
from gateway.store.jobs import TryLater

# So many calls show what an hour's list looks like.
_SPECIMEN_CALLS = 3
# After a change of many days they are counted anew, which takes minutes; a report does not wait for ever.
_COUNTED_AFTER = timedelta(hours=1)
_LOOK_AGAIN = timedelta(seconds=30)


class ReportDesk:
    """Writes reports and alerts. Links lead to ``base_url``, which comes from the settings and nowhere else."""

    def __init__(
        self,
        database: Database,
        templates: Templates,
        base_url: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._templates = templates
        self._base_url = base_url.rstrip("/")
        self._now = now

    async def write(self, errand: Errand) -> Mail | None:
        """The mail of an errand; none where its reader may not have it any more, or nothing is left to be told.

        Raises TryLater while its figures are not there yet.
        """
        to = errand.subscription
        if to.removed_at is not None or to.confirmed_at is None or not may_have(to.wish.kind, to):
            return None
        with only_own_calls(_limit(to)):
            async with self._database.companies(to.company_id) as connection:
                firm = await mail_figures.firm_of(connection, to.company_id)
                if firm is None:
                    return None
                words = self._words(firm, to.wish.language)
                sheet = await self._sheet(connection, firm, words, errand)
        if sheet is None:
            return None
        leave = f"{self._base_url}/mail/leave/{to.token(Purpose.LEAVE)}"
        sheet = self._with_foot(sheet, words, firm, to.wish.kind, leave, is_user=to.user_id is not None)
        return mail_of(sheet, self._templates, words, to.address, to.message_id(errand.what), leave)

    async def specimen(self, connection: Connection, firm: Firm, wish: Wish, days: Days | None) -> Mail:
        """What such a mail looks like now, for a page that shows it; its link to unsubscribe ends nothing."""
        words = self._words(firm, wish.language)
        if days is not None:
            told = await mail_figures.told(connection, firm, wish.kind, days, self._now())
            sheet = report_sheet(firm, words, wish.kind, told, self._base_url, may_write=True)
        else:
            sheet = await self._newest(connection, firm, words, wish.kind)
        sheet = self._with_foot(sheet, words, firm, wish.kind, f"{self._base_url}/settings/mail", is_user=True)
        return mail_of(sheet, self._templates, words, "you@example.com", "specimen", None)

    async def _sheet(self, connection: Connection, firm: Firm, words: Words, errand: Errand) -> Sheet | None:
        if errand.days is not None:
            to = errand.subscription
            told = await mail_figures.told(connection, firm, to.wish.kind, errand.days, self._now())
            if told.answer.stale_days and datetime.now(UTC) - errand.queued_at < _COUNTED_AFTER:
                raise TryLater("the calls of these days are still being counted", _LOOK_AGAIN)
            may_write = to.role is not None and Permission.SETTINGS_WRITE in GRANTS[Role(to.role)]
            return report_sheet(firm, words, to.wish.kind, told, self._base_url, may_write=may_write)
        kind = errand.subscription.wish.kind
        if errand.is_by_hand:
            return await self._newest(connection, firm, words, kind)
        calls = await mail_calls.told(connection, firm.id, str(firm.zone), errand.id)
        write = message_sheet if kind is Kind.MESSAGES else missed_sheet
        return write(firm, words, calls, self._base_url) if calls else None

    async def _newest(self, connection: Connection, firm: Firm, words: Words, kind: Kind) -> Sheet:
        """An alert of the last calls there were, to show what it looks like."""
        zone = str(firm.zone)
        if kind is Kind.MESSAGES:
            messages = await mail_calls.newest_messages(connection, firm.id, zone, 1)
            return message_sheet(firm, words, messages, self._base_url)
        most = _SPECIMEN_CALLS if kind is Kind.MISSED_HOURLY else 1
        return missed_sheet(firm, words, await mail_calls.newest(connection, firm.id, zone, most), self._base_url)

    def _with_foot(self, sheet: Sheet, words: Words, firm: Firm, kind: Kind, leave: str, *, is_user: bool) -> Sheet:
        say, named = words.say, {"what": mail_words(words, kind), "company": one_line(firm.name)}
        change = (say("Change it"), f"{self._base_url}/settings/mail?company={firm.id}") if is_user else None
        return replace(
            sheet, why=say("You get %(what)s of %(company)s.") % named, manage=change, leave=(say("Unsubscribe"), leave)
        )

    def _words(self, firm: Firm, tag: str) -> Words:
        languages = self._templates.languages
        return Words(languages.get(tag, languages[SOURCE]), firm.region, firm.zone, self._now())


def may_have(kind: Kind, of: Subscription) -> bool:
    """Whether its reader may have such mails: who left may have none, and figures of all are not for agents."""
    if of.user_id is None:
        return True
    return of.role is not None and needed(kind) in GRANTS[Role(of.role)]


def needed(kind: Kind) -> Permission:
    """What a user must hold in a company to get such mails of it."""
    return Permission.REPORTS_READ if kind.is_report else Permission.CALLS_READ


def _limit(of: Subscription) -> OwnCalls | None:
    """An agent is told of his own calls only."""
    if of.user_id is None or of.role is None or Role(of.role) not in OWN_CALLS_ONLY:
        return None
    return OwnCalls(of.user_id, (of.company_id,))


def mail_words(words: Words, kind: Kind) -> str:
    """A kind of mail, inside a sentence: the daily report."""
    say = words.say
    return {
        Kind.DAILY: say("the daily report"),
        Kind.WEEKLY: say("the weekly report"),
        Kind.MONTHLY: say("the monthly report"),
        Kind.MISSED: say("alerts of missed calls"),
        Kind.MISSED_HOURLY: say("the hourly list of missed calls"),
        Kind.MESSAGES: say("messages on the voicemail"),
    }[kind]
