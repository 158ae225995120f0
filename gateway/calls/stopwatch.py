"""Ring and talk time by one monotonic clock: the gateway's, at the moments it heard of a call.

Asterisk's own times are wall-clock times, which an administrator or NTP may set. They are the fallback for what the
gateway did not witness.
"""

from dataclasses import dataclass, field

from gateway.calls.entry import Measured
from gateway.calls.record import Stage

# Calls whose end never came; beyond this the oldest are forgotten, and their wall-clock times serve.
MOST = 20_000


@dataclass
class Stopwatch:
    """Remembers when each call's stages were heard of, in seconds of a monotonic clock."""

    _heard: dict[str, dict[Stage, float]] = field(default_factory=dict)

    def see(self, key: str, stage: Stage, now: float | None) -> Measured:
        """Note that ``stage`` of call ``key`` was heard of at ``now`` (none: read later, from the outbox).

        Gives what is measured so far. A call whose start was not heard stays unmeasured.
        """
        heard = self._heard.get(key)
        if now is not None:
            if heard is None and stage is Stage.STARTED:
                if len(self._heard) >= MOST:
                    del self._heard[next(iter(self._heard))]
                heard = self._heard[key] = {}
            if heard is not None:
                heard.setdefault(stage, now)
        if not heard:
            return Measured()
        began, answered, ended = (heard.get(one) for one in Stage)
        picked_up_or_over = answered if answered is not None else ended
        return Measured(
            ring_seconds=None if began is None or picked_up_or_over is None else picked_up_or_over - began,
            talk_seconds=None if answered is None or ended is None else ended - answered,
        )

    def forget(self, key: str) -> None:
        """The call is in the database."""
        self._heard.pop(key, None)
