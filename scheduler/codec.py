"""Requests and plans as plain JSON, for the command line and for keeping. Strict: a wrong field is named.

The JSON mirrors the dataclasses field by field. Fields with a default may be left out; unknown ones are
refused, for a misspelt `windows` would otherwise be a promise quietly forgotten.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from scheduler.plan import PLAN_VERSION, Plan
from scheduler.request import REQUEST_VERSION, InvalidRequest, PlanRequest

T = TypeVar("T")


def request_to_json(request: PlanRequest) -> str:
    return json.dumps({"version": REQUEST_VERSION, **plain(request)}, ensure_ascii=False)


def request_from_json(text: str | bytes) -> PlanRequest:
    """Read a request. Raises InvalidRequest naming the field."""
    data = _object(text)
    version = data.pop("version", REQUEST_VERSION)
    if type(version) is not int or version != REQUEST_VERSION:
        raise InvalidRequest(
            f"version {version!r} of the request is unknown; this program reads {REQUEST_VERSION}"
        )
    return _read(PlanRequest, data, "request")


def plan_to_json(plan: Plan) -> str:
    return json.dumps(plain(plan), ensure_ascii=False)


def plan_from_json(text: str | bytes) -> Plan:
    """Read a plan. Raises InvalidRequest naming the field."""
    data = _object(text)
    if data.get("version") != PLAN_VERSION:
        raise InvalidRequest(
            f"version {data.get('version')!r} of the plan is unknown; this program reads {PLAN_VERSION}"
        )
    return _read(Plan, data, "plan")


def plain(value: Any) -> Any:
    """Turn dataclasses, mappings and tuples into what `json` writes."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    return value


def _object(text: str | bytes) -> dict[str, Any]:
    def no_number(name: str) -> Any:
        raise InvalidRequest(f"{name} is no number a plan can use")

    try:
        data = json.loads(text, parse_constant=no_number)
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"this is not UTF-8 text: {error}") from error
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"this is not JSON: {error}") from error
    except RecursionError as error:
        raise InvalidRequest("this JSON is nested too deeply to be a plan") from error
    if not isinstance(data, dict):
        raise InvalidRequest(f"expected a JSON object, not {type(data).__name__}")
    return data


def _read(cls: type[T], data: Any, where: str) -> T:
    """Build the dataclass `cls` from a JSON object."""
    if not isinstance(data, dict):
        raise InvalidRequest(f"{where} must be an object, not {_named(data)}")
    hints = get_type_hints(cls)
    wanted = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(data) - set(wanted)):
        raise InvalidRequest(
            f"{where} has an unknown field {unknown[0]!r}; known are {', '.join(sorted(wanted))}"
        )
    values = {}
    for name, f in wanted.items():
        if name in data:
            values[name] = _value(hints[name], data[name], f"{where}.{name}")
        elif f.default is MISSING and f.default_factory is MISSING:
            raise InvalidRequest(f"{where}.{name} is missing")
    try:
        return cls(**values)
    except InvalidRequest as error:
        raise InvalidRequest(f"{where}: {error}") from None


def _value(hint: Any, data: Any, where: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if data is None and NoneType in inner:
            return None
        return _value(next(kind for kind in inner if kind is not NoneType), data, where)
    if is_dataclass(hint) and isinstance(hint, type):
        return _read(hint, data, where)
    if origin is tuple:
        if not isinstance(data, list):
            raise InvalidRequest(f"{where} must be a list, not {_named(data)}")
        if inner[-1] is Ellipsis and inner[0] is int and all(type(entry) is int for entry in data):
            return tuple(data)  # rows of the matrix: a million numbers
        if inner[-1] is not Ellipsis and len(data) != len(inner):
            raise InvalidRequest(f"{where} must have {len(inner)} entries, not {len(data)}")
        return tuple(_value(inner[0], entry, f"{where}[{i}]") for i, entry in enumerate(data))
    if origin is Literal:
        if data not in inner:
            raise InvalidRequest(f"{where} must be one of {', '.join(inner)}, not {_named(data)}")
        return data
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(data, dict):
            raise InvalidRequest(f"{where} must be an object, not {_named(data)}")
        return {key: _value(inner[1], entry, f"{where}.{key}") for key, entry in data.items()}
    if type(data) is not hint:
        words = {int: "a whole number", str: "a text", bool: "true or false"}
        raise InvalidRequest(f"{where} must be {words[hint]}, not {_named(data)}")
    return data


def _named(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)[:60]
