"""What pages and reports read of a call: why it has its source, touches by any model, expected calls, reliability."""

import math
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from gateway.attribution.credit import Model
from gateway.attribution.credited_touches import StoredTouch, credit_of, credited, touches_of_calls
from gateway.attribution.decision import Basis, How
from gateway.attribution.evidence import Evidence
from gateway.attribution.expected import expected_calls
from gateway.attribution.reliability import Scores, months_scored, reliability, score_month
from gateway.attribution.why import Stand, Why, why
from gateway.store.database import Database
from gateway.visits.ids import new_id
from tests.attribution.front import Front, open_front
from tests.pools.shop import ADS, DIRECT, SEARCH


@pytest_asyncio.fixture
async def front(database_dsn: str) -> AsyncIterator[Front]:
    database = await Database.open(database_dsn)
    yield await open_front(database)
    await database.close()


async def why_of(front: Front, call: int) -> Why:
    async with front.database.companies(front.company_id) as connection:
        found = await why(connection, front.company_id, call)
    assert found is not None
    return found


async def test_everything_a_page_needs(front: Front) -> None:
    bob = await front.came(front.someone(), 20, 15, ADS)
    ann = await front.came(front.someone(), 3, 0, SEARCH, left=False)
    for ago, path in ((3, "roofs"), (2, "prices"), (-2, "later")):
        await front.rows(
            "INSERT INTO page_views (company_id, site_id, visit_id, at, url, title) VALUES ($1, $2, $3, $4, $5, $6)",
            front.company_id,
            front.shop.site.id,
            ann,
            front.ago(ago),
            f"https://shop.example/{path}",
            path.title(),
        )
    await front.tap(ann, 0.1)
    call = await front.call()
    early = await why_of(front, call)
    assert (early.stand, early.basis, early.credit, early.suspects) == (Stand.NOT_YET, Basis.VISITS, None, ())
    await front.settle()
    found = await why_of(front, call)
    assert found.stand is Stand.SETTLED
    assert (found.number, found.pool, found.caller) == (front.number, "Visitors", "+13065550199")
    assert found.answer is not None
    assert found.answer.visit_id == ann
    assert found.answer.landing_page == "https://shop.example/"
    assert [page.title for page in found.answer.pages] == ["Roofs", "Prices"]
    assert found.credit is not None
    assert (found.credit.label, found.source_id is not None) == ("Google Organic", True)
    assert found.because[0] is Evidence.TAP
    assert found.sentence.startswith("This visitor tapped on the number just before")
    assert [tap.visit_id for tap in found.taps] == [ann]
    assert [touch.how for touch in found.touches] == [How.VISIT]
    assert {each.visit_id for each in found.suspects} <= {ann, bob}
    assert sum(each.chance for each in found.suspects) + found.nobody + found.others == pytest.approx(1)
    assert found.learned.is_prior
    assert found.evidence_is_kept
    assert not found.forgotten


async def test_other_calls_than_visits(front: Front) -> None:
    flyer = list(front.numbers)[-1]
    static, stranger, unknown = (
        await front.call(number=flyer),
        await front.call(number="+13061110000"),
        await front.call(number=front.number),
    )
    assert (await why_of(front, static)).sentence == "The number stands for one source: Flyer."
    await front.settle()
    found = await why_of(front, static)
    assert (found.basis, found.sentence) == (Basis.STATIC, "The number stands for one source: Flyer.")
    assert [(touch.how, touch.source.label) for touch in found.touches] == [(How.NUMBER, "Flyer")]
    assert (await why_of(front, stranger)).basis is Basis.NO_NUMBER
    nobody = await why_of(front, unknown)
    assert (nobody.credit, nobody.confidence) == (None, 1.0)
    assert nobody.sentence == "Nobody was shown this number in the days before the call."
    async with front.database.companies(front.company_id) as connection:
        assert await why(connection, front.company_id, 10**9) is None


