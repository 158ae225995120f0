"""The route table's JSON endpoints as an OpenAPI 3.1 document."""

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic.json_schema import models_json_schema

from gateway.http.api import Problem
from gateway.http.routing import Route

_REFERENCE = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"{(\w+)(?::[^{}]*(?:{[^}]*})?[^{}]*)?}")


def openapi(table: Iterable[Route]) -> dict[str, Any]:
    """The document; only routes with a result are part of it."""
    routes = [route for route in table if route.result is not None]
    models = {route.result for route in routes if route.result} | {Problem}
    _, definitions = models_json_schema(
        [(model, "serialization") for model in sorted(models, key=lambda model: model.__name__)],
        ref_template=_REFERENCE,
    )
    paths: dict[str, Any] = {}
    for route in routes:
        path = _PATH_PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Numberpool", "version": _version(), "description": "Calls and what brought them."},
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "__Host-np_session"}},
        },
        "security": [{"session": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    assert route.result is not None
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}}
        for name in _PATH_PARAMETER.findall(route.path)
    ]
    if route.query is not None:
        schema = route.query.model_json_schema()
        parameters += [
            {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", ()),
                "description": facts.pop("description", ""),
                "schema": facts,
            }
            for name, facts in schema["properties"].items()
        ]
    refused = {"application/json": {"schema": {"$ref": _REFERENCE.format(model=Problem.__name__)}}}
    return {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "parameters": parameters,
        "x-permission": route.permission.value,
        "responses": {
            "200": {
                "description": "OK",
                "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model=route.result.__name__)}}},
            },
            "default": {"description": "Refused", "content": refused},
        },
    }


def _version() -> str:
    try:
        return version("numberpool")
    except PackageNotFoundError:
        return "0"
