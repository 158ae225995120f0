"""A browser may go on with an np.js of last week: what that one sends is taken, and what it reads is answered.

The bodies are those of the first version that sites have in their pages. They are never changed: a later np.js gets
bodies of its own beside them.
"""

import json
from typing import Any

from gateway.http.collector.app import TABLE
from tests.collector.conftest import Collected

VISIT = """{"site":"%(key)s","visit":null,"url":"https://shop.example/?gclid=x","title":"Roofs","exposures":[],
"referrer":"https://www.google.com/","automated":false,"consent":{"required":false,"state":"unknown"},"gpc":false}"""
NEXT = """{"site":"%(key)s","visit":"%(visit)s","url":"https://shop.example/b","title":"","exposures":["%(exposure)s"],
"referrer":"https://shop.example/?gclid=x","visitor":"%(visitor)s",
"touch":{"url":"https://shop.example/?gclid=x","referrer":"https://www.google.com/"},"automated":false,
"consent":{"required":true,"state":"granted","signal":"consent mode"},"gpc":false}"""
TOLD = '"site":"%(key)s","visit":"%(visit)s","url":"https://shop.example/b","title":"","exposures":["%(exposure)s"]'
SIGNALS = {
    "alive": "{" + TOLD + "}",
    "leave": "{" + TOLD + "}",
    "page": "{" + TOLD + "}",
    "tap": "{" + TOLD + ',"exposure":"%(exposure)s","number":"13062001001"}',
    "lead": "{" + TOLD + ',"kind":"form","data":{"form":"quote","phone":"306-555-0190"}}',
}
PARTS = {"e164", "country", "national", "trunk", "written", "international"}


async def test_the_first_version_is_understood_and_answered(collected: Collected) -> None:
    page = await collected.page()

    async def says(path: str, body: str, facts: dict[str, Any]) -> Any:
        answer = await page.post(f"/v1/{path}", (body % facts).encode())
        assert answer.status in (200, 204), (path, await answer.text())
        return json.loads(await answer.text() or "null")

    facts: dict[str, Any] = {"key": page.key}
    first = await says("visit", VISIT, facts)
    for body, path in ((None, ""), (NEXT, "visit"), (NEXT, "consent")):
        answer = first if body is None else await says(path, body, facts)
        (number,) = answer["numbers"]
        facts |= {name: answer[name] for name in ("visit", "visitor")} | {"exposure": number["exposure"]}
        assert (answer["why"], answer["ask_again"], number["why"]) == ("visitor", None, "lent")
        assert isinstance(answer["touch"], bool)
        assert answer["keep_alive"] >= 10
        assert answer["remember"] > 0
        assert number["remember"] > 0
        assert min(number["target"].keys(), number["number"].keys(), key=len) >= PARTS
    alive = await says("alive", SIGNALS["alive"], facts)
    assert (alive["ask_again"], alive["exposures"]) == (False, {facts["exposure"]: "held"})
    for path in ("page", "tap", "leave"):
        assert await says(path, SIGNALS[path], facts) is None
    assert await says("lead", SIGNALS["lead"], facts)  # a truthy answer is "taken"
    assert len(await collected.rows("SELECT FROM visits")) == 1
    assert len(await collected.rows("SELECT FROM leads WHERE visit_id IS NOT NULL")) == 1
    assert len(await collected.rows("SELECT FROM taps")) == 1


def test_what_it_asks_for_is_still_there() -> None:
    there = {(route.method, route.path) for route in TABLE}
    asked = {("POST", f"/v1/{name}") for name in ("visit", "consent", *SIGNALS)}
    assert asked | {("GET", "/np.js"), ("GET", "/np-forms.js")} <= there
