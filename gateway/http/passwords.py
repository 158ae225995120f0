"""Passwords: which will do, how they are kept (argon2id), and how one is checked."""

import asyncio
import re
import secrets
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.store.database import Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "accounts.sql")

# Length is what makes a password hard to guess (NIST SP 800-63B, section 5.1.1); nothing is asked of its characters.
SHORTEST = 12
# Longer ones would only be a way to keep the processor busy.
LONGEST = 1000
_FEWEST_CHARACTERS = 5

# What people write when twelve characters are asked for: one of these words, and digits or signs around it.
_GUESSES = """
    password passw0rd passwort parol пароль qwerty qwertyuiop qwertyuiopas asdfghjkl asdfghjklzxc zxcvbnm йцукен
    йцукенгшщзхъ letmein welcome iloveyou administrator admin changeme numberpool monkey dragon sunshine princess
    football baseball superman trustno master secret
"""
_FIRST_GUESSES = frozenset(_GUESSES.split())
_RUN = "0123456789" * 3
_LETTERS = re.compile(r"[\W\d_]+")

_hasher = PasswordHasher()
# Verified against where there is no such user or no password, so that the answer takes as long.
_NOBODY = _hasher.hash(secrets.token_urlsafe())
# One hash takes 64 MiB for some 50 ms; more at once would only queue for the processors, with the memory taken.
_hashing = asyncio.Semaphore(2)


class PasswordRefused(Exception):
    """A password that will not do.

    PasswordRefused
    ├── PasswordTooShort
    ├── PasswordTooLong
    ├── PasswordIsAddress
    └── PasswordTooCommon
    """


class PasswordTooShort(PasswordRefused):
    """The password must have at least 12 characters."""


class PasswordTooLong(PasswordRefused):
    """The password must have at most 1,000 characters."""


class PasswordIsAddress(PasswordRefused):
    """The password must not be the e-mail address or a name."""


class PasswordTooCommon(PasswordRefused):
    """The password is among the first that anybody would try."""


def check(password: str, email: str, name: str = "") -> None:
    """Raises PasswordTooShort, PasswordTooLong, PasswordIsAddress, PasswordTooCommon."""
    if len(password) < SHORTEST:
        raise PasswordTooShort
    if len(password) > LONGEST:
        raise PasswordTooLong
    small = password.strip().lower()
    own = {email.lower(), email.lower().partition("@")[0], name.lower(), "".join(name.lower().split())}
    if _without_ends(small) in {_without_ends(word) for word in own} - {""}:
        raise PasswordIsAddress
    letters = _LETTERS.sub("", small)
    digits = re.sub(r"\D", "", small)
    if (
        len(set(small)) < _FEWEST_CHARACTERS
        or letters in _FIRST_GUESSES
        or any(letters == word * (len(letters) // len(word)) for word in _FIRST_GUESSES if letters)
        or (len(digits) == len(small) and (digits in _RUN or digits in _RUN[::-1]))
    ):
        raise PasswordTooCommon


def _without_ends(text: str) -> str:
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)


async def user_by_password(database: Database, email: str, password: str) -> int | None:
    """The user with this address (as it is stored) and password; none if either is wrong, after as long a time."""
    async with database.everything() as connection:
        user = await _queries.user_by_email(connection, email=email)
    stored = user["password_hash"] if user is not None else None
    right = await _verify(stored or _NOBODY, password[:LONGEST])
    if user is None or stored is None or not right:
        return None
    user_id: int = user["id"]
    if _hasher.check_needs_rehash(stored):
        renewed = await hashed(password)
        async with database.everything() as connection:
            await store(connection, user_id, renewed)
    return user_id


async def hashed(password: str) -> str:
    """What is kept of a password. Takes a while, so no transaction should be open meanwhile."""
    async with _hashing:
        return await asyncio.to_thread(_hasher.hash, password)


async def store(connection: Connection, user_id: int, password_hash: str) -> None:
    """Replace somebody's password."""
    await _queries.set_password_hash(connection, user_id=user_id, password_hash=password_hash)


async def _verify(stored: str, password: str) -> bool:
    def right() -> bool:
        try:
            return _hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async with _hashing:
        return await asyncio.to_thread(right)
