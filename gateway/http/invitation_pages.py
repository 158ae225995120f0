"""Invitations: written by who may, sent or shown to be copied, accepted by who was meant."""

import re
from email.errors import MessageError
from email.headerregistry import Address

from aiohttp import web

from gateway.audit import Action, Actor
from gateway.delivery.letters import Letter, post
from gateway.http import accounts, invitations, members, pace, passwords
from gateway.http.accounts import Company, Viewer, folded
from gateway.http.actor import actor, actor_of
from gateway.http.cookies import over_tls, session_token
from gateway.http.entering import admit
from gateway.http.forms import Form
from gateway.http.invitations import Invitation, OpenInvitation
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.language import language_of
from gateway.http.members import AlreadyMember, may_grant
from gateway.http.notices import Notice, changed
from gateway.http.pace import Counted
from gateway.http.permissions import Role
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import TEMPLATES, render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.sign_in import why
from gateway.http.undo import Undoing, offer_undo
from gateway.http.user_pages import endpoints_of, role_in, roles_of, to_users
from gateway.store.database import Connection
from gateway.store.queries import load_queries

_queries = load_queries(accounts.FOLDER, "accounts.sql")

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,190}")


async def invite_page(request: web.Request) -> web.StreamResponse:
    """Whom, as what, to which companies."""
    company = company_of(request)
    values = {"role": Role.MANAGER.value, f"company-{company.id}": "yes"}
    return await _invite(request, company, Form(values, words_for(request, company)))


async def invite(request: web.Request) -> web.StreamResponse:
    """Send the invitation, or show its link where no mail is set up."""
    company, parts = company_of(request), request.app[PARTS]
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    email = folded(form.text("email"))
    if not form.problems and not is_address(email):
        form.refuse("email", words.say("This is not an e-mail address."))
    name = form.text("name", longest=80, required=False)
    role = form.choice("role", Role)
    endpoints = endpoints_of(form, words)
    chosen = [each for each in _grantable(request) if form.flag(f"company-{each.id}")]
    if not chosen:
        form.refuse("companies", words.say("Choose at least one company."))
    if role is not None and not all(may_grant(role_in(request, each), role) for each in chosen):
        form.refuse("role", words.say("Only an owner makes and changes owners."))
    if not form.problems:
        paced = Counted(("invitations of", str(request[VIEWER].user_id)), pace.INVITATIONS_OF_USER)
        if await pace.seconds_to_wait(parts.database, [paced]):
            form.refuse("email", words.say("Too many invitations in an hour. Try again later."))
    token: str | None = None
    if not form.problems:
        assert role is not None
        language = language_of(request, request.app[TEMPLATES].languages)
        try:
            async with parts.database.companies(*(each.id for each in chosen)) as connection:
                id = await invitations.invite(
                    connection,
                    actor_of(request),
                    email,
                    role,
                    [each.id for each in chosen],
                    name=name,
                    endpoints=endpoints,
                    language=language.tag,
                )
                token = await _send_or_show(request, connection, id)
        except AlreadyMember:
            form.refuse("email", words.say("This person is a user of the company already."))
    if form.problems:
        return await _invite(request, company, form, status=422)
    if token is not None:
        return _shown(request, company, name or email, token)
    said = words.say("The invitation is on its way to %(email)s.") % {"email": email}
    return changed(request, to_users(request, company), Notice(said))


async def renew(request: web.Request) -> web.StreamResponse:
    """The same invitation anew: seven more days, and a link of its own in place of the old one."""
    company, found = await _open(request)
    language = language_of(request, request.app[TEMPLATES].languages)
    async with request.app[PARTS].database.companies(company.id) as connection:
        id = await invitations.invite(
            connection,
            actor_of(request),
            found.email,
            found.role,
            [company.id],
            name=found.name,
            endpoints=found.endpoints,
            language=language.tag,
            action=Action.INVITATION_RENEWED,
        )
        token = await _send_or_show(request, connection, id)
    if token is not None:
        return _shown(request, company, found.called, token)
    said = words_for(request).say("The invitation is on its way to %(email)s.") % {"email": found.email}
    return changed(request, to_users(request, company), Notice(said))


async def withdraw(request: web.Request) -> web.StreamResponse:
    """Take it back for this company."""
    company, found = await _open(request)
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        if not await invitations.withdraw(connection, actor_of(request), company.id, found):
            raise NotFound()
        values = {"invitation": found.id, "role": found.role.value, "endpoints": list(found.endpoints)}
        step = await offer_undo(connection, company.id, request[VIEWER], "invitation.withdrawn", values)
    said = words.say("The invitation of %(name)s is withdrawn.") % {"name": found.called}
    return changed(request, to_users(request, company), Notice(said, undo=step))


