"""sync.server.ports.Source on SQL: what one technician's devices may see, from one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, or_, select, true
from sqlalchemy.orm import Session

from server.access.callers import Technician
from server.assets import register
from server.assets.models import AssetRow
from server.customers.links import link_to_show
from server.customers.models import PlanRow
from server.customers.plans import tariff_of
from server.db import feed
from server.db.base import columns_of, table_of
from server.db.feed_models import HistoryRow
from server.inbox.rulings import rulings
from server.settings import Settings
from server.stock import ledger, part_requests, supply, transfers
from server.stock.models import ProductRow, StockPlaceRow
from server.stock.products import product_of
from server.work_orders import briefs, repository
from server.work_orders.models import EvidenceRow, WorkOrderRow
from shared.assets import Asset, AssetState
from shared.briefs import FAULT_DAYS, PlaceBrief
from shared.part_requests import PartRequest, PartSupply
from shared.stock import StockLine
from shared.work_orders import WorkOrder, WorkOrderState
from sync.protocol import DAYS_AHEAD, DAYS_BACK, PROTOCOL, Image, Profile, image_key
from sync.server.ports import Change, Found, Key, Look

PAGE = 500
EVIDENCE_ASKED_FOR = timedelta(days=30)
"""No phone holds the bytes longer."""


# What each contact asks is built once, here: to build a statement costs more than to run it. They ask for
# columns of tables, for the session's bookkeeping of rows would cost as much again. Their parameters are the
# technician `me`, their `van`, the days `start` to `end`, and `since`, from when on bytes are asked for.
_order, _asset, _evidence, _product, _history = (
    columns_of(kind) for kind in (WorkOrderRow, AssetRow, EvidenceRow, ProductRow, HistoryRow)
)
_AWAITED = (
    _evidence.technician_id == bindparam("me"),
    _evidence.arrived_at.is_(None),
    _evidence.named_at > bindparam("since"),
)
_IN_SCOPE = and_(
    _order.technician_id == bindparam("me"),
    or_(
        and_(_order.planned_start >= bindparam("start"), _order.planned_start < bindparam("end")),
        _order.state.in_([WorkOrderState.TRAVELLING, WorkOrderState.ON_SITE]),
    ),
)
_ORDERS = repository.finding(_IN_SCOPE)
_ORDERS_OF = repository.finding(_order.id.in_(bindparam("ids", expanding=True)), _IN_SCOPE)
# Quarantined devices too: whoever holds one must be told so, also with no network.
_AT_PLACES = register.finding(_asset.holder_id.in_(bindparam("places", expanding=True)))
_CLAIMED = register.finding(_asset.claimed_by.in_(bindparam("orders", expanding=True)))
_ON_MY_VAN_OR_SITES = or_(
    _asset.holder_id == bindparam("van"), _asset.holder_id.in_(select(_order.location_id).where(_IN_SCOPE))
)
# `places` are those of orders in scope, and what hangs there is in scope with them.
_DEVICES_OF = register.finding(
    or_(
        and_(_asset.holder_id.in_(bindparam("places", expanding=True)), _asset.state == AssetState.INSTALLED),
        and_(
            _asset.serial.in_(bindparam("serials", expanding=True)),
            or_(_ON_MY_VAN_OR_SITES, _asset.claimed_by.in_(select(_order.id).where(_IN_SCOPE))),
        ),
    )
)
_MISSING = select(_evidence.digest).where(*_AWAITED).order_by(_evidence.digest)
_PLACES_OF = (
    select(_order.location_id)
    .distinct()
    .where(_order.location_id.in_(bindparam("places", expanding=True)), _IN_SCOPE)
)
_PARS = select(_product.sku, _product.van_par).order_by(_product.sku)


@cache
def _look(postgresql: bool) -> Select[*tuple[Any, ...]]:
    """Which history this is, whether bytes are awaited, the next changes: all that an idle contact asks."""
    changes = feed.following(postgresql, PAGE).subquery()
    return (
        select(
            _history.epoch,
            _history.cursor_key,
            _history.compacted_xid,
            _history.compacted_seq,
            select(_evidence.digest).where(*_AWAITED).exists().label("wanting"),
            feed.is_ahead(postgresql).label("ahead"),
            changes,
        )
        .select_from(table_of(HistoryRow))
        .outerjoin(changes, true())
        .order_by(changes.c.xid, changes.c.seq)
    )


class DeviceSource:
    """See sync.server.ports.Source."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        technician: Technician,
        now: datetime,
        protocol: int = PROTOCOL,
    ) -> None:
        """`protocol`: what the device's app speaks."""
        self._session = session
        self._settings = settings
        self._technician = technician
        self._now = now
        self._protocol = protocol
        self._today: date = now.astimezone(settings.zone).date()
        self._asked: dict[str, Any] = {
            "me": technician.id,
            "van": technician.van_id,
            "start": datetime.combine(self._today - timedelta(days=DAYS_BACK), time(), settings.zone),
            "end": datetime.combine(self._today + timedelta(days=DAYS_AHEAD + 1), time(), settings.zone),
            "since": now - EVIDENCE_ASKED_FOR,
        }
        self.epoch = ""
        """The database's history, once it was looked at."""
        self.cursor_key = ""
        self.ahead = False
        """Whether the device has seen more of this history than there is: a backup was put back."""

    def look(self, position: str | None) -> Look:
        """One statement, so that a device with nothing to say costs next to nothing."""
        try:
            after = feed.Position.parse(position or "")
        except ValueError:
            after = None
        begin = after or feed.END
        scope = feed.technician_scope(self._technician.id)
        asked = self._asked | feed.seen(after or feed.START)
        asked |= {"scope": scope, "after_xid": begin.xid, "after_seq": begin.seq}
        found = self._session.execute(_look(feed.is_postgresql(self._session)), asked).all()
        first = found[0]
        self.cursor_key = first.cursor_key
        self.epoch, self.ahead = first.epoch, after is not None and bool(first.ahead)
        known = after is not None and after >= feed.Position(first.compacted_xid, first.compacted_seq)
        changes = [
            Change(position=str(feed.Position(row.xid, row.seq)), key=(row.kind, row.key))
            for row in found
            if row.seq is not None
        ]
        return Look(
            # The day belongs to the cursor because the scope moves with it; the van, because stock does; the
            # PIN, because no feed tells of a setting, and phones shall hear of this one at the next contact;
            # the protocol, because a newer app reads rows and fields that the one before it passed over.
            history="-".join(
                (self.epoch, f"{self._today:%Y%m%d}", self._technician.van_id.hex[-8:], *self._marks())
            ),
            changes=changes if known and not self.ahead else None,
            more=len(changes) == PAGE,
            wanting=bool(first.wanting),
        )

    def _marks(self) -> Iterator[str]:
        if self._settings.pin_length_min:
            yield str(self._settings.pin_length_min)
        if self._protocol >= 5:  # older apps keep the places that they have
            yield f"p{self._protocol}"

    def head(self) -> str:
        return str(feed.head(self._session))

    def everything(self) -> Mapping[Key, Image]:
        drafts = repository.drafts(self._session, _ORDERS, **self._asked)
        places = [self._technician.van_id, *(draft.place_id for draft in drafts)]
        devices = register.found(self._session, _AT_PLACES, places=places)
        orders = self._with_links(_finished(drafts, devices, self._technician.id))
        claimed = register.found(self._session, _CLAIMED, orders=[order.id for order in orders])
        products = [product_of(row) for row in self._session.scalars(select(ProductRow))]
        images: list[tuple[str, Image]] = [("profile", self._profile())]
        images += [("product", product) for product in products]
        images += [("tariff", tariff_of(row)) for row in self._session.scalars(select(PlanRow))]
        images += [("stock_line", line) for line in self._stock_lines(None)]
        images += [("asset", device) for device in (*devices, *claimed)]
        images += [("work_order", order) for order in orders]
        images += [("ruling", item) for item in rulings(self._session, self._technician.id, self._now)]
        handed = transfers.shown_to(self._session, self._technician.id, self._now)
        images += [("transfer", item) for item in handed]
        images += [(part_requests.KIND, item) for item in self._part_requests(None)]
        images += [(briefs.KIND, brief) for brief in self._briefs({draft.place_id for draft in drafts})]
        images.append((supply.KIND, self._supply(orders)))
        return {(kind, image_key(image)): image for kind, image in images}

    def images(self, keys: Iterable[Key]) -> Found:
        asked = set(keys)
        found = self._images(asked)
        left = {UUID(key) for kind, key in asked if kind == "work_order" and (kind, key) not in found}
        # A job that goes takes the devices at its address along, unless another job is there.
        there = [("asset", serial) for serial in self._serials_at(left)]
        gone = [key for key in dict.fromkeys([*sorted(asked), *there]) if key not in found]
        if beside := [key for key in gone if key not in asked]:
            still = self._images(beside)
            gone = [key for key in gone if key not in still]
        return Found(images=found, gone=gone)

    def _serials_at(self, work_order_ids: set[UUID]) -> Sequence[str]:
        if not work_order_ids:
            return []
        row, me = WorkOrderRow, self._technician.id
        shown = select(row.id, row.location_id, row.technician_id, row.former_technician_ids)
        # A phone may name any order; of one that was never its technician's it learns nothing.
        mine = [
            (order_id, place_id)
            for order_id, place_id, technician_id, former in self._session.execute(
                shown.where(row.id.in_(sorted(work_order_ids)))
            )
            if technician_id == me or str(me) in former
        ]
        if not mine:
            return []
        orders, places = [order_id for order_id, _ in mine], [place_id for _, place_id in mine]
        query = select(AssetRow.serial).where(
            or_(AssetRow.holder_id.in_(places), AssetRow.claimed_by.in_(orders))
        )
        return self._session.scalars(query.order_by(AssetRow.serial)).all()

    def _images(self, keys: Iterable[Key]) -> dict[Key, Image]:
        wanted: dict[str, set[str]] = {}
        for kind, key in keys:
            wanted.setdefault(kind, set()).add(key)
        drafts = self._drafts(wanted.get("work_order", set()))
        # A job brings the devices at its address along, and those fitted on it.
        serials = wanted.get("asset", set()).union(*(draft.fitted_serials for draft in drafts))
        devices = self._devices([draft.place_id for draft in drafts], serials)
        orders = self._with_links(_finished(drafts, devices, self._technician.id))
        images: list[tuple[str, Image]] = [("work_order", order) for order in orders]
        images += [("asset", device) for device in devices]
        if skus := wanted.get("stock_line"):
            images += [("stock_line", line) for line in self._stock_lines(skus)]
        if skus := wanted.get("product"):
            rows = self._session.scalars(select(ProductRow).where(ProductRow.sku.in_(skus)))
            images += [("product", product_of(row)) for row in rows]
        if codes := wanted.get("tariff"):
            plans = self._session.scalars(select(PlanRow).where(PlanRow.code.in_(codes)))
            images += [("tariff", tariff_of(plan)) for plan in plans]
        if "profile" in wanted:
            images.append(("profile", self._profile()))
        if ids := wanted.get("ruling"):
            found = rulings(self._session, self._technician.id, self._now, ids)
            images += [("ruling", item) for item in found]
        if ids := wanted.get("transfer"):
            handed = transfers.shown_to(self._session, self._technician.id, self._now, ids)
            images += [("transfer", item) for item in handed]
        if places := wanted.get(briefs.KIND):
            here = self._session.scalars(
                _PLACES_OF, self._asked | {"places": [UUID(place) for place in places]}
            ).all()
            images += [(briefs.KIND, brief) for brief in self._briefs(here)]
        if ids := wanted.get(part_requests.KIND):
            images += [(part_requests.KIND, item) for item in self._part_requests(ids)]
        if supply.KIND in wanted:
            all_orders = repository.drafts(self._session, _ORDERS, **self._asked)
            images.append((supply.KIND, self._supply(_finished(all_orders, (), self._technician.id))))
        return {(kind, image_key(image)): image for kind, image in images}

    def _with_links(self, orders: Iterable[WorkOrder]) -> list[WorkOrder]:
        """With the address of the customer's page, which a technician can show them."""
        return [replace(order, customer_link=link_to_show(self._settings, order)) for order in orders]

    def _part_requests(self, ids: set[str] | None) -> list[PartRequest]:
        me = self._technician
        return part_requests.shown_to(self._session, me.id, me.van_id, self._now, ids)

    def _supply(self, orders: Iterable[WorkOrder]) -> PartSupply:
        """Who has what this technician's open jobs ask for, and what a van should carry."""
        open_ = [order for order in orders if not order.state.is_over]
        skus = {line.sku for order in open_ for line in order.required_parts}
        skus |= {sku for order in open_ for sku in order.fitting_skus}
        skus |= {sku for sku, par in self._session.execute(_PARS) if par > 0}
        zone, day = self._settings.zone, self._today
        today = (datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone))
        me = self._technician
        home = (me.start_lat, me.start_lon)
        return supply.supply(self._session, me.id, me.van_id, home, skus, today, self._now)

    def _briefs(self, place_ids: Iterable[UUID]) -> list[PlaceBrief]:
        # By the day, as the scope is: what grows too old goes with the snapshot of the next morning.
        since = self._today - timedelta(days=FAULT_DAYS)
        return briefs.briefs(self._session, place_ids, datetime.combine(since, time(), self._settings.zone))

    def missing_evidence(self) -> Sequence[str]:
        return self._session.scalars(_MISSING, self._asked).all()

    def _drafts(self, ids: set[str]) -> list[repository.Draft]:
        if not ids:
            return []
        return repository.drafts(self._session, _ORDERS_OF, ids=[UUID(item) for item in ids], **self._asked)

    def _devices(self, place_ids: list[UUID], serials: set[str]) -> list[Asset]:
        if not (place_ids or serials):
            return []
        return register.found(
            self._session, _DEVICES_OF, places=place_ids, serials=sorted(serials), **self._asked
        )

    def _stock_lines(self, skus: set[str] | None) -> list[StockLine]:
        van = self._technician.van_id
        on_hand = ledger.balances(self._session, van, skus)
        promised = ledger.reserved(self._session, van)
        pars = self._session.execute(_PARS).all()
        return [
            StockLine(
                stock_place_id=van,
                sku=sku,
                on_hand=on_hand.get(sku, 0),
                reserved=promised.get(sku, 0),
                par=par,
            )
            for sku, par in pars
            if skus is None or sku in skus
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
            sealing_key=transfers.key_of(self._session, technician.id),
            tax_basis_points=self._settings.tax_basis_points,
            company=self._settings.company,
            pin_length_min=self._settings.pin_length_min,
        )


def _finished(
    drafts: Sequence[repository.Draft], devices: Iterable[Asset], technician_id: UUID
) -> list[WorkOrder]:
    """The orders, with those of `devices` that are installed at their places.

    Of the visits that ended before a job was reopened, each technician sees their own times and no other's.
    """
    on_site: dict[UUID, list[str]] = defaultdict(list)
    for device in devices:
        if device.state is AssetState.INSTALLED:
            on_site[device.holder_id].append(device.serial)
    return [_with_own_times(draft.finish(on_site), technician_id) for draft in drafts]


def _with_own_times(order: WorkOrder, technician_id: UUID) -> WorkOrder:
    if not order.earlier_visits:
        return order
    own = tuple(times for times in order.earlier_visits if times.technician_id == technician_id)
    return replace(order, earlier_visits=own)
