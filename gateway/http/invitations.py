"""Invitations: to somebody by address, with a role in one company or several; good for seven days, and once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gateway import audit
from gateway.audit import Action, Actor
from gateway.http import members
from gateway.http.accounts import new_token, token_hash
from gateway.http.members import AlreadyMember
from gateway.http.permissions import Role
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "members.sql")
_accounts = load_queries(Path(__file__).parent, "accounts.sql")

VALID = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Place:
    """One company that an invitation is for."""

    company_id: int
    company: str
    role: Role
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that can be accepted."""

    id: int
    email: str
    name: str
    language: str
    invited_by: str
    expires_at: datetime
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation as the users of one of its companies see it."""

    id: int
    email: str
    name: str
    role: Role
    endpoints: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    invited_by: str

    @property
    def called(self) -> str:
        """How the pages call who was invited."""
        return self.name or self.email


async def invite(
    connection: Connection,
    actor: Actor,
    email: str,
    role: Role,
    companies: Sequence[int],
    *,
    name: str = "",
    endpoints: Sequence[str] = (),
    language: str = "en",
    action: Action = Action.USER_INVITED,
) -> int:
    """Write an invitation to an address (as addresses are stored); its id. Raises AlreadyMember.

    ``connection`` sees all the ``companies``, and the caller has looked that its viewer may give that role in each.
    One that is open already, for the same address and company, ends. To renew one is to write it anew for one company:
    who may do so there must not get a link that also opens another.
    """
    for company_id in companies:
        if await _queries.member_by_email(connection, company_id=company_id, email=email) is not None:
            raise AlreadyMember
        await _queries.forget_open_invitations(connection, company_id=company_id, email=email)
    id: int = await _queries.insert_invitation(
        connection, email=email, name=name, language=language, invited_by=actor.user_id, valid=VALID
    )
    for company_id in companies:
        await _queries.invite_to(
            connection, company_id=company_id, invitation_id=id, role=role.value, endpoints=list(endpoints)
        )
        about = {"name": name or email, "role": role.value, "endpoints": list(endpoints)}
        await audit.note(connection, actor, company_id, action, f"invitation/{id}", **about)
    return id


async def make_link(connection: Connection, id: int) -> str:
    """The token of a link to an invitation; those before it go on working."""
    token = new_token()
    await _queries.insert_invitation_link(connection, token_hash=token_hash(token), invitation_id=id)
    return token


async def open_invitations(connection: Connection, company_id: int) -> list[OpenInvitation]:
    """Who was invited to a company and has not come, the last one first; also those of the last month that ran out."""
    return [_open(row) async for row in _queries.open_invitations(connection, company_id=company_id)]


async def open_invitation(connection: Connection, company_id: int, id: int) -> OpenInvitation | None:
    """One of them."""
    row = await _queries.open_invitation(connection, company_id=company_id, id=id)
    return _open(row) if row is not None else None


async def withdraw(connection: Connection, actor: Actor, company_id: int, invitation: OpenInvitation) -> bool:
    """Take it back for one company; whether it was still open."""
    if await _queries.withdraw_invitation(connection, company_id=company_id, id=invitation.id) is None:
        return False
    await audit.note(
        connection,
        actor,
        company_id,
        Action.INVITATION_WITHDRAWN,
        f"invitation/{invitation.id}",
        name=invitation.called,
    )
    return True


async def restore(connection: Connection, company_id: int, id: int, role: Role, endpoints: Sequence[str]) -> None:
    """Undo a withdrawal."""
    await _queries.invite_to(
        connection, company_id=company_id, invitation_id=id, role=role.value, endpoints=list(endpoints)
    )


async def was_sent(connection: Connection, id: int) -> None:
    """A mail server has taken it."""
    await _queries.invitation_was_sent(connection, id=id)


async def by_id(connection: Connection, id: int) -> Invitation | None:
    """An invitation while it is good; for a transaction that sees every company."""
    rows = [row async for row in _queries.invitation_companies(connection, id=id)]
    if not rows:
        return None
    first = rows[0]
    return Invitation(
        first["id"],
        first["email"],
        first["name"],
        first["language"],
        first["invited_by"],
        first["expires_at"],
        tuple(
            Place(row["company_id"], row["company_name"], Role(row["role"]), tuple(row["endpoints"])) for row in rows
        ),
    )


async def by_token(connection: Connection, token: str) -> Invitation | None:
    """What a link opens, while it is good; for a transaction that sees every company."""
    id = await _queries.invitation_of_link(connection, token_hash=token_hash(token))
    return await by_id(connection, id) if id is not None else None


async def accept(connection: Connection, actor: Actor, invitation: Invitation) -> bool:
    """Make the actor, who has shown that he is meant, a member; false where it was used in the meantime."""
    assert actor.user_id is not None
    if await _queries.accept_invitation(connection, id=invitation.id) is None:
        return False
    for place in invitation.places:
        if await members.add(connection, place.company_id, actor.user_id, place.role, place.endpoints):
            await audit.note(
                connection,
                actor,
                place.company_id,
                Action.INVITATION_ACCEPTED,
                f"user/{actor.user_id}",
                name=actor.name,
                role=place.role.value,
            )
    return True


async def new_user(connection: Connection, invitation: Invitation, name: str) -> int | None:
    """A user with the invited address; none where there is one by now."""
    user_id: int | None = await _accounts.insert_user(
        connection, email=invitation.email, name=name, language=invitation.language
    )
    return user_id


def _open(row: Any) -> OpenInvitation:
    return OpenInvitation(
        row["id"],
        row["email"],
        row["name"],
        Role(row["role"]),
        tuple(row["endpoints"]),
        row["created_at"],
        row["expires_at"],
        row["sent_at"],
        row["invited_by"],
    )
