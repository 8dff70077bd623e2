"""Many technicians, vans, devices and jobs in few statements: rows of `world.World`, for benchmarks.

World writes one row after the other, so that tests can be read; for a hundred thousand rows that is too slow.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import insert, select
from world import CABLE, COUNTED_PER_VAN, FIBRECO, HOME_100, ONT_A, ONT_B, Job, Phone, World, uid

from server.access.models import DeviceRow
from server.access.tokens import digest
from server.assets.models import AssetRow
from server.customers.models import CustomerRow, ServiceLocationRow, ServiceRow
from server.dispatch.models import TechnicianRow
from server.stock import ledger
from server.stock.models import ReservationRow, StockPlaceRow
from server.work_orders.models import WorkOrderRow
from server.work_orders.repository import Requirements, VisitRecord, to_json
from shared.assets import AssetState, HolderKind
from shared.skills import SkillNeed
from shared.stock import StockMove
from shared.work_orders import (
    RULES_BY_KIND,
    EquipmentNeed,
    PartLine,
    ServiceState,
    WorkOrderKind,
    WorkOrderState,
    checks_for,
)

GIVEN = (
    "Aino", "Eero", "Elina", "Hanna", "Ilmari", "Juho", "Kaisa", "Lauri", "Maria", "Niko", "Oskari", "Päivi",
    "Risto", "Sanna", "Tapio", "Ulla", "Veikko", "Yrjö",
)  # fmt: skip
FAMILY = (
    "Aalto", "Heikkinen", "Hämäläinen", "Jokinen", "Järvinen", "Karjalainen", "Kinnunen", "Koskinen", "Laine",
    "Lehtonen", "Mattila", "Niemi", "Nieminen", "Rantanen", "Saarinen", "Salonen", "Turunen", "Virtanen",
)  # fmt: skip
STREETS = (
    "Aleksanterinkatu", "Bulevardi", "Eerikinkatu", "Fabianinkatu", "Fredrikinkatu", "Hämeentie",
    "Kalevankatu", "Kluuvikatu", "Korkeavuorenkatu", "Liisankatu", "Lönnrotinkatu", "Mannerheimintie",
    "Meritullinkatu", "Museokatu", "Pohjoisesplanadi", "Runeberginkatu", "Snellmaninkatu", "Tehtaankatu",
    "Topeliuksenkatu", "Unioninkatu", "Uudenmaankatu", "Vironkatu",
)  # fmt: skip
PROFILE_AND_STOCK = 1 + 5 + 5
"""Rows that every phone of the test world has besides orders and devices: profile, products, stock lines."""
MOVES_AT_ONCE = 5_000


@dataclass(slots=True)
class Rows:
    """What is to be inserted, by table."""

    tables: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    moves: list[StockMove] = field(default_factory=list)

    def add(self, table: Any, **values: Any) -> None:
        self.tables.setdefault(table, []).append(values)

    def write(self, world: World, cause: str) -> None:
        order = (
            StockPlaceRow, TechnicianRow, DeviceRow, CustomerRow, ServiceLocationRow, ServiceRow,
            WorkOrderRow, ReservationRow, AssetRow,
        )  # fmt: skip
        assert set(self.tables) <= set(order), set(self.tables) - set(order)
        with world.database.write() as session:
            for table in order:
                if rows := self.tables.get(table):
                    session.execute(insert(table), rows)
            for start in range(0, len(self.moves), MOVES_AT_ONCE):
                part = self.moves[start : start + MOVES_AT_ONCE]
                ledger.book(session, part, cause=uid(f"{cause} {start}"), at=world.now)
                session.flush()

    def device(self, world: World, serial: str, sku: str, place_id: Any, holder: HolderKind) -> None:
        """One serialised device, straight from its vendor."""
        self.add(
            AssetRow,
            id=uid(f"asset {serial}"), serial=serial, sku=sku, holder_kind=holder, holder_id=place_id,
            state=AssetState.IN_STOCK if holder is HolderKind.VAN else AssetState.INSTALLED,
            gpon_serial=None, mac=None, batch=None, received_at=world.now,
        )  # fmt: skip
        self.moves.append(
            StockMove(
                sku=sku, quantity=1, source_id=uid(f"place of {FIBRECO}"), target_id=place_id, serial=serial
            )
        )


def hire(
    world: World, names: Sequence[str], *, onts: int, cable: int = COUNTED_PER_VAN[CABLE]
) -> list[Phone]:
    """Technicians with van and device; each van carries `onts` ONT-A, an ONT-B, cable and connectors."""
    rows, phones = Rows(), [Phone(world, name) for name in names]
    for phone in phones:
        rows.add(StockPlaceRow, id=phone.van_id, kind=HolderKind.VAN, name=phone.van_name)
        rows.add(
            TechnicianRow,
            id=phone.technician_id, name=phone.name, phone="+358401", skills={"fibre_install": 3},
            shift_start_minute=480, shift_end_minute=960, lunch_from_minute=660, lunch_until_minute=780,
            lunch_minutes=30, start_lat=60.17, start_lon=24.94, end_lat=60.17, end_lon=24.94,
            van_id=phone.van_id, active=True,
        )  # fmt: skip
        rows.add(
            DeviceRow,
            id=phone.device_id, technician_id=phone.technician_id, name=f"{phone.name}'s phone",
            platform="test", token_hash=digest(phone.token), registered_at=world.now,
            token_expires_at=datetime.now(UTC) + timedelta(days=180),
        )  # fmt: skip
        for number in range(1, onts + 1):
            rows.device(world, ont(phone, number), ONT_A, phone.van_id, HolderKind.VAN)
        rows.device(world, ont(phone, 9999), ONT_B, phone.van_id, HolderKind.VAN)
        for sku, quantity in {**COUNTED_PER_VAN, CABLE: cable}.items():
            source = uid(f"place of {FIBRECO}")
            rows.moves.append(
                StockMove(sku=sku, quantity=quantity, source_id=source, target_id=phone.van_id, serial=None)
            )
    rows.write(world, f"hired {names[0]}")
    world.phones.extend(phones)
    return phones


def second_device(world: World, phone: Phone) -> Phone:
    """Another device of the same technician."""
    other = copy.copy(phone)
    other.device_id, other.token = uid(f"second device {phone.name}"), f"second {phone.token}"
    other.headers = {"authorization": f"Bearer {other.token}"}
    rows = Rows()
    rows.add(
        DeviceRow,
        id=other.device_id, technician_id=phone.technician_id, name=f"{phone.name}'s tablet",
        platform="test", token_hash=digest(other.token), registered_at=world.now,
        token_expires_at=datetime.now(UTC) + timedelta(days=180),
    )  # fmt: skip
    rows.write(world, "a second device")
    return other


def ont(phone: Phone, number: int) -> str:
    """The serial of the `number`th ONT-A on that van."""
    return f"{phone.ont[:-4]}{number:04d}"


def give_installations(
    world: World, phones: Iterable[Phone], each: int, *, on_site: int = 0
) -> list[list[Job]]:
    """For each phone `each` new customers with an installation today; `on_site` devices at each address."""
    rows, given, kind = Rows(), [], WorkOrderKind.INSTALL
    rules = RULES_BY_KIND[kind]
    requirements = to_json(
        Requirements(
            required_skills=(SkillNeed("fibre_install", 2),),
            required_equipment=(EquipmentNeed(role="ONT", skus=(ONT_A, ONT_B)),),
            required_parts=(PartLine(sku=CABLE, quantity=20),),
            required_checks=checks_for(kind, 100),
            removal_required=rules.takes_equipment,
            signature_required=rules.needs_signature,
            photos_required=rules.photos,
        )
    )
    record = to_json(VisitRecord())
    with world.database.read() as session:
        number = len(session.scalars(select(WorkOrderRow.number)).all())
    first = number + 1
    for phone in phones:
        jobs = []
        for position in range(1, each + 1):
            number += 1
            job = _job(number, kind, on_site)
            jobs.append(job)
            _customer(rows, job, number)
            for serial in job.on_site:
                rows.device(world, serial, ONT_A, job.location_id, HolderKind.CUSTOMER)
            rows.add(
                WorkOrderRow,
                id=job.id, number=job.number, kind=kind, state=WorkOrderState.ASSIGNED, priority=3,
                customer_id=job.customer_id, location_id=job.location_id, service_id=job.service_id,
                plan_code=HOME_100, summary=f"install for {job.number}", expected_minutes=90,
                window_start=world.now, window_end=world.now + timedelta(hours=2),
                sla_due_at=world.now + timedelta(hours=8), technician_id=phone.technician_id,
                former_technician_ids=[], planned_start=world.now, planned_end=world.now + timedelta(hours=2),
                travel_minutes=12, route_position=position, requirements=requirements, record=record, why={},
                version=1, ordered_at=world.now - timedelta(days=3),
            )  # fmt: skip
            rows.add(
                ReservationRow,
                id=uid(f"reservation {job.number}"), work_order_id=job.id, place_id=phone.van_id, sku=CABLE,
                quantity=20,
            )  # fmt: skip
        given.append(jobs)
    rows.write(world, f"orders from {first}")
    return given


def _job(number: int, kind: WorkOrderKind, on_site: int) -> Job:
    name = f"WO-{number:06d}"
    return Job(
        id=uid(name), number=name, kind=kind, customer_id=uid(f"customer {name}"),
        location_id=uid(f"location {name}"), service_id=uid(f"service {name}"),
        on_site=tuple(f"HOME{number:06d}{index}" for index in range(on_site)),
    )  # fmt: skip


def _customer(rows: Rows, job: Job, number: int) -> None:
    chance = sha256(job.number.encode()).digest()  # as varied as a town, so that gzip is not flattered
    street, house = STREETS[chance[0] % len(STREETS)], str(1 + chance[1] % 120)
    name = f"{GIVEN[chance[2] % len(GIVEN)]} {FAMILY[chance[3] % len(FAMILY)]}"
    lat, lon = 60.15 + int.from_bytes(chance[4:7]) / 2**28, 24.8 + int.from_bytes(chance[7:10]) / 2**27
    rows.add(
        CustomerRow,
        id=job.customer_id, name=name, phone=f"+35850{int.from_bytes(chance[10:13]):08d}",
        email=f"customer{number}@home.test", language="fi",
    )  # fmt: skip
    rows.add(StockPlaceRow, id=job.location_id, kind=HolderKind.CUSTOMER, name=f"{street} {house}")
    rows.add(
        ServiceLocationRow,
        id=job.location_id, street=street, house_number=house, postcode=f"00{chance[13] % 90 + 100}",
        city="Helsinki", lat=lat, lon=lon, access_notes="", cabinet=f"CAB-{chance[14]}",
    )  # fmt: skip
    rows.add(
        ServiceRow,
        id=job.service_id, customer_id=job.customer_id, location_id=job.location_id, plan_code=HOME_100,
        state=ServiceState.RESERVED, active_from=None, ended_at=None,
    )  # fmt: skip
