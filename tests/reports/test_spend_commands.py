"""``numberpool spend`` as a person types it, each command a process of its own, on a real Postgres."""

import re

import pytest

from tests.stack import Typed

EXPORT = """Campaign report
November 2026
Day,Campaign,Currency code,Cost
2026-11-01,Roofs,CAD,10.50
2026-11-02,Roofs,CAD,20.00
2026-11-31,Roofs,CAD,1
Total: Account,,CAD,30.50
"""


@pytest.fixture
def numberpool(numberpool: Typed) -> Typed:
    """Of a company with two sources."""
    made = numberpool("company", "add", "Acme Roofing", "--region", "CA", "--currency", "CAD")
    assert made.returncode == 0, made.stderr
    for source in ("Google Ads", "Newspaper"):
        assert numberpool("source", "add", source).returncode == 0
    return numberpool


def test_amounts_by_hand(numberpool: Typed) -> None:
    added = numberpool("spend", "add", "Newspaper", "1,500.50", "--month", "2026-11", "--note", "front page")
    assert added.stdout.strip() == "1: Newspaper, 2026-11-01 to 2026-11-30: 1500.50 CAD is entered."
    twice = numberpool("spend", "add", "Newspaper", "9", "--from", "2026-11-30", "--to", "2026-12-05")
    assert twice.returncode == 1
    assert "nothing was counted twice" in twice.stderr
    assert "1: Newspaper" in twice.stderr
    assert numberpool("spend", "add", "Newspaper", "9", "--from", "2026-11-30", "--on-top").returncode == 0
    listed = numberpool("spend", "list", "--month", "2026-11").stdout.splitlines()
    assert listed[0].split() == ["ID", "SOURCE", "CAMPAIGN", "FROM", "TO", "AMOUNT", "CURRENCY", "IMPORT"]
    assert [re.split(" {2,}", line)[0] for line in listed[1:]] == ["2", "1"]
    assert "1: Newspaper" in numberpool("spend", "remove", "1").stdout
    gone = numberpool("spend", "remove", "1")
    assert gone.returncode == 1
    assert "There is no such amount any more." in gone.stderr
    for words, says in (
        (("spend", "add", "Radio", "5", "--month", "2026-11"), "Radio"),
        (("spend", "add", "Newspaper", "much", "--month", "2026-11"), "number of money"),
        (("spend", "add", "Newspaper", "5"), "--month"),
        (("spend", "add", "Newspaper", "5", "--from", "2026-11-02", "--to", "2026-11-01"), "last day"),
    ):
        refused = numberpool(*words)
        assert refused.returncode
        assert says in refused.stderr


def test_an_export_is_looked_at_stored_stored_again_and_taken_out(numberpool: Typed) -> None:
    looked = numberpool("spend", "import", "-", "--look", given=EXPORT)
    assert looked.stdout.strip() == "2 amounts, 30.50 CAD, would be stored."
    assert "line 6" in looked.stderr
    assert numberpool("spend", "list").stdout.strip() == "Nothing was entered."
    assert numberpool("spend", "import", "-", given=EXPORT).stdout.strip() == "2 amounts stored as import 1."
    assert numberpool("spend", "import", "-", given=EXPORT).stdout.strip() == "2 amounts stored as import 2."
    assert len(numberpool("spend", "list").stdout.splitlines()) == 3
    gone = numberpool("spend", "remove", "--import", "2")
    assert gone.stdout.strip() == "Import 2: 2 removed, 2 count again."
    assert numberpool("spend", "list", "--imports").stdout.splitlines()[1].split()[:2] == ["1", "google_ads"]
    dollars = numberpool("spend", "import", "-", given=EXPORT.replace("CAD", "USD"))
    assert dollars.returncode == 1
    assert "This file is in USD, and the company's money is CAD" in dollars.stderr
    table = "source,from,to,amount\nNewspaper,2026-12-01,2026-12-14,300\nRadio,2026-12-01,2026-12-02,5\n"
    unknown = numberpool("spend", "import", "-", given=table)
    assert unknown.returncode == 1
    assert "Radio" in unknown.stderr
    stored = numberpool("spend", "import", "-", given=table.replace("Radio", "Google Ads"))
    assert stored.stdout.strip() == "2 amounts stored as import 3."