async def test_a_neighbour_sees_nothing_of_it(front: Front) -> None:
    await front.came(front.someone(), 3, 0, left=False)
    call = await front.call()
    await front.settle()
    neighbour = await open_front(front.database)
    async with front.database.companies(neighbour.company_id) as connection:
        assert await why(connection, neighbour.company_id, call) is None
        assert await why(connection, front.company_id, call) is None
        assert await touches_of_calls(connection, front.company_id, [call]) == {}


async def test_the_credit_for_calls_by_every_model(front: Front) -> None:
    ann = front.someone()
    await front.visit(ann, 60 * 24 * 9, ADS)
    await front.visit(ann, 60 * 24 * 3, SEARCH)
    await front.came(ann, 3, 0, DIRECT, left=False)
    call = await front.call()
    flyer = await front.call(1, number=list(front.numbers)[-1])
    unknown = await front.call(2, number=list(front.numbers)[1], caller=None)
    await front.settle()
    expected = {
        Model.FIRST: {"Google Paid": 1},
        Model.LAST: {"Direct": 1},
        Model.LAST_NON_DIRECT: {"Google Organic": 1},
        Model.LAST_PAID: {"Google Paid": 1},
        Model.LINEAR: dict.fromkeys(("Google Paid", "Google Organic", "Direct"), Fraction(1, 3)),
        Model.POSITION: {"Google Paid": Fraction(2, 5), "Google Organic": Fraction(1, 5), "Direct": Fraction(2, 5)},
    }
    async with front.database.companies(front.company_id) as connection:
        for model in Model:
            found = await credited(connection, front.company_id, front.ago(60), front.noon + timedelta(hours=1), model)
            assert [each.call_id for each in found] == [unknown, flyer, call]
            by_call = {each.call_id: {touch.source.label: share for touch, share in each.shares} for each in found}
            assert by_call[unknown] == {}
            assert by_call[flyer] == {"Flyer": 1}
            assert sum(by_call[call].values()) == 1
            if model in expected:
                assert by_call[call] == expected[model]
            assert all(touch.source_id is not None for each in found for touch, _ in each.shares)


touch = st.builds(
    StoredTouch,
    st.datetimes(datetime(2024, 1, 1), datetime(2026, 1, 1)),
    st.sampled_from(How),
    st.none(),
    st.sampled_from([ADS, SEARCH, DIRECT]),
    st.none(),
)


@given(touches=st.lists(touch, min_size=1, max_size=12), model=st.sampled_from(Model), days=st.floats(0.001, 400))
def test_shares_of_a_call_add_up_to_exactly_one(touches: list[StoredTouch], model: Model, days: float) -> None:
    given_out = credit_of(touches, model, at=datetime(2026, 1, 2), half_life=timedelta(days=days))
    assert sum(share for _, share in given_out) == 1
    assert all(share > 0 for _, share in given_out)


async def test_expected_calls_add_up_to_the_calls(front: Front) -> None:
    await front.came(front.someone(), 6, 2, ADS)
    await front.came(front.someone(), 3, 0, SEARCH, left=False)
    for place in range(6):
        await front.call(0, caller=None if place % 2 else f"+130655501{place:02}")
    await front.call(0, number=list(front.numbers)[-1])
    ringing = await front.call(0, number=list(front.numbers)[-1], state="ringing")
    await front.settle()
    async with front.database.companies(front.company_id) as connection:
        found = await expected_calls(connection, front.company_id, front.ago(60), front.noon + timedelta(hours=1))
    by_name = {each.name: each for each in found}
    assert sum(each.expected for each in found) == pytest.approx(8)
    assert sum(each.credited for each in found) == 8
    assert (by_name["Flyer"].expected, by_name["Flyer"].error, by_name["Flyer"].credited) == (2.0, 0.0, 2)
    organic, paid = by_name["Google Organic"], by_name["Google Paid"]
    assert organic.expected > paid.expected > 0
    assert by_name[None].expected > 0
    rows = await front.rows("SELECT chance FROM call_candidates WHERE label = 'Google Organic'")
    assert organic.error == pytest.approx(math.sqrt(sum(row["chance"] * (1 - row["chance"]) for row in rows)))
    assert ringing


