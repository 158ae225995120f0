"""Servers, AMP's cache and Google Ads scripts; the description of it all; and bodies that make no sense."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.http.collector.app import TABLE
from gateway.http.collector.messages import AmpAnswer, ClicksAnswer, ServerVisitAnswer
from gateway.http.collector.tokens import TokenKind, make_token, revoke_tokens
from gateway.http.permissions import Permission
from gateway.visits.google_ads import BadClick, click_of, match_of, script, tagging, tracking_template
from gateway.visits.ids import new_id
from tests.collector.conftest import ADVERTISED, CHROME, Collected
from tests.pools.shop import PRINTED, open_shop

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


async def token_of(collected: Collected, kind: TokenKind) -> str:
    async with collected.worker.database.everything() as connection:
        site = collected.shop.site.id if kind is TokenKind.SERVER else None
        token = await make_token(connection, collected.shop.company.id, kind, site)
    await collected.changed()
    return token


async def post(collected: Collected, path: str, body: Any, token: str = "") -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    async with aiohttp.ClientSession() as session:
        answer = await session.post(collected.worker.url + path, data=data, headers=headers)
        return answer.status, await answer.json()


# ------------------------------------------------------------------------------------------------------------ servers


async def test_a_server_asks_for_the_page_it_renders(collected: Collected) -> None:
    token = await token_of(collected, TokenKind.SERVER)
    body = {
        "url": ADVERTISED,
        "referrer": "https://www.google.com/",
        "address": "203.0.113.9",
        "user_agent": CHROME,
        "accept_language": "en-CA",
    }
    status, answer = await post(collected, "/v1/server/visit", body, token)
    assert status == 200
    ServerVisitAnswer.model_validate(answer)
    assert answer["numbers"][0]["why"] == "lent"
    assert answer["cookie"]["value"] == answer["visitor"]
    assert answer["cookie"]["name"] == f"np_{collected.key}"
    row = await collected.visit_row(answer["visit"])
    assert (str(row["network"]), row["user_agent"]) == ("203.0.113.0/24", CHROME)
    # The browser that was given the cookie goes on with the same number.
    page = await collected.page(Cookie=f"np_{collected.key}={answer['visitor']}")
    assert await page.shown("https://shop.example/", visit=answer["visit"]) == answer["numbers"][0]["number"]["e164"]
    bot = await post(collected, "/v1/server/visit", {**body, "user_agent": "curl/8"}, token)
    assert (bot[1]["why"], bot[1]["cookie"]) == ("bot", None)


async def test_tokens_open_one_door_each_until_they_are_taken_back(collected: Collected) -> None:
    server, ads = await token_of(collected, TokenKind.SERVER), await token_of(collected, TokenKind.GOOGLE_ADS)
    stored = await collected.rows("SELECT hash FROM collector_tokens")
    assert len(stored) == 2
    assert not any(server.encode() in bytes(row["hash"]) for row in stored)
    doors: tuple[tuple[str, dict[str, Any], str, str], ...] = (
        ("/v1/server/visit", {"url": ADVERTISED}, server, ads),
        ("/v1/google-ads/clicks", {"results": []}, ads, server),
    )
    for path, body, right, wrong in doors:
        assert (await post(collected, path, body, right))[0] == 200
        for token in (wrong, "", "nonsense", right[:-1]):
            status, answer = await post(collected, path, body, token)
            assert (status, answer["id"]) == (401, "wrong_token")
    async with collected.worker.database.everything() as connection:
        assert await revoke_tokens(connection, collected.shop.company.id, TokenKind.GOOGLE_ADS) == 1
    await collected.changed()
    assert (await post(collected, "/v1/google-ads/clicks", {"results": []}, ads))[0] == 401
    assert (await post(collected, "/v1/server/visit", {"url": ADVERTISED}, server))[0] == 200


# ---------------------------------------------------------------------------------------------------------------- AMP


@pytest.mark.parametrize(
    ("origin", "source", "status"),
    [
        ("https://shop-example.cdn.ampproject.org", "https://shop.example", 200),
        ("https://shop-example.bing-amp.com", "https://shop.example", 200),
        ("https://shop.example", None, 200),
        (None, None, 200),
        ("https://shop-example.cdn.ampproject.org", "https://evil.example", 403),
        ("https://cdn.ampproject.org.evil.example", "https://shop.example", 403),
        ("https://evil.example", None, 403),
    ],
)
async def test_amp(collected: Collected, origin: str | None, source: str | None, status: int) -> None:
    query = {"site": collected.key, "target": PRINTED, "url": ADVERTISED, "referrer": "https://www.google.com/"}
    if source:
        query["__amp_source_origin"] = source
    headers = {"User-Agent": CHROME, "Accept-Language": "en"} | ({"Origin": origin} if origin else {})
    async with aiohttp.ClientSession() as session:
        answer = await session.get(f"{collected.worker.url}/v1/amp", params=query, headers=headers)
        read = await answer.json()
    assert answer.status == status, read
    if status != 200:
        assert read["id"] == "wrong_origin"
        return
    AmpAnswer.model_validate(read)
    assert set(read) == {"phoneNumber", "formattedPhoneNumber"}
    (lease,) = await collected.rows("SELECT n.e164 FROM leases l JOIN tracking_numbers n ON n.id = l.number_id")
    assert read["phoneNumber"] == lease["e164"]
    assert read["formattedPhoneNumber"].startswith("(306) 2")
    assert answer.headers.get("Access-Control-Allow-Origin") == origin
    if source:
        assert answer.headers["AMP-Access-Control-Allow-Source-Origin"] == source
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_amp_keeps_a_number_that_is_no_target(collected: Collected) -> None:
    headers = {"User-Agent": CHROME, "Accept-Language": "en"}
    async with aiohttp.ClientSession() as session:
        for printed, shown in (("+1 306 555 0188", "+13065550188"), ("ring us", "ring us")):
            query = {"site": collected.key, "target": printed, "url": ADVERTISED}
            answer = await session.get(f"{collected.worker.url}/v1/amp", params=query, headers=headers)
            assert (await answer.json())["phoneNumber"] == shown


# --------------------------------------------------------------------------------------------------------- Google Ads


def row(gclid: str, keyword: str | None = "roof repair", campaign: str = "Spring roofs", day: str = YESTERDAY) -> Any:
    """A row as the Google Ads API's REST interface gives it (resource click_view)."""
    view: dict[str, Any] = {
        "resourceName": f"customers/1234567890/clickViews/{day}~{gclid}",
        "gclid": gclid,
    }
    if keyword is not None:
        view["keyword"] = "customers/1234567890/adGroupCriteria/55~66"
        view["keywordInfo"] = {"text": keyword, "matchType": "PHRASE"}
    return {
        "clickView": view,
        "campaign": {"resourceName": "customers/1234567890/campaigns/77", "name": campaign},
        "adGroup": {"resourceName": "customers/1234567890/adGroups/55", "name": "Leaks"},
        "segments": {"date": day},
    }


