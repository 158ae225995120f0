"""A company's own source rules: stored, in force at once, tried over visits that were, and applied to them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.http.collector.tokens import TokenKind
from gateway.visits.rule_store import store_rules
from gateway.visits.ruleset import RuleSet
from tests.collector.conftest import Collected
from tests.collector.test_programs import post, row, token_of

OWN = """
extends = "default"
version = "flyers"
[[rules]]
name = "our-flyers"
when = { source = ["flyer"] }
then = { label = "Our flyers", source = "flyer", medium = "print" }
"""


class Typed:
    """Commands as a person types them."""

    def __init__(self, collected: Collected, folder: Path) -> None:
        self._file = folder / "np.toml"
        self._file.write_text(f'data_folder = "{folder}"\n[postgres]\ndsn = "{collected.shop.database.dsn}"\n')
        self.rules = folder / "own.toml"
        self.rules.write_text(OWN)

    def __call__(self, *words: str) -> str:
        command = [sys.executable, "-m", "gateway", "--config", str(self._file), "sources", "rules", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def typed(collected: Collected, tmp_path: Path) -> Typed:
    return Typed(collected, tmp_path)


async def labels(collected: Collected) -> list[Any]:
    return [
        (each["label"], each["rule_set_version"])
        for each in await collected.rows("SELECT label, rule_set_version FROM visits ORDER BY started_at, id")
    ]


async def test_tried_stored_and_applied(collected: Collected, typed: Typed) -> None:
    for address in ("?utm_source=flyer", "?gclid=x1", ""):
        await (await collected.page()).visit(f"https://shop.example/{address}", referrer="https://www.google.com/")
    before = await labels(collected)
    assert before[1:] == [("Google Paid", 0), ("Google Organic", 0)]
    assert before[0] != ("Our flyers", 0)
    told = typed("try", str(typed.rules), "--since", "2020-01-01")
    assert told.startswith("1 of 3 visits would change")
    assert "Our flyers" in told
    assert "our-flyers" in told
    assert await labels(collected) == before
    assert "Version 1 is in force" in typed("store", str(typed.rules), "--note", "flyers of the spring")
    assert "flyers of the spring" in typed("versions")
    await collected.changed()
    await (await collected.page()).visit("https://shop.example/?utm_source=flyer")
    assert (await labels(collected))[3] == ("Our flyers", 1)
    told = typed("apply", "--since", "2020-01-01")
    assert told.startswith("1 of 4 visits would change")
    assert "--yes" in told
    assert (await labels(collected))[:3] == before
    assert "Changed: 1 visits." in typed("apply", "--since", "2020-01-01", "--yes")
    assert (await labels(collected))[0] == ("Our flyers", 1)
    assert typed("apply", "--since", "2020-01-01", "--yes").startswith("4 visits: nothing would change")
    assert typed("try", str(typed.rules), "--since", "2020-01-01", "--until", "2020-02-01").startswith("0 visits")


async def test_what_was_not_kept_or_was_told_by_google_is_no_change(collected: Collected, typed: Typed) -> None:
    token = await token_of(collected, TokenKind.GOOGLE_ADS)
    page = await collected.page()
    denied = await page.visit("https://shop.example/?gclid=secret", consent={"state": "denied"})
    searched = "https://www.bing.com/search?q=leaking+roof&cvid=dana"
    await page.visit("https://shop.example/", referrer=searched, consent={"state": "denied"})
    told = await page.visit("https://shop.example/?gclid=g1&utm_term=own&utm_campaign=mine")
    await collected.worker.written()
    assert (await post(collected, "/v1/google-ads/clicks", {"results": [row("g1")]}, token))[1]["visits"] == 1
    assert typed("apply", "--since", "2020-01-01").startswith("3 visits: nothing would change")
    async with collected.shop.database.everything() as connection:
        own = RuleSet.from_toml(OWN.replace('["flyer"]', '["*"]').replace("when = { source", "when = { medium"))
        assert await store_rules(connection, collected.shop.company.id, own) == 1
    kept = await collected.visit_row(told["visit"])
    typed("apply", "--since", "2020-01-01", "--yes")
    after = await collected.visit_row(told["visit"])
    assert (after["keyword"], after["campaign"], after["click_id"]) == (kept["keyword"], kept["campaign"], "g1")
    assert (after["keyword"], after["campaign"]) == ("roof repair", "Spring roofs")
    again = await collected.visit_row(denied["visit"])
    assert (again["click_id"], again["visitor_id"]) == ("", None)
    rows = await collected.rows("SELECT keyword, referrer FROM visits WHERE source = 'bing' OR referrer <> ''")
    assert json.dumps([dict(each) for each in rows]).count("dana") == 0
    assert rows[0]["keyword"] == "leaking roof"


async def test_rules_that_cannot_be_read_leave_those_before_in_force(collected: Collected, typed: Typed) -> None:
    typed("store", str(typed.rules))
    await collected.changed()
    async with collected.shop.database.everything() as connection:
        await connection.execute(
            "INSERT INTO rule_sets (company_id, version, rules) VALUES ($1, 2, '{\"version\": 5}')",
            collected.shop.company.id,
        )
    await collected.changed()
    await (await collected.page()).visit("https://shop.example/?utm_source=flyer")
    assert await labels(collected) == [("Our flyers", 1)]
