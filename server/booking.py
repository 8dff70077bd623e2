"""Write an accepted decision: the order, its devices, every consequence and the feed, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from server.assets import register
from server.assets.models import AssetRow
from server.clock import mint
from server.consequences import CONSEQUENCES, Deed, VisitOver
from server.db import feed
from server.dispatch.models import TechnicianRow
from server.work_orders import repository
from server.work_orders.models import WorkOrderRow
from shared.decide import Decision
from shared.events import (
    TakenOver,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderCompleted,
    WorkOrderUnassigned,
    WorkOrderUnfinished,
)
from shared.work_orders import WorkOrder

PROMISES_CHANGE = (
    TakenOver,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderCompleted,
    WorkOrderUnassigned,
    WorkOrderUnfinished,
)
"""Events that make or release what a van's stock is promised to."""


def book(deed: Deed, decision: Decision, asset_rows: Mapping[str, AssetRow]) -> list[tuple[str, str]]:
    """Write all that `decision` causes, and return the (kind, key) of the rows that a phone may show.

    Raises nothing a person could mend: that was decided before.
    """
    repository.store(deed.row, deed.after.order)
    _store_assets(deed, asset_rows)
    deed.session.flush()
    for event in decision.events:
        for follow in CONSEQUENCES[type(event)]:
            follow(deed, event)
    return _tell(deed, decision)


def _store_assets(deed: Deed, rows: Mapping[str, AssetRow]) -> None:
    for serial, asset in deed.after.assets.items():
        if serial not in rows:
            deed.session.add(register.new_row(asset, mint(), deed.decided_at))
        elif asset != deed.before.assets.get(serial):
            register.store(rows[serial], asset)


def _tell(deed: Deed, decision: Decision) -> list[tuple[str, str]]:
    """Everybody who may see something of this, each row once."""
    order, before = deed.after.order, deed.before.order
    technicians = _scopes(order, before)
    losers = _drivers_of(deed, _places_touched(deed, decision))
    changed = [("work_order", str(order.id))]
    changed += [
        ("asset", serial)
        for serial, asset in deed.after.assets.items()
        if asset != deed.before.assets.get(serial)
    ]
    changed += [("stock_line", sku) for sku in sorted(_skus_moved(decision, order))]
    facts = {"number": order.number, "state": order.state.value, "freed_minutes": deed.row.freed_minutes}
    for kind, key in changed:
        feed.append(
            deed.session,
            [feed.BOARD, *technicians] if kind == "work_order" else [*technicians, *losers],
            kind,
            key,
            type(decision.events[-1]).__name__,
            at=deed.decided_at,
            actor=deed.actor,
            facts=facts if kind == "work_order" else None,
        )
    _tell_next_at_this_address(deed, decision)
    return changed


def _tell_next_at_this_address(deed: Deed, decision: Decision) -> None:
    """What hangs on the wall is on the card of whoever comes next."""
    serials = {
        move.serial
        for event in decision.events
        if isinstance(event, VisitOver)
        for move in event.moves
        if move.serial
    }
    if not serials:
        return
    order = deed.after.order
    query = select(WorkOrderRow.id, WorkOrderRow.technician_id).where(
        WorkOrderRow.location_id == order.place.id,
        WorkOrderRow.id != order.id,
        WorkOrderRow.technician_id.is_not(None),
        WorkOrderRow.finished_at.is_(None),
    )
    topic = type(decision.events[-1]).__name__
    for other_id, technician_id in deed.session.execute(query):
        scope = feed.technician_scope(technician_id)
        for kind, key in [("work_order", str(other_id)), *(("asset", serial) for serial in sorted(serials))]:
            feed.append(deed.session, [scope], kind, key, topic, at=deed.decided_at, actor=deed.actor)


def _scopes(order: WorkOrder, before: WorkOrder) -> list[str]:
    return [feed.technician_scope(item) for item in (before.technician_id, order.technician_id) if item]


def _places_touched(deed: Deed, decision: Decision) -> set[UUID]:
    """Where devices and parts were before and are now."""
    places = {
        asset.holder_id
        for serial, asset in (*deed.before.assets.items(), *deed.after.assets.items())
        if deed.after.assets.get(serial) != deed.before.assets.get(serial)
    }
    for event in decision.events:
        if isinstance(event, VisitOver):
            places |= {place for move in event.moves for place in (move.source_id, move.target_id)}
    return places


def _drivers_of(deed: Deed, places: set[UUID]) -> list[str]:
    """A device may come from a colleague's van: that phone's list changes too."""
    others = places - {deed.before.van_id}
    query = select(TechnicianRow.id).where(TechnicianRow.van_id.in_(sorted(others)))
    return [feed.technician_scope(item) for item in deed.session.scalars(query)] if others else []


def _skus_moved(decision: Decision, order: WorkOrder) -> set[str]:
    skus: set[str] = set()
    for event in decision.events:
        if isinstance(event, VisitOver):
            skus |= {move.sku for move in event.moves}
        if isinstance(event, PROMISES_CHANGE):
            skus |= {line.sku for line in order.required_parts} | order.fitting_skus
    return skus
