"""One contact of a phone: who is it, decide what it brings, answer with what it may see. No web, no clock.

The route calls it with what came over the wire, and the simulation with what its network let through.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from server.access import devices
from server.access.models import DeviceRow
from server.db.engine import Database
from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from server.field.unit import DeviceUnits, in_range, storable
from server.settings import Settings
from shared.problems import Malformed, NewerSchema
from sync.protocol import (
    COMMANDS_PER_PUSH_MAX,
    PROTOCOL,
    SyncRequest,
    SyncResponse,
    decode_request,
)
from sync.server.pull import pull
from sync.server.push import push

HEARTBEAT = timedelta(seconds=30)
APP_VERSION_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """The answer, and whether anything was decided that others may want to see at once."""

    response: SyncResponse
    decided: bool


def exchange(
    database: Database, settings: Settings, token: str | None, body: bytes, now: datetime
) -> Exchanged:
    """Push and pull. Each command is committed before this returns. Raises Problem or TryAgain."""
    message = _read(body)
    with database.read() as session:
        device = devices.authenticate(session, token, now)
    units = DeviceUnits(database, settings, device.id)
    receipts = push(message.commands, units, device_now=message.device_now, now=now)
    _note_contact(database, settings, device, message, now)
    with database.read() as session:
        technician = session.scalars(
            select(TechnicianRow).where(TechnicianRow.id == device.technician_id)
        ).one()
        source = DeviceSource(session, settings, technician, now)
        page = pull(source, message.cursor, units.touched)
    response = SyncResponse(
        protocol=PROTOCOL,
        server_now=now,
        cursor=page.cursor,
        receipts=tuple(receipts),
        rows=page.rows,
        gone=page.gone,
        reset=page.reset,
        more=page.more,
        missing_evidence=page.missing_evidence,
        epoch=source.epoch,
    )
    return Exchanged(response=response, decided=bool(receipts))


def _read(body: bytes) -> SyncRequest:
    message = decode_request(body)
    if message.protocol > PROTOCOL:
        detail = f"The app speaks protocol {message.protocol}, the server {PROTOCOL}: update the server"
        raise NewerSchema(detail, field="protocol")
    if len(message.commands) > COMMANDS_PER_PUSH_MAX:
        raise Malformed(f"At most {COMMANDS_PER_PUSH_MAX} commands a request", field="commands")
    if message.device_now.tzinfo is None or not 1900 < message.device_now.year < 9000:
        raise Malformed("Send the device's time with its zone, as 2026-11-23T08:00:00Z", field="device_now")
    return message


def _note_contact(
    database: Database, settings: Settings, device: DeviceRow, message: SyncRequest, now: datetime
) -> None:
    """A heartbeat, written at most twice a minute unless the queue tells something new."""
    recent = device.last_seen_at is not None and now - device.last_seen_at < HEARTBEAT
    if recent and device.queue_length == message.queue_length and device.app_version == message.app_version:
        return
    with database.write() as session:
        row = session.get_one(DeviceRow, device.id)
        devices.seen(
            row,
            now,
            app_version=storable(message.app_version[:APP_VERSION_LENGTH_MAX]),
            queue_length=in_range(message.queue_length),
            clock_offset_seconds=in_range(round((now - message.device_now).total_seconds())),
            life=timedelta(days=settings.device_token_days),
        )