async def test_visits_gain_keywords_before_and_after_the_clicks_are_told(collected: Collected) -> None:
    token = await token_of(collected, TokenKind.GOOGLE_ADS)
    page = await collected.page()
    before = (await page.visit("https://shop.example/?gclid=Abc-1_x"))["visit"]
    await collected.worker.written()
    status, told = await post(
        collected, "/v1/google-ads/clicks", {"results": [row("Abc-1_x"), row("later.9", None)], "fieldMask": "x"}, token
    )
    assert (status, told) == (200, {"stored": 2, "visits": 1, "refused": []})
    ClicksAnswer.model_validate(told)
    gained = await collected.visit_row(before)
    assert (gained["campaign"], gained["ad_group"], gained["keyword"], gained["match_type"]) == (
        "Spring roofs",
        "Leaks",
        "roof repair",
        "phrase",
    )
    after = (await page.visit("https://shop.example/?gclid=later.9&utm_term=own"))["visit"]
    gained = await collected.visit_row(after)
    assert (gained["campaign"], gained["keyword"], gained["match_type"]) == ("Spring roofs", "own", "")
    # The same day again, with one more word of Google's: nothing is there twice, and what changed is changed.
    again = {"results": [row("Abc-1_x", "roof repair regina"), row("later.9", None)]}
    assert (await post(collected, "/v1/google-ads/clicks", again, token))[1] == {
        "stored": 1,
        "visits": 1,
        "refused": [],
    }
    assert (await post(collected, "/v1/google-ads/clicks", again, token))[1] == {
        "stored": 0,
        "visits": 0,
        "refused": [],
    }
    assert (await collected.visit_row(before))["keyword"] == "roof repair regina"


