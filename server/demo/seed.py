"""The demo's town, people and day → rows of an empty database, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from sqlalchemy.orm import Session

from server.access.people import add_person
from server.access.roles import Role
from server.assets.models import AssetRow
from server.billing.journal import Account, Posting, post
from server.clock import mint
from server.customers.models import CustomerRow, PlanRow, ServiceLocationRow, ServiceRow
from server.demo.catalogue import Catalogue
from server.demo.orders import DemoDay, DemoOrder
from server.demo.people import DemoTechnician, People, Stock
from server.demo.serials import Device
from server.dispatch.models import TechnicianRow
from server.purchasing.models import VendorRow
from server.settings import Settings
from server.stock import ledger
from server.stock.models import ProductRow, StockPlaceRow
from server.town.model import Address
from server.work_orders.intake import CustomerOrder, place
from shared.assets import AssetState, HolderKind
from shared.catalogue import Tracking
from shared.money import Money
from shared.situation import UNRECEIVED_PLACE
from shared.stock import StockMove
from shared.work_orders import ServiceState, WorkOrderKind

PASSWORD = "demo-demo-demo"
DEPOT_HOURS = "Mon–Fri 6:30–17"
"""Of every staff account of the demo; it is printed on the screen, and the demo listens on loopback only."""
CALL_OUT_MINOR = 3_900
"""For a drive to a job that was called off meanwhile; net, whatever the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What the demo points at: technicians by user name, the dispatcher's mail, orders by number."""

    technicians: dict[str, UUID]
    dispatcher_email: str
    orders: dict[str, UUID]
    absent: tuple[str, ...]


def seed(session: Session, catalogue: Catalogue, people: People, day: DemoDay, now: datetime) -> Seeded:
    """Fill an empty, migrated database."""
    return _Seeder(session, catalogue, people, day, now).run()


