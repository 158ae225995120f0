"""What all routes share: whose company an address names, filters that cannot be read, headers, OpenAPI, metrics."""

from typing import Any

import pytest
from aiohttp import web

from gateway.http import tag_pages
from gateway.http.app import pages_app
from gateway.http.keys import PARTS
from gateway.http.permissions import Role
from gateway.http.rendering import render
from gateway.http.routing import Route, RouteWithoutPermission, add_routes
from tests.http.company import add_call, make_recording
from tests.http.conftest import Pages


async def recorded_call(pages: Pages, company_is_stranger: bool = False) -> int:
    """A call with a real recording, of Acme or of the stranger."""
    sound = make_recording(pages.recordings, "stranger" if company_is_stranger else "own", 2)
    return await add_call(
        pages.database, pages.stranger if company_is_stranger else pages.company, recording=sound, talk=2
    )


async def give_telephone(pages: Pages) -> None:
    """What rings there is the agent's own call."""
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO member_endpoints (company_id, user_id, endpoint) "
            "SELECT company_id, user_id, 'PJSIP/reception' FROM memberships WHERE role = 'agent'"
        )


async def test_a_strangers_company_is_not_there(pages: Pages) -> None:
    await recorded_call(pages, company_is_stranger=True)
    client = await pages.signed_in()
    for path in ("/calls", "/api/v1/calls"):
        for company in (str(pages.stranger.id), "0", "-1", "x", "²", "9" * 40):
            answer = await client.get(path, params={"company": company})
            assert answer.status in (400, 404), (path, company)
        source = pages.stranger.sources["Google Ads"]
        answer = await client.get(path, params={"source": str(source)})
        assert "555-3001" not in await answer.text()


async def test_an_agent_of_one_company_who_owns_another_sees_all_of_the_other(pages: Pages) -> None:
    own, strange = await recorded_call(pages), await recorded_call(pages, company_is_stranger=True)
    client = await pages.signed_in(Role.OWNER)
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, 'agent' FROM users", pages.stranger.id
        )
    for path in ("/calls/{}", "/api/v1/calls/{}", "/calls/{}/recording", "/calls/{}/recording.wav"):
        assert (await client.get(path.format(own))).status == 200
        assert (await client.get(path.format(strange))).status == 404
    await give_telephone(pages)
    for path in ("/calls/{}", "/api/v1/calls/{}", "/calls/{}/recording", "/calls/{}/recording.wav"):
        assert (await client.get(path.format(own))).status == 200
        assert (await client.get(path.format(strange))).status == 200


@pytest.mark.parametrize(
    "query",
    [
        "outcome=x",
        "source=x",
        "from=x",
        "to=0001-01-01",
        "period=x",
        "period=chosen",
        "before=x",
        "before=9-9-9",
        "caller=%00",
    ],
)
async def test_a_filter_that_cannot_be_read_is_refused_in_words(pages: Pages, query: str) -> None:
    client = await pages.signed_in()
    page = await client.get(f"/calls?{query}")
    data = await client.get(f"/api/v1/calls?{query}")
    assert (page.status, data.status) in ((400, 400), (200, 200))
    if data.status == 400:
        assert (await data.json())["id"] == "bad_request"


async def test_the_application_does_not_start_with_an_open_route(pages: Pages) -> None:
    app = pages_app(pages.app[PARTS])

    async def open_door(_request: web.Request) -> web.Response:
        return web.Response()

    app.router.add_get("/open", open_door)
    with pytest.raises(RouteWithoutPermission):
        await web.AppRunner(app).setup()
    with pytest.raises(RouteWithoutPermission):
        add_routes(web.Application(), [Route("GET", "/open", open_door, None)])  # type: ignore[arg-type]


async def test_every_answer_carries_the_security_headers(pages: Pages) -> None:
    call_id = await recorded_call(pages)
    client = await pages.signed_in()
    for path in (
        "/calls",
        f"/calls/{call_id}",
        f"/calls/{call_id}/recording",
        "/nowhere",
        "/healthz",
        "/events",
        "/static/0/pages.css",
    ):
        answer = await client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Cache-Control"] in ("no-store", "no-cache"), path
        answer.close()


async def test_openapi_tells_of_every_endpoint_with_its_permission(pages: Pages) -> None:
    document = await (await pages.client().get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {"/api/v1/calls", "/api/v1/calls/{id}"}
    assert document["paths"]["/api/v1/calls"]["get"]["x-permission"] == "calls.read"
    named = document["paths"]["/api/v1/calls/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert named["$ref"].rpartition("/")[2] in document["components"]["schemas"]


async def test_metrics_are_for_this_machine_or_for_who_is_signed_in(pages: Pages) -> None:
    assert "numberpool_http_request_seconds" in await (await pages.client().get("/metrics")).text()
    through_proxy = pages.client(**{"X-Forwarded-For": "203.0.113.9"})
    assert (await through_proxy.get("/metrics")).status == 401


async def test_a_missing_template_is_our_fault_and_not_the_databases(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await pages.signed_in()

    def missing(request: web.Request, template: str, **values: Any) -> web.Response:
        return render(request, f"no-{template}", **values)

    monkeypatch.setattr(tag_pages, "render", missing)
    answer = await client.get("/settings/tags")
    assert answer.status == 500
    assert "database" not in (await answer.text()).lower()
