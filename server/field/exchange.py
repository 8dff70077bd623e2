"""One contact of a phone: who is it, decide what it brings, answer with what it may see. No web, no clock.

The route calls it with what came over the wire, and the simulation with what its network let through.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.access import callers, devices, heartbeat
from server.access.callers import Caller, Standing
from server.access.heartbeat import Heartbeat, Left
from server.access.models import DeviceRow
from server.db import feed, history
from server.db.base import table_of
from server.db.engine import Database
from server.db.feed import technician_scope
from server.db.feed_models import HistoryRow
from server.field import quarantine
from server.field.images import DeviceSource
from server.field.unit import DeviceUnits, in_range, storable
from server.settings import Settings
from server.stock import supply
from shared.clocks import AHEAD_MS_MAX, Contact, merge, stamp
from shared.problems import AppTooOld, Malformed, NewerSchema, OthersWork, Problem
from sync.protocol import (
    COMMANDS_PER_PUSH_MAX,
    PROTOCOL,
    PROTOCOL_MIN,
    SKEW_TOLERATED,
    UNSENT_LISTED_MAX,
    WAIT_SECONDS_MAX,
    PushedCommand,
    Receipt,
    SyncRequest,
    SyncResponse,
    decode_request,
)
from sync.server import cursors
from sync.server.ports import Key
from sync.server.pull import Page, pull
from sync.server.push import push

APP_VERSION_LENGTH_MAX = 80
NAME_LENGTH_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """The answer.

    `wait_seconds`: there is nothing to say, and the device would wait so long for something in `scope`.
    """

    response: SyncResponse
    scope: str = ""
    wait_seconds: int = 0


def exchange(
    database: Database,
    settings: Settings,
    token: str | None,
    body: bytes,
    now: datetime,
    *,
    protocol_min: int = PROTOCOL_MIN,
    waited: timedelta = timedelta(0),
    decided: Callable[[Collection[str]], None] = lambda told: None,
) -> Exchanged:
    """Push and pull. Each command is committed before this returns. Raises Problem or TryAgain.

    `waited`: since `body` came; the device's clock has gone on meanwhile.
    `decided` hears, while the answer is still to be made, for which scopes something was committed.

    A device that was signed out, and an app older than `protocol_min`, may push and get their receipts, and
    read nothing; once they bring nothing more, the Problem says why.
    """
    with callers.admitted(database, token, now) as (session, caller):
        message = _read(body)  # not before: nothing of a stranger's is read
        message = _later(message, waited)
        if message.commands:
            # Before they are decided: they might write as far as the device has seen, and hide the gap.
            pulled, gap_in = None, _epoch_with_a_gap(session, message)
        else:
            pulled = _pull(session, settings, caller, message, _wanted(message), protocol_min, now)
            seen = pulled[0] if pulled else None
            gap_in = seen.epoch if seen and seen.ahead and _is_of(message, seen.epoch) else None
    if gap_in:
        history.renew(database, f"{caller.device.name} has seen what is not here", now, unless_not=gap_in)
    receipts: list[Receipt] = []
    touched: dict[Key, None] = {}
    if message.commands:
        receipts, touched = _decide(database, settings, caller, message, decided, now)
    touched |= _wanted(message)
    if message.commands or gap_in:
        # To decide takes time, in which the device may be signed out.
        with callers.admitted(database, token, now) as (session, caller):
            pulled = _pull(session, settings, caller, message, touched, protocol_min, now)
    fresh_token = _note_contact(database, settings, caller, message, len(receipts), now)
    if pulled is None:
        response = _only_receipts(database, caller, message, receipts, protocol_min, now)
        return Exchanged(response=response)
    source, page = pulled
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
        token=fresh_token,
        protocol_min=protocol_min,
        hlc=_hybrid_time(message, now),
    )
    asks = page.missing_evidence and not message.photos_wait
    quiet = not (receipts or page.rows or page.gone or page.reset or page.more or asks or fresh_token)
    return Exchanged(
        response=response,
        scope=technician_scope(caller.technician.id),
        wait_seconds=max(0, min(message.wait_seconds, WAIT_SECONDS_MAX)) if quiet else 0,
    )


def _wanted(message: SyncRequest) -> dict[Key, None]:
    """Rows that the device asks for by themselves, for the feed does not tell of them."""
    return {(supply.KIND, supply.KEY): None} if message.supply_wanted else {}


def _pull(
    session: Session,
    settings: Settings,
    caller: Caller,
    message: SyncRequest,
    touched: dict[Key, None],
    protocol_min: int,
    now: datetime,
) -> tuple[DeviceSource, Page] | None:
    """What `caller` may see, or None where that is nothing."""
    if _refusal(caller, message, protocol_min):
        return None
    cursor, page_bytes = cursors.unsealed(message.cursor), in_range(message.page_bytes)
    source = DeviceSource(session, settings, caller.technician, now, message.protocol)
    page = pull(source, cursor, touched, page_bytes)
    if cursor and not cursors.is_genuine(message.cursor, source.cursor_key):
        page = pull(source, None, touched, page_bytes)  # a place that nobody here gave out is none
    return source, replace(page, cursor=cursors.sealed(page.cursor, source.cursor_key))


def _refusal(caller: Caller, message: SyncRequest, protocol_min: int) -> Problem | None:
    return caller.refusal or _too_old(message, protocol_min)


def _epoch_with_a_gap(session: Session, message: SyncRequest) -> str | None:
    """This history's epoch, where the device's place in it lies ahead of all that there is."""
    _, place, _ = cursors.parts(cursors.unsealed(message.cursor))
    try:
        position = feed.Position.parse(place or "")
    except ValueError:
        return None
    statement = _standing(feed.is_postgresql(session))
    epoch, key, ahead = session.execute(statement, feed.seen(position)).one()
    ours = _is_of(message, epoch) and cursors.is_genuine(message.cursor, key)
    return epoch if ahead and ours else None


def _is_of(message: SyncRequest, epoch: str) -> bool:
    """Whether the device's place is one in this history."""
    return (message.cursor or "").startswith(f"{epoch}-")


