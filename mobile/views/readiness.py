"""Is all that the coming jobs need on this device? Asked after each fetch, before somebody drives off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from uuid import UUID

from mobile import words
from mobile.views.sketch import has_place
from mobile.views.status import when
from shared.assets import HolderKind
from shared.catalogue import Tracking
from shared.work_orders import WorkOrder
from sync.client.records import Images

OLD = timedelta(hours=12)
"""Since the last contact: a night is fine, for the first contact of the day comes before the first drive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """`jobs`: own open ones on this device. `missing`: sentences, the weightiest first; empty when ready."""

    jobs: int
    missing: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        return words.not_ready(len(self.missing)) if self.missing else words.ready(self.jobs)


def readiness(
    images: Images,
    *,
    is_whole: bool,
    last_contact: datetime | None,
    starts_offline: bool | None,
    now: datetime,
    zone: tzinfo | None,
) -> Readiness:
    """`images` as shown. What is still to be sent is not missing: it is safe, and has a line of its own."""
    if images.profile is None or last_contact is None:
        return Readiness(jobs=0, missing=(words.NOTHING_FETCHED,))
    open_jobs = [
        order
        for order in images.orders.values()
        if order.technician_id == images.profile.technician_id and not order.state.is_over
    ]
    missing = []
    if not is_whole:
        missing.append(words.FETCH_UNDER_WAY)
    if now - last_contact > OLD:
        missing.append(words.data_is_old(when(last_contact, now, zone)))
    missing += _products(images, open_jobs)
    missing += _places(open_jobs)
    missing += _briefs(images, open_jobs)
    missing += _devices(images, images.profile.van_id)
    if starts_offline is False:
        missing.append(words.APP_NOT_KEPT)
    return Readiness(jobs=len(open_jobs), missing=tuple(missing))


def _products(images: Images, orders: Iterable[WorkOrder]) -> Iterable[str]:
    """A need is named by the catalogue; of several models that do, one is enough to know what to take."""
    for order in _by_number(orders):
        parts = {line.sku for line in order.required_parts if line.sku not in images.products}
        needs = {
            words.one_of(need.skus)
            for need in order.required_equipment
            if not any(sku in images.products for sku in need.skus)
        }
        if unknown := sorted(parts | needs):
            yield words.products_missing(order.number, unknown)


def _places(orders: Iterable[WorkOrder]) -> Iterable[str]:
    if lost := [order.number for order in _by_number(orders) if not has_place(order)]:
        yield words.places_missing(lost)


def _briefs(images: Images, orders: Iterable[WorkOrder]) -> Iterable[str]:
    """A server of an older version sends none at all, and then none is missed."""
    lost = [order.number for order in _by_number(orders) if order.place.id not in images.briefs]
    if images.briefs and lost:
        yield words.briefs_missing(lost)


def _devices(images: Images, van_id: UUID) -> Iterable[str]:
    """The ledger says how many devices the van carries; each of them has a row with its serial."""
    here = Counter(
        asset.sku
        for asset in images.assets.values()
        if asset.holder_kind is HolderKind.VAN and asset.holder_id == van_id
    )
    for sku, line in sorted(images.stock.items()):
        product = images.products.get(sku)
        if product and product.tracking is Tracking.SERIALISED and line.on_hand > here[sku]:
            yield words.devices_missing(product.name, here[sku], line.on_hand)


def _by_number(orders: Iterable[WorkOrder]) -> list[WorkOrder]:
    return sorted(orders, key=lambda order: order.number)