async def take_back_withdrawal(undoing: Undoing) -> str:
    """The invitation again, with its link and its time."""
    id, role = int(undoing.values["invitation"]), Role(undoing.values["role"])
    await invitations.restore(undoing.connection, undoing.company_id, id, role, undoing.values["endpoints"])
    return f"invitation/{id}"


# ------------------------------------------------------------------------------------------------------ the other side


async def invitation_page(request: web.Request) -> web.StreamResponse:
    """What the link opens: who invites, to what, and what to do. Looking uses nothing up."""
    return await _invitation(request, Form(None, words_for(request)))


async def accept(request: web.Request) -> web.StreamResponse:
    """Become a member: signed in as who was meant, or with a name and a password of one's own."""
    database, words = request.app[PARTS].database, words_for(request)
    form, viewer = Form(await form_of(request), words), await _viewer(request)
    async with database.everything() as connection:
        invitation = await invitations.by_token(connection, request.match_info["token"])
        known = invitation and await _queries.user_by_email(connection, email=invitation.email)
    if invitation is None:
        return await _invitation(request, form)
    if known:
        if viewer is None or viewer.email != invitation.email:
            return await _invitation(request, form, status=403)
        async with database.everything() as connection:
            done = await invitations.accept(connection, actor(request, viewer), invitation)
        return web.Response(status=303, headers={"Location": "/"}) if done else await _invitation(request, form)
    name = form.text("name", longest=80)
    try:
        passwords.check(form.value("new"), invitation.email, name)
    except passwords.PasswordRefused as error:
        form.refuse("new", why(error, words))
    if form.problems:
        return await _invitation(request, form, status=422)
    user_id = await _join(request, invitation, name, await passwords.hashed(form.value("new")))
    return await admit(request, user_id, "/") if user_id is not None else await _invitation(request, form)


async def _join(request: web.Request, invitation: Invitation, name: str, password_hash: str) -> int | None:
    async with request.app[PARTS].database.everything() as connection:
        user_id = await invitations.new_user(connection, invitation, name)
        if user_id is None:
            return None
        await passwords.store(connection, user_id, password_hash)
        who = Actor(user_id, name, address=request.remote or "")
        if not await invitations.accept(connection, who, invitation):
            raise NotFound()  # used in the meantime: the user who would have been is not kept either
    return user_id


async def _invitation(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    async with request.app[PARTS].database.everything() as connection:
        invitation = await invitations.by_token(connection, request.match_info["token"])
        known = invitation is not None and await _queries.user_by_email(connection, email=invitation.email) is not None
    viewer = await _viewer(request)
    if invitation is not None and "name" not in form.values:
        form.values["name"] = invitation.name
    return render(
        request,
        "invitation.html",
        status=status if invitation else 410,
        invitation=invitation,
        is_user=known,
        as_who=viewer.email if viewer else None,
        form=form,
    )


async def _viewer(request: web.Request) -> Viewer | None:
    token = session_token(request)
    return await accounts.viewer_of(request.app[PARTS].database, token) if token else None


# -------------------------------------------------------------------------------------------------------------- shared


def is_address(email: str) -> bool:
    """Whether a mail can be sent there, and to nobody else."""
    try:
        return bool(_ADDRESS.fullmatch(email)) and bool(Address(addr_spec=email).domain)
    except (ValueError, IndexError, MessageError):
        return False


async def _send_or_show(request: web.Request, connection: Connection, id: int) -> str | None:
    """Have it sent; else the token of a link to be shown."""
    if request.app[PARTS].settings.mail.is_set_up:
        await post(connection, Letter.INVITATION, invitation=id)
        return None
    return await invitations.make_link(connection, id)


def _shown(request: web.Request, company: Company, name: str, token: str) -> web.Response:
    own = request.app[PARTS].settings.pages.public_url
    base = own or f"{'https' if over_tls(request) else 'http'}://{request.host}"
    return render(
        request,
        "invited.html",
        company=company,
        name=name,
        link=f"{base}/invitation/{token}",
        to=to_users(request, company),
    )


def _grantable(request: web.Request) -> list[Company]:
    viewer = request[VIEWER]
    return [company for id in request[ALLOWED] if (company := viewer.company(id))]


async def _open(request: web.Request) -> tuple[Company, OpenInvitation]:
    company, id = company_of(request), id_in_path(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = await invitations.open_invitation(connection, company.id, id)
    if found is None or not may_grant(role_in(request, company), found.role):
        raise NotFound()
    return company, found


async def _invite(request: web.Request, company: Company, form: Form, *, status: int = 200) -> web.Response:
    async with request.app[PARTS].database.companies(company.id) as connection:
        known = await members.known_endpoints(connection, company.id)
    return render(
        request,
        "invite.html",
        company=company,
        status=status,
        form=form,
        roles=roles_of(words_for(request, company), role_in(request, company)),
        companies=_grantable(request),
        known=known[:12],
        to=to_users(request, company),
        has_mail=request.app[PARTS].settings.mail.is_set_up,
    )
