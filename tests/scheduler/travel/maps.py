"""Road maps made for tests, by hand: `a_map(nodes, streets, …)`, each street one way of its nodes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping

from scheduler.travel.graph import build
from scheduler.travel.osm import Restriction, RoadMap, Way
from scheduler.travel.protocol import Point
from scheduler.travel.roads import RoadNetwork

SPEED = 10.0  # metres a second, of every street made here


def street(id: int, *nodes: int, oneway: bool = False, speed: float = SPEED) -> Way:
    return Way(id, array("q", nodes), speed, True, not oneway)


def no(from_way: int, via: int, to_way: int) -> Restriction:
    return Restriction(False, from_way, via, (), to_way)


def only(from_way: int, via: int, to_way: int) -> Restriction:
    return Restriction(True, from_way, via, (), to_way)


def no_through(from_way: int, via_ways: tuple[int, ...], to_way: int) -> Restriction:
    return Restriction(False, from_way, None, via_ways, to_way)


def a_network(
    where: Mapping[int, Point],
    ways: Iterable[Way],
    *restrictions: Restriction,
    blocked: Iterable[int] = (),
    signals: Iterable[int] = (),
) -> RoadNetwork:
    roads = RoadMap(list(ways), dict(where), set(blocked), set(signals), list(restrictions))
    return RoadNetwork("roads of a made-up map", build(roads))
