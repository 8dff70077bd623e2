"""Fresh rows + unsent commands → what the screen shows. Pure, by the very rules the server decides with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import overload
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.assets import HolderKind
from shared.briefs import PlaceBrief
from shared.clocks import Contact, Tap, correct
from shared.commands import FieldCommand, VisitCommand
from shared.decide import Decision, StockDecision, decide, decide_stock
from shared.network_faults import Cabinet, NetworkCommand, NetworkDecision, decide_network
from shared.problems import NotFound, Problem
from shared.rating import Prices
from shared.situation import Situation
from shared.stock import StockLine
from shared.stock_commands import StockCommand
from shared.van import StockHolder, Van
from sync.client.records import Entry, Images


def corrected(tap: Tap, contact: Contact | None) -> datetime:
    """A time by the device's clocks as the server will take it, as far as the last contact told."""
    return correct(tap, contact).at if contact else tap.made_at


AnyDecision = Decision | StockDecision | NetworkDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Rows as the screen shows them. `blocked`: unsent commands that no longer apply, and why.

    A blocked command is not dropped: it is sent, and a dispatcher decides.
    """

    images: Images
    blocked: Mapping[UUID, Problem] = field(default_factory=dict)


def situation_of(images: Images, work_order_id: UUID) -> Situation:
    """What the rules may look at on this device. Raises NotFound."""
    if images.profile is None:
        raise NotFound("This device has not fetched its work yet: connect once")
    order = images.orders.get(work_order_id)
    if order is None:
        raise NotFound("That job is not on this device", subject=str(work_order_id))
    return Situation(
        order=order,
        actor_id=images.profile.technician_id,
        van_id=images.profile.van_id,
        van_name=images.profile.van_name,
        assets=images.assets,
        on_hand={sku: line.on_hand for sku, line in images.stock.items()},
        products=images.products,
        prices=prices_of(images),
    )


def prices_of(images: Images) -> Prices | None:
    """The price list of this device; None where the server has not sent it."""
    profile = images.profile
    if profile is None or profile.tax_basis_points is None or not images.tariffs:
        return None
    return Prices(
        tariffs=images.tariffs,
        tax_basis_points=profile.tax_basis_points,
        zone=zone_of(profile.time_zone),
    )


def zone_of(name: str) -> tzinfo | None:
    """None, the device's own zone, where its rules are not installed."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def van_of(images: Images) -> Van:
    """What the rules about a van's stock may look at on this device. Raises NotFound."""
    if images.profile is None:
        raise NotFound("This device has not fetched its work yet: connect once")
    return Van(
        actor_id=images.profile.technician_id,
        van_id=images.profile.van_id,
        van_name=images.profile.van_name,
        assets=images.assets,
        on_hand={sku: line.on_hand for sku, line in images.stock.items()},
        products=images.products,
        transfers=images.transfers,
        requests=images.part_requests,
        places={
            place.id: StockHolder(kind=HolderKind(place.kind), name=place.name)
            for place in (images.supply.places if images.supply else ())
        },
    )


def cabinet_of(images: Images, name: str) -> Cabinet:
    """What the rule about the network may look at on this device, which can't tell all cabinets there are."""
    faults = (fault for brief in images.briefs.values() for fault in brief.network_faults)
    fault = next((fault for fault in faults if fault.cabinet == name), None)
    return Cabinet(name=name, exists=True, fault=fault)


def _with_fault(images: Images, after: Cabinet) -> Images:
    """Each place on the cabinet shows it."""
    places = {order.place.id for order in images.orders.values() if order.place.cabinet == after.name}
    if after.fault is None or not places:
        return images
    known = {id: images.briefs.get(id, PlaceBrief(place_id=id)) for id in places}
    shown = {id: replace(brief, network_faults=(after.fault,)) for id, brief in known.items()}
    return replace(images, briefs={**images.briefs, **shown})


@overload
def apply(images: Images, command: VisitCommand, at: datetime) -> tuple[Decision, Images]: ...
@overload
def apply(images: Images, command: StockCommand, at: datetime) -> tuple[StockDecision, Images]: ...
@overload
def apply(images: Images, command: FieldCommand, at: datetime) -> tuple[AnyDecision, Images]: ...
def apply(images: Images, command: FieldCommand, at: datetime) -> tuple[AnyDecision, Images]:
    """Decide `command` at `at` (UTC by the server's clock) and show its effects. Raises Problem."""
    if isinstance(command, StockCommand):
        stock = decide_stock(command, van_of(images), at)
        van = stock.after
        return stock, replace(
            images,
            assets=van.assets,
            stock=_stock(images, van.on_hand),
            transfers=van.transfers,
            part_requests=van.requests,
        )
    if isinstance(command, NetworkCommand):
        reported = decide_network(command, cabinet_of(images, command.cabinet), at)
        return reported, _with_fault(images, reported.after)
    decision = decide(command, situation_of(images, command.work_order_id), at)
    after = decision.after
    return decision, replace(
        images,
        orders={**images.orders, after.order.id: after.order},
        assets=after.assets,
        stock=_stock(images, after.on_hand),
    )


def _stock(images: Images, on_hand: Mapping[str, int]) -> Mapping[str, StockLine]:
    assert images.profile is not None
    changed = {
        sku: replace(images.stock[sku], on_hand=units)
        if sku in images.stock
        else StockLine(stock_place_id=images.profile.van_id, sku=sku, on_hand=units)
        for sku, units in on_hand.items()
        if sku not in images.stock or images.stock[sku].on_hand != units
    }
    return {**images.stock, **changed} if changed else images.stock


def rebase(images: Images, entries: Iterable[Entry], contact: Contact | None) -> Overlay:
    """Replay `entries` in order on `images`; each is either applied or blocked."""
    blocked: dict[UUID, Problem] = {}
    before = images
    for entry in entries:
        if entry.command is None:  # queued by an older app: nothing to show until the server answers
            continue
        if entry.confirm and _shown_already(entry, before):
            continue
        try:
            _, images = apply(images, entry.command, corrected(tap_of(entry), contact))
        except Problem as problem:
            blocked[entry.id] = problem
    return Overlay(images=images, blocked=blocked)


def _shown_already(entry: Entry, images: Images) -> bool:
    """Whether the rows of a restored server show what it is asked to confirm.

    A job's row that is newer than what was seen at the tap does. A van's balance has no version: what the
    server has stands until it answers.
    """
    if entry.work_order_id is None:
        return True
    row = images.orders.get(entry.work_order_id)
    return row is not None and row.version > entry.base_version


def tap_of(entry: Entry) -> Tap:
    return Tap(made_at=entry.made_at, mono_ms=entry.made_mono_ms, boot=entry.boot)
