"""shared.part_requests.PartSupply on SQL: which vans and depots have what one technician may need.

It is worked out when a phone asks for it, and never told by the feed: each close changes the free stock of a
van, and to tell all phones of all closes would be most of what the feed carries. A phone asks when somebody
looks, and else about twice an hour (mobile/gateway.py), so a contact with nothing new is as cheap as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from server.assets.models import AssetRow
from server.customers.models import ServiceLocationRow
from server.db.base import columns_of, table_of
from server.dispatch.models import TechnicianRow
from server.stock.ledger import OUR_PLACES
from server.stock.models import ReservationRow, StockBalanceRow, StockPlaceRow
from server.town.model import metres_between
from server.work_orders.models import WorkOrderRow
from shared.assets import AssetState, HolderKind
from shared.part_requests import HOLDERS_MAX, SKUS_MAX, FreeStock, PartSupply, SupplyLine, SupplyPlace

KIND = "part_supply"
KEY = "me"

GRID_DECIMALS = 2
"""A van's place is told to a hundredth of a degree, a kilometre: enough to choose, too little to follow."""

_balance, _place, _reservation, _technician, _order, _location, _asset = (
    columns_of(kind)
    for kind in (
        StockBalanceRow,
        StockPlaceRow,
        ReservationRow,
        TechnicianRow,
        WorkOrderRow,
        ServiceLocationRow,
        AssetRow,
    )
)
_ON_HAND = (
    select(_balance.place_id, _balance.sku, _balance.quantity)
    .join(table_of(StockPlaceRow), _place.id == _balance.place_id)
    .where(
        _balance.sku.in_(bindparam("skus", expanding=True)),
        _balance.quantity > 0,
        _balance.place_id != bindparam("own"),
        _place.kind.in_(OUR_PLACES),
    )
)
_PROMISED = (
    select(_reservation.place_id, _reservation.sku, func.sum(_reservation.quantity))
    .where(
        _reservation.released_at.is_(None),
        _reservation.place_id.in_(bindparam("places", expanding=True)),
        _reservation.sku.in_(bindparam("skus", expanding=True)),
    )
    .group_by(_reservation.place_id, _reservation.sku)
)
_RECALLED = (
    select(_asset.holder_id, _asset.sku, func.count())
    .where(
        _asset.state == AssetState.QUARANTINED,
        _asset.holder_id.in_(bindparam("places", expanding=True)),
        _asset.sku.in_(bindparam("skus", expanding=True)),
    )
    .group_by(_asset.holder_id, _asset.sku)
)
_PLACES = (
    select(
        _place.id,
        _place.kind,
        _place.name,
        _place.address,
        _place.hours,
        _place.lat,
        _place.lon,
        _technician.id.label("driver_id"),
        _technician.name.label("driver"),
    )
    .outerjoin(table_of(TechnicianRow), (_technician.van_id == _place.id) & _technician.active)
    .where(_place.id.in_(bindparam("places", expanding=True)))
)
# Where each was at work last today, else where they begin: the place of a job, never the start of a shift,
# which may be a home.
_AT_WORK = (
    select(
        _order.technician_id,
        _location.lat,
        _location.lon,
        func.row_number()
        .over(
            partition_by=_order.technician_id,
            order_by=(_order.arrived_at.desc().nulls_last(), _order.planned_start, _order.number),
        )
        .label("newest"),
    )
    .join(table_of(ServiceLocationRow), _location.id == _order.location_id)
    .where(
        _order.technician_id.in_(bindparam("people", expanding=True)),
        _order.planned_start >= bindparam("day_start"),
        _order.planned_start < bindparam("day_end"),
    )
    .subquery()
)
_WHERE = select(_AT_WORK.c.technician_id, _AT_WORK.c.lat, _AT_WORK.c.lon).where(_AT_WORK.c.newest == 1)

Point = tuple[float, float]


def supply(
    session: Session,
    technician_id: UUID,
    van_id: UUID,
    home: Point,
    skus: Collection[str],
    day: tuple[datetime, datetime],
    now: datetime,
) -> PartSupply:
    """Who has which of `skus` free, for each the nearest places, as the crow flies from where they work.

    `day`: the instants at which today begins and ends. With five queries, however many places there are.
    """
    wanted = sorted(skus)[:SKUS_MAX]
    free = _free(session, wanted, van_id) if wanted else {}
    ids = sorted({place_id for places in free.values() for place_id in places})
    rows = session.execute(_PLACES, {"places": ids}).all() if ids else []
    people = [technician_id, *sorted(row.driver_id for row in rows if row.driver_id)]
    asked = {"people": people, "day_start": day[0], "day_end": day[1]}
    found = session.execute(_WHERE, asked).all() if ids else []
    where = {who: (lat, lon) for who, lat, lon in found if lat or lon}  # 0, 0: nobody knows
    here = where.get(technician_id, home)
    places = {row.id: place for row in rows if (place := _place_of(row, where)) is not None}

    def distance(place: SupplyPlace) -> float:
        if place.lat is None or place.lon is None:
            return float("inf")
        return metres_between(*here, place.lat, place.lon)

    numbers: dict[UUID, int] = {}
    lines = []
    for sku in wanted:
        held = [(places[id], count) for id, count in free.get(sku, {}).items() if id in places]
        held.sort(key=lambda one: (distance(one[0]), one[0].name, one[0].id))
        shown = held[:HOLDERS_MAX]
        for place, _ in shown:
            numbers.setdefault(place.id, len(numbers))
        if shown:
            stock = tuple(FreeStock(place=numbers[place.id], free=count) for place, count in shown)
            lines.append(SupplyLine(sku=sku, held=stock))
    return PartSupply(known_at=now, places=tuple(places[id] for id in numbers), lines=tuple(lines))


def _free(session: Session, skus: list[str], own: UUID) -> dict[str, dict[UUID, int]]:
    """SKU → place → units that are promised to nobody and under no recall."""
    found: dict[str, dict[UUID, int]] = defaultdict(dict)
    for place_id, sku, units in session.execute(_ON_HAND, {"skus": skus, "own": own}):
        found[sku][place_id] = units
    places = sorted({place_id for held in found.values() for place_id in held})
    for query in (_PROMISED, _RECALLED) if places else ():
        for place_id, sku, units in session.execute(query, {"places": places, "skus": skus}):
            if place_id in found[sku]:
                found[sku][place_id] -= int(units)
    return {sku: {id: units for id, units in held.items() if units > 0} for sku, held in found.items()}


def _place_of(row: Any, where: dict[UUID, Point]) -> SupplyPlace | None:
    """None: a van that nobody drives can't be asked."""
    if row.kind == HolderKind.DEPOT:
        return SupplyPlace(
            id=row.id,
            kind="depot",
            name=row.name,
            lat=row.lat,
            lon=row.lon,
            address=row.address or "",
            hours=row.hours or "",
        )
    if row.driver_id is None:
        return None
    lat, lon = where.get(row.driver_id, (None, None))
    return SupplyPlace(
        id=row.id,
        kind="van",
        name=row.name,
        driver=row.driver,
        lat=None if lat is None else round(lat, GRID_DECIMALS),
        lon=None if lon is None else round(lon, GRID_DECIMALS),
    )
