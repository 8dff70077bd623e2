"""Enough street cabinets for a town: those on the map, then made-up ones at real junctions."""

from collections.abc import Sequence

from server.town.model import Address, Cabinet, metres_between

Junction = tuple[int, float, float]  # node id, lat, lon


def complete(
    mapped: tuple[Cabinet, ...], addresses: Sequence[Address], junctions: Sequence[Junction], wanted: int
) -> tuple[Cabinet, ...]:
    """`mapped` plus synthetic cabinets until there are `wanted`, or no junction is left.

    Each new one goes to the junction nearest to the address that is farthest from any cabinet, so
    that no street is left out. The order is fixed by the input: same map, same cabinets.
    """
    cabinets = list(mapped)
    free = list(junctions)
    reach = [min((_away(a, c.lat, c.lon) for c in mapped), default=float("inf")) for a in addresses]
    while len(cabinets) < wanted and free:
        remote = addresses[max(range(len(addresses)), key=reach.__getitem__)]
        nearest = min(free, key=lambda j: _away(remote, j[1], j[2]))
        free.remove(nearest)
        ref, lat, lon = nearest
        number = len(cabinets) - len(mapped) + 1
        cabinets.append(
            Cabinet(id=f"s{ref}", lat=round(lat, 6), lon=round(lon, 6), ref=f"K{number:03d}", synthetic=True)
        )
        reach = [min(r, _away(a, lat, lon)) for a, r in zip(addresses, reach, strict=True)]
    return tuple(cabinets)


def _away(address: Address, lat: float, lon: float) -> float:
    return metres_between(address.lat, address.lon, lat, lon)
