"""Who looks at the pages: users, their companies and roles.

Tokens are opaque, and stored as SHA-256, so that a copy of the database opens nothing.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gateway import audit
from gateway.audit import Action, Actor
from gateway.http.permissions import OWN_CALLS_ONLY, Role
from gateway.store.database import Connection, Database, OwnCalls
from gateway.store.queries import load_queries

FOLDER = Path(__file__).parent
_queries = load_queries(FOLDER, "accounts.sql")

SESSION_IDLE = timedelta(days=14)
# However busy, a session ends: a stolen one must not live for ever.
SESSION_LONGEST = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Company:
    """A company as its pages need it. ``is_example``: it holds example data."""

    id: int
    name: str
    zone: ZoneInfo
    region: str
    is_example: bool = False


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
    session_id: int = 0
    has_second_step: bool = False

    def company(self, id: int) -> Company | None:
        """One of the viewer's companies; none if he is not a member."""
        return next((m.company for m in self.memberships if m.company.id == id), None)

    def role(self, company_id: int) -> Role | None:
        """What he is there; none if he is not a member."""
        return next((m.role for m in self.memberships if m.company.id == company_id), None)

    @property
    def own_calls(self) -> OwnCalls | None:
        """What limits him to his own calls; none where he is an agent nowhere."""
        limited = tuple(m.company.id for m in self.memberships if m.role in OWN_CALLS_ONLY)
        return OwnCalls(self.user_id, limited) if limited else None


def token_hash(token: str) -> bytes:
    """What the database knows of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_token() -> str:
    """Nobody guesses it: 256 random bits."""
    return secrets.token_urlsafe(32)


def folded(email: str) -> str:
    """An address as it is stored and looked up."""
    return email.strip().lower()


async def viewer_of(database: Database, token: str, address: str = "") -> Viewer | None:
    """Whose session ``token`` opens; none if it never did, has ended or was idle too long. Keeps it alive."""
    hashed = token_hash(token)
    async with database.everything() as connection:
        rows = [
            row async for row in _queries.session_memberships(connection, token_hash=hashed, longest=SESSION_LONGEST)
        ]
        if rows and rows[0]["is_stale"]:
            await _queries.touch_session(connection, token_hash=hashed, idle=SESSION_IDLE, address=address)
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
                Company(
                    row["company_id"],
                    row["company_name"],
                    ZoneInfo(row["time_zone"]),
                    row["region"],
                    row["is_example"],
                ),
                Role(row["role"]),
            )
            for row in rows
            if row["company_id"] is not None
        ),
        session_id=first["session_id"],
        has_second_step=first["has_second_step"],
    )


async def note_everywhere(connection: Connection, actor: Actor, user_id: int, action: Action) -> None:
    """Write what somebody did to his own account into the log of every company he is a member of."""
    async for row in _queries.companies_of(connection, user_id=user_id):
        await audit.note(connection, actor, row["company_id"], action, f"user/{user_id}")
