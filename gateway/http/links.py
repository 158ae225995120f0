"""One-time links, and the passwords that are set with and without them."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from gateway.audit import Action, Actor
from gateway.http import passwords
from gateway.http.accounts import Viewer, folded, new_token, note_everywhere, token_hash
from gateway.store.database import Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "accounts.sql")

LINK_VALID = timedelta(minutes=15)
# A link that travels by mail waits for somebody to look.
RESET_VALID = timedelta(hours=1)


class WrongPassword(Exception):
    """The present password is not right."""


class Purpose(StrEnum):
    """What a one-time link is good for."""

    SIGN_IN = "sign_in"
    RESET = "reset"


async def set_password(database: Database, viewer: Viewer, new: str, present: str, actor: Actor) -> None:
    """Set the viewer's password and end all his other sessions and unused links.

    The present one is asked for, unless there is none or he has just come by a link.
    Raises PasswordRefused, WrongPassword.
    """
    passwords.check(new, viewer.email, viewer.name)
    if await needs_present_password(database, viewer) and (
        await passwords.user_by_password(database, viewer.email, present) != viewer.user_id
    ):
        raise WrongPassword
    password_hash = await passwords.hashed(new)
    async with database.everything() as connection:
        await passwords.store(connection, viewer.user_id, password_hash)
        await _queries.end_other_sessions(connection, user_id=viewer.user_id, token_hash=viewer.session)
        await _queries.end_login_links(connection, user_id=viewer.user_id)
        await note_everywhere(connection, actor, viewer.user_id, Action.PASSWORD_SET)


async def needs_present_password(database: Database, viewer: Viewer) -> bool:
    """Whether the viewer must name his present password to set another."""
    if not viewer.has_password:
        return False
    async with database.everything() as connection:
        return not await _queries.came_by_link(connection, user_id=viewer.user_id, within=LINK_VALID)


async def reset_password(database: Database, token: str, new: str, address: str) -> int | None:
    """Set a password by a link from the mail, and end every session and link; the user, or none for a dead link.

    ``address`` is where the request came from. Raises PasswordRefused, and the link stays good.
    """
    async with database.everything() as connection:
        user = await _queries.peek_login_link(connection, token_hash=token_hash(token), purpose=Purpose.RESET.value)
    if user is None:
        return None
    passwords.check(new, user["email"], user["name"])
    password_hash = await passwords.hashed(new)
    async with database.everything() as connection:
        user_id: int | None = await _queries.use_login_link(
            connection, token_hash=token_hash(token), purpose=Purpose.RESET.value
        )
        if user_id is None:
            return None
        await passwords.store(connection, user_id, password_hash)
        await _queries.end_other_sessions(connection, user_id=user_id, token_hash=b"")
        await _queries.end_login_links(connection, user_id=user_id)
        actor = Actor(user_id, user["name"] or user["email"], address=address)
        await note_everywhere(connection, actor, user_id, Action.PASSWORD_RESET)
    return user_id


async def make_link_token(database: Database, email: str, purpose: Purpose = Purpose.SIGN_IN) -> str | None:
    """The token of a new one-time link for that user; none if there is no such user."""
    async with database.everything() as connection:
        return await link_token(connection, email, purpose)


async def link_token(connection: Connection, email: str, purpose: Purpose) -> str | None:
    """The same within a transaction."""
    user = await _queries.user_by_email(connection, email=folded(email))
    if user is None:
        return None
    token = new_token()
    valid = LINK_VALID if purpose is Purpose.SIGN_IN else RESET_VALID
    await _queries.insert_login_link(
        connection, token_hash=token_hash(token), user_id=user["id"], valid=valid, purpose=purpose.value
    )
    return token


async def link_email(database: Database, token: str, purpose: Purpose = Purpose.SIGN_IN) -> str | None:
    """Whose link this is, while it can be used; looking does not use it up."""
    async with database.everything() as connection:
        user = await _queries.peek_login_link(connection, token_hash=token_hash(token), purpose=purpose.value)
    return user["email"] if user is not None else None


async def use_link(database: Database, token: str) -> int | None:
    """Use a link for signing in up: its user, once; none after that, or when it is too old."""
    async with database.everything() as connection:
        user_id: int | None = await _queries.use_login_link(
            connection, token_hash=token_hash(token), purpose=Purpose.SIGN_IN.value
        )
    return user_id
