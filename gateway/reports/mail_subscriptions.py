"""Subscriptions: who gets which reports and alerts by mail, as rows of the store.

What leads a reader to ending or confirming one is a token signed with the subscription's own secret: it names nothing
but a number, cannot be guessed, and tells the two apart.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.reports.mail_alerts import Quiet
from gateway.reports.mail_due import Kind, Rhythm
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "mail.sql")

# Of one subscription, on the page.
MAILS_SHOWN = 5
# How mails are named that somebody asked for.
BY_HAND = "now:"
_SIGNATURE_BYTES = 16


class Fate(StrEnum):
    """What became of a mail."""

    WAITING = "waiting"
    SENT = "sent"  # the mail server took it
    REFUSED = "refused"  # for good
    GIVEN_UP = "given_up"  # the server was away until nobody wanted to read it any more
    NOT_NEEDED = "not_needed"


class Pause(StrEnum):
    """Why nothing is sent for now."""

    PERSON = "person"
    REFUSED = "refused"  # the server refused several in a row
    UNSUBSCRIBED = "unsubscribed"  # by the link in a mail


class Purpose(StrEnum):
    """What a token may be used for."""

    LEAVE = "leave"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to get: the kind, when, and in which language."""

    kind: Kind
    hour: int = 8
    weekday: int = 1
    quiet: Quiet | None = None
    language: str = "en"

    @property
    def rhythm(self) -> Rhythm:
        """When a report comes."""
        return Rhythm(self.kind, self.hour, self.weekday)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One of them. ``address`` is where to write: a user's own, whatever it is now, or one outside.

    ``role`` is the user's in this company; none: an address outside, or a user who has left.
    """

    id: int
    company_id: int
    user_id: int | None
    address: str
    name: str
    wish: Wish
    secret: bytes
    created_at: datetime
    confirmed_at: datetime | None
    counts_from: datetime
    sent_until: date | None
    alerted_at: datetime | None
    paused_at: datetime | None
    paused_why: Pause | None
    removed_at: datetime | None
    role: str | None

    @property
    def called(self) -> str:
        """How people call who gets it."""
        return self.name or self.address

    @property
    def is_running(self) -> bool:
        """Whether anything is sent."""
        return self.confirmed_at is not None and self.paused_at is None and self.removed_at is None

    def token(self, purpose: Purpose) -> str:
        """What the link of a mail carries."""
        signature = _signature(self.secret, purpose.value, self.id)
        return f"{self.id:x}-{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    def message_id(self, what: str) -> str:
        """The left side of a mail's Message-ID, the same however often that mail is sent."""
        return hmac.new(self.secret, f"message {what}".encode(), "sha256").hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class PostedMail:
    """A mail and its fate. ``calls``: of how many missed calls it tells; ``answer``: what the server said last."""

    id: int
    subscription_id: int
    what: str
    since: date | None
    until: date | None
    fate: Fate
    queued_at: datetime
    settled_at: datetime | None
    tries: int
    answer: str
    calls: int

    @property
    def is_test(self) -> bool:
        """Whether somebody asked for it by hand."""
        return self.what.startswith(BY_HAND)


async def subscriptions(connection: Connection, company_id: int, user_id: int | None = None) -> list[Subscription]:
    """Those of a company, or of one of its users alone."""
    rows = _queries.subscriptions(connection, company_id=company_id, user_id=user_id)
    return [_of_row(row) async for row in rows]


async def subscription(connection: Connection, id: int) -> Subscription | None:
    """One of the companies that the transaction sees, a removed one too."""
    row = await _queries.subscription(connection, id=id)
    return None if row is None else _of_row(row)


async def by_token(connection: Connection, token: str, purpose: Purpose) -> Subscription | None:
    """Whose ``token`` this is; none where it is not signed by the one it names, or the one is gone."""
    number, _, signature = token.partition("-")
    try:
        id = int(number, 16)
    except ValueError:
        return None
    found = await subscription(connection, id) if 0 < id < 2**63 else None
    if found is None or found.removed_at is not None:
        return None
    right = found.token(purpose).partition("-")[2]
    return found if hmac.compare_digest(signature.encode(), right.encode()) else None


