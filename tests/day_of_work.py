"""A believable day of one technician in Helsinki, as rows that a server would send, and a gateway over them.

gateway = a_gateway(tmp_path)                  # registered, has the day's rows, no network
gateway = a_gateway(tmp_path, transport=…)     # the same, with a way to a server
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from mobile.gateway import Gateway
from shared.assets import Asset, AssetState, HolderKind
from shared.briefs import Fault, OpenOrder, PastVisit, PlaceBrief, Reading
from shared.catalogue import Product, Tracking, Unit
from shared.checklists import checklist_for
from shared.money import Money
from shared.network_faults import FaultSign, FaultState, KnownFault
from shared.part_requests import FreeStock, PartRequest, PartSupply, SupplyLine, SupplyPlace
from shared.rating import Tariff
from shared.skills import SkillNeed
from shared.stock import StockLine
from shared.windows import TimeWindow
from shared.work_orders import (
    RULES_BY_KIND,
    Contact,
    EquipmentNeed,
    PartLine,
    Place,
    ServiceCard,
    ServiceState,
    UnfinishedReason,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
    checks_for,
)
from sync.client.records import Registration
from sync.client.store import ClientStore
from sync.client.transport import Answer, NoNetwork, Transport
from sync.protocol import PROTOCOL, Image, Profile, SyncResponse, row_of

MORNING = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)  # 08:05 in Helsinki, a Monday
AINO = UUID("01930000-0000-7000-8000-00000000a100")
VAN = UUID("01930000-0000-7000-8000-00000000b100")
OTHER_VAN = UUID("01930000-0000-7000-8000-00000000b200")

PROFILE = Profile(
    technician_id=AINO,
    name="Aino Virtanen",
    van_id=VAN,
    van_name="Van 7",
    time_zone="Europe/Helsinki",
    home_lat=60.21,
    home_lon=24.97,
    sealing_key="Aino's own",
    tax_basis_points=2_550,
    company="Truckroll Fibre",
)


def uid(number: int) -> UUID:
    return UUID(int=0x01930000_0000_7000_8000_000000000000 + number)


def a_product(sku: str, name: str, maker: str, model: str, price: int, **more: object) -> Product:
    counted = {"tracking": Tracking.COUNTED, "unit": Unit.EACH}
    return Product(
        sku=sku, name=name, maker=maker, model=model, price_minor=price, currency="EUR", **counted | more
    )  # type: ignore[arg-type]


SERIAL = {"tracking": Tracking.SERIALISED}
METRES = {"unit": Unit.METRE}
PRODUCTS = (
    a_product("ONT-G2425", "ONT, 4 ports, Wi-Fi 5", "Nokia", "G-2425G-B", 8900, **SERIAL),
    a_product("ONT-HG8145", "ONT, 4 ports, Wi-Fi 6", "Huawei", "HG8145X6", 9400, **SERIAL),
    a_product("RTR-AX53", "Router, Wi-Fi 6", "TP-Link", "Archer AX53", 7900, **SERIAL),
    a_product("DROP-1F", "Drop cable, 1 fibre", "Prysmian", "FlatDrop 1F", 65, **METRES),
    a_product("SC-APC", "Field connector SC/APC", "Corning", "UniCam SC", 420),
    a_product("SPLIT-8", "Splitter 1:8", "CommScope", "PLC 1x8", 2900),
    a_product("CLIP-5", "Cable clip 5 mm", "OBO", "2031 M", 8),
    a_product("OUTLET-2", "Fibre outlet, 2 ports", "Huber+Suhner", "FTTH box S", 1450),
)
STOCK = (
    StockLine(stock_place_id=VAN, sku="ONT-G2425", on_hand=4, reserved=2, par=6),
    StockLine(stock_place_id=VAN, sku="ONT-HG8145", on_hand=1, reserved=1, par=4),
    StockLine(stock_place_id=VAN, sku="RTR-AX53", on_hand=2, reserved=0, par=2),
    StockLine(stock_place_id=VAN, sku="DROP-1F", on_hand=240, reserved=80, par=300),
    StockLine(stock_place_id=VAN, sku="SC-APC", on_hand=24, reserved=6, par=30),
    StockLine(stock_place_id=VAN, sku="SPLIT-8", on_hand=3, reserved=0, par=2),
    StockLine(stock_place_id=VAN, sku="CLIP-5", on_hand=120, reserved=40, par=150),
    StockLine(stock_place_id=VAN, sku="OUTLET-2", on_hand=2, reserved=3, par=8),
)

TARIFFS = tuple(
    Tariff(
        code=f"HOME-{mbps}",
        name=f"Fibre Home {mbps}",
        monthly=Money(monthly),
        fees={"install": 9_900, "upgrade": 4_950, "call_out": 4_900},
    )
    for mbps, monthly in ((100, 2_990), (300, 3_490), (500, 4_490), (1000, 5_490))
)

JOBS: tuple[tuple[str, WorkOrderKind, str, str, str, str, str], ...] = (
    # kind, customer, street, number, postcode, summary, access
    (
        "1041",
        WorkOrderKind.REPAIR,
        "Eero Lindqvist",
        "Hämeentie",
        "31",
        "No light on the fibre since last night",
        "",
    ),
    (
        "1042",
        WorkOrderKind.INSTALL,
        "Maija Korhonen",
        "Vaasankatu",
        "12",
        "New fibre to the flat, 2nd floor",
        "Door code 4711, bell B 14. Riser key at the caretaker, ground floor left.",
    ),
    (
        "1043",
        WorkOrderKind.SWAP,
        "Kahvila Pihlaja Oy",
        "Kolmas linja",
        "7",
        "ONT restarts several times a day",
        "Ask for the manager at the counter",
    ),
    (
        "1044",
        WorkOrderKind.UPGRADE,
        "Juhani Mäkelä-Saarinen",
        "Porthaninkatu",
        "9",
        "From 300 to 1,000 Mbit/s",
        "",
    ),
    (
        "1045",
        WorkOrderKind.INSTALL,
        "Sofia Nieminen",
        "Fleminginkatu",
        "20",
        "New fibre, outlet in the hall",
        "Dog in the yard; phone before ringing",
    ),
    (
        "1046",
        WorkOrderKind.DISCONNECT,
        "Antti Heikkinen",
        "Helsinginkatu",
        "15",
        "Moved out; fetch the ONT",
        "",
    ),
)


def the_orders() -> tuple[WorkOrder, ...]:
    """Six visits, an hour or so apart, from 08:30 to 15:00."""
    return tuple(_order(place, *job) for place, job in enumerate(JOBS))


def _order(
    place: int,
    number: str,
    kind: WorkOrderKind,
    customer: str,
    street: str,
    house: str,
    summary: str,
    access: str,
) -> WorkOrder:
    start = MORNING + timedelta(minutes=25 + 75 * place)
    rules, mbps = RULES_BY_KIND[kind], 1000 if kind is WorkOrderKind.UPGRADE else 300
    window_start = MORNING.replace(minute=0) + timedelta(hours=0 if place < 3 else 4)
    needs = (EquipmentNeed(role="ONT", skus=("ONT-G2425", "ONT-HG8145")),) if rules.fits_equipment else ()
    parts = (
        PartLine(sku="DROP-1F", quantity=30),
        PartLine(sku="SC-APC", quantity=2),
        PartLine(sku="OUTLET-2", quantity=1),
    )
    return WorkOrder(
        id=uid(0x100 + place),
        number=f"WO-{number}",
        kind=kind,
        state=WorkOrderState.ASSIGNED,
        priority=1 if kind is WorkOrderKind.REPAIR else 3,
        contact=Contact(
            customer_id=uid(0x200 + place), name=customer, phone=f"+358 40 555 0{place}12", language="fi"
        ),
        place=Place(
            id=uid(0x300 + place),
            street=street,
            house_number=house,
            postcode="00530",
            city="Helsinki",
            lat=60.186 + place / 1000,
            lon=24.955 - place / 1000,
            access_notes=access,
            cabinet="KAL-0312 / 4",
        ),
        service=ServiceCard(
            id=uid(0x400 + place),
            state=ServiceState.RESERVED if kind is WorkOrderKind.INSTALL else ServiceState.ACTIVE,
            plan_code=f"HOME-{mbps}",
            plan_name=f"Fibre Home {mbps}",
            down_mbps=mbps,
            running_plan_code="" if kind is WorkOrderKind.INSTALL else "HOME-100",
        ),
        summary=summary,
        expected_minutes=45,
        window=TimeWindow(window_start, window_start + timedelta(hours=4)),
        technician_id=AINO,
        planned_start=start,
        planned_end=start + timedelta(minutes=45),
        travel_minutes=8 + 3 * place,
        route_position=place,
        required_skills=(SkillNeed("ftth", 2),),
        required_equipment=needs,
        required_parts=parts if kind is WorkOrderKind.INSTALL else (),
        required_checks=checks_for(kind, mbps),
        # The newest orders; the others were made before there were checklists.
        checklist=checklist_for(kind, mbps) if place >= 3 else None,
        removal_required=rules.takes_equipment,
        signature_required=rules.needs_signature,
        photos_required=rules.photos,
        on_site_serials=(f"ALCLF00D{place:04X}",) if kind is not WorkOrderKind.INSTALL else (),
        version=3,
    )


def the_devices() -> tuple[Asset, ...]:
    """What hangs at the customers', what lies on the van, one on a colleague's van, one under recall."""
    there = [
        an_asset(order.on_site_serials[0], "ONT-G2425", HolderKind.CUSTOMER, order.place.id, order.place.line)
        for order in the_orders()
        if order.on_site_serials
    ]
    on_van = [
        an_asset(f"ALCLB1A2C{count:03X}", "ONT-G2425", HolderKind.VAN, VAN, "Van 7") for count in range(4)
    ]
    return (
        *there,
        *on_van,
        an_asset("HWTC3D4E5F01", "ONT-HG8145", HolderKind.VAN, VAN, "Van 7"),
        an_asset("TP22A7001", "RTR-AX53", HolderKind.VAN, VAN, "Van 7"),
        an_asset("TP22A7002", "RTR-AX53", HolderKind.VAN, VAN, "Van 7"),
        an_asset("ALCLDEAD0001", "ONT-G2425", HolderKind.VAN, OTHER_VAN, "Van 3 (Mikko)"),
    )


def an_asset(serial: str, sku: str, kind: HolderKind, holder: UUID, name: str) -> Asset:
    return Asset(
        id=UUID(int=int.from_bytes(serial.encode()[-12:], "big")),
        serial=serial,
        sku=sku,
        state=AssetState.INSTALLED if kind is HolderKind.CUSTOMER else AssetState.IN_STOCK,
        holder_kind=kind,
        holder_id=holder,
        holder_name=name,
    )


def a_brief(place: int = 0) -> PlaceBrief:
    """Of the day's first place, or another: four visits, ever weaker light, a fault nearby, a swap."""
    powers = ("-29.1", "-24.6", "-21.3", "-19.8")
    visits = tuple(
        PastVisit(
            order_id=uid(0x500 + number),
            number=f"WO-0{900 - number}",
            kind=WorkOrderKind.REPAIR if number < 3 else WorkOrderKind.INSTALL,
            state=WorkOrderState.COMPLETED if number else WorkOrderState.UNFINISHED,
            at=MORNING - timedelta(days=(9, 60, 150, 400)[number]),
            technician=("Ben Koski", "Aino Virtanen", "Ben Koski", "Mikko Laine")[number],
            reason=None if number else UnfinishedReason.NETWORK_FAULT,
            readings=(
                Reading(
                    code="optical_power",
                    value=Decimal(power),
                    unit="dBm",
                    passed=Decimal(power) >= -27,
                    low=Decimal(-27),
                    high=Decimal(-8),
                ),
            ),
        )
        for number, power in enumerate(powers)
    )
    here = uid(0x100 + place)
    others = (
        OpenOrder(
            order_id=here, number=f"WO-{1041 + place}", kind=JOBS[place][1], state=WorkOrderState.ASSIGNED,
            planned_start=MORNING, here=True,
        ),
        OpenOrder(
            order_id=uid(0x600), number="WO-1099", kind=WorkOrderKind.SWAP, state=WorkOrderState.ASSIGNED,
            planned_start=MORNING + timedelta(days=3), here=False,
        ),
    )  # fmt: skip
    fault = Fault(
        number="WO-1090", state=WorkOrderState.TRAVELLING, since=MORNING - timedelta(days=1, hours=2)
    )
    return PlaceBrief(place_id=uid(0x300 + place), visits=visits, open_orders=others, faults=(fault,))


