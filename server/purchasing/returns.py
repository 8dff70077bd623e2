"""Faulty devices on their way back to the vendor: one RMA line for each that comes off a wall.

open ─▶ sent ─▶ credited, replaced or rejected
     └▶ withdrawn: it hangs there again, or a test found no fault

The booking of the visit opens a line (server/consequences.py); what follows is the stock keeper's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.assets import register
from server.assets.models import AssetRow
from server.db import feed
from server.dispatch.models import TechnicianRow
from server.purchasing.models import RmaLineRow, VendorRow
from server.stock import ledger
from server.stock.models import ProductRow, StockPlaceRow
from server.work_orders.models import WorkOrderRow
from shared.assets import Asset, AssetState, HolderKind
from shared.problems import AlreadyClosed, BadValue, Conflict, NotFound
from shared.stock import StockMove
from shared.visit_rules import printable
from shared.work_orders import RemovalCause, RemovedAsset

SHOWN_MAX = 200
TEXT_LENGTH_MAX = 200


class RmaState(StrEnum):
    """How far a return to the vendor has got."""

    OPEN = "open"
    SENT = "sent"
    CREDITED = "credited"
    REPLACED = "replaced"
    REJECTED = "rejected"  # the vendor does not answer for it
    WITHDRAWN = "withdrawn"


SETTLED = (RmaState.CREDITED, RmaState.REPLACED, RmaState.REJECTED)
"""What a vendor may answer."""


def opening(
    removed: RemovedAsset, *, id: UUID, vendor_id: UUID, work_order_id: UUID, command_id: UUID, at: datetime
) -> dict[str, Any]:
    """The columns of a new line. `command_id` booked the visit that brought the device."""
    assert removed.cause is not None, "without a cause it is no fault"
    return {
        "id": id,
        "serial": removed.serial,
        "sku": removed.sku,
        "vendor_id": vendor_id,
        "cause": removed.cause.value,
        "note": removed.reason,
        "work_order_id": work_order_id,
        "command_id": command_id,
        "opened_at": at,
        "state": RmaState.OPEN.value,
        "reference": None,
        "sent_at": None,
        "sent_by": None,
        "settled_at": None,
        "settled_by": None,
        "settlement": None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `where`: where the register has the device now. `reference`: the vendor's RMA number."""

    id: UUID
    serial: str
    sku: str
    model: str
    vendor: str
    cause: RemovalCause
    note: str
    work_order_id: UUID
    number: str
    where: str
    state: RmaState
    opened_at: datetime
    reference: str | None
    sent_at: datetime | None
    sent_by: str | None
    settled_at: datetime | None
    settled_by: str | None
    settlement: str | None


def counts(session: Session) -> dict[RmaState, int]:
    """How many lines are in each state; states without any are missing."""
    query = select(RmaLineRow.state, func.count()).group_by(RmaLineRow.state).order_by(RmaLineRow.state)
    return {RmaState(state): count for state, count in session.execute(query)}


def lines(session: Session, states: Iterable[RmaState], limit: int = SHOWN_MAX) -> list[Line]:
    """What waits, oldest first; what is settled, newest first. Within them by serial."""
    wanted = sorted(states)
    waits = set(wanted) <= {RmaState.OPEN, RmaState.SENT}
    order = RmaLineRow.opened_at if waits else RmaLineRow.settled_at.desc()
    query = (
        select(RmaLineRow, ProductRow.maker, ProductRow.model, VendorRow.name, WorkOrderRow.number)
        .add_columns(StockPlaceRow.name.label("where"))
        .join(ProductRow, ProductRow.sku == RmaLineRow.sku)
        .join(VendorRow, VendorRow.id == RmaLineRow.vendor_id)
        .join(WorkOrderRow, WorkOrderRow.id == RmaLineRow.work_order_id)
        .join(AssetRow, AssetRow.serial == RmaLineRow.serial)
        .join(StockPlaceRow, StockPlaceRow.id == AssetRow.holder_id)
        .where(RmaLineRow.state.in_(wanted))
        .order_by(order, RmaLineRow.serial)
        .limit(limit)
    )
    return [
        Line(
            id=row.id,
            serial=row.serial,
            sku=row.sku,
            model=f"{maker} {model}",
            vendor=vendor,
            cause=RemovalCause(row.cause),
            note=row.note,
            work_order_id=row.work_order_id,
            number=number,
            where=where,
            state=RmaState(row.state),
            opened_at=row.opened_at,
            reference=row.reference,
            sent_at=row.sent_at,
            sent_by=row.sent_by,
            settled_at=row.settled_at,
            settled_by=row.settled_by,
            settlement=row.settlement,
        )
        for row, maker, model, vendor, number, where in session.execute(query)
    ]


