"""What the office changed about a technician's jobs since they last looked. Pure: before and after in.

What was last looked at is kept on the device as one small text, so that a new start forgets nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Literal
from uuid import UUID

import msgspec

from shared.work_orders import EquipmentNeed, PartLine, WorkOrder, WorkOrderState

Change = Literal["new", "gone", "cancelled", "moved", "window", "parts", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One job as its technician last saw it, of what the office may change. `notes`: those by others."""

    number: str
    street: str
    start: datetime | None
    window: tuple[datetime, datetime] | None
    parts: tuple[PartLine, ...]
    equipment: tuple[EquipmentNeed, ...]
    notes: int
    over: bool
    cancelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What changed of one job. `after` is None where it is gone from this device."""

    order_id: UUID
    changes: tuple[Change, ...]
    before: Seen | None
    after: Seen | None

    @property
    def job(self) -> Seen:
        job = self.after or self.before
        assert job is not None, "there is no news of nothing"
        return job


SeenJobs = Mapping[UUID, Seen]
_text = msgspec.json.Decoder(dict[UUID, Seen])


def as_text(seen: SeenJobs) -> str:
    return msgspec.json.encode(seen).decode()


def from_text(text: str | None) -> dict[UUID, Seen] | None:
    """None where nothing was kept, or an older app wrote it in another shape."""
    try:
        return _text.decode(text) if text else None
    except msgspec.MsgspecError:
        return None


def seen_of(orders: Iterable[WorkOrder], me: UUID) -> dict[UUID, Seen]:
    """The technician's own jobs as they are now."""
    return {order.id: _seen(order, me) for order in orders if order.technician_id == me}


def _seen(order: WorkOrder, me: UUID) -> Seen:
    return Seen(
        number=order.number,
        street=f"{order.place.street} {order.place.house_number}",
        start=order.planned_start,
        window=(order.window.start, order.window.end) if order.window else None,
        parts=order.required_parts,
        equipment=order.required_equipment,
        notes=sum(note.author_id != me for note in order.notes),
        over=order.state.is_over,
        cancelled=order.state is WorkOrderState.CANCELLED,
    )


def news_of(before: SeenJobs, after: SeenJobs, today: date, zone: tzinfo | None) -> dict[UUID, News]:
    """By job. A job of an earlier day that left the device, or was done, is no news."""
    found = {}
    for order_id in [*after, *(key for key in before if key not in after)]:
        old, new = before.get(order_id), after.get(order_id)
        if changes := _changes(old, new, today, zone):
            found[order_id] = News(order_id=order_id, changes=changes, before=old, after=new)
    return found


def _changes(old: Seen | None, new: Seen | None, today: date, zone: tzinfo | None) -> tuple[Change, ...]:
    if new is None:
        assert old is not None
        past = old.start is not None and old.start.astimezone(zone).date() < today
        return () if old.over or past else ("gone",)
    if new.cancelled:
        return ("cancelled",) if old and not old.cancelled else ()
    if new.over:
        return ()
    if old is None:
        return ("new",)
    told: dict[Change, bool] = {
        "moved": new.start != old.start,
        "window": new.window != old.window,
        "parts": (new.parts, new.equipment) != (old.parts, old.equipment),
        "note": new.notes > old.notes,
    }
    return tuple(change for change, is_so in told.items() if is_so)


def kept_up(before: SeenJobs | None, after: SeenJobs, news: Mapping[UUID, News]) -> dict[UUID, Seen]:
    """What to keep as last seen now: what is no news counts as seen, and with nothing kept all does."""
    if before is None:
        return dict(after)
    told = {order_id: seen for order_id, seen in before.items() if order_id in news}
    return {**{order_id: seen for order_id, seen in after.items() if order_id not in news}, **told}


def looked_at(before: SeenJobs, after: SeenJobs, order_id: UUID) -> dict[UUID, Seen]:
    """The technician has seen this one job as it is now, or that it is gone."""
    rest = {key: seen for key, seen in before.items() if key != order_id}
    return {**rest, order_id: after[order_id]} if order_id in after else rest
