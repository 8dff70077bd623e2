"""What /openapi.json says beside the routes: who may ask, how one is refused, the phone's messages.

Every refusal is problem+json, in one shape. Which ones an operation may give follows from what it asks for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from server.access.guard import CSRF_HEADER, SESSION_SCHEME
from shared.visit_rules import EVIDENCE_BYTES_MAX
from sync.protocol import wire_schema

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal one can act on (RFC 9457). docs/problems.md explains each type.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence with the mend"},
        "field": {"type": "string", "description": "The input to change"},
        "subject": {"type": "string", "description": "The id of the thing it is about"},
    },
    "required": ["type", "title", "status", "detail"],
}
DEVICE_SCHEME = "device"
SCHEMES = {
    DEVICE_SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "A device's token",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "The csrf_token of the session, with whatever changes something",
    },
}
SAFE = ("get", "head", "options")
ALSO: dict[tuple[str, str], tuple[int, ...]] = {
    ("post", "/api/session"): (401, 429),
    ("post", "/api/devices/register"): (401, 409, 429),
    ("post", "/api/devices/wiped"): (409,),
    ("post", "/api/orders"): (404, 409),
    ("post", "/api/plan"): (409,),
    ("post", "/api/mend"): (404, 409),
    ("get", "/api/work-orders/{work_order_id}/insertions"): (409,),
    ("get", "/api/work-orders/{work_order_id}/technicians"): (409,),
    ("get", "/api/work-orders/{work_order_id}/technicians/{technician_id}"): (409,),
    ("post", "/api/policy"): (409,),
    ("post", "/api/traffic"): (409,),
    ("post", "/api/slots"): (404, 409),
    ("post", "/api/slots/holds"): (404, 409),
    ("get", "/api/map"): (404,),
    ("post", "/api/uploads"): (412, 413),
    ("head", "/api/uploads/{digest}"): (412,),
    ("patch", "/api/uploads/{digest}"): (412, 415),
    ("delete", "/api/uploads/{digest}"): (412,),
    ("put", "/api/attachments/{digest}"): (200,),
}
"""Answers that do not follow from what the operation asks for."""

DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the bytes"}
BYTES = {"type": "string", "pattern": "^[0-9]{1,15}$", "description": "A number of bytes"}
HEADERS: dict[str, dict[str, Any]] = {
    "tus-resumable": {"type": "string", "const": "1.0.0"},
    "upload-length": BYTES | {"description": f"Bytes in all, at most {EVIDENCE_BYTES_MAX}"},
    "upload-offset": BYTES,
    "upload-metadata": {"type": "string", "pattern": "^sha256 [A-Za-z0-9+/]{86}==$"},
    "content-type": {"type": "string", "const": "application/offset+octet-stream"},
}
"""Headers that the uploads can't do without. They are read by hand, for their protocol says how to refuse."""

BODIES = {
    ("patch", "/api/uploads/{digest}"): "application/offset+octet-stream",
    ("put", "/api/attachments/{digest}"): "application/octet-stream",
}
PICTURES = ("image/jpeg", "image/png", "image/webp")
GEO_JSON = ("application/geo+json",)
ANSWERS = {
    ("get", "/api/attachments/{digest}"): PICTURES,
    ("get", "/api/map/{layer}.geojson"): GEO_JSON,
    ("get", "/api/plan/routes"): GEO_JSON,
}
"""What is answered where it is not JSON."""


class DescribedApi(FastAPI):
    """An application whose description is complete, so that programs (and tests) may rely on it."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """`document` as FastAPI makes it, with all that it can't know. Changed in place."""
    components = document.setdefault("components", {})
    components.setdefault("securitySchemes", {}).update(SCHEMES)
    schemas = components["schemas"] = _plain(components.get("schemas", {}))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    schemas.update(_messages())
    for method, path, operation in _operations(document):
        _ask(method, path, operation)
        _answer(method, path, operation)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _messages() -> dict[str, Any]:
    """The phone's messages, each under its name with "wire." before it."""
    text = json.dumps(wire_schema()).replace('"#/', '"#/components/schemas/wire.')
    shapes = json.loads(text)
    shapes["SyncRequest"]["properties"]["device_now"]["format"] = "date-time"
    return {f"wire.{name}": shape for name, shape in shapes.items()}


def _plain(schema: Any) -> Any:
    """Tuples of equal items as lists of a fixed length, which more readers of JSON Schema understand."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    first, *others = schema.get("prefixItems", [None])
    if first and all(other == first for other in others):
        rest = {name: value for name, value in schema.items() if name != "prefixItems"}
        return _plain(rest | {"items": first})
    return {name: _plain(value) for name, value in schema.items()}


def _ask(method: str, path: str, operation: dict[str, Any]) -> None:
    """Who may, with what."""
    parameters = operation.get("parameters", [])
    if any(parameter["name"] == "authorization" for parameter in parameters):
        operation["security"] = [{DEVICE_SCHEME: []}]
        parameters = [parameter for parameter in parameters if parameter["name"] != "authorization"]
    elif operation.get("security") and method not in SAFE:
        operation["security"] = [{SESSION_SCHEME: [], "csrf": []}]
    for parameter in parameters:
        if parameter["name"] == "digest":
            parameter["schema"] = DIGEST
        elif parameter["in"] == "header" and parameter["name"] in HEADERS:
            parameter |= {"schema": HEADERS[parameter["name"]], "required": True}
    # The media type of a body is said beside the body, and OpenAPI ignores a parameter of that name.
    operation["parameters"] = [one for one in parameters if one["name"] != "content-type"]
    if media_type := BODIES.get((method, path)):
        binary = {"type": "string", "format": "binary"}
        operation["requestBody"] = {"required": True, "content": {media_type: {"schema": binary}}}
    if path == "/sync":
        operation["requestBody"] = {"required": True, "content": _json("wire.SyncRequest")}
        operation["responses"]["200"]["content"] = _json("wire.SyncResponse")


def _answer(method: str, path: str, operation: dict[str, Any]) -> None:
    """What it may come to."""
    responses = operation["responses"]
    if media_types := ANSWERS.get((method, path)):
        responses["200"]["content"] = {media_type: {} for media_type in media_types}
    for status in sorted(_refusals(method, path, operation)):
        answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if status >= 400:
            answer["content"] = _json("Problem", "application/problem+json")
        responses[str(status)] = answer


def _refusals(method: str, path: str, operation: dict[str, Any]) -> set[int]:
    found = {503, *ALSO.get((method, path), ())}  # the database may always be busy
    if operation.get("security"):
        found |= {401, 403}
    if any(DEVICE_SCHEME in one for one in operation.get("security", ())):
        found |= {422, 429}
    if operation["parameters"] or "requestBody" in operation:
        found.add(422)
    if "{" in path:
        found.add(404)
        if method not in SAFE:
            found.add(409)
    if method == "options":  # asks no database and no caller
        found = {422} if "{" in path else set()
    return found


def _json(name: str, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
