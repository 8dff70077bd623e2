"""What a held command says, as far as it can be read. That it can't be read may be why it is held."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.db.feed_models import CommandRow
from shared import halves
from shared.commands import JOBLESS_COMMANDS, SCHEMA, FieldCommand
from shared.problems import Malformed, Problem
from sync.protocol import PushedCommand, decode_command, encode


def fields_of(body: str) -> dict[str, Any]:
    """The body as an object; empty when it is none."""
    try:
        found = halves.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def named_order(row: CommandRow) -> UUID | None:
    """The work order that it is about: where it could not be decided, the one that its body names."""
    if row.work_order_id is not None:
        return row.work_order_id
    if row.type in JOBLESS_COMMANDS:
        return None  # it is about a van or a cabinet, whatever else its body says
    try:
        return UUID(str(fields_of(row.body).get("work_order_id")))
    except ValueError:
        return None


def sender_of(session: Session, row: CommandRow) -> UUID | None:
    """The technician whose work it is."""
    return session.scalar(select(DeviceRow.technician_id).where(DeviceRow.id == row.device_id))


def devices_of(row: CommandRow) -> Select[UUID]:
    """The query for every device of who sent `row`: one technician may work on two."""
    whose = select(DeviceRow.technician_id).where(DeviceRow.id == row.device_id).scalar_subquery()
    return select(DeviceRow.id).where(DeviceRow.technician_id == whose)


def command_of(row: CommandRow) -> FieldCommand:
    """The command, for the rules. Raises Malformed, UnknownCommand or NewerSchema."""
    return decode_command(_envelope(row, row.type, row.schema_version, row.body.encode()))


def readable(row: CommandRow) -> FieldCommand | None:
    try:
        return command_of(row)
    except Problem:
        return None


def corrected(row: CommandRow, kind: str, body: dict[str, Any]) -> FieldCommand:
    """`body` as a command of `kind`, in place of what `row` says. Raises Problem, naming the field."""
    try:
        text = json.dumps(body, allow_nan=False)
    except ValueError as error:
        raise Malformed(f"That can't be written as JSON: {error}", field="body") from error
    return decode_command(_envelope(row, kind, SCHEMA, text.encode()))


def envelope(row: CommandRow, command_id: UUID, command: FieldCommand) -> PushedCommand:
    """`command` as its technician would have sent it then, under a new id."""
    return replace(_envelope(row, command.type, SCHEMA, encode(command)), id=command_id)


def _envelope(row: CommandRow, kind: str, schema: int, body: bytes) -> PushedCommand:
    return PushedCommand(
        id=row.id,
        seq=row.seq,
        type=kind,
        schema=schema,
        made_at=row.made_at,
        base_version=row.base_version,
        body=msgspec.Raw(body),
        made_mono_ms=row.made_mono_ms,
        boot=row.boot,
        hlc=row.hlc,
    )
