"""Fallback routes: what the dialplan rings on its own, kept in AstDB equal to the database, by difference."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import structlog

from gateway.asterisk.ami import ActionFailed, AmiLink
from gateway.asterisk.routecode import encode_fitting, encode_route
from gateway.calls.directory import Directory
from gateway.calls.outbound import Trunk

FAMILY = "numberpool"
DEFAULT_KEY = "default"
# Actions under way together: enough not to wait for each, few enough that calls' own actions are not held up.
AT_ONCE = 200
# From so many entries on, writing takes seconds and says how far it is.
PROGRESS = 5000
Entry = tuple[str, str]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Difference:
    """What to write and what to delete, so that AstDB says what the database says."""

    put: Mapping[str, str]
    delete: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.put or self.delete)


def fallback_entries(directory: Directory, trunks: Sequence[Trunk] = ()) -> dict[str, str]:
    """Every AstDB entry of a node with these ``trunks``: a route for each form of each number, the default, and what
    follows each key of each menu.

    A number whose route cannot be written (it is told, and rings the default line) leaves the others alone.
    """
    routes: dict[int, str] = {}
    for number in directory.numbers.values():
        try:
            routes[number.id] = encode_route(number.route, trunks)
        except ValueError as error:
            _log.error("a number's route cannot be written", number=number.e164, fault=str(error))
    entries = {form: routes[number.id] for form, number in directory.by_form.items() if number.id in routes}
    if directory.default_company is not None:
        try:
            entries[DEFAULT_KEY] = encode_route(directory.default_route, trunks)
        except ValueError as error:  # the dialplan's own default line rings then
            _log.error("the default route cannot be written", fault=str(error))
    for choice, steps in directory.branches():
        if text := encode_fitting(steps, trunks):
            entries[choice] = text
    return entries


def difference(wanted: Mapping[str, str], present: Mapping[str, str]) -> Difference:
    """How ``present`` becomes ``wanted``."""
    return Difference(
        put={key: value for key, value in wanted.items() if present.get(key) != value},
        delete=frozenset(present) - frozenset(wanted),
    )


class FallbackRoutes:
    """AstDB's entries as this link knows them: read once, then only what differs is written."""

    def __init__(self, link: AmiLink, present: dict[str, str]) -> None:
        self._link = link
        self._present = present

    @classmethod
    async def read(cls, link: AmiLink) -> "FallbackRoutes":
        """What AstDB has now. Raises AmiError."""
        prefix = f"/{FAMILY}/"
        rows = await link.listing("DBGetTree", Family=FAMILY)
        return cls(link, {str(row["key"]).removeprefix(prefix): str(row["val"]) for row in rows})

    async def write(self, directory: Directory, trunks: Sequence[Trunk] = ()) -> int:
        """Make AstDB say what ``directory`` says on a node with these ``trunks``; the number of entries changed.

        Raises AmiError.
        """
        change = difference(await asyncio.to_thread(fallback_entries, directory, trunks), self._present)
        for some in batched(change.put.items(), AT_ONCE):
            await self._link.actions(*(("DBPut", {"Family": FAMILY, "Key": key, "Val": value}) for key, value in some))
            self._present.update(some)
            if len(change.put) > PROGRESS:
                _log.info("writing fallback routes", entries=len(change.put), present=len(self._present))
        for key in change.delete:
            with suppress(ActionFailed):  # somebody else deleted it
                await self._link.action("DBDel", Family=FAMILY, Key=key)
            del self._present[key]
        return len(change.put) + len(change.delete)


def batched(items: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    """``items`` in lists of at most ``size``."""
    following = iter(items)
    while some := list(islice(following, size)):
        yield some
