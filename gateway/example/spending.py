"""What the advertisements of the example cost: by day where clicks are bought, each time where something is sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from gateway.example.chance import chance
from gateway.example.course import DAYS
from gateway.example.trades import Trade
from gateway.pools import setup
from gateway.pools.setup import Company
from gateway.reports.money import rounded
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parents[1] / "reports", "spend_book.sql")

KIND = "example"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a source, or a campaign of it, costs on a day, in the company's currency; or each time something is sent.

    It runs from ``first`` to ``last`` days before today.
    """

    source: str
    campaign: str = ""
    a_day: float = 0.0
    each: int = 0
    first: int = DAYS
    last: int = 0


COSTS: Mapping[str, tuple[Cost, ...]] = {
    "roofing": (
        Cost("Google Paid", "emergency-roof-repair", 46.0),
        Cost("Google Paid", "roof-replacement", 29.0),
        Cost("Google Ads", a_day=33.0),
        Cost("Bing Paid", "prairie-search", 7.5),
        Cost("Facebook", a_day=14.0),
        Cost("Facebook Paid", "fall-inspection", 24.0, first=60),
        Cost("Direct mail", each=2400),
    ),
    "dental": (
        Cost("Google Paid", "dentist-near-me", 26.0),
        Cost("Google Paid", "clear-aligners", 17.0),
        Cost("Google Ads", a_day=24.0),
        Cost("Instagram Paid", "new-smile", 15.0, first=60),
        Cost("Radio", each=650),
        Cost("Leaflets", each=900),
    ),
}


@dataclass(frozen=True, slots=True)
class Spent:
    """An amount, and the days that it is for."""

    source: str
    campaign: str
    first_day: date
    last_day: date
    amount: Decimal


def spent(trade: Trade, today: date) -> Iterator[Spent]:
    """Everything that a company of the example paid for, up to yesterday."""
    waves = {line.source: line.waves for line in trade.lines}
    for cost in COSTS[trade.key]:
        if cost.each:
            for wave in waves[cost.source]:
                day = today - timedelta(days=wave)
                yield Spent(cost.source, "", day, day, Decimal(cost.each))
            continue
        dice = chance(trade.key, "spent", cost.source, cost.campaign)
        for before in range(cost.first, max(cost.last, 1) - 1, -1):
            amount = Decimal(repr(round(cost.a_day * dice.uniform(0.7, 1.25), 2)))
            day = today - timedelta(days=before)
            yield Spent(cost.source, cost.campaign, day, day, rounded(amount, trade.currency))


async def write_spent(connection: Connection, company: Company, trade: Trade, today: date) -> None:
    """Enter it as one import, marked as the example's. Sources that brought nobody are left out."""
    sources = {row["name"]: row["id"] for row in await setup.sources(connection, company)}
    rows = [each for each in spent(trade, today) if each.source in sources]
    import_id = await _queries.add_import(connection, company_id=company.id, kind=KIND, file_name="", user_id=None)
    await _queries.add_imported(
        connection,
        company_id=company.id,
        import_id=import_id,
        user_id=None,
        source_ids=[sources[each.source] for each in rows],
        campaigns=[each.campaign for each in rows],
        first_days=[each.first_day for each in rows],
        last_days=[each.last_day for each in rows],
        amounts=[each.amount for each in rows],
    )
