"""The route table's JSON endpoints as an OpenAPI 3.1 document."""

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.http.api import Problem
from gateway.http.permissions import Permission
from gateway.http.routing import Route

_REFERENCE = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"{(\w+)(?::[^{}]*(?:{[^}]*})?[^{}]*)?}")


# How somebody shows who he is: a page's session, or a program's token.
SESSION = {"session": {"type": "apiKey", "in": "cookie", "name": "__Host-np_session"}}
TOKEN = {"token": {"type": "http", "scheme": "bearer"}}


def openapi(
    table: Iterable[Route],
    *,
    title: str = "Numberpool",
    description: str = "Calls and what brought them.",
    schemes: dict[str, Any] = SESSION,
) -> dict[str, Any]:
    """The document; only routes with a summary are part of it. A public route needs none of ``schemes``."""
    routes = [route for route in table if route.summary]
    results = {route.result for route in routes if route.result} | {Problem}
    bodies = {route.body for route in routes if route.body}
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        *((model, "serialization") for model in sorted(results, key=lambda model: model.__name__)),
        *((model, "validation") for model in sorted(bodies, key=lambda model: model.__name__)),
    ]
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)
    paths: dict[str, Any] = {}
    for route in routes:
        path = _PATH_PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": _version(), "description": description},
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": schemes,
        },
        "security": [{name: []} for name in schemes],
    }


def _operation(route: Route) -> dict[str, Any]:
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
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "parameters": parameters,
        "x-permission": route.permission.value,
        "responses": {
            **({"204": {"description": "Taken"}} if route.result is None else {"200": _carries(route.result, "OK")}),
            "default": {"description": "Refused", "content": refused},
        },
    }
    if route.permission is Permission.PUBLIC:
        operation["security"] = []
    if route.body is not None:
        schema = {"schema": {"$ref": _REFERENCE.format(model=route.body.__name__)}}
        operation["requestBody"] = {
            "required": True,
            "content": {"text/plain": schema, "application/json": schema},
        }
    return operation


def _carries(model: type[BaseModel], description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}},
    }


def _version() -> str:
    try:
        return version("numberpool")
    except PackageNotFoundError:
        return "0"
