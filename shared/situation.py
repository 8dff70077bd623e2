"""What a rule may look at, and how an event changes it. Phone and server both start here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared import events as ev
from shared.assets import Asset, AssetState, HolderKind
from shared.catalogue import Product
from shared.rating import Prices
from shared.stock import StockMove
from shared.work_orders import (
    Contact,
    ContactField,
    EarlierPlan,
    FittedAsset,
    Pause,
    Place,
    ReportedStep,
    VisitReport,
    WorkOrder,
    WorkOrderState,
    fewer,
)

UNRECEIVED_PLACE = UUID("00000000-0000-7000-8000-000000000001")
"""Stock place that devices come from which nobody booked in; stock control clears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One work order, who acts on it, the devices the command names, and the actor's van.

    `van_id` is None where no visit has begun. `on_hand` maps SKU to units on that van by the ledger.
    A phone knows only its own van's and customers' devices; a serial missing there may exist elsewhere.
    `prices`: None where they are not needed or not known.
    """

    order: WorkOrder
    actor_id: UUID
    van_id: UUID | None
    van_name: str
    assets: Mapping[str, Asset]
    on_hand: Mapping[str, int]
    products: Mapping[str, Product]
    prices: Prices | None = None

    def product_name(self, sku: str) -> str:
        product = self.products.get(sku)
        return f"{product.maker} {product.model}" if product else sku


def evolve(before: Situation, event: ev.Event) -> Situation:
    """The situation after `event`. Never refuses: what may happen was decided before."""
    order = EVOLVERS[type(event)](before.order, event)
    after = replace(before, order=order)
    match event:
        case ev.AssetFitted(fitted=fitted):
            known = before.assets.get(fitted.serial)
            claimed = replace(known, claimed_by=order.id) if known else _unreceived(fitted, order)
            return replace(after, assets={**before.assets, fitted.serial: claimed})
        case ev.AssetUnfitted(serial=serial) if serial in before.assets:
            freed = replace(before.assets[serial], claimed_by=None)
            return replace(after, assets={**before.assets, serial: freed})
        case ev.WorkOrderCompleted() | ev.WorkOrderUnfinished() | ev.WorkOrderCancelled():
            return _set_aside(_released(_moved(after, event.moves)), before.order)
        case ev.WorkOrderUnassigned() | ev.WorkOrderDeleted():
            return _released(after)
        case ev.WorkReported() if event.moves:
            unknown = {
                fitted.serial: replace(_unreceived(fitted, order), claimed_by=None)
                for fitted in event.fitted
                if fitted.serial not in before.assets
            }
            return _moved(replace(after, assets={**before.assets, **unknown}), event.moves)
        case ev.WorkOrderReopened() if before.order.state.is_under_way:
            return _set_aside(_released(_moved(after, event.moves)), before.order)
        case ev.WorkOrderReopened():
            return _claimed_again(after)
    return after


def _unreceived(fitted: FittedAsset, order: WorkOrder) -> Asset:
    return Asset(
        id=order.id,  # a placeholder on the phone; the server mints the real one
        serial=fitted.serial,
        sku=fitted.sku,
        state=AssetState.IN_STOCK,
        holder_kind=HolderKind.ADJUSTMENT,
        holder_id=UNRECEIVED_PLACE,
        holder_name="not received yet",
        claimed_by=order.id,
        gpon_serial=fitted.gpon_serial,
        mac=fitted.mac,
    )


def _moved(situation: Situation, moves: tuple[StockMove, ...]) -> Situation:
    on_hand, assets = dict(situation.on_hand), dict(situation.assets)
    for move in moves:
        if move.source_id == situation.van_id:
            on_hand[move.sku] = on_hand.get(move.sku, 0) - move.quantity
        if move.target_id == situation.van_id:
            on_hand[move.sku] = on_hand.get(move.sku, 0) + move.quantity
        if move.serial in assets:
            assets[move.serial] = settle(assets[move.serial], move, situation)
    return replace(situation, on_hand=on_hand, assets=assets)


def _released(situation: Situation) -> Situation:
    freed = {
        serial: replace(asset, claimed_by=None) if asset.claimed_by == situation.order.id else asset
        for serial, asset in situation.assets.items()
    }
    return replace(situation, assets=freed)


def _set_aside(situation: Situation, visited: WorkOrder) -> Situation:
    """What failed on the visit that ends here waits for test or RMA, like what came off the wall."""
    aside = {
        failed.serial: replace(asset, state=AssetState.RECOVERED)
        for failed in visited.failed
        if (asset := situation.assets.get(failed.serial)) and is_set_aside(asset)
    }
    return replace(situation, assets={**situation.assets, **aside}) if aside else situation


def is_set_aside(asset: Asset) -> bool:
    """Whether a device that failed on a visit is as it was left there: nobody has fitted it anew."""
    return asset.claimed_by is None and asset.state in (AssetState.IN_STOCK, AssetState.RECOVERED)


def _claimed_again(situation: Situation) -> Situation:
    """What had been fitted before the job ended is fitted still, unless the device has gone elsewhere."""
    order, assets = situation.order, dict(situation.assets)
    kept = tuple(
        fitted
        for fitted in order.fitted
        if (asset := assets.get(fitted.serial)) is not None
        and asset.claimed_by in (None, order.id)
        and asset.holder_id == fitted.source_id
        and asset.state in (AssetState.IN_STOCK, AssetState.RECOVERED)
    )
    for fitted in kept:
        assets[fitted.serial] = replace(assets[fitted.serial], claimed_by=order.id)
    return replace(situation, order=replace(order, fitted=kept), assets=assets)


def settle(asset: Asset, move: StockMove, situation: Situation) -> Asset:
    """Where a device is after `move`: at the customer's, or back on the van to be tested."""
    if move.target_id == situation.order.place.id:
        return replace(
            asset,
            state=AssetState.INSTALLED,
            holder_kind=HolderKind.CUSTOMER,
            holder_id=move.target_id,
            holder_name=situation.order.place.line,
        )
    return replace(
        asset,
        state=AssetState.RECOVERED,
        holder_kind=HolderKind.VAN,
        holder_id=move.target_id,
        holder_name=situation.van_name,
    )


