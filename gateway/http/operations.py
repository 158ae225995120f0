"""For those who run the installation: health, metrics, and how long requests take."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, Histogram, generate_latest

from gateway.health import Condition
from gateway.http.keys import PARTS
from gateway.http.routing import Handler, route_of

_REQUESTS = Histogram(
    "numberpool_http_request_seconds",
    "How long a request to the pages took",
    ("method", "path", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
_PARTS = Gauge("numberpool_part_condition", "0 ok, 1 troubled, 2 needs a person", ("part",))


async def healthz(request: web.Request) -> web.StreamResponse:
    """How each part is and what to do about it; 503 where something waits for a person."""
    health = request.app[PARTS].health
    return web.json_response(
        {
            "condition": health.condition.value,
            "parts": {
                part: {"condition": report.condition.value, "message": report.message}
                for part, report in health.reports().items()
            },
        },
        status=503 if health.condition is Condition.NEEDS_PERSON else 200,
    )


async def metrics(request: web.Request) -> web.StreamResponse:
    """For Prometheus."""
    order = list(Condition)
    _PARTS.clear()
    for part, report in request.app[PARTS].health.reports().items():
        _PARTS.labels(part).set(order.index(report.condition))
    return web.Response(body=generate_latest(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST})


def measured_by(histogram: Histogram) -> Callable[..., Awaitable[web.StreamResponse]]:
    """A middleware that counts what is asked for and how long it takes, by the route's pattern."""

    # Looked up once for each of the few that there are, instead of with every request.
    known: dict[tuple[str, str, int], Any] = {}

    @web.middleware
    async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = perf_counter()
        answer = await handler(request)
        route = route_of(request)
        if route is not None and answer.content_type != "text/event-stream":
            key = route.method, route.path, answer.status
            found = known.get(key)
            if found is None:
                found = known[key] = histogram.labels(*key)
            found.observe(perf_counter() - began)
        return answer

    return measure


measure = measured_by(_REQUESTS)
