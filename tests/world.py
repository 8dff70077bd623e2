"""A small explicit world in a database: what each row is, a reader sees here; what a test is about, it says.

world = World(database_url)                 # vendors, products, depot, plans; Ana and Ben with van and phone
job = world.order()                         # Ana's installation on MONDAY, 09:00 to 11:00 in Helsinki
receipts = world.ana.send(*world.visit(job))

Opening stock came from the vendors' places, so that every SKU sums to zero over all places.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text

from server.access.models import DeviceRow
from server.access.tokens import digest
from server.assets.models import AssetRow
from server.billing.models import JournalLineRow
from server.customers.models import CustomerRow, PlanRow, ServiceLocationRow, ServiceRow
from server.db.engine import Database, Session
from server.db.tables import metadata
from server.dispatch.models import TechnicianRow
from server.field.unit import DeviceUnits
from server.purchasing.models import VendorRow
from server.settings import Settings
from server.stock import ledger, transfers
from server.stock.models import ProductRow, ReservationRow, StockMoveRow, StockPlaceRow
from server.work_orders.models import WorkOrderRow
from server.work_orders.repository import Requirements, VisitRecord, to_json
from shared.assets import AssetState, HolderKind
from shared.catalogue import Tracking, Unit
from shared.clocks import Contact
from shared.commands import (
    SCHEMA,
    AddEvidence,
    Arrive,
    CloseWorkOrder,
    FieldCommand,
    InstallAsset,
    RecordCheck,
    RemoveAsset,
    StartTravel,
    UseParts,
)
from shared.ids import new_id
from shared.skills import SkillNeed
from shared.stock import StockMove
from shared.stock_commands import HandOver, TakeOver
from shared.transfers import HandedDevice, Offer, Transfer, seal_offer, seal_taken
from shared.work_orders import (
    RULES_BY_KIND,
    EquipmentNeed,
    EvidenceKind,
    PartLine,
    ServiceState,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
    checks_for,
)
from sync.protocol import PushedCommand, Receipt, encode
from sync.server.push import push

MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
"""09:00 in Helsinki: the 16th of a month with 30 days leaves 15 of 30 to be billed."""

FIBRECO, CONNEX = "Fibreco", "Connex"
ONT_A, ONT_B, ROUTER, CABLE, CONNECTOR = "ONT-A", "ONT-B", "ROUTER", "CABLE-M", "CONN-SC"
HOME_100, HOME_500 = "HOME-100", "HOME-500"
COUNTED_PER_VAN = {CABLE: 200, CONNECTOR: 20}
PHOTO, SIGNATURE = "a1" * 32, "b2" * 32


def uid(name: str) -> UUID:
    """The same UUIDv7 for the same name, in every run."""
    return new_id(1_763_000_000_000, sha256(name.encode()).digest()[:10])


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The ids around one work order."""

    id: UUID
    number: str
    kind: WorkOrderKind
    customer_id: UUID
    location_id: UUID
    service_id: UUID
    on_site: tuple[str, ...]


class Phone:
    """One technician with van, device and token. Counts its commands like a real one."""

    def __init__(self, world: World, name: str) -> None:
        key = name.split(" ")[0].lower()
        self._world = world
        self.name = name
        self.technician_id = uid(f"technician {key}")
        self.van_id = uid(f"van {key}")
        self.van_name = f"Van {key}"
        self.device_id = uid(f"device {key}")
        self.token = f"token of {key}"
        self.headers = {"authorization": f"Bearer {self.token}"}
        self.ont = f"{key.upper()}0001"
        """An ONT-A on this van; 0002 is the next. 0003 is an ONT-B."""
        self._seq = 0

    def envelope(self, command: FieldCommand, made_at: datetime | None = None) -> PushedCommand:
        self._seq += 1
        return PushedCommand(
            id=uid(f"{self.device_id} {self._seq}"),
            seq=self._seq,
            type=command.type,
            schema=SCHEMA,
            made_at=made_at or self._world.now,
            base_version=0,
            body=msgspec.Raw(encode(command)),
        )

    def envelopes(
        self, *commands: FieldCommand, start: datetime | None = None, step_minutes: int = 1
    ) -> list[PushedCommand]:
        """One a minute from `start`, by the phone's clock."""
        begin = start or self._world.now
        return [
            self.envelope(command, begin + timedelta(minutes=step_minutes * number))
            for number, command in enumerate(commands)
        ]

    def units(self, now: datetime) -> DeviceUnits:
        return DeviceUnits(self._world.database, self._world.settings, self.device_id, now)

    def deliver(
        self,
        envelopes: Sequence[PushedCommand],
        *,
        now: datetime | None = None,
        device_now: datetime | None = None,
    ) -> list[Receipt]:
        """Through the real push, at the server's time `now` (default: a day after the world's)."""
        arrived = now or self._world.now + timedelta(days=1)
        contact = Contact(device_now=device_now or arrived, server_now=arrived)
        return push(envelopes, self.units(arrived), contact)

    def send(self, *commands: FieldCommand, start: datetime | None = None) -> list[Receipt]:
        """New envelopes, delivered."""
        return self.deliver(self.envelopes(*commands, start=start))


