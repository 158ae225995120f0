"""What is well and what is not, told by the parts themselves and shown on the health endpoint and the pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Condition(StrEnum):
    """How a part is."""

    OK = "ok"
    TROUBLED = "troubled"  # mends itself: a peer is away, a retry is under way
    NEEDS_PERSON = "needs_person"  # stays so until somebody changes something


@dataclass(frozen=True, slots=True)
class Report:
    """One part's condition, with what to do about it in words."""

    condition: Condition
    message: str


class Health:
    """The present reports, one a part (``postgres``, ``asterisk:pbx``)."""

    def __init__(self) -> None:
        self._reports: dict[str, Report] = {}

    def tell(self, part: str, condition: Condition, message: str) -> None:
        """Replace what was known of ``part``."""
        self._reports[part] = Report(condition, message)

    def reports(self) -> Mapping[str, Report]:
        """All parts, sorted by name."""
        return dict(sorted(self._reports.items()))

    @property
    def condition(self) -> Condition:
        """The worst of all."""
        order = list(Condition)
        return max((r.condition for r in self._reports.values()), key=order.index, default=Condition.OK)
