"""Companies, sources, destinations, pools and numbers: each checked before it is written.

The functions take a connection inside a transaction that sees every company (``Database.everything``): whether a call
would come back to us concerns the numbers of all of them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.numbers import is_currency

from gateway.asterisk.dialstring import checked_dial_string, checked_sound, dialplan_context
from gateway.calls.abroad import Unwanted, unwanted
from gateway.calls.emergency import emergency_dialled, is_emergency
from gateway.calls.outbound import TRUNK
from gateway.calls.policy_setup import policy_of
from gateway.pools import errors
from gateway.pools.loops import dials_any_of
from gateway.pools.numbers import NumberError, checked_region, to_e164
from gateway.store.queries import load_queries

STATIC_POOL = "Static numbers"

_queries = load_queries(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant. ``region`` is the country whose national numbers it writes."""

    id: int
    name: str
    region: str


async def companies(connection: Any) -> list[Any]:
    """All companies, in the order in which they were made."""
    return [row async for row in _queries.companies(connection)]


async def sources(connection: Any, company: Company) -> list[Any]:
    """The sources of a company."""
    return [row async for row in _queries.sources(connection, company_id=company.id)]


async def destinations(connection: Any, company: Company) -> list[Any]:
    """The destinations of a company."""
    return [row async for row in _queries.destinations(connection, company_id=company.id)]


async def pools(connection: Any, company: Company) -> list[Any]:
    """The pools of a company."""
    return [row async for row in _queries.pools(connection, company_id=company.id)]


async def numbers(connection: Any, company: Company) -> list[Any]:
    """The tracking numbers of a company, each with where it stands and leads."""
    return [row async for row in _queries.numbers(connection, company_id=company.id)]


async def the_company(connection: Any, name: str | None = None) -> Company:
    """The company of that name, or the only one. Raises NoCompany, NoSuchCompany, WhichCompany."""
    known = await companies(connection)
    found = [row for row in known if name is None or row["name"] == name]
    if len(found) > 1:
        raise errors.WhichCompany(len(found))
    if not known:
        raise errors.NoCompany
    if not found:
        raise errors.NoSuchCompany(name)
    return Company(found[0]["id"], found[0]["name"], found[0]["region"])


async def add_company(
    connection: Any,
    name: str,
    *,
    time_zone: str = "UTC",
    region: str = "US",
    currency: str = "USD",
    record_calls: bool = True,
    announcement: str | None = None,
    main_number: str | None = None,
    is_default: bool | None = None,
) -> Company:
    """Make a company. ``is_default``: calls to numbers that nobody owns are its; by default those of the first are.

    ``main_number`` is the number people know it by. Raises NoName, NameTaken, UnknownTimeZone, UnknownCurrency,
    BadRegion, BadSound, BadNumber, EmergencyNumber.
    """
    name = checked_name(name)
    if any(row["name"] == name for row in await companies(connection)):
        raise errors.NameTaken(name)
    try:
        region = checked_region(region)
    except NumberError as error:
        raise errors.BadRegion(str(error)) from None
    currency = currency.strip().upper()
    if not is_currency(currency):
        raise errors.UnknownCurrency(currency)
    if is_default:
        await _queries.no_default_company(connection)
    company_id = await _queries.add_company(
        connection,
        name=name,
        time_zone=_time_zone(time_zone),
        region=region,
        currency=currency,
        record_calls=record_calls,
        announcement=sound_of(announcement),
        main_number=main_number and _number(main_number, region),
        is_default=is_default,
    )
    return Company(company_id, name, region)


async def set_main_number(connection: Any, company: Company, text: str) -> str:
    """Give a company the number people know it by; the number as E.164. Raises BadNumber, EmergencyNumber."""
    e164 = _number(text, company.region)
    await _queries.set_main_number(connection, company_id=company.id, main_number=e164)
    return e164


async def add_source(
    connection: Any,
    company: Company,
    name: str,
    *,
    channel: str = "",
    source: str = "",
    medium: str = "",
    campaign: str = "",
) -> int:
    """Make a source; its id. Raises NoName, NameTaken."""
    source_id: int | None = await _queries.add_source(
        connection,
        company_id=company.id,
        name=checked_name(name),
        channel=channel.strip(),
        source=source.strip(),
        medium=medium.strip(),
        campaign=campaign.strip(),
    )
    if source_id is None:
        raise errors.NameTaken(name.strip())
    return source_id


async def add_destination(
    connection: Any,
    company: Company,
    name: str,
    dial: str,
    *,
    ring_seconds: int = 30,
    next_name: str | None = None,
    is_default: bool | None = None,
    contexts: Collection[str] = (),
    trunks: bool = True,
) -> int:
    """Make a destination; its id. ``next_name``: where the call goes when nobody answers. The first is the main line.

    ``contexts`` are those of the admin's own dialplan that the settings allow; ``trunks``: they name some for numbers
    outside (``Trunk/…``). Raises NoName, NameTaken, BadDialString, BadNumber, EmergencyNumber, NoTrunks,
    ContextNotAllowed, BadRingSeconds, NoSuchDestination, CallsItself.
    """
    name = checked_name(name)
    dial = await checked_dial(connection, company, dial, contexts=contexts, trunks=trunks)
    ring_seconds = checked_ring_seconds(ring_seconds)
    next_id = None
    if next_name is not None:
        next_id = _by_name(await destinations(connection, company), next_name, errors.NoSuchDestination)
    if any(row["name"] == name for row in await destinations(connection, company)):
        raise errors.NameTaken(name)
    if is_default:
        await _queries.no_default_destination(connection, company_id=company.id)
    destination_id: int | None = await _queries.add_destination(
        connection,
        company_id=company.id,
        name=name,
        dial=dial,
        ring_seconds=ring_seconds,
        next_id=next_id,
        is_default=is_default,
    )
    if destination_id is None:
        raise errors.NameTaken(name)
    return destination_id


