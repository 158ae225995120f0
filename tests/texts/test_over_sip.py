"""Files of the outbox that are texts: whole ones are read, odd ones are put aside, none is taken twice."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.asterisk.outbox import Outbox
from gateway.calls.directory import Directory
from gateway.calls.route import Route
from gateway.store.database import Database
from gateway.texts import over_sip
from gateway.texts.over_sip import MalformedText, parse, user_of
from tests.http.company import make_company

LINE = (
    "v=1&at=1795350000.123456&number=+13065552001&to=%3Csip%3A%2B13065552001%40pbx%3E"
    "&from=%22Ann%22%20%3Csip%3A%2B13065550142%40host%3E&body=Hello%0AThere%20%F0%9F%8F%A0&end="
)


@pytest.mark.parametrize(
    ("address", "user"),
    [
        ('"Ann" <sip:+13065550142@host>', "+13065550142"),
        ("<sip:+13065550142;user=phone@host>", "+13065550142"),
        ("sip:3065550142@host", "3065550142"),
        ("tel:+13065550142", "+13065550142"),
        ('"sip:no@no" <sips:yes@host>', "yes"),
        ("<sip:host>", "host"),
        ("", ""),
    ],
)
def test_who_an_address_names(address: str, user: str) -> None:
    assert user_of(address) == user


def test_a_whole_line_is_read_and_half_a_one_is_not() -> None:
    text = parse(LINE + "\n")
    assert text is not None
    assert (text.number, text.to, text.caller) == ("+13065552001", "+13065552001", "+13065550142")
    assert text.body == "Hello\nThere 🏠"
    for cut in range(len(LINE)):
        assert parse(LINE[:cut]) is None


@given(st.text(max_size=200))
def test_nothing_else_is_a_text(line: str) -> None:
    with suppress(MalformedText):
        assert parse(line) is None
    with pytest.raises(MalformedText):
        parse("v=1&at=now&number=&to=&from=&body=&end=")


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


async def test_it_is_taken_once(database_dsn: str, tmp_path: Path) -> None:
    database = await Database.open(database_dsn)
    try:
        company = await make_company(database)
        directory = Directory({}, {}, {company.id: "CA"}, company.id, Route(()))
        (tmp_path / "text-1-1").write_text(LINE + "\n")
        (tmp_path / "text-1-2").write_text(LINE[:-5])  # is still being written
        (tmp_path / "text-1-3").write_text("v=2&body=&end=\n")
        assert await over_sip.take(database, tmp_path, directory) == 1
        (tmp_path / "text-1-1").write_text(LINE + "\n")  # we died before it was deleted
        assert await over_sip.take(database, tmp_path, directory) == 1
        assert names(tmp_path) == ["text-1-2", "text-1-3.rejected"]
        async with database.companies(company.id) as connection:
            (row,) = await connection.fetch("SELECT body, at FROM texts")
        assert (row["body"], row["at"]) == ("Hello\nThere 🏠", datetime.fromtimestamp(1795350000.123456, UTC))
        assert Outbox(tmp_path).keys() == set()  # none of them is a call
    finally:
        await database.close()
