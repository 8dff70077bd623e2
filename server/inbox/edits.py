"""Correcting held work: which fields a form offers, and what was changed, in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from server.db.feed_models import CommandRow
from server.inbox.reading import fields_of
from shared import halves
from shared.barcodes import ScanError
from shared.barcodes.gpon import parse_gpon_serial
from shared.barcodes.mac import parse_mac
from shared.checklists import asked, item_of
from shared.commands import FIELD_COMMANDS, DeviceCommand, FieldCommand, FittingCommand, renamed
from shared.problems import Malformed
from shared.work_orders import (
    ItemKind,
    PauseReason,
    RemovalCause,
    SkipReason,
    UnfinishedReason,
    WorkOrder,
    WorkOrderKind,
)
from sync.protocol import encode

PART_LINES_SPARE = 2
"""Empty lines below the parts, for what was forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input of the form. `choices` make it a list, `on` a check box."""

    name: str
    label: str
    value: str
    kind: str = "text"  # text, long, number, choice, tick, json
    choices: tuple[tuple[str, str], ...] = ()


LABELS = {
    "serial": "Serial",
    "old_serial": "Serial of the old one",
    "cause": "Cause",
    "mac": "MAC",
    "gpon_serial": "GPON serial",
    "sku": "Model",
    "confirmed": "The technician holds it in hand",
    "reason": "Reason",
    "code": "Check",
    "value": "Value",
    "text": "Text",
    "signer": "Who signed",
    "name": "Who agreed",
    "lines": "Parts",
    "parts": "Parts",
    "kind": "Kind of visit",
    "summary": "What is to be done",
    "expected_minutes": "Minutes",
    "work_order_id": "Work order",
    "type": "Kind",
}
FIELDS: dict[str, tuple[str, ...]] = {
    "install_asset": ("serial", "mac", "gpon_serial", "sku", "confirmed"),
    "remove_asset": ("serial", "cause", "reason"),
    "put_back_asset": ("serial",),
    "swap_asset": ("old_serial", "serial", "mac", "gpon_serial", "sku", "confirmed", "cause", "reason"),
    "undo_swap": ("old_serial", "serial"),
    "pause_work": ("reason",),
    "correct_time": ("value", "reason"),
    "record_check": ("code", "value"),
    "answer_check": ("code", "value"),
    "skip_check": ("code", "reason", "text"),
    "use_parts": ("lines",),
    "take_back_parts": ("lines",),
    "add_evidence": ("signer",),
    "add_note": ("text",),
    "cannot_complete": ("reason", "text"),
    "correct_contact": ("value",),
    "ask_for_visit": ("kind", "summary", "expected_minutes", "parts"),
    "consent_to_charge": ("name",),
}
"""What may be wrong in a command that can be read; without a line here it only says that it happened."""

MAY_BE_MISSING = frozenset({"mac", "gpon_serial", "sku", "signer", "cause"})


PART_LINES = frozenset({"lines", "parts"})

REASONS: dict[str, type[StrEnum]] = {
    "cannot_complete": UnfinishedReason,
    "skip_check": SkipReason,
    "pause_work": PauseReason,
}


def form_of(
    row: CommandRow, readable: bool, order: WorkOrder | None, models: Iterable[tuple[str, str]]
) -> tuple[Field, ...]:
    """The inputs for correcting `row`. What can't be read, or names no job of ours, is edited as JSON."""
    if not readable or order is None:
        kinds = tuple((kind, kind.replace("_", " ")) for kind in FIELD_COMMANDS)
        known = kinds if row.type in FIELD_COMMANDS else ((row.type, f"{row.type} (unknown)"), *kinds)
        return (
            Field(name="type", label="Kind", value=row.type, kind="choice", choices=known),
            Field(name="json", label="Content as JSON", value=_pretty(row.body), kind="json"),
        )
    body, made = fields_of(row.body), []
    for name in FIELDS.get(row.type, ()):
        if name in PART_LINES:
            made += _part_fields(body.get(name), models)
        else:
            made.append(_field(row.type, name, body, order, models))
    return tuple(made)


def _field(
    kind: str, name: str, body: Mapping[str, Any], order: WorkOrder, models: Iterable[tuple[str, str]]
) -> Field:
    value = body.get(name)
    text = "" if value is None else str(value)
    field = Field(name=name, label=LABELS[name], value=text)
    if name == "expected_minutes":
        return replace(field, kind="number")
    if name == "kind":
        kinds = tuple((kind.value, kind.value) for kind in WorkOrderKind)
        return replace(field, kind="choice", choices=kinds)
    if name == "confirmed":
        return replace(field, kind="tick", value="yes" if value is True else "")
    if name == "text":
        return replace(field, kind="long")
    if name == "value" and kind == "answer_check":
        item = item_of(order, str(body.get("code")))
        answers = tuple((choice.code, choice.label) for choice in item.choices) if item else ()
        if item and item.kind is ItemKind.YES_NO:
            answers = (("yes", "yes"), ("no", "no"))
        return replace(field, kind="choice", choices=answers) if answers else field
    if name == "value":
        return replace(field, kind="number" if kind == "record_check" else "text")
    if name == "sku":
        return replace(field, kind="choice", choices=(("", "as our register says"), *models))
    if name == "code":
        numbers = kind == "record_check"
        items = tuple(
            (item.code, f"{item.label} ({item.unit})" if numbers else item.label)
            for item in asked(order)
            if kind == "skip_check" or (item.kind is ItemKind.NUMBER) == numbers
        )
        return replace(field, kind="choice", choices=items)
    if name == "cause":
        causes = tuple((cause.value, cause.value.replace("_", " ")) for cause in RemovalCause)
        return replace(field, kind="choice", choices=(("", "not said"), *causes))
    if name == "reason" and (known := REASONS.get(kind)):
        reasons = tuple((reason.value, reason.value.replace("_", " ")) for reason in known)
        return replace(field, kind="choice", choices=reasons)
    return field


