"""Who does what a request asks for, as the audit log names him."""

from aiohttp import web

from gateway.audit import Actor, Via
from gateway.http.accounts import Viewer
from gateway.http.keys import VIEWER


def actor_of(request: web.Request) -> Actor:
    """The viewer, with where the request came from."""
    return actor(request, request[VIEWER])


def actor(request: web.Request, viewer: Viewer) -> Actor:
    """The same for somebody who is signing in just now."""
    via = Via.API if request.path.startswith("/api/") else Via.PAGE
    return Actor(viewer.user_id, viewer.name or viewer.email, via, request.remote or "")
