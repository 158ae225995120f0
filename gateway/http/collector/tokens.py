"""Secrets by which programs speak to the collector: shown once when they are made, kept as a hash."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "catalog.sql")


class TokenKind(StrEnum):
    """What a program may do."""

    SERVER = "server"  # ask for numbers for pages that a site's own server renders
    LEADS = "leads"  # hand in chats, forms and whatever else a company's own programs hear of
    GOOGLE_ADS = "google_ads"  # tell what Google Ads knows of clicks


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """Whom a token speaks for; ``public_key`` is the site's, where it is a site's server.

    ``region`` (ISO 3166-1) is the company's, by which national numbers are read.
    """

    kind: TokenKind
    company_id: int
    public_key: str | None
    id: int
    region: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program of a company's that hands in leads; ``used_at`` is about when it last did."""

    id: int
    name: str
    created_at: datetime
    used_at: datetime | None


def hash_of(token: str) -> bytes:
    """What is kept of a token. It is 32 letters of chance, so nothing slower is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


async def make_token(
    connection: Any, company_id: int, kind: TokenKind, site_id: int | None = None, *, name: str = ""
) -> str:
    """A new token; the ones before go on being good until they are taken back."""
    token = f"np_{kind.value.replace('_', '')}_{secrets.token_urlsafe(24)}"
    await _queries.add_token(
        connection, company_id=company_id, site_id=site_id, kind=kind.value, hash=hash_of(token), name=name
    )
    return token


async def programs_of(connection: Any, company_id: int) -> list[Program]:
    """The programs that may hand in a company's leads, by name."""
    return [Program(**row) async for row in _queries.programs(connection, company_id=company_id)]


async def remove_program(connection: Any, company_id: int, id: int) -> dict[str, Any] | None:
    """Take a program's token back; what ``bring_program_back`` wants, fit for JSON. None: there is no such program."""
    row = await _queries.remove_program(connection, company_id=company_id, id=id)
    if row is None:
        return None
    return {"name": row["name"], "hash": bytes(row["hash"]).hex(), "created_at": row["created_at"].isoformat()}


async def bring_program_back(connection: Any, company_id: int, was: Mapping[str, Any]) -> int:
    """Its token is good again; its id."""
    id: int = await _queries.bring_program_back(
        connection,
        company_id=company_id,
        name=was["name"],
        hash=bytes.fromhex(was["hash"]),
        created_at=datetime.fromisoformat(was["created_at"]),
    )
    return id


async def tell_used(connection: Any, company_id: int, id: int) -> None:
    """A program has handed something in; kept to the hour."""
    await _queries.tell_used(connection, company_id=company_id, id=id)


async def revoke_tokens(connection: Any, company_id: int, kind: TokenKind, site_id: int | None = None) -> int:
    """Take all tokens of a kind back; how many there were."""
    rows = _queries.remove_tokens(connection, company_id=company_id, kind=kind.value, site_id=site_id)
    return len([row async for row in rows])


async def bearers(connection: Any) -> dict[bytes, TokenBearer]:
    """Everybody who holds a token, by its hash."""
    return {
        bytes(row["hash"]): TokenBearer(
            TokenKind(row["kind"]), row["company_id"], row["public_key"], row["id"], row["region"]
        )
        async for row in _queries.tokens(connection)
    }
