"""The clerk of reports by mail: looks what is due, writes it down, and hands it to the mail server.

What is due is written into ``report_mails`` and the queue of jobs in one transaction, under a name of its own
(``weekly:2026-11-16``), so that two gateways write it once. The job takes the mail into its hands for a few minutes,
writes the letter with the figures of that moment, and sends it. Only one thing can send a mail twice: a gateway that
dies after the server's 250 and before it noted that. Such a mail is sent again, at least once rather than never, with
the same Message-ID, by which mail programs show it once.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from gateway.delivery.mail import Mail, MailRefused, ServerAway, ServerRefuses, send
from gateway.health import Condition, Health
from gateway.reports.mail_alerts import Quiet, Waiting, gather
from gateway.reports.mail_due import Days, Kind, Rhythm, due
from gateway.reports.mail_subscriptions import BY_HAND, Fate, Pause, Subscription, subscription
from gateway.settings import MailSettings
from gateway.store.database import AWAY, Connection, Database, OwnCalls, only_own_calls
from gateway.store.jobs import Handler, Job, TryLater, enqueue
from gateway.store.queries import load_queries

PART = "reports by mail"
JOB = "send_report_mail"
LOOK_SECONDS = 15.0
# Longer than a conversation with a mail server may take.
IN_HAND_SECONDS = 180.0
AGAIN_AFTER = timedelta(minutes=1)
# The settings need mending, by a person.
MENDED_AFTER = timedelta(minutes=5)
TAKEN_WAIT = timedelta(seconds=20)
# So many refusals in a row, and nothing more is sent to that address until somebody looks at it.
MOST_REFUSALS = 3

# After that nobody wants to read it any more.
_WORTH_SENDING: dict[Kind, timedelta] = {
    Kind.DAILY: timedelta(hours=22),
    Kind.WEEKLY: timedelta(days=4),
    Kind.MONTHLY: timedelta(days=10),
    Kind.MISSED: timedelta(hours=12),
    Kind.MISSED_HOURLY: timedelta(hours=12),
    Kind.MESSAGES: timedelta(days=2),
}

_queries = load_queries(Path(__file__).parent, "mail.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Errand:
    """A mail that is to be written: of which subscription, and of what."""

    id: int
    subscription: Subscription
    what: str
    days: Days | None  # of a report
    queued_at: datetime

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody asked to see one now."""
        return self.what.startswith(BY_HAND)


# Writes a mail; none where there is nothing to say, or nobody who may read it.
Writer = Callable[[Errand], Awaitable[Mail | None]]


# ------------------------------------------------------------------------------------------------------- what is due


async def keep_posting(database: Database, settings: MailSettings) -> None:
    """Look again and again what is due, until cancelled. Without a mail server nothing ever is."""
    while True:
        if settings.is_set_up:
            try:
                await post_due(database, datetime.now(UTC))
            except AWAY as error:
                _log.warning("reports by mail are put off", fault=str(error))
        await asyncio.sleep(LOOK_SECONDS)


async def post_due(database: Database, now: datetime) -> int:
    """Write down everything that is due at ``now``; how many mails that are."""
    async with database.everything() as connection:
        rows = [row async for row in _queries.running(connection)]
    posted = 0
    for row in rows:
        try:
            posted += await _post_one(database, row, now)
        except AWAY:
            raise
        except Exception:  # nobody waits for another's mail
            _log.exception("a subscription is passed over", company=row["company_id"], subscription=row["id"])
    return posted


async def _post_one(database: Database, row: Mapping[str, Any], now: datetime) -> bool:
    zone, kind = ZoneInfo(row["time_zone"]), Kind(row["kind"])
    if not kind.is_report:
        return row["has_waiting"] and await _post_alert(database, row, kind, zone, now)
    rhythm = Rhythm(kind, row["hour"], row["weekday"])
    if due(rhythm, zone, now, row["counts_from"], row["sent_until"]) is None:
        return False
    return await _post_report(database, row["company_id"], row["id"], rhythm, zone, now)


async def _post_report(
    database: Database, company_id: int, id: int, rhythm: Rhythm, zone: ZoneInfo, now: datetime
) -> bool:
    async with database.companies(company_id) as connection:
        held = await _queries.hold_subscription(connection, company_id=company_id, id=id)
        if held is None:
            return False
        # Once more, now that nobody else can: another gateway may have been quicker.
        days = due(rhythm, zone, now, held["counts_from"], held["sent_until"])
        if days is None:
            return False
        await _queries.told_until(connection, company_id=company_id, id=id, until=days.until)
        await _queries.forget_old_mails(connection, company_id=company_id, id=id)
        what = f"{rhythm.kind.value}:{days.since.isoformat()}"
        return await _write_down(connection, company_id, id, what, days) is not None


async def _post_alert(database: Database, row: Mapping[str, Any], kind: Kind, zone: ZoneInfo, now: datetime) -> bool:
    company_id, id = row["company_id"], row["id"]
    own = OwnCalls(row["user_id"], (company_id,)) if row["role"] == "agent" else None
    with only_own_calls(own):
        async with database.companies(company_id) as connection:
            held = await _queries.hold_subscription(connection, company_id=company_id, id=id)
            if held is None:
                return False
            waiting = [
                Waiting(each["call_id"], each["ended_at"] or now, each["is_spam"], each["answered_since"])
                async for each in _queries.waiting_calls(connection, company_id=company_id, id=id)
            ]
            quiet = None if row["quiet_from"] is None else Quiet(row["quiet_from"], row["quiet_until"])
            found = gather(waiting, kind, quiet, zone, now, held["alerted_at"])
            if found.drop:
                await _queries.settle_calls(
                    connection, company_id=company_id, id=id, calls=list(found.drop), mail_id=None
                )
            if not found.tell:
                return False
            what = f"{kind.value}:{_name_of(found.tell)}"
            mail_id = await _write_down(connection, company_id, id, what)
            await _queries.settle_calls(
                connection, company_id=company_id, id=id, calls=list(found.tell), mail_id=mail_id
            )
            await _queries.was_alerted(connection, company_id=company_id, id=id, at=now)
            return mail_id is not None


