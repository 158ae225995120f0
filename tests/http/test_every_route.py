"""Every route of the table, as nobody and as each role, with strangers' ids in path, query and form.

Routes are taken from the table: one that is added is walked without being named here.
"""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from gateway.http.app import TABLE
from gateway.http.permissions import GRANTS, OF_PROGRAMS, WITHOUT_COMPANY, Permission, Role
from gateway.http.routing import Answers, Route
from tests.http.company import add_call, make_recording
from tests.http.conftest import Pages, running_pages
from tests.http.walk import (
    NOBODYS_ID,
    NOBODYS_UUID,
    PLACES,
    Strangers,
    address,
    fits,
    make_strangers,
    names_read,
    places,
    rows_of,
)

IN_A_COMPANY = [route for route in TABLE if route.permission not in WITHOUT_COMPANY | OF_PROGRAMS]
SIGNED_IN = [route for route in TABLE if route.permission is Permission.SIGNED_IN]
# Refuses what is not one's own as it refuses what is too old: with a notice on the page before.
ANSWERS_WITH_A_NOTICE = {"/undo/{id:[0-9]{1,19}}"}
# Have no company in the address, and take none from it.
ABOUT_ALL_COMPANIES = {"/companies"}
# Would end the session of the walk.
ENDS_THE_WALK = {"/sign-out", "/account/sessions/end"}


@pytest_asyncio.fixture
async def beside_strangers(database_dsn: str, tmp_path: Path) -> AsyncIterator[tuple[Pages, Strangers]]:
    """Our pages in an installation where others have a row of everything."""
    strangers = await make_strangers(database_dsn)
    async with running_pages(database_dsn, tmp_path) as pages:
        yield pages, strangers


async def asked(client: aiohttp.ClientSession, route: Route, path: str, **more: object) -> tuple[int, str]:
    """Status and body; of an endless answer, the beginning."""
    async with client.request(route.method, path, allow_redirects=False, **more) as answer:  # type: ignore[arg-type]
        if answer.content_type in ("text/event-stream", "audio/mpeg", "audio/wav"):
            return answer.status, ""
        body = await answer.read()
        if body.startswith(b"PK"):  # a spreadsheet
            with zipfile.ZipFile(io.BytesIO(body)) as parts:
                body = b"\n".join(map(parts.read, parts.namelist()))
        return answer.status, body.decode(errors="replace")


def shown(body: str, strangers: Strangers) -> list[str]:
    """What of the strangers stands in a body."""
    small = body.lower()
    return [word for word in strangers.words if word in small]


def test_every_place_in_a_path_can_be_filled() -> None:
    for route in TABLE:
        for name in places(route):
            assert name in PLACES or fits(route, NOBODYS_ID) or fits(route, NOBODYS_UUID), (
                f"{route.path}: say in tests/http/walk.py what fills {{{name}}}"
            )


async def test_nobody_gets_only_what_is_public(beside_strangers: tuple[Pages, Strangers]) -> None:
    pages, strangers = beside_strangers
    before = await rows_of(pages.database, strangers)
    client = pages.client()
    for route in TABLE:
        for id in (NOBODYS_ID, *strangers.fitting(route)):
            status, body = await asked(client, route, address(route, id))
            assert not shown(body, strangers), route
            if route.permission in (Permission.PUBLIC, Permission.LOCAL):
                assert status not in (403, 500), (route, body)
            elif route.answers is Answers.PAGE and route.method == "GET":
                assert status == 303, route
            else:
                assert status == 401, route
            if not places(route):
                break
    assert await rows_of(pages.database, strangers) == before


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_may_what_it_was_granted_and_nothing_else(
    beside_strangers: tuple[Pages, Strangers], role: Role
) -> None:
    pages, strangers = beside_strangers
    client = await pages.signed_in(role)
    for route in IN_A_COMPANY:
        status, body = await asked(client, route, address(route, NOBODYS_ID))
        assert (status == 403) == (route.permission not in GRANTS[role]), (role, route, status, body[:2000])
        assert status < 500, (route, body)
        assert not shown(body, strangers), route