@cache
def _standing(postgresql: bool) -> Select[str, str, bool]:
    history_row = table_of(HistoryRow).c  # plain columns: nothing is loaded as an object of the session
    return select(history_row.epoch, history_row.cursor_key, feed.is_ahead(postgresql))


def _hybrid_time(message: SyncRequest, now: datetime) -> str:
    """Above all that either side has seen, and not carried away by a phone that believes it is 2099."""
    wall_ms = int(now.timestamp() * 1000)
    return merge(stamp(wall_ms), message.hlc, wall_ms, ahead_ms_max=AHEAD_MS_MAX)


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


def _later(message: SyncRequest, by: timedelta) -> SyncRequest:
    """As if it had been sent so much later: both of the device's clocks have gone on."""
    mono_ms = message.device_mono_ms
    if mono_ms is not None:
        mono_ms += round(by.total_seconds() * 1000)
    return replace(message, device_now=message.device_now + by, device_mono_ms=mono_ms)


def _decide(
    database: Database,
    settings: Settings,
    caller: Caller,
    message: SyncRequest,
    decided: Callable[[Collection[str]], None],
    now: datetime,
) -> tuple[list[Receipt], dict[Key, None]]:
    """Receipts, and the rows that the pull should bring along.

    What was made while this device was another technician's is that technician's work: it is held under
    their name, and never booked as the caller's.
    """
    contact = Contact(
        device_now=message.device_now, server_now=now, mono_ms=message.device_mono_ms, boot=message.boot
    )
    beat = _heartbeat(message, len(message.commands), now)
    life = timedelta(days=settings.device_token_days)

    def hear(device: DeviceRow) -> None:
        if heartbeat.is_news(device, beat, now):
            heartbeat.note(device, beat, now, life=life)

    units = DeviceUnits(database, settings, caller.device.id, now, hear)
    by_technician: dict[UUID, list[PushedCommand]] = {}
    for item in message.commands:
        by_technician.setdefault(item.technician_id or caller.technician.id, []).append(item)
    own = by_technician.pop(caller.technician.id, [])
    receipts = push(own, units, contact, quarantine=caller.quarantine)
    decided(units.told)
    for technician_id, theirs in by_technician.items():
        with database.read() as session:
            theirs_by = devices.newest_of(session, technician_id)
        owner = theirs_by.name if theirs_by else "somebody this server does not know"
        problem = OthersWork(
            f"Made while this phone was registered for {owner}, and sent by {caller.technician.name}. "
            "Nothing is booked until somebody accepts it"
        )
        under = DeviceUnits(database, settings, theirs_by.device_id if theirs_by else caller.device.id, now)
        receipts += push(theirs, under, contact, quarantine=problem)
        decided(under.told)
    return receipts, units.touched


