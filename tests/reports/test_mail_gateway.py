"""The whole gateway as a process: what is due when it starts is sent, also after it was killed, and once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.reports import mail_calls, mail_subscriptions
from gateway.reports.mail_due import Kind
from gateway.reports.mail_subscriptions import Wish
from gateway.store.database import Database
from tests.delivery.post_office import PostOffice, free_port, post_office
from tests.http.company import MadeCompany, add_call, make_company
from tests.installation import Gateway
from tests.stack import eventually


def settings(folder: Path, dsn: str, office: PostOffice) -> str:
    port = free_port()
    return (
        f'data_folder = "{folder / "data"}"\n[log]\njson_lines = true\n[collector]\nport = 0\n'
        f'[pages]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n[postgres]\ndsn = "{dsn}"\n'
        f'[mail]\nhost = "127.0.0.1"\nport = {office.port}\nsecurity = "none"\nfrom = "Calls <calls@example.com>"\n'
        f'[[nodes]]\nname = "pbx"\nport = 1\nsecret = "a"\nstore_secret = "b"\nspool = "{folder / "spool"}"\n'
    )


async def subscribe(database: Database, company: MadeCompany, kind: Kind) -> None:
    async with database.companies(company.id) as wire:
        # A weekly report that does not come due again while we look.
        wish = Wish(kind, weekday=(datetime.now(UTC) + timedelta(days=3)).isoweekday())
        id = await mail_subscriptions.add(
            wire, company.id, wish, None, user_id=None, address=f"{kind.value}@example.com"
        )
        await wire.execute(
            "UPDATE mail_subscriptions SET confirmed_at = now(), counts_from = '2020-01-01' WHERE id = $1", id
        )


async def arrived(office: PostOffice, gateway: Gateway, count: int) -> None:
    async def there() -> bool:
        return len(office.taken) >= count

    try:
        await eventually(there, 90)
    except AssertionError:
        raise AssertionError(gateway.log[-4000:]) from None


async def looked(gateway: Gateway) -> None:
    """Until it has its pages up, and with them all of its parts."""

    async def is_up() -> bool:
        return any(line.get("event") == "pages" for line in gateway.log_lines())

    await eventually(is_up, 90)


async def test_a_gateway_that_is_killed_and_started_again_sends_each_mail_once(
    database_dsn: str, short_path: Path
) -> None:
    database = await Database.open(database_dsn)
    async with post_office(short_path) as office:
        company = await make_company(database)
        await subscribe(database, company, Kind.WEEKLY)
        gateway = Gateway(short_path / "gateway", settings(short_path, database_dsn, office))
        beside = Gateway(short_path / "beside", settings(short_path / "beside", database_dsn, office))
        await gateway.start(ready=False)
        try:
            await arrived(office, gateway, 1)
            await gateway.kill()
            await subscribe(database, company, Kind.MISSED)
            call = await add_call(
                database, company, outcome="no_answer", started_at=datetime.now(UTC) - timedelta(minutes=9)
            )
            async with database.companies(company.id) as wire:
                await mail_calls.expect_alerts(wire, company.id, call)
            # Two of them look for what is due.
            await asyncio.gather(gateway.start(ready=False), beside.start(ready=False))
            await arrived(office, gateway, 2)
            await asyncio.gather(looked(gateway), looked(beside))
        finally:
            await asyncio.gather(gateway.stop(), beside.stop())
    await database.close()
    assert sorted(message["To"] for message in office.taken) == ["missed@example.com", "weekly@example.com"]