class _Seeder:
    """Holds the ids minted so far, by the numbers that the generators use."""

    def __init__(
        self, session: Session, catalogue: Catalogue, people: People, day: DemoDay, now: datetime
    ) -> None:
        self.session = session
        self.catalogue = catalogue
        self.people = people
        self.day = day
        self.now = now
        self.vendors: dict[str, UUID] = {}
        self.technicians: dict[str, UUID] = {}
        self.customers: dict[str, UUID] = {}
        self.locations: dict[str, UUID] = {}
        self.services: dict[str, UUID] = {}
        self.orders: dict[str, UUID] = {}

    def run(self) -> Seeded:
        self._catalogue()
        self._office()
        depot_id = self._depot()
        self._stock(depot_id, HolderKind.DEPOT, self.people.depot.stock)
        for technician in self.people.technicians:
            self._technician(technician)
        self._customers()
        for order in self.day.orders:
            self._order(order)
        return Seeded(
            technicians=self.technicians,
            dispatcher_email=next(p.email for p in self.people.office if p.role == "dispatcher"),
            orders=self.orders,
            absent=tuple(order.number for order in self.day.orders if order.customer_absent),
        )

    def _catalogue(self) -> None:
        vans = [technician.van.stock.amounts() for technician in self.people.technicians]
        for vendor in self.catalogue.vendors:
            self.vendors[vendor.code] = vendor_id = mint()
            self.session.add(VendorRow(id=vendor_id, name=vendor.name, email=vendor.email))
            self._place(HolderKind.VENDOR, vendor.name, vendor_id)
        self.session.flush()
        for item in self.catalogue.items:
            carried = [amounts.get(item.sku, 0) for amounts in vans]
            self.session.add(
                ProductRow(
                    sku=item.sku,
                    name=item.name,
                    tracking=item.tracking,
                    unit=item.unit,
                    maker=item.maker,
                    model=item.model,
                    gtin=item.gtin,
                    cost_minor=item.cost_minor,
                    price_minor=item.price_minor,
                    currency=self.catalogue.currency,
                    vendor_id=self.vendors[item.vendor],
                    # The catalogue names the depot's point; ours is over all places, the vans' on top.
                    reorder_point=item.reorder_point + sum(carried),
                    reorder_quantity=item.reorder_quantity,
                    van_par=sum(carried) // max(len(carried), 1),
                    lead_days=item.lead_days,
                )
            )
        for plan in self.catalogue.plans:
            self.session.add(
                PlanRow(
                    code=plan.code,
                    name=plan.name,
                    down_mbps=plan.down_mbps,
                    monthly_minor=plan.monthly_minor,
                    currency=self.catalogue.currency,
                    fees_minor={
                        WorkOrderKind.INSTALL.value: plan.one_off_minor,
                        WorkOrderKind.UPGRADE.value: plan.one_off_minor // 2,
                        "call_out": CALL_OUT_MINOR,
                    },
                    equipment={"ONT": list(plan.ont_skus), "router": list(plan.router_skus)},
                )
            )
        self.session.flush()

    def _office(self) -> None:
        for person in self.people.office:
            add_person(
                self.session, name=person.name, email=person.email, role=Role(person.role), password=PASSWORD
            )

    def _place(self, kind: HolderKind, name: str, place_id: UUID | None = None) -> UUID:
        place_id = place_id or mint()
        self.session.add(StockPlaceRow(id=place_id, kind=kind, name=name))
        return place_id

    def _depot(self) -> UUID:
        depot = self.people.depot
        depot_id = mint()
        self.session.add(
            StockPlaceRow(
                id=depot_id,
                kind=HolderKind.DEPOT,
                name=depot.name,
                address=depot.address.line,
                hours=DEPOT_HOURS,
                lat=depot.address.lat,
                lon=depot.address.lon,
            )
        )
        return depot_id

    def _stock(self, place_id: UUID, kind: HolderKind, stock: Stock) -> None:
        """Opening stock comes from its vendors, at cost."""
        self.session.flush()
        vendor_of = {item.sku: self.vendors[item.vendor] for item in self.catalogue.items}
        cost_of = {item.sku: item.cost_minor for item in self.catalogue.items}
        moves = [
            StockMove(sku=line.sku, quantity=line.quantity, source_id=vendor_of[line.sku], target_id=place_id)
            for line in stock.parts
        ]
        for device in stock.devices:
            moves.append(
                StockMove(
                    sku=device.sku,
                    quantity=1,
                    source_id=vendor_of[device.sku],
                    target_id=place_id,
                    serial=device.serial,
                )
            )
            self._asset(device, AssetState.IN_STOCK, kind, place_id)
        cause = mint()
        ledger.book(self.session, moves, cause=cause, at=self.now)
        worth = Money(sum(cost_of[move.sku] * move.quantity for move in moves), self.catalogue.currency)
        post(
            self.session,
            cause,
            [Posting(Account.STOCK, worth), Posting(Account.OPENING, -worth)],
            at=self.now,
        )

    def _asset(self, device: Device, state: AssetState, kind: HolderKind, place_id: UUID) -> None:
        self.session.add(
            AssetRow(
                id=mint(),
                serial=device.serial,
                sku=device.sku,
                gpon_serial=device.gpon_serial,
                mac=device.mac,
                batch=device.batch,
                state=state,
                holder_kind=kind,
                holder_id=place_id,
                claimed_by=None,
                received_at=self.now,
            )
        )

    def _technician(self, person: DemoTechnician) -> None:
        van_id = self._place(HolderKind.VAN, f"{person.van.code} {person.van.plate}")
        self._stock(van_id, HolderKind.VAN, person.van.stock)
        depot = self.people.depot.address
        start = person.home if person.starts_at_home else depot
        end = person.home if person.ends_at_home else depot
        self.technicians[person.username] = technician_id = mint()
        shift = person.shift
        self.session.add(
            TechnicianRow(
                id=technician_id,
                name=person.name,
                phone=person.phone,
                skills=person.levels,
                shift_start_minute=_minute(shift.start),
                shift_end_minute=_minute(shift.end),
                lunch_from_minute=_minute(shift.lunch_from),
                lunch_until_minute=_minute(shift.lunch_until),
                lunch_minutes=shift.lunch_minutes,
                start_lat=start.lat,
                start_lon=start.lon,
                end_lat=end.lat,
                end_lon=end.lon,
                van_id=van_id,
            )
        )

    def _customers(self) -> None:
        for customer in self.day.customers:
            self.customers[customer.number] = customer_id = mint()
            self.session.add(
                CustomerRow(
                    id=customer_id,
                    name=customer.name,
                    phone=customer.phone,
                    email=customer.email,
                    language=customer.language,
                )
            )
        for site in self.day.locations:
            self.locations[site.number] = location_id = mint()
            address: Address = site.address
            unit = f" {site.unit}" if site.unit else ""
            house_number = f"{address.housenumber}{unit}"
            self._place(HolderKind.CUSTOMER, f"{address.street} {house_number}", location_id)
            self.session.add(
                ServiceLocationRow(
                    id=location_id,
                    street=address.street,
                    house_number=house_number,
                    postcode=address.postcode,
                    city=address.city,
                    lat=address.lat,
                    lon=address.lon,
                    access_notes=site.access_note,
                    cabinet=site.splitter,
                )
            )
        self.session.flush()
        for service in self.day.services:
            self.services[service.number] = service_id = mint()
            location_id = self.locations[service.location]
            active = service.state is ServiceState.ACTIVE
            self.session.add(
                ServiceRow(
                    id=service_id,
                    customer_id=self.customers[service.customer],
                    location_id=location_id,
                    plan_code=service.plan,
                    state=service.state,
                    active_from=self.now if active else None,
                    ended_at=None,
                )
            )
            self._installed(service.installed, location_id)
        self.session.flush()

    def _installed(self, devices: tuple[Device, ...], location_id: UUID) -> None:
        """What hung there before this database began comes from nowhere we know."""
        for device in devices:
            self._asset(device, AssetState.INSTALLED, HolderKind.CUSTOMER, location_id)
        moves = [
            StockMove(
                sku=device.sku,
                quantity=1,
                source_id=UNRECEIVED_PLACE,
                target_id=location_id,
                serial=device.serial,
            )
            for device in devices
        ]
        ledger.book(self.session, moves, cause=mint(), at=self.now)

    def _order(self, order: DemoOrder) -> None:
        """By the same door as an order that somebody takes on the telephone."""
        placed = place(
            self.session,
            Settings(time_zone=self.day.zone),
            CustomerOrder(
                kind=order.kind,
                customer_id=self.customers[order.customer],
                service_id=self.services[order.service],
                plan_code=order.plan,
                window_start=order.window.start,
                window_end=order.window.end,
                summary=order.summary,
                priority=order.priority,
                expected_minutes=order.expected_minutes,
                sla_due_at=order.sla_due_at,
                skills={need.name: need.level for need in order.skills},
                equipment={need.role: list(need.skus) for need in order.equipment},
                parts={line.sku: line.quantity for line in order.parts if self._is_counted(line.sku)},
            ),
            actor="the demo",
            now=self.now,
            number=order.number,
        )
        self.orders[order.number] = placed.id

    def _is_counted(self, sku: str) -> bool:
        return self.catalogue.item(sku).tracking is Tracking.COUNTED


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute
