"""The listening connection on a real Postgres: what is told, what a break means, and how its health is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.health import Condition, Health
from gateway.store import notify
from gateway.store.notify import Listener, Subscription
from tests.store.waiting import until
from tests.store.wire import Wire


@asynccontextmanager
async def listening(dsn: str, health: Health | None = None) -> AsyncIterator[Listener]:
    listener = Listener(dsn, health or Health())
    task = asyncio.create_task(listener.run())
    try:
        yield listener
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def next_of(subscription: AsyncIterator[str | None], seconds: float = 10.0) -> str | None:
    async with asyncio.timeout(seconds):
        return await anext(subscription)


async def notify_all(dsn: str, channel: str, *payloads: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for payload in payloads:
            await connection.execute("SELECT pg_notify($1, $2)", channel, payload)
    finally:
        await connection.close()


async def cut(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'numberpool listener' AND datname = current_database()"
        )
    finally:
        await connection.close()


async def test_first_read_all_then_each_change(database_dsn: str) -> None:
    async with listening(database_dsn) as listener, listener.subscribe("calls") as calls:
        assert await next_of(calls) is None
        await notify_all(database_dsn, "calls", "1:1", "1:2")
        assert [await next_of(calls), await next_of(calls)] == ["1:1", "1:2"]
        async with listener.subscribe("calls") as second, listener.subscribe("settings") as other:
            assert await next_of(second) is None
            assert await next_of(other) is None
            await notify_all(database_dsn, "settings", "pools")
            await notify_all(database_dsn, "calls", "1:3")
            assert [await next_of(calls), await next_of(second), await next_of(other)] == ["1:3", "1:3", "pools"]


async def test_a_change_between_subscribing_and_the_first_answer_is_never_lost(database_dsn: str) -> None:
    for turn in range(10):
        async with listening(database_dsn) as listener, listener.subscribe("calls") as calls:
            await asyncio.sleep(turn * 0.002)
            await notify_all(database_dsn, "calls", "1:1")
            assert await next_of(calls) is None  # and whoever reads all now sees the change


async def test_after_a_break_everything_is_read_again(database_dsn: str) -> None:
    health = Health()
    async with listening(database_dsn, health) as listener, listener.subscribe("calls") as calls:
        assert await next_of(calls) is None
        await cut(database_dsn)
        assert await next_of(calls) is None
        await notify_all(database_dsn, "calls", "1:7")
        assert await next_of(calls) == "1:7"
        assert health.reports()["postgres"].condition is Condition.OK


async def test_a_silent_connection_is_noticed(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "PROBE_SECONDS", 0.2)
    monkeypatch.setattr(notify, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(notify, "CONNECT_SECONDS", 0.5)
    wire = Wire(database_dsn)
    health = Health()
    async with (
        wire.open() as dsn,
        listening(dsn, health) as listener,
        listener.subscribe("calls") as calls,
    ):
        assert await next_of(calls) is None
        wire.passing.clear()

        async def told() -> bool:
            return health.reports()["postgres"].condition is Condition.TROUBLED

        await until(told, 5)
        assert "Calls go on ringing" in health.reports()["postgres"].message
        wire.passing.set()
        assert await next_of(calls) is None
        await notify_all(database_dsn, "calls", "1:9")
        assert await next_of(calls) == "1:9"


@pytest.mark.parametrize(
    ("mend", "condition", "said"),
    [
        (lambda dsn: dsn.replace("/test_", "/nothing_"), Condition.NEEDS_PERSON, "postgres.dsn"),
        (lambda _: "postgresql://nobody@127.0.0.1:1/nothing", Condition.TROUBLED, "trying again"),
    ],
)
async def test_health_says_whether_a_person_is_needed(
    database_dsn: str, mend: Any, condition: Condition, said: str
) -> None:
    health = Health()
    async with listening(mend(database_dsn), health):

        async def told() -> bool:
            return "postgres" in health.reports()

        await until(told)
    report = health.reports()["postgres"]
    assert report.condition is condition
    assert said in report.message


async def test_a_slow_subscriber_reads_all_instead_of_a_backlog() -> None:
    subscription = Subscription(backlog=3)
    for payload in "abcabc":
        subscription.tell(payload)
    assert [await next_of(subscription) for _ in range(3)] == ["a", "b", "c"]
    for payload in "abcde":
        subscription.tell(payload)
    assert await next_of(subscription) is None
    subscription.tell("f")
    assert await next_of(subscription) == "f"
    with pytest.raises(TimeoutError):
        await next_of(subscription, 0.01)


@given(steps=st.lists(st.one_of(st.sampled_from("abcdefgh"), st.none(), st.just("take")), max_size=60))
async def test_whatever_is_told_is_seen(steps: list[str | None]) -> None:
    """After the last answer nothing told is unseen: each change was answered after it, by itself or by reading all."""
    subscription = Subscription(backlog=4)
    unseen: set[str] = set()
    everything = False

    async def take() -> None:
        nonlocal everything
        answer = await next_of(subscription, 1)
        if answer is None:
            unseen.clear()
            everything = False
        else:
            unseen.discard(answer)

    for step in steps:
        if step == "take":
            if unseen or everything:
                await take()
        elif step is None:
            subscription.tell_all()
            everything = True
        else:
            subscription.tell(step)
            unseen.add(step)
    while unseen or everything:
        await take()
    with pytest.raises(TimeoutError):
        await next_of(subscription, 0)
