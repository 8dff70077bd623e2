"""Event → what follows in its transaction, as one table. It books what was decided, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.billing import invoices
from server.billing.journal import Account, Posting, post
from server.billing.rating import Tariff, charges_for
from server.clock import mint
from server.customers import notices
from server.customers.models import PlanRow, ServiceRow
from server.dispatch.models import TechnicianRow
from server.purchasing import orders as purchasing
from server.settings import Settings
from server.stock import ledger
from server.stock.models import ProductRow, ReservationRow
from server.stock.products import product_of
from server.work_orders.models import WorkOrderRow
from shared import events as ev
from shared.money import Money
from shared.situation import Situation
from shared.work_orders import ServiceState, WorkOrderKind

STALE = timedelta(minutes=30)
"""A phone that was offline for longer tells nobody any more that its technician is on the way."""

VisitOver = ev.WorkOrderCompleted | ev.WorkOrderUnfinished | ev.WorkOrderCancelled
"""Events that book what a visit moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One accepted command on its way into the ledgers. `after` is the situation with all its events."""

    session: Session
    settings: Settings
    command_id: UUID
    actor: str
    row: WorkOrderRow
    before: Situation
    after: Situation
    happened_at: datetime
    decided_at: datetime


def book_stock(deed: Deed, event: VisitOver) -> None:
    ledger.book(
        deed.session,
        event.moves,
        cause=deed.command_id,
        at=event.at,
        work_order_id=deed.after.order.id,
    )
    deed.session.flush()
    _post_cost_of_parts(deed, event)


def _post_cost_of_parts(deed: Deed, event: VisitOver) -> None:
    """What left our stock for good costs us something; what came back from the wall is ours at no cost."""
    used = [move for move in event.moves if move.target_id == deed.after.order.place.id and not move.serial]
    if not used:
        return
    products = _product_rows(deed.session, {move.sku for move in used})
    costs = [
        Money(products[move.sku].cost_minor, products[move.sku].currency).times(move.quantity)
        for move in used
    ]
    cost = sum(costs[1:], costs[0])
    postings = [Posting(Account.PARTS_USED, cost), Posting(Account.STOCK, -cost)]
    post(deed.session, mint(), postings, at=event.at, work_order_id=deed.after.order.id)


def release_reservations(deed: Deed, event: ev.Event) -> None:
    deed.session.execute(
        update(ReservationRow)
        .where(
            ReservationRow.work_order_id == deed.after.order.id,
            ReservationRow.released_at.is_(None),
        )
        .values(released_at=deed.decided_at)
    )


def reserve_parts(deed: Deed, event: ev.WorkOrderAssigned | ev.TakenOver) -> None:
    """Promise the van's parts to the job, and one device for each that it needs."""
    session, order = deed.session, deed.after.order
    van_id = session.scalar(select(TechnicianRow.van_id).where(TechnicianRow.id == event.technician_id))
    wanted = [(line.sku, line.quantity) for line in order.required_parts]
    on_van = ledger.balances(session, van_id, order.fitting_skus) if van_id and order.fitting_skus else {}
    for need in order.required_equipment:
        best = max(need.skus, key=lambda sku: (on_van.get(sku, 0), sku))
        wanted.append((best, 1))
    session.add_all(
        ReservationRow(id=mint(), work_order_id=order.id, place_id=van_id, sku=sku, quantity=quantity)
        for sku, quantity in wanted
    )


def move_service(deed: Deed, event: ev.WorkOrderCompleted) -> None:
    """Activate, change or end the service with the time on site, not the time of the sync."""
    order = deed.after.order
    service = deed.session.get_one(ServiceRow, order.service.id, with_for_update=True)
    match order.kind:
        case WorkOrderKind.INSTALL:
            service.state, service.active_from = ServiceState.ACTIVE, event.at
            service.plan_code = order.service.plan_code
        case WorkOrderKind.UPGRADE:
            service.plan_code = order.service.plan_code
        case WorkOrderKind.DISCONNECT:
            service.state, service.ended_at = ServiceState.TERMINATED, event.at


