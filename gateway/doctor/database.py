"""Checks of Postgres, of the clocks, and of what the database knows about numbers."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway.asterisk.fallback import Difference
from gateway.calls.directory import Directory
from gateway.doctor.findings import Area, Finding, error, warning
from gateway.store.database import MINIMUM_VERSION

# So long is looked back for calls.
WINDOW = timedelta(days=30)
# A number that is younger may not have been printed yet.
_NEW = timedelta(days=7)
# What NTP keeps by far; calls are matched to visits by the second.
CLOCK_SECONDS = 1.0
_SHOWN = 20
_NEEDED = re.compile(r"CREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?\"?(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Server:
    """A Postgres: version as a number (150004), extension -> installed version (None where it could be installed)."""

    version: int
    version_text: str
    extensions: Mapping[str, str | None]
    revision: str | None


def extensions_needed(migrations: Path) -> dict[str, str]:
    """Extension -> the migration that creates it."""
    return {
        name: file.stem
        for file in sorted(migrations.glob("versions/*.sql"))
        for name in _NEEDED.findall(re.sub(r"--.*", "", file.read_text()))
    }


def check_server(server: Server, needed: Mapping[str, str], revisions: Sequence[str]) -> list[Finding]:
    """Version, extensions and schema. ``revisions``: those this Numberpool knows, oldest first."""
    found = []
    if server.version // 10000 < MINIMUM_VERSION:
        found.append(too_old(server.version_text))
    applied = revisions[: revisions.index(server.revision) + 1] if server.revision in revisions else []
    for name, revision in needed.items():
        if name not in server.extensions:
            found.append(
                error(
                    "postgres.extension",
                    Area.DATABASE,
                    f"This Postgres has no extension {name}, which Numberpool's tables need.",
                    f"apt-get install postgresql-contrib-{server.version // 10000}   # or the contrib package of your "
                    "distribution",
                    where=name,
                )
            )
        elif server.extensions[name] is None and revision in applied:
            found.append(
                error(
                    "postgres.extension",
                    Area.DATABASE,
                    f"The extension {name} was removed from the database, and what needs it with it.",
                    f"psql -c 'CREATE EXTENSION {name}'   # as the database's owner; then restore what was dropped "
                    "from a backup",
                    where=name,
                )
            )
    if server.revision is not None and server.revision not in revisions:
        found.append(
            error(
                "postgres.newer",
                Area.DATABASE,
                f"The database is of a newer Numberpool (revision {server.revision}) than this one.",
                "pip install --upgrade numberpool-*.whl   # the version that the database was brought to",
                where=server.revision,
            )
        )
    elif revisions and server.revision != revisions[-1]:
        found.append(
            error(
                "postgres.schema",
                Area.DATABASE,
                f"The database is at {server.revision or 'no revision at all'}; this Numberpool needs {revisions[-1]}.",
                "numberpool migrate",
                where=server.revision or "",
            )
        )
    return found


def too_old(text: str) -> Finding:
    """What to say of a Postgres that will not do."""
    return error(
        "postgres.version",
        Area.DATABASE,
        f"This Postgres is version {text}; Numberpool needs {MINIMUM_VERSION} or newer.",
        "pg_upgradecluster OLD main   # or remove postgres.dsn from the settings: Numberpool then runs its own",
    )


def check_clock(whose: str, ahead: float, kind: str) -> list[Finding]:
    """A clock that is ``ahead`` of ours by so many seconds."""
    if abs(ahead) <= CLOCK_SECONDS:
        return []
    return [
        error(
            kind,
            Area.CLOCKS,
            f"The clock of {whose} is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine's: calls "
            "do not meet the visits that made them.",
            "timedatectl set-ntp true   # on both machines; then: timedatectl timesync-status",
            where=whose,
        )
    ]


def check_fallback(difference: Difference) -> list[Finding]:
    """AstDB's routes against the database's."""
    if not difference:
        return []
    wrong = [*difference.put, *difference.delete]
    routes, are = (f"{len(wrong)} fallback routes", "are") if len(wrong) > 1 else ("A fallback route", "is")
    return [
        error(
            "fallback.unequal",
            Area.NUMBERS,
            f"{routes} in Asterisk {are} not what the database says ({_some(wrong)}): calls that no gateway decides go "
            "elsewhere.",
            "systemctl restart numberpool   # or: numberpool run; a gateway writes them at once",
            where=sorted(wrong)[0],
        )
    ]


def check_unknown_dids(called: Iterable[tuple[str, int, datetime]], directory: Directory) -> list[Finding]:
    """Numbers that were called and that no pool knows: ``(did, calls, last call)``."""
    found = []
    for did, calls, last in called:
        if directory.match([did]) is not None:
            continue  # it has been added since
        times = "once" if calls == 1 else f"{calls} times"
        if did.strip("+").isdecimal():
            found.append(
                warning(
                    "number.unknown",
                    Area.NUMBERS,
                    f"{did} was called {times} in the last {WINDOW.days} days (last {last:%Y-%m-%d}), and no pool "
                    "knows it.",
                    f'numberpool number add "{did}" --source "WHERE IT IS PRINTED"',
                    where=did,
                )
            )
        else:
            found.append(
                warning(
                    "number.unread",
                    Area.NUMBERS,
                    f"{'A call' if calls == 1 else f'{calls} calls'} of the last {WINDOW.days} days came without a "
                    f"number in the request line ({did or 'nothing'}).",
                    "in pjsip.conf, in the endpoint of that trunk:  set_var=NP_DID_FROM=to   # or party",
                    "asterisk -rx 'module reload res_pjsip.so'",
                    where=did,
                )
            )
    return found[:_SHOWN]


@dataclass(frozen=True, slots=True)
class Rung:
    """A tracking number: whether it rang within the window, and how often a day before it fell silent, if it did."""

    e164: str
    created_at: datetime
    last_call: datetime | None
    rang_lately: bool
    a_day: float | None = None


def check_silent_numbers(numbers: Iterable[Rung], now: datetime) -> list[Finding]:
    """Numbers that nobody's calls come in by, while others ring: no trunk delivers them, or nobody calls them.

    Which of the two cannot be known here. A number is silent as the pages say it (:mod:`gateway.attention.silence`):
    longer than its own habit explains. For one that never rang the others tell that there are calls at all.
    """
    numbers = list(numbers)
    others_rang = any(number.rang_lately for number in numbers)
    found = []
    for number in numbers:
        if number.last_call is None and others_rang and now - number.created_at >= _NEW:
            what = f"has never rung since it was added ({number.created_at:%Y-%m-%d}), while others did"
        elif number.last_call is not None and number.a_day is not None:
            often = f"{number.a_day:.1f} times a day" if number.a_day >= 1 else f"every {1 / number.a_day:.0f} days"
            what = f"has not rung since {number.last_call:%Y-%m-%d}; before, it rang {often} on average"
        else:
            continue
        found.append(
            warning(
                "number.silent",
                Area.NUMBERS,
                f"{number.e164} {what}: no trunk delivers it, or nobody calls it.",
                f"call {number.e164} from a mobile; if it does not ring here, ask the carrier to route it to your "
                "trunk",
                "asterisk -rx 'pjsip set logger on'   # shows whether its INVITE comes",
                where=number.e164,
            )
        )
    return found[:_SHOWN]


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:3]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")