async def add(
    connection: Connection,
    company_id: int,
    wish: Wish,
    created_by: int | None,
    *,
    user_id: int | None,
    address: str | None,
) -> int | None:
    """Make one for a user, or for an address outside, which still is to confirm it; none where it has that kind."""
    id: int | None = await _queries.add_subscription(
        connection,
        company_id=company_id,
        user_id=user_id,
        address=address,
        kind=wish.kind.value,
        secret=secrets.token_bytes(32),
        created_by=created_by,
        **_columns(wish),
    )
    return id


async def user_at(connection: Connection, company_id: int, address: str) -> int | None:
    """The user of a company whose address that is; none where it is one outside."""
    found: int | None = await _queries.user_at(connection, company_id=company_id, address=address)
    return found


async def change(connection: Connection, of: Subscription, wish: Wish) -> None:
    """Another time, other quiet hours, another language; the kind stays."""
    await _queries.change_subscription(connection, company_id=of.company_id, id=of.id, **_columns(wish))


async def pause(connection: Connection, of: Subscription, why: Pause) -> None:
    """Send nothing for now; what was paused already stays so for the reason it has."""
    await _queries.pause(connection, company_id=of.company_id, id=of.id, why=why.value)


async def resume(connection: Connection, of: Subscription, *, is_reader: bool) -> bool:
    """Go on with what comes due from now; whether an address outside must say yes again first.

    That is so where its reader ended it, and it is not he who goes on.
    """
    await _queries.resume(connection, company_id=of.company_id, id=of.id)
    asks = of.user_id is None and not is_reader and of.paused_why is Pause.UNSUBSCRIBED
    if asks:
        await _queries.ask_again(connection, company_id=of.company_id, id=of.id)
    return asks


async def confirm(connection: Connection, of: Subscription) -> None:
    """An address outside says yes."""
    await _queries.confirm(connection, company_id=of.company_id, id=of.id)


async def remove(connection: Connection, of: Subscription) -> bool:
    """Mark it as removed; false where it was."""
    return await _queries.remove_subscription(connection, company_id=of.company_id, id=of.id) is not None


async def restore(connection: Connection, company_id: int, id: int) -> bool:
    """Take a removal back; false where the same was added again meanwhile."""
    return await _queries.restore_subscription(connection, company_id=company_id, id=id) is not None


async def last_mails(connection: Connection, company_id: int, ids: list[int]) -> list[PostedMail]:
    """The newest few mails of each of these subscriptions, newest first."""
    rows = _queries.last_mails(connection, company_id=company_id, ids=ids, most=MAILS_SHOWN)
    return [
        PostedMail(**{name: value for name, value in dict(row).items() if name != "state"}, fate=Fate(row["state"]))
        async for row in rows
    ]


def _of_row(row: Mapping[str, Any]) -> Subscription:
    quiet = None if row["quiet_from"] is None else Quiet(row["quiet_from"], row["quiet_until"])
    return Subscription(
        id=row["id"],
        company_id=row["company_id"],
        user_id=row["user_id"],
        address=row["address"],
        name=row["name"],
        wish=Wish(Kind(row["kind"]), row["hour"], row["weekday"], quiet, row["language"]),
        secret=row["secret"],
        created_at=row["created_at"],
        confirmed_at=row["confirmed_at"],
        counts_from=row["counts_from"],
        sent_until=row["sent_until"],
        alerted_at=row["alerted_at"],
        paused_at=row["paused_at"],
        paused_why=None if row["paused_why"] is None else Pause(row["paused_why"]),
        removed_at=row["removed_at"],
        role=row["role"],
    )


def _columns(wish: Wish) -> dict[str, Any]:
    return {
        "hour": wish.hour,
        "weekday": wish.weekday,
        "quiet_from": wish.quiet.since if wish.quiet else None,
        "quiet_until": wish.quiet.until if wish.quiet else None,
        "language": wish.language,
    }


def _signature(secret: bytes, purpose: str, id: int) -> bytes:
    return hmac.new(secret, f"{purpose} {id}".encode(), "sha256").digest()[:_SIGNATURE_BYTES]
