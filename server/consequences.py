"""Event → what follows in its transaction, as one table. It books what was decided, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.billing import invoices, journal
from server.billing.journal import Account, Posting
from server.billing.models import InvoiceLineRow, InvoiceRow, JournalLineRow
from server.books import Books, name_id
from server.customers import contacts, notices
from server.customers.models import NoticeRow
from server.db import feed
from server.outbox.happenings import of_placed
from server.outbox.models import OutboxRow
from server.outbox.writing import outbox_row_for_notice
from server.purchasing import orders as purchasing
from server.purchasing import returns
from server.purchasing.models import RmaLineRow
from server.stock import ledger
from server.stock.models import ReservationRow
from server.work_orders import split
from server.work_orders.briefs import LATELY
from server.work_orders.models import WorkOrderRow
from shared import events as ev
from shared.charges import Bill
from shared.money import Money
from shared.problems import Conflict
from shared.rating import call_out
from shared.situation import Situation, is_set_aside
from shared.work_orders import RemovedAsset, ServiceState, WorkOrderKind

STALE = timedelta(minutes=30)
"""A phone that was offline for longer tells nobody any more that its technician is on the way."""

VisitOver = (
    ev.WorkOrderCompleted
    | ev.WorkOrderUnfinished
    | ev.WorkOrderCancelled
    | ev.WorkReported
    | ev.WorkOrderReopened
)
"""Events that book what a visit moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One accepted command on its way into the ledgers. `after` is the situation with all its events."""

    books: Books
    command_id: UUID
    actor: str
    before: Situation
    after: Situation
    happened_at: datetime
    decided_at: datetime

    def name(self, what: str) -> UUID:
        """The id of something that this command causes."""
        return name_id(self.command_id, self.decided_at, what)


def book_stock(deed: Deed, event: VisitOver) -> None:
    order = deed.after.order
    booking = ledger.Booking(moves=event.moves, cause=deed.command_id, at=event.at, work_order_id=order.id)
    deed.books.move(booking)
    _post_cost_of_parts(deed, event)


def _post_cost_of_parts(deed: Deed, event: VisitOver) -> None:
    """What left our stock for good costs us something; what came back from the wall is ours at no cost."""
    order = deed.after.order
    used = [move for move in event.moves if move.target_id == order.place.id and not move.serial]
    if not used:
        return
    products = deed.books.product_rows({move.sku for move in used})
    costs = [
        Money(products[move.sku].cost_minor, products[move.sku].currency).times(move.quantity)
        for move in used
    ]
    cost = sum(costs[1:], costs[0])
    postings = [Posting(Account.PARTS_USED, cost), Posting(Account.STOCK, -cost)]
    for row in journal.lines(deed.name("cost of parts"), postings, at=event.at, work_order_id=order.id):
        deed.books.add(JournalLineRow, **row)


def open_returns(deed: Deed, event: VisitOver) -> None:
    """A device that came off for a fault is to go back to its vendor: one RMA line for each."""
    order = deed.after.order
    for removed in _brought(deed, event):
        if removed.cause is None or not removed.cause.is_fault:
            continue
        product = deed.books.product_rows([removed.sku])[removed.sku]
        line = returns.opening(
            removed,
            id=deed.name(f"return of {removed.serial}"),
            vendor_id=product.vendor_id,
            work_order_id=order.id,
            command_id=deed.command_id,
            at=deed.decided_at,
        )
        deed.books.add(RmaLineRow, **line)


def _brought(deed: Deed, event: VisitOver) -> list[RemovedAsset]:
    """What this booking moves off the wall, and what had failed on the visit before it was ever booked."""
    order = deed.before.order
    off = {move.serial for move in event.moves if move.source_id == order.place.id and move.serial}
    if isinstance(event, ev.WorkReported):
        return [removed for removed in event.removed if removed.serial in off]
    brought = [removed for removed in order.removed if removed.serial in off]
    assets = deed.after.assets
    failed = [item for item in order.failed if (asset := assets.get(item.serial)) and is_set_aside(asset)]
    return brought + failed


def withdraw_returns(deed: Deed, event: ev.WorkReported) -> None:
    """What hangs in its place again does not go to the vendor."""
    if event.put_back:
        deed.books.withdraw_returns(deed.after.order.id, event.put_back, by=deed.actor)


def release_reservations(deed: Deed, event: ev.Event) -> None:
    deed.books.release(deed.after.order.id)


def reserve_parts(deed: Deed, event: ev.WorkOrderAssigned | ev.TakenOver | ev.WorkOrderReopened) -> None:
    """Promise the van's parts to the job, and one device for each that it needs."""
    books, order = deed.books, deed.after.order
    van_id = books.van_of(event.technician_id)
    if van_id is None:
        return
    wanted = [(line.sku, line.quantity) for line in order.required_parts]
    on_van = books.on_hand(van_id) if order.fitting_skus else {}
    for need in order.required_equipment:
        best = max(need.skus, key=lambda sku: (on_van.get(sku, 0), sku))
        wanted.append((best, 1))
    for line, (sku, quantity) in enumerate(wanted):
        books.add(
            ReservationRow,
            id=deed.name(f"reservation {line} {event.technician_id}"),
            work_order_id=order.id,
            place_id=van_id,
            sku=sku,
            quantity=quantity,
            released_at=None,
        )


