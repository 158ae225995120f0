"""Where somebody is signed in, and which browsers are his."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway.http.accounts import SESSION_IDLE, SESSION_LONGEST, Viewer, new_token, token_hash
from gateway.store.database import Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "accounts.sql")

# To find the telephone that shows the code.
CODE_WAIT = timedelta(minutes=10)
DEVICE_KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in, there, with that browser."""

    id: int
    is_this: bool
    created_at: datetime
    last_seen: datetime
    user_agent: str
    address: str


async def start_session(
    connection: Connection, user_id: int, user_agent: str, address: str = "", *, awaits_code: bool = False
) -> str:
    """Open a session for a user who has shown who he is; its token.

    One that ``awaits_code`` opens nothing but the second step.
    """
    token = new_token()
    await _queries.end_old_sessions(connection)
    await _queries.insert_session(
        connection,
        token_hash=token_hash(token),
        user_id=user_id,
        idle=CODE_WAIT if awaits_code else SESSION_IDLE,
        user_agent=_one_line(user_agent)[:300],
        address=address,
        awaits_code=awaits_code,
    )
    return token


async def waiting_user(database: Database, token: str) -> int | None:
    """Who has shown his password in this session and owes the second step."""
    async with database.everything() as connection:
        user_id: int | None = await _queries.waiting_user(connection, token_hash=token_hash(token))
    return user_id


async def end_session(database: Database, session: bytes) -> None:
    """Sign out."""
    async with database.everything() as connection:
        await _queries.end_session(connection, token_hash=session)


async def sessions_of(database: Database, viewer: Viewer) -> list[Session]:
    """Where the viewer is signed in, the one seen last first."""
    async with database.everything() as connection:
        rows = [row async for row in _queries.sessions_of(connection, user_id=viewer.user_id, longest=SESSION_LONGEST)]
    return [
        Session(
            row["id"],
            row["token_hash"] == viewer.session,
            row["created_at"],
            row["last_seen"],
            row["user_agent"],
            row["address"],
        )
        for row in rows
    ]


async def end_one_session(database: Database, viewer: Viewer, id: int) -> bool:
    """Sign the viewer out somewhere; whether there was such a session of his."""
    async with database.everything() as connection:
        return await _queries.end_session_of(connection, id=id, user_id=viewer.user_id) is not None


async def end_other_sessions(database: Database, viewer: Viewer) -> int:
    """Sign the viewer out everywhere but here; from how many places."""
    async with database.everything() as connection:
        ended: int = await _queries.end_other_sessions(connection, user_id=viewer.user_id, token_hash=viewer.session)
    return ended


async def is_known_device(database: Database, email: str, device: str) -> bool:
    """Whether this user (by address, as it is stored) has signed in with this browser before."""
    async with database.everything() as connection:
        known: bool = await _queries.is_known_device(
            connection, email=email, token_hash=token_hash(device), kept=DEVICE_KEPT
        )
    return known


async def know_device(connection: Connection, user_id: int, device: str) -> bool:
    """Remember a browser; whether it is a new one of somebody who had others."""
    row = await _queries.know_device(connection, user_id=user_id, token_hash=token_hash(device), kept_for=DEVICE_KEPT)
    return bool(row["has_any"] and not row["is_known"])


def _one_line(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
