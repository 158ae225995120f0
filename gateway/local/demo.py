"""The demonstration: `make demo`. Sets everything up, places real calls, visits its shop and calls from there, and
shows what came of it; then anybody may do the same.

python -m gateway.local.demo                 until Ctrl-C
python -m gateway.local.demo --once          a table, then ends; non-zero if anything fell short
python -m gateway.local.demo --once --json   one JSON object a call on standard output

Before that it fills ninety days of history in, the first time; with --once only where --history asks for it.
"""

import argparse
import asyncio
import fcntl
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from gateway.example.company import set_up
from gateway.example.filling import ExampleRefused, Voices, fill
from gateway.example.trades import DENTAL, ROOFING, TRADES
from gateway.http.commands import add_user, make_login_link
from gateway.http.permissions import Role
from gateway.local import demo_calls, demo_company, demo_visits
from gateway.local.carrier import CallerReport, Scenario
from gateway.local.errors import LocalError
from gateway.local.installation import MAIN_LINE_DIAL, Installation
from gateway.local.ports import Ports
from gateway.local.postgres import EmbeddedPostgres
from gateway.local.programs import AsteriskHome, prepare
from gateway.local.shop import ARRIVALS, Shop, ShopCompany, opened_shop
from gateway.local.shop_people import Person
from gateway.local.voices import Sounds, make_sounds
from gateway.store.database import Database
from gateway.store.migrate import migrate
from gateway.visits.snippet import tag

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / ".numberpool"

OWNER = "owner@acme-roofing.example"

# Long enough to look real, short enough to wait for.
RING_SECONDS = 10

# From the end of the last call to its finished recording.
_RECORDING_SECONDS = 20.0

_began = time.monotonic()


def say(line: str) -> None:
    """One line of progress, with the seconds since the start."""
    print(f"[{time.monotonic() - _began:5.1f} s] {line}", file=sys.stderr, flush=True)


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep a second demonstration out of the folder. Raises LocalError where one runs."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(f"a demonstration runs in {folder} already; end it with Ctrl-C first") from None
        yield


async def _programs() -> tuple[AsteriskHome, Sounds]:
    home = await asyncio.to_thread(prepare, FOLDER / "asterisk", say)
    branch, release = home.version
    say(f"Asterisk {branch}.{release} is there; making the voices")
    return home, await asyncio.to_thread(make_sounds, home, FOLDER / "sounds")


@asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[Database]:
    server = EmbeddedPostgres(folder / "postgres", outlives_us=False)
    dsn = await server.start()
    try:
        applied = await migrate(dsn)
        say("Postgres is there" + (f", migrated: {', '.join(applied)}" if applied else ""))
        database = await Database.open(dsn, 4)
        try:
            yield database
        finally:
            await database.close()
    finally:
        await server.stop()


async def _fill_history(database: Database, home: AsteriskHome, data_folder: Path) -> None:
    """Ninety days of the shop's company and of a second one, where nothing has happened in them yet."""
    async with database.everything() as connection:
        made = [await set_up(connection, trade, MAIN_LINE_DIAL, ring_seconds=RING_SECONDS) for trade in TRADES]
    await add_user(database, OWNER, DENTAL.company, Role.OWNER)
    voices = Voices(home.espeak, FOLDER / "voices", data_folder)
    filling = [
        fill(
            database,
            trade,
            company.id,
            key,
            datetime.now(UTC),
            voices=voices,
            made_company=trade is not ROOFING,
            say=say,
        )
        for trade, (company, key) in zip(TRADES, made, strict=True)
    ]
    for trade, result in zip(TRADES, await asyncio.gather(*filling, return_exceptions=True), strict=True):
        if isinstance(result, ExampleRefused):
            say(f"{trade.company} keeps the history it has")
        elif isinstance(result, BaseException):
            raise result
        else:
            say(f"{trade.company}: {result.calls} calls, {result.visits} visits, {result.jobs} jobs")


async def _show_calls(installation: Installation, shop: Shop, database: Database, as_json: bool) -> bool:
    """Place the calls and print what the log has of them; whether all went as it should."""
    calls = demo_calls.demo_calls(installation.carrier.sounds)
    say(f"placing {len(calls)} calls over SIP, to numbers in print and on posters")
    began = datetime.now(UTC)
    placing = asyncio.create_task(demo_calls.place_all(installation.carrier, calls))
    visiting = asyncio.create_task(_visit(installation, shop))
    deadline = None
    told_first = False
    faults: list[str] = []
    while True:
        lines = await demo_calls.logged_since(database, began, installation.data_folder)
        if not told_first and any(line.recording for line in lines):
            told_first = True
            say("the first recording is ready")
        if placing.done() and visiting.done():
            deadline = deadline or time.monotonic() + _RECORDING_SECONDS
            made, fault = visiting.result()
            others = [line for line in lines if line.caller not in shop.callers]
            faults = demo_calls.shortfalls(calls, placing.result(), others)
            faults += [fault] if fault else demo_visits.visit_shortfalls(made, lines)
            if not faults or time.monotonic() > deadline:
                break
        await asyncio.sleep(0.1)
    if as_json:
        for line in lines:
            print(json.dumps(line.as_json(), ensure_ascii=False))
    else:
        print(demo_calls.table(lines))
    sys.stdout.flush()
    for fault in faults:
        say(f"fell short: {fault}")
    return not faults


async def _visit(installation: Installation, shop: Shop) -> tuple[list[demo_visits.MadeVisit], str]:
    """Visit the shop; the visits, and what went wrong, in words."""
    try:
        return await demo_visits.make_visits(shop, installation.collector_url, installation.folder / "browser", say), ""
    except (LocalError, OSError, TimeoutError, aiohttp.ClientError) as error:
        return [], f"the visits of the shop: {error or type(error).__name__}"