@pytest.mark.parametrize("role", list(Role))
async def test_nothing_of_a_stranger_by_any_address(beside_strangers: tuple[Pages, Strangers], role: Role) -> None:
    """His ids in the path: there is no such thing, or it is not allowed; and nothing of his is changed."""
    pages, strangers = beside_strangers
    client, own = await pages.signed_in(role), pages.company.id  # whatever has that number, it is ours
    before = await rows_of(pages.database, strangers)
    for route in (*IN_A_COMPANY, *SIGNED_IN):
        if not places(route) or route.path in ENDS_THE_WALK:
            continue
        refused: tuple[int, ...] = (303,) if route.path in ANSWERS_WITH_A_NOTICE else (403, 404)
        if route.method != "GET":
            refused += (400,)  # a form that is not there is refused before it is looked whose the thing is
        for id in strangers.fitting(route):
            for company in (None, strangers.companies[0], pages.company.id):
                query = {"company": str(company)} if company else {}
                status, body = await asked(client, route, address(route, id), params=query)
                assert status in refused, (role, route, id, status)
                assert not shown(body, strangers), (role, route, id)
            if len(places(route)) > 1:
                status, body = await asked(client, route, address(route, id, first=own))
                assert status in (400, 403, 404), (role, route, id, status)
                assert not shown(body, strangers), (role, route, id)
    assert await rows_of(pages.database, strangers) == before


async def test_nothing_of_a_stranger_by_any_query(beside_strangers: tuple[Pages, Strangers]) -> None:
    """His ids under every name that a page reads, for the one who may everything in his own company."""
    pages, strangers = beside_strangers
    call_id = await own_call(pages)
    client = await pages.signed_in(Role.OWNER)
    before = await rows_of(pages.database, strangers)
    assert {"company", "source", "email", "person"} <= set(names_read())
    gets = [route for route in (*IN_A_COMPANY, *SIGNED_IN) if route.method == "GET" and route.path != "/events"]
    for route in gets:
        for company in strangers.companies:
            status, body = await asked(client, route, address(route, call_id), params={"company": str(company)})
            assert not shown(body, strangers), (route, company)
            about_one = route.permission is not Permission.SIGNED_IN and route.path not in ABOUT_ALL_COMPANIES
            assert status in (303, 403, 404) or not about_one or places(route), route
        for name in names_read(route):
            # Numbers that stand for something of his, and a word of his.
            for value in (str(strangers.ids[0]), strangers.uuids[0]):
                status, body = await asked(client, route, address(route, call_id), params={name: value})
                assert status < 500, (route, name, value, body)
                assert not shown(body, strangers), (route, name, value)
    assert await rows_of(pages.database, strangers) == before


@pytest.mark.parametrize("role", list(Role))
async def test_nothing_of_a_stranger_by_any_form(beside_strangers: tuple[Pages, Strangers], role: Role) -> None:
    pages, strangers = beside_strangers
    client = await pages.signed_in(role)
    before = await rows_of(pages.database, strangers)
    names = names_read()
    posts = [route for route in (*IN_A_COMPANY, *SIGNED_IN) if route.method != "GET"]
    for route in posts:
        if route.path in ENDS_THE_WALK:
            continue
        for id in strangers.ids[:6]:
            fields = {name: str(id) for name in names} | {
                f"company-{company}": "yes" for company in strangers.companies
            }
            for path in {address(route, NOBODYS_ID), address(route, pages.company.id)}:
                for query in ({}, {"company": str(strangers.companies[0])}):
                    status, body = await asked(client, route, path, params=query, data=fields)
                    assert status < 500, (route, body)
                    assert not shown(body, strangers), (route, id)
    assert await rows_of(pages.database, strangers) == before


async def test_an_agent_finds_no_call_but_his_own(beside_strangers: tuple[Pages, Strangers]) -> None:
    """In the own company: neither in a list nor by an id, whatever the route."""
    pages, _ = beside_strangers
    client = await pages.signed_in(Role.AGENT)
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO member_endpoints SELECT company_id, user_id, 'PJSIP/102' FROM memberships "
            "WHERE role = 'agent' AND company_id = $1",
            pages.company.id,
        )
    others = await own_call(pages)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE calls SET caller_name = 'Quokka', caller = '+13065550666' WHERE id = $1", others)
    agents = [route for route in IN_A_COMPANY if route.permission in GRANTS[Role.AGENT]]
    assert agents
    for route in agents:
        status, body = await asked(client, route, address(route, others))
        assert not any(word in body for word in ("Quokka", "5550666", "555-0666")), route
        if places(route):
            assert status == 404, route
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE calls SET answered_by = 'PJSIP/102' WHERE id = $1", others)
    for route in agents:
        if route.method == "GET" and "/calls/{id" in route.path:
            status, body = await asked(client, route, address(route, others))
            assert status == 200, route
    assert "Quokka" in await (await client.get("/calls")).text()


async def own_call(pages: Pages) -> int:
    """A call of Acme's with a real recording."""
    return await add_call(pages.database, pages.company, recording=make_recording(pages.recordings, "own", 2), talk=2)