async def test_confidences_are_scored_against_taps_that_were_kept_back(front: Front) -> None:
    right, wrong = [front.number, list(front.numbers)[1]]
    ann = await front.came(front.someone(), 3, 0, left=False)
    await front.tap(ann, 0.1)
    await front.call()
    # Without his tap, the number looks like hers who has it on her screen.
    bob = await front.came(front.someone(), 30, 25, number=wrong)
    await front.came(front.someone(), 2, 0, SEARCH, number=wrong, left=False)
    await front.tap(bob, 0.1, number=wrong)
    await front.call(number=wrong, caller="+13065550111")
    # Two tapped: who called is not certain.
    both = list(front.numbers)[2]
    for _ in range(2):
        visit = await front.came(front.someone(), 3, 0, number=both, left=False)
        await front.tap(visit, 0.1, number=both)
    await front.call(number=both, caller="+13065550112")
    await front.settle()
    month = date(2026, 11, 1)
    async with front.database.companies(front.company_id) as connection:
        for _ in range(2):
            await score_month(connection, front.company_id, month, front.noon)
        found = await reliability(connection, front.company_id, date(2026, 11, 18))
        assert await months_scored(connection, front.company_id) == [month]
        assert (await reliability(connection, front.company_id, date(2026, 10, 1))).evidence == {}
    tenths = found.evidence["tap"]
    assert sum(each.calls for each in tenths) == 2
    assert sum(each.was * each.calls for each in tenths) == 1
    assert all(each.tenth / 10 <= each.said <= (each.tenth + 1) / 10 for each in tenths)
    assert right


async def test_confidences_are_scored_against_forms_with_the_callers_number(front: Front) -> None:
    ann = front.someone()
    visit = await front.came(ann, 3, 0, left=False)
    for phone, who, where in (("+13065550199", ann, visit), ("+13065550177", None, None)):
        await front.rows(
            "INSERT INTO leads (company_id, id, kind, data, phone, visit_id, visitor_id, received_at)"
            " VALUES ($1, $2, 'form', '{}', $3, $4, $5, $6)",
            front.company_id,
            new_id(front.ago(1)),
            phone,
            where,
            who,
            front.ago(1),
        )
    await front.call()
    await front.call(caller="+13065550177")
    await front.settle()
    async with front.database.companies(front.company_id) as connection:
        await score_month(connection, front.company_id, date(2026, 11, 1), front.noon)
        found = await reliability(connection, front.company_id, date(2026, 11, 1))
    (tenth,) = found.evidence["form"]
    assert (tenth.calls, tenth.was, tenth.tenth) == (1, 1.0, 9)


async def test_a_form_with_the_callers_number_brings_its_visits_touches(front: Front) -> None:
    other = front.someone()
    before = await front.visit(other, 60 * 24 * 4, ADS)
    await front.rows(
        "INSERT INTO leads (company_id, id, kind, data, phone, visit_id, visitor_id, received_at)"
        " VALUES ($1, $2, 'form', '{}', '+13065550199', $3, $4, $5)",
        front.company_id,
        new_id(front.ago(60)),
        before,
        other,
        front.ago(60 * 24 * 4),
    )
    await front.came(front.someone(), 3, 0, SEARCH, left=False)
    call = await front.call()
    await front.settle()
    touches = await front.rows("SELECT how, label FROM call_touches WHERE call_id = $1 ORDER BY position", call)
    assert [tuple(each) for each in touches] == [("form", "Google Paid"), ("visit", "Google Organic")]
    assert await front.source(call) == "Google Paid"


@given(answers=st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=50))
def test_tenths_count_every_answer(answers: list[tuple[float, bool]]) -> None:
    scores = Scores()
    for confidence, is_right in answers:
        scores.add(confidence, is_right)
    assert sum(scores.calls) == len(answers)
    assert sum(scores.was) == sum(is_right for _, is_right in answers)
    assert sum(scores.said) == pytest.approx(sum(confidence for confidence, _ in answers))
    for tenth, (calls, said) in enumerate(zip(scores.calls, scores.said, strict=True)):
        assert tenth / 10 * calls - 1e-9 <= said <= (tenth + 1) / 10 * calls + 1e-9
