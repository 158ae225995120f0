"""Secrets by which programs speak to the collector: shown once when they are made, kept as a hash."""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "catalog.sql")


class TokenKind(StrEnum):
    """What a program may do."""

    SERVER = "server"  # ask for numbers for pages that a site's own server renders
    GOOGLE_ADS = "google_ads"  # tell what Google Ads knows of clicks


@dataclass(frozen=True, slots=True)
class TokenBearer:
    """Whom a token speaks for; ``public_key`` is the site's, where it is a site's server."""

    kind: TokenKind
    company_id: int
    public_key: str | None


def hash_of(token: str) -> bytes:
    """What is kept of a token. It is 32 letters of chance, so nothing slower is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


async def make_token(connection: Any, company_id: int, kind: TokenKind, site_id: int | None = None) -> str:
    """A new token; the ones before go on being good until they are taken back."""
    token = f"np_{kind.value.replace('_', '')}_{secrets.token_urlsafe(24)}"
    await _queries.add_token(connection, company_id=company_id, site_id=site_id, kind=kind.value, hash=hash_of(token))
    return token


async def revoke_tokens(connection: Any, company_id: int, kind: TokenKind, site_id: int | None = None) -> int:
    """Take all tokens of a kind back; how many there were."""
    rows = _queries.remove_tokens(connection, company_id=company_id, kind=kind.value, site_id=site_id)
    return len([row async for row in rows])


async def bearers(connection: Any) -> dict[bytes, TokenBearer]:
    """Everybody who holds a token, by its hash."""
    return {
        bytes(row["hash"]): TokenBearer(TokenKind(row["kind"]), row["company_id"], row["public_key"])
        async for row in _queries.tokens(connection)
    }
