"""Users of a company: invited, changed, removed; what is theirs from the next request on, and who may do what."""

import asyncio
import re
from html import unescape

import aiohttp
import pytest

from gateway.audit import Actor
from gateway.http import members
from gateway.http.commands import CommandRefused, add_user
from gateway.http.members import LastOwner, endpoints_in
from gateway.http.permissions import Role
from tests.http.company import MadeCompany, add_call, make_recording
from tests.http.conftest import Pages

PASSWORD = "four plain words here"
SOMEBODY = Actor(None, "Somebody")


async def user_id(pages: Pages, role: Role, company: MadeCompany | None = None) -> int:
    """The user that ``pages.signed_in`` makes."""
    async with pages.database.everything() as wire:
        found: int = await wire.fetchval(
            "SELECT id FROM users WHERE email = $1", f"{role.value}-{(company or pages.company).id}@example.com"
        )
    return found


async def membership(pages: Pages, user: int) -> str | None:
    """What a user is in Acme."""
    async with pages.database.everything() as wire:
        role: str | None = await wire.fetchval(
            "SELECT role FROM memberships WHERE user_id = $1 AND company_id = $2", user, pages.company.id
        )
    return role


async def invited(pages: Pages, client: aiohttp.ClientSession, **data: str) -> str:
    """Invite somebody; the path of the link that is shown, where no mail is set up."""
    values = {"email": "new@example.com", "role": "analyst", f"company-{pages.company.id}": "yes", **data}
    answer = await client.post("/settings/users/invite", data=values)
    page = await answer.text()
    assert answer.status == 200, page
    found = re.search(r'id="link">http://[^/<]+(/invitation/[^<]+)<', page)
    assert found, page
    return found.group(1)


async def undo(client: aiohttp.ClientSession, page: str) -> int:
    """Press the button of the notice."""
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found, page
    return (await client.post(found.group(1), data={"next": "/settings/users"}, allow_redirects=False)).status


# ---------------------------------------------------------------------------------------------------------- invitations


async def test_an_invitation_makes_a_user_once(pages: Pages) -> None:
    owner = await pages.signed_in()
    path = await invited(pages, owner, name="Nora")
    client = pages.client()
    for _ in range(2):
        page = await (await client.get(path)).text()
        assert "new@example.com" in page
        assert 'value="Nora"' in page
    answer = await client.post(path, data={"name": "Nora Field", "new": PASSWORD}, allow_redirects=False)
    assert answer.status == 303
    assert (await client.get("/calls")).status == 200
    for again in (await client.get(path), await pages.client().post(path, data={"name": "x", "new": PASSWORD})):
        assert again.status == 410
    signed = await pages.client().post("/sign-in", data={"email": "new@example.com", "password": PASSWORD})
    assert signed.status == 200


async def test_two_who_accept_at_once_make_one_user(pages: Pages) -> None:
    path = await invited(pages, await pages.signed_in())
    tries = [pages.client().post(path, data={"name": "x", "new": PASSWORD}, allow_redirects=False) for _ in range(4)]
    statuses = sorted([answer.status for answer in await asyncio.gather(*tries)])
    assert statuses[0] == 303
    assert all(status in (403, 404, 410) for status in statuses[1:])
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM users WHERE email = 'new@example.com'") == 1


async def test_the_link_of_an_invitation_is_no_way_into_an_account_that_exists(pages: Pages) -> None:
    """Who invites sees the link; it must not make him somebody else."""
    stranger = await pages.signed_in(Role.OWNER, pages.stranger)
    owner = await pages.signed_in()
    path = await invited(pages, owner, email=f"OWNER-{pages.stranger.id}@example.com")
    for client in (pages.client(), owner):
        answer = await client.post(path, data={"name": "x", "new": PASSWORD}, allow_redirects=False)
        assert answer.status == 403
        assert "session" not in answer.cookies
    page = unescape(await (await pages.client().get(path)).text())
    assert f"/sign-in?next={path}" in page
    assert "New password" not in page
    # The one who is meant accepts, and is in both.
    assert (await stranger.get(f"/calls?company={pages.company.id}")).status == 404
    assert (await stranger.post(path, allow_redirects=False)).status == 303
    assert (await stranger.get(f"/calls?company={pages.company.id}")).status == 200
    assert (await stranger.get(f"/calls?company={pages.stranger.id}")).status == 200