async def send_now(connection: Connection, of: Subscription, days: Days | None, now: datetime) -> int | None:
    """Send one by hand, to see what it looks like and whether it arrives; its id. The next comes as it would have."""
    return await _write_down(connection, of.company_id, of.id, f"{BY_HAND}{now.isoformat(timespec='seconds')}", days)


async def _write_down(
    connection: Connection, company_id: int, subscription_id: int, what: str, days: Days | None = None
) -> int | None:
    id: int | None = await _queries.add_mail(
        connection,
        company_id=company_id,
        subscription_id=subscription_id,
        what=what,
        since=days.since if days else None,
        until=days.until if days else None,
    )
    if id is not None:
        await enqueue(connection, JOB, {"company_id": company_id, "mail_id": id}, key=f"{JOB}:{id}")
    return id


def _name_of(calls: tuple[int, ...]) -> str:
    return hashlib.sha256(",".join(map(str, sorted(calls))).encode()).hexdigest()[:20]


# --------------------------------------------------------------------------------------------------------- sending it


def handlers(database: Database, settings: MailSettings, write: Writer, health: Health) -> dict[str, Handler]:
    """What ``run_jobs`` shall do."""

    async def send_report_mail(job: Job) -> None:
        company_id, mail_id = int(job.payload["company_id"]), int(job.payload["mail_id"])
        errand = await _take(database, company_id, mail_id)
        if errand is None:
            return
        kind = errand.subscription.wish.kind
        if datetime.now(UTC) - errand.queued_at > _WORTH_SENDING[kind]:
            await _settle(database, errand, Fate.GIVEN_UP)
            return
        try:
            if not settings.is_set_up:
                raise ServerRefuses("no mail server is named any more: set host under [mail] in the settings")
            mail = await write(errand)
            if mail is None:
                await _settle(database, errand, Fate.NOT_NEEDED)
                return
            answer = await send(settings, mail)
        except ServerAway as error:
            await _let_go(database, errand, str(error))
            raise TryLater(str(error), AGAIN_AFTER) from None
        except ServerRefuses as error:
            _tell(health, Condition.NEEDS_PERSON, f"Reports by mail wait: {error}. Mend [mail] in the settings.")
            await _let_go(database, errand, str(error))
            raise TryLater(str(error), MENDED_AFTER) from None
        except MailRefused as error:
            await _refused(database, errand, str(error))
            return
        except BaseException as error:
            await _let_go(database, errand, "" if isinstance(error, asyncio.CancelledError) else str(error))
            raise
        _tell(health, Condition.OK, "Reports by mail are sent.")
        await _settle(database, errand, Fate.SENT, answer)

    return {JOB: send_report_mail}


async def _take(database: Database, company_id: int, mail_id: int) -> Errand | None:
    """The mail, in our hands; none where nothing is left to be done. Raises TryLater while another has it."""
    async with database.companies(company_id) as connection:
        row = await _queries.mail_by_id(connection, company_id=company_id, id=mail_id)
        if row is None or row["state"] != Fate.WAITING:
            return None
        found = await subscription(connection, row["subscription_id"])
        if found is None:
            return None
        if await _queries.claim(connection, company_id=company_id, id=mail_id, seconds=IN_HAND_SECONDS) is None:
            raise TryLater("another gateway is sending this mail", TAKEN_WAIT)
    days = Days(row["since"], row["until"]) if row["since"] else None
    return Errand(mail_id, found, row["what"], days, row["queued_at"])


async def _settle(database: Database, errand: Errand, fate: Fate, answer: str = "") -> None:
    place = {"company_id": errand.subscription.company_id}
    async with database.companies(errand.subscription.company_id) as connection:
        await _queries.settle_mail(connection, **place, id=errand.id, state=fate.value, answer=answer)
        if fate is Fate.SENT:
            await _queries.was_taken(connection, **place, id=errand.subscription.id)


async def _let_go(database: Database, errand: Errand, answer: str) -> None:
    company_id = errand.subscription.company_id
    async with database.companies(company_id) as connection:
        await _queries.let_go(connection, company_id=company_id, id=errand.id, answer=answer)


async def _refused(database: Database, errand: Errand, answer: str) -> None:
    """Note it; who was refused several times in a row is written to no more, and the page says so."""
    to = errand.subscription
    place = {"company_id": to.company_id}
    _log.warning("a report by mail was refused", subscription=to.id, fault=answer)
    async with database.companies(to.company_id) as connection:
        await _queries.settle_mail(connection, **place, id=errand.id, state=Fate.REFUSED.value, answer=answer)
        if await _queries.was_refused(connection, **place, id=to.id) >= MOST_REFUSALS:
            await _queries.pause(connection, **place, id=to.id, why=Pause.REFUSED.value)


def _tell(health: Health, condition: Condition, message: str) -> None:
    if condition is Condition.OK and PART not in health.reports():
        return
    health.tell(PART, condition, message)
