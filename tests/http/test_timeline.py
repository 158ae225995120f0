"""What happened during a call, in words: destinations, people and transfers in their order."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.assets import asset_folder
from gateway.http.call_store import CallDetails, CallRow, Leg
from gateway.http.language import load_languages
from gateway.http.timeline import timeline
from gateway.http.words import Words

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = Words(load_languages(asset_folder("web") / "translations")["en"], "CA", ZoneInfo("UTC"), AT)


def rang(dial: str, seconds: float, result: str, destination: str | None = None) -> Leg:
    return Leg("destination", dial, destination, seconds, None, result, None, None, None)


def taken(dial: str, rang: float, talked: float, by: str, destination: str | None = None) -> Leg:
    return Leg("destination", dial, destination, rang, talked, "answered", None, by, None)


def passed(target: str, rang: float, result: str, talked: float | None = None, by: str | None = None) -> Leg:
    return Leg("transfer", target, None, rang, talked, result, None, by, "Anna" if by == "PJSIP/103" else None)


def told(legs: tuple[Leg, ...], outcome: str, ring: float, talk: float | None) -> list[tuple[int, str]]:
    answered = AT + timedelta(seconds=ring) if talk is not None else None
    row = CallRow(
        *(1, 1, "ended", outcome, "+13065552001", 1, None, "", AT, answered, AT, ring, talk),
        *("PJSIP/101" if talk else None, None, False, None, None, None, None),
    )
    call = CallDetails(
        row=row,
        trunk="trunk",
        hung_up_by="caller",
        hangup_cause=16,
        decided_by="gateway",
        decision_ms=1.0,
        asterisk_id="x",
        node="pbx",
        pool=None,
        evidence={},
        recording_file=None,
        recording_fault=None,
        recording_deleted_at=None,
        legs=legs,
        hearings=(),
    )
    return [(round(step.seconds), step.text) for step in timeline(call, WORDS)[1:]]


@pytest.mark.parametrize(
    ("legs", "outcome", "ring", "talk", "steps"),
    [
        (
            (rang("PJSIP/100", 3, "busy", "Desk"), taken("PJSIP/101", 4, 20, "PJSIP/101")),
            *("answered", 7, 20),
            [(0, "Desk was busy"), (3, "Rang 101 for 4 seconds"), (7, "101 answered"), (27, "The caller hung up")],
        ),
        (
            (taken("PJSIP/101", 4, 6, "PJSIP/101"), passed("102@internal", 5, "answered", 15, "PJSIP/102")),
            *("answered", 4, 26),
            [
                (0, "Rang 101 for 4 seconds"),
                (4, "101 answered"),
                (10, "Put through to 102, who answered after 5 seconds"),
                (30, "The caller hung up"),
            ],
        ),
        (
            (taken("PJSIP/101", 4, 6, "PJSIP/101"), passed("PJSIP/103", 0, "answered", 20, "PJSIP/103")),
            *("answered", 4, 26),
            [
                (0, "Rang 101 for 4 seconds"),
                (4, "101 answered"),
                (10, "Put through to Anna"),
                (30, "The caller hung up"),
            ],
        ),
        (
            (taken("Dialplan/600@queues", 9, 6, "PJSIP/104", "Queue"), passed("999@internal", 2, "failed")),
            *("answered", 9, 8),
            [
                (0, "Rang Queue for 9 seconds"),
                (9, "104 answered"),
                (15, "Put through to 999, who could not be reached"),
                (17, "The caller hung up"),
            ],
        ),
        (
            (rang("Dialplan/600@queues", 9, "abandoned"),),
            *("abandoned", 9, None),
            [(0, "Rang 600 for 9 seconds, until the caller hung up"), (9, "The caller hung up")],
        ),
    ],
    ids=["second destination", "blind transfer", "attended transfer", "queue, then nobody there", "left the queue"],
)
def test_steps(
    legs: tuple[Leg, ...], outcome: str, ring: float, talk: float | None, steps: list[tuple[int, str]]
) -> None:
    assert told(legs, outcome, ring, talk) == steps


def test_a_carrier_that_refuses() -> None:
    """The same trunk is tried again with another number; the log says why there are two attempts."""
    refused = Leg("destination", "PJSIP/+13065559876@carrier", None, 0.2, None, "failed", 21, None, None)
    answered = taken("PJSIP/+13065559876@carrier", 3, 10, "PJSIP/carrier")
    assert told((refused, answered), "answered", 3, 10)[:2] == [
        (0, "+13065559876 refused the call"),
        (0, "Rang +13065559876 for 3 seconds"),
    ]


def test_a_blocked_caller() -> None:
    assert told((), "blocked", 0, None) == [(0, "Refused, because this caller is blocked")]
