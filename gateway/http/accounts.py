"""Who signs in, and how: users, passwords, one-time links, sessions.

Tokens are opaque, and stored as SHA-256, so that a copy of the database opens nothing.
"""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.http.permissions import Role
from gateway.store.database import Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "accounts.sql")

LINK_VALID = timedelta(minutes=15)
SESSION_IDLE = timedelta(days=14)
# However busy, a session ends: a stolen one must not live for ever.
SESSION_LONGEST = timedelta(days=90)

SHORTEST_PASSWORD = 10
# Longer ones would only be a way to keep the processor busy.
LONGEST_PASSWORD = 1000

_hasher = PasswordHasher()
# Verified against where there is no such user or no password, so that the answer takes as long.
_NOBODY = _hasher.hash(secrets.token_urlsafe())
# One hash takes 64 MiB for some 50 ms; more at once would only queue for the processors, with the memory taken.
_hashing = asyncio.Semaphore(2)


class AccountError(Exception):
    """What a person must mend about an account.

    AccountError
    ├── PasswordTooShort
    ├── PasswordTooLong
    ├── PasswordIsAddress
    └── WrongPassword
    """


class PasswordTooShort(AccountError):
    """The password must have at least 10 characters."""


class PasswordTooLong(AccountError):
    """The password must have at most 1,000 characters."""


class PasswordIsAddress(AccountError):
    """The password must not be the e-mail address."""


class WrongPassword(AccountError):
    """The present password is not right."""


@dataclass(frozen=True, slots=True)
class Company:
    """A company as its pages need it."""

    id: int
    name: str
    zone: ZoneInfo
    region: str


@dataclass(frozen=True, slots=True)
class Membership:
    """What the viewer is in one company."""

    company: Company
    role: Role


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page, in which session."""

    user_id: int
    email: str
    name: str
    has_password: bool
    session: bytes  # the session's key: the hash of its token
    memberships: tuple[Membership, ...]

    def company(self, id: int) -> Company | None:
        """One of the viewer's companies; none if he is not a member."""
        return next((m.company for m in self.memberships if m.company.id == id), None)


def token_hash(token: str) -> bytes:
    """What the database knows of a token."""
    return hashlib.sha256(token.encode()).digest()


def folded(email: str) -> str:
    """An address as it is stored and looked up."""
    return email.strip().lower()


async def viewer_of(database: Database, token: str) -> Viewer | None:
    """Whose session ``token`` opens; none if it never did, has ended or was idle too long. Keeps it alive."""
    hashed = token_hash(token)
    async with database.everything() as connection:
        rows = [
            row async for row in _queries.session_memberships(connection, token_hash=hashed, longest=SESSION_LONGEST)
        ]
        if rows and rows[0]["is_stale"]:
            await _queries.touch_session(connection, token_hash=hashed, idle=SESSION_IDLE)
    if not rows:
        return None
    first = rows[0]
    return Viewer(
        user_id=first["user_id"],
        email=first["email"],
        name=first["user_name"],
        has_password=first["has_password"],
        session=hashed,
        memberships=tuple(
            Membership(
                Company(row["company_id"], row["company_name"], ZoneInfo(row["time_zone"]), row["region"]),
                Role(row["role"]),
            )
            for row in rows
            if row["company_id"] is not None
        ),
    )


async def start_session(database: Database, user_id: int, user_agent: str) -> str:
    """Open a session for a user who has shown who he is; its token."""
    token = secrets.token_urlsafe(32)
    async with database.everything() as connection:
        await _queries.end_old_sessions(connection)
        await _queries.insert_session(
            connection,
            token_hash=token_hash(token),
            user_id=user_id,
            idle=SESSION_IDLE,
            user_agent=user_agent[:300],
        )
    return token


async def end_session(database: Database, session: bytes) -> None:
    """Sign out."""
    async with database.everything() as connection:
        await _queries.end_session(connection, token_hash=session)


async def user_by_password(database: Database, email: str, password: str) -> int | None:
    """The user with this address and password; none if either is wrong."""
    async with database.everything() as connection:
        user = await _queries.user_by_email(connection, email=folded(email))
    stored = user["password_hash"] if user is not None else None
    right = await _verify(stored or _NOBODY, password[:LONGEST_PASSWORD])
    if user is None or stored is None or not right:
        return None
    user_id: int = user["id"]
    if _hasher.check_needs_rehash(stored):
        await _store_password(database, user_id, password)
    return user_id


async def set_password(database: Database, viewer: Viewer, new: str, present: str) -> None:
    """Set the viewer's password and end all his other sessions and unused links.

    The present one is asked for, unless there is none or he has just come by a link.
    Raises PasswordTooShort, PasswordTooLong, PasswordIsAddress, WrongPassword.
    """
    if len(new) < SHORTEST_PASSWORD:
        raise PasswordTooShort(PasswordTooShort.__doc__)
    if len(new) > LONGEST_PASSWORD:
        raise PasswordTooLong(PasswordTooLong.__doc__)
    if folded(new) == viewer.email:
        raise PasswordIsAddress(PasswordIsAddress.__doc__)
    if await needs_present_password(database, viewer) and (
        await user_by_password(database, viewer.email, present) != viewer.user_id
    ):
        raise WrongPassword(WrongPassword.__doc__)
    await _store_password(database, viewer.user_id, new)
    async with database.everything() as connection:
        await _queries.end_other_sessions(connection, user_id=viewer.user_id, token_hash=viewer.session)
        await _queries.end_login_links(connection, user_id=viewer.user_id)


async def needs_present_password(database: Database, viewer: Viewer) -> bool:
    """Whether the viewer must name his present password to set another."""
    if not viewer.has_password:
        return False
    async with database.everything() as connection:
        return not await _queries.came_by_link(connection, user_id=viewer.user_id, within=LINK_VALID)


async def make_link_token(database: Database, email: str) -> str | None:
    """The token of a new one-time link for that user; none if there is no such user."""
    token = secrets.token_urlsafe(32)
    async with database.everything() as connection:
        user = await _queries.user_by_email(connection, email=folded(email))
        if user is None:
            return None
        await _queries.insert_login_link(connection, token_hash=token_hash(token), user_id=user["id"], valid=LINK_VALID)
    return token


async def link_email(database: Database, token: str) -> str | None:
    """Whose link this is, while it can be used; looking does not use it up."""
    async with database.everything() as connection:
        user = await _queries.peek_login_link(connection, token_hash=token_hash(token))
    return user["email"] if user is not None else None


async def use_link(database: Database, token: str) -> int | None:
    """Use a link up: its user, once; none after that, or when it is too old."""
    async with database.everything() as connection:
        user_id: int | None = await _queries.use_login_link(connection, token_hash=token_hash(token))
    return user_id


async def _store_password(database: Database, user_id: int, password: str) -> None:
    async with _hashing:
        hashed = await asyncio.to_thread(_hasher.hash, password)
    async with database.everything() as connection:
        await _queries.set_password_hash(connection, user_id=user_id, password_hash=hashed)


async def _verify(stored: str, password: str) -> bool:
    def right() -> bool:
        try:
            return _hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async with _hashing:
        return await asyncio.to_thread(right)
