"""The rules of a company as they are set, and what they have done lately.

The functions take a connection inside a transaction that sees the company; each change is checked as a whole.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.calls.abroad import Unwanted, unwanted
from gateway.calls.consent import place_of
from gateway.calls.policy import NOTHING, Policy, read_policy, write_policy
from gateway.calls.screening import Screened
from gateway.errors import Mendable
from gateway.pools.numbers import to_e164
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "policies.sql")

# As far back as a rule tells what it did.
LATELY = timedelta(days=30)


class ForwardedThere(Mendable):
    """A limit would cut off a destination that calls go to now."""

    def __init__(self, name: str, country_or_kind: str) -> None:
        self.name = name
        super().__init__(
            f"{name!r} is where calls are forwarded now ({country_or_kind}); allow it, or change that destination "
            "first."
        )


class NoSuchTrap(Mendable):
    """A number is to be a trap, or none any more, that is not one of the company's."""

    def __init__(self, number: str) -> None:
        super().__init__(f"{number} is no number of this company, or is so already; numberpool number list shows them.")


@dataclass(frozen=True, slots=True)
class Acted:
    """What a rule did in the last thirty days: how many calls it met, and how many of them it kept from ringing."""

    calls: int = 0
    turned_away: int = 0


async def policy_of(connection: Any, company_id: int) -> Policy:
    """The rules in force. Raises PolicyRefused where a later Numberpool wrote them."""
    row = await _queries.policy_of(connection, company_id=company_id)
    return NOTHING if row is None else read_policy(json.loads(row["body"]))


async def set_policy(connection: Any, company_id: int, **changes: Any) -> tuple[Policy, Policy]:
    """Change some of the rules; what held before, and what holds now. Raises PolicyRefused, ForwardedThere.

    One after the other changes them: the row of the company is held.
    """
    owner = await _queries.hold_company(connection, company_id=company_id)
    before = await policy_of(connection, company_id)
    after = read_policy(write_policy(replace(before, **changes)))
    if (after.countries, after.premium) != (before.countries, before.premium):
        await _check_destinations(connection, company_id, owner["region"], before, after)
    if after != before:
        await _queries.save_policy(connection, company_id=company_id, body=json.dumps(write_policy(after)))
    return before, after


async def put_policy(connection: Any, company_id: int, document: object) -> None:
    """The rules as a document says them, as it was before a change. Raises PolicyRefused."""
    policy = read_policy(document)
    await _queries.hold_company(connection, company_id=company_id)
    await _queries.save_policy(connection, company_id=company_id, body=json.dumps(write_policy(policy)))


def differences(before: Policy, after: Policy) -> Mapping[str, list[Any]]:
    """What changed, field by field, as the audit log keeps it."""
    old, new = asdict(before), asdict(after)
    return {name: [old[name], new[name]] for name in old if old[name] != new[name]}


async def mark_trap(connection: Any, company_id: int, region: str, text: str, *, is_trap: bool) -> str:
    """Make a number a trap, or none; the number as E.164. Raises NumberError, NoSuchTrap."""
    e164 = to_e164(text, region)
    if await _queries.mark_trap(connection, company_id=company_id, e164=e164, is_trap=is_trap) is None:
        raise NoSuchTrap(e164)
    return e164


async def traps_of(connection: Any, company_id: int) -> list[str]:
    """The numbers that were marked as traps."""
    return [row["e164"] async for row in _queries.trap_numbers(connection, company_id=company_id)]


async def trunks_of(connection: Any, company_id: int, now: datetime) -> list[str]:
    """The trunks over which calls came lately, or that are limited: what can be limited."""
    return [row["trunk"] async for row in _queries.trunks_of(connection, company_id=company_id, since=now - LATELY)]


async def acted(connection: Any, company_id: int, now: datetime) -> dict[Screened, Acted]:
    """What each rule did lately."""
    rows = _queries.acted(connection, company_id=company_id, since=now - LATELY)
    return {Screened(row["screened"]): Acted(row["calls"], row["turned_away"]) async for row in rows}


async def ended_by_length(connection: Any, company_id: int, now: datetime) -> int:
    """How many calls were ended lately because they lasted too long."""
    return int(await _queries.ended_by_length(connection, company_id=company_id, since=now - LATELY))


async def place_of_company(connection: Any, company_id: int) -> str:
    """Where the business is by its main number, else its country; what holds where no place is set."""
    row = await _queries.hold_company(connection, company_id=company_id)
    return place_of(row["main_number"]) or str(row["region"])


async def _check_destinations(connection: Any, company_id: int, region: str, before: Policy, after: Policy) -> None:
    """That no destination is cut off which was allowed before."""
    async for row in _queries.dials_of(connection, company_id=company_id):
        why = unwanted(row["dial"], region, after)
        if why is not None and unwanted(row["dial"], region, before) is None:
            raise ForwardedThere(row["name"], "a number that costs extra" if why is Unwanted.PREMIUM else row["dial"])
