"""The outbox: the newest whole record of each file, and nothing that stops the others."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.asterisk.outbox import MAX_FILE_BYTES, Outbox, last_record
from gateway.calls.record import CallRecord, MalformedRecord, Stage
from tests.calls.lines import as_of, line_of
from tests.calls.records import ended_records

CALL = "v=1&key={key}&id=k&at=1.0&trunk=t&first=1&request=1&to=&party=&caller=2&name=&stage={stage}"


def line(key: str, stage: int = 1) -> str:
    return CALL.format(key=key, stage=stage) + "&end=\n"


@given(ended_records(), st.lists(st.sampled_from(list(Stage)), max_size=5), st.integers(0, 60))
def test_the_newest_whole_line_counts(record: CallRecord, stages: list[Stage], cut: int) -> None:
    """Lines in any order; the last one may be half written."""
    lines = [line_of(as_of(record, stage)) + "&end=" for stage in stages]
    half = line_of(record)[:cut]
    wanted = max(stages, default=None)
    found = last_record("\n".join([*lines, half]))
    assert (found.stage if found else None) == wanted
    if wanted is not None:
        assert found == as_of(record, wanted)


def test_every_length_of_a_file_that_is_being_written() -> None:
    text = line("k", 1) + line("k", 2) + line("k", 3)
    stages = [record.stage if (record := last_record(text[:length])) else 0 for length in range(len(text) + 1)]
    assert stages == sorted(stages)
    assert set(stages) == {0, 1, 2, 3}


def test_a_whole_line_that_is_no_record() -> None:
    with pytest.raises(MalformedRecord):
        last_record("v=1&key=k&end=\n")


def test_a_file_is_read_when_it_is_new_or_has_grown(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    (tmp_path / "a").write_text(line("a"))
    assert [record.key for record in outbox.unread()] == ["a"]
    assert outbox.unread() == []
    (tmp_path / "a").write_text(line("a") + line("a", 3))
    assert [record.stage for record in outbox.unread()] == [Stage.ENDED]
    outbox.forget()
    assert len(outbox.unread()) == 1
    outbox.delete("a")
    outbox.delete("a")
    assert outbox.unread() == []
    assert outbox.keys() == set()


@pytest.mark.parametrize(
    "content",
    [b"v=1&key=k&end=\n", b"\xff\xfe&end=\n", line("another").encode(), b"x" * (MAX_FILE_BYTES + 1)],
    ids=["no record", "no text", "of another call", "huge"],
)
def test_what_is_no_record_is_put_aside_and_stops_nobody(tmp_path: Path, content: bytes) -> None:
    outbox = Outbox(tmp_path)
    (tmp_path / "bad").write_bytes(content)
    (tmp_path / "good").write_text(line("good"))
    assert [record.key for record in outbox.unread()] == ["good"]
    assert {file.name for file in tmp_path.iterdir()} == {"bad.rejected", "good"}
    assert outbox.keys() == {"good"}


def test_half_a_line_and_folders_are_left_alone(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "half").write_text("v=1&key=half")
    (tmp_path / "empty").write_text("")
    assert outbox.unread() == []
    assert {file.name for file in tmp_path.iterdir()} == {"folder", "half", "empty"}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Outbox(tmp_path / "away").unread()


def test_only_so_many_at_a_time(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for number in range(5):
        (tmp_path / f"k{number}").write_text(line(f"k{number}"))
    assert [len(outbox.unread(2)) for _ in range(4)] == [2, 2, 1, 0]
