"""Keeps a recording whole when the person at the other end changes.

MixMonitor stays on the caller's channel through transfers, but the ear it listens with drops every packet of the new
person whose RTP sequence number is older, modulo 2^16, than the last of the person before (Asterisk 22.10; numbers
start at random, so that every second transfer would lose a voice for minutes). A new ear begins afresh: the recorder is
stopped, one packet's time must pass, and it goes on at the end of the same files.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.asterisk.ami import AmiLink
from gateway.asterisk.channels import variable
from gateway.calls.record import CallRecord

# The old ear goes with the next packet of 20 ms after its recorder; at once, the new recorder would get the old ear.
PAUSE_SECONDS = 0.05
# A stranger can pretend that somebody came back from hold, over and over: no recording may be all pauses. So often in
# a row it is begun anew, more often than people pass a call on; then once in so many seconds.
MOST_AT_ONCE = 6
RENEW_SECONDS = 1.0


async def record_anew(link: AmiLink, channel: str, key: str, recordings: Path) -> bool:
    """Go on recording with a new ear; whether the call is recorded at all.

    ``link`` is of the account with write class ``system``, which starting a recorder needs. Raises AmiError; then the
    recording may end here.
    """
    recorder = await variable(link, channel, "NP_MIX")
    if not recorder:
        return False
    rate = await variable(link, channel, "NP_RATE")
    await link.action("StopMixMonitor", Channel=channel, MixMonitorID=recorder)
    await asyncio.sleep(PAUSE_SECONDS)
    sides = (f"{recordings / key}-{side}.sln{rate}" for side in ("caller", "business"))
    paused = await variable(link, channel, "NP_PAUSED") == "1"
    await link.action("MixMonitor", Channel=channel, Options="abSr({})t({})i(NP_MIX)".format(*sides))
    if paused:
        await mute(link, channel, muted=True)
    return True


async def mute(link: AmiLink, channel: str, *, muted: bool) -> None:
    """Let our recorder write silence on both sides, or what is said again. Raises AmiError.

    The files stay as long as the talk, and both sides in step.
    """
    recorder = await variable(link, channel, "NP_MIX")
    await link.action(
        "MixMonitorMute", Channel=channel, MixMonitorID=recorder, Direction="both", State="1" if muted else "0"
    )


@dataclass
class _Renewal:
    due: bool = False
    paid_until: float = 0.0  # monotonic: each time costs RENEW_SECONDS
    task: asyncio.Task[None] | None = None


class Renewals:
    """Has recordings begun anew by ``anew``, each at once, unless it was begun anew too often.

    What is due meanwhile is done later, all of it at one go.
    """

    def __init__(self, anew: Callable[[CallRecord], Awaitable[None]]) -> None:
        self._anew = anew
        self._renewals: dict[str, _Renewal] = {}

    def due(self, record: CallRecord) -> None:
        """Another voice is in the call of ``record``."""
        renewal = self._renewals.setdefault(record.key, _Renewal())
        renewal.due = True
        if renewal.task is None:
            renewal.task = asyncio.ensure_future(self._renew(record, renewal))

    def forget(self, key: str) -> None:
        """That call is over."""
        renewal = self._renewals.pop(key, None)
        if renewal is not None and renewal.task is not None:
            renewal.task.cancel()

    async def _renew(self, record: CallRecord, renewal: _Renewal) -> None:
        try:
            while renewal.due:
                credit = MOST_AT_ONCE * RENEW_SECONDS
                await asyncio.sleep(max(0.0, renewal.paid_until + RENEW_SECONDS - credit - time.monotonic()))
                renewal.due = False
                renewal.paid_until = max(renewal.paid_until, time.monotonic()) + RENEW_SECONDS
                await self._anew(record)
        finally:
            renewal.task = None
