"""The commands as a person types them, each a process of its own, on a real Postgres."""

import re
from pathlib import Path

from tests.stack import Typed


def test_the_example_is_set_up_by_hand(numberpool: Typed) -> None:
    assert "company add NAME" in numberpool("company", "list").stdout
    refused = numberpool("source", "add", "Google Ads")
    assert refused.returncode == 1
    assert "There is no company yet; make one with numberpool company add NAME." in refused.stderr

    made = numberpool("company", "add", "Prairie Heating", "--region", "CA", "--time-zone", "America/Regina")
    assert made.returncode == 0, made.stderr
    assert "destination add" in made.stdout
    assert numberpool("destination", "add", "Front desk", "PJSIP/reception").returncode == 0
    assert numberpool("source", "add", "Google Ads", "--medium", "cpc").returncode == 0

    added = numberpool("number", "add", "(306) 555-2001", "306 555 2002", "--source", "Google Ads")
    assert "(306) 555-2001 (+13065552001) rings the main line." in added.stdout
    assert "(306) 555-2002 (+13065552002)" in added.stdout

    listed = numberpool("number", "list", "--company", "Prairie Heating").stdout.splitlines()
    assert listed[0].split() == ["NUMBER", "E.164", "SOURCE", "POOL", "RINGS", "RECORDS", "STATE"]
    assert re.split(" {2,}", listed[1]) == [
        "(306) 555-2001",
        "+13065552001",
        "Google Ads",
        "Static numbers",
        "main line",
        "yes",
        "active",
    ]
    assert "Front desk" in numberpool("destination", "list").stdout
    assert "America/Regina" in numberpool("company", "list").stdout
    assert "cpc" in numberpool("source", "list").stdout


def test_a_list_is_taken_whole_or_not_at_all(numberpool: Typed) -> None:
    numberpool("company", "add", "Prairie Heating", "--region", "CA")
    numberpool("source", "add", "Flyer")
    wrong = numberpool("number", "add", "--file", "-", "--source", "Flyer", given="3065552001\nnonsense\n")
    assert wrong.returncode == 1
    assert "line 2: 'nonsense' is not a telephone number" in wrong.stderr
    taken = numberpool("number", "add", "3065552001", "+13065552001", "--source", "Flyer")
    assert "is a tracking number already" in taken.stderr
    assert "rings" not in taken.stdout
    assert "No number yet" in numberpool("number", "list").stdout
    right = numberpool("number", "add", "--file", "-", "--source", "Flyer", given="3065552001\n3065552002\n")
    assert right.returncode == 0
    assert len(numberpool("number", "list").stdout.splitlines()) == 3


def test_destinations_are_changed_and_removed(numberpool: Typed) -> None:
    numberpool("company", "add", "Prairie Heating", "--region", "CA")
    numberpool("destination", "add", "Front desk", "PJSIP/reception")
    numberpool("destination", "add", "Mobile", "PJSIP/mobile")
    assert "name what to change" in numberpool("destination", "set", "Mobile").stderr
    changed = numberpool(
        "destination", "set", "Front desk", "--name", "Desk", "--ring-seconds", "15", "--then", "Mobile"
    )
    assert changed.stdout == "Desk rings PJSIP/reception for 15 s, then Mobile. It is the main line.\n", changed.stderr
    circle = numberpool("destination", "set", "Mobile", "--then", "Desk")
    assert (circle.returncode, "go round for ever" in circle.stderr) == (1, True)
    refused = numberpool("destination", "remove", "Mobile")
    assert (refused.returncode, "calls that Desk does not answer" in refused.stderr) == (1, True)
    assert numberpool("destination", "remove", "Desk", "--instead", "Mobile").stdout == (
        "Desk is removed. What rang there rings Mobile.\n"
    )
    listed = numberpool("destination", "list").stdout.splitlines()
    assert re.split(" {2,}", listed[1])[:2] == ["Mobile", "PJSIP/mobile"]
    assert listed[1].endswith("yes")


