"""What a company wants of the telephones that its calls ring: set and read.

The functions take a connection inside a transaction that sees the company.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.asterisk.routecode import can_ask
from gateway.errors import Mendable
from gateway.pools import setup
from gateway.pools.errors import NoSuchDestination
from gateway.pools.setup import Company
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "answering.sql")


class CannotAsk(Mendable):
    """Whoever picks up at a destination cannot be asked for a key."""

    def __init__(self, name: str, dial: str) -> None:
        super().__init__(
            f"{name} leads to {dial}, where nobody can be asked to press 1: a context of your own takes the call over, "
            "and a long dial string does not fit. Ask there yourself, or name an endpoint or a number outside."
        )


@dataclass(frozen=True, slots=True)
class Telephones:
    """What a company wants. ``press_one``: the names of the destinations whose answer counts once 1 was pressed."""

    press_one: tuple[str, ...]


async def telephones(connection: Any, company: Company) -> Telephones:
    """What it wants now."""
    destinations = await setup.destinations(connection, company)
    return Telephones(tuple(row["name"] for row in destinations if row["press_one"]))


async def ask_to_press_one(connection: Any, company: Company, name: str, wanted: bool) -> None:
    """Let an answer at a destination count once somebody has pressed 1 there, or at once again.

    Calls that ring already go on as they began. Raises NoSuchDestination, CannotAsk.
    """
    name = name.strip()
    dial = await _queries.set_press_one(connection, company_id=company.id, name=name, press_one=wanted)
    if dial is None:
        raise NoSuchDestination(name)
    if wanted and not can_ask(dial):
        raise CannotAsk(name, dial)