async def checked_dial(
    connection: Any, company: Company, dial: str, *, contexts: Collection[str] = (), trunks: bool = True
) -> str:
    """What a destination dials, as it is stored; ``contexts`` and ``trunks`` as ``add_destination`` says.

    Raises BadDialString, BadNumber, EmergencyNumber, DialsEmergency, NotThatCountry, CostsExtra, NoTrunks,
    ContextNotAllowed, CallsItself.
    """
    try:
        dial = checked_dial_string(_outside(dial.strip(), company.region))
    except ValueError as error:
        raise errors.BadDialString(str(error)) from None
    if (emergency := emergency_dialled(dial, company.region)) is not None:
        raise errors.DialsEmergency(dial, emergency)
    match unwanted(dial, company.region, await policy_of(connection, company.id)):
        case Unwanted.PREMIUM:
            raise errors.CostsExtra(dial)
        case Unwanted.COUNTRY:
            raise errors.NotThatCountry(dial)
    if dial.startswith(TRUNK) and not trunks:
        raise errors.NoTrunks(dial)
    context = dialplan_context(dial)
    if context is not None and context not in contexts:
        raise errors.ContextNotAllowed(dial, context, contexts)
    ours = [row async for row in _queries.all_numbers(connection)]
    if dials_any_of(dial, [(row["e164"], row["region"]) for row in ours]):
        raise errors.CallsItself(dial)
    return dial


def checked_ring_seconds(seconds: int) -> int:
    """How long a destination rings. Raises BadRingSeconds."""
    if not 5 <= seconds <= 600:
        raise errors.BadRingSeconds(seconds)
    return seconds


def checked_name(name: str) -> str:
    """A name with single spaces. Raises NoName."""
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise errors.NoName(name)
    return name


async def add_pool(
    connection: Any,
    company: Company,
    name: str,
    kind: Literal["static", "dynamic"] = "static",
    *,
    record_calls: bool | None = None,
) -> int:
    """Make a pool; its id. Raises NoName, NameTaken."""
    pool_id: int | None = await _queries.add_pool(
        connection, company_id=company.id, name=checked_name(name), kind=kind, record_calls=record_calls
    )
    if pool_id is None:
        raise errors.NameTaken(name.strip())
    return pool_id


async def add_number(
    connection: Any,
    company: Company,
    text: str,
    *,
    source: str | None = None,
    pool: str | None = None,
    destination: str | None = None,
    record_calls: bool | None = None,
    whisper: str | None = None,
    fax: bool = False,
) -> str:
    """Make a tracking number, named as people write it; the number as E.164.

    Source, pool and destination are named. Without a pool it joins the company's pool of static numbers, which is made
    when it is first needed; without a destination it rings the main line. Calls of a ``fax`` go straight through,
    nothing played and nothing recorded, whatever pool and company say. Raises BadNumber, EmergencyNumber, BadSound,
    NumberTaken, IsDestination, NeedsSource, FaxIsLeftAlone, NoSuchSource, NoSuchPool, NoSuchDestination.
    """
    e164 = _number(text, company.region)
    async for row in _queries.all_dial_strings(connection):
        if dials_any_of(row["dial"], [(e164, company.region)]):
            raise errors.IsDestination(text)
    pool_id, kind = await _pool(connection, company, pool)
    if kind == "static" and source is None:
        raise errors.NeedsSource(text)
    if fax and (whisper or record_calls):
        raise errors.FaxIsLeftAlone(text)
    number_id = await _queries.add_number(
        connection,
        company_id=company.id,
        pool_id=pool_id,
        e164=e164,
        source_id=source and _by_name(await sources(connection, company), source, errors.NoSuchSource),
        destination_id=destination
        and _by_name(await destinations(connection, company), destination, errors.NoSuchDestination),
        record_calls=record_calls,
        whisper=sound_of(whisper),
        fax=fax,
    )
    if number_id is None:
        raise errors.NumberTaken(text)
    return e164


def _number(text: str, region: str) -> str:
    """A number as E.164. Raises BadNumber, EmergencyNumber."""
    if is_emergency(text, region):
        raise errors.EmergencyNumber(text)
    try:
        return to_e164(text, region)
    except NumberError as error:
        raise errors.BadNumber(str(error)) from None


def _outside(dial: str, region: str) -> str:
    """A number outside may be written as people do: ``Trunk/(306) 555-1234``. Raises BadNumber, EmergencyNumber."""
    return f"{TRUNK}{_number(dial.removeprefix(TRUNK), region)}" if dial.startswith(TRUNK) else dial


async def _pool(connection: Any, company: Company, name: str | None) -> tuple[int, str]:
    known = {row["name"]: row for row in await pools(connection, company)}
    if name is None and STATIC_POOL not in known:
        return await add_pool(connection, company, STATIC_POOL), "static"
    chosen = known.get(STATIC_POOL if name is None else name.strip())
    if chosen is None:
        raise errors.NoSuchPool(name)
    return chosen["id"], chosen["kind"]


def _by_name(rows: list[Any], name: str, missing: type[errors.SetupError]) -> int:
    for row in rows:
        if row["name"] == name.strip():
            return int(row["id"])
    raise missing(name)


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise errors.UnknownTimeZone(name) from None
    return name


def sound_of(name: str | None) -> str | None:
    """A sound as it was given, none where none was. Raises BadSound."""
    if name is None:
        return None
    try:
        return checked_sound(name)
    except ValueError as error:
        raise errors.BadSound(str(error)) from None