def _too_old(message: SyncRequest, protocol_min: int) -> Problem | None:
    if message.protocol >= protocol_min:
        return None
    return AppTooOld(
        f"This app speaks protocol {message.protocol}, the server from {protocol_min} on. Update the app; "
        "what it had to send was taken",
        field="protocol",
    )


def _only_receipts(
    database: Database,
    caller: Caller,
    message: SyncRequest,
    receipts: Sequence[Receipt],
    protocol_min: int,
    now: datetime,
) -> SyncResponse:
    """The answer to who may bring and not read. Raises why once there is nothing left to bring."""
    with database.read() as session:
        missing = quarantine.missing_evidence(session, caller.technician.id)
        epoch = session.scalars(select(HistoryRow.epoch)).one()
    left = max(0, message.queue_length - len(receipts))
    if caller.standing is Standing.WIPING:
        # A lost phone is not waited for, except that a queue longer than one push gets through while it does.
        brings = left > 0 and any(receipt.decided_at >= now for receipt in receipts)
    else:
        photos = message.unsent_photos > 0 or message.protocol < callers.ROTATING_SINCE
        brings = bool(message.commands) or left > 0 or (photos and bool(missing))
    if not brings:
        refusal = _refusal(caller, message, protocol_min)
        assert refusal, "somebody who may read is answered with what there is to read"
        raise refusal
    return SyncResponse(
        protocol=PROTOCOL,
        server_now=now,
        cursor=message.cursor or "",
        receipts=tuple(receipts),
        missing_evidence=missing,
        epoch=epoch,
    )


def _note_contact(
    database: Database,
    settings: Settings,
    caller: Caller,
    message: SyncRequest,
    answered: int,
    now: datetime,
) -> str | None:
    """Write the heartbeat and turn the token over, where either is due. The token for the answer, if any."""
    beat = _heartbeat(message, answered, now)
    due = callers.is_due(caller, message.protocol, now)
    told = callers.token_told(caller) if due else None
    begins = due and told is None
    if not (begins or callers.turns_over(caller) or heartbeat.is_news(caller.device, beat, now)):
        return told
    with database.write() as session:
        row = session.get_one(DeviceRow, caller.device.id, with_for_update=True)
        heartbeat.note(row, beat, now, life=timedelta(days=settings.device_token_days))
        if callers.turns_over(caller):
            callers.turn_over(session, row, caller.token, now)
        return callers.next_token(row, caller.token) if due else None


def _heartbeat(message: SyncRequest, answered: int, now: datetime) -> Heartbeat:
    """What the device says of itself, in the ranges that columns hold: nonsense never stops its work."""
    waiting = max(0, in_range(message.queue_length - answered))
    photos = max(0, in_range(message.unsent_photos))
    free = message.storage_left_bytes
    return Heartbeat(
        protocol=in_range(message.protocol),
        app_version=storable(message.app_version[:APP_VERSION_LENGTH_MAX]),
        queue_length=waiting,
        unsent_photos=photos,
        oldest_unsent_at=_oldest_unsent_at(message, now) if waiting or photos else None,
        storage_left_bytes=None if free is None else max(0, min(free, 2**63 - 1)),
        clock_offset_seconds=in_range(round((now - message.device_now).total_seconds())),
        unsent=None if message.unsent is None else _left(message, now),
    )


def _left(message: SyncRequest, now: datetime) -> tuple[Left, ...]:
    return tuple(
        Left(
            type=storable(item.type[:NAME_LENGTH_MAX]),
            order_number=storable(item.order_number[:NAME_LENGTH_MAX]),
            made_at=_by_our_clock(message, item.made_at, now) or now,
        )
        for item in (message.unsent or ())[:UNSENT_LISTED_MAX]
    )


def _oldest_unsent_at(message: SyncRequest, now: datetime) -> datetime | None:
    return _by_our_clock(message, message.oldest_unsent_at, now)


def _by_our_clock(message: SyncRequest, at: datetime | None, now: datetime) -> datetime | None:
    """A time of the device's, as far as it can be told; None for nonsense."""
    offset = now - message.device_now
    if at is None or not 1900 < at.year < 9000:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(at + offset if abs(offset) > SKEW_TOLERATED else at.astimezone(UTC), now)
