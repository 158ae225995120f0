"""A part of the gateway that fails is begun again, and its health says first that, then that it is over."""

import asyncio
from contextlib import suppress

from gateway.endless import endless
from gateway.health import Condition, Health
from tests.stack import eventually


async def test_a_part_that_fails_once_is_well_again_after_a_while() -> None:
    health = Health()
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise ZeroDivisionError("nobody thought of this")
        await asyncio.Event().wait()

    task = asyncio.create_task(endless("calls", work, health, steady_seconds=0.3))

    async def failed() -> bool:
        return health.condition is Condition.NEEDS_PERSON

    async def well() -> bool:
        return begun == 2 and health.condition is Condition.OK

    await eventually(failed)
    assert "nobody thought of this" in health.reports()["calls"].message
    await eventually(well)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_what_a_part_says_itself_stands() -> None:
    health = Health()

    async def work() -> None:
        raise ZeroDivisionError

    task = asyncio.create_task(endless("calls", work, health, steady_seconds=0.1))

    async def failed() -> bool:
        return health.condition is Condition.NEEDS_PERSON

    await eventually(failed)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    health.tell("calls", Condition.TROUBLED, "The database is away.")
    await asyncio.sleep(1.3)
    assert health.reports()["calls"].message == "The database is away."
