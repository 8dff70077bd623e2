"""Which splitter serves which house: the passive network between cabinets and addresses, made up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from server.town.model import Address, Cabinet, Town, metres_between

PORTS = 32
HOMES_PER_SPLITTER = 24  # so that eight ports stay free


@dataclass(frozen=True, slots=True, kw_only=True)
class Splitter:
    """One splitter in a cabinet and the houses it reaches."""

    code: str
    cabinet_id: str
    addresses: tuple[Address, ...]
    ports: int = PORTS


def network(town: Town) -> tuple[Splitter, ...]:
    """Every distinct house under exactly one splitter of its nearest cabinet, neighbours together."""
    houses = {(a.line, a.postcode, a.city): a for a in reversed(town.addresses)}.values()
    under: dict[str, list[Address]] = {cabinet.id: [] for cabinet in town.cabinets}
    for house in reversed(houses):
        under[_nearest(house, town.cabinets).id].append(house)
    refs = Counter(cabinet.ref for cabinet in town.cabinets)
    splitters = []
    for cabinet in town.cabinets:
        name = cabinet.ref if refs[cabinet.ref] == 1 else cabinet.id.upper()  # maps repeat some refs
        row = sorted(under[cabinet.id], key=lambda a: (a.street, _number(a.housenumber), a.id))
        for number, first in enumerate(range(0, len(row), HOMES_PER_SPLITTER), start=1):
            splitters.append(Splitter(
                code=f"{name}-S{number}", cabinet_id=cabinet.id,
                addresses=tuple(row[first : first + HOMES_PER_SPLITTER]),
            ))  # fmt: skip
    return tuple(splitters)


def splitters_of(splitters: Iterable[Splitter]) -> dict[str, Splitter]:
    """Address id → its splitter."""
    return {address.id: splitter for splitter in splitters for address in splitter.addresses}


def _nearest(house: Address, cabinets: Iterable[Cabinet]) -> Cabinet:
    return min(cabinets, key=lambda c: metres_between(house.lat, house.lon, c.lat, c.lon))


def _number(housenumber: str) -> int:
    digits = "".join(letter for letter in housenumber.split("-")[0] if letter in "0123456789")
    return int(digits or 0)