async def test_more_clicks_than_one_batch_and_another_companys_visits_stay(collected: Collected) -> None:
    token = await token_of(collected, TokenKind.GOOGLE_ADS)
    other = await open_shop(collected.worker.database)
    await collected.changed()
    stranger = (await (await collected.page(key=other.site.public_key)).visit("https://shop.example/?gclid=g7"))[
        "visit"
    ]
    own = (await (await collected.page()).visit("https://shop.example/?gclid=g7"))["visit"]
    await collected.worker.written()
    status, told = await post(
        collected, "/v1/google-ads/clicks", {"results": [row(f"g{n}", f"word {n}") for n in range(15_000)]}, token
    )
    assert (status, told["stored"], told["visits"]) == (200, 15_000, 1)
    assert (await collected.visit_row(own))["keyword"] == "word 7"
    (theirs,) = await other.rows("SELECT keyword FROM visits WHERE id = $1::text::uuid", stranger)
    assert theirs["keyword"] == ""


async def test_bad_rows_are_named_and_the_others_stored(collected: Collected) -> None:
    token = await token_of(collected, TokenKind.GOOGLE_ADS)
    rows = [row("good1"), 5, {}, row("x" * 400), row("good2", day="2026-13-01"), {**row("good3"), "campaign": "text"}]
    rows.append(row("nul", "a\u0000b\ud800"))
    status, told = await post(collected, "/v1/google-ads/clicks", {"results": rows}, token)
    assert status == 200
    assert told["stored"] == 3
    assert [each["row"] for each in told["refused"]] == [1, 2, 3, 4]
    assert "select click_view.gclid" in told["refused"][1]["message"]
    assert "YYYY-MM-DD" in told["refused"][3]["message"]
    for body in (b"", b"[]", b'{"results": 5}', b"\xff", b"[" * 100_000):
        assert (await post(collected, "/v1/google-ads/clicks", body, token))[0] == 400
    large = b'{"results": ["' + b"x" * 9_000_000 + b'"]}'
    assert (await post(collected, "/v1/google-ads/clicks", large, token))[0] == 413


def test_rows_of_every_kind() -> None:
    assert click_of(row("a")).match_type == "phrase"
    assert (click_of(row("a", None)).keyword, click_of(row("a", None)).match_type) == ("", "")
    everything_but: tuple[Any, ...] = (None, [], "x", {"clickView": {"gclid": 5}}, {"clickView": {"gclid": "a b"}})
    for broken in everything_but:
        with pytest.raises(BadClick):
            click_of(broken)


async def test_what_value_track_filled_in_stands_for_a_missing_gclid(collected: Collected) -> None:
    filled = tagging("Spring roofs!")
    for name, value in {
        "{campaignid}": "77",
        "{keyword}": "roof%20repair",
        "{creative}": "9",
        "{adgroupid}": "55",
        "{matchtype}": "e",
        "{network}": "g",
        "{device}": "m",
    }.items():
        filled = filled.replace(name, value)
    assert "{" not in filled
    answer = await (await collected.page()).visit(f"https://shop.example/?{filled}", consent={"required": True})
    kept = await collected.visit_row(answer["visit"])
    assert (kept["label"], kept["campaign"], kept["keyword"]) == ("Google Paid", "Spring-roofs", "roof repair")
    assert (kept["ad_group"], kept["match_type"]) == ("55", "exact")
    assert json.loads(kept["parameters"])["np_network"] == "g"
    assert kept["url"].endswith(filled)
    unfilled = await (await collected.page()).visit(f"https://shop.example/?{tagging()}")
    assert (await collected.visit_row(unfilled["visit"]))["ad_group"] == ""
    assert [match_of(letter) for letter in "epbax"] == ["exact", "phrase", "broad", "automatic", ""]


