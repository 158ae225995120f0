"""``numberpool collect``: a worker of the collector by itself; any number of them share the port and the database."""

import asyncio
import gc
import signal

import structlog

from gateway.health import Health
from gateway.http.collector.running import listening_collector
from gateway.opening import open_database
from gateway.settings import Settings, SettingsError
from gateway.store.notify import Listener

_log = structlog.get_logger(__name__)


async def collect(settings: Settings) -> None:
    """Serve the collector until SIGTERM or SIGINT; what was taken is written before it ends.

    Raises SettingsError where the port is taken by another program.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    opening = asyncio.create_task(_serve(settings, stop))
    stopping = asyncio.create_task(stop.wait())
    # Also a start that waits for Postgres can be stopped.
    await asyncio.wait([opening, stopping], return_when=asyncio.FIRST_COMPLETED)
    if not opening.done():
        opening.cancel()
    await asyncio.wait([opening])
    stopping.cancel()
    if not opening.cancelled() and (error := opening.exception()):
        raise error


async def _serve(settings: Settings, stop: asyncio.Event) -> None:
    collector = settings.collector
    async with open_database(settings) as database:
        listener = Listener(database.dsn, Health())
        listening = asyncio.create_task(listener.run())
        try:
            async with listening_collector(collector, database, listener, reuse_port=True) as url:
                # What was made at the start stays, and requests leave few circles behind: looking for them less often
                # takes a tenth off what a page costs.
                gc.collect()
                gc.freeze()
                gc.set_threshold(20_000, 20, 20)
                _log.info("collector", url=collector.public_url or url)
                await stop.wait()
        except OSError as error:
            raise SettingsError(
                f"collector.port: cannot listen on {collector.host}:{collector.port} ({error.strerror}); "
                "another program has it: choose another port, or set in_gateway = false if the gateway itself serves it"
            ) from None
        finally:
            listening.cancel()
            await asyncio.wait([listening])
