"""How fast somebody may try: bursts, then one at a time; the same for all processes, and after a restart."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http import pace
from gateway.http.pace import Counted, Pace, customer, of_sign_in, seconds_to_wait, was_right
from gateway.store.database import Database

SLOW = Pace(5, timedelta(hours=1))


async def taken(database: Database, counted: list[Counted], times: int) -> int:
    return [await seconds_to_wait(database, counted) == 0 for _ in range(times)].count(True)


async def test_a_burst_then_nothing_and_it_says_how_long(database_dsn: str) -> None:
    database = await Database.open(database_dsn)
    try:
        counted = [Counted(("anna",), SLOW)]
        assert await taken(database, counted, 8) == 5
        assert 700 <= await seconds_to_wait(database, counted) <= 720  # a fifth of an hour
        assert await taken(database, [Counted(("berta",), SLOW)], 8) == 5
    finally:
        await database.close()


async def test_two_processes_count_together_also_at_one_instant_and_after_a_restart(database_dsn: str) -> None:
    one, other = await Database.open(database_dsn), await Database.open(database_dsn)
    counted = [Counted(("anna",), SLOW)]
    try:
        tries = [seconds_to_wait(database, counted) for database in (one, other) * 10]
        assert [wait == 0 for wait in await asyncio.gather(*tries)].count(True) == 5
    finally:
        await one.close()
        await other.close()
    anew = await Database.open(database_dsn)
    try:
        assert await seconds_to_wait(anew, counted) > 0
    finally:
        await anew.close()


async def test_it_passes_and_old_rows_go(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_TIDY_EVERY", 1)
    database = await Database.open(database_dsn)
    try:
        counted = [Counted(("anna",), SLOW)]
        assert await taken(database, counted, 6) == 5
        async with database.everything() as wire:
            await wire.execute("UPDATE paces SET free_at = free_at - interval '12 minutes'")
        assert await taken(database, counted, 3) == 1
        async with database.everything() as wire:
            await wire.execute("UPDATE paces SET free_at = now() - interval '1 second'")
        assert await taken(database, [Counted(("berta",), SLOW)], 1) == 1
        async with database.everything() as wire:
            assert await wire.fetchval("SELECT count(*) FROM paces") == 1
    finally:
        await database.close()


async def test_a_refused_try_costs_nobody_anything(database_dsn: str) -> None:
    """Two things are counted, one of them is full: the other is not charged."""
    database = await Database.open(database_dsn)
    try:
        narrow = Counted(("anna",), Pace(1, timedelta(hours=1)))
        wide = Counted(("office",), Pace(3, timedelta(hours=1)))
        assert await taken(database, [narrow, wide], 9) == 1
        assert await taken(database, [wide], 9) == 2
    finally:
        await database.close()


async def test_a_stranger_does_not_lock_an_owner_out_of_the_browser_that_is_known(database_dsn: str) -> None:
    database = await Database.open(database_dsn)
    try:
        for number in range(40):  # from everywhere
            await seconds_to_wait(database, of_sign_in(f"198.51.100.{number}", "owner@example.com", None))
        assert await seconds_to_wait(database, of_sign_in("203.0.113.9", "owner@example.com", None)) > 0
        assert await seconds_to_wait(database, of_sign_in("203.0.113.9", "owner@example.com", b"known")) == 0
        assert await seconds_to_wait(database, of_sign_in("203.0.113.9", "other@example.com", None)) == 0
    finally:
        await database.close()


async def test_who_was_right_starts_afresh_and_gives_back_what_others_share(database_dsn: str) -> None:
    database = await Database.open(database_dsn)
    try:
        counted = of_sign_in("203.0.113.9", "anna@example.com", None)
        for _ in range(100):
            assert await seconds_to_wait(database, counted) == 0
            await was_right(database, counted)
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::ffff", "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_one_customer_of_an_ipv6_network_is_one(address: str, counts_as: str) -> None:
    assert customer(address) == counts_as


@given(st.text(), st.text(), st.text())
def test_what_is_counted_has_a_key_of_its_own(address: str, account: str, other: str) -> None:
    keys = [each.key for each in of_sign_in(address, account, None)]
    assert len(set(keys)) == 3
    assert all(len(key) == 32 for key in keys)
    if other != account:
        assert of_sign_in(address, other, None)[1].key != of_sign_in(address, account, None)[1].key
