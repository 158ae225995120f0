"""What can be wrong with what attribution is asked to look at."""

from collections.abc import Sequence
from datetime import date, datetime

from gateway.errors import Mendable


class AttributionError(Mendable):
    """Something cannot be attributed, replayed or advised as asked.

    AttributionError
    ├── FaultyHistory
    ├── FaultySessions
    ├── LendsNothing
    ├── NoVisitsYet
    └── PeriodFrozen
    """


class FaultyHistory(AttributionError):
    """Some lines of a history cannot be used; nothing was replayed, since an answer from half of it would mislead."""

    def __init__(self, faults: Sequence[str], count: int) -> None:
        more = f"\nand {count - len(faults)} more lines" if count > len(faults) else ""
        lines = "line" if count == 1 else "lines"
        super().__init__(f"{count} {lines} cannot be used; mend them and try again:\n" + "\n".join(faults) + more)


class FaultySessions(AttributionError):
    """A list of sessions by the hour cannot be read; the message says where, and what is expected there."""


class LendsNothing(AttributionError):
    """A pool whose numbers stand for one source each needs no advice about lending."""


class NoVisitsYet(AttributionError):
    """A pool that nobody has seen a number of has no history to advise from."""


class PeriodFrozen(AttributionError):
    """Calls of a time whose visits are no longer kept stay as they were decided; nothing was changed."""

    def __init__(self, kept_since: date, border: datetime) -> None:
        super().__init__(
            f"Visits before {kept_since:%Y-%m-%d} are kept no longer (the company's settings, or keep_months of the "
            "server's, say how long), and a call is decided by the visits of the time before it. So calls before "
            f"{border:%Y-%m-%d %H:%M} UTC keep their sources; choose a later --from."
        )
