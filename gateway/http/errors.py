"""Refusals and faults as answers: a page for people, JSON for programs, with the same identifier in both."""

import secrets

import asyncpg
import structlog
from aiohttp import hdrs, web
from jinja2 import TemplateError

from gateway.http.refusals import BadRequest, DatabaseAway, NotAllowed, NotFound, OurFault, Refusal, WrongMethod
from gateway.http.rendering import render
from gateway.http.routing import Answers, Handler, route_of

_log = structlog.get_logger(__name__)

# What asking a database that is away, starting or stopping ends in.
DATABASE_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidCatalogNameError,
)

_OF_STATUS: dict[int, type[Refusal]] = {403: NotAllowed, 404: NotFound, 405: WrongMethod}


@web.middleware
async def answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong below into an answer."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return _answer(request, refusal)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        if answer.status >= 500:
            return _answer(request, _logged(answer))
        plain = _OF_STATUS.get(answer.status, BadRequest)()
        plain.status = answer.status
        return _answer(request, plain)
    except TemplateError as error:  # a template that is missing is an OSError, too
        return _answer(request, _logged(error))
    except DATABASE_AWAY as error:
        if request.transport is None:
            raise  # it is the browser that went away
        _log.warning("pages.database_away", reason=str(error) or type(error).__name__)
        return _answer(request, DatabaseAway())
    except Exception as error:
        return _answer(request, _logged(error))


def _logged(error: Exception) -> OurFault:
    reference = secrets.token_hex(4)
    _log.error("pages.fault", reference=reference, exc_info=error)
    return OurFault(reference=reference)


def _answer(request: web.Request, refusal: Refusal) -> web.StreamResponse:
    route = route_of(request)
    wants_page = route.answers is Answers.PAGE if route else not request.path.startswith("/api/")
    if wants_page:
        try:
            return render(request, "refusal.html", status=refusal.status, headers=refusal.headers, refusal=refusal)
        except Exception as error:
            _log.error("pages.fault", reference="refusal.html", exc_info=error)
    return refused_as_data(refusal)


def refused_as_data(refusal: Refusal) -> web.Response:
    """A refusal for programs."""
    return web.json_response(
        {
            "status": refusal.status,
            "id": refusal.id,
            "message": refusal.message,
            "details": refusal.details,
        },
        status=refusal.status,
        headers={**refusal.headers, hdrs.CACHE_CONTROL: "no-store"},
    )
