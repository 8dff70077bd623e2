"""JSON Schema of requests and plans, made from the dataclasses that `scheduler.codec` reads.

It says every field, its type and whether it may be left out; that a window must not close before it opens and
the like is said by `scheduler/request.py` when a request is read. `docs/schemas/` holds both, as printed by
`python -m scheduler schema request` and `… schema plan`.
"""

import inspect
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from scheduler.plan import PLAN_VERSION, Plan
from scheduler.request import REQUEST_VERSION, PlanRequest

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SIMPLE: dict[Any, str] = {int: "integer", str: "string", bool: "boolean"}


def request_schema() -> dict[str, Any]:
    schema = _whole(PlanRequest)
    schema["properties"]["version"] = {"const": REQUEST_VERSION, "default": REQUEST_VERSION}
    return schema


def plan_schema() -> dict[str, Any]:
    schema = _whole(Plan)
    schema["properties"]["version"] = {"const": PLAN_VERSION}
    schema["required"].append("version")
    return schema


SCHEMAS = {"request": request_schema, "plan": plan_schema}


def written(name: str) -> str:
    """The schema as it stands in `docs/schemas/`."""
    return json.dumps(SCHEMAS[name](), ensure_ascii=False, indent=1)


def _whole(cls: type) -> dict[str, Any]:
    defs: dict[str, Any] = {}
    return {"$schema": DRAFT, "title": cls.__name__, **_object(cls, defs), "$defs": defs}


def _object(cls: type, defs: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    properties, required = {}, []
    for f in fields(cls):
        properties[f.name] = _type(hints[f.name], defs)
        if f.default is MISSING and f.default_factory is MISSING:
            required.append(f.name)
        elif f.default is None or type(f.default) in SIMPLE:
            properties[f.name]["default"] = f.default
    return {
        "description": inspect.cleandoc(cls.__doc__ or ""),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _type(hint: Any, defs: dict[str, Any]) -> dict[str, Any]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kinds = [{"type": "null"} if kind is NoneType else _type(kind, defs) for kind in inner]
        return {"anyOf": kinds}
    if isinstance(hint, type) and is_dataclass(hint):
        if hint.__name__ not in defs:
            defs[hint.__name__] = {}  # it may hold itself
            defs[hint.__name__] = _object(hint, defs)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return {"type": "array", "items": _type(inner[0], defs)}
        kinds = [_type(kind, defs) for kind in inner]
        return {"type": "array", "prefixItems": kinds, "items": False, "minItems": len(kinds)}
    if origin is Literal:
        return {"enum": list(inner)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _type(inner[1], defs)}
    return {"type": SIMPLE[hint]}