def send(session: Session, line_id: UUID, reference: str, *, by: str, at: datetime) -> None:
    """It goes to the vendor under their RMA number, and leaves our stock.

    Raises NotFound, AlreadyClosed, BadValue, or Conflict where the device is in use again.
    """
    number = _text(reference, "reference", "RMA number")
    line, row, asset = _open(session, line_id, (RmaState.OPEN,))
    if asset.state is not AssetState.RECOVERED or asset.claimed_by is not None:
        raise Conflict(
            f"{asset.serial} is in use again ({asset.holder_name}): withdraw the return", subject=asset.serial
        )
    line.state, line.reference = RmaState.SENT.value, number or None
    line.sent_at, line.sent_by = at, by
    place = _place_of(session, line.vendor_id)
    if asset.holder_id != place.id:
        move = StockMove(
            sku=asset.sku, quantity=1, source_id=asset.holder_id, target_id=place.id, serial=asset.serial
        )
        ledger.book(session, [move], cause=line.id, at=at)
        register.store(row, replace(asset, holder_kind=HolderKind.VENDOR, holder_id=place.id))
        _tell_driver(session, asset, by=by, at=at)
    _tell_office(session, line, by=by, at=at)


def settle(session: Session, line_id: UUID, outcome: RmaState, note: str, *, by: str, at: datetime) -> None:
    """What the vendor answered. Raises NotFound, AlreadyClosed or BadValue."""
    if outcome not in SETTLED:
        raise BadValue("Choose credited, replaced or rejected", field="outcome")
    said = _text(note, "note", "note")
    line, _, _ = _open(session, line_id, (RmaState.SENT,))
    _end(session, line, outcome, said, by=by, at=at)


def withdraw(session: Session, line_id: UUID, note: str, *, by: str, at: datetime) -> None:
    """It is not sent: a test found no fault, or it is in use again. Raises as `settle` does."""
    said = _text(note, "note", "note")
    line, _, _ = _open(session, line_id, (RmaState.OPEN,))
    _end(session, line, RmaState.WITHDRAWN, said, by=by, at=at)


def _end(session: Session, line: RmaLineRow, state: RmaState, note: str, *, by: str, at: datetime) -> None:
    line.state, line.settlement = state.value, note or None
    line.settled_at, line.settled_by = at, by
    _tell_office(session, line, by=by, at=at)


def _open(session: Session, line_id: UUID, states: Sequence[RmaState]) -> tuple[RmaLineRow, AssetRow, Asset]:
    """Device and line, locked in the order in which a batch of commands does it too."""
    line = session.get(RmaLineRow, line_id)
    if line is None:
        raise NotFound("There is no return under that number", subject=str(line_id))
    row, asset = register.lock(session, [line.serial])[line.serial]
    session.refresh(line, with_for_update={"key_share": True})
    if line.state not in states:
        raise AlreadyClosed(f"The return of {line.serial} is {line.state} already", subject=str(line_id))
    return line, row, asset


def _place_of(session: Session, vendor_id: UUID) -> StockPlaceRow:
    """The vendor's stock place, which bears their name."""
    vendor = session.get_one(VendorRow, vendor_id)
    found = session.scalars(
        select(StockPlaceRow)
        .where(StockPlaceRow.kind == HolderKind.VENDOR, StockPlaceRow.name == vendor.name)
        .order_by(StockPlaceRow.id)
    ).first()
    if found is None:
        found = StockPlaceRow(id=vendor.id, kind=HolderKind.VENDOR, name=vendor.name)
        session.add(found)
        session.flush()
    return found


def _tell_driver(session: Session, asset: Asset, *, by: str, at: datetime) -> None:
    """Whose van it was on sees it go."""
    drivers = session.scalars(select(TechnicianRow.id).where(TechnicianRow.van_id == asset.holder_id))
    scopes = [feed.technician_scope(driver) for driver in drivers]
    if scopes:
        for kind, key in (("asset", asset.serial), ("stock_line", asset.sku)):
            feed.append(session, scopes, kind, key, "ReturnSent", at=at, actor=by)


def _tell_office(session: Session, line: RmaLineRow, *, by: str, at: datetime) -> None:
    """Who did what stands in the board's feed, which is the audit trail."""
    facts = {
        "serial": line.serial,
        "state": line.state,
        "reference": line.reference,
        "note": line.settlement,
        "work_order_id": str(line.work_order_id),
    }
    topic = f"Return{line.state.capitalize()}"
    feed.append(session, [feed.BOARD], "rma_line", line.id, topic, at=at, actor=by, facts=facts)


def _text(said: str, field: str, name: str) -> str:
    text = " ".join(printable(said).encode(errors="replace").decode().split())  # no half characters
    if len(text) > TEXT_LENGTH_MAX:
        raise BadValue(f"The {name} holds {TEXT_LENGTH_MAX} letters", field=field)
    return text