async def test_an_invitation_runs_out_and_a_new_link_ends_the_old(pages: Pages) -> None:
    owner = await pages.signed_in()
    path = await invited(pages, owner)
    page = await (await owner.get("/settings/users")).text()
    id = re.search(r"/settings/invitations/(\d+)/renew", page)
    assert id
    renewed = await (await owner.post(f"/settings/invitations/{id.group(1)}/renew")).text()
    fresh = re.search(r'id="link">http://[^/<]+(/invitation/[^<]+)<', renewed)
    assert fresh
    assert (await pages.client().get(path)).status == 410
    assert (await pages.client().get(fresh.group(1))).status == 200
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE invitations SET expires_at = now()")
    answer = await pages.client().post(fresh.group(1), data={"name": "x", "new": PASSWORD})
    assert answer.status == 410
    assert "ran out" in await (await owner.get("/settings/users")).text()


async def test_a_withdrawn_invitation_opens_nothing_until_that_is_undone(pages: Pages) -> None:
    owner = await pages.signed_in()
    path = await invited(pages, owner)
    id = re.search(r"/settings/invitations/(\d+)/withdraw", await (await owner.get("/settings/users")).text())
    assert id
    page = await (await owner.post(f"/settings/invitations/{id.group(1)}/withdraw")).text()
    assert "is withdrawn" in page
    assert (await pages.client().get(path)).status == 410
    assert await undo(owner, page) == 303
    assert (await pages.client().get(path)).status == 200


async def test_an_agency_invites_to_several_companies_at_once_but_only_to_its_own(pages: Pages) -> None:
    owner = await pages.signed_in()
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) SELECT id, $1, 'manager' FROM users", pages.stranger.id
        )
        third = await wire.fetchval("INSERT INTO companies (name) VALUES ('Third') RETURNING id")
    both = {f"company-{pages.stranger.id}": "yes", f"company-{third}": "yes"}
    refused = await owner.post(
        "/settings/users/invite",
        data={"email": "new@example.com", "role": "owner", f"company-{pages.company.id}": "yes", **both},
    )
    assert refused.status == 422  # a manager makes no owners
    path = await invited(pages, owner, role="manager", **both)
    client = pages.client()
    page = await (await client.get(path)).text()
    assert "Acme Roofing" in page
    assert "Borealis Dental" in page
    assert "Third" not in page
    await client.post(path, data={"name": "Nora", "new": PASSWORD})
    for company, status in ((pages.company.id, 200), (pages.stranger.id, 200), (third, 404)):
        assert (await client.get(f"/calls?company={company}")).status == status
    # Who manages one of them gets, by a new link, no way into the other.
    await invited(pages, owner, email="two@example.com", role="manager", **both)
    manager = await pages.signed_in(Role.MANAGER)
    id = re.search(r"/settings/invitations/(\d+)/renew", await (await manager.get("/settings/users")).text())
    assert id
    renewed = await (await manager.post(f"/settings/invitations/{id.group(1)}/renew")).text()
    found = re.search(r'id="link">http://[^/<]+(/invitation/[^<]+)<', renewed)
    assert found
    assert "Borealis" not in await (await pages.client().get(found.group(1))).text()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"email": "x"}, "not an e-mail address"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "cannot be shown"),
        ({"email": "a@b.example, c@d.example"}, "not an e-mail address"),
        ({"email": ""}, "Write something here"),
        ({"role": "emperor"}, "Choose one of these"),
        ({"role": "agent", "endpoints": "PJSIP/102; rm -rf /"}, "names no telephone"),
        ({"role": "agent", "endpoints": "$" + "{SHELL(id)}"}, "names no telephone"),
    ],
)
async def test_an_invitation_that_will_not_do_is_refused_in_place(
    pages: Pages, data: dict[str, str], words: str
) -> None:
    owner = await pages.signed_in()
    values = {"email": "new@example.com", "role": "agent", f"company-{pages.company.id}": "yes", **data}
    answer = await owner.post("/settings/users/invite", data=values)
    assert answer.status == 422
    assert words in await answer.text()
    async with pages.database.everything() as wire:
        assert await wire.fetchval("SELECT count(*) FROM invitations") == 0


async def test_who_is_a_user_already_is_not_invited(pages: Pages) -> None:
    owner = await pages.signed_in()
    await pages.signed_in(Role.ANALYST)
    values = {"email": f"analyst-{pages.company.id}@example.com", "role": "owner", f"company-{pages.company.id}": "yes"}
    answer = await owner.post("/settings/users/invite", data=values)
    assert answer.status == 422
    assert "is a user of the company already" in await answer.text()


# ------------------------------------------------------------------------------------------------- changes and removal


async def test_a_role_is_another_from_the_next_request_on(pages: Pages) -> None:
    owner, manager = await pages.signed_in(), await pages.signed_in(Role.MANAGER)
    id = await user_id(pages, Role.MANAGER)
    assert (await manager.get("/settings/users")).status == 200
    page = await (await owner.post(f"/settings/users/{id}", data={"role": "analyst"})).text()
    assert "is changed" in page
    assert (await manager.get("/settings/users")).status == 403
    assert (await manager.get("/calls")).status == 200
    assert await undo(owner, page) == 303
    assert (await manager.get("/settings/users")).status == 200


