"""Letters: durable jobs that write a mail when its turn comes, and send it.

Only what a letter is about stands in the queue. Links are made when it is written, so that no secret waits in a table;
a letter that is written again carries a link of its own.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog

from gateway.delivery.mail import Mail, MailRefused, ServerAway, ServerRefuses, send
from gateway.health import Condition, Health
from gateway.settings import MailSettings
from gateway.store.jobs import Handler, Job, TryLater, enqueue

PART = "mail"
JOB = "send_letter"
AGAIN_AFTER = timedelta(minutes=1)
# A server that starts anew is not worth a person's time.
PATIENCE = timedelta(minutes=3)

_log = structlog.get_logger(__name__)


class Letter(StrEnum):
    """What a letter says."""

    INVITATION = "invitation"
    RESET = "reset"
    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"
    SECOND_STEP_CHANGED = "second_step_changed"
    SUBSCRIPTION = "subscription"  # asks an address outside whether it wants reports
    MESSAGE = "message"  # a caller left one
    TEXT = "text"  # somebody wrote to one of our numbers
    LIMIT = "limit"  # calls were turned away by a limit


# After that nobody wants to read it any more.
_WORTH_SENDING: dict[Letter, timedelta] = {
    Letter.INVITATION: timedelta(days=7),
    Letter.RESET: timedelta(hours=1),
    Letter.NEW_DEVICE: timedelta(days=2),
    Letter.PASSWORD_CHANGED: timedelta(days=2),
    Letter.SECOND_STEP_CHANGED: timedelta(days=2),
    Letter.SUBSCRIPTION: timedelta(days=3),
    Letter.MESSAGE: timedelta(days=2),
    Letter.TEXT: timedelta(days=2),
    Letter.LIMIT: timedelta(hours=12),
}


@dataclass(frozen=True, slots=True)
class Written:
    """A mail, and what is to be done once it is on its way."""

    mail: Mail
    sent: Callable[[], Awaitable[None]] | None = None


# Writes a letter from what stands in its job; none where there is nobody to write to any more.
Writer = Callable[[Mapping[str, Any]], Awaitable[Written | None]]


async def post(connection: Any, letter: Letter, **about: Any) -> None:
    """Have a letter written and sent once the caller's transaction is committed. ``about`` becomes JSON."""
    await enqueue(connection, JOB, {"letter": letter.value, "posted_at": datetime.now(UTC).isoformat(), **about})


def handlers(settings: MailSettings, writers: Mapping[Letter, Writer], health: Health) -> dict[str, Handler]:
    """The job's handler. A server that is away is asked again each minute; what is refused for good is held."""
    away_since: list[datetime] = []

    async def send_letter(job: Job) -> None:
        letter = Letter(job.payload["letter"])
        posted_at = datetime.fromisoformat(job.payload["posted_at"])
        now = datetime.now(UTC)
        if now > posted_at + _WORTH_SENDING[letter]:
            _log.warning("a letter is too old to be sent", letter=letter.value, posted_at=posted_at.isoformat())
            return
        if not settings.is_set_up:
            raise MailRefused("no mail server is named any more: set mail.host in the settings")
        written = await writers[letter](job.payload)
        if written is None:
            return
        try:
            await send(settings, written.mail)
        except ServerAway as error:
            since = away_since[0] if away_since else now
            away_since[:] = [since]
            _tell_away(health, error, now - since)
            raise TryLater(str(error), AGAIN_AFTER) from None
        except ServerRefuses as error:
            health.tell(
                PART, Condition.NEEDS_PERSON, f"Letters are not sent: {error}. Mend [mail] in the settings; start anew."
            )
            raise
        away_since.clear()
        health.tell(PART, Condition.OK, "Letters are sent.")
        if written.sent is not None:
            await written.sent()

    return {JOB: send_letter}


def _tell_away(health: Health, error: ServerAway, away: timedelta) -> None:
    condition = Condition.TROUBLED if away < PATIENCE else Condition.NEEDS_PERSON
    health.tell(PART, condition, f"Letters wait for the mail server: {error}. They are sent when it is back.")
