"""What the page of a pool, a source or a number shows of its call routing."""

from typing import Any

from gateway.calls import flow_changes, flow_setup
from gateway.http.accounts import Company
from gateway.pools import setup

PATH = "/settings/flows"


async def routing_of(connection: Any, company: Company, whose: str, id: int) -> dict[str, Any]:
    """What the page of a pool, source or number shows of its routing: its flow, and those there are."""
    stored = await flow_setup.flows(connection, setup.Company(company.id, company.name, company.region))
    return {
        "whose": whose,
        "of": id,
        "flow": await flow_changes.flow_of_one(connection, company.id, whose, id),
        "flows": [(each.id, each.name) for each in stored],
        "path": PATH,
    }