async def test_who_is_removed_is_signed_out_and_comes_back_when_that_is_undone(pages: Pages) -> None:
    owner, agent = await pages.signed_in(), await pages.signed_in(Role.AGENT)
    id = await user_id(pages, Role.AGENT)
    await owner.post(f"/settings/users/{id}", data={"role": "agent", "endpoints": "102, PJSIP/103"})
    page = await (await owner.post(f"/settings/users/{id}/remove")).text()
    assert "is removed" in page
    assert (await agent.get("/api/v1/calls")).status == 401
    assert await membership(pages, id) is None
    assert await undo(owner, page) == 303
    assert await membership(pages, id) == "agent"
    listing = await (await owner.get("/settings/users")).text()
    assert "PJSIP/102, PJSIP/103" in listing


async def test_who_is_in_another_company_too_stays_signed_in_there(pages: Pages) -> None:
    owner, both = await pages.signed_in(), await pages.signed_in(Role.MANAGER)
    id = await user_id(pages, Role.MANAGER)
    async with pages.database.everything() as wire:
        await wire.execute(
            "INSERT INTO memberships (user_id, company_id, role) VALUES ($1, $2, 'owner')", id, pages.stranger.id
        )
    await owner.post(f"/settings/users/{id}/remove")
    assert (await both.get(f"/calls?company={pages.company.id}")).status == 404
    assert (await both.get("/calls")).status == 200


async def test_what_a_removed_user_began_ends_with_him(pages: Pages) -> None:
    owner, manager = await pages.signed_in(), await pages.signed_in(Role.MANAGER)
    path = await invited(pages, manager)
    await owner.post(f"/settings/users/{await user_id(pages, Role.MANAGER)}/remove")
    assert (await pages.client().get(path)).status == 410


async def test_the_last_owner_can_neither_go_nor_become_less(pages: Pages) -> None:
    owner = await pages.signed_in()
    id = await user_id(pages, Role.OWNER)
    for path, data in ((f"/settings/users/{id}", {"role": "manager"}), (f"/settings/users/{id}/remove", {})):
        answer = await owner.post(path, data=data)
        assert "would have no owner" in await answer.text()
        assert await membership(pages, id) == "owner"


async def test_two_owners_who_remove_each_other_at_once_leave_one(pages: Pages) -> None:
    await pages.signed_in()
    await pages.signed_in(Role.MANAGER)
    ids = [await user_id(pages, Role.OWNER), await user_id(pages, Role.MANAGER)]
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE memberships SET role = 'owner'")

    async def remove(id: int) -> bool:
        try:
            async with pages.database.companies(pages.company.id) as connection:
                await members.remove(connection, SOMEBODY, Role.OWNER, pages.company.id, id)
        except LastOwner:
            return False
        return True

    for _ in range(5):
        assert sorted(await asyncio.gather(*map(remove, ids))) == [False, True]
        async with pages.database.companies(pages.company.id) as connection:
            for id in ids:
                await members.add(connection, pages.company.id, id, Role.OWNER)


async def test_a_manager_deals_with_everybody_but_owners(pages: Pages) -> None:
    await pages.signed_in()
    manager = await pages.signed_in(Role.MANAGER)
    await pages.signed_in(Role.AGENT)
    owner_id, agent_id = await user_id(pages, Role.OWNER), await user_id(pages, Role.AGENT)
    own_id = await user_id(pages, Role.MANAGER)
    assert (await manager.post(f"/settings/users/{owner_id}", data={"role": "agent"})).status == 422
    assert (await manager.post(f"/settings/users/{owner_id}/remove")).status == 403
    assert (await manager.post(f"/settings/users/{agent_id}", data={"role": "owner"})).status == 422
    assert (await manager.post(f"/settings/users/{own_id}", data={"role": "owner"})).status == 422
    data = {"email": "new@example.com", "role": "owner", f"company-{pages.company.id}": "yes"}
    assert (await manager.post("/settings/users/invite", data=data)).status == 422
    assert await membership(pages, owner_id) == "owner"
    assert (await manager.post(f"/settings/users/{agent_id}", data={"role": "analyst"})).status == 200
    assert await membership(pages, agent_id) == "analyst"


async def test_an_undo_gives_nobody_what_he_may_not_give(pages: Pages) -> None:
    """An owner takes an owner away, becomes a manager, and undoes."""
    owner = await pages.signed_in()
    await pages.signed_in(Role.MANAGER)
    other, own = await user_id(pages, Role.MANAGER), await user_id(pages, Role.OWNER)
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE memberships SET role = 'owner'")
    page = await (await owner.post(f"/settings/users/{other}", data={"role": "agent"})).text()
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE memberships SET role = 'manager' WHERE user_id = $1", own)
    assert await undo(owner, page) == 403
    assert await membership(pages, other) == "agent"