def test_templates_are_addresses_that_google_can_fill_in() -> None:
    template = tracking_template()
    assert template.startswith("{lpurl}?")
    parameters = parse_qs(urlsplit(template.replace("{lpurl}", "https://shop.example/")).query)
    assert parameters["utm_campaign"] == ["{campaignid}"]
    assert {value for values in parameters.values() for value in values if value.startswith("{")} == {
        "{campaignid}",
        "{keyword}",
        "{creative}",
        "{adgroupid}",
        "{matchtype}",
        "{network}",
        "{device}",
    }
    assert tagging("Été / 50% & more") == tagging("t 50 more").replace("t-50-more", "t-50-more")


def test_the_script_holds_address_and_token_and_nothing_breaks_out() -> None:
    text = script("https://collect.example/v1/google-ads/clicks", "np_googleads_AbC-_9")
    assert 'var ADDRESS = "https://collect.example/v1/google-ads/clicks";' in text
    assert 'var TOKEN = "np_googleads_AbC-_9";' in text
    assert "click_view.gclid" in text
    assert "segments.date" in text
    assert 'alert("x' not in script('";alert("x', "t\n\\")


# ---------------------------------------------------------------------------------------------------- the description


def test_every_route_for_others_is_described() -> None:
    plumbing = {"/openapi.json", "/healthz", "/metrics", "/np.js", "/np-forms.js", "/np.d.ts"}
    for route in TABLE:
        if route.path not in plumbing and not route.path.startswith("/v1/texts/"):
            assert route.summary, route
            assert route.method == "GET" or route.body is not None, route


async def test_openapi(collected: Collected) -> None:
    async with aiohttp.ClientSession(collected.worker.url) as session:
        document = await (await session.get("/openapi.json")).json()
        assert document["openapi"] == "3.1.0"
        described = {(method.upper(), path) for path, each in document["paths"].items() for method in each}
        assert described == {(route.method, route.path) for route in TABLE if route.summary}
        for path, each in document["paths"].items():
            for operation in each.values():
                text = json.dumps(operation)
                for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
                    assert name in document["components"]["schemas"], (path, name)
        assert document["paths"]["/v1/visit"]["post"]["security"] == []
        assert document["paths"]["/v1/google-ads/clicks"]["post"]["x-permission"] == Permission.GOOGLE_ADS.value
        assert (await session.get("/healthz")).status == 200
        assert "numberpool_collector_request_seconds" in await (await session.get("/metrics")).text()
        forwarded = await session.get("/metrics", headers={"X-Forwarded-For": "203.0.113.1"})
        assert forwarded.status == 404
        assert (await session.get("/v1/visit")).status == 405
        assert (await (await session.get("/nothing")).json())["id"] == "not_found"


# --------------------------------------------------------------------------------------------------------- bad bodies

# What carriers post is of their making.
POSTS = [
    route.path
    for route in TABLE
    if route.method == "POST" and route.permission is Permission.PUBLIC and not route.path.startswith("/v1/texts/")
]
BROKEN = [
    b"",
    b"null",
    b"[]",
    b"5",
    b"nonsense",
    b"\xff\xfe",
    b'{"site": "',
    b"[" * 16_000,
    b'{"site": 5, "url": []}',
    b'{"site": null}',
    json.dumps({"site": "x" * 1000, "url": "y"}).encode(),
]


