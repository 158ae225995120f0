"""What counts as a lead: the company's own rule, as plain functions.

``numberpool_qualified`` and ``numberpool_lead_qualified`` say the same in SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.leads.marks import Status

# What people can mark a call as; "new" says nothing.
MARKED = (Status.BOOKED, Status.QUOTED, Status.LEAD, Status.LOST, Status.SPAM)


@dataclass(frozen=True, slots=True)
class LeadRule:
    """When a call counts. ``always`` and ``never`` are marks that decide whatever else; ``leads``: forms count too."""

    seconds: int = 60
    first_only: bool = False
    voicemail: bool = False
    always: frozenset[Status] = frozenset((Status.LEAD, Status.QUOTED, Status.BOOKED, Status.LOST))
    never: frozenset[Status] = frozenset((Status.SPAM,))
    leads: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "LeadRule":
        """The rule as a row of companies, or an undo, holds it."""
        return cls(
            row["qualified_seconds"],
            row["qualified_first_only"],
            row["qualified_voicemail"],
            frozenset(map(Status, row["qualified_always"])),
            frozenset(map(Status, row["qualified_never"])),
            row["qualified_leads"],
        )

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of companies that hold it."""
        return {
            "qualified_seconds": self.seconds,
            "qualified_first_only": self.first_only,
            "qualified_voicemail": self.voicemail,
            "qualified_always": sorted(self.always),
            "qualified_never": sorted(self.never),
            "qualified_leads": self.leads,
        }

    def counts(self, status: str, outcome: str | None, talk_seconds: float | None, is_first: bool) -> bool:
        """Whether a call counts; ``talk_seconds`` is none where nobody talked."""
        if status in self.never:
            return False
        if status in self.always:
            return True
        if self.first_only and not is_first:
            return False
        if outcome == "answered":
            return (talk_seconds or 0) >= self.seconds
        return outcome == "voicemail" and self.voicemail

    def counts_written(self, status: str, is_first: bool) -> bool:
        """Whether a form, a text or a chat counts; ``is_first``: nobody had called or written from there before."""
        if status in self.never:
            return False
        if status in self.always:
            return True
        return self.leads and not (self.first_only and not is_first)
