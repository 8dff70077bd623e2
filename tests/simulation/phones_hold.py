"""What must hold of a phone, looked at from outside the app."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from simulation.books import Books, key
from simulation.handset import Handset
from simulation.violation import require
from sqlalchemy import select

from server.db.engine import Database
from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from server.settings import Settings
from sync.protocol import encode


@dataclass(slots=True)
class Memory:
    """What a phone showed before. `versions`: order → the highest version of its server's row in `epoch`."""

    epoch: str = ""
    versions: dict[UUID, int] = field(default_factory=dict)


def every_tap_is_on_the_disk(handset: Handset) -> None:
    """DURABLE_TAP: what the app said is saved is in its file, with its very bytes."""
    kept = {UUID(id): bytes(body) for id, body in handset.peek("SELECT id, body FROM command")}
    for id, tap in handset.taps.items():
        require(id in kept, "DURABLE_TAP", f"{handset.name} lost {tap.type} {id}, made at {tap.at}")
        require(kept[id] == tap.body, "DURABLE_TAP", f"{handset.name} changed the bytes of {id}")
    named = {tap.digest for tap in handset.taps.values() if tap.digest is not None}
    pictures = dict(handset.peek("SELECT digest, body FROM evidence")) if named else {}
    for digest in named:
        intact = sha256(pictures.get(digest, b"")).hexdigest() == digest
        require(intact, "DURABLE_TAP", f"{handset.name} lost or changed the picture {digest}")


def only_the_server_acknowledges(handset: Handset, books: Books, *, restored: bool) -> None:
    """NO_FALSE_ACK: a command counts as answered only where the server wrote that answer.

    After a restore the server may have forgotten what it said, until the phone offers it again.
    """
    if restored:
        return
    said = dict(handset.peek("SELECT id, outcome FROM command WHERE outcome IS NOT NULL"))
    if not said:
        return
    marks = ",".join("?" * len(said))
    written = dict(books.rows(f"SELECT id, outcome FROM command WHERE id IN ({marks})", *map(key, said)))
    for id, outcome in said.items():
        kept = written.get(key(id))
        require(
            kept == outcome, "NO_FALSE_ACK", f"{handset.name} believes {id} {outcome}; the log says {kept}"
        )


def never_goes_back(handset: Handset, memory: Memory) -> None:
    """MONOTONIC: within one history the server's row of an order on the device never becomes an older one."""
    epoch = (handset.store.cursor or "").partition("-")[0]
    if epoch != memory.epoch:
        memory.epoch = epoch
        memory.versions.clear()
    # While a snapshot of a new history comes in pages, rows of the old one wait for theirs.
    present = {
        row[0] for row in handset.peek("SELECT key FROM image WHERE kind = 'work_order' AND departed = 0")
    }
    for id, order in handset.store.images().orders.items():
        if str(id) not in present:
            continue
        seen = memory.versions.get(id, 0)
        detail = f"{handset.name} showed {order.number} at version {seen}, then {order.version}"
        require(order.version >= seen, "MONOTONIC", detail)
        memory.versions[id] = order.version


def work_waits_with_its_job(handset: Handset) -> None:
    """READ_YOUR_WRITES: the job that unsent work speaks of stays on the device, whoever has it now."""
    alone = handset.peek(
        "SELECT id, type FROM command WHERE outcome IS NULL AND coalesce(work_order_id, '') <> ''"
        " AND NOT EXISTS (SELECT 1 FROM image WHERE kind = 'work_order' AND key = work_order_id)"
    )
    for id, type_ in alone:
        tap = handset.taps.get(UUID(id))
        # One who hands the phone on takes the rows along; the work stays, apart.
        theirs = tap is not None and tap.turn == handset.turns
        require(not theirs, "READ_YOUR_WRITES", f"{handset.name}: the job of unsent {type_} {id} is gone")


def own_work_is_shown(handset: Handset) -> None:
    """READ_YOUR_WRITES: a note that waits, or was accepted, is on the screen as long as its order is."""
    notes = {
        id: tap for id, tap in handset.taps.items() if tap.note is not None and tap.turn == handset.turns
    }
    if not notes:
        return
    items = {item.id: item for item in handset.gateway.queue()}
    for id, tap in notes.items():
        item, order = items.get(id), handset.gateway.order(tap.order_id) if tap.order_id else None
        waits = item is not None and item.state in ("saved", "sending")
        require(order or not waits, "READ_YOUR_WRITES", f"{handset.name}: the job of unsent {id} is gone")
        if item is None or order is None or item.state not in ("saved", "sending", "accepted"):
            continue  # held, or ruled by a dispatcher: set aside, or booked with other words
        shown = {note.text for note in order.notes}
        detail = f"{handset.name}: {item.state} note {tap.note!r} is not on {order.number}"
        require(tap.note in shown, "READ_YOUR_WRITES", detail)


def converged(handset: Handset, database: Database, settings: Settings, now: datetime) -> None:
    """CONVERGED, NO_GHOST: the device holds what the server would send it whole, byte for byte."""
    registration = handset.store.registration
    assert registration is not None
    with database.read() as session:
        technician = session.scalars(
            select(TechnicianRow).where(TechnicianRow.id == registration.technician_id)
        ).one()
        source = DeviceSource(session, settings, technician, now)
        expected = {k: encode(image) for k, image in source.everything().items()}
    rows: list[Any] = handset.peek("SELECT kind, key, body FROM image")
    held = {(kind, name): bytes(body) for kind, name, body in rows}
    ghosts = sorted(set(held) - set(expected))
    require(not ghosts, "NO_GHOST", f"{handset.name} still has {ghosts[:5]}")
    missing = sorted(set(expected) - set(held))
    require(not missing, "CONVERGED", f"{handset.name} never got {missing[:5]}")
    # Who has parts is told when a phone asks, and may be old: it says so itself.
    stale = sorted(k for k in expected if expected[k] != held[k] and k[0] != "part_supply")
    detail = stale and f"{stale[0]}: {_differences(held[stale[0]], expected[stale[0]])}"
    require(not stale, "CONVERGED", f"{handset.name}: {len(stale)} stale rows, {detail}")


def _differences(held: bytes, expected: bytes) -> dict[str, tuple[Any, Any]]:
    """Field → what the phone has, what the server has."""
    ours, theirs = json.loads(held), json.loads(expected)
    fields = sorted({*ours, *theirs})
    return {name: (ours.get(name), theirs.get(name)) for name in fields if ours.get(name) != theirs.get(name)}
