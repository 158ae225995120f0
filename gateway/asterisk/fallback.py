"""Fallback routes: what the dialplan rings on its own, kept in AstDB equal to the database, by difference."""

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from gateway.asterisk.ami import ActionFailed, AmiLink
from gateway.asterisk.routecode import encode_route
from gateway.calls.directory import Directory

FAMILY = "numberpool"
DEFAULT_KEY = "default"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Difference:
    """What to write and what to delete, so that AstDB says what the database says."""

    put: Mapping[str, str]
    delete: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.put or self.delete)


def fallback_entries(directory: Directory) -> dict[str, str]:
    """Every AstDB entry: a route for each form of each number, and the default.

    A number whose route cannot be written (it is told, and rings the default line) leaves the others alone.
    """
    routes: dict[int, str] = {}
    for number in directory.numbers.values():
        try:
            routes[number.id] = encode_route(number.route)
        except ValueError as error:
            _log.error("a number's route cannot be written", number=number.e164, fault=str(error))
    entries = {form: routes[number.id] for form, number in directory.by_form.items() if number.id in routes}
    if directory.default_company is not None:
        entries[DEFAULT_KEY] = encode_route(directory.default_route)
    return entries


def difference(wanted: Mapping[str, str], present: Mapping[str, str]) -> Difference:
    """How ``present`` becomes ``wanted``."""
    return Difference(
        put={key: value for key, value in wanted.items() if present.get(key) != value},
        delete=frozenset(present) - frozenset(wanted),
    )


async def read_entries(link: AmiLink) -> dict[str, str]:
    """What AstDB has now. Raises AmiError."""
    prefix = f"/{FAMILY}/"
    rows = await link.listing("DBGetTree", Family=FAMILY)
    return {str(row["key"]).removeprefix(prefix): str(row["val"]) for row in rows}


async def sync_fallback(link: AmiLink, directory: Directory) -> int:
    """Make AstDB say what ``directory`` says; the number of entries changed. Raises AmiError."""
    change = difference(fallback_entries(directory), await read_entries(link))
    for key, value in change.put.items():
        await link.action("DBPut", Family=FAMILY, Key=key, Val=value)
    for key in change.delete:
        try:
            await link.action("DBDel", Family=FAMILY, Key=key)
        except ActionFailed:  # somebody else deleted it
            _log.info("a fallback route was gone already", key=key)
    return len(change.put) + len(change.delete)
