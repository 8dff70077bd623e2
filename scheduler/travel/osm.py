"""What a van needs of an OpenStreetMap file: ways it may drive, where it may not pass, turns it may not take.

Data © OpenStreetMap contributors, ODbL: whoever shows it shows that.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium

from scheduler.travel.protocol import Point

# Usual speeds in km/h where no limit is mapped, town traffic included.
SPEEDS = {
    "motorway": 100, "motorway_link": 50, "trunk": 80, "trunk_link": 45, "primary": 60, "primary_link": 40,
    "secondary": 50, "secondary_link": 35, "tertiary": 40, "tertiary_link": 30, "unclassified": 35,
    "residential": 25, "living_street": 10, "road": 25, "service": 15,
}  # fmt: skip
LIMIT_SHARE = 0.8  # of a mapped limit is what a van really drives
CLOSED = {"no", "private", "agricultural", "forestry", "delivery", "military"}
OPEN = {"yes", "permissive", "designated", "destination", "customers"}
FOR_VANS = ("motorcar", "motor_vehicle", "vehicle", "access")  # the first that is mapped decides
PASSABLE = {
    "arch", "border_control", "cattle_grid", "entrance", "height_restrictor", "no", "sally_port",
    "toll_booth",
    # These open for whoever belongs there, unless the map says that they don't.
    "gate", "lift_gate", "swing_gate",
}  # fmt: skip
RESTRICTION_KEYS = ("restriction:motorcar", "restriction:motor_vehicle", "restriction")


@dataclass(frozen=True, slots=True)
class Way:
    """A way that may be driven. speed: metres a second."""

    id: int
    nodes: "array[int]"
    speed: float
    forward: bool
    backward: bool


@dataclass(frozen=True, slots=True)
class Restriction:
    """From one way over a node, or over ways in their order, to another: forbidden, or the `only` turn."""

    only: bool
    from_way: int
    via_node: int | None
    via_ways: tuple[int, ...]
    to_way: int


@dataclass(frozen=True, slots=True)
class RoadMap:
    """where: node → position, of every node on a way. blocked: nodes that no van passes. signals: nodes with
    traffic lights.
    """

    ways: list[Way]
    where: dict[int, Point]
    blocked: set[int] = field(default_factory=set)
    signals: set[int] = field(default_factory=set)
    restrictions: list[Restriction] = field(default_factory=list)


def read_roads(path: Path) -> RoadMap:
    """Everything in one file, in three passes. Raises OSError or RuntimeError when it can't be read."""
    ways, where = _ways(path)
    blocked, signals = _nodes(path)
    return RoadMap(ways, where, blocked & where.keys(), signals & where.keys(), _restrictions(path))


def _ways(path: Path) -> tuple[list[Way], dict[int, Point]]:
    ways, where = [], {}
    for way in (
        osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY)
        .with_locations()
        .with_filter(osmium.filter.EntityFilter(osmium.osm.WAY))
        .with_filter(osmium.filter.KeyFilter("highway"))
    ):
        if not isinstance(way, osmium.osm.Way):
            continue
        tags = _tags(way)
        speed = speed_of(tags)
        if speed is None:
            continue
        nodes = array("q")
        for node in way.nodes:
            if node.location.valid():  # a way cut off at the extract's edge lacks some
                nodes.append(node.ref)
                where[node.ref] = (node.location.lon, node.location.lat)
        if len(nodes) > 1:
            forward, backward = directions(tags)
            ways.append(Way(way.id, nodes, speed / 3.6, forward, backward))
    return ways, where


def _nodes(path: Path) -> tuple[set[int], set[int]]:
    blocked, signals = set(), set()
    for node in osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(
        osmium.filter.KeyFilter("barrier", "highway")
    ):
        tags = _tags(node)
        if blocks(tags):
            blocked.add(node.id)
        if tags.get("highway") == "traffic_signals":
            signals.add(node.id)
    return blocked, signals


def _restrictions(path: Path) -> list[Restriction]:
    found = []
    for relation in osmium.FileProcessor(str(path), osmium.osm.RELATION).with_filter(
        osmium.filter.TagFilter(("type", "restriction"))
    ):
        if isinstance(relation, osmium.osm.Relation):
            members = [(member.role, member.type, member.ref) for member in relation.members]
            if restriction := restriction_of(_tags(relation), members):
                found.append(restriction)
    return found


def _tags(thing: Any) -> dict[str, str]:
    return {tag.k: tag.v for tag in thing.tags}


def speed_of(tags: Mapping[str, str]) -> float | None:
    """Speed of a way in km/h, or None where a van may not or can not drive."""
    usual = SPEEDS.get(tags.get("highway", ""))
    if usual is None or _access(tags, "yes") in CLOSED or tags.get("area") == "yes":
        return None
    limit = tags.get("maxspeed", "")
    number = limit.split()[0] if limit else ""
    if not number.isdigit() or int(number) == 0:
        return usual
    return int(number) * (1.609344 if "mph" in limit else 1.0) * LIMIT_SHARE


def directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether a way may be driven along its nodes, and against them."""
    oneway = tags.get("oneway:motor_vehicle", tags.get("oneway", ""))
    if oneway in ("-1", "reverse"):
        return False, True
    if oneway in ("yes", "true", "1"):
        return True, False
    roundabout = tags.get("junction") in ("roundabout", "circular")
    implied = roundabout or tags.get("highway", "").startswith("motorway")
    return True, oneway in ("no", "false", "0") or not implied


def blocks(tags: Mapping[str, str]) -> bool:
    """Whether a node with these tags stops a van: bollards do, an open gate does not."""
    barrier = tags.get("barrier")
    if barrier is None:
        return False
    access = _access(tags, "")
    return access not in OPEN if barrier not in PASSABLE else access in CLOSED


def restriction_of(tags: Mapping[str, str], members: list[tuple[str, str, int]]) -> Restriction | None:
    """A relation's tags and members (role, "n" or "w", id) → the turn it is about.

    None where it is not about vans, holds at certain hours only, or is not whole.
    """
    kind = next((tags[key] for key in RESTRICTION_KEYS if key in tags), "")
    if not kind.startswith(("no_", "only_")) or {"motorcar", "motor_vehicle"} & set(
        tags.get("except", "").replace(" ", "").split(";")
    ):
        return None
    starts = [ref for role, type_, ref in members if role == "from" and type_ == "w"]
    ends = [ref for role, type_, ref in members if role == "to" and type_ == "w"]
    nodes = [ref for role, type_, ref in members if role == "via" and type_ == "n"]
    ways = tuple(ref for role, type_, ref in members if role == "via" and type_ == "w")
    if len(starts) != 1 or len(ends) != 1 or len(nodes) + bool(ways) != 1:
        return None
    return Restriction(kind.startswith("only_"), starts[0], nodes[0] if nodes else None, ways, ends[0])


def _access(tags: Mapping[str, str], otherwise: str) -> str:
    return next((tags[key] for key in FOR_VANS if key in tags), otherwise)