def _next(order: WorkOrder, **changes: Any) -> WorkOrder:
    """The next version of `order`."""
    return replace(order, version=order.version + 1, **changes)


def _ended(order: WorkOrder, at: datetime) -> tuple[Pause, ...]:
    """Whoever arrives or leaves pauses no more."""
    newest = order.pauses[-1] if order.pauses else None
    if newest is None or newest.ended_at is not None:
        return order.pauses
    return (*order.pauses[:-1], replace(newest, ended_at=max(at, newest.started_at)))


def _arrived(order: WorkOrder, event: Any) -> WorkOrder:
    return _next(order, state=WorkOrderState.ON_SITE, arrived_at=event.at, pauses=_ended(order, event.at))


def _paused(order: WorkOrder, event: Any) -> WorkOrder:
    return _next(order, pauses=(*order.pauses, Pause(reason=event.reason, started_at=event.at)))


def _completed(order: WorkOrder, event: Any) -> WorkOrder:
    return _next(
        order,
        state=WorkOrderState.COMPLETED,
        finished_at=event.at,
        pauses=_ended(order, event.at),
        bill=event.bill,
    )


def _unfinished(order: WorkOrder, event: Any) -> WorkOrder:
    return _next(
        order,
        state=WorkOrderState.UNFINISHED,
        finished_at=event.at,
        pauses=_ended(order, event.at),
        unfinished_reason=event.reason,
        parts_booked=len(order.parts),
        failed=(),  # booked: another visit has its own
    )


def _cancelled(order: WorkOrder, event: Any) -> WorkOrder:
    booked = len(order.parts) if event.moves else order.parts_booked
    return _next(
        order,
        state=WorkOrderState.CANCELLED,
        finished_at=event.at,
        pauses=_ended(order, event.at),
        parts_booked=booked,
        failed=(),
    )


