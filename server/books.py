"""What one transaction reads and writes, gathered: a query a table before, a statement a table after.

The commands of a batch are decided one after another in memory, each on what those before it left behind,
and everything they cause is written down here first. `write` then puts it into the database in an order that
every transaction keeps, so that two of them wait for each other but never in a circle:
device, transfers, requests for parts, cabinets' faults, places with their work orders, devices of the
register, services, balances, products, vendors, the command log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, or_, select, update
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.assets import register
from server.assets.models import AssetRow
from server.attachments.models import AttachmentSenderRow
from server.billing.models import InvoiceRow
from server.customers.models import CustomerRow, NoticeRow, PlanRow, ServiceRow
from server.customers.plans import tariff_of
from server.db import entries, feed, rows
from server.db.base import Base, columns_of, places_by_dependence, table_of
from server.db.command_log import next_numbers
from server.db.feed_models import CommandRow, FeedRow
from server.dispatch.models import TechnicianRow
from server.faults import records as faults
from server.faults.models import NetworkFaultReportRow, NetworkFaultRow
from server.inbox.models import FollowUpRow
from server.outbox import writing
from server.outbox.happenings import Happening
from server.outbox.models import OutboxRow
from server.purchasing import orders as purchasing
from server.purchasing.models import RmaLineRow
from server.settings import Settings
from server.stock import ledger, part_requests, transfers
from server.stock.models import PartRequestRow, ProductRow, ReservationRow, VanTransferRow
from server.stock.products import product_of
from server.work_orders import briefs, intake, repository
from server.work_orders.briefs import LATELY
from server.work_orders.models import EvidenceRow, WorkOrderRow
from shared.assets import Asset, AssetState
from shared.catalogue import Product
from shared.commands import AskForVisit
from shared.conflicts import conflict_of
from shared.ids import new_id
from shared.network_faults import Cabinet, NetworkCommand, NetworkFaultReported
from shared.part_requests import PartRequest
from shared.problems import BadValue, NotFound
from shared.rating import Prices, Tariff
from shared.remarks import Remark
from shared.situation import Situation
from shared.stock import StockMove
from shared.transfers import Handed
from shared.work_orders import WorkOrder, WorkOrderKind
from sync.protocol import Receipt


def receipt_of(row: CommandRow | Row[Any]) -> Receipt:
    """`row`: a CommandRow, or its columns."""
    return Receipt(
        command_id=row.id,
        outcome="accepted" if row.outcome == "accepted" else "held",
        decided_at=row.decided_at,
        slug=row.slug,
        detail=row.detail,
        remarks=tuple(Remark(item["slug"], item["detail"]) for item in row.remarks),
    )


def name_id(command_id: UUID, at: datetime, what: str) -> UUID:
    """The id of something that a command causes: the same one whenever the log is replayed."""
    noise = sha256(f"{command_id}/{what}".encode()).digest()[:10]
    return new_id(int(at.timestamp() * 1000), noise)


@dataclass(frozen=True, slots=True)
class _NextVisit:
    """A device that was hung up or taken away, to be shown to whoever visits the same address next."""

    place_id: UUID
    order_id: UUID
    serials: tuple[str, ...]
    topic: str
    actor: str


@dataclass(frozen=True, slots=True)
class _Answered:
    """The office has done what a remark asked for."""

    work_order_id: UUID
    remark: Remark
    by: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A command that has its receipt. `technician_id`: whose device sent it."""

    receipt: Receipt
    digest: str
    technician_id: UUID | None
    work_order_id: UUID | None


def asks_somebody(slug: str, origin: str) -> bool:
    """Whether the table of conflicts has something to do, or to look at, for this remark."""
    row = conflict_of(slug, held=False)
    if row is None or not row.proposals:
        return False
    # That a held visit is kept as a report is what a dispatcher has just decided.
    return not (origin == "report" and slug == "second-report")


