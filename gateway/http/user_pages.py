"""The users of a company: who they are and what they may, changed and removed by whoever may."""

from urllib.parse import urlencode

from aiohttp import web

from gateway.audit import Actor
from gateway.http import invitations, members
from gateway.http.accounts import Company, Viewer
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.members import AboveOwnRole, LastOwner, Member, NoEndpoint, may_grant
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Role
from gateway.http.protection import form_of
from gateway.http.refusals import NotAllowed, NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.undo import Undoing, offer_undo
from gateway.http.words import Words

USERS = "/settings/users"


async def users(request: web.Request) -> web.StreamResponse:
    """Everybody in the company, and who was invited."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        people = await members.members_of(connection, company.id)
        invited = await invitations.open_invitations(connection, company.id)
    return render(
        request,
        "users.html",
        company=company,
        people=people,
        invited=invited,
        own_role=role_in(request, company),
        has_mail=request.app[PARTS].settings.mail.is_set_up,
    )


async def one_user(request: web.Request) -> web.StreamResponse:
    """One of them: role, telephones, and the way out."""
    company, found = await _member(request)
    words = words_for(request, company)
    form = Form({"role": found.role.value, "endpoints": ", ".join(found.endpoints)}, words)
    return await _one(request, company, found, form)


async def change_user(request: web.Request) -> web.StreamResponse:
    """Set role and telephones; in force from his next request on."""
    company, found = await _member(request)
    words = words_for(request, company)
    form, granter = Form(await form_of(request), words), role_in(request, company)
    role = form.choice("role", Role)
    endpoints = endpoints_of(form, words)
    step: int | None = None
    if not form.problems:
        assert role is not None
        try:
            async with request.app[PARTS].database.companies(company.id) as connection:
                before = await members.change_role(
                    connection, actor_of(request), granter, company.id, found.user_id, role
                )
                telephones = await members.set_endpoints(
                    connection, actor_of(request), company.id, found.user_id, endpoints
                )
                if before is not role or set(telephones) != set(endpoints):
                    values = {"user": found.user_id, "role": before.value, "endpoints": list(telephones)}
                    step = await offer_undo(connection, company.id, request[VIEWER], "user.changed", values)
        except LastOwner:
            form.refuse("role", words.say("The company would have no owner. Make somebody else one first."))
        except AboveOwnRole:
            form.refuse("role", words.say("Only an owner makes and changes owners."))
        except KeyError:
            raise NotFound() from None
    if form.problems:
        return await _one(request, company, found, form, status=422)
    said = words.say("%(name)s is changed.") % {"name": found.called}
    return changed(request, to_users(request, company), Notice(said, undo=step))


async def remove_user(request: web.Request) -> web.StreamResponse:
    """Take somebody out of the company; who is in no other is signed out."""
    company, found = await _member(request)
    words, database = words_for(request, company), request.app[PARTS].database
    try:
        async with database.companies(company.id) as connection:
            gone = await members.remove(
                connection, actor_of(request), role_in(request, company), company.id, found.user_id
            )
            values = {"user": gone.user_id, "role": gone.role.value, "endpoints": list(gone.endpoints)}
            step = await offer_undo(connection, company.id, request[VIEWER], "user.removed", values)
    except LastOwner:
        said = words.say("The company would have no owner. Make somebody else one first.")
        return changed(request, to_users(request, company), Notice(said, is_problem=True))
    except AboveOwnRole:
        raise NotAllowed() from None
    except KeyError:
        raise NotFound() from None
    await members.end_sessions_of_nobody(database, found.user_id)
    if found.user_id == request[VIEWER].user_id:
        raise web.HTTPSeeOther("/")
    said = words.say("%(name)s is removed.") % {"name": gone.called}
    return changed(request, to_users(request, company), Notice(said, undo=step))


# ---------------------------------------------------------------------------------------------------------------- undo


async def take_back_change(undoing: Undoing) -> str:
    """Role and telephones as they were."""
    user_id, role = int(undoing.values["user"]), Role(undoing.values["role"])
    granter, actor = _role_of(undoing.viewer, undoing.company_id), _actor(undoing.viewer)
    try:
        await members.change_role(undoing.connection, actor, granter, undoing.company_id, user_id, role)
        await members.set_endpoints(undoing.connection, actor, undoing.company_id, user_id, undoing.values["endpoints"])
    except (AboveOwnRole, LastOwner):
        raise NotAllowed() from None
    except KeyError:
        raise NotFound() from None
    return f"user/{user_id}"


async def take_back_removal(undoing: Undoing) -> str:
    """A user again, as before."""
    user_id, role = int(undoing.values["user"]), Role(undoing.values["role"])
    if not may_grant(_role_of(undoing.viewer, undoing.company_id), role):
        raise NotAllowed()
    await members.add(undoing.connection, undoing.company_id, user_id, role, undoing.values["endpoints"])
    return f"user/{user_id}"


# -------------------------------------------------------------------------------------------------------------- shared


def to_users(request: web.Request, company: Company) -> str:
    """The list, of the company that the page was about."""
    return f"{USERS}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else USERS


def role_in(request: web.Request, company: Company) -> Role:
    """What the viewer is there."""
    return _role_of(request[VIEWER], company.id)


def roles_of(words: Words, granter: Role) -> list[tuple[str, str, str]]:
    """The roles that somebody may give: value, name and a sentence."""
    say = words.say
    roles = [
        (Role.OWNER, say("owner"), say("Everything, and the only one who makes other owners.")),
        (Role.MANAGER, say("manager"), say("Calls, recordings, reports, settings, and users but owners.")),
        (Role.ANALYST, say("analyst"), say("Reads and exports calls, visitors, reports; hears no recordings.")),
        (Role.AGENT, say("agent"), say("Only calls that reached the telephones named below.")),
    ]
    return [(role.value, name, says) for role, name, says in roles if may_grant(granter, role)]


def endpoints_of(form: Form, words: Words) -> tuple[str, ...]:
    """The telephones that stand in a form."""
    try:
        return members.endpoints_in(form.text("endpoints", longest=1000, required=False, lines=True))
    except NoEndpoint as error:
        form.refuse(
            "endpoints",
            words.say("%(word)s names no telephone. Write it as Asterisk does, such as PJSIP/102.")
            % {"word": str(error)[:40]},
        )
        return ()


async def _member(request: web.Request) -> tuple[Company, Member]:
    company, id = company_of(request), id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = await members.member(connection, company.id, id)
    if found is None:
        raise NotFound()
    return company, found


async def _one(request: web.Request, company: Company, found: Member, form: Form, *, status: int = 200) -> web.Response:
    granter = role_in(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        known = await members.known_endpoints(connection, company.id)
    return render(
        request,
        "user.html",
        company=company,
        status=status,
        person=found,
        form=form,
        roles=roles_of(words_for(request, company), granter),
        may_change=may_grant(granter, found.role),
        known=known[:12],
    )


def _role_of(viewer: Viewer, company_id: int) -> Role:
    role = viewer.role(company_id)
    if role is None:
        raise NotFound()
    return role


def _actor(viewer: Viewer) -> Actor:
    return Actor(viewer.user_id, viewer.name or viewer.email)
