"""Texts on their way out: durable jobs that hand each to its carrier, and never twice without somebody's wish.

A text is marked as being sent, and that is committed, before anything is posted. Where the carrier surely did not take
it (nobody there, or it says that it is busy) it is tried again; where it may have, the text stays *unsure*, and a
person decides. So does one whose job is found half done after a crash.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from gateway.store.database import Connection, Database
from gateway.store.jobs import Handler, Job, TryLater, enqueue
from gateway.store.queries import load_queries
from gateway.texts import accounts, carriers
from gateway.texts.carriers.shape import N_, Account, Outgoing, Refused, Taken
from gateway.texts.store import was_taken
from gateway.texts.text import State

JOB = "send_text"
ANSWER_SECONDS = 30.0
AGAIN_AFTER = timedelta(seconds=30)
# An answer that comes hours late answers nothing.
WORTH_SENDING = timedelta(hours=2)
_LARGEST_ANSWER = 64 * 1024

NOT_SURE = N_("the carrier did not say whether it took this text")
UNWANTED = N_("they wrote that they want no texts")
NO_ACCOUNT = N_("the carrier’s account was removed")
TOO_LATE = N_("it waited for too long")

_queries = load_queries(Path(__file__).parent, "texts.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text whose turn it is."""

    id: int
    number: str
    other: str
    body: str
    written_at: datetime
    account: Account


async def send(
    connection: Connection,
    company_id: int,
    conversation_id: int,
    body: str,
    *,
    account_id: int,
    sent_by: int | None,
    now: datetime,
) -> int:
    """Put a text into its conversation, to be sent once the caller's transaction is committed; its id."""
    id: int = await _queries.add_outbound(
        connection,
        company_id=company_id,
        conversation_id=conversation_id,
        body=body,
        account_id=account_id,
        sent_by=sent_by,
        at=now,
    )
    await _queries.touch(connection, company_id=company_id, id=conversation_id, at=now)
    await enqueue(connection, JOB, {"company": company_id, "text": id})
    return id


async def send_again(connection: Connection, company_id: int, conversation_id: int, id: int) -> bool:
    """Send one that failed, or may have; false where it is neither."""
    again = await _queries.send_again(connection, company_id=company_id, conversation_id=conversation_id, id=id)
    if again is None:
        return False
    await enqueue(connection, JOB, {"company": company_id, "text": id, "again": True})
    return True


def callback_of(public_url: str | None, token: str) -> str | None:
    """Where a carrier may say what became of a text; none where nobody told us how we are reached."""
    return f"{public_url.rstrip('/')}/v1/texts/{token}" if public_url else None


def handlers(database: Database, public_url: str | None) -> dict[str, Handler]:
    """The job's handler. ``public_url`` is the collector's."""

    async def send_text(job: Job) -> None:
        company_id, id = int(job.payload["company"]), int(job.payload["text"])
        async with database.companies(company_id) as connection:
            waiting = await _taken_up(connection, company_id, id, is_again=bool(job.payload.get("again")))
        if waiting is None:
            return
        carrier, account = carriers.CARRIERS[waiting.account.kind], waiting.account
        callback = callback_of(public_url, account.token)
        answer = await _posted(
            account, carrier.outgoing(account, waiting.number, waiting.other, waiting.body, callback)
        )
        now = datetime.now(UTC)
        async with database.companies(company_id) as connection:
            if isinstance(answer, Taken):
                await was_taken(connection, company_id, id, account.id, answer.id, now)
                return
            tries_on = answer.again is True and now - waiting.written_at < WORTH_SENDING
            state = State.WAITING if tries_on else State.UNSURE if answer.again is None else State.FAILED
            await _settle(connection, company_id, id, state, answer.why)
        _log.warning("a text was not taken", account=account.name, state=state.value, reason=answer.why)
        if tries_on:
            raise TryLater(answer.why, AGAIN_AFTER)

    return {JOB: send_text}


async def _taken_up(connection: Connection, company_id: int, id: int, *, is_again: bool) -> Waiting | None:
    """Mark a text as being sent; none where there is nothing to do."""
    row = await _queries.to_send(connection, company_id=company_id, id=id)
    if row is None or row["state"] not in (State.WAITING, State.SENDING):
        return None
    if row["state"] == State.SENDING:
        await _settle(connection, company_id, id, State.UNSURE, NOT_SURE)
        return None
    account = await accounts.account_by_id(connection, company_id, row["account_id"]) if row["account_id"] else None
    if row["is_unwanted"]:
        await _settle(connection, company_id, id, State.FAILED, UNWANTED)
    elif account is None:
        await _settle(connection, company_id, id, State.FAILED, NO_ACCOUNT)
    elif datetime.now(UTC) - row["at"] >= WORTH_SENDING and not is_again:
        await _settle(connection, company_id, id, State.FAILED, TOO_LATE)
    else:
        await _settle(connection, company_id, id, State.SENDING, "")
        return Waiting(id, row["number"], row["other"], row["body"], row["at"], account)
    return None


async def _settle(connection: Connection, company_id: int, id: int, state: State, fault: str) -> None:
    await _queries.set_state(
        connection, company_id=company_id, id=id, state=state.value, fault=fault, at=datetime.now(UTC)
    )


async def _posted(account: Account, outgoing: Outgoing) -> Taken | Refused:
    """What the carrier says to a text. Not connected is surely not taken; any silence after that is not."""
    body: Mapping[str, Any] = {"data": outgoing.form} if outgoing.form is not None else {"json": outgoing.json}
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=10.0)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(outgoing.url, headers=outgoing.headers, allow_redirects=False, **body) as answer,
        ):
            said = bytearray()
            async for piece in answer.content.iter_chunked(8192):
                said += piece
                if len(said) > _LARGEST_ANSWER:
                    break
            return carriers.CARRIERS[account.kind].taken(account, answer.status, bytes(said))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        return Refused(f"the carrier cannot be reached ({_reason(error)})", again=True)
    except aiohttp.InvalidURL:
        return Refused("the address of the carrier is none")
    except (aiohttp.ClientError, OSError):
        return Refused(NOT_SURE, again=None)


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