def _reopened(order: WorkOrder, event: Any) -> WorkOrder:
    """Who really did the work sends their own times; those of the visit that ended are kept beside them.

    What a colleague fitted goes.
    """
    times = order.times
    earlier = order.earlier_visits
    if times.travel_started_at or times.arrived_at:
        ended = replace(times, finished_at=times.finished_at or event.at, pauses=_ended(order, event.at))
        earlier = (*earlier, ended)
    return _next(
        order,
        fitted=() if order.state.is_under_way else order.fitted,
        failed=(),
        parts_booked=len(order.parts) if order.state.is_under_way else order.parts_booked,
        deleted_at=None,
        state=WorkOrderState.ASSIGNED,
        technician_id=event.technician_id,
        former_technician_ids=_handed_to(order, event.technician_id),
        travel_started_at=None,
        arrived_at=None,
        finished_at=None,
        unfinished_reason=None,
        pauses=(),
        time_corrections=(),
        earlier_visits=earlier,
    )


def _deleted(order: WorkOrder, event: Any) -> WorkOrder:
    """A tombstone: nobody's, nowhere in a route, and still there for whatever comes in about it."""
    return replace(
        _unassigned(order, event),
        state=WorkOrderState.CANCELLED,
        finished_at=event.at,
        deleted_at=event.at,
    )


def _rescheduled(order: WorkOrder, event: Any) -> WorkOrder:
    earlier = EarlierPlan(
        moved_at=event.at,
        window=order.window,
        planned_start=order.planned_start,
        planned_end=order.planned_end,
    )
    return _next(
        order,
        window=event.window,
        planned_start=event.planned_start,
        planned_end=event.planned_end,
        earlier_plans=(*order.earlier_plans, earlier),
    )


def _split(order: WorkOrder, event: Any) -> WorkOrder:
    off = event.off
    return _next(
        order,
        required_equipment=tuple(need for need in order.required_equipment if need not in off.equipment),
        required_checks=tuple(spec for spec in order.required_checks if spec not in off.checks),
        required_parts=tuple(line for line in order.required_parts if line not in off.parts),
        removal_required=order.removal_required and not off.removal,
        split_off=(*order.split_off, off),
    )


def _reported(order: WorkOrder, event: Any) -> WorkOrder:
    """One report for each technician, growing with what comes in."""
    who = event.technician_id
    report = next((item for item in order.reports if item.technician_id == who), None)
    before = report or VisitReport(technician_id=who)
    removed = (*before.removed, *event.removed)
    after = replace(
        before,
        steps=(*before.steps, ReportedStep(step=event.step, at=event.at)),
        checks=(*before.checks, *event.checks),
        answers=(*before.answers, *event.answers),
        parts=fewer((*before.parts, *event.parts), event.taken_back),
        fitted=(*before.fitted, *event.fitted),
        removed=tuple(device for device in removed if device.serial not in event.put_back),
    )
    others = tuple(item for item in order.reports if item.technician_id != who)
    return _next(order, reports=(*others, after))


def _contact_corrected(order: WorkOrder, event: Any) -> WorkOrder:
    contact: Contact = order.contact
    place: Place = order.place
    match event.field:
        case ContactField.NAME:
            contact = replace(contact, name=event.value)
        case ContactField.PHONE:
            contact = replace(contact, phone=event.value)
        case ContactField.ACCESS_NOTES:
            place = replace(place, access_notes=event.value)
    suggestions = tuple(
        replace(item, settled=True) if event.settles and item.field is event.field else item
        for item in order.suggestions
    )
    return _next(order, contact=contact, place=place, suggestions=suggestions)


def _handed_to(order: WorkOrder, technician_id: UUID | None) -> frozenset[UUID]:
    if order.technician_id is None or order.technician_id == technician_id:
        return order.former_technician_ids
    return order.former_technician_ids | {order.technician_id}


def _assigned(order: WorkOrder, event: Any) -> WorkOrder:
    unmoved = order.technician_id == event.technician_id and order.state.is_under_way
    return _next(
        order,
        state=order.state if unmoved else WorkOrderState.ASSIGNED,
        technician_id=event.technician_id,
        former_technician_ids=_handed_to(order, event.technician_id),
        planned_start=event.planned_start,
        planned_end=event.planned_end,
        travel_minutes=event.travel_minutes,
        route_position=event.route_position,
    )