class World:
    """Rows of one internet provider in `url`, a migrated and empty database."""

    def __init__(
        self,
        url: str,
        *,
        now: datetime = MONDAY,
        crew: Sequence[str] = ("Ana Virtanen", "Ben Korhonen"),
        data_folder: Path = Path("nowhere"),
        **settings: Any,
    ) -> None:
        self.now = now
        self.database = Database(url)
        self.settings = Settings(database_url=url, data_folder=data_folder, secret="of the tests", **settings)
        self.phones = [Phone(self, name) for name in crew]
        self.ana = self.phones[0]
        self.ben = self.phones[-1]
        self.depot_id = uid("depot")
        self._orders = 0
        with self.database.write() as session:
            self._vendors_and_products(session)
            self._plans(session)
            self._place(session, self.depot_id, HolderKind.DEPOT, "Depot")
            for phone in self.phones:
                self._technician(session, phone)

    def close(self) -> None:
        self.database.close()

    # The office's rows

    def _place(self, session: Session, id: UUID, kind: HolderKind, name: str) -> None:
        session.add(StockPlaceRow(id=id, kind=kind, name=name))
        session.flush()

    def _vendors_and_products(self, session: Session) -> None:
        for name in (FIBRECO, CONNEX):
            session.add(VendorRow(id=uid(name), name=name, email=f"orders@{name.lower()}.test"))
            self._place(session, uid(f"place of {name}"), HolderKind.VENDOR, name)
        serialised, counted = Tracking.SERIALISED, Tracking.COUNTED
        # sku, name, tracking, unit, maker, model, cost, price, vendor, reorder point, lot, van par
        for row in (
            (ONT_A, "ONT, Wi-Fi 5", serialised, Unit.EACH, "Nokia", "G-2425", 4_500, 8_900, FIBRECO, 1, 5, 3),
            (ONT_B, "ONT, Wi-Fi 6", serialised, Unit.EACH, "Huawei", "HG8", 5_500, 9_900, FIBRECO, 0, 5, 2),
            (ROUTER, "Router", serialised, Unit.EACH, "AVM", "7530", 6_000, 11_900, CONNEX, 0, 5, 0),
            (CABLE, "Drop cable", counted, Unit.METRE, "Prysmian", "FD1", 30, 65, FIBRECO, 50, 500, 200),
            (CONNECTOR, "Connector SC", counted, Unit.EACH, "Corning", "UC", 210, 420, CONNEX, 10, 100, 20),
        ):
            sku, name, tracking, unit, maker, model, cost, price, vendor, point, lot, par = row
            session.add(
                ProductRow(
                    sku=sku, name=name, tracking=tracking, unit=unit, maker=maker, model=model, gtin=None,
                    cost_minor=cost, price_minor=price, currency="EUR", vendor_id=uid(vendor),
                    reorder_point=point, reorder_quantity=lot, van_par=par, lead_days=5,
                )
            )  # fmt: skip
        session.flush()

    def _plans(self, session: Session) -> None:
        for code, name, mbps, monthly, devices in (
            (HOME_100, "Home 100", 100, 3_000, [ONT_A, ONT_B]),
            (HOME_500, "Home 500", 500, 4_500, [ONT_B]),
        ):
            fees = {"install": 9_900, "upgrade": 2_500, "disconnect": 1_900}
            session.add(
                PlanRow(
                    code=code, name=name, down_mbps=mbps, monthly_minor=monthly, currency="EUR",
                    fees_minor=fees, equipment={"ONT": devices},
                )
            )  # fmt: skip

    def _technician(self, session: Session, phone: Phone) -> None:
        self._place(session, phone.van_id, HolderKind.VAN, phone.van_name)
        session.add(
            TechnicianRow(
                id=phone.technician_id, name=phone.name, phone="+358401", skills={"fibre_install": 3},
                shift_start_minute=480, shift_end_minute=960, lunch_from_minute=660, lunch_until_minute=780,
                lunch_minutes=30, start_lat=60.17, start_lon=24.94, end_lat=60.17, end_lon=24.94,
                van_id=phone.van_id, active=True,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            DeviceRow(
                id=phone.device_id, technician_id=phone.technician_id, name=f"{phone.name}'s phone",
                platform="test", token_hash=digest(phone.token), registered_at=self.now,
                token_expires_at=datetime.now(UTC) + timedelta(days=180),
            )
        )  # fmt: skip
        stem = phone.ont.removesuffix("0001")
        for number, sku in ((1, ONT_A), (2, ONT_A), (3, ONT_B)):
            self.receive(session, phone.van_id, sku, serial=f"{stem}{number:04d}")
        for sku, quantity in COUNTED_PER_VAN.items():
            self.receive(session, phone.van_id, sku, quantity=quantity)

    def receive(
        self,
        session: Session,
        place_id: UUID,
        sku: str,
        *,
        quantity: int = 1,
        serial: str | None = None,
        state: AssetState = AssetState.IN_STOCK,
        holder: HolderKind = HolderKind.VAN,
        **codes: str,
    ) -> None:
        """Goods from the SKU's vendor, straight to `place_id`; `codes`: mac, gpon_serial, batch."""
        if serial:
            session.add(
                AssetRow(
                    id=uid(f"asset {serial}"), serial=serial, sku=sku, state=state, holder_kind=holder,
                    holder_id=place_id, received_at=self.now,
                    **{"gpon_serial": None, "mac": None, "batch": None} | codes,
                )
            )  # fmt: skip
        vendor = session.scalars(
            select(VendorRow.name).join(ProductRow, ProductRow.vendor_id == VendorRow.id).where(
                ProductRow.sku == sku
            )
        ).one()  # fmt: skip
        move = StockMove(
            sku=sku,
            quantity=quantity,
            source_id=uid(f"place of {vendor}"),
            target_id=place_id,
            serial=serial,
        )
        ledger.book(session, [move], cause=uid(f"receipt {place_id} {sku} {serial}"), at=self.now)
        session.flush()

    def buy(self, sku: str, quantity: int) -> None:
        """Goods received at the depot."""
        with self.database.write() as session:
            self.receive(session, self.depot_id, sku, quantity=quantity, holder=HolderKind.DEPOT)

    def handing(
        self, sku: str, *, offered: int, taken: int, serial: str | None = None, name: str = "transfer"
    ) -> tuple[HandOver, TakeOver]:
        """Both halves of a transfer from Ana to Ben, sealed as their phones do; `serial`: an ONT-A."""
        devices = (HandedDevice(serial=serial, sku=ONT_A),) if serial else ()
        offer = Offer(
            id=uid(name), giver_id=self.ana.technician_id, giver_van_id=self.ana.van_id, offered_at=self.now,
            lines=(PartLine(sku=sku, quantity=offered),), devices=devices,
        )  # fmt: skip
        transfer = Transfer(
            offer=offer, taker_id=self.ben.technician_id, taker_van_id=self.ben.van_id,
            lines=(PartLine(sku=sku, quantity=taken),), devices=devices,
        )  # fmt: skip
        with self.database.read() as session:
            giver_key, taker_key = (
                transfers.key_of(session, phone.technician_id) for phone in (self.ana, self.ben)
            )
        giver_seal = seal_offer(giver_key, offer)
        taker_seal = seal_taken(taker_key, transfer, giver_seal)
        return (
            HandOver(transfer=transfer, giver_seal=giver_seal, taker_seal=taker_seal),
            TakeOver(transfer=transfer, giver_seal=giver_seal, taker_seal=taker_seal),
        )

    # Work orders

    def order(
        self,
        kind: WorkOrderKind = WorkOrderKind.INSTALL,
        *,
        phone: Phone | None = None,
        start: datetime | None = None,
        language: str = "fi",
        on_site: Sequence[str] | None = None,
        plan: str | None = None,
        running: str = HOME_100,
        reserve: bool = True,
        **requirements: Any,
    ) -> Job:
        """A new customer and their work order, assigned to `phone`'s technician (default: Ana) for two hours.

        `on_site`: serials of ONT-A that hang there (default: one, unless it is an installation).
        """
        self._orders += 1
        number = f"WO-{self._orders:04d}"
        who = phone or self.ana
        rules = RULES_BY_KIND[kind]
        fresh = kind is WorkOrderKind.INSTALL
        chosen = plan or (HOME_500 if kind is WorkOrderKind.UPGRADE else HOME_100)
        hung = tuple(on_site) if on_site is not None else (() if fresh else (f"OLD{self._orders:04d}",))
        begin = start or self.now
        job = Job(
            id=uid(number), number=number, kind=kind, customer_id=uid(f"customer {number}"),
            location_id=uid(f"location {number}"), service_id=uid(f"service {number}"), on_site=hung,
        )  # fmt: skip
        devices = (ONT_B,) if chosen == HOME_500 else (ONT_A, ONT_B)
        asked = {
            "required_skills": (SkillNeed("fibre_install", 2),),
            "required_equipment": (EquipmentNeed(role="ONT", skus=devices),) if rules.fits_equipment else (),
            "required_parts": (PartLine(sku=CABLE, quantity=20),),
            "required_checks": checks_for(kind, 500 if chosen == HOME_500 else 100),
            "removal_required": rules.takes_equipment,
            "signature_required": rules.needs_signature,
            "photos_required": rules.photos,
        } | requirements
        with self.database.write() as session:
            self._customer(session, job, language, running if not fresh else chosen, fresh=fresh)
            for serial in hung:
                self.receive(
                    session, job.location_id, ONT_A, serial=serial, state=AssetState.INSTALLED,
                    holder=HolderKind.CUSTOMER,
                )  # fmt: skip
            session.add(
                WorkOrderRow(
                    id=job.id, number=number, kind=kind, state=WorkOrderState.ASSIGNED, priority=3,
                    customer_id=job.customer_id, location_id=job.location_id, service_id=job.service_id,
                    plan_code=chosen, summary=f"{kind.value} for {number}", expected_minutes=90,
                    window_start=begin, window_end=begin + timedelta(hours=2),
                    sla_due_at=begin + timedelta(hours=8), technician_id=who.technician_id,
                    former_technician_ids=[], planned_start=begin, planned_end=begin + timedelta(hours=2),
                    travel_minutes=12, route_position=self._orders,
                    requirements=to_json(Requirements(**asked)), record=to_json(VisitRecord()), why={},
                    version=1, ordered_at=self.now - timedelta(days=3),
                )
            )  # fmt: skip
            session.flush()
            if reserve:
                session.add(
                    ReservationRow(
                        id=uid(f"reservation {number}"), work_order_id=job.id, place_id=who.van_id, sku=CABLE,
                        quantity=20,
                    )
                )  # fmt: skip
        return job

    def _customer(self, session: Session, job: Job, language: str, plan: str, *, fresh: bool) -> None:
        number = int(job.number[-4:])
        session.add(
            CustomerRow(
                id=job.customer_id, name=f"Customer {number}", phone=f"+35850{number:05d}",
                email=f"customer{number}@home.test", language=language,
            )
        )  # fmt: skip
        street, house = "Fabianinkatu", str(number)
        self._place(session, job.location_id, HolderKind.CUSTOMER, f"{street} {house}")
        session.add(
            ServiceLocationRow(
                id=job.location_id, street=street, house_number=house, postcode="00130", city="Helsinki",
                lat=60.165, lon=24.95, access_notes="", cabinet="CAB-1",
            )
        )  # fmt: skip
        session.flush()
        session.add(
            ServiceRow(
                id=job.service_id, customer_id=job.customer_id, location_id=job.location_id, plan_code=plan,
                state=ServiceState.RESERVED if fresh else ServiceState.ACTIVE,
                active_from=None if fresh else self.now - timedelta(days=400), ended_at=None,
            )
        )  # fmt: skip
        session.flush()

    def visit(
        self,
        job: Job,
        *,
        fit: str | None = None,
        cable: int = 18,
        connectors: int = 2,
        until_close: bool = True,
    ) -> list[FieldCommand]:
        """All that a whole visit of `job` sends, in order. `fit`: the serial (default: one of Ana's)."""
        rules = RULES_BY_KIND[job.kind]
        steps: list[FieldCommand] = [StartTravel(work_order_id=job.id), Arrive(work_order_id=job.id)]
        if rules.takes_equipment:
            steps += [RemoveAsset(work_order_id=job.id, serial=job.on_site[0], reason=job.kind.value)]
        if rules.fits_equipment:
            usual = self.ana.ont if job.kind is not WorkOrderKind.UPGRADE else f"{self.ana.ont[:-4]}0003"
            steps += [InstallAsset(work_order_id=job.id, serial=fit or usual, source="camera")]
        if rules.measures_line:
            fast = Decimal("480.5") if job.kind is WorkOrderKind.UPGRADE else Decimal("96.4")
            steps += [
                RecordCheck(work_order_id=job.id, code="optical_power", value=Decimal("-19.5")),
                RecordCheck(work_order_id=job.id, code="download_speed", value=fast),
            ]
        lines = tuple(
            PartLine(sku=sku, quantity=quantity)
            for sku, quantity in ((CABLE, cable), (CONNECTOR, connectors))
            if quantity
        )
        if lines:
            steps += [UseParts(work_order_id=job.id, lines=lines)]
        if rules.photos:
            steps += [self.evidence(job, EvidenceKind.PHOTO)]
        if rules.needs_signature:
            steps += [self.evidence(job, EvidenceKind.SIGNATURE)]
        return [*steps, CloseWorkOrder(work_order_id=job.id)] if until_close else steps

    def evidence(self, job: Job, kind: EvidenceKind, name: str | None = None) -> AddEvidence:
        photo = kind is EvidenceKind.PHOTO
        return AddEvidence(
            work_order_id=job.id, kind=kind, digest=name or (PHOTO if photo else SIGNATURE),
            size_bytes=240_000, media_type="image/jpeg" if photo else "image/png", taken_at=self.now,
            signer=None if photo else "Customer",
        )  # fmt: skip

    # Looking

    def rows(self, entity: type[Any], *conditions: Any) -> list[Any]:
        """All rows of `entity`, by primary key."""
        with self.database.write() as session:
            keys = entity.__table__.primary_key.columns
            return list(session.scalars(select(entity).where(*conditions).order_by(*keys)))

    def row(self, entity: type[Any], *conditions: Any) -> Any:
        found = self.rows(entity, *conditions)
        assert len(found) == 1, f"{len(found)} rows of {entity.__name__}, not one"
        return found[0]

    def balance(self, place_id: UUID, sku: str) -> int:
        with self.database.read() as session:
            return ledger.balances(session, place_id, [sku]).get(sku, 0)

    def asset(self, serial: str) -> AssetRow:
        found: AssetRow = self.row(AssetRow, AssetRow.serial == serial)
        return found

    def work_order(self, job: Job) -> WorkOrder:
        from server.work_orders.repository import load

        with self.database.read() as session:
            return load(session, [job.id])[0]

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table: two calls are equal when nothing at all was written in between."""
        with self.database.read() as session:
            return {
                table.name: [
                    tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))
                ]
                for table in metadata.sorted_tables
            }

    def stock_by_sku(self) -> dict[str, int]:
        """SKU → the sum over all places: 0 for each, or units came from nowhere."""
        with self.database.read() as session:
            places = session.scalars(select(StockPlaceRow.id)).all()
            skus = session.scalars(select(ProductRow.sku)).all()
            held = [ledger.balances(session, place) for place in places]
        return {sku: sum(balance.get(sku, 0) for balance in held) for sku in skus}

    def journal_total(self) -> int:
        with self.database.read() as session:
            return int(session.scalar(select(func.sum(JournalLineRow.amount_minor))) or 0)

    def misplaced(self) -> list[str]:
        """Serials whose register entry disagrees with the newest of their stock moves."""
        with self.database.read() as session:
            newest: dict[str, UUID] = {}
            for move in session.scalars(
                select(StockMoveRow).where(StockMoveRow.serial.is_not(None)).order_by(StockMoveRow.id)
            ):
                newest[str(move.serial)] = move.target_id
            assets = session.scalars(select(AssetRow)).all()
        return [
            asset.serial for asset in assets if newest.get(asset.serial, asset.holder_id) != asset.holder_id
        ]


@contextmanager
def a_world(url: str, **options: Any) -> Iterator[World]:
    """A World whose connections are closed afterwards."""
    world = World(url, **options)
    try:
        yield world
    finally:
        world.close()


def settle(database: Database, seconds: float = 30) -> None:
    """Wait until every transaction that began before now is over, so that the feed shows what was committed.

    PostgreSQL counts transactions of the whole server: a test beside this one may hold the feed back.
    """
    if not database.is_postgresql:
        return
    with database.write() as session:
        newest = session.scalar(text("SELECT pg_current_xact_id()::text::bigint"))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with database.read() as session:
            if session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")) > newest:
                return
        time.sleep(0.01)
    raise TimeoutError(f"some transaction on this server has been open for {seconds} s")


def other_body(envelope: PushedCommand, command: FieldCommand) -> PushedCommand:
    """The same id with another content: what a broken app would send."""
    return replace(envelope, body=msgspec.Raw(encode(command)))