@pytest.mark.parametrize("path", POSTS)
async def test_bodies_that_cannot_be_read_are_refused_with_part_and_mend(collected: Collected, path: str) -> None:
    page = await collected.page()
    for body in BROKEN:
        answer = await page.post(path, body)
        read = await answer.json()
        assert (answer.status, read["id"]) == (400, "bad_request"), body[:50]
        assert read["details"]["faults"][0]["part"]
        assert "JSON" in read["message"]
    large = await page.post(path, b'{"site": "' + b"x" * (70_000 if path == "/v1/lead" else 20_000) + b'"}')
    assert (large.status, (await large.json())["id"]) == (413, "too_large")
    assert large.headers["Cache-Control"] == "no-store"


_text = st.text(max_size=80)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=12,
)
_ids = st.sampled_from(["", "x", str(new_id(datetime.now(UTC))), "00000000-0000-7000-8000-000000000000", "f" * 32])
_fields = {
    "url": _text | st.sampled_from([ADVERTISED, "https://[", "//", "https://shop.example/?utm_source=%00%ff&gclid=%"]),
    "referrer": _text,
    "visit": _ids,
    "visitor": _ids,
    "exposure": _ids,
    "exposures": st.lists(_ids, max_size=3),
    "number": _text,
    "title": _text,
    "language": _text,
    "screen": _text,
    "targets": st.lists(_text, max_size=5),
    "consent": st.fixed_dictionaries({}, optional={"state": _text, "at": _text, "signal": _text, "required": _json}),
    "client_ids": st.dictionaries(st.sampled_from(["_ga", "_fbp", "other"]) | _text, _text, max_size=3),
    "kind": st.sampled_from(["form", "chat", "a b"]) | _text,
    "data": st.dictionaries(
        st.sampled_from(["phone", "email", "text", "card"]) | _text,
        _text | st.integers() | st.floats() | st.booleans() | st.none() | st.from_regex(r"\+?[0-9 ()-]{5,20}"),
        max_size=4,
    ),
    "touch": st.fixed_dictionaries({}, optional={"url": _text, "referrer": _text}),
}
_bodies = st.fixed_dictionaries({}, optional={name: each | _json for name, each in _fields.items()})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(POSTS), body=_bodies)
async def test_nothing_that_is_sent_is_ever_our_fault(collected: Collected, path: str, body: dict[str, Any]) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await session.post(
            collected.worker.url + path,
            data=json.dumps({"site": collected.key, **body}),
            headers={"User-Agent": CHROME, "Accept-Language": "en"},
        )
        assert answer.status in (200, 204, 400, 404, 429), await answer.text()
        if answer.status == 200:
            assert (await answer.json()).get("why") != "away"
    await collected.worker.written()
    assert collected.worker.parts.journal.waiting == collected.worker.parts.leads.waiting == 0


# ----------------------------------------------------------------------------------------------------------- commands


async def test_commands_make_tokens_and_scripts(collected: Collected, tmp_path: Any) -> None:
    file = tmp_path / "np.toml"
    file.write_text(
        f'data_folder = "{tmp_path}"\n[postgres]\ndsn = "{collected.shop.database.dsn}"\n'
        '[collector]\npublic_url = "https://www.shop.example/np"\n'
    )

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "--config", str(file), *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    text = run("google-ads", "script")
    assert 'var ADDRESS = "https://www.shop.example/np/v1/google-ads/clicks";' in text
    token = text.split('var TOKEN = "')[1].split('"')[0]
    server = run("site", "token", "Home").split("Bearer ")[1].strip()
    run("site", "consent", "Home", "required")
    await collected.changed()
    assert (await post(collected, "/v1/google-ads/clicks", {"results": [row("a")]}, token))[0] == 200
    body = {"url": ADVERTISED, "user_agent": CHROME, "accept_language": "en"}
    assert (await post(collected, "/v1/server/visit", body, server))[1]["why"] == "consent"
    assert "{campaignid}" in run("google-ads", "tagging")
    assert run("google-ads", "tagging", "--template").startswith("{lpurl}?")
    assert run("google-ads", "revoke") == "Tokens taken back: 1.\n"
