"""The users of a company: who they are, what they may, which telephones are theirs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway import audit
from gateway.audit import Action, Actor
from gateway.http.permissions import Role
from gateway.store.database import Connection, Database
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "members.sql")

# As calls and legs name an endpoint: technology and name (gateway.asterisk.dialstring knows more, which cannot answer).
_ENDPOINT = re.compile(r"[A-Za-z0-9]{2,20}/[A-Za-z0-9_.+@:/=*#-]{1,100}")
MOST_ENDPOINTS = 20


class MemberRefused(Exception):
    """A change of a company's users that is not made.

    MemberRefused
    ├── LastOwner
    ├── AboveOwnRole
    ├── AlreadyMember
    └── NoEndpoint
    """


class LastOwner(MemberRefused):
    """A company always has an owner; make somebody else one first."""


class AboveOwnRole(MemberRefused):
    """Only an owner makes, changes and removes owners."""


class AlreadyMember(MemberRefused):
    """This person is a user of the company already."""


class NoEndpoint(MemberRefused):
    """This does not name a telephone; write it as Asterisk calls it, such as PJSIP/102."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a company."""

    user_id: int
    email: str
    name: str
    role: Role
    created_at: datetime
    last_seen: datetime | None
    has_second_step: bool
    endpoints: tuple[str, ...]

    @property
    def called(self) -> str:
        """How the pages call this person."""
        return self.name or self.email


def may_grant(granter: Role, role: Role) -> bool:
    """Whether somebody with a role may give, change or take another: only owners deal with owners."""
    return granter is Role.OWNER or role is not Role.OWNER


def endpoints_in(text: str) -> tuple[str, ...]:
    """Telephones as people list them, with commas, spaces or lines between; a bare name is one of PJSIP.

    Raises NoEndpoint.
    """
    found: dict[str, None] = {}
    for word in re.split(r"[\s,;]+", text.strip()):
        endpoint = word if "/" in word or not word else f"PJSIP/{word}"
        if not endpoint:
            continue
        if not _ENDPOINT.fullmatch(endpoint) or len(found) >= MOST_ENDPOINTS:
            raise NoEndpoint(word)
        found[endpoint] = None
    return tuple(found)


async def members_of(connection: Connection, company_id: int) -> list[Member]:
    """Everybody in a company: owners first, then by name."""
    return [_member(row) async for row in _queries.members_of(connection, company_id=company_id)]


async def member(connection: Connection, company_id: int, user_id: int) -> Member | None:
    """One user of a company."""
    row = await _queries.member(connection, company_id=company_id, user_id=user_id)
    return _member(row) if row is not None else None


async def known_endpoints(connection: Connection, company_id: int) -> list[str]:
    """Telephones that may be somebody's: those that calls reached, and those that destinations ring."""
    return [row["endpoint"] async for row in _queries.known_endpoints(connection, company_id=company_id)]


async def change_role(
    connection: Connection, actor: Actor, granter: Role, company_id: int, user_id: int, role: Role
) -> Role:
    """Make a user something else; what he was. Raises LastOwner, AboveOwnRole; KeyError where he is no member."""
    found = await _turn(connection, company_id, user_id)
    if not may_grant(granter, found.role) or not may_grant(granter, role):
        raise AboveOwnRole
    if found.role is role:
        return role
    await _keep_an_owner(connection, company_id, found)
    await _queries.set_role(connection, company_id=company_id, user_id=user_id, role=role.value)
    await audit.note(
        connection,
        actor,
        company_id,
        Action.ROLE_CHANGED,
        f"user/{user_id}",
        name=found.called,
        role=role.value,
        before=found.role.value,
    )
    return found.role


async def set_endpoints(
    connection: Connection, actor: Actor, company_id: int, user_id: int, endpoints: Sequence[str]
) -> tuple[str, ...]:
    """Say which telephones are a user's; which were. Raises KeyError where he is no member."""
    found = await _turn(connection, company_id, user_id)
    if set(endpoints) != set(found.endpoints):
        await _write_endpoints(connection, company_id, user_id, endpoints)
        await audit.note(
            connection,
            actor,
            company_id,
            Action.TELEPHONES_CHANGED,
            f"user/{user_id}",
            name=found.called,
            endpoints=list(endpoints),
            before=list(found.endpoints),
        )
    return found.endpoints


async def remove(connection: Connection, actor: Actor, granter: Role, company_id: int, user_id: int) -> Member:
    """Take a user out of a company, with the invitations he has sent; who he was.

    From the next request on he sees nothing of it. Raises LastOwner, AboveOwnRole; KeyError where he is no member.
    """
    found = await _turn(connection, company_id, user_id)
    if not may_grant(granter, found.role):
        raise AboveOwnRole
    await _keep_an_owner(connection, company_id, found)
    await _queries.forget_invitations_by(connection, company_id=company_id, user_id=user_id)
    await _queries.remove_member(connection, company_id=company_id, user_id=user_id)
    await audit.note(
        connection,
        actor,
        company_id,
        Action.USER_REMOVED,
        f"user/{user_id}",
        name=found.called,
        role=found.role.value,
    )
    return found


async def end_sessions_of_nobody(database: Database, user_id: int) -> None:
    """Sign somebody out everywhere who is in no company any more."""
    async with database.everything() as connection:
        left = await _queries.memberships_of(connection, user_id=user_id)
        await _queries.end_sessions_of_nobody(connection, user_id=user_id, is_member_elsewhere=left > 0)


async def add(connection: Connection, company_id: int, user_id: int, role: Role, endpoints: Sequence[str] = ()) -> bool:
    """Make somebody a member; whether he was none. What he is already, he stays."""
    if await _queries.add_member(connection, company_id=company_id, user_id=user_id, role=role.value) is None:
        return False
    await _write_endpoints(connection, company_id, user_id, endpoints)
    return True


async def _turn(connection: Connection, company_id: int, user_id: int) -> Member:
    await _queries.take_turn(connection, company_id=company_id)
    found = await member(connection, company_id, user_id)
    if found is None:
        raise KeyError(user_id)
    return found


async def _keep_an_owner(connection: Connection, company_id: int, found: Member) -> None:
    if found.role is Role.OWNER and await _queries.owners(connection, company_id=company_id) < 2:
        raise LastOwner


async def keep_an_owner(connection: Connection, company_id: int, user_id: int, role: Role) -> None:
    """Take a turn for giving somebody a role, member or not. Raises LastOwner where no owner would be left."""
    await _queries.take_turn(connection, company_id=company_id)
    found = await member(connection, company_id, user_id)
    if found is not None and role is not Role.OWNER:
        await _keep_an_owner(connection, company_id, found)


async def _write_endpoints(connection: Connection, company_id: int, user_id: int, endpoints: Sequence[str]) -> None:
    await _queries.forget_endpoints(connection, company_id=company_id, user_id=user_id, kept=list(endpoints))
    for endpoint in endpoints:
        await _queries.add_endpoint(connection, company_id=company_id, user_id=user_id, endpoint=endpoint)


def _member(row: Any) -> Member:
    return Member(
        row["user_id"],
        row["email"],
        row["name"],
        Role(row["role"]),
        row["created_at"],
        row["last_seen"],
        row["has_second_step"],
        tuple(row["endpoints"]),
    )
