"""The route table: every route names its permission, and one middleware holds requests to it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from urllib.parse import quote

from aiohttp import hdrs, web
from pydantic import BaseModel

from gateway.http import accounts
from gateway.http.cookies import session_token
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.permissions import GRANTS, WITHOUT_COMPANY, Permission
from gateway.http.refusals import NotAllowed, NotFound, NotSignedIn, WrongMethod
from gateway.store.database import only_own_calls

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RouteWithoutPermission(Exception):
    """A route was added past the route table, so nobody said who may use it; add it to the table with a permission."""


class Answers(Enum):
    """What a route answers with, which decides how a refusal looks."""

    PAGE = "page"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the route table."""

    method: str
    path: str
    handler: Handler
    permission: Permission
    answers: Answers = Answers.PAGE
    summary: str = ""
    result: type[BaseModel] | None = None  # on the API: what a 200 carries
    query: type[BaseModel] | None = None  # on the API: what the query string may hold
    body: type[BaseModel] | None = None  # on the API: what is posted
    # Posted to by programs, which come from no page: what its address carries is all that it asks for.
    from_anywhere: bool = False


ROUTES: web.AppKey[dict[web.AbstractRoute, Route]] = web.AppKey("ROUTES")


def add_routes(app: web.Application, table: Iterable[Route]) -> None:
    """Put the table into the application."""
    for route in table:
        if not isinstance(route.permission, Permission):
            raise RouteWithoutPermission(f"{route.method} {route.path}: {RouteWithoutPermission.__doc__}")
        if route.method == hdrs.METH_GET and route.answers is Answers.DATA:
            added = app.router.add_get(route.path, route.handler)
            resource = added.resource
            for registered in resource or ():
                app[ROUTES][registered] = route
        else:
            app[ROUTES][app.router.add_route(route.method, route.path, route.handler)] = route


def refuse_open_routes(app: web.Application) -> None:
    """Raise RouteWithoutPermission unless every route came from the table."""
    for registered in app.router.routes():
        if registered not in app[ROUTES]:
            raise RouteWithoutPermission(f"{registered.method} {registered!r}: {RouteWithoutPermission.__doc__}")


def route_of(request: web.Request) -> Route | None:
    """The line of the table that this request meets; none where nothing matches."""
    registered = request.match_info.route
    return request.app[ROUTES].get(registered)


def permission_of(request: web.Request) -> Permission | None:
    """What the route of this request asks for; none where nothing matches."""
    route = route_of(request)
    return route.permission if route else None


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through only who holds the permission that the route names; the handler finds VIEWER and ALLOWED."""
    route = route_of(request)
    if route is None:
        problem = request.match_info.http_exception
        if problem is not None and problem.status == 405:
            raise WrongMethod(headers={hdrs.ALLOW: problem.headers.get(hdrs.ALLOW, "")})
        raise NotFound()
    viewer = await _viewer(request) if route.permission is not Permission.PUBLIC else None
    if viewer is not None:
        request[VIEWER] = viewer
    if route.permission is Permission.LOCAL and (viewer is not None or from_this_machine(request)):
        return await handler(request)
    if route.permission is not Permission.PUBLIC:
        if viewer is None:
            return _to_sign_in(request, route)
        allowed = companies_with(route.permission, viewer)
        if not allowed and route.permission not in WITHOUT_COMPANY:
            raise NotAllowed(permission=route.permission.value)
        request[ALLOWED] = allowed
    # An agent is shown his own calls, whatever the handler asks for.
    with only_own_calls(viewer.own_calls if viewer is not None else None):
        return await handler(request)


def companies_with(permission: Permission, viewer: "accounts.Viewer") -> tuple[int, ...]:
    """The companies in which the viewer's role holds ``permission``; all of them where none is needed."""
    return tuple(
        membership.company.id
        for membership in viewer.memberships
        if permission in WITHOUT_COMPANY or permission in GRANTS[membership.role]
    )


async def _viewer(request: web.Request) -> "accounts.Viewer | None":
    token = session_token(request)
    database = request.app[PARTS].database
    return await accounts.viewer_of(database, token, request.remote or "") if token else None


def _to_sign_in(request: web.Request, route: Route) -> web.StreamResponse:
    if route.answers is Answers.DATA or request.method != hdrs.METH_GET:
        raise NotSignedIn()
    return web.Response(status=303, headers={hdrs.LOCATION: f"/sign-in?next={quote(request.path_qs, safe='')}"})


def from_this_machine(request: web.Request) -> bool:
    """Whether nobody stands between: a proxy on this machine speaks for others, and says so in a header."""
    if hdrs.X_FORWARDED_FOR in request.headers or hdrs.FORWARDED in request.headers:
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
