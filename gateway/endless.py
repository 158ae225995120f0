"""Work that never ends by itself: a fault in one part of the gateway stops no other, and the part is begun again."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from gateway.health import Condition, Health, Report

RESTART_SECONDS = 1.0
STEADY_SECONDS = 60.0

_log = structlog.get_logger(__name__)


async def endless(
    part: str, work: Callable[[], Awaitable[None]], health: Health, *, steady_seconds: float = STEADY_SECONDS
) -> None:
    """Do ``work``, which ends only by a fault nobody foresaw, again and again, until cancelled.

    The health report says so, until ``part`` says otherwise or has run for ``steady_seconds`` since.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            await work()
        except Exception as error:
            _log.exception("a part of the gateway failed; it is started again", part=part)
            health.tell(part, Condition.NEEDS_PERSON, f"Failed and was started again ({error}); the log says where.")
            loop.call_later(RESTART_SECONDS + steady_seconds, _calm, part, health.reports()[part], health)
        await asyncio.sleep(RESTART_SECONDS)


def _calm(part: str, failure: Report, health: Health) -> None:
    if health.reports().get(part) is failure:
        health.tell(part, Condition.OK, "Failed, and has run well since; the log says where.")
