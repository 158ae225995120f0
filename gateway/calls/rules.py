"""What a company says of its callers: whom it lets through whatever else holds, and whom it blocks."""

import re
from pathlib import Path
from typing import Any

from gateway.calls.admission import Verdict
from gateway.calls.caller import caller_number
from gateway.calls.emergency import emergency_callers, is_emergency_caller
from gateway.errors import Mendable
from gateway.pools.setup import Company
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent)
# What people write between digits.
_BETWEEN = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]")
_CALLER = re.compile(r"[+0-9*#]{1,40}")


class CallerRefused(Mendable):
    """No rule can be made of what was given.

    CallerRefused
    ├── NoCallersNumber
    ├── NeverBlocked
    └── NoSuchRule
    """

    def __init__(self, given: str) -> None:
        super().__init__(f"{given!r} {self.__doc__}")


class NoCallersNumber(CallerRefused):
    """is no caller's number; write it as the call log shows it, such as (306) 555-0142 or +44 20 7946 0018."""


class NeverBlocked(CallerRefused):
    """is a number of emergency services, which may call back; their calls ring whatever rule there is."""


class NoSuchRule(CallerRefused):
    """has no rule; numberpool caller list shows those that have."""


def callers_number(text: str, region: str) -> str:
    """``text`` as a caller's number is kept: E.164, or what is sent where it cannot be read. Raises NoCallersNumber."""
    compact = _BETWEEN.sub("", text)
    number = caller_number(compact, region)
    if number is None or not _CALLER.fullmatch(number):
        raise NoCallersNumber(text)
    return number


async def set_rule(connection: Any, company: Company, text: str, verdict: Verdict, note: str = "") -> str:
    """Make a rule, or change the one that is there; the caller's number. Raises NoCallersNumber, NeverBlocked."""
    caller = callers_number(text, company.region)
    if verdict is Verdict.BLOCK and is_emergency_caller(caller, company.region, emergency_callers()):
        raise NeverBlocked(text)
    await _queries.set_caller_rule(
        connection, company_id=company.id, caller=caller, verdict=verdict.value, note=" ".join(note.split())
    )
    return caller


async def forget(connection: Any, company: Company, text: str) -> str:
    """Take a rule away; the caller's number. Raises NoCallersNumber, NoSuchRule."""
    caller = callers_number(text, company.region)
    if await _queries.forget_caller(connection, company_id=company.id, caller=caller) is None:
        raise NoSuchRule(text)
    return caller


async def rules(connection: Any, company: Company) -> list[Any]:
    """The rules of a company: caller, verdict, note."""
    return [row async for row in _queries.caller_rules(connection, company_id=company.id)]