def move_service(deed: Deed, event: ev.WorkOrderCompleted) -> None:
    """Activate, change or end the service with the time on site, not the time of the sync."""
    order = deed.after.order
    service = deed.books.service(order.service.id)
    match order.kind:
        case WorkOrderKind.INSTALL:
            service.state, service.active_from = ServiceState.ACTIVE, event.at
            service.plan_code = order.service.plan_code
        case WorkOrderKind.UPGRADE:
            service.plan_code = order.service.plan_code
        case WorkOrderKind.DISCONNECT:
            service.state, service.ended_at = ServiceState.TERMINATED, event.at


def draft_invoice(deed: Deed, event: ev.WorkOrderCompleted) -> None:
    """Raises ValueError where the catalogue has prices in several currencies: nothing is booked then."""
    if event.bill is None:
        raise ValueError(f"{deed.after.order.number} has no price in one currency")
    _add_draft(deed, event.bill)


def draft_call_out(deed: Deed, event: ev.CallOutCharged) -> None:
    """It is the order's only fee.

    Raises Conflict where the plan has none: a person asked for money, and nothing would be billed.
    """
    books, order = deed.books, deed.after.order
    tariff = books.tariff(order.service.plan_code)
    bill = call_out(order, tariff, books.settings.tax_basis_points)
    if not bill.net.minor:
        raise Conflict(
            f"The plan {tariff.name} has no fee for a call-out, so there is nothing to bill: "
            "give it one, or dismiss the visit",
            subject=order.number,
        )
    _add_draft(deed, bill)


def _add_draft(deed: Deed, bill: Bill) -> None:
    books, order = deed.books, deed.after.order
    draft = invoices.draft(
        bill,
        invoice_id=deed.name("invoice"),
        line_ids=[deed.name(f"invoice line {charge.code}") for charge in bill.charges],
        customer_id=order.contact.customer_id,
        work_order_id=order.id,
        at=deed.decided_at,
    )
    books.add(InvoiceRow, **draft.invoice)
    for line in draft.lines:
        books.add(InvoiceLineRow, **line)
    for line in draft.journal:
        books.add(JournalLineRow, **line)


def bill_the_rest(deed: Deed, event: ev.ChargedInFull) -> None:
    """The draft gets a line that takes the credit back, and the journal an entry of its own."""
    books, order = deed.books, deed.after.order
    assert order.bill is not None, "nothing is left out of no bill"
    rest = replace(order.bill, charges=order.bill.charges[-1:])
    invoice = books.invoice(order.id)
    invoice.net_minor += rest.net.minor
    invoice.tax_minor += rest.tax.minor
    line = invoices.line(
        rest.charges[0], id=deed.name("invoice line"), invoice_id=invoice.id, work_order_id=order.id
    )
    books.add(InvoiceLineRow, **line)
    for row in invoices.posted(rest, entry_id=deed.name("entry"), work_order_id=order.id, at=deed.decided_at):
        books.add(JournalLineRow, **row)


def buy_again(deed: Deed, event: VisitOver) -> None:
    order = deed.after.order
    left = frozenset(move.sku for move in event.moves if move.target_id == order.place.id)
    deed.books.drain(purchasing.Drain(cause=order.id, skus=left, moves=event.moves, name=deed.name))


def stop_sla_clock(deed: Deed, event: ev.WorkOrderCompleted) -> None:
    deed.books.row_of(deed.after.order.id).sla_stopped_at = event.at


def note_freed_minutes(deed: Deed, event: ev.WorkOrderCompleted | ev.WorkOrderUnfinished) -> None:
    """Minutes between the planned and the real end; negative when it took longer."""
    order = deed.after.order
    if order.planned_end is not None:
        freed = round((order.planned_end - event.at).total_seconds() / 60)
        deed.books.row_of(order.id).freed_minutes = freed


