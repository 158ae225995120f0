"""What brought a call, over a real database: decided with everything that is known after it, once for each call."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from gateway.attribution.settling import Settling
from gateway.health import Health
from gateway.store.database import Database
from tests.attribution.front import Front, open_front
from tests.pools.shop import ADS, DIRECT, SEARCH


@pytest_asyncio.fixture
async def front(database_dsn: str) -> AsyncIterator[Front]:
    database = await Database.open(database_dsn)
    yield await open_front(database)
    await database.close()


async def test_the_visit_that_had_the_number_on_its_screen_made_the_call(front: Front) -> None:
    ann = front.someone()
    visit = await front.came(ann, 3, 0, SEARCH, left=False)
    call = await front.call()
    assert await front.settle() == 1
    said = await front.said(call)
    assert (said["basis"], said["visit_id"], said["visitor_id"]) == ("visits", visit, ann)
    assert said["confidence"] > 0.9
    assert said["source_confidence"] >= said["confidence"]
    assert said["because"] == ["live"]
    assert (said["label"], said["channel"], said["source"], said["medium"]) == (
        "Google Organic",
        "Organic Search",
        "google",
        "organic",
    )
    assert said["settled_at"] is not None
    assert said["recomputed_at"] is None
    assert await front.source(call) == "Google Organic"
    (candidate,) = await front.candidates(call)
    assert (candidate["is_answer"], candidate["visit_id"], candidate["label"]) == (True, visit, "Google Organic")
    assert await front.settle() == 0


async def test_a_static_number_says_it_itself(front: Front) -> None:
    flyer = list(front.numbers)[-1]
    call = await front.call(number=flyer)
    stranger = await front.call(number="+13061110000")
    await front.settle()
    said = await front.said(call)
    assert (said["basis"], said["because"], said["confidence"], said["label"]) == (
        "static number",
        ["static number"],
        1.0,
        "Flyer",
    )
    assert await front.source(call) == "Flyer"
    assert (await front.said(stranger))["basis"] == "no number"
    assert await front.source(stranger) is None


async def test_two_rivals_and_the_tap_that_decides(front: Front) -> None:
    bob = await front.came(front.someone(), 20, 15, ADS)
    ann = await front.came(front.someone(), 3, 0, SEARCH, left=False)
    before = await front.call()
    await front.settle()
    assert (await front.said(before))["visit_id"] == ann
    assert [each["visit_id"] for each in await front.candidates(before)] == [ann, bob]
    # The tap was told late, after the call had rung: settling knows of it.
    await front.tap(bob, 0.1)
    after = await front.call(caller="+13065550198")
    await front.settle()
    said = await front.said(after)
    assert (said["visit_id"], said["because"][0]) == (bob, "tap")
    assert await front.source(after) == "Google Paid"
    chances = [each["chance"] for each in await front.candidates(after)]
    assert abs(sum(chances) + said["nobody"] + said["others"] - 1) < 1e-9


async def test_what_pages_told_after_the_call_is_seen_as_it_was_at_the_call(front: Front) -> None:
    # Left five minutes after the phone rang: it was open then.
    ann = await front.came(front.someone(), 3, -5)
    call = await front.call()
    # Came when the phone had rung already.
    await front.came(front.someone(), -1, -2)
    await front.settle()
    said = await front.said(call)
    assert (said["visit_id"], said["because"]) == (ann, ["live"])
    (candidate,) = await front.candidates(call)
    assert candidate["last_seen"] == front.noon
    assert candidate["left_at"] is None


async def test_many_pages_of_a_visit_are_one_exposure(front: Front) -> None:
    ann = await front.visit(front.someone(), 20)
    for ago in (20, 15, 10, 5):
        await front.page(ann, ago, ago - 4)
    await front.page(ann, 1, 0, left=False)
    bob = await front.came(front.someone(), 2, 0, SEARCH, left=False)
    call = await front.call()
    await front.settle()
    found = await front.candidates(call)
    assert {each["visit_id"] for each in found} == {ann, bob}
    one = next(each for each in found if each["visit_id"] == ann)
    assert (one["shown_at"], one["last_seen"], one["because"]) == (front.ago(20), front.noon, ["live"])


async def test_who_was_shown_another_number_since_is_displaced(front: Front) -> None:
    first, second, *_ = front.numbers
    eve = front.someone()
    visit = await front.visit(eve, 10)
    await front.page(visit, 10, 6, number=first)
    await front.page(visit, 5, 0, number=second, left=False)
    bob = await front.came(front.someone(), 4, 0, SEARCH, left=False)
    call = await front.call(number=first)
    await front.settle()
    said = await front.said(call)
    assert said["visit_id"] == bob
    gone = next((each for each in await front.candidates(call) if each["visit_id"] == visit), None)
    assert gone is None or gone["replaced_at"] == front.ago(5)


async def test_long_after_every_visit_it_is_unknown(front: Front) -> None:
    visit = await front.came(front.someone(), 200, 190)
    call = await front.call()
    await front.settle()
    said = await front.said(call)
    assert (said["visit_id"], said["because"], said["label"]) == (None, ["too long ago"], "")
    assert await front.source(call) is None
    assert visit in {each["visit_id"] for each in await front.candidates(call)} or said["others"] > 0
    never = await front.call(number=list(front.numbers)[1])
    await front.settle()
    assert (await front.said(never))["because"] == ["never shown"]


async def test_who_called_before_is_known(front: Front) -> None:
    ann = front.someone()
    await front.came(ann, 60 * 24 * 2, 60 * 24 * 2 - 3, ADS)
    first = await front.call(60 * 24 * 2 - 3)
    # Two days later she rings again; somebody else has the number on the screen.
    await front.came(front.someone(), 3, 0, SEARCH, left=False)
    second = await front.call()
    stranger = await front.call(caller="+13065550111")
    await front.settle()
    assert (await front.said(first))["visitor_id"] == ann
    said = await front.said(second)
    assert (said["visitor_id"], said["because"][0]) == (ann, "known caller")
    assert await front.source(second) == "Google Paid"
    assert await front.source(stranger) == "Google Organic"


async def test_the_first_touch_has_the_credit_and_a_company_may_choose_another(front: Front) -> None:
    ann = front.someone()
    await front.visit(ann, 60 * 24 * 9, ADS)
    await front.visit(ann, 60 * 24 * 3, SEARCH)
    await front.visit(ann, 60 * 24 * 2, SEARCH, is_touch=False)
    now = await front.came(ann, 3, 0, DIRECT, left=False)
    call = await front.call()
    await front.settle()
    assert await front.source(call) == "Google Paid"
    touches = await front.rows("SELECT * FROM call_touches WHERE call_id = $1 ORDER BY position", call)
    assert [(each["label"], each["how"]) for each in touches] == [
        ("Google Paid", "browser"),
        ("Google Organic", "browser"),
        ("Direct", "visit"),
    ]
    assert touches[-1]["visit_id"] == now
    await front.rows("UPDATE companies SET credit_model = 'last non-direct' WHERE id = $1", front.company_id)
    other = await front.call(caller="+13065550111")
    await front.settle()
    assert await front.source(other) == "Google Organic"


async def test_touches_of_the_same_caller_in_another_browser_count(front: Front) -> None:
    phone, laptop = front.someone(), front.someone()
    await front.came(phone, 60 * 24 * 5, 60 * 24 * 5 - 2, ADS)
    await front.call(60 * 24 * 5 - 2)
    visit = await front.came(laptop, 3, 0, SEARCH, left=False)
    await front.tap(visit, 0.05)
    call = await front.call()
    await front.settle()
    assert (await front.said(call))["visitor_id"] in (phone, laptop)
    touches = await front.rows("SELECT * FROM call_touches WHERE call_id = $1 ORDER BY position", call)
    assert touches[0]["label"] == "Google Paid"


async def test_a_visit_that_may_not_be_known_again_is_its_own_visitor(front: Front) -> None:
    visit = await front.came(None, 3, 0, SEARCH, left=False)
    call = await front.call()
    await front.settle()
    said = await front.said(call)
    assert (said["visit_id"], said["visitor_id"]) == (visit, visit)
    assert await front.source(call) == "Google Organic"


async def test_calls_wait_until_everything_about_them_has_come(front: Front) -> None:
    await front.call()
    assert await front.settle(later=timedelta(seconds=90)) == 0
    assert await front.settle(later=timedelta(seconds=121)) == 1
    ringing = await front.call(state="ringing")
    assert await front.settle() == 0
    await front.rows("UPDATE calls SET state = 'ended', outcome = 'cut_off', stage = 3 WHERE id = $1", ringing)
    assert await front.settle() == 1


async def test_one_that_cannot_be_settled_holds_up_no_other(front: Front) -> None:
    bad = await front.call()
    await front.rows("UPDATE companies SET credit_model = 'last' WHERE id = $1", front.company_id)
    async with front.database.everything() as connection:
        await connection.execute(f"ALTER TABLE attributions ADD CONSTRAINT refused CHECK (call_id <> {bad})")
    good = await front.call(caller="+13065550111")
    health = Health()
    settling = Settling(front.database, health)
    now = front.noon + timedelta(hours=1)
    assert await settling.settle_some(now) == 2
    assert (await front.said(good))["settled_at"] is not None
    assert await settling.settle_some(now) == 0
    async with front.database.everything() as connection:
        await connection.execute("ALTER TABLE attributions DROP CONSTRAINT refused")
    assert await settling.settle_some(now + timedelta(hours=1)) == 1
    assert (await front.said(bad))["settled_at"] is not None


async def test_two_gateways_settle_each_call_once(front: Front) -> None:
    calls = [await front.call(ago, caller=f"+130655501{ago:02}") for ago in range(20)]
    await asyncio.gather(*(front.settle() for _ in range(4)))
    rows = await front.rows("SELECT call_id FROM attributions WHERE settled_at IS NOT NULL AND recomputed_at IS NULL")
    assert sorted(row["call_id"] for row in rows) == sorted(calls)