def _unassigned(order: WorkOrder, _event: Any) -> WorkOrder:
    return _next(
        order,
        state=WorkOrderState.UNASSIGNED,
        technician_id=None,
        former_technician_ids=_handed_to(order, None),
        planned_start=None,
        planned_end=None,
        travel_minutes=0,
        route_position=None,
    )


def _fitted(order: WorkOrder, event: Any) -> WorkOrder:
    """One that had failed and is fitted all the same works after all."""
    serial = event.fitted.serial
    failed = tuple(device for device in order.failed if device.serial != serial)
    return _next(order, fitted=(*order.fitted, event.fitted), failed=failed)


def _unfitted(order: WorkOrder, event: Any) -> WorkOrder:
    fitted = tuple(device for device in order.fitted if device.serial != event.serial)
    failed = (*order.failed, event.failed) if event.failed else order.failed
    return _next(order, fitted=fitted, failed=failed)


def _put_back(order: WorkOrder, event: Any) -> WorkOrder:
    return _next(order, removed=tuple(device for device in order.removed if device.serial != event.serial))


def _answered(order: WorkOrder, event: Any) -> WorkOrder:
    return _next(order, answers=(*order.answers, event.answer))


def _taken_back(order: WorkOrder, event: Any) -> WorkOrder:
    """What has left the van's stock already stays as it is booked."""
    booked, counted = order.parts[: order.parts_booked], order.parts[order.parts_booked :]
    return _next(order, parts=(*booked, *fewer(counted, event.lines)))


def _charged_in_full(order: WorkOrder, _event: Any) -> WorkOrder:
    return _next(order, bill=order.bill.in_full() if order.bill else None)


EVOLVERS: dict[type[ev.Event], Callable[[WorkOrder, Any], WorkOrder]] = {
    ev.TravelStarted: lambda order, event: _next(
        order, state=WorkOrderState.TRAVELLING, travel_started_at=event.at
    ),
    ev.Arrived: _arrived,
    ev.WorkPaused: _paused,
    ev.WorkResumed: lambda order, event: _next(order, pauses=_ended(order, event.at)),
    ev.TimeCorrected: lambda order, event: _next(
        order, time_corrections=(*order.time_corrections, event.correction)
    ),
    ev.TakenOver: lambda order, event: _next(
        order,
        technician_id=event.technician_id,
        former_technician_ids=_handed_to(order, event.technician_id),
    ),
    ev.AssetFitted: _fitted,
    ev.AssetUnfitted: _unfitted,
    ev.AssetRemoved: lambda order, event: _next(order, removed=(*order.removed, event.removed)),
    ev.AssetPutBack: _put_back,
    ev.CheckRecorded: lambda order, event: _next(order, checks=(*order.checks, event.result)),
    ev.CheckAnswered: _answered,
    ev.CheckSkipped: _answered,
    ev.PartsUsed: lambda order, event: _next(order, parts=(*order.parts, *event.lines)),
    ev.PartsTakenBack: _taken_back,
    ev.EvidenceAdded: lambda order, event: _next(order, evidence=(*order.evidence, event.evidence)),
    ev.NoteAdded: lambda order, event: _next(order, notes=(*order.notes, event.note)),
    ev.WorkOrderCompleted: _completed,
    ev.WorkOrderUnfinished: _unfinished,
    ev.WorkOrderAssigned: _assigned,
    ev.WorkOrderUnassigned: _unassigned,
    ev.WorkOrderCancelled: _cancelled,
    ev.WorkReported: _reported,
    ev.ContactCorrected: _contact_corrected,
    ev.ContactSuggested: lambda order, event: _next(
        order, suggestions=(*order.suggestions, event.suggestion)
    ),
    ev.WorkOrderRescheduled: _rescheduled,
    ev.WorkOrderSplit: _split,
    ev.VisitAskedFor: lambda order, event: _next(order, asked_for=(*order.asked_for, event.asked)),
    ev.WorkOrderDeleted: _deleted,
    ev.WorkOrderReopened: _reopened,
    ev.CallOutCharged: lambda order, event: _next(order, call_out_at=event.at),
    ev.ChargedInFull: _charged_in_full,
    ev.ChargeAnswered: lambda order, event: _next(order, consents=(*order.consents, event.consent)),
}
"""One row an event; a test holds this table against the union."""
