"""Write an accepted decision: the order, its devices, every consequence and the feed, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from server.consequences import CONSEQUENCES, Deed, VisitOver
from server.db import feed
from server.outbox.happenings import of_work_order
from server.work_orders import briefs
from shared.decide import Decision
from shared.events import (
    TakenOver,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderCompleted,
    WorkOrderDeleted,
    WorkOrderReopened,
    WorkOrderUnassigned,
    WorkOrderUnfinished,
)
from shared.stock import StockMove
from shared.work_orders import WorkOrder

PROMISES_CHANGE = (
    TakenOver,
    WorkOrderAssigned,
    WorkOrderCancelled,
    WorkOrderCompleted,
    WorkOrderDeleted,
    WorkOrderReopened,
    WorkOrderUnassigned,
    WorkOrderUnfinished,
)
"""Events that make or release what a van's stock is promised to."""


def book(deed: Deed, decision: Decision) -> list[tuple[str, str]]:
    """Write down all that `decision` causes, and return the (kind, key) of the rows that a phone may show.

    What a person could mend was decided before, but for a fee that a plan lacks: that raises Conflict.
    """
    deed.books.keep(deed.before, deed.after, deed.command_id)
    for number, event in enumerate(decision.events):
        for follow in CONSEQUENCES[type(event)]:
            follow(deed, event)
        at = getattr(event, "at", deed.happened_at)
        happening = partial(of_work_order, event, deed.after.order, at=at)
        deed.books.announce(happening, partial(_message_id, deed, number))
    return _tell(deed, decision)


def _message_id(deed: Deed, number: int, webhook_id: UUID) -> UUID:
    return deed.name(f"event {number} for webhook {webhook_id}")


def _tell(deed: Deed, decision: Decision) -> list[tuple[str, str]]:
    """Everybody who may see something of this, each row once."""
    order, before = deed.after.order, deed.before.order
    moves = [move for event in decision.events if isinstance(event, VisitOver) for move in event.moves]
    serials = _devices_changed(deed)
    technicians = _scopes(order, before)
    losers = _drivers_of(deed, _places_touched(deed, serials, moves))
    changed = [("work_order", str(order.id))]
    changed += [("asset", serial) for serial in serials]
    changed += [("stock_line", sku) for sku in sorted(_skus_touched(decision, order, moves))]
    freed = deed.books.row_of(order.id).freed_minutes
    facts = {"number": order.number, "state": order.state.value, "freed_minutes": freed}
    topic = type(decision.events[-1]).__name__
    for kind, key in changed:
        deed.books.tell(
            [feed.BOARD, *technicians] if kind == "work_order" else [*technicians, *losers],
            kind,
            key,
            topic,
            actor=deed.actor,
            facts=facts if kind == "work_order" else {},
        )
    _tell_who_lost_it(deed, topic)
    if any(isinstance(event, VisitOver) for event in decision.events):
        moved = sorted({move.serial for move in moves if move.serial})
        deed.books.tell_next_visits(order.place.id, order.id, moved, topic, deed.actor)
    if briefs.differ(before, order):
        deed.books.tell_briefs(order, topic, deed.actor)
        if before.technician_id is not None:  # whose phone has no other job there forgets it
            scope = [feed.technician_scope(before.technician_id)]
            deed.books.tell(scope, briefs.KIND, str(order.place.id), topic, actor=deed.actor, facts={})
    return changed


def _devices_changed(deed: Deed) -> list[str]:
    """Serials. Most commands leave all devices as they are."""
    before, after = deed.before.assets, deed.after.assets
    return [] if after is before else [key for key, asset in after.items() if asset != before.get(key)]


def _tell_who_lost_it(deed: Deed, topic: str) -> None:
    """A job that leaves a phone takes the devices at its address along: they may be elsewhere by the pull."""
    before, after = deed.before.order, deed.after.order
    unmoved = before.technician_id == after.technician_id and before.planned_start == after.planned_start
    if before.technician_id is None or unmoved:
        return
    for serial in sorted({*before.on_site_serials, *(device.serial for device in before.fitted)}):
        scope = feed.technician_scope(before.technician_id)
        deed.books.tell([scope], "asset", serial, topic, actor=deed.actor, facts={})


def _scopes(order: WorkOrder, before: WorkOrder) -> list[str]:
    return [feed.technician_scope(item) for item in (before.technician_id, order.technician_id) if item]


def _places_touched(deed: Deed, serials: Iterable[str], moves: Iterable[StockMove]) -> set[UUID]:
    """Where devices and parts were before and are now."""
    known = (deed.before.assets, deed.after.assets)
    places = {assets[serial].holder_id for serial in serials for assets in known if serial in assets}
    return places | {place for move in moves for place in (move.source_id, move.target_id)}


def _drivers_of(deed: Deed, places: set[UUID]) -> list[str]:
    """Whose list changes too: a device may come from a colleague's van, or one's own go to their job."""
    whose = {deed.before.order.technician_id, deed.after.order.technician_id}
    told_anyway = {deed.before.van_id} if deed.before.actor_id in whose else set()
    drivers = [deed.books.driver_of(place) for place in sorted(places - told_anyway)]
    return [feed.technician_scope(driver) for driver in drivers if driver]


def _skus_touched(decision: Decision, order: WorkOrder, moves: Iterable[StockMove]) -> set[str]:
    skus = {move.sku for move in moves}
    if any(isinstance(event, PROMISES_CHANGE) for event in decision.events):
        skus |= {line.sku for line in order.required_parts} | order.fitting_skus
    return skus