class NoWayOut:
    """A phone without any network."""

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        raise NoNetwork


def a_store(
    folder: Path, images: Iterable[Image] = (), *, at: datetime = MORNING, registered: bool = True
) -> ClientStore:
    """A phone's database in `folder`; `images` go on top of the whole day unless that is empty."""
    store = ClientStore(sqlite3.connect(folder / "phone.db", check_same_thread=False))
    if registered:
        registration = Registration(
            device_id=uid(1), token="t", technician_id=AINO, technician_name="Aino Virtanen"
        )
        store.register(registration)
        send_down(
            store, (PROFILE, *PRODUCTS, *TARIFFS, *STOCK, *the_devices(), *the_orders(), *images), at=at
        )
    return store


def send_down(store: ClientStore, images: Iterable[Image], *, at: datetime = MORNING) -> None:
    """What the server would send, taken in."""
    names: dict[type[Image], str] = {
        Profile: "profile",
        WorkOrder: "work_order",
        Asset: "asset",
        StockLine: "stock_line",
        Product: "product",
        PlaceBrief: "place_brief",
        Tariff: "tariff",
        PartRequest: "part_request",
        PartSupply: "part_supply",
    }
    rows = tuple(row_of(names[type(image)], image) for image in images)
    response = SyncResponse(protocol=PROTOCOL, server_now=at, cursor=f"c{at.timestamp()}", rows=rows)
    store.apply(response, received_at=at, clock_offset=timedelta(0))


