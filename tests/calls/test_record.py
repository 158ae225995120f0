"""A call's record: read back as the dialplan wrote it, and nothing else accepted."""

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.calls.record import CallRecord, MalformedRecord, Stage, parse_record
from tests.calls.lines import as_of, line_of
from tests.calls.records import ended_records, texts

START = (
    "v=1&key=pbx-1.2-3&id=pbx-1.2&at=1700000000.5&trunk=t&first=1&request=1&to=&party="
    "&caller=2&name=Zo%C3%AB&stage=1&ask=7"
)


@given(ended_records(), st.sampled_from(list(Stage)))
def test_what_the_dialplan_writes_is_read_back(record: CallRecord, stage: Stage) -> None:
    wanted = as_of(record, stage)
    assert parse_record(line_of(wanted)) == wanted


def test_a_start() -> None:
    record = parse_record(START)
    assert (record.key, record.stage, record.asks, record.caller_name) == ("pbx-1.2-3", Stage.STARTED, "7", "Zoë")
    assert record.started_at.timestamp() == 1700000000.5
    assert (record.decided_by, record.answered_at, record.legs) == ("unknown", None, ())


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@example("")
@example("v=1")
@example(START.replace("at=1700000000.5", "at=nan"))
@example(START.replace("at=1700000000.5", "at=1e300"))
@example(START.replace("at=1700000000.5", "at=-1e18"))
@example(START.replace("stage=1", "stage=" + "9" * 5000))
@example(START.replace("stage=1", "stage=4"))
@example(START + "&rate=" + "9" * 5000)
@example(START + "&rate=0&message=5")
@example(START + "&message=" + "9" * 400)
@example(START + "&ref=" + "9" * 5000 + ".1")
@example(START + "&legs=a^b")
@example(START + "&legs=a^nan^inf^X^-1~")
def test_garbage_is_malformed_and_nothing_worse(line: str) -> None:
    with contextlib.suppress(MalformedRecord):
        assert isinstance(parse_record(line), CallRecord)


@given(st.data(), ended_records())
def test_a_damaged_line_is_malformed_and_nothing_worse(data: st.DataObject, record: CallRecord) -> None:
    line = line_of(record)
    at = data.draw(st.integers(0, len(line)))
    length = data.draw(st.integers(0, 20))
    damaged = line[:at] + data.draw(texts) + line[at + length :]
    with contextlib.suppress(MalformedRecord):
        parse_record(damaged)


@pytest.mark.parametrize("name", ["v", "key", "id", "at", "trunk", "first", "request", "to", "party", "caller", "name"])
def test_every_field_of_a_start_is_needed(name: str) -> None:
    pairs = [pair for pair in START.split("&") if not pair.startswith(f"{name}=")]
    with pytest.raises(MalformedRecord):
        parse_record("&".join(pairs))


@pytest.mark.parametrize("again", ["stage=3", "key=other", "caller=1", "unheard=of", "ask=9"])
def test_a_field_that_occurs_twice_is_refused(again: str) -> None:
    with pytest.raises(MalformedRecord):
        parse_record(f"{START}&{again}&{again}")


def test_another_version_is_refused() -> None:
    with pytest.raises(MalformedRecord, match="version"):
        parse_record(START.replace("v=1", "v=2"))
