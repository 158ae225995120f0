"""What needs somebody, by table: each rule, where it begins and where it ends."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.attention.needs import Facts, Failed, Kind, Missed, PoolWeek, Silent, TurnedAway, needs
from gateway.attention.node_states import UNREACHABLE, NodeState, TrunkState

NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
SECOND = timedelta(seconds=1)
NODE = NodeState("pbx", NOW - 10 * SECOND, True, NOW)
POOL = PoolWeek(3, "Website", lendable=10, leased=1000, failed=0)


def trunk(away: timedelta) -> NodeState:
    return replace(NODE, down=(TrunkState("carrier", UNREACHABLE, NOW - away),))


def keys(facts: Facts, today: date = TODAY) -> list[str]:
    return [need.key for need in needs(facts, NOW, today)]


CASES: list[tuple[str, Facts, list[str]]] = [
    ("nothing is known", Facts(), []),
    ("all is well", Facts(nodes=[NODE], pools=[POOL]), []),
    ("a gateway that told a minute ago", Facts(nodes=[replace(NODE, seen_at=NOW - timedelta(minutes=1))]), []),
    ("one that has not for five", Facts(nodes=[replace(NODE, seen_at=NOW - timedelta(minutes=5))]), ["gateway/pbx"]),
    ("one taken out of use", Facts(nodes=[replace(NODE, seen_at=NOW - timedelta(days=31))]), []),
    ("Asterisk restarts", Facts(nodes=[replace(NODE, is_linked=False, linked_at=NOW - 30 * SECOND)]), []),
    (
        "Asterisk is away",
        Facts(nodes=[replace(NODE, is_linked=False, linked_at=NOW - timedelta(minutes=2))]),
        ["link/pbx"],
    ),
    ("Asterisk was never there", Facts(nodes=[replace(NODE, is_linked=False, linked_at=None)]), ["link/pbx"]),
    ("a trunk that hiccups", Facts(nodes=[trunk(timedelta(minutes=1))]), []),
    ("a trunk that is down", Facts(nodes=[trunk(timedelta(minutes=3))]), ["trunk/pbx/carrier"]),
    (
        "what a gateway told of its trunks before it went is old",
        Facts(nodes=[replace(trunk(timedelta(hours=3)), seen_at=NOW - timedelta(hours=2))]),
        ["gateway/pbx"],
    ),
    ("missed and waiting", Facts(missed=Missed(2, NOW - timedelta(hours=3), 77)), ["missed/77"]),
    ("a few visits found a busy pool full", Facts(pools=[replace(POOL, failed=2)]), []),
    ("few of many did", Facts(pools=[replace(POOL, failed=9)]), []),
    ("more than one in a hundred did", Facts(pools=[replace(POOL, failed=14)]), ["pool/3"]),
    ("all of few did", Facts(pools=[replace(POOL, leased=0, failed=3)]), ["pool/3"]),
    ("nearly full now and then", Facts(pools=[replace(POOL, days_nearly=2)]), []),
    ("nearly full often", Facts(pools=[replace(POOL, days_nearly=3)]), ["nearly/3"]),
    ("full says more than nearly full", Facts(pools=[replace(POOL, failed=50, days_nearly=7)]), ["pool/3"]),
    ("nothing to lend", Facts(pools=[replace(POOL, lendable=0, failed=50)]), ["empty/3"]),
    ("a limit turned calls away", Facts(turned_away=TurnedAway(3, NOW, 92)), ["limit/92"]),
    ("a recording failed", Facts(failed=Failed(1, 91)), ["recordings/91"]),
    ("no spend ever", Facts(), []),
    (
        "spend of last month is here",
        Facts(months_with_spend=frozenset({date(2026, 9, 1), date(2026, 10, 1)})),
        [],
    ),
    ("spend of last month is missing", Facts(months_with_spend=frozenset({date(2026, 9, 1)})), ["spend/2026-10"]),
    ("spend was given up long ago", Facts(months_with_spend=frozenset({date(2026, 8, 1)})), []),
    (
        "the most urgent stands first",
        Facts(
            nodes=[trunk(timedelta(hours=1))],
            missed=Missed(1, NOW, 5),
            silent=[Silent(Kind.SITE, 2, "Home", NOW, 40), Silent(Kind.NUMBER, 9, "+13065552001", NOW, 3)],
            pools=[replace(POOL, failed=50)],
            failed=Failed(2, 6),
        ),
        ["trunk/pbx/carrier", "missed/5", "number/9", "site/2", "pool/3", "recordings/6"],
    ),
]


@pytest.mark.parametrize(("name", "facts", "expected"), CASES, ids=[case[0] for case in CASES])
def test_each_rule(name: str, facts: Facts, expected: list[str]) -> None:
    assert keys(facts) == expected


@pytest.mark.parametrize(("day", "expected"), [(3, []), (4, ["spend/2026-10"]), (30, ["spend/2026-10"])])
def test_bills_have_a_few_days(day: int, expected: list[str]) -> None:
    assert keys(Facts(months_with_spend=frozenset({date(2026, 9, 1)})), date(2026, 11, day)) == expected


def test_the_first_month_of_a_year_looks_back_at_the_last_of_the_one_before() -> None:
    assert keys(Facts(months_with_spend=frozenset({date(2026, 11, 1)})), date(2027, 1, 9)) == ["spend/2026-12"]


def test_what_was_put_off_is_not_told_and_what_is_new_is() -> None:
    facts = Facts(missed=Missed(1, NOW, 5), pools=[replace(POOL, failed=50)])
    assert [need.key for need in needs(facts, NOW, TODAY, ["missed/5"])] == ["pool/3"]
    later = replace(facts, missed=Missed(2, NOW, 8))
    assert [need.key for need in needs(later, NOW, TODAY, ["missed/5"])] == ["missed/8", "pool/3"]