def _part_fields(lines: object, models: Iterable[tuple[str, str]]) -> list[Field]:
    known = [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    choices = (("", "–"), *models)
    made = []
    for number, line in enumerate([*known, *[{}] * PART_LINES_SPARE]):
        sku, quantity = str(line.get("sku", "")), str(line.get("quantity", ""))
        listed = choices if sku in dict(choices) else ((sku, sku), *choices)
        part = Field(name=f"sku_{number}", label="Part", value=sku, kind="choice", choices=listed)
        made += [part, Field(name=f"quantity_{number}", label="Quantity", value=quantity, kind="number")]
    return made


def body_of(row: CommandRow, form: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """What a posted form says, as (kind, body). Raises Malformed."""
    if "json" in form:
        return form.get("type", row.type), _object(form["json"])
    body = fields_of(row.body)
    for name in FIELDS.get(row.type, ()):
        if name in PART_LINES:
            body[name] = _posted_parts(form)
        elif name == "expected_minutes" and name in form:
            body[name] = _whole(form[name].strip(), name)
        elif name == "confirmed":
            body[name] = "confirmed" in form
        elif name in form:
            text = form[name].replace("\r\n", "\n").strip()
            body[name] = text or (None if name in MAY_BE_MISSING else "")
    return row.type, body


def _posted_parts(form: Mapping[str, str]) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for number in range(1000):
        if f"sku_{number}" not in form:
            break
        sku, quantity = form[f"sku_{number}"].strip(), form.get(f"quantity_{number}", "").strip()
        if not sku or not quantity:
            continue  # taken out, or never filled in
        lines.append({"sku": sku, "quantity": _whole(quantity, f"quantity_{number}")})
    return lines


def _whole(text: str, field: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise Malformed(f"“{text}” is no whole number", field=field) from error


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Malformed(f"The content is no JSON: {error}", field="json") from error
    if not isinstance(found, dict):
        raise Malformed("The content must be a JSON object: { … }", field="json")
    return found


def _pretty(body: str) -> str:
    try:
        return json.dumps(halves.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def canonical(command: FieldCommand) -> FieldCommand:
    """Codes as the register writes them; what can't be read stays as typed, for the rules to say why."""
    if isinstance(command, FittingCommand):
        mac, gpon = _printed(command.mac, parse_mac), _printed(command.gpon_serial, parse_gpon_serial)
        command = replace(command, mac=mac, gpon_serial=gpon)
    return renamed(command, _joined) if isinstance(command, DeviceCommand) else command


def _joined(serial: str) -> str:
    return "".join(serial.split()).upper()


def _printed(code: str | None, parse: Callable[[str], str]) -> str | None:
    if code is None or not code.strip():
        return None
    try:
        return parse(code)
    except ScanError:
        return code.strip().upper()


def changes_in_words(row: CommandRow, command: FieldCommand) -> str:
    """What was changed, to go after "Dispatch corrected": "the serial to ANA0002"; empty for nothing."""
    before, after = fields_of(row.body), fields_of(encode(command).decode())
    if row.type != command.type:
        return f"“{row.type.replace('_', ' ')}” to “{command.type.replace('_', ' ')}”"
    changed = []
    for name, value in after.items():
        was = before.get(name, _default(command, name))
        if name != "type" and not _same(was, value):
            changed.append(f"{_called(name)} to {_shown(name, value)}")
    return ", ".join(changed)


def _default(command: FieldCommand, name: str) -> object:
    field = type(command).__dataclass_fields__[name]
    return field.default if isinstance(field.default, str | bool | int | None) else None


def _same(was: object, value: object) -> bool:
    # A value that the phone wrote as a number and we write as text is no change.
    return was == value or (not isinstance(value, list | dict) and str(was) == str(value))


def _called(name: str) -> str:
    match name:
        case "confirmed":
            return "whether it was in hand"
        case "mac":
            return "the MAC"
        case "gpon_serial":
            return "the GPON serial"
        case "signer":
            return "who signed"
        case "code":
            return "the check"
    return f"the {LABELS.get(name, name.replace('_', ' ')).lower()}"


def _shown(name: str, value: object) -> str:
    if name in PART_LINES and isinstance(value, list):
        return ", ".join(f"{line.get('quantity')} × {line.get('sku')}" for line in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "cause" and value is not None:
        return str(value).replace("_", " ")
    text = "none" if value is None else " ".join(str(value).split())
    return text if len(text) <= 80 else text[:79] + "…"


__all__ = ["FIELDS", "Field", "body_of", "canonical", "changes_in_words", "form_of"]
