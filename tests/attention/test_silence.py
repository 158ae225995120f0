"""Silences: judged by each one's own habit, never by a fixed count of days."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.attention.silence import (
    FALSE_ALARMS,
    HOURS_OF_WEEK,
    LEAST_DAYS,
    LEAST_SPAN,
    Habit,
    Week,
    chance,
    habit_of,
    is_silent,
    silences,
)

MONDAY = datetime(2026, 6, 1)
EVEN = Week((1.0,) * HOURS_OF_WEEK)

habits = st.builds(
    Habit,
    events=st.integers(1, 5000),
    days=st.integers(1, 300),
    span=st.timedeltas(timedelta(days=1), timedelta(days=365)),
    busy_hours=st.floats(1, 9000),
    bunching=st.floats(0, 20),
)
waits = st.floats(0, 10_000)


def office(days: int, a_day: float, seed: int = 1, since: datetime = MONDAY) -> dict[datetime, int]:
    """Calls of an office that opens from nine to five on weekdays, by chance, at a steady pace."""
    dice, hours = random.Random(seed), dict[datetime, int]()
    for place in range(days):
        day = since + timedelta(days=place)
        if day.weekday() < 5:
            for hour in range(9, 17):
                calls = sum(dice.random() < a_day / 8 / 20 for _ in range(20))
                if calls:
                    hours[day + timedelta(hours=hour)] = calls
    return hours


@given(habits, waits, waits)
def test_the_longer_the_silence_the_less_it_is_chance(habit: Habit, one: float, other: float) -> None:
    short, long = sorted((one, other))
    assert 0 <= chance(habit, long) <= chance(habit, short) <= 1


@given(habits, waits, st.integers(1, 50))
def test_of_many_it_takes_more_to_stand_out(habit: Habit, wait: float, among: int) -> None:
    if is_silent(habit, wait, among):
        assert is_silent(habit, wait, 1)


@given(habits, waits, st.floats(0.01, 100))
def test_it_does_not_matter_in_what_time_is_counted(habit: Habit, wait: float, scale: float) -> None:
    other = Habit(habit.events, habit.days, habit.span, habit.busy_hours * scale, habit.bunching)
    assert chance(other, wait * scale) == pytest.approx(chance(habit, wait), rel=1e-6, abs=1e-12)


@given(st.integers(1, LEAST_DAYS - 1), waits)
def test_what_was_heard_of_on_a_few_days_has_no_habit(days: int, wait: float) -> None:
    assert not is_silent(Habit(400, days, timedelta(days=200), 1000), wait)


@given(st.integers(1, 400), waits)
def test_what_is_young_has_no_habit(events: int, wait: float) -> None:
    assert not is_silent(Habit(events, 10, LEAST_SPAN - timedelta(hours=1), 200), wait)


@given(habits, waits)
def test_more_of_the_same_makes_it_surer(habit: Habit, wait: float) -> None:
    twice = Habit(habit.events * 2, habit.days, habit.span, habit.busy_hours, habit.bunching)
    assert chance(twice, wait) <= chance(habit, wait)


@pytest.mark.parametrize(
    ("a_day", "silent_days", "is_noticed"),
    [
        (20, 1, True),  # a number that rings twenty times a day: one whole working day is much
        (5, 1, False),
        (5, 3, True),
        (0.6, 3, False),
        (0.6, 7, False),
        (0.6, 21, True),
        (0.25, 14, False),
        (0.25, 100, True),
    ],
)
def test_how_long_is_long_depends_on_how_often_it_rings(a_day: float, silent_days: int, is_noticed: bool) -> None:
    hours = office(84, a_day)
    end = MONDAY + timedelta(days=84)  # a Monday morning
    week = Week.of(office(84, 20, seed=9))
    now = end + timedelta(days=silent_days)
    assert bool(silences({1: hours}, now, week)) is is_noticed


def test_a_weekend_is_no_silence() -> None:
    hours = office(82, 20)  # up to Friday night
    monday_at_nine = MONDAY + timedelta(days=84, hours=9)
    assert silences({1: hours}, monday_at_nine, Week.of(hours)) == ()
    (silence,) = silences({1: hours}, monday_at_nine + timedelta(days=2), Week.of(hours))
    assert silence.since.date() == (MONDAY + timedelta(days=81)).date()
    assert 10 < silence.a_day < 20  # of all days, weekends among them


def test_what_comes_in_bunches_is_given_more_time() -> None:
    steady, bunched = dict[datetime, int](), dict[datetime, int]()
    for day in range(0, 100):
        steady[MONDAY + timedelta(days=day, hours=10)] = 2
        if day % 10 == 0:
            bunched[MONDAY + timedelta(days=day, hours=10)] = 20
    even = habit_of(steady, EVEN), habit_of(bunched, EVEN)
    assert even[0].bunching < 2 < even[1].bunching
    assert chance(even[0], 24 * 9) < 1e-6
    assert chance(even[1], 24 * 9) > 0.05


def test_chance_alone_hardly_ever_raises_an_alarm() -> None:
    """A hundred numbers that ring by chance, looked at each day of three weeks, and none of them broken."""
    alarms = 0
    for seed in range(100):
        hours = office(105, random.Random(seed).choice([0.3, 1, 4, 15]), seed=seed)
        week = Week.of(office(105, 20, seed=seed + 1000))
        for day in range(84, 105):
            now = MONDAY + timedelta(days=day)
            known = {hour: calls for hour, calls in hours.items() if hour < now}
            alarms += bool(known and silences({1: known}, now, week))
    # Two in 2,100 looks, if each were another chance; one long gap is looked at on several days. The dice are seeded.
    assert alarms <= 4 * FALSE_ALARMS * 100 * 21, alarms


def test_busy_hours_add_up() -> None:
    week = Week.of(office(50, 10))
    assert sum(week.weights) == pytest.approx(HOURS_OF_WEEK)
    start, middle, end = MONDAY + timedelta(hours=5), MONDAY + timedelta(days=3), MONDAY + timedelta(days=40)
    assert week.between(start, end) == pytest.approx(week.between(start, middle) + week.between(middle, end))
    assert week.between(end, start) == 0