def draft_invoice(deed: Deed, event: ev.WorkOrderCompleted) -> None:
    """Before move_service: the plan that ran until now is still on the service."""
    session, order = deed.session, deed.after.order
    service = session.get_one(ServiceRow, order.service.id, with_for_update=True)
    products = _product_rows(session, {line.sku for line in order.parts})
    charges = charges_for(
        order,
        event.at.astimezone(deed.settings.zone).date(),
        _tariff(session, order.service.plan_code),
        _tariff(session, service.plan_code),
        {sku: product_of(row) for sku, row in products.items()},
    )
    invoices.draft(
        session,
        charges,
        customer_id=order.contact.customer_id,
        work_order_id=order.id,
        tax_basis_points=deed.settings.tax_basis_points,
        at=deed.decided_at,
    )


def _tariff(session: Session, code: str) -> Tariff:
    plan = session.get_one(PlanRow, code)
    return Tariff(
        code=plan.code,
        name=plan.name,
        monthly=Money(plan.monthly_minor, plan.currency),
        fees=plan.fees_minor,
    )


def _product_rows(session: Session, skus: set[str]) -> dict[str, ProductRow]:
    if not skus:
        return {}
    return {row.sku: row for row in session.scalars(select(ProductRow).where(ProductRow.sku.in_(skus)))}


def buy_again(deed: Deed, event: VisitOver) -> None:
    left = {move.sku for move in event.moves if move.target_id == deed.after.order.place.id}
    purchasing.reorder(deed.session, left, at=deed.decided_at, cause=deed.after.order.id)


def stop_sla_clock(deed: Deed, event: ev.WorkOrderCompleted) -> None:
    deed.row.sla_stopped_at = event.at


def note_freed_minutes(deed: Deed, event: ev.WorkOrderCompleted | ev.WorkOrderUnfinished) -> None:
    """Minutes between the planned and the real end; negative when it took longer."""
    if deed.after.order.planned_end is not None:
        deed.row.freed_minutes = round((deed.after.order.planned_end - event.at).total_seconds() / 60)


def tell_customer(template: str) -> Callable[[Deed, Any], None]:
    def tell(deed: Deed, event: Any) -> None:
        if template == "on_the_way" and deed.decided_at - event.at > STALE:
            return
        chosen = template
        if template == "completed" and deed.after.order.kind is WorkOrderKind.DISCONNECT:
            chosen = "disconnected"
        notices.queue(
            deed.session,
            chosen,
            deed.after.order,
            technician=deed.actor,
            happened_at=event.at,
            zone=deed.settings.zone,
            at=deed.decided_at,
        )

    return tell


CONSEQUENCES: dict[type[ev.Event], Sequence[Callable[[Deed, Any], None]]] = {
    ev.TravelStarted: (tell_customer("on_the_way"),),
    ev.Arrived: (),
    ev.TakenOver: (release_reservations, reserve_parts),
    ev.AssetFitted: (),
    ev.AssetUnfitted: (),
    ev.AssetRemoved: (),
    ev.CheckRecorded: (),
    ev.PartsUsed: (),
    ev.EvidenceAdded: (),
    ev.NoteAdded: (),
    ev.WorkOrderCompleted: (
        book_stock,
        release_reservations,
        draft_invoice,
        move_service,
        buy_again,
        stop_sla_clock,
        note_freed_minutes,
        tell_customer("completed"),
    ),
    ev.WorkOrderUnfinished: (
        book_stock,
        release_reservations,
        buy_again,
        note_freed_minutes,
        tell_customer("unfinished"),
    ),
    ev.WorkOrderAssigned: (release_reservations, reserve_parts),
    ev.WorkOrderUnassigned: (release_reservations,),
    ev.WorkOrderCancelled: (book_stock, release_reservations, buy_again),
}
"""One row an event; a test holds it against the union."""
