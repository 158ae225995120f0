"""``numberpool pools replay`` as a person types it, and what odd histories lead to."""

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.attribution.errors import FaultyHistory
from gateway.attribution.history_lines import PastCall, PastVisit, read_calls, read_visits
from gateway.attribution.replay import answer_line, trial_numbers, under_conditions
from gateway.attribution.trial import Trial
from gateway.pools.conditions import typed
from gateway.pools.leases import Got
from gateway.pools.pool import Kind, Pool, WhenFull
from gateway.visits.classify import default_classifier
from tests.attribution.traffic import BEGIN, Traffic, traffic

PROJECT = Path(__file__).parents[2]
POOL = Pool(0, 0, "trial", Kind.DYNAMIC)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def visit(
    who: str, start: float, length: float = 2, url: str = "https://shop.example/", referrer: str = ""
) -> PastVisit:
    return PastVisit(who, at(start), at(start + length), url, referrer)


def call(name: str, start: float, truth: str | None = None, caller: str = "", did: str | None = None) -> PastCall:
    return PastCall(name, at(start), caller, truth, did)


def replay(
    visits: list[PastVisit], calls: list[PastCall], numbers: int = 3, pool: Pool = POOL, **given: Any
) -> list[dict[str, Any]]:
    trial = Trial(pool, trial_numbers(numbers, [each.did for each in calls]), **given)
    ordered = sorted(visits, key=lambda each: each.start), sorted(calls, key=lambda each: each.start)
    return [answer_line(answer) for answer in trial.answers(*ordered)]


def typed_command(folder: Path, *words: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "gateway", "pools", *words],
        input=given,
        capture_output=True,
        check=False,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(PROJECT), "LC_ALL": "C"},
    )


def written(folder: Path, history: Traffic) -> tuple[str, str]:
    visits, calls = folder / "visits.jsonl", folder / "calls.jsonl"
    visits.write_text(
        "".join(
            json.dumps(
                {
                    "visitor": each.visitor,
                    "start": each.start.isoformat(),
                    "end": each.end.isoformat(),
                    "url": "",
                    "referrer": None,
                }
            )
            + "\n"
            for each in reversed(history.visits)
        )
    )
    calls.write_text(
        "".join(
            json.dumps(
                {
                    "call": each.call,
                    "visitor_truth": each.visitor_truth,
                    "start": each.start.isoformat(),
                    "caller": each.caller,
                }
            )
            + "\n"
            for each in reversed(history.calls)
        )
    )
    return str(visits), str(calls)


def test_as_it_is_typed(tmp_path: Path) -> None:
    history = traffic("lognormal", visits=600)
    visits, calls = written(tmp_path, history)
    words = [
        "replay",
        "--visits",
        visits,
        "--calls",
        calls,
        "--numbers",
        "10",
        "--seed",
        "3",
        "--reserve",
        "15m",
        "--window",
        "30m",
        "--when-full",
        "share",
    ]
    done = typed_command(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    # In the order of the file, which is not that of time.
    assert [each["call"] for each in lines] == [each.call for each in reversed(history.calls)]
    assert all(list(each) == ["call", "did", "visitor", "confidence", "evidence"] for each in lines)
    truth = {each.call: each.visitor_truth for each in history.calls}
    assert sum(each["visitor"] == truth[each["call"]] for each in lines) > 0.75 * len(lines)
    assert all(0 <= each["confidence"] <= 1 and each["evidence"]["sentence"] for each in lines)
    assert len({each["did"] for each in lines}) == 10
    assert b"600 visits" in done.stderr
    assert typed_command(tmp_path, *words).stdout == done.stdout


def test_lines_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    visits, calls = tmp_path / "visits.jsonl", tmp_path / "calls.jsonl"
    visits.write_bytes(
        b'{"visitor": "a", "start": "2026-05-01T10:00:00Z"}\n\nnonsense\n[]\n{"visitor": "b", "start": "yesterday"}\n'
        b'{"visitor": "", "start": "2026-05-01T10:00:00Z"}\n{"start": 5}\n\xff\n'
    )
    calls.write_bytes(b"")
    done = typed_command(tmp_path, "replay", "--visits", str(visits), "--calls", str(calls), "--numbers", "1")
    assert done.returncode == 1
    assert done.stdout == b""
    said = done.stderr.decode()
    assert "6 lines cannot be used" in said
    for part in (
        "line 3: is no JSON object",
        "line 4: is no JSON object",
        "line 5: start 'yesterday' is no time",
        "line 6: visitor is empty",
        "line 7: visitor is missing; add it; start is no time",
        "line 8",
    ):
        assert part in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "1970-01-01T00:00:00Z", 5, None]
)
def test_times_that_cannot_be(moment: object) -> None:
    with pytest.raises(FaultyHistory, match="line 1: start"):
        read_visits([json.dumps({"visitor": "a", "start": moment}).encode()], "visits")


