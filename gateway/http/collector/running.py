"""A worker of the collector: what it keeps in memory, its listener, and how it stops without losing anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from aiohttp import web

from gateway.health import Condition, Health
from gateway.http.collector.app import collector_app
from gateway.http.collector.catalog import Catalog
from gateway.http.collector.keys import CollectorParts
from gateway.http.collector.limits import Buckets
from gateway.http.collector.reception import Reception
from gateway.leads.inbox import store as store_lead
from gateway.pools.desk import LendingDesk
from gateway.pools.keep_alive import KeepAlives
from gateway.pools.tally import Tally
from gateway.settings import CollectorSettings
from gateway.store.database import Database
from gateway.store.inbox import Inbox
from gateway.store.notify import Listener
from gateway.texts.store import store as store_text
from gateway.visits.bots import Signs, bot_of
from gateway.visits.devices import device_of
from gateway.visits.journal import Journal
from gateway.visits.places import Places
from gateway.visits.ways import Ways

PART = "collector"
# Keep-alives, taps and the like: a page says so every half minute, and an office has many pages open.
_SIGNALS_PER_VISIT = 10
# A whole office may fill in forms; who sends more from one address is a program.
_VISITS_PER_LEAD = 4
_SITE_VISITS_PER_LEAD = 50
_LEAST_LEADS = 10
# Of one program: a chat hands in one when it ends, and all of a day when it was cut off.
_LEADS_PER_SECOND = 10.0
# Of one account, with its reports: a carrier lets a number send one a second, and an account has many numbers.
_TEXTS_PER_SECOND = 50.0
RETRY_SECONDS = 5.0
# Each takes some 15 ms to be made ready; the others are when their first page comes.
_SITES_AT_THE_START = 50
_A_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def opened_collector(
    settings: CollectorSettings, database: Database, listener: Listener
) -> AsyncIterator[CollectorParts]:
    """Everything that requests work with; what was taken is written before it ends. Raises what the database raises."""
    async with AsyncExitStack() as running:
        catalog = Catalog()
        await catalog.load(database)
        await asyncio.to_thread(_warm_up, catalog)  # calls are decided meanwhile, where the gateway serves both
        places = Places.from_file(settings.places_file)
        running.callback(places.close)
        tally = await running.enter_async_context(Tally().running(database))
        ways = await running.enter_async_context(Ways().running(database))
        journal = await running.enter_async_context(Journal(database).running())
        leads = await running.enter_async_context(Inbox("leads", database, store_lead, before=journal.write).running())
        texts = await running.enter_async_context(Inbox("texts", database, store_text).running())
        keep_alives = await running.enter_async_context(KeepAlives(database).running())
        following = asyncio.create_task(catalog.keep(database, listener))
        running.push_async_callback(_ended, following)
        answer_seconds = settings.answer_ms / 1000
        # A visit may come when the one before has waited as long.
        desk = LendingDesk(database, tally, patience=answer_seconds / 2)
        per_second = settings.visits_per_minute / 60
        yield CollectorParts(
            database=database,
            settings=settings,
            catalog=catalog,
            reception=Reception(database, catalog, journal, desk, places, answer_seconds=answer_seconds),
            keep_alives=keep_alives,
            journal=journal,
            leads=leads,
            ways=ways,
            visits_of_address=Buckets(per_second, settings.visits_per_minute),
            signals_of_address=Buckets(
                _SIGNALS_PER_VISIT * per_second, _SIGNALS_PER_VISIT * settings.visits_per_minute
            ),
            visits_of_site=Buckets(settings.site_visits_per_second, 2 * settings.site_visits_per_second),
            leads_of_address=Buckets(
                per_second / _VISITS_PER_LEAD, max(_LEAST_LEADS, settings.visits_per_minute / _VISITS_PER_LEAD)
            ),
            leads_of_site=Buckets(
                settings.site_visits_per_second / _SITE_VISITS_PER_LEAD,
                max(_LEAST_LEADS, 2 * settings.site_visits_per_second / _SITE_VISITS_PER_LEAD),
            ),
            leads_of_program=Buckets(_LEADS_PER_SECOND, 20 * _LEADS_PER_SECOND),
            texts=texts,
            texts_of_account=Buckets(_TEXTS_PER_SECOND, 20 * _TEXTS_PER_SECOND),
        )


@asynccontextmanager
async def listening_collector(
    settings: CollectorSettings, database: Database, listener: Listener, *, reuse_port: bool = False
) -> AsyncIterator[str]:
    """The collector on its port; yields the address it is reached at. Raises OSError where another has the port."""
    async with opened_collector(settings, database, listener) as parts:
        runner = web.AppRunner(collector_app(parts), access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port, reuse_port=reuse_port, backlog=1024)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}"
        finally:
            await runner.cleanup()


async def run_collector(settings: CollectorSettings, database: Database, listener: Listener, health: Health) -> None:
    """Serve the collector until cancelled. Where its port is taken it says so and tries again: calls do not need it."""
    while True:
        try:
            async with listening_collector(settings, database, listener) as url:
                _log.info("collector", url=settings.public_url or url)
                health.tell(PART, Condition.OK, "Pages are given their numbers.")
                await asyncio.Event().wait()
        except OSError as error:
            health.tell(
                PART,
                Condition.NEEDS_PERSON,
                f"Pages show no tracking numbers: cannot listen on {settings.host}:{settings.port} ({error.strerror}). "
                "Another program has that port: choose another as port under [collector] in the settings.",
            )
            _log.error("the collector cannot listen", host=settings.host, port=settings.port, fault=str(error))
        await asyncio.sleep(RETRY_SECONDS)


def _warm_up(catalog: Catalog) -> None:
    """Make ready what is made when it is first asked for, some hundred milliseconds in all, before any page waits."""
    bot_of(Signs(_A_BROWSER, languages="en"))
    device_of(_A_BROWSER)
    for public_key in list(catalog.offer.sites)[:_SITES_AT_THE_START]:
        if (known := catalog.site(public_key)) is not None:
            known.classifier.decide("https://example.com/?utm_source=x", "https://www.google.com/")


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
