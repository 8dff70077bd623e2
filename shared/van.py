"""What a rule about a van's stock may look at, and how an event changes it. Phone and server start here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from shared.assets import Asset, AssetState, HolderKind
from shared.catalogue import Product
from shared.part_requests import PartRequest, answered, supplied, withdrawn
from shared.stock import StockMove
from shared.stock_events import (
    PartAskedFor,
    PartRequestAnswered,
    PartRequestSupplied,
    PartRequestWithdrawn,
    PartsPickedUp,
    StockEvent,
    TransferBooked,
    TransferSigned,
    VanCounted,
)
from shared.transfers import Handed

COUNT_PLACE = UUID("00000000-0000-7000-8000-000000000003")
"""Stock place of what counts found too many or too few; its balance is what counting has cost, or brought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockHolder:
    """A place of stock that a command names."""

    kind: HolderKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Van:
    """One technician's van: who acts, devices that the command names, units by the ledger.

    A phone knows only its own van's and customers' devices; a serial missing there may exist elsewhere.
    `count_units_max`: by how much a count may differ without a dispatcher; None: by any number. A phone does
    not know the limit, and the server none once a dispatcher has agreed. `transfers`: those that were booked
    already. `sealed`: whether both seals are true; None on a phone, which can't tell. `giver_on_hand`: units
    on the giver's van, or in the depot, where another one's are known. `requests`: for parts, those that the
    command is about or may settle. `places`: vans and depots that it names; `knows_all`: no other exists,
    which a phone can't tell.
    """

    actor_id: UUID
    van_id: UUID
    van_name: str
    assets: Mapping[str, Asset]
    on_hand: Mapping[str, int]
    products: Mapping[str, Product]
    count_units_max: int | None = None
    transfers: Mapping[UUID, Handed] = field(default_factory=dict)
    sealed: bool | None = None
    giver_on_hand: Mapping[str, int] | None = None
    requests: Mapping[UUID, PartRequest] = field(default_factory=dict)
    places: Mapping[UUID, StockHolder] = field(default_factory=dict)
    knows_all: bool = False

    def part_name(self, sku: str) -> str:
        product = self.products.get(sku)
        return product.name if product else sku


def evolve_van(before: Van, event: StockEvent) -> Van:
    """The van after `event`. Never refuses: what may happen was decided before."""
    match event:
        case VanCounted(moves=moves):
            return _moved(before, moves)
        case TransferBooked(transfer=transfer, by_giver=by_giver, moves=moves):
            handed = Handed(transfer=transfer, given=by_giver, taken=not by_giver)
            return replace(_moved(before, moves), transfers={**before.transfers, transfer.id: handed})
        case TransferSigned(transfer=transfer, by_giver=by_giver):
            known = before.transfers[transfer.id]
            handed = replace(known, given=known.given or by_giver, taken=known.taken or not by_giver)
            return replace(before, transfers={**before.transfers, transfer.id: handed})
        case PartsPickedUp(moves=moves):
            return _moved(before, moves)
        case PartAskedFor(request=request):
            return _with_request(before, request)
        case PartRequestAnswered(at=at, request_id=id, can=can, note=note):
            return _with_request(before, answered(before.requests[id], at, can=can, answer=note))
        case PartRequestWithdrawn(at=at, request_id=id):
            return _with_request(before, withdrawn(before.requests[id], at))
        case PartRequestSupplied(at=at, request_id=id, units=units):
            return _with_request(before, supplied(before.requests[id], units, at))


def _with_request(van: Van, request: PartRequest) -> Van:
    return replace(van, requests={**van.requests, request.id: request})


def _moved(van: Van, moves: tuple[StockMove, ...]) -> Van:
    on_hand, assets = dict(van.on_hand), dict(van.assets)
    for move in moves:
        if move.source_id == van.van_id:
            on_hand[move.sku] = on_hand.get(move.sku, 0) - move.quantity
        if move.target_id == van.van_id:
            on_hand[move.sku] = on_hand.get(move.sku, 0) + move.quantity
        if move.serial:
            assets[move.serial] = _settled(assets.get(move.serial), move, van)
    return replace(van, on_hand=on_hand, assets=assets)


def _settled(known: Asset | None, move: StockMove, van: Van) -> Asset:
    """The device on the van that it came to; one that nobody had booked in begins there."""
    name = van.van_name if move.target_id == van.van_id else "another van"
    assert move.serial is not None, "only devices settle"
    asset = known or Asset(
        id=move.target_id,  # a placeholder on the phone; the server mints the real one
        serial=move.serial,
        sku=move.sku,
        state=AssetState.IN_STOCK,
        holder_kind=HolderKind.VAN,
        holder_id=move.target_id,
        holder_name=name,
    )
    return replace(asset, holder_kind=HolderKind.VAN, holder_id=move.target_id, holder_name=name)
