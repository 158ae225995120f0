"""The decision for a fax number, over everything that company, pool and number may say."""

from itertools import product

from gateway.asterisk.fallback import fallback_entries
from gateway.calls.load import load_directory
from gateway.calls.route import Destination, Route
from gateway.pools import setup
from gateway.store.database import Database

WISHES = (None, True, False)


async def test_nothing_is_recorded_or_played_whoever_wants_it(database_dsn: str) -> None:
    """Every combination of the three who have a say; a voice number beside each shows that they are heard otherwise."""
    database = await Database.open(database_dsn)
    wanted: dict[str, Route] = {}
    try:
        async with database.everything() as connection:
            for n, (of_company, of_pool, of_number, whisper) in enumerate(
                product((True, False), WISHES, WISHES, (None, "custom/whisper"))
            ):
                company = await setup.add_company(
                    connection, f"C{n}", region="CA", record_calls=of_company, announcement="custom/recorded"
                )
                await setup.add_destination(connection, company, "Fax", f"PJSIP/fax-{n}")
                await setup.add_source(connection, company, "Flyer")
                pool = await setup.add_pool(connection, company, "P", record_calls=of_pool)
                for kind, fax in enumerate((True, False)):
                    e164 = f"+1306555{2000 + 2 * n + kind}"
                    await connection.execute(
                        "INSERT INTO tracking_numbers "
                        "(company_id, pool_id, e164, destination_id, record_calls, whisper, fax) "
                        "SELECT $1, $2, $3, id, $4, $5, $6 FROM destinations WHERE company_id = $1",
                        *(company.id, pool, e164, of_number, whisper, fax),
                    )
                    record = next(wish for wish in (of_number, of_pool, of_company) if wish is not None)
                    line = (Destination(f"PJSIP/fax-{n}", 30),)
                    wanted[e164] = Route(line) if fax else Route(line, record, "custom/recorded", whisper)
            directory = await load_directory(connection, Destination("PJSIP/main", 30))
    finally:
        await database.close()
    entries = fallback_entries(directory)
    for e164, route in wanted.items():
        found = directory.decide([e164])
        assert (found.destinations, found.record, found.announcement, found.whisper) == (
            *(route.destinations, route.record, route.announcement, route.whisper),
        ), e164
        parts = entries[e164].split("|")
        assert parts[2:5] == [str(int(route.record)), route.announcement or "", route.whisper or ""]
