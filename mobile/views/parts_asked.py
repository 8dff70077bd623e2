"""Who has a part, how far away, and how what was asked for stands. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from uuid import UUID

from mobile import words
from mobile.gateway import StockView
from mobile.views.found import missing_parts
from mobile.views.nearby import Position
from mobile.views.quantities import counted, quantity
from mobile.views.sketch import has_place, metres_between
from shared.assets import HolderKind
from shared.catalogue import Product
from shared.part_requests import PartRequest, PartRequestState, PartSupply
from shared.work_orders import WorkOrder

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A van or depot that has the part. `facts` are what to know before one goes there."""

    id: UUID
    name: str
    free: int
    facts: tuple[str, ...]

    @property
    def label(self) -> str:
        return words.listed([self.name, *self.facts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request in words, with what may be done about it."""

    id: UUID
    heading: str
    facts: tuple[str, ...]
    note: str
    can_answer: bool = False
    can_hand_over: bool = False
    can_take: bool = False
    can_fetch: bool = False
    can_withdraw: bool = False


def where_from(position: Position | None, orders: Sequence[WorkOrder]) -> Point | None:
    """Where the phone is, else the job that one is at or that comes next."""
    if position is not None:
        return position.lat, position.lon
    open_ = [order for order in orders if not order.state.is_over and has_place(order)]
    under_way = [order for order in open_ if order.state.is_under_way]
    order = next(iter(under_way + open_), None)
    return (order.place.lat, order.place.lon) if order else None


def lacking(order: WorkOrder, stock: Sequence[StockView]) -> dict[str, int]:
    """SKU → how many this job still needs beyond what is left on the van. Of models of which any will do,
    each is named, and none where the van has one.
    """
    left = {view.product.sku: max(view.left, 0) for view in stock}
    wanted = {
        sku: count - left.get(sku, 0)
        for sku, count in missing_parts(order).items()
        if count > left.get(sku, 0)
    }
    fitted = {device.sku for device in order.fitted}
    for need in order.required_equipment:
        if not fitted.intersection(need.skus) and not any(left.get(sku) for sku in need.skus):
            wanted |= dict.fromkeys(need.skus, 1)
    return wanted


def parts_to_ask(
    order: WorkOrder | None, stock: Sequence[StockView], supply: PartSupply | None
) -> dict[str, int]:
    """SKU → how many seem to be missing: what the job lacks first, then what the van is short of, then what
    else others have.
    """
    wanted = lacking(order, stock) if order is not None else {}
    wanted |= {
        view.product.sku: view.short for view in stock if view.short and view.product.sku not in wanted
    }
    for line in supply.lines if supply else ():
        wanted.setdefault(line.sku, 1)
    return wanted


def holders(supply: PartSupply | None, sku: str, here: Point | None, product: Product | None) -> list[Holder]:
    """The nearest first; those whose place nobody knows come last, by name."""
    line = next((line for line in supply.lines if line.sku == sku), None) if supply else None
    if supply is None or line is None:
        return []
    found: list[tuple[float, Holder]] = []
    for stock in line.held:
        place = supply.places[stock.place]
        metres = None
        if here is not None and place.lat is not None and place.lon is not None:
            metres = metres_between(here, (place.lat, place.lon))
        away = words.far_away(metres) if metres is not None else words.DISTANCE_UNKNOWN
        facts = [words.free_there(quantity(stock.free, product)), away]
        if place.kind == "depot":
            facts += [place.address] if place.address else []
            facts += [words.open_at(place.hours)] if place.hours else []
        else:
            facts.append(place.name)
        holder = Holder(id=place.id, name=place.driver or place.name, free=stock.free, facts=tuple(facts))
        found.append((float("inf") if metres is None else metres, holder))
    return [holder for _, holder in sorted(found, key=lambda one: (one[0], one[1].name))]


def colleagues_waiting(asked_of_me: Sequence[PartRequest]) -> int:
    """How many people wait for this technician's answer, however much each asks for."""
    return len({request.asker_id for request in asked_of_me if request.answered_at is None})


def answer_line(request: PartRequest, product: Product | None) -> str:
    """What somebody answered to a request, in one line."""
    wanted = words.you_asked(request.holder, counted(request.quantity, product, request.sku))
    return f"{wanted}: {words.PART_REQUEST_STATES[request.state]}"


def request_lines(
    requests: Sequence[PartRequest],
    me: UUID,
    waiting: Collection[UUID],
    supply: PartSupply | None,
    catalogue: Mapping[str, Product],
    now: datetime,
    zone: tzinfo | None,
) -> tuple[tuple[Request, ...], tuple[Request, ...]]:
    """(asked of this technician, asked by them). `waiting`: those that have not left this device."""
    of_me: list[Request] = []
    by_me: list[Request] = []
    today = now.astimezone(zone).date()
    for request in requests:
        product = catalogue.get(request.sku)
        things = counted(request.quantity, product, request.sku)
        unsent = request.id in waiting and request.state is PartRequestState.ASKED
        state = words.REQUEST_NOT_SENT if unsent else words.PART_REQUEST_STATES[request.state]
        at = words.clock_and_day(request.asked_at.astimezone(zone), today)
        facts = [state, at]
        if request.order_number:
            facts.append(words.for_job(request.order_number))
        if request.supplied and request.is_open:
            facts.append(words.came_so_far(quantity(request.supplied, product)))
        mine = request.asker_id == me
        place = supply.place(request.holder_id) if supply else None
        holder = (place.driver if place else "") or request.holder
        note = request.answer if mine else request.note
        promised = request.is_open and request.state is PartRequestState.PROMISED
        # A place without free units is not among the supply's: the request itself says what it is.
        depot = (request.holder_kind or (place.kind if place else None)) == HolderKind.DEPOT
        made = Request(
            id=request.id,
            heading=words.you_asked(holder, things) if mine else words.asks_you(request.asker, things),
            facts=tuple(facts),
            note=note,
            can_answer=not mine and request.is_open,
            can_hand_over=not mine and promised,
            can_take=mine and promised,
            can_fetch=mine and request.is_open and depot,
            can_withdraw=mine and request.is_open,
        )
        (by_me if mine else of_me).append(made)
    return tuple(of_me), tuple(by_me)
