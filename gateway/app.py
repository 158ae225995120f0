"""Puts the parts together: the store, the nodes, the ledger, jobs and the pages, and takes them down in order."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

import structlog
from aiohttp import web

from gateway.asterisk.node import Node
from gateway.attention.endpoint_states import keep_endpoint_states
from gateway.attention.looking import keep_looking
from gateway.attention.node_states import keep_node_states
from gateway.attribution import nightly
from gateway.attribution.live import RingingDecision
from gateway.attribution.worker import AttributionWorker
from gateway.calls import own_sounds, placed_recordings, retention
from gateway.calls.directory import Directory
from gateway.calls.encoder import Encoder
from gateway.calls.ledger import Ledger
from gateway.calls.leftovers import adopt_leftovers
from gateway.calls.limit_letters import keep_telling
from gateway.calls.load import load_directory
from gateway.calls.placing import Placer
from gateway.calls.prompting import Prompting
from gateway.calls.recordings import RecordingStudio
from gateway.calls.route import Destination, Route
from gateway.calls.saying import Saying
from gateway.calls.speech import Speech, sounds_folder
from gateway.calls.talked import Talked
from gateway.calls.traffic import Traffic, keep_traffic
from gateway.calls.whispering import Whispering
from gateway.delivery import letters
from gateway.endless import endless
from gateway.health import Condition, Health
from gateway.http.app import PagesParts, pages_app
from gateway.http.collector.running import run_collector
from gateway.http.letters import writers
from gateway.http.rendering import templates_of_checkout_or_wheel
from gateway.http.report_letters import ReportDesk
from gateway.leads.crediting import keep_crediting
from gateway.leads.gathering import keep_gathering
from gateway.machine.notify import Systemd
from gateway.opening import open_database
from gateway.pools.tally import keep_sampling
from gateway.reports import mail_clerk
from gateway.reports.rollup import keep_counting
from gateway.settings import Settings, SettingsError
from gateway.site_check import job as site_checks
from gateway.store.database import AWAY, Database
from gateway.store.jobs import Handler, run_jobs
from gateway.store.notify import Listener
from gateway.texts import over_sip, sending
from gateway.visits import months, rule_runs

LEFTOVERS_SECONDS = timedelta(minutes=5).total_seconds()
# Notifications bring changes at once; this only mends what a lost one would leave.
DIRECTORY_SECONDS = 60.0
# A whisper that is wrong is worse than none: whoever answers believes it.
SURE_ENOUGH = 0.5
# How long the last calls may take to get into the database when we are stopped; what does not is in the outbox.
FAREWELL_SECONDS = 3.0

_log = structlog.get_logger(__name__)


class _Numbers:
    """The present directory, kept fresh."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        listener: Listener,
        whispering: Whispering,
        saying: Saying,
        prompting: Prompting,
    ) -> None:
        self._last_resort = Destination(settings.calls.default_destination, settings.calls.ring_seconds)
        self._contexts = settings.calls.dialplan_contexts
        self._emergency_callers = settings.calls.emergency_callers
        self._database = database
        self._listener = listener
        self._whispering = whispering
        self._saying, self._prompting = saying, prompting
        self.present = Directory({}, {}, {}, None, Route((self._last_resort,)))

    async def load(self) -> None:
        """Read everything again. Raises what the database raises."""
        async with self._database.everything() as connection:
            whispers, phrases = self._whispering.sounds(), self._saying.sounds()
            loaded = await load_directory(
                connection,
                self._last_resort,
                self._contexts,
                self._emergency_callers,
                whispers,
                phrases,
                self._prompting.sounds(),
            )
        for dial in sorted(loaded.passed_over - self.present.passed_over):
            _log.warning(
                "a destination is passed over: its context is not allowed",
                destination=dial,
                mend="name the context in dialplan_contexts under [calls] in the settings, run numberpool asterisk "
                "render, reload the dialplan, and start the gateway anew",
            )
        for dial in sorted(loaded.dial_emergency - self.present.dial_emergency):
            _log.warning(
                "a destination is passed over: it dials an emergency number",
                destination=dial,
                mend="let that destination dial another number; emergency calls never go through Numberpool",
            )
        for id in sorted(loaded.not_forwarded - self.present.not_forwarded):
            _log.warning(
                "a destination is passed over: its country is not allowed, or it costs extra",
                destination_id=id,
                mend="allow it (numberpool limits countries, numberpool limits premium), or change the destination",
            )
        self.present = loaded

    async def keep(self, changed: Callable[[], None]) -> None:
        """Read again whenever settings change, until cancelled; ``changed`` is told after each time."""
        async with self._listener.subscribe("numberpool_settings") as changes:
            following = aiter(changes)
            while True:
                try:
                    async with asyncio.timeout(DIRECTORY_SECONDS):
                        await anext(following)
                except TimeoutError:
                    pass
                try:
                    before = self.present
                    await self.load()
                except AWAY as error:
                    _log.warning("numbers cannot be read; the last known ones serve", fault=str(error))
                    continue
                if self.present != before:
                    changed()


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT.

    Calls in progress go on in Asterisk and are picked up again. Raises Mendable, OSError.
    """
    if not settings.nodes:
        raise SettingsError("no Asterisk is named: add a [[nodes]] table to the settings file (see README)")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    settings.data_folder.mkdir(parents=True, exist_ok=True)
    health = Health()
    encoder = Encoder()
    systemd = Systemd.from_environment()
    waits = "The database is not open yet; calls ring by their fallback routes."
    telling = asyncio.create_task(systemd.keep_told(health, "pages", waits))
    try:
        opening = asyncio.create_task(_serve(settings, health, encoder))
        stopping = asyncio.create_task(stop.wait())
        # Also a start that waits for Postgres can be stopped.
        await asyncio.wait([opening, stopping], return_when=asyncio.FIRST_COMPLETED)
        telling.cancel()
        systemd.tell("STOPPING=1", "STATUS=Stopping.")
        if not opening.done():
            opening.cancel()
        await asyncio.wait([opening])
        stopping.cancel()
        if not opening.cancelled() and (error := opening.exception()):
            raise error
    finally:
        await encoder.close()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _serve(settings: Settings, health: Health, encoder: Encoder) -> None:
    async with open_database(settings, keep=True) as database:
        listener = Listener(database.dsn, health)
        whispering = Whispering(database, _speech(settings), health)
        await whispering.load()
        saying = Saying(database, Speech(sounds_folder(settings) / "said", settings.speech), health)
        await saying.load()
        spools = {node.name: node.spool for node in settings.nodes if node.spool}
        prompts = Speech(sounds_folder(settings) / "prompts", settings.speech)
        prompting = Prompting(database, prompts, health, spools.values())
        await prompting.load()
        numbers = _Numbers(settings, database, listener, whispering, saying, prompting)
        await numbers.load()
        ledger = Ledger(database, health, lambda: numbers.present)
        talked, traffic = Talked(), Traffic()
        nodes = [Node(node, lambda: numbers.present, ledger, health, talked, traffic) for node in settings.nodes]
        keep = settings.visits.keep_months
        studio = RecordingStudio(database, settings.data_folder, spools, health, encoder)

        placer = Placer(database, ledger, nodes, lambda: numbers.present)

        settle_after = timedelta(seconds=settings.attribution.settle_seconds)
        attribution = AttributionWorker(database.dsn, health, settings.log, after=settle_after)
        ledger.on_written.append(attribution.rang)
        attribution.listeners.append(lambda decision: _whisper(decision, numbers.present, whispering, nodes))

        def numbers_changed() -> None:
            for node in nodes:
                node.directory_changed()

        async def spoken() -> None:
            await numbers.load()
            numbers_changed()

        writing = asyncio.create_task(endless("calls", ledger.run, health))
        remembering = asyncio.create_task(_remember(talked, database))
        try:
            async with _pages(settings, database, health, listener):
                parts: dict[str, Callable[[], Awaitable[None]]] = {
                    "postgres": listener.run,
                    "numbers": lambda: numbers.keep(numbers_changed),
                    "jobs": lambda: run_jobs(
                        database.dsn,
                        {
                            **studio.handlers(),
                            **months.handlers(database, keep),
                            **nightly.handlers(database),
                            **rule_runs.handlers(database),
                            **retention.handlers(database, settings.data_folder),
                            **_letters(settings, database, health),
                            **sending.handlers(database, settings.collector.public_url),
                            **(site_checks.handlers(database, settings) if settings.site_check.in_gateway else {}),
                        },
                        health,
                    ),
                    "months": lambda: months.look_ahead(database, keep),
                    "pools": lambda: keep_sampling(database),
                    "sources of calls": attribution.run,
                    "whispers": lambda: whispering.run(listener, spoken),
                    "announcements": lambda: saying.run(listener, spoken),
                    "prompts": lambda: prompting.run(listener, spoken),
                    "traffic": lambda: keep_traffic(traffic, database),
                    "limits": lambda: keep_telling(database, settings.mail),
                    "sounds": lambda: own_sounds.keep_in_place(database, sounds_folder(settings), listener, health),
                    "people": lambda: keep_gathering(database, health),
                    "sources of messages": lambda: keep_crediting(database),
                    "reports": lambda: keep_counting(database, health),
                    "learning": lambda: nightly.keep_learning(database),
                    "reports by mail": lambda: mail_clerk.keep_posting(database, settings.mail),
                    "silences": lambda: keep_looking(database),
                    "nodes": lambda: keep_node_states(database, nodes),
                    "telephones": lambda: keep_endpoint_states(database, nodes),
                    "retention": lambda: retention.keep_retention(database),
                    "calls back": lambda: placer.run(listener),
                    "recordings of calls back": lambda: placed_recordings.keep_making(
                        database, settings.data_folder, spools, encoder
                    ),
                    "recordings": lambda: _look_for_leftovers(settings, database, health),
                    **{f"asterisk:{node.name}": node.run for node in nodes},
                    **_texts_over_sip(settings, database, lambda: numbers.present),
                }
                if settings.collector.in_gateway:
                    parts["collector"] = lambda: run_collector(settings.collector, database, listener, health)
                async with asyncio.TaskGroup() as group:
                    for part, work in parts.items():
                        group.create_task(endless(part, work, health))
        finally:
            # The nodes have logged off: what they noted last gets its moment.
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await ledger.wait_idle()
            writing.cancel()
            remembering.cancel()


def _speech(settings: Settings) -> Speech:
    return Speech(sounds_folder(settings), settings.speech)


def _whisper(decision: RingingDecision, directory: Directory, whispering: Whispering, nodes: Sequence[Node]) -> None:
    """Tell whoever answers what brought a call that rings, where that is more likely so than not."""
    call = decision.call
    number = directory.numbers.get(call.number_id)
    if number is None or not number.whispers or decision.source_id is None or decision.source_confidence < SURE_ENOUGH:
        return
    sound = whispering.sound(call.company_id, decision.source_id, keyword=decision.keyword, campaign=decision.campaign)
    node = next((node for node in nodes if node.name == call.node), None)
    if sound is not None and node is not None:
        node.whisper(call.unique_id, sound)


async def _remember(talked: Talked, database: Database) -> None:
    """Read who talked with whom before we started; until then, flows know only of the calls since."""
    try:
        async with database.everything() as connection:
            await talked.load(connection)
        _log.debug("conversations were read")
    except AWAY as error:
        _log.warning("who talked with whom before cannot be read", fault=str(error))


def _texts_over_sip(
    settings: Settings, database: Database, directory: Callable[[], Directory]
) -> dict[str, Callable[[], Awaitable[None]]]:
    """What each Asterisk beside us was sent as texts."""
    return {
        f"texts:{node.name}": partial(over_sip.keep_taking, database, node.spool / "outbox", directory)
        for node in settings.nodes
        if node.spool
    }


def _letters(settings: Settings, database: Database, health: Health) -> dict[str, Handler]:
    """Invitations, new passwords, notices, reports and alerts, by mail."""
    written = writers(database, templates_of_checkout_or_wheel(), settings.pages.public_url or "")
    desk = ReportDesk(database, templates_of_checkout_or_wheel(), settings.pages.public_url or "")
    return {
        **letters.handlers(settings.mail, written, health),
        **mail_clerk.handlers(database, settings.mail, desk.write, health),
    }


@asynccontextmanager
async def _pages(settings: Settings, database: Database, health: Health, listener: Listener) -> AsyncIterator[None]:
    runner = web.AppRunner(
        pages_app(PagesParts(database=database, settings=settings, health=health, listener=listener)),
        access_log=None,
        shutdown_timeout=1.0,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.pages.host, settings.pages.port)
        try:
            await site.start()
        except OSError as error:
            raise SettingsError(
                f"pages.port: cannot listen on {settings.pages.host}:{settings.pages.port} ({error.strerror}); "
                "another program has it, so choose another port"
            ) from None
        host, port = runner.addresses[0][:2]
        url = settings.pages.public_url or f"http://{host}:{port}"
        _log.info("pages", url=url)
        health.tell("pages", Condition.OK, "Pages are served.")
        yield
    finally:
        await runner.cleanup()


async def _look_for_leftovers(settings: Settings, database: Database, health: Health) -> None:
    while True:
        for node in settings.nodes:
            if node.spool is None:
                continue
            try:
                await adopt_leftovers(database, node.name, node.spool, settings.data_folder, health)
            except AWAY as error:
                _log.warning("leftover recordings cannot be looked for", node=node.name, fault=str(error))
        await asyncio.sleep(LEFTOVERS_SECONDS)
