"""The choice of a pool and of its number's holder: by table, and by property."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pools.choose import choose_pool, holder_of, is_direct, static_number, what_counts
from gateway.pools.conditions import Arrival, typed
from gateway.pools.pool import Kind, Pool, StaticNumber, SwapTarget
from gateway.visits.source import Decision, Source
from tests.pools.shop import ADS, DIRECT, SEARCH

VISITOR = UUID("01920000-0000-7000-8000-000000000001")
BING = Source("Bing Paid", "Paid Search", "bing", "cpc")
MAIN, FAX = SwapTarget(1, "+13065550100"), SwapTarget(2, "+13065550101")


def pool(id: int, *when: str, priority: int = 10, serves: tuple[int, ...] = (), bound_to: tuple[str, ...] = ()) -> Pool:
    return Pool(
        id,
        1,
        f"Pool {id}",
        Kind.DYNAMIC,
        priority,
        typed(when),
        bound_to=bound_to,
        serves=frozenset(serves),
    )


def static(id: int, *numbers: tuple[int, dict[str, str]], priority: int = 0) -> Pool:
    return Pool(
        id,
        1,
        f"Pool {id}",
        Kind.STATIC,
        priority,
        numbers=tuple(StaticNumber(number, f"+130655502{number:02}", facts) for number, facts in numbers),
    )


@pytest.mark.parametrize(
    ("source", "pools", "chosen"),
    [
        (ADS, [], None),
        (ADS, [pool(1)], 1),
        (ADS, [pool(1, "source=bing")], None),
        (ADS, [pool(1, priority=1), pool(2, priority=2)], 2),
        # Priority goes before everything that is specific.
        (ADS, [pool(1, "source=google", "medium=cpc", priority=1), pool(2, priority=2)], 2),
        # The more specific: more conditions, then fewer values, then the older pool.
        (ADS, [pool(1), pool(2, "source=google")], 2),
        (ADS, [pool(1, "source=google"), pool(2, "source=google", "medium=cpc")], 2),
        (ADS, [pool(1, "source=google,bing"), pool(2, "medium=cpc")], 2),
        (ADS, [pool(2, "source=google"), pool(1, "medium=cpc")], 1),
        (BING, [pool(1), pool(2, "source=google")], 1),
        # Direct visits see the page's own number, unless a pool names them.
        (DIRECT, [pool(1)], None),
        (DIRECT, [pool(1, "source=*")], None),
        (DIRECT, [pool(1, "source=(direct)")], 1),
        (DIRECT, [pool(1, "channel=direct,organic search")], 1),
        (DIRECT, [pool(1, "source=!(direct)")], None),
        (SEARCH, [pool(1, "channel=direct,organic search")], 1),
        # A static number stands for its source; lending goes before it.
        (ADS, [static(1, (7, {"source": "google", "medium": "cpc"}))], 1),
        (SEARCH, [static(1, (7, {"source": "google", "medium": "cpc"}))], None),
        (ADS, [static(1, (7, {"source": "google"})), pool(2)], 2),
        (ADS, [static(1, (7, {"source": "google"}), priority=10), pool(2)], 1),
        (ADS, [static(1, (7, {}))], None),  # a flyer brings no visits
        (DIRECT, [static(1, (7, {"channel": "Direct"}))], 1),
        (DIRECT, [static(1, (7, {"source": "google"}))], None),
    ],
)
def test_which_pool(source: Source, pools: list[Pool], chosen: int | None) -> None:
    found = choose_pool(Arrival(source), pools, MAIN)
    assert (found.pool.id if found else None) == chosen
    # The order in which pools are read does not matter.
    again = choose_pool(Arrival(source), reversed(pools), MAIN)
    assert again == found


def test_which_static_number() -> None:
    pools = [
        static(1, (5, {"source": "google"}), (6, {"source": "google", "medium": "cpc"}), (4, {"medium": "cpc"})),
        pool(2),
    ]
    number = static_number(Arrival(ADS), pools, MAIN)
    assert number is not None
    assert number.number_id == 6
    other = static_number(Arrival(BING), pools, MAIN)
    assert other is not None
    assert other.number_id == 4
    assert static_number(Arrival(DIRECT), pools, MAIN) is None


def test_a_pool_serves_the_targets_it_names() -> None:
    pools = [pool(1, serves=(1,)), pool(2, priority=1)]
    chosen = [choose_pool(Arrival(ADS), pools, target) for target in (MAIN, FAX)]
    assert [each.pool.id if each else None for each in chosen] == [1, 2]


@pytest.mark.parametrize(
    ("decision", "earlier", "counts"),
    [
        (Decision(ADS, "ads"), None, ADS),
        (Decision(ADS, "ads"), BING, ADS),
        (Decision(DIRECT, "direct"), None, DIRECT),
        (Decision(DIRECT, "direct"), ADS, ADS),
        (Decision(SEARCH, "own-site", is_touch=False), ADS, ADS),
        (Decision(SEARCH, "own-site", is_touch=False), None, SEARCH),
    ],
)
def test_what_counts_when_a_visitor_comes_back(decision: Decision, earlier: Source | None, counts: Source) -> None:
    assert what_counts(decision, earlier) is counts


def test_a_visitor_holds_for_himself() -> None:
    one = holder_of(pool(1), VISITOR, Arrival(ADS))
    assert one.combination is None
    assert one == holder_of(pool(2), VISITOR, Arrival(BING, parameters={"utm_source": "bing"}))
    assert one != holder_of(pool(1), UUID(int=VISITOR.int + 1), Arrival(ADS))


@pytest.mark.parametrize(
    ("parameters", "same"),
    [
        ({"utm_source": "google", "utm_campaign": "spring"}, True),
        ({"utm_source": "Google", "utm_campaign": " SPRING "}, True),
        ({"utm_source": "google", "utm_campaign": "spring", "utm_content": "b"}, True),
        ({"utm_campaign": "spring"}, True),  # the source is known without it
        ({"utm_source": "google", "utm_campaign": "fall"}, False),
        ({"utm_source": "googlespring", "utm_campaign": ""}, False),
    ],
)
def test_a_combination_holds_for_all_who_have_it(parameters: dict[str, str], same: bool) -> None:
    bound = pool(1, bound_to=("utm_source", "utm_campaign"))
    expected = holder_of(bound, VISITOR, Arrival(ADS, parameters={"utm_source": "google", "utm_campaign": "spring"}))
    found = holder_of(bound, UUID(int=5), Arrival(ADS, parameters=parameters))
    assert (found.key == expected.key) is same
    assert set(found.combination or ()) == {"utm_source", "utm_campaign"}


@given(
    one=st.tuples(st.text(max_size=9), st.text(max_size=9)), other=st.tuples(st.text(max_size=9), st.text(max_size=9))
)
def test_different_values_never_share_a_number(one: tuple[str, str], other: tuple[str, str]) -> None:
    bound = pool(1, bound_to=("a", "b"))

    def key(values: tuple[str, str]) -> str:
        return holder_of(bound, VISITOR, Arrival(ADS, parameters=dict(zip("ab", values, strict=True)))).key

    alike = [value.strip().casefold() for value in one] == [value.strip().casefold() for value in other]
    assert (key(one) == key(other)) is alike


pools_drawn = st.lists(
    st.builds(
        lambda id, priority, when: pool(id, *when, priority=priority),
        id=st.integers(1, 30),
        priority=st.integers(0, 3),
        when=st.lists(
            st.sampled_from(["source=google", "medium=cpc", "source=bing", "campaign=*", "device=mobile"]),
            max_size=3,
            unique_by=lambda word: word.partition("=")[0],
        ).map(tuple),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)


@given(pools=pools_drawn, source=st.sampled_from([ADS, SEARCH, BING, DIRECT]))
def test_the_chosen_pool_matches_and_none_that_matches_goes_before_it(pools: list[Pool], source: Source) -> None:
    arrival = Arrival(source, device="mobile")
    chosen = choose_pool(arrival, pools)
    matching = [each for each in pools if each.conditions.hold(arrival) and not is_direct(source)]
    if chosen is None:
        assert matching == []
        return
    assert chosen.pool in matching
    assert chosen.pool.priority == max(each.priority for each in matching)
    rivals = [each for each in matching if each.priority == chosen.pool.priority]
    assert len(chosen.pool.conditions.each) == max(len(each.conditions.each) for each in rivals)