def test_years_of_silence_take_no_time() -> None:
    late = timedelta(days=20_000)
    visits = [visit("a", 0), PastVisit("b", at(0) + late, at(5) + late)]
    calls = [call("one", 1, "a"), PastCall("two", at(1) + late, "", "b"), PastCall("three", at(2) + late, "", "a")]
    assert [each["visitor"] for each in replay(visits, calls)] == ["a", "b", None]


def test_many_faulty_lines_are_counted() -> None:
    with pytest.raises(FaultyHistory, match="1000 lines") as caught:
        read_calls([b"x\n"] * 1000, "calls")
    assert len(str(caught.value).splitlines()) == 22


def test_lines_in_any_order_and_shape() -> None:
    visits = read_visits(
        [
            b'\xef\xbb\xbf{"visitor": 7, "start": "2026-05-01T12:00:00+02:00", "end": "2026-05-01T09:00:00Z"}',
            b'{"visitor": "a", "start": "2026-05-01T09:00:00", "more": 1, "url": "x", "referrer": null}',
        ],
        "visits",
    )
    assert [(each.visitor, each.start.hour, each.end == each.start) for each in visits] == [
        ("a", 9, True),
        ("7", 10, True),
    ]
    (one,) = read_calls(
        [b'{"call": "c", "visitor_truth": null, "start": "2026-05-01T09:00:00Z", "did": " +1 "}'], "calls"
    )
    assert (one.did, one.caller, one.visitor_truth) == ("+1", "", None)


def test_nothing_in_nothing_out() -> None:
    assert replay([], []) == []
    assert replay([visit("a", 0)], []) == []


def test_a_call_is_to_the_number_its_visitor_was_last_shown() -> None:
    lines = replay(
        [visit("a", 0), visit("b", 1), visit("a", 5)],
        [call("one", 1.5, "a"), call("two", 2.5, "b"), call("three", 6, "a")],
    )
    assert [each["visitor"] for each in lines] == ["a", "b", "a"]
    assert lines[0]["did"] == lines[2]["did"] != lines[1]["did"]
    assert lines[0]["evidence"]["because"] == ["live"]


def test_a_call_that_no_visit_made_is_drawn_by_the_seed() -> None:
    calls = [call(f"c{index}", index) for index in range(40)] + [call("early", -5, "never shown")]
    first, other = replay([], calls, 10, seed=1), replay([], calls, 10, seed=2)
    assert first == replay([], calls, 10, seed=1)
    assert [each["did"] for each in first] != [each["did"] for each in other]
    assert len({each["did"] for each in first}) > 5
    assert all(each["visitor"] is None and each["evidence"]["because"] == ["never shown"] for each in first)


