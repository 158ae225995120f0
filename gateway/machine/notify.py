"""What systemd is told of us: that we are ready, how we are, that we are alive, that we stop.

The protocol is one datagram of VARIABLE=value lines to the socket named in the environment (sd_notify(3)); a library
for it would be no shorter than its use. The watchdog (sd_watchdog_enabled(3)) is fed by the event loop itself: a loop
that hangs feeds it no more, and systemd starts us again.
"""

import asyncio
import os
import socket
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Self

import structlog

from gateway.health import Condition, Health

# systemd ends a service that is not ready in time. A gateway that waits for its database is as ready as it can be:
# whoever waits for us, waits no longer than this.
START_SECONDS = 5.0
# How often the sentence in `systemctl status` is compared with how things are.
LOOK_SECONDS = 1.0
# Fed this many times within the time after which systemd would start us again; twice is what its manual asks for.
FEEDINGS = 4

_LONGEST_STATUS = 300

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Systemd:
    """The service manager that started us; without a socket there is none, and nothing is told."""

    address: str | None
    watchdog_seconds: float | None

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Self:
        """What systemd handed over. It is taken out of the environment: our child processes have nothing to tell."""
        address = environment.pop("NOTIFY_SOCKET", None) or None
        microseconds = environment.pop("WATCHDOG_USEC", "")
        # The variables may have been inherited from a service that meant itself.
        for_us = environment.pop("WATCHDOG_PID", "") in {"", str(os.getpid())}
        watchdog = int(microseconds) / 1e6 if for_us and microseconds.isdecimal() and int(microseconds) else None
        return cls(address, watchdog)

    def tell(self, *assignments: str) -> bool:
        """Send ``READY=1`` and the like in one datagram; whether it was taken. Never waits and never raises."""
        if self.address is None:
            return False
        # "@" stands for the zero byte of an abstract socket (unix(7)).
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.setblocking(False)
                out.sendto("\n".join(assignments).encode(), address)
        except OSError as error:
            _log.warning("systemd does not take what it is told", fault=str(error))
            return False
        return True

    async def keep_told(self, health: Health, last_part: str, meanwhile: str) -> None:
        """Tell readiness once, changes of health, and that the event loop is alive, until cancelled.

        Ready is when ``last_part`` has told how it is, and in any case after START_SECONDS; until it has, the status is
        ``meanwhile``.
        """
        if self.address is None:
            return
        began = time.monotonic()
        ready, told = False, ""
        pause = min(LOOK_SECONDS, (self.watchdog_seconds or LOOK_SECONDS * FEEDINGS) / FEEDINGS)
        while True:
            news = ["WATCHDOG=1"] if self.watchdog_seconds else []
            serves = last_part in health.reports()
            if not ready and (serves or time.monotonic() - began >= START_SECONDS):
                news.append("READY=1")
                ready = True
            said = sentence(health) if serves else meanwhile
            if said != told:
                news.append(f"STATUS={said}")
                told = said
            if news:
                self.tell(*news)
            # What came first is soon told; afterwards it is enough to look now and then.
            await asyncio.sleep(pause if ready else min(pause, 0.1))


def sentence(health: Health) -> str:
    """How everything is, in one line: what needs a person first, then what mends itself."""
    order = list(Condition)
    troubled = [(part, report) for part, report in health.reports().items() if report.condition is not Condition.OK]
    if not troubled:
        return "All is well."
    troubled.sort(key=lambda each: -order.index(each[1].condition))
    said = " ".join(f"{part}: {' '.join(report.message.split())}" for part, report in troubled)
    return said if len(said) <= _LONGEST_STATUS else said[: _LONGEST_STATUS - 1] + "…"
