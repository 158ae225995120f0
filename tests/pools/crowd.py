"""A worker's process with visitors of its own: ``python -m tests.pools.crowd DSN KEY SEED`` prints what they were told.

Forty visitors come at once, three times each, stay with keep-alives, and leave. The last keep-alives are only noted, so
that the orderly end has to write them.
"""

import asyncio
import json
import random
import sys
from datetime import UTC, datetime
from uuid import UUID

from gateway.pools.conditions import Arrival
from gateway.pools.keep_alive import KeepAlives
from gateway.pools.offer import load_offer
from gateway.pools.showing import Why, show_numbers
from gateway.store.database import Database
from gateway.visits.ids import new_id
from tests.pools.shop import ADS


async def crowd(dsn: str, key: str, seed: int) -> None:
    chance = random.Random(seed)
    database = await Database.open(dsn, 6)
    async with database.everything() as connection:
        offer = await load_offer(connection)
    site = offer.sites[key]
    kept: dict[str, str] = {}
    refused = 0

    async def visitor(keep_alives: KeepAlives, who: UUID) -> None:
        nonlocal refused
        for _ in range(3):
            (shown,) = await show_numbers(
                database,
                offer,
                site,
                Arrival(ADS),
                visitor=who,
                visit_id=new_id(datetime.now(UTC)),
                now=datetime.now(UTC),
            )
            refused += shown.why is not Why.LENT
            assert shown.exposure_id is not None
            await asyncio.sleep(chance.random() * 0.05)
            at = datetime.now(UTC)
            keep_alives.note(shown.exposure_id, site.company_id, at=at, left=chance.random() < 0.5)
            kept[str(shown.exposure_id)] = at.isoformat()

    keep_alives = KeepAlives(database)
    async with keep_alives.running():
        await asyncio.gather(*(visitor(keep_alives, new_id(datetime.now(UTC))) for _ in range(40)))
    await database.close()
    print(json.dumps({"visits": 120, "refused": refused, "kept": kept}))


if __name__ == "__main__":
    asyncio.run(crowd(sys.argv[1], sys.argv[2], int(sys.argv[3])))
