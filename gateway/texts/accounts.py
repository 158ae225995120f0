"""Accounts with carriers: kept, changed, removed, and who hears of their texts by mail."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.store.queries import load_queries
from gateway.texts.carriers.shape import Account, Kind

_queries = load_queries(Path(__file__).parent, "accounts.sql")


@dataclass(frozen=True, slots=True)
class Standing:
    """An account, when a text last came by it, and when something was last posted with a wrong signature."""

    account: Account
    heard_at: datetime | None
    refused_at: datetime | None


async def by_token(connection: Any) -> dict[str, Account]:
    """All accounts, over a connection that sees every company."""
    return {account.token: account async for account in _each(_queries.accounts(connection))}


async def account_by_id(connection: Any, company_id: int, id: int) -> Account | None:
    """One of a company's accounts; none where it is gone."""
    row = await _queries.account(connection, company_id=company_id, id=id)
    return None if row is None else _account(row)


async def standings(connection: Any, company_id: int) -> list[Standing]:
    """The accounts of a company, by name."""
    rows = _queries.accounts_of(connection, company_id=company_id)
    return [Standing(_account(row), row["heard_at"], row["refused_at"]) async for row in rows]


async def add(
    connection: Any, company_id: int, name: str, kind: Kind, plain: Mapping[str, str], secret: Mapping[str, str]
) -> int | None:
    """A new account with an address of its own; none where the name is taken."""
    id: int | None = await _queries.add_account(
        connection,
        company_id=company_id,
        name=name,
        kind=kind.value,
        token=secrets.token_urlsafe(30),
        plain=json.dumps(dict(plain)),
        secrets=json.dumps(dict(secret)),
    )
    return id


async def change(
    connection: Any, account: Account, name: str, plain: Mapping[str, str], secret: Mapping[str, str]
) -> bool:
    """Other values; what is not named in ``secret`` stays. False where the name is another's."""
    kept = {**account.secrets, **secret}
    changed = await _queries.change_account(
        connection,
        company_id=account.company_id,
        id=account.id,
        name=name,
        plain=json.dumps(dict(plain)),
        secrets=json.dumps({name: value for name, value in kept.items() if value}),
    )
    return changed is not None


async def renew_address(connection: Any, account: Account) -> None:
    """Another address; what is posted to the old one is refused from now on."""
    token = secrets.token_urlsafe(30)
    await _queries.new_token(connection, company_id=account.company_id, id=account.id, token=token)


async def remove(connection: Any, company_id: int, id: int) -> str | None:
    """Take it away; its texts stay. Its name, or none where it was gone."""
    name: str | None = await _queries.remove_account(connection, company_id=company_id, id=id)
    return name


async def bring_back(connection: Any, company_id: int, id: int) -> str | None:
    """Take the removal back; none where that is not possible any more."""
    name: str | None = await _queries.bring_back(connection, company_id=company_id, id=id)
    return name


async def was_refused(connection: Any, account: Account) -> None:
    """Something was posted to its address that was not signed as it should be."""
    await _queries.was_refused(connection, company_id=account.company_id, id=account.id)


async def mail_to(connection: Any, company_id: int) -> tuple[str, ...]:
    """Who hears of texts by mail."""
    return tuple(await _queries.mail_to(connection, company_id=company_id) or ())


async def set_mail_to(connection: Any, company_id: int, addresses: Sequence[str]) -> None:
    """From now on these."""
    await _queries.set_mail_to(connection, company_id=company_id, addresses=list(addresses))


async def _each(rows: Any) -> Any:
    async for row in rows:
        yield _account(row)


def _account(row: Any) -> Account:
    return Account(
        row["id"],
        row["company_id"],
        row["region"],
        row["name"],
        Kind(row["kind"]),
        row["token"],
        json.loads(row["plain"]),
        json.loads(row["secrets"]),
    )
