"""Texts over SIP (MESSAGE): each is a small file in the outbox, written by the dialplan and deleted once it is kept.

A file is one line of ``key=value`` pairs joined by ``&``, values percent-encoded, whole once its empty ``end`` is there
(numberpool-extensions.conf, numberpool-texts). So none is lost while the gateway or Postgres is away, and nothing that
somebody writes can end a field or a line.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import structlog

from gateway.asterisk.outbox import MAX_FILE_BYTES, REJECTED, TEXT
from gateway.calls.directory import Directory
from gateway.store.database import AWAY, Database
from gateway.store.inbox import REFUSED
from gateway.texts.store import keep
from gateway.texts.text import Arrived, Inbound, inbound_of

LOOK_SECONDS = 0.5
# As a URI or a header has it: "Ann" <sip:+13065550142;user=phone@host>, tel:+13065550142.
_USER = re.compile(r"(?:sips?|tel):([^@;>\s]+)", re.IGNORECASE)
_log = structlog.get_logger(__name__)


class MalformedText(ValueError):
    """A file of the outbox is no text, though it is called one."""


@dataclass(frozen=True, slots=True)
class SipText:
    """A text as the dialplan wrote it: which number was asked for, in the request line and in To."""

    number: str
    to: str
    caller: str
    body: str
    at: datetime


def parse(text: str) -> SipText | None:
    """The text of a file; none where it is still being written. Raises MalformedText."""
    line = text.strip("\n")
    if not line.endswith("&end="):
        return None
    fields = dict(pair.partition("=")[::2] for pair in line.split("&"))
    try:
        if fields["v"] != "1":
            raise MalformedText(f"version {fields['v'][:20]!r}")
        return SipText(
            fields["number"],
            user_of(unquote(fields["to"], errors="replace")),
            user_of(unquote(fields["from"], errors="replace")),
            unquote(fields["body"], errors="replace"),
            datetime.fromtimestamp(float(fields["at"]), UTC),
        )
    except (KeyError, ValueError, OverflowError) as fault:
        raise MalformedText(str(fault)) from None


def user_of(address: str) -> str:
    """The user part of a SIP or tel address, whatever stands around it."""
    found = _USER.findall(address)
    return unquote(found[-1]) if found else ""


def addressed(text: SipText, directory: Directory, key: str) -> Inbound | None:
    """To whom a text goes: the company of its number, else the one that answers for unknown ones; none: nobody yet."""
    known = directory.match(form for form in (text.number, text.to) if form)
    company = known.company_id if known is not None else directory.default_company
    if company is None:
        return None
    arrived = Arrived(known.e164 if known else text.number or text.to or "unknown", text.caller or "unknown", text.body)
    region = directory.regions.get(company, "US")
    found = inbound_of(arrived, company_id=company, account_id=None, region=region, received_at=text.at)
    if found is None:
        return None
    return Inbound(
        found.company_id, None, found.number, found.other, found.body, (), key, None, min(text.at, datetime.now(UTC))
    )


async def keep_taking(database: Database, outbox: Path, directory: Callable[[], Directory]) -> None:
    """Take what comes, until cancelled."""
    while True:
        try:
            await take(database, outbox, directory())
        except AWAY as error:  # also a folder that cannot be read, which the calls tell of
            _log.debug("texts over SIP wait", fault=str(error))
        await asyncio.sleep(LOOK_SECONDS)


async def take(database: Database, outbox: Path, directory: Directory) -> int:
    """Take what lies in the outbox now; how many texts. Raises OSError for the folder, and what Postgres raises."""
    taken = 0
    for file in await asyncio.to_thread(_files, outbox):
        try:
            text = parse(_content(file))
            if text is None:
                continue
            inbound = addressed(text, directory, file.name)
            if inbound is None:
                continue
            async with database.companies(inbound.company_id) as connection:
                await keep(connection, inbound)
        except (MalformedText, *REFUSED) as fault:
            _log.error("an outbox file is no text; it was put aside", file=str(file), why=str(fault))
            file.rename(file.with_name(f"{file.name}{REJECTED}"))
            continue
        file.unlink(missing_ok=True)
        taken += 1
    return taken


def _files(outbox: Path) -> list[Path]:
    return sorted(file for file in outbox.glob(f"{TEXT}*") if not file.name.endswith(REJECTED))


def _content(file: Path) -> str:
    if file.stat().st_size > MAX_FILE_BYTES:
        raise MalformedText(f"{file.stat().st_size} bytes")
    return file.read_text(errors="replace")