def test_a_fax_number(numberpool: Typed) -> None:
    numberpool("company", "add", "Prairie Heating", "--region", "CA")
    numberpool("destination", "add", "Fax", "PJSIP/fax")
    numberpool("source", "add", "Flyer")
    added = numberpool("number", "add", "(306) 555-2009", "--source", "Flyer", "--destination", "Fax", "--fax")
    assert "(306) 555-2009 (+13065552009) rings Fax." in added.stdout
    assert numberpool("number", "list").stdout.splitlines()[1].split()[-2:] == ["fax", "active"]
    refused = numberpool("number", "add", "(306) 555-2010", "--source", "Flyer", "--fax", "--record")
    assert refused.returncode == 1
    assert "neither recorded nor whispered to" in refused.stderr


def test_nothing_named_says_what_to_name(numberpool: Typed) -> None:
    asked = numberpool("number", "add")
    assert asked.returncode == 2
    assert "--file" in asked.stderr


def test_a_destination_in_the_admins_own_dialplan(numberpool: Typed, tmp_path: Path) -> None:
    numberpool("company", "add", "Prairie Heating", "--region", "CA")
    refused = numberpool("destination", "add", "Queue", "Dialplan/600@queues")
    assert refused.returncode == 1
    line = next(line for line in refused.stderr.splitlines() if "dialplan_contexts" in line)
    (tmp_path / "numberpool.toml").write_text(f"[calls]\n{line.strip()}\n")
    added = numberpool("destination", "add", "Queue", "Dialplan/600@queues")
    assert added.returncode == 0, added.stderr
    assert "Goto(numberpool-next,s,1)" in added.stdout


def test_callers_numbers_outside_and_the_main_number(numberpool: Typed, tmp_path: Path) -> None:
    assert numberpool("company", "add", "Acme", "--region", "CA", "--main-number", "306 555 0000").returncode == 0
    changed = numberpool("company", "set", "--main-number", "(306) 555-0001")
    assert "(306) 555-0001 (+13065550001) is the main number of Acme." in changed.stdout
    assert numberpool("company", "set").returncode == 2

    assert "every call rings" in numberpool("caller", "list").stdout
    blocked = numberpool("caller", "block", "(306) 555-0666", "--note", "sells windows")
    assert blocked.stdout == "Calls from (306) 555-0666 to Acme are refused; the log shows them as blocked.\n"
    assert numberpool("caller", "allow", "+44 20 7946 0018").returncode == 0
    listed = numberpool("caller", "list", "--company", "Acme").stdout.splitlines()
    assert [line.split("  ")[0] for line in listed] == ["CALLER", "+44 20 7946 0018", "(306) 555-0666"]
    assert listed[2].endswith("blocked      sells windows")
    assert "has no rule any more" in numberpool("caller", "forget", "306 555 0666").stdout
    refused = numberpool("caller", "forget", "306 555 0666")
    assert (refused.returncode, "numberpool caller list" in refused.stderr) == (1, True)
    refused = numberpool("caller", "block", "911")
    assert "'911' is a number of emergency services" in refused.stderr

    refused = numberpool("destination", "add", "Help", "PJSIP/911@carrier")
    assert "'PJSIP/911@carrier' dials 911, an emergency number" in refused.stderr
    refused = numberpool("number", "add", "911", "--source", "x")
    assert "'911' is an emergency number" in refused.stderr
    refused = numberpool("destination", "add", "Mobile", "Trunk/(306) 555-9876")
    assert "add a [[nodes.trunks]] table" in refused.stderr
    (tmp_path / "numberpool.toml").write_text(
        "[[nodes]]\nsecret = 'a'\nstore_secret = 'b'\n[[nodes.trunks]]\nname = 'carrier-a'\n"
    )
    added = numberpool("destination", "add", "Mobile", "Trunk/(306) 555-9876")
    assert added.returncode == 0, added.stderr
    assert "Trunk/+13065559876" in numberpool("destination", "list").stdout
