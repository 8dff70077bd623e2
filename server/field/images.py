"""sync.server.ports.Source on SQL: what one technician's devices may see, from one snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from server.access.models import DeviceRow
from server.assets import register
from server.assets.models import AssetRow
from server.db import feed
from server.db.feed_models import CommandRow, HistoryRow
from server.dispatch.models import TechnicianRow
from server.settings import Settings
from server.stock import ledger
from server.stock.models import ProductRow, StockPlaceRow
from server.stock.products import product_of
from server.work_orders import repository
from server.work_orders.models import AttachmentRow, WorkOrderRow
from shared.assets import AssetState
from shared.commands import AddEvidence, tag_of
from shared.stock import StockLine
from shared.work_orders import WorkOrder, WorkOrderState
from sync.protocol import Image, Profile, image_key
from sync.server.ports import Changes, Key

DAYS_BACK, DAYS_AHEAD = 7, 14
PAGE = 500


class DeviceSource:
    """See sync.server.ports.Source."""

    def __init__(
        self, session: Session, settings: Settings, technician: TechnicianRow, now: datetime
    ) -> None:
        self._session = session
        self._settings = settings
        self._technician = technician
        self._today: date = now.astimezone(settings.zone).date()
        self.epoch = session.scalars(select(HistoryRow.epoch)).one()
        # The day belongs to the cursor because the scope moves with it; the van, because stock does.
        self.history = f"{self.epoch}-{self._today:%Y%m%d}-{technician.van_id.hex[-8:]}"

    def head(self) -> str:
        return str(feed.head(self._session))

    def changes(self, after: str) -> Changes:
        position = feed.Position.parse(after)
        scopes = [feed.technician_scope(self._technician.id), feed.EVERYONE]
        found = feed.read(self._session, scopes, position, PAGE)
        return Changes(
            keys=[(change.kind, change.key) for change in found],
            position=str(found[-1].position if found else position),
            more=len(found) == PAGE,
        )

    def everything(self) -> Mapping[Key, Image]:
        orders = repository.find(self._session, *self._in_scope())
        places = [self._technician.van_id, *(order.place.id for order in orders)]
        devices = register.find(
            self._session, AssetRow.holder_id.in_(places), AssetRow.state != AssetState.QUARANTINED
        )
        claimed = register.find(self._session, AssetRow.claimed_by.in_([order.id for order in orders]))
        products = [product_of(row) for row in self._session.scalars(select(ProductRow))]
        images: list[tuple[str, Image]] = [("profile", self._profile())]
        images += [("product", product) for product in products]
        images += [("stock_line", line) for line in self._stock_lines(None)]
        images += [("asset", device) for device in (*devices, *claimed)]
        images += [("work_order", order) for order in orders]
        return {(kind, image_key(image)): image for kind, image in images}

    def images(self, keys: Iterable[Key]) -> Mapping[Key, Image]:
        wanted: dict[str, set[str]] = {}
        for kind, key in keys:
            wanted.setdefault(kind, set()).add(key)
        orders = self._orders(wanted.get("work_order", set()))
        # A job brings the devices at its address along, and those fitted on it.
        serials = wanted.get("asset", set()) | {
            serial for order in orders for serial in order.on_site_serials
        }
        serials |= {device.serial for order in orders for device in order.fitted}
        images: list[tuple[str, Image]] = [("work_order", order) for order in orders]
        images += [("asset", device) for device in self._devices(serials)]
        if skus := wanted.get("stock_line"):
            images += [("stock_line", line) for line in self._stock_lines(skus)]
        if skus := wanted.get("product"):
            rows = self._session.scalars(select(ProductRow).where(ProductRow.sku.in_(skus)))
            images += [("product", product_of(row)) for row in rows]
        if "profile" in wanted:
            images.append(("profile", self._profile()))
        return {(kind, image_key(image)): image for kind, image in images}

    def missing_evidence(self) -> Sequence[str]:
        """Only of visits that are recent enough to be on the device."""
        rows = self._session.scalars(select(WorkOrderRow.record).where(*self._in_scope()))
        named = {
            item["digest"] for record in rows for item in record.get("evidence", ())
        } | self._held_evidence()
        if not named:
            return ()
        stored = set(
            self._session.scalars(select(AttachmentRow.digest).where(AttachmentRow.digest.in_(named)))
        )
        return sorted(named - stored)

    def _held_evidence(self) -> set[str]:
        """Evidence whose command waits for a dispatcher, who will want to see it."""
        query = (
            select(CommandRow.body)
            .join(DeviceRow, DeviceRow.id == CommandRow.device_id)
            .where(
                CommandRow.type == tag_of(AddEvidence),
                CommandRow.outcome == "held",
                CommandRow.resolved_at.is_(None),
                DeviceRow.technician_id == self._technician.id,
            )
        )
        named = (_digest_in(body) for body in self._session.scalars(query))
        return {digest for digest in named if digest}

    def _in_scope(self) -> tuple[ColumnElement[bool], ...]:
        zone = self._settings.zone
        start = datetime.combine(self._today - timedelta(days=DAYS_BACK), time(), zone)
        end = datetime.combine(self._today + timedelta(days=DAYS_AHEAD + 1), time(), zone)
        row = WorkOrderRow
        planned = and_(row.planned_start >= start, row.planned_start < end)
        under_way = row.state.in_([WorkOrderState.TRAVELLING, WorkOrderState.ON_SITE])
        return (row.technician_id == self._technician.id, or_(planned, under_way))

    def _orders(self, ids: set[str]) -> list[WorkOrder]:
        if not ids:
            return []
        found = [UUID(item) for item in ids]
        return repository.find(self._session, WorkOrderRow.id.in_(found), *self._in_scope())

    def _devices(self, serials: set[str]) -> list[Image]:
        if not serials:
            return []
        mine = select(WorkOrderRow.id).where(*self._in_scope())
        here = select(WorkOrderRow.location_id).where(*self._in_scope())
        visible = or_(
            AssetRow.holder_id == self._technician.van_id,
            AssetRow.holder_id.in_(here),
            AssetRow.claimed_by.in_(mine),
        )
        return list(register.find(self._session, AssetRow.serial.in_(sorted(serials)), visible))

    def _stock_lines(self, skus: set[str] | None) -> list[StockLine]:
        van = self._technician.van_id
        on_hand = ledger.balances(self._session, van, skus)
        promised = ledger.reserved(self._session, van)
        query = select(ProductRow.sku, ProductRow.van_par).order_by(ProductRow.sku)
        if skus is not None:
            query = query.where(ProductRow.sku.in_(skus))
        return [
            StockLine(
                stock_place_id=van,
                sku=sku,
                on_hand=on_hand.get(sku, 0),
                reserved=promised.get(sku, 0),
                par=par,
            )
            for sku, par in self._session.execute(query)
        ]

    def _profile(self) -> Profile:
        technician = self._technician
        van = self._session.get_one(StockPlaceRow, technician.van_id)
        return Profile(
            technician_id=technician.id,
            name=technician.name,
            van_id=van.id,
            van_name=van.name,
            time_zone=self._settings.time_zone,
            home_lat=technician.start_lat,
            home_lon=technician.start_lon,
        )


def _digest_in(body: str) -> str | None:
    """Bodies of held commands may be anything: that may be why they are held."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    digest = found.get("digest") if isinstance(found, dict) else None
    return digest if isinstance(digest, str) and len(digest) == 64 else None