def test_a_call_names_its_number() -> None:
    lines = replay([visit("a", 0)], [call("one", 1, did="+13065550001"), call("two", 1, did="+4930123456")], 2)
    assert {each["did"] for each in lines} == {"+13065550001", "+4930123456"}
    assert trial_numbers(3, []) == ["+13065550001", "+13065550002", "+13065550003"]
    assert trial_numbers(2, ["+1", "+2", "+3", "+13065550001", None]) == ["+1", "+2"]


def test_one_number_for_all() -> None:
    visits = [visit(f"v{index}", index * 5, 4) for index in range(100)]
    calls = [call(f"c{index}", index * 5 + 3, f"v{index}") for index in range(100)]
    lines = replay(visits, calls, 1)
    assert sum(each["visitor"] == f"v{index}" for index, each in enumerate(lines)) > 85


def test_a_visitor_whose_number_was_taken_asks_anew() -> None:
    trial = Trial(POOL, ["n1", "n2"])
    visits = [visit("a", 0, 60), visit("b", 1, 60), visit("c", 2, 5)]
    answers = list(trial.answers(visits, [call("one", 30, "a"), call("two", 31, "b"), call("three", 32, "c")]))
    assert trial.tally.got[Got.DISPLACED] == 1
    assert trial.tally.asked_anew > 0
    assert {answers[0].number, answers[1].number} == {"n1", "n2"}


def test_a_full_pool_that_does_not_share() -> None:
    pool = Pool(0, 0, "trial", Kind.DYNAMIC, when_full=WhenFull.FALLBACK)
    visits = [visit("a", 0), visit("b", 1)]
    lines = replay(visits, [call("one", 2, "a"), call("two", 3, "b")], 1, pool)
    assert lines[0]["visitor"] == "a"
    assert (lines[1]["did"], lines[1]["visitor"], lines[1]["confidence"]) == (None, None, 0.0)
    assert lines[1]["evidence"]["because"] == ["no number"]


def test_conditions_leave_others_the_pages_number() -> None:
    pool = Pool(0, 0, "trial", Kind.DYNAMIC, conditions=typed(("medium=cpc",)))
    visits = [
        visit("paid", 0, url="https://shop.example/?utm_source=google&utm_medium=cpc"),
        visit("direct", 1),
        visit("paid", 3),  # comes back by himself
    ]
    calls = [call("one", 1, "paid"), call("two", 2, "direct"), call("three", 4, "paid")]
    lines = replay(visits, calls, 2, pool, may_have_number=under_conditions(pool, default_classifier()))
    assert [each["visitor"] for each in lines] == ["paid", None, "paid"]
    assert lines[1]["did"] is None


def test_a_known_caller_is_told_by_his_number() -> None:
    visits = [visit("a", 0), visit("a", 3000), visit("b", 3004)]
    calls = [call("one", 1, "a", "+1306"), call("two", 3005, "a", "+1306"), call("three", 90_000, "a", "+1306")]
    lines = replay(visits, calls, 1)
    assert [each["visitor"] for each in lines] == ["a", "a", "a"]
    assert lines[1]["evidence"]["because"][0] == "known caller"
    assert lines[1]["confidence"] > 0.9
    assert "shown_at" not in lines[2]["evidence"]


def test_two_calls_of_one_name_and_two_visits_at_once() -> None:
    lines = replay([visit("a", 0), visit("a", 0), visit("b", 0)], [call("x", 1, "a"), call("x", 1, "b")], 2)
    assert [(each["call"], each["visitor"]) for each in lines] == [("x", "a"), ("x", "b")]


def test_the_truth_is_used_for_nothing_but_the_number() -> None:
    history = traffic("two kinds", visits=1500, seed=4)
    first = replay(history.visits, history.calls, 10)
    told = [
        PastCall(each.call, each.start, each.caller, None, line["did"])
        for each, line in zip(history.calls, first, strict=True)
    ]
    names = trial_numbers(10, [])
    assert set(names) >= {each["did"] for each in first}
    assert replay(history.visits, told, 10) == first
