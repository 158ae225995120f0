"""The collector as an aiohttp application: the route table, and what every request goes through."""

from collections.abc import AsyncIterator

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest

from gateway.http.collector import google_ads, leads, pages, snippet, texts
from gateway.http.collector import messages as said
from gateway.http.collector.checks import aside, aside_of_server
from gateway.http.collector.keys import COLLECTOR, CollectorParts
from gateway.http.collector.protection import LARGEST_BODY, as_json, received
from gateway.http.openapi import TOKEN, openapi
from gateway.http.permissions import Permission
from gateway.http.protection import believe_proxies
from gateway.http.routing import ROUTES, Answers, Route, add_routes, refuse_open_routes

_TOKEN = "{token:[A-Za-z0-9_-]{32,60}}"

DATA, PUBLIC = Answers.DATA, Permission.PUBLIC

_REQUESTS = Histogram(
    "numberpool_collector_request_seconds",
    "How long a request to the collector took",
    ("method", "path", "status"),
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


async def _openapi(_request: web.Request) -> web.StreamResponse:
    """This description."""
    return web.json_response(
        openapi(TABLE, title="Numberpool collector", description="Pages ask for their numbers.", schemes=TOKEN)
    )


async def _healthz(request: web.Request) -> web.StreamResponse:
    """Whether this worker takes visits, for a balancer in front of several."""
    parts = request.app[COLLECTOR]
    return as_json(
        {"waiting": parts.journal.waiting + parts.keep_alives.waiting + parts.leads.waiting + parts.texts.waiting}
    )


async def _metrics(_request: web.Request) -> web.StreamResponse:
    """For Prometheus, on this machine."""
    return web.Response(body=generate_latest(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})


TABLE: tuple[Route, ...] = (
    *(Route("GET", f"/{name}", snippet.script, PUBLIC, DATA) for name in snippet.SCRIPTS),
    Route(
        "POST",
        "/v1/visit",
        aside(pages.visit),
        PUBLIC,
        DATA,
        summary="The numbers for a page that was opened",
        body=said.Visit,
        result=said.VisitAnswer,
    ),
    Route(
        "POST",
        "/v1/consent",
        aside(pages.consent),
        PUBLIC,
        DATA,
        summary="The visitor said yes or no: keep now what was not kept, or take away what identifies",
        body=said.Visit,
        result=said.VisitAnswer,
    ),
    Route(
        "POST",
        "/v1/alive",
        pages.alive,
        PUBLIC,
        DATA,
        summary="A page is still there",
        body=said.Alive,
        result=said.AliveAnswer,
    ),
    Route("POST", "/v1/leave", pages.leave, PUBLIC, DATA, summary="A page is left", body=said.Left),
    Route("POST", "/v1/tap", pages.tap, PUBLIC, DATA, summary="A telephone link was tapped", body=said.Tap),
    Route("POST", "/v1/page", pages.page, PUBLIC, DATA, summary="Another page of the same visit", body=said.PageView),
    Route(
        "POST",
        "/v1/lead",
        leads.lead,
        PUBLIC,
        DATA,
        summary="A form, a chat or the like was handed in",
        body=said.Lead,
        result=said.LeadAnswer,
    ),
    Route(
        "POST",
        "/v1/leads",
        leads.server_lead,
        Permission.COMPANY_PROGRAM,
        DATA,
        summary="A chat or the like that a program of the company's hands in; with Idempotency-Key each counts once",
        body=said.ServerLead,
        result=said.LeadAnswer,
    ),
    Route(
        "POST",
        "/v1/server/visit",
        aside_of_server(pages.server_visit),
        Permission.SITE_SERVER,
        DATA,
        summary="The numbers for a page that a site's own server renders",
        body=said.ServerVisit,
        result=said.ServerVisitAnswer,
    ),
    Route(
        "GET",
        "/v1/amp",
        pages.amp,
        PUBLIC,
        DATA,
        summary="The number for AMP's call tracking element",
        query=said.AmpQuery,
        result=said.AmpAnswer,
    ),
    Route(
        "POST",
        "/v1/google-ads/clicks",
        google_ads.clicks,
        Permission.GOOGLE_ADS,
        DATA,
        summary="What Google Ads knows of clicks",
        body=google_ads.Clicks,
        result=said.ClicksAnswer,
    ),
    # Carriers post to these; the token in the address names the account, and what is posted is signed.
    Route("POST", f"/v1/texts/{_TOKEN}", texts.text, PUBLIC, DATA),
    Route("GET", f"/v1/texts/{_TOKEN}", texts.text, PUBLIC, DATA),
    Route("GET", f"/v1/texts/{_TOKEN}/ready", texts.ready, PUBLIC, DATA),
    Route("GET", "/openapi.json", _openapi, PUBLIC, DATA),
    Route("GET", "/healthz", _healthz, PUBLIC, DATA),
    Route("GET", "/metrics", _metrics, Permission.LOCAL, DATA),
)


def collector_app(parts: CollectorParts) -> web.Application:
    """The application; raises RouteWithoutPermission where a route says not who may use it."""
    app = web.Application(
        middlewares=[
            *([believe_proxies(parts.settings.trusted_proxies)] if parts.settings.trusted_proxies else []),
            received(_REQUESTS),
        ],
        client_max_size=LARGEST_BODY,
    )
    app[COLLECTOR] = parts
    app[ROUTES] = {}
    add_routes(app, TABLE)
    app.cleanup_ctx.append(_only_routes_of_the_table)
    return app


async def _only_routes_of_the_table(app: web.Application) -> AsyncIterator[None]:
    refuse_open_routes(app)
    yield