def a_gateway(
    folder: Path,
    images: Iterable[Image] = (),
    *,
    now: Callable[[], datetime] = lambda: MORNING,
    transport: Transport | None = None,
    registered: bool = True,
) -> Gateway:
    store = a_store(folder, images, registered=registered)
    return Gateway(store, transport or NoWayOut(), now=now)


GOOD_POWER = Decimal("-18.4")


def moved_to(at: datetime) -> tuple[Image, ...]:
    """All rows, on the day that `at` falls on in Helsinki: for apps that run by the real clock."""
    shift = timedelta(days=(at.astimezone(ZoneInfo("Europe/Helsinki")).date() - MORNING.date()).days)

    def later(order: WorkOrder) -> WorkOrder:
        assert order.window and order.planned_start and order.planned_end
        return replace(
            order,
            window=TimeWindow(order.window.start + shift, order.window.end + shift),
            planned_start=order.planned_start + shift,
            planned_end=order.planned_end + shift,
        )

    return (PROFILE, *PRODUCTS, *TARIFFS, *STOCK, *the_devices(), *map(later, the_orders()))


BEN, DEPOT = uid(0xA200), uid(0xD1)
ASKED_OF_ME, ASKED_BY_ME = uid(0xE1), uid(0xE2)


def a_supply(at: datetime = MORNING) -> PartSupply:
    """Ben's van has connectors and cable, the depot connectors; where Ben is, nobody knows to a house."""
    return PartSupply(
        known_at=at,
        places=(
            SupplyPlace(id=OTHER_VAN, kind="van", name="Van 9", driver="Ben Korhonen", lat=60.19, lon=24.95),
            SupplyPlace(
                id=DEPOT,
                kind="depot",
                name="Harbour depot",
                lat=60.15,
                lon=24.93,
                address="Harbour Road 1",
                hours="6:30–17",
            ),
        ),
        lines=(
            SupplyLine(sku="DROP-1F", held=(FreeStock(place=0, free=120),)),
            SupplyLine(sku="SC-APC", held=(FreeStock(place=1, free=90), FreeStock(place=0, free=7))),
        ),
    )


def part_requests(at: datetime = MORNING) -> tuple[PartRequest, PartRequest]:
    """Ben asks this van for connectors; Aino asked the depot for some."""
    return (
        PartRequest(
            id=ASKED_OF_ME,
            sku="SC-APC",
            quantity=4,
            asker_id=BEN,
            holder_id=VAN,
            asked_at=at,
            note="Before noon, if you can",
            asker="Ben Korhonen",
            holder="Van 7",
        ),
        PartRequest(
            id=ASKED_BY_ME,
            sku="SC-APC",
            quantity=10,
            asker_id=AINO,
            holder_id=DEPOT,
            asked_at=at,
            asker="Aino Virtanen",
            holder="Harbour depot",
        ),
    )


def a_fault(cabinet: str, at: datetime = MORNING) -> KnownFault:
    return KnownFault(
        id=uid(0xF1),
        cabinet=cabinet,
        state=FaultState.SUBMITTED,
        since=at,
        newest_at=at,
        signs=(FaultSign.NO_LIGHT, FaultSign.WATER),
        safe=False,
        reports=2,
        ports=8,
        customers=20,
        note="Lid is open",
    )