def tell_customer(template: str) -> Callable[[Deed, Any], None]:
    def tell(deed: Deed, event: Any) -> None:
        if template == "on_the_way" and deed.decided_at - event.at > STALE:
            return
        order, chosen = deed.after.order, template
        if template == "completed" and order.kind is WorkOrderKind.DISCONNECT:
            chosen = "disconnected"
        if not deed.books.tell_once(order.id, chosen):
            return
        notice = notices.notice(
            chosen,
            order,
            deed.books.customer(order.contact.customer_id),
            id=deed.name(f"notice {chosen}"),
            technician=deed.actor,
            happened_at=event.at,
            zone=deed.books.settings.zone,
            at=deed.decided_at,
        )
        deed.books.add(NoticeRow, **notice)
        deed.books.add(OutboxRow, **outbox_row_for_notice(notice, deed.decided_at))

    return tell


def write_contact(deed: Deed, event: ev.ContactCorrected) -> None:
    """The customer's other visits show it too."""
    session, order = deed.books.session, deed.after.order
    contacts.correct(session, order, event)
    deed.books.show_contact(order)
    since = deed.books.now - LATELY
    for other_id, technician_id in contacts.others_who_see_it(session, order, event.field, since):
        scope = [feed.technician_scope(technician_id)]
        deed.books.tell(scope, "work_order", str(other_id), "ContactCorrected", actor=deed.actor, facts={})


def place_split_order(deed: Deed, event: ev.WorkOrderSplit) -> None:
    order = deed.after.order
    values = split.row_values(deed.books.row_of(order.id), order, event)
    deed.books.add(WorkOrderRow, **values)
    facts = {"number": values["number"], "state": values["state"]}
    deed.books.tell(
        [feed.BOARD], "work_order", str(event.off.order_id), "WorkOrderPlaced", actor=deed.actor, facts=facts
    )


def place_asked_visit(deed: Deed, event: ev.VisitAskedFor) -> None:
    """A real order that nobody is sent to yet. It is told as any other that comes in."""
    books, order, asked = deed.books, deed.after.order, event.asked
    first = books.row_of(order.id)
    on_site = list(books.assets(order.on_site_serials).values())
    values = split.asked_values(first, asked, books.plan(first.plan_code), on_site)
    books.add(WorkOrderRow, **values)
    facts = {"number": asked.number, "state": values["state"]}
    books.tell(
        [feed.BOARD], "work_order", str(asked.order_id), "WorkOrderPlaced", actor=deed.actor, facts=facts
    )
    placed = split.asked_order(order, asked)
    books.tell_briefs(placed, "WorkOrderPlaced", deed.actor)
    books.announce(
        lambda: of_placed(placed, at=asked.at),
        lambda webhook_id: deed.name(f"{asked.number} placed, for webhook {webhook_id}"),
    )


CONSEQUENCES: dict[type[ev.Event], Sequence[Callable[[Deed, Any], None]]] = {
    ev.TravelStarted: (tell_customer("on_the_way"),),
    ev.Arrived: (),
    ev.WorkPaused: (),
    ev.WorkResumed: (),
    ev.TimeCorrected: (),
    ev.TakenOver: (release_reservations, reserve_parts),
    ev.AssetFitted: (),
    ev.AssetUnfitted: (),
    ev.AssetRemoved: (),
    ev.AssetPutBack: (),
    ev.CheckRecorded: (),
    ev.CheckAnswered: (),
    ev.CheckSkipped: (),
    ev.PartsUsed: (),
    ev.PartsTakenBack: (),
    ev.EvidenceAdded: (),
    ev.NoteAdded: (),
    ev.WorkOrderCompleted: (
        book_stock,
        open_returns,
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
        open_returns,
        release_reservations,
        buy_again,
        note_freed_minutes,
        tell_customer("unfinished"),
    ),
    ev.WorkOrderAssigned: (release_reservations, reserve_parts),
    ev.WorkOrderUnassigned: (release_reservations,),
    ev.WorkOrderCancelled: (book_stock, open_returns, release_reservations, buy_again),
    ev.WorkReported: (book_stock, withdraw_returns, open_returns, buy_again),
    ev.ContactCorrected: (write_contact,),
    ev.ContactSuggested: (),
    ev.WorkOrderRescheduled: (),
    ev.WorkOrderSplit: (place_split_order,),
    ev.VisitAskedFor: (place_asked_visit,),
    ev.WorkOrderDeleted: (release_reservations,),
    ev.WorkOrderReopened: (book_stock, open_returns, release_reservations, reserve_parts, buy_again),
    ev.CallOutCharged: (draft_call_out,),
    ev.ChargedInFull: (bill_the_rest,),
    ev.ChargeAnswered: (),
}
"""One row an event; a test holds it against the union."""
