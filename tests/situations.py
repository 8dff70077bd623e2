"""Values that rules decide on, without any database: one job of Ana's at Fabianinkatu 1, and her van."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.assets import Asset, AssetState, HolderKind
from shared.catalogue import Product, Tracking, Unit
from shared.situation import Situation
from shared.van import Van
from shared.work_orders import (
    Contact,
    EquipmentNeed,
    Place,
    ServiceCard,
    ServiceState,
    WorkOrder,
    WorkOrderKind,
    WorkOrderState,
    checks_for,
)

NOON = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
ANA, BEN, CEM = UUID(int=1), UUID(int=2), UUID(int=3)
ANAS_VAN, BENS_VAN = UUID(int=11), UUID(int=12)
JOB, OTHER_JOB, HOME, OTHER_HOME = UUID(int=21), UUID(int=22), UUID(int=31), UUID(int=32)
SERVICE, CUSTOMER = UUID(int=41), UUID(int=51)


def a_product(sku: str, maker: str, model: str, tracking: Tracking = Tracking.SERIALISED) -> Product:
    unit = Unit.METRE if sku == "CABLE" else Unit.EACH
    return Product(
        sku=sku, name=sku.title(), tracking=tracking, unit=unit, maker=maker, model=model, price_minor=100,
        currency="EUR",
    )  # fmt: skip


PRODUCTS = {
    product.sku: product
    for product in (
        a_product("ONT-A", "Nokia", "G-2425"),
        a_product("ONT-B", "Huawei", "HG8"),
        a_product("ROUTER", "AVM", "7530"),
        a_product("CABLE", "Prysmian", "FD1", Tracking.COUNTED),
        a_product("CONN", "Corning", "UC", Tracking.COUNTED),
    )
}


def an_order(**changes: Any) -> WorkOrder:
    """Ana's installation WO-7, on site. It asks for an ONT-A or ONT-B; nothing else unless you say so."""
    values: dict[str, Any] = {
        "id": JOB,
        "number": "WO-7",
        "kind": WorkOrderKind.INSTALL,
        "state": WorkOrderState.ON_SITE,
        "priority": 3,
        "contact": Contact(customer_id=CUSTOMER, name="Liisa", phone="+358501"),
        "place": Place(
            id=HOME, street="Fabianinkatu", house_number="1", postcode="00130", city="Helsinki", lat=60.165,
            lon=24.95,
        ),
        "service": ServiceCard(
            id=SERVICE, state=ServiceState.RESERVED, plan_code="H100", plan_name="Home 100", down_mbps=100
        ),
        "summary": "New line",
        "expected_minutes": 90,
        "technician_id": ANA,
        "planned_start": NOON,
        "planned_end": NOON + timedelta(hours=2),
        "travel_minutes": 12,
        "route_position": 1,
        "required_equipment": (EquipmentNeed(role="ONT", skus=("ONT-A", "ONT-B")),),
        "required_checks": checks_for(WorkOrderKind.INSTALL, 100),
        "version": 5,
    }  # fmt: skip
    return WorkOrder(**values | changes)


def a_device(serial: str = "ANA0001", **changes: Any) -> Asset:
    """An ONT-A on Ana's van."""
    values: dict[str, Any] = {
        "id": UUID(int=61),
        "serial": serial,
        "sku": "ONT-A",
        "state": AssetState.IN_STOCK,
        "holder_kind": HolderKind.VAN,
        "holder_id": ANAS_VAN,
        "holder_name": "Van ana",
    }
    return Asset(**values | changes)


def installed(serial: str = "OLD0001", at: UUID = HOME, **changes: Any) -> Asset:
    where = {
        "state": AssetState.INSTALLED,
        "holder_kind": HolderKind.CUSTOMER,
        "holder_id": at,
        "holder_name": "Fabianinkatu 1",
    }
    return a_device(serial, **where | changes)


def a_situation(
    *devices: Asset,
    actor: UUID = ANA,
    on_hand: dict[str, int] | None = None,
    **order: Any,
) -> Situation:
    """Ana, or whoever `actor` is, at `an_order(**order)`, with `devices` in the register."""
    return Situation(
        order=an_order(**order),
        actor_id=actor,
        van_id=BENS_VAN if actor == BEN else ANAS_VAN,
        van_name="Van ben" if actor == BEN else "Van ana",
        assets={device.serial: device for device in devices},
        on_hand=on_hand if on_hand is not None else {"CABLE": 200, "CONN": 20},
        products=PRODUCTS,
    )


def a_van(*devices: Asset, limit: int | None = None, **on_hand: int) -> Van:
    """Ana's van, for what is about no job."""
    return Van(
        actor_id=ANA,
        van_id=ANAS_VAN,
        van_name="Van ana",
        assets={device.serial: device for device in devices},
        on_hand=on_hand,
        products=PRODUCTS,
        count_units_max=limit,
    )
