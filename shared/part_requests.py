"""Parts that one technician asks of a van or a depot, and who has any: nothing is promised by it but a word.

A request moves no stock and reserves none. What moves is booked by the transfer between the vans, or by the
pick-up at the depot, and that is what settles the request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.assets import HolderKind

HOLDERS_MAX = 5
"""So many places are named for each part: the nearest."""
SKUS_MAX = 200
"""So many kinds of parts are told of at most."""
NOTE_LENGTH_MAX = 500


class PartRequestState(StrEnum):
    """How a request stands. The first three are open."""

    ASKED = "asked"
    PROMISED = "promised"  # whoever has it said yes
    DECLINED = "declined"  # … or no: it stays until the asker takes it back
    SUPPLIED = "supplied"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRequest:
    """`quantity` of `sku`, in its unit, that `asker_id` wants of the van or depot `holder_id`.

    `supplied`: so many have come by now. `asker`, `holder` and `order_number` are names, for who reads it.
    `holder_kind` is None where nobody said it.
    """

    id: UUID
    sku: str
    quantity: int
    asker_id: UUID
    holder_id: UUID
    asked_at: datetime
    for_order_id: UUID | None = None
    note: str = ""
    state: PartRequestState = PartRequestState.ASKED
    answered_at: datetime | None = None
    answer: str = ""
    supplied: int = 0
    closed_at: datetime | None = None
    asker: str = ""
    holder: str = ""
    order_number: str = ""
    holder_kind: HolderKind | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def left(self) -> int:
        return max(self.quantity - self.supplied, 0)

    def asks_the_same(self, other: PartRequest) -> bool:
        """Whether it is the same wish, however far it has come."""
        return (self.sku, self.quantity, self.asker_id, self.holder_id) == (
            other.sku,
            other.quantity,
            other.asker_id,
            other.holder_id,
        )


def answered(request: PartRequest, at: datetime, *, can: bool, answer: str) -> PartRequest:
    """What was closed stays so; that somebody answered is kept all the same."""
    state = request.state
    if request.is_open:
        state = PartRequestState.PROMISED if can else PartRequestState.DECLINED
    return replace(request, state=state, answered_at=at, answer=answer)


def withdrawn(request: PartRequest, at: datetime) -> PartRequest:
    if not request.is_open:
        return request
    return replace(request, state=PartRequestState.WITHDRAWN, closed_at=at)


def supplied(request: PartRequest, units: int, at: datetime) -> PartRequest:
    """So many more have come; it closes itself with the last of them."""
    came = replace(request, supplied=request.supplied + units)
    return came if came.left else replace(came, state=PartRequestState.SUPPLIED, closed_at=at)


def settled_by(
    requests: Iterable[PartRequest], asker_id: UUID, holder_id: UUID, came: dict[str, int]
) -> list[tuple[UUID, int]]:
    """Which open requests are met by what `came` (SKU → units) from there, the oldest first: id, units."""
    left, met = dict(came), []
    for request in sorted(requests, key=lambda one: (one.asked_at, one.id)):
        if not request.is_open or (request.asker_id, request.holder_id) != (asker_id, holder_id):
            continue
        if units := min(request.left, left.get(request.sku, 0)):
            left[request.sku] -= units
            met.append((request.id, units))
    return met


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyPlace:
    """A van or a depot that has something.

    Of a van: who drives it, and about where it was at work last, on a grid of a kilometre; never a home. Of a
    depot: its address and its hours, as the office wrote them. Places are WGS 84, None where nobody knows.
    """

    id: UUID
    kind: Literal["van", "depot"]
    name: str
    driver: str = ""
    lat: float | None = None
    lon: float | None = None
    address: str = ""
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeStock:
    """`free` units at one of the supply's places, by its number, that are promised to no job."""

    place: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyLine:
    sku: str
    held: tuple[FreeStock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSupply:
    """Who else has the parts that this technician's jobs and van need, as it was `known_at`."""

    known_at: datetime
    places: tuple[SupplyPlace, ...] = ()
    lines: tuple[SupplyLine, ...] = ()

    def place(self, id: UUID) -> SupplyPlace | None:
        return next((place for place in self.places if place.id == id), None)
