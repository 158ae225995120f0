"""What is set of a company: read, changed as a whole, and which of several gets the calls that nobody owns."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "company_changes.sql")


@dataclass(frozen=True, slots=True)
class CompanySettings:
    """Everything that its page sets of a company.

    ``region`` is the country whose way of writing numbers it has; ``main_number`` (E.164) what people know it by. The
    touches of ``credit_days`` before a call share its credit, by ``credit_model``; ``half_life`` is that of time decay.
    """

    name: str
    time_zone: str
    region: str
    currency: str
    main_number: str | None
    credit_model: str
    credit_days: int
    half_life: timedelta

    @property
    def stored(self) -> dict[str, Any]:
        """As an undo and the audit log keep it: plain values."""
        return {
            "name": self.name,
            "time_zone": self.time_zone,
            "region": self.region,
            "currency": self.currency,
            "main_number": self.main_number,
            "credit_model": self.credit_model,
            "credit_days": self.credit_days,
            "half_life": self.half_life.total_seconds(),
        }

    @classmethod
    def from_stored(cls, values: dict[str, Any]) -> Self:
        """The reverse of ``stored``."""
        return cls(**{**values, "half_life": timedelta(seconds=values["half_life"])})


async def company_settings(connection: Any, company_id: int) -> CompanySettings | None:
    """What is set of a company; none where the transaction does not see it."""
    return _of_row(await _queries.one_company(connection, company_id=company_id))


async def save_company(connection: Any, company_id: int, after: CompanySettings) -> CompanySettings | None:
    """Set everything; what was set before, none where the transaction does not see the company."""
    before = _of_row(await _queries.hold_company(connection, company_id=company_id))
    if before is not None and before != after:
        values = {**after.stored, "credit_half_life": after.half_life}
        del values["half_life"]
        await _queries.save_company(connection, company_id=company_id, **values)
    return before


async def is_name_taken(connection: Any, name: str, company_id: int | None = None) -> bool:
    """Whether another company has a name; ``connection`` sees every company."""
    return bool(await _queries.is_name_taken(connection, name=name, company_id=company_id))


async def default_among(connection: Any, ids: Collection[int]) -> int | None:
    """Which of these companies gets the calls to numbers that nobody owns; none where it is another one."""
    found: int | None = await _queries.default_among(connection, ids=list(ids))
    return found


async def move_default(connection: Any, giver: int, taker: int) -> None:
    """Let the calls that nobody owns go to ``taker``; ``connection`` sees both."""
    await _queries.take_default(connection, company_id=giver)
    await _queries.give_default(connection, company_id=taker)


async def make_owner(connection: Any, company_id: int, user_id: int) -> None:
    """Let a user own a company that was just made."""
    await _queries.make_owner(connection, company_id=company_id, user_id=user_id)


def _of_row(row: Any) -> CompanySettings | None:
    if row is None:
        return None
    return CompanySettings(
        row["name"],
        row["time_zone"],
        row["region"],
        row["currency"],
        row["main_number"],
        row["credit_model"],
        row["credit_days"],
        row["credit_half_life"],
    )