# Built once: to build a statement costs more than to run it.
_command, _device = columns_of(CommandRow), columns_of(DeviceRow)
_KNOWN = (
    select(table_of(CommandRow), _device.technician_id)
    .outerjoin(table_of(DeviceRow), _device.id == _command.device_id)
    .where(_command.id.in_(bindparam("ids", expanding=True)))
)
_SERVICES = (
    select(ServiceRow)
    .where(ServiceRow.id.in_(bindparam("ids", expanding=True)))
    .order_by(ServiceRow.id)
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
_PRODUCTS = select(ProductRow).where(ProductRow.sku.in_(bindparam("skus", expanding=True)))
_PLANS = select(PlanRow)
_INVOICE = select(InvoiceRow).where(InvoiceRow.work_order_id == bindparam("order")).with_for_update()
_technician = columns_of(TechnicianRow)
_VANS = select(_technician.id, _technician.van_id)
_notice = columns_of(NoticeRow)
_TOLD = select(_notice.work_order_id, _notice.template).where(
    _notice.work_order_id.in_(bindparam("orders", expanding=True))
)
_reservation = columns_of(ReservationRow)
_RELEASE = (
    update(table_of(ReservationRow))
    .where(
        _reservation.work_order_id.in_(bindparam("orders", expanding=True)),
        _reservation.released_at.is_(None),
    )
    .values(released_at=bindparam("at"))
)
_rma = columns_of(RmaLineRow)
_WITHDRAW = (
    update(table_of(RmaLineRow))
    .where(
        _rma.work_order_id == bindparam("order"),
        _rma.serial.in_(bindparam("serials", expanding=True)),
        _rma.state == "open",
    )
    .values(state="withdrawn", settled_at=bindparam("at"), settled_by=bindparam("by"))
)
_sender = columns_of(AttachmentSenderRow)
_SENT = select(_sender.digest, _sender.technician_id, _sender.sent_at).where(
    _sender.digest.in_(bindparam("digests", expanding=True))
)
_order = columns_of(WorkOrderRow)
_TAKEN = select(_order.id).where(_order.id == bindparam("id"))
_VISITS_AT = select(_order.id, _order.location_id, _order.technician_id).where(
    _order.location_id.in_(bindparam("places", expanding=True)),
    _order.technician_id.is_not(None),
    or_(_order.finished_at.is_(None), _order.planned_start >= bindparam("since")),
)


def _unless_there(adding: Any) -> Any:
    return adding.on_conflict_do_nothing()


class Books:
    """The open books of one transaction. Nothing is in the database before `write`."""

    def __init__(self, session: Session, settings: Settings, now: datetime) -> None:
        # All that is written from here on has its cause in the log: the commands themselves.
        self._by_rules = entries.by_rules(session)
        self._by_rules.__enter__()
        self.session = session
        self.settings = settings
        self.now = now
        self._orders: dict[UUID, tuple[WorkOrderRow, WorkOrder]] = {}
        self._assets: dict[str, tuple[AssetRow | None, Asset]] = {}
        self._transfers: dict[UUID, tuple[VanTransferRow | None, Handed]] = {}
        self._requests: dict[UUID, tuple[PartRequestRow | None, PartRequest]] = {}
        self._request_pairs: set[part_requests.Pair] = set()
        self._cabinets: dict[str, Cabinet] = {}
        self._customers: dict[UUID, CustomerRow] = {}
        self._looked_up: set[str] = set()
        self._changed_orders: set[UUID] = set()
        self._changed_assets: set[str] = set()
        self._products: dict[str, ProductRow | None] = {}
        self._catalogue: dict[str, Product] = {}
        self._on_hand: dict[UUID, dict[str, int]] = {}
        self._services: dict[UUID, ServiceRow] = {}
        self._plans: dict[str, PlanRow] = {}
        self._vans: dict[UUID, UUID] | None = None
        self._told: dict[UUID, set[str]] | None = None
        self._rows: dict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        self._scoped: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._moved: list[ledger.Booking] = []
        self._drained: list[purchasing.Drain] = []
        self._named: dict[tuple[UUID, str], tuple[int, UUID | None]] = {}
        self._happened: list[tuple[Callable[[], Happening], Callable[[UUID], UUID]]] = []
        self._released: set[UUID] = set()
        self._withdrawn: list[dict[str, Any]] = []
        self._answered: list[_Answered] = []
        self._next_visits: list[_NextVisit] = []
        self._touched: list[briefs.Touched] = []

    # Reading, each row once and locked where it may change

    def known(self, ids: Iterable[UUID]) -> dict[UUID, Known]:
        """Those of `ids` that have their receipt already."""
        return {
            row.id: Known(
                receipt=receipt_of(row),
                digest=row.digest,
                technician_id=row.technician_id,
                work_order_id=row.work_order_id,
            )
            for row in self.session.execute(_KNOWN, {"ids": list(ids)})
        }

    def open_orders(self, ids: Iterable[UUID]) -> None:
        if wanted := sorted({order_id for order_id in ids if order_id not in self._orders}):
            self.session.flush()  # the query reads rows anew, also a service that this batch has moved
            found = repository.lock_all(self.session, wanted)
            self._orders.update((key, (opened.row, opened.order)) for key, opened in found.items())
            # Kept here, for the session itself forgets what nobody holds.
            self._customers.update((o.customer.id, o.customer) for o in found.values())

    def open_assets(self, codes: Iterable[str], *conditions: Any) -> None:
        """Devices by serial, MAC or GPON serial, and those that meet any of `conditions`."""
        wanted = set(codes) - self._looked_up
        self._looked_up |= wanted
        if wanted or conditions:
            found = register.lock(self.session, wanted, *conditions)
            self._assets.update(
                (serial, pair) for serial, pair in found.items() if serial not in self._assets
            )

    def open_transfers(self, ids: Iterable[UUID]) -> None:
        if wanted := sorted(set(ids) - self._transfers.keys()):
            self._transfers.update(transfers.lock(self.session, wanted))

    def transfers(self, ids: Iterable[UUID]) -> dict[UUID, Handed]:
        """Those of `ids` that were booked, as the commands before left them."""
        wanted = set(ids)
        self.open_transfers(wanted)
        return {id: self._transfers[id][1] for id in sorted(wanted) if id in self._transfers}

    def keep_transfer(self, known: Handed, command_id: UUID) -> None:
        """As the half `command_id` left it."""
        stands = self._transfers.get(known.transfer.id)
        row = stands[0] if stands else None
        if row is not None:
            row.given, row.taken = known.given, known.taken
        elif stands is not None:  # this batch has booked it, and its row is still to be written
            [values] = [one for one in self._rows[VanTransferRow] if one["id"] == known.transfer.id]
            values |= {"given": known.given, "taken": known.taken}
        else:
            self.add(VanTransferRow, **transfers.new_values(known, command_id, self.now))
        self._transfers[known.transfer.id] = (row, known)

    def open_part_requests(self, ids: Iterable[UUID], pairs: Iterable[part_requests.Pair]) -> None:
        """Those of `ids`, and the open ones of each (asker, holder)."""
        wanted, fresh = set(ids) - self._requests.keys(), set(pairs) - self._request_pairs
        if wanted or fresh:
            self._request_pairs |= fresh
            self.session.flush()  # the query reads rows anew, also one that this batch has changed
            for id, found in part_requests.lock(self.session, wanted, fresh).items():
                self._requests.setdefault(id, found)

    def part_requests(
        self, ids: Iterable[UUID], pairs: Iterable[part_requests.Pair]
    ) -> dict[UUID, PartRequest]:
        """The same, as the commands before left them."""
        ids, pairs = set(ids), set(pairs)
        self.open_part_requests(ids, pairs)
        return {
            id: request
            for id, (_, request) in sorted(self._requests.items())
            if id in ids or (request.is_open and (request.asker_id, request.holder_id) in pairs)
        }

    def keep_part_request(self, request: PartRequest) -> None:
        """As a command left it."""
        row = self._requests[request.id][0] if request.id in self._requests else None
        if row is not None:
            part_requests.store(row, request)
        elif request.id in self._requests:  # this batch has asked, and its row is still to be written
            [values] = [one for one in self._rows[PartRequestRow] if one["id"] == request.id]
            values |= part_requests.values(request)
        else:
            self.add(PartRequestRow, **part_requests.values(request))
        self._requests[request.id] = (row, request)

    def open_cabinet(self, name: str) -> None:
        if name not in self._cabinets:
            self._cabinets[name] = faults.cabinet(self.session, name, locked=True)

    def cabinet(self, command: NetworkCommand) -> Cabinet:
        """The cabinet that it is about, as the commands before left it. Raises BadValue for an id that is
        taken."""
        name, report_id = command.cabinet, command.report_id
        self.open_cabinet(name)
        now = self._cabinets[name]
        there = faults.cabinet_of(self.session, report_id)
        there = next((one.name for one in self._cabinets.values() if report_id in one.reported), there)
        if there is not None and there != name:
            raise BadValue("Another report has that id: the app must mint a new one", field="report_id")
        return now if there is None else replace(now, reported=(*now.reported, report_id))

    def keep_report(self, event: NetworkFaultReported, after: Cabinet, technician_id: UUID) -> None:
        """A report, with the fault that it opens."""
        self._cabinets[after.name] = after
        if event.again:
            return
        if event.opens:
            self.add(NetworkFaultRow, **faults.fault_values(event))
        self.add(NetworkFaultReportRow, **faults.report_values(event, technician_id))

    def open_services(self, ids: Iterable[UUID]) -> None:
        """Locked in one order. Their plans, and those of the orders, come along."""
        if wanted := sorted(set(ids) - self._services.keys()):
            found = self.session.scalars(_SERVICES, {"ids": wanted})
            self._services.update((row.id, row) for row in found)

    def open_products(self, skus: Iterable[str]) -> None:
        if wanted := {sku for sku in skus if sku not in self._products}:
            self._products.update(dict.fromkeys(wanted))
            found = self.session.scalars(_PRODUCTS, {"skus": sorted(wanted)})
            self._products.update((row.sku, row) for row in found)

    def opened(self, order_id: UUID) -> WorkOrder | None:
        """As the commands before left it, if it was opened and exists."""
        return self._orders[order_id][1] if order_id in self._orders else None

    def check_new_order(self, command: AskForVisit, beside: WorkOrder) -> None:
        """What a technician asks for can become an order beside that one. Raises BadValue or Conflict."""
        order_id = command.new_order_id
        if any(asked.order_id == order_id for asked in beside.asked_for):
            return  # it came before
        added = any(values["id"] == order_id for values in self._rows.get(WorkOrderRow, ()))
        if added or self.session.execute(_TAKEN, {"id": order_id}).first():
            raise BadValue(
                "Another work order has that id: the app must mint a new one", field="new_order_id"
            )
        if command.kind is WorkOrderKind.INSTALL:
            intake.check_not_on_its_way(self.session, beside.service.id, beside=beside.id)

    def row_of(self, order_id: UUID) -> WorkOrderRow:
        return self._opened(order_id)[0]

    def order(self, order_id: UUID) -> WorkOrder:
        """As the commands before left it. Raises NotFound."""
        return self._opened(order_id)[1]

    def _opened(self, order_id: UUID) -> tuple[WorkOrderRow, WorkOrder]:
        if order_id not in self._orders:
            self.open_orders([order_id])
        if order_id not in self._orders:
            raise NotFound(f"There is no work order {order_id}", field="work_order_id")
        return self._orders[order_id]

    def assets(self, serials: Iterable[str]) -> dict[str, Asset]:
        """Those of `serials` that are registered."""
        wanted = set(serials)
        self.open_assets(wanted)
        return {serial: self._assets[serial][1] for serial in sorted(wanted) if serial in self._assets}

    def serial_of(self, code: str) -> str | None:
        """The one device that carries `code` as its serial, MAC or GPON serial."""
        self.open_assets([code])
        found = [
            asset.serial
            for _, asset in self._assets.values()
            if code in (asset.serial, asset.gpon_serial, asset.mac)
        ]
        return found[0] if len(found) == 1 else None

    def claimed_by(self, order_id: UUID) -> list[str]:
        """Serials of devices that are fitted on an open order; open them first."""
        return [serial for serial, (_, asset) in self._assets.items() if asset.claimed_by == order_id]

    def products(self, skus: Iterable[str]) -> dict[str, Product]:
        wanted = set(skus)
        self.open_products(wanted)
        return {sku: self._product(row) for sku in wanted if (row := self._products[sku])}

    def _product(self, row: ProductRow) -> Product:
        if row.sku not in self._catalogue:
            self._catalogue[row.sku] = product_of(row)
        return self._catalogue[row.sku]

    def product_rows(self, skus: Iterable[str]) -> dict[str, ProductRow]:
        wanted = set(skus)
        self.open_products(wanted)
        return {sku: row for sku in sorted(wanted) if (row := self._products[sku])}

    def on_hand(self, place_id: UUID) -> Mapping[str, int]:
        """SKU → units at one place, with what this batch has moved."""
        if place_id not in self._on_hand:
            held = ledger.balances(self.session, place_id)
            for booking in self._moved:
                for move in booking.moves:
                    _shift(held, move, place_id)
            self._on_hand[place_id] = held
        return self._on_hand[place_id]

    def service(self, service_id: UUID) -> ServiceRow:
        self.open_services([service_id])
        return self._services[service_id]

    def tariff(self, code: str) -> Tariff:
        return tariff_of(self.plan(code))

    def prices(self) -> Prices:
        """What a visit costs is reckoned by these, and by the catalogue."""
        if not self._plans:
            self._plans = {row.code: row for row in self.session.scalars(_PLANS)}
        return Prices(
            tariffs={code: tariff_of(plan) for code, plan in self._plans.items()},
            tax_basis_points=self.settings.tax_basis_points,
            zone=self.settings.zone,
        )

    def invoice(self, order_id: UUID) -> InvoiceRow:
        """The draft that a completed visit has, to be changed."""
        return self.session.scalars(_INVOICE, {"order": order_id}).one()

    def plan(self, code: str) -> PlanRow:
        if code not in self._plans:
            self._plans = {row.code: row for row in self.session.scalars(_PLANS)}
        return self._plans[code]

    def customer(self, customer_id: UUID) -> CustomerRow:
        return self._customers[customer_id]

    def van_of(self, technician_id: UUID) -> UUID | None:
        return self._vans_by_technician().get(technician_id)

    def driver_of(self, van_id: UUID) -> UUID | None:
        return next((who for who, van in self._vans_by_technician().items() if van == van_id), None)

    def _vans_by_technician(self) -> dict[UUID, UUID]:
        if self._vans is None:
            self._vans = {who: van for who, van in self.session.execute(_VANS)}
        return self._vans

    def tell_once(self, order_id: UUID, template: str) -> bool:
        """Whether this message about the order is still to be told; from now on it is not."""
        if self._told is None:
            self._told = defaultdict(set)
            for found, told in self.session.execute(_TOLD, {"orders": sorted(self._orders)}):
                self._told[found].add(told)
        fresh = template not in self._told[order_id]
        self._told[order_id].add(template)
        return fresh

    # Writing down

    def add(self, kind: type[Base], /, **values: Any) -> None:
        """One new row. Rows of one kind name the same columns."""
        self._rows[kind].append(values)

    def keep(self, before: Situation, after: Situation, name: UUID) -> None:
        """The order and the devices as a decision left them."""
        self._orders[after.order.id] = (self.row_of(after.order.id), after.order)
        self._changed_orders.add(after.order.id)
        if after.assets is before.assets:
            return  # as most commands leave them
        self.keep_assets(before.assets, after.assets, name)
        self._show_on_site(before, after)

    def keep_assets(self, before: Mapping[str, Asset], after: Mapping[str, Asset], name: UUID) -> None:
        """The devices as a decision left them. `name`: the command, that new ones are named after."""
        for serial, asset in after.items():
            if asset == before.get(serial):
                continue
            row = self._assets[serial][0] if serial in self._assets else None
            if row is None and serial not in self._assets:
                asset = replace(asset, id=name_id(name, self.now, f"asset {serial}"))
            self._assets[serial] = (row, asset)
            self._changed_assets.add(serial)

    def _show_on_site(self, before: Situation, after: Situation) -> None:
        """Other orders at this address that are open here see what hangs there now."""
        place = after.order.place.id
        came = {
            serial
            for serial, asset in after.assets.items()
            if asset.holder_id == place and asset.state is AssetState.INSTALLED
        }
        left = {
            serial
            for serial, asset in before.assets.items()
            if asset.holder_id == place and after.assets[serial].holder_id != place
        }
        if not came and not left:
            return
        for order_id, (row, order) in self._orders.items():
            if order.place.id == place:
                serials = tuple(sorted((set(order.on_site_serials) | came) - left))
                self._orders[order_id] = (row, replace(order, on_site_serials=serials))

    def show_contact(self, corrected: WorkOrder) -> None:
        """Other orders of this customer, or at this address, that are open here see it as it is now."""
        for order_id, (row, order) in self._orders.items():
            if order.contact.customer_id == corrected.contact.customer_id:
                order = replace(order, contact=corrected.contact)
            if order.place.id == corrected.place.id:
                order = replace(order, place=corrected.place)
            self._orders[order_id] = (row, order)

    def move(self, booking: ledger.Booking) -> None:
        self._moved.append(booking)
        for place_id, held in self._on_hand.items():
            for move in booking.moves:
                _shift(held, move, place_id)

    def drain(self, drain: purchasing.Drain) -> None:
        """Stock that left us for good: what has fallen to its reorder point is bought at the end."""
        self._drained.append(drain)

    def release(self, order_id: UUID) -> None:
        """Free what is promised to an order, in the database and in this batch."""
        self._released.add(order_id)
        for promise in self._rows[ReservationRow]:
            if promise["work_order_id"] == order_id and promise["released_at"] is None:
                promise["released_at"] = self.now

    def withdraw_returns(self, order_id: UUID, serials: Sequence[str], *, by: str) -> None:
        """Open RMA lines of devices that the visit has brought back, in the database and in this batch."""
        self._withdrawn.append({"order": order_id, "serials": list(serials), "at": self.now, "by": by})
        for line in self._rows[RmaLineRow]:
            if line["work_order_id"] == order_id and line["serial"] in serials and line["state"] == "open":
                line |= {"state": "withdrawn", "settled_at": self.now, "settled_by": by}

    def tell(
        self, scopes: Iterable[str], kind: str, key: str, topic: str, *, actor: str, facts: dict[str, Any]
    ) -> None:
        """A feed entry for each scope. A phone asks for rows, so one entry a row is enough for it."""
        for scope in dict.fromkeys(scopes):
            entry = {
                "scope": scope,
                "kind": kind,
                "key": key,
                "topic": topic,
                "at": self.now,
                "actor": actor,
                "facts": facts,
            }
            if scope == feed.BOARD:
                self._rows[FeedRow].append(entry)
            else:
                self._scoped[scope, kind, key] = entry

    def tell_next_visits(
        self, place_id: UUID, order_id: UUID, serials: Sequence[str], topic: str, actor: str
    ) -> None:
        self._next_visits.append(_NextVisit(place_id, order_id, tuple(serials), topic, actor))

    def tell_briefs(self, order: WorkOrder, topic: str, actor: str) -> None:
        """What phones know of this order's place, customer and cabinet is another now."""
        self._touched.append(
            briefs.Touched(
                place_id=order.place.id,
                customer_id=order.contact.customer_id,
                cabinet=order.place.cabinet,
                is_fault=order.kind is WorkOrderKind.REPAIR,
                topic=topic,
                actor=actor,
            )
        )

    def tell_cabinet(self, cabinet: str, topic: str, actor: str) -> None:
        """What phones know of this cabinet is another now."""
        self._touched.append(briefs.Touched(cabinet=cabinet, is_fault=True, topic=topic, actor=actor))

    def await_evidence(
        self, technician_id: UUID, digest: str, size_bytes: int, work_order_id: UUID | None
    ) -> None:
        """A photo or signature was named: its bytes are asked for until they have come."""
        self._named.setdefault((technician_id, digest), (size_bytes, work_order_id))

    def announce(self, happening: Callable[[], Happening], message_id: Callable[[UUID], UUID]) -> None:
        """A fact for the webhooks, put into words only where there are any. `message_id`: webhook → the id
        of its message.
        """
        self._happened.append((happening, message_id))

    def log(self, **values: Any) -> None:
        """The command itself, with its receipt, and what its remarks ask the office for."""
        self._rows[CommandRow].append(values)
        for number, remark in enumerate(values["remarks"]):
            if asks_somebody(remark["slug"], values["origin"]):
                self.add(
                    FollowUpRow,
                    id=name_id(values["id"], values["decided_at"], f"follow-up {number}"),
                    command_id=values["id"],
                    work_order_id=values["work_order_id"],
                    actor=values["actor"],
                    slug=remark["slug"],
                    detail=remark["detail"],
                    raised_at=values["decided_at"],
                    done_at=None,
                    done_by=None,
                    outcome=None,
                    note=None,
                )

    def answer(self, work_order_id: UUID, remark: Remark, *, by: str, outcome: str) -> None:
        """What `remark` asks of an order is done, whoever raised it, in the database and in this batch."""
        self._answered.append(_Answered(work_order_id, remark, by, outcome))
        for row in self._rows[FollowUpRow]:
            said = (row["work_order_id"], row["slug"], row["detail"])
            if said == (work_order_id, remark.slug, remark.detail) and row["done_at"] is None:
                row |= {"done_at": self.now, "done_by": by, "outcome": outcome}

    @property
    def told(self) -> set[str]:
        """The phones' scopes that something was told to."""
        return {scope for scope, _, _ in self._scoped}

    # Into the database

    def write(self) -> None:
        """A statement a table. Balances, products and the command log come last and in one order."""
        for order_id in sorted(self._changed_orders):
            repository.store(*self._orders[order_id])
        for serial in sorted(self._changed_assets):
            row, asset = self._assets[serial]
            if row is None:
                self.add(AssetRow, **register.new_values(asset, self.now))
            else:
                register.store(row, asset)
        self.session.flush()
        self._tell_next_visits()
        self._tell_briefs()
        if self._released:
            self.session.execute(_RELEASE, {"orders": sorted(self._released), "at": self.now})
        for withdrawn in self._withdrawn:
            self.session.execute(_WITHDRAW, withdrawn)
        self._write_answers()
        self._write_named_evidence()
        self._address_happenings()
        commands = self._rows.pop(CommandRow, [])
        entries = [*self._rows.pop(FeedRow, []), *self._scoped.values()]
        for kind in sorted(self._rows, key=lambda kind: places_by_dependence()[kind.__tablename__]):
            rows.add(self.session, kind, self._rows[kind])
        ledger.write(self.session, self._moved)
        purchasing.reorder(self.session, self._drained, self.now)
        feed.append_all(self.session, entries)
        if commands:
            numbers = next_numbers(self.session, len(commands))
            for values, number in zip(commands, numbers, strict=True):
                values["number"] = number
            rows.add(self.session, CommandRow, commands)
        self._by_rules.__exit__(None, None, None)

    def _write_answers(self) -> None:
        for done in self._answered:
            self.session.execute(
                update(FollowUpRow)
                .where(
                    FollowUpRow.work_order_id == done.work_order_id,
                    FollowUpRow.slug == done.remark.slug,
                    FollowUpRow.detail == done.remark.detail,
                    FollowUpRow.done_at.is_(None),
                )
                .values(done_at=self.now, done_by=done.by, outcome=done.outcome)
                .execution_options(synchronize_session=False)
            )

    def _write_named_evidence(self) -> None:
        """Bytes that this technician has sent before their command came are no longer asked for."""
        if not self._named:
            return
        digests = sorted({digest for _, digest in self._named})
        sent = self.session.execute(_SENT, {"digests": digests})
        here = {(who, digest): at for digest, who, at in sent}
        named = [
            {
                "technician_id": technician_id,
                "digest": digest,
                "work_order_id": work_order_id,
                "size_bytes": size_bytes,
                "named_at": self.now,
                "arrived_at": here.get((technician_id, digest)),
            }
            for (technician_id, digest), (size_bytes, work_order_id) in sorted(self._named.items())
        ]
        rows.add(self.session, EvidenceRow, named, _unless_there)

    def _address_happenings(self) -> None:
        if not self._happened:
            return
        if not (subscriptions := writing.subscriptions(self.session)):
            return
        happened = [(happening(), message_id) for happening, message_id in self._happened]
        source = self.settings.base_url
        for subscription in subscriptions:
            for happening, message_id in happened:
                if subscription.wants(happening):
                    found = message_id(subscription.webhook_id)
                    row = writing.webhook_row(subscription.webhook_id, happening, found, self.now, source)
                    self.add(OutboxRow, **row)

    def _tell_next_visits(self) -> None:
        """What hangs on the wall, and whether the service runs, is on the card of whoever comes next, and of
        whoever was there lately: a phone keeps a finished visit for a week.
        """
        if not self._next_visits:
            return
        places = sorted({visit.place_id for visit in self._next_visits})
        visits = self.session.execute(_VISITS_AT, {"places": places, "since": self.now - LATELY}).all()
        for other_id, place_id, technician_id in visits:
            scope = [feed.technician_scope(technician_id)]
            for visit in self._next_visits:
                if visit.place_id == place_id and visit.order_id != other_id:
                    self.tell(scope, "work_order", str(other_id), visit.topic, actor=visit.actor, facts={})
                    for serial in visit.serials:
                        self.tell(scope, "asset", serial, visit.topic, actor=visit.actor, facts={})

    def _tell_briefs(self) -> None:
        if not self._touched:
            return
        last = self._touched[-1]
        for technician_id, place_id in briefs.shown_by(self.session, self._touched, self.now):
            scope = [feed.technician_scope(technician_id)]
            self.tell(scope, briefs.KIND, str(place_id), last.topic, actor=last.actor, facts={})


def _shift(held: dict[str, int], move: StockMove, place_id: UUID) -> None:
    if move.source_id == place_id:
        held[move.sku] = held.get(move.sku, 0) - move.quantity
    if move.target_id == place_id:
        held[move.sku] = held.get(move.sku, 0) + move.quantity