# --------------------------------------------------------------------------------------------------------- own calls


async def test_an_agents_calls_are_those_that_reached_his_telephones(pages: Pages) -> None:
    """Rang there, was answered there, was passed on to him; hears those in which he spoke."""
    agent = await pages.signed_in(Role.AGENT)
    id = await user_id(pages, Role.AGENT)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("INSERT INTO member_endpoints VALUES ($1, $2, 'PJSIP/102')", pages.company.id, id)
    sound = make_recording(pages.recordings, "own", 2)
    names = {}
    for name in ("answered", "rang in a group", "passed on", "a leg of it", "not his", "ringing now"):
        live = name == "ringing now"
        names[name] = await add_call(
            pages.database,
            pages.company,
            caller_name=name,
            recording=None if live else sound,
            state="ringing" if live else "ended",
            outcome=None if live else "answered",
        )
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("UPDATE calls SET answered_by = 'PJSIP/102' WHERE id = $1", names["answered"])
        await wire.execute("UPDATE calls SET last_answered_by = 'PJSIP/102' WHERE id = $1", names["passed on"])
        await wire.execute(
            "UPDATE legs SET dial = 'PJSIP/101&PJSIP/102&PJSIP/1021' WHERE call_id = $1", names["rang in a group"]
        )
        await wire.execute("UPDATE legs SET dial = 'PJSIP/1021&PJSIP/reception' WHERE call_id = $1", names["not his"])
        await wire.execute("UPDATE legs SET answered_by = 'PJSIP/102' WHERE call_id = $1", names["a leg of it"])
    page = await (await agent.get("/calls")).text()
    seen = {name for name in names if f">{name}<" in page}
    assert seen == {"answered", "rang in a group", "passed on", "a leg of it"}
    heard = {name for name, call in names.items() if (await agent.get(f"/calls/{call}/recording")).status == 200}
    assert heard == {"answered", "passed on", "a leg of it"}
    page = await (await agent.get(f"/calls/{names['rang in a group']}")).text()
    assert "You can listen to the calls in which you spoke" in page


async def test_what_rings_at_the_agents_telephone_is_seen_while_it_rings(pages: Pages) -> None:
    agent = await pages.signed_in(Role.AGENT)
    id = await user_id(pages, Role.AGENT)
    async with pages.database.companies(pages.company.id) as wire:
        await wire.execute("INSERT INTO member_endpoints VALUES ($1, $2, 'PJSIP/reception')", pages.company.id, id)
    await add_call(pages.database, pages.company, state="ringing", outcome=None, caller_name="Tom Bear")
    assert "Tom Bear" in await (await agent.get("/calls")).text()


@pytest.mark.parametrize(
    ("text", "endpoints"),
    [
        ("", ()),
        (" ", ()),
        ("102", ("PJSIP/102",)),
        ("PJSIP/102, 103\nSIP/anna;Local/7@desk/n", ("PJSIP/102", "PJSIP/103", "SIP/anna", "Local/7@desk/n")),
        ("102 102 PJSIP/102", ("PJSIP/102",)),
    ],
)
def test_telephones_as_people_list_them(text: str, endpoints: tuple[str, ...]) -> None:
    assert endpoints_in(text) == endpoints


@pytest.mark.parametrize("text", ["/", "PJSIP/", "a'b", "PJSIP/1&2", "%", " ".join(map(str, range(21)))])
def test_what_names_no_telephone(text: str) -> None:
    with pytest.raises(members.NoEndpoint):
        endpoints_in(text)


async def test_a_command_leaves_a_company_its_last_owner(pages: Pages) -> None:
    await add_user(pages.database, "first@example.com", "Acme Roofing", Role.OWNER)
    for role in (Role.MANAGER, Role.ANALYST, Role.AGENT):
        with pytest.raises(CommandRefused, match="only owner of Acme Roofing"):
            await add_user(pages.database, "first@example.com", "Acme Roofing", role)
    await add_user(pages.database, "first@example.com", "Acme Roofing", Role.OWNER)
    await add_user(pages.database, "second@example.com", "Acme Roofing", Role.OWNER)
    await add_user(pages.database, "first@example.com", "Acme Roofing", Role.AGENT)
    async with pages.database.everything() as wire:
        rows = await wire.fetch("SELECT role FROM memberships WHERE company_id = $1 ORDER BY role", pages.company.id)
    assert [row["role"] for row in rows] == ["agent", "owner"]