async def _stay(installation: Installation, stopped: asyncio.Event) -> bool:
    """Wait for Ctrl-C, or for the end of the gateway, which is a fault."""
    waiting = asyncio.create_task(stopped.wait())
    gateway = asyncio.create_task(installation.gateway_ended())
    await asyncio.wait([waiting, gateway], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not gateway.done():
        gateway.cancel()
        return True
    say(f"the gateway ended by itself with status {gateway.result()}; its log is {installation.gateway_log}")
    return False


def _tell_addresses(installation: Installation, shop: Shop, link: str) -> None:
    pbx = installation.pbx
    number = demo_company.NUMBERS[demo_company.GOOGLE]
    ways = [f"{shop.url}{ARRIVALS[way][1]}" for way in ("google-ad", "facebook", "direct")]
    own_tag = tag(demo_company.SITE_KEY, installation.collector_url)
    print(
        f"\n  The call log:   {link}\n"
        "                  (signs you in once; it is good for 15 minutes)\n"
        f"  The shop:       {ways[0]}\n"
        f"                  {ways[1]}\n"
        f"                  {ways[2]}\n"
        "                  (from a Google ad, from Facebook, and directly: each shows another number;\n"
        '                  "Call this number" rings it, and seconds later the log says what brought the call)\n'
        f"  Your own page:  {own_tag}\n"
        "                  (replaces (306) 555-1234 on pages of any port of this machine)\n"
        f"  A softphone:    sip:{number}@{pbx.address}:{pbx.sip_port}\n"
        "                  (from this machine, with SIPp or a softphone; no password)\n"
        f"  By hand:        {sys.executable} -m gateway --config {installation.settings_file} --help\n"
        f"  Logs:           {installation.gateway_log}\n",
        file=sys.stderr,
        flush=True,
    )


async def demonstrate(folder: Path, *, once: bool, as_json: bool, history: bool = False) -> bool:
    """Run the demonstration, its data in `folder`; whether everything went as it should."""
    stopped = asyncio.Event()
    with only_one(folder), Ports() as ports:
        programs = asyncio.create_task(_programs())
        async with _database(folder) as database:
            home, sounds = await programs
            await demo_company.set_up_company(database, MAIN_LINE_DIAL, RING_SECONDS)
            await add_user(database, OWNER, demo_company.COMPANY, Role.OWNER, "Alex, the owner")
            if history:
                await _fill_history(database, home, folder / "data")
            # Chosen late: what is free now may not be a minute from now.
            pages_port = ports.take(8080, socket.SOCK_STREAM)
            collector_port = ports.take(pages_port + 1, socket.SOCK_STREAM)
            installation = Installation(
                home,
                folder,
                sounds,
                dsn=database.dsn,
                pages_port=pages_port,
                collector_port=collector_port,
                sip_port=ports.take(5060, socket.SOCK_DGRAM),
            )
            try:
                await installation.start()
                say("the gateway decides the calls of the private Asterisk")
                shop_port = ports.take(collector_port + 1, socket.SOCK_STREAM)
                async with opened_shop(shop_port, _shop_company(installation, database, collector_port)) as shop:
                    link = await make_login_link(database, OWNER, installation.pages_url)
                    if not once:
                        _tell_addresses(installation, shop, link)
                    for number in (signal.SIGINT, signal.SIGTERM):
                        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
                    showing = asyncio.create_task(_show_calls(installation, shop, database, as_json))
                    stopping = asyncio.create_task(stopped.wait())
                    await asyncio.wait([showing, stopping], return_when=asyncio.FIRST_COMPLETED)
                    stopping.cancel()
                    if not showing.done():
                        showing.cancel()
                        await asyncio.wait([showing])
                        return not once
                    went_well = showing.result()
                    if once:
                        return went_well
                    say("that was all; the pages and the shop stay until Ctrl-C")
                    return await _stay(installation, stopped)
            finally:
                say("stopping")
                await installation.stop()


def _shop_company(installation: Installation, database: Database, collector_port: int) -> ShopCompany:
    carrier = installation.carrier
    talk = carrier.sounds.seconds("website")

    async def call(number: str, person: Person) -> CallerReport:
        scenario = Scenario(after=2.0, talk=talk, conversation="website")
        return await carrier.place(number, person.number, scenario, name=person.name)

    return ShopCompany(
        demo_company.SITE_KEY,
        collector_port,
        installation.pages_url,
        numbers=lambda: demo_company.numbers_of_company(database),
        call=call,
    )


def main() -> None:
    """Entry point of `make demo`."""
    parser = argparse.ArgumentParser(prog="make demo", description="Real calls on a private Asterisk, on a page.")
    parser.add_argument("--once", action="store_true", help="print a table of the calls and end")
    parser.add_argument("--json", action="store_true", help="one JSON object a call instead of the table")
    parser.add_argument(
        "--history",
        action=argparse.BooleanOptionalAction,
        help="fill ninety days of history in first; so it does unless --once is given",
    )
    parser.add_argument("--folder", type=Path, default=FOLDER / "demo", help="where it keeps calls and recordings")
    arguments = parser.parse_args()
    try:
        history = not arguments.once if arguments.history is None else arguments.history
        went_well = asyncio.run(
            demonstrate(arguments.folder.absolute(), once=arguments.once, as_json=arguments.json, history=history)
        )
    except LocalError as error:
        say(str(error))
        went_well = False
    except KeyboardInterrupt:
        went_well = False
    raise SystemExit(0 if went_well else 1)


if __name__ == "__main__":
    main()
