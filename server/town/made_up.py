"""A town of our own for machines without a network, written as an `.osm.pbf` like any other map.

It lies in the open Baltic Sea, so that no real house is ever meant, and its header says what it is
(`read.MADE_UP_GENERATOR`). Everything after the file is the same code as for a real town.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import cos, hypot, radians, sin
from pathlib import Path
from random import Random

import osmium

from server.town.model import METRES_PER_DEGREE
from server.town.read import MADE_UP_GENERATOR

NAME = "Kuvitelma"  # Finnish for a thing imagined
SOUTH_WEST = (59.30, 21.30)  # lat, lon: open water between Hiiumaa and Åland

COLUMNS, ROWS = 26, 22  # junctions
BLOCK = 190.0  # metres between junctions
RIVER_ROW = 9  # the river runs between this row and the next
BRIDGES = frozenset({2, 7, 12, 13, 19, 24})  # columns that cross it
MAIN_COLUMNS, MAIN_ROWS = frozenset({2, 12, 19, 24}), frozenset({3, 11, 17})
CENTRE_COLUMNS, CENTRE_ROWS = range(8, 18), range(11, 18)  # one-way columns, denser houses
LAKE = (21.5, 17.5, 2.6)  # column, row, radius in blocks
WOOD = (4.5, 18.0, 2.2)

FIRST_PARTS = ("Koivu", "Kuusi", "Mänty", "Pihlaja", "Lehmus", "Saarni", "Tammi", "Vaahtera", "Haapa",
               "Leppä", "Kielo", "Vuokko", "Orvokki", "Kanerva", "Mustikka", "Puolukka", "Kettu", "Orava",
               "Hirvi", "Karhu", "Metso", "Kurki", "Joutsen", "Lokki", "Kuikka", "Hauki",
               "Ahven")  # fmt: skip
LAST_PARTS = ("katu", "tie", "kuja", "polku", "rinne")

Junction = tuple[int, int]  # column, row
Metres = tuple[float, float]  # east, north of SOUTH_WEST


def write_made_up_town(path: Path, *, seed: int = 1) -> Path:
    """Write the town to `path` (its name must end in .osm.pbf). Same seed, same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = osmium.io.Header()
    header.set("generator", MADE_UP_GENERATOR)
    edge = COLUMNS * BLOCK
    header.add_box(osmium.osm.Box(_location((-BLOCK, -BLOCK)), _location((edge, ROWS * BLOCK))))
    # Written beside and then renamed, so that a killed run leaves no half town behind.
    part = path.with_name(f"part-{path.name}")
    with osmium.SimpleWriter(str(part), header=header, overwrite=True) as writer:
        _Sheet(Random(f"made-up town {seed}")).write(writer)
    part.replace(path)
    return path


class _Sheet:
    """The map while it is drawn: nodes and ways with ids in order of appearance."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.nodes: list[tuple[Metres, Mapping[str, str]]] = []
        self.ways: list[tuple[list[int], Mapping[str, str]]] = []
        self.junctions = {
            (column, row): self._node(self._bent(column, row))
            for row in range(ROWS)
            for column in range(COLUMNS)
            if not _inside(LAKE, column, row)
        }
        names = [first + last for last in LAST_PARTS for first in FIRST_PARTS]
        self.random.shuffle(names)
        self.names = iter(names)

    def write(self, writer: osmium.SimpleWriter) -> None:
        self._draw_streets()
        self._draw_ground()
        self._node((12.5 * BLOCK, 14.5 * BLOCK), {"place": "town", "name": NAME})
        for id, (place, tags) in enumerate(self.nodes, start=1):
            writer.add_node(osmium.osm.mutable.Node(id=id, location=_location(place), tags=dict(tags)))
        for id, (refs, tags) in enumerate(self.ways, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=id, nodes=refs, tags=dict(tags)))

    def _draw_streets(self) -> None:
        for row in range(ROWS):
            main = row in MAIN_ROWS
            self._draw_street([(column, row) for column in range(COLUMNS)], main=main)
        for column in range(COLUMNS):
            line = [(column, row) for row in range(ROWS)]
            self._draw_street(line, main=column in MAIN_COLUMNS)
        for number, junction in enumerate(self.junctions):
            column, row = junction
            if column % 5 == 2 and row % 4 == 1:
                east, north = self.nodes[self.junctions[junction] - 1][0]
                self._node((east + 9, north + 9), {
                    "man_made": "street_cabinet", "street_cabinet": "telecom",
                    "operator": f"{NAME} Fibre", "ref": f"KUV-{number:03d}",
                })  # fmt: skip

    def _draw_street(self, line: list[Junction], *, main: bool) -> None:
        name = next(self.names)
        number = 1
        for a, b in pairwise(line):
            upright = a[0] == b[0]
            river = upright and a[1] == RIVER_ROW
            # Rows stay whole, so that every junction can be reached and left.
            lost = upright and not main and not river and self.random.random() < 0.1
            if {a, b} - self.junctions.keys() or (river and a[0] not in BRIDGES) or lost:
                continue
            tags = {"highway": "secondary" if main else "residential", "name": name,
                    "maxspeed": "50" if main else "30"}  # fmt: skip
            ends = [self.junctions[a], self.junctions[b]]
            if upright and not main and a[0] in CENTRE_COLUMNS and a[1] in CENTRE_ROWS:
                tags["oneway"] = "yes"
                if a[0] % 2:
                    ends.reverse()
            if river:
                tags["bridge"] = "yes"
            self.ways.append((ends, tags))
            if not river:
                number = self._draw_houses(a, b, name, number)

    def _draw_houses(self, a: Junction, b: Junction, name: str, number: int) -> int:
        """Odd numbers on the left of a → b, even ones on the right; returns the next odd number."""
        (e0, n0), (e1, n1) = (self.nodes[self.junctions[j] - 1][0] for j in (a, b))
        length = hypot(e1 - e0, n1 - n0)
        east, north = (e1 - e0) / length, (n1 - n0) / length
        dense = a[0] in CENTRE_COLUMNS and a[1] in CENTRE_ROWS
        along = 45.0
        while along < length - 40:
            for side, house in ((-1, number), (1, number + 1)):
                if self.random.random() < (0.75 if dense else 0.45):
                    off = side * (24 if dense else self.random.uniform(22, 30))
                    centre = e0 + east * along + north * off, n0 + north * along - east * off
                    size = (14.0, 9.0) if dense else (7.0, self.random.uniform(4.5, 6.0))
                    self._draw_house(centre, (east, north), size, f"{name} {house}")
            number += 2
            along += 34 if dense else 42
        return number

    def _draw_house(self, centre: Metres, along: Metres, half: Metres, line: str) -> None:
        corners = []
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            x_m, y_m = x * half[0], y * half[1]
            corners.append(self._node((
                centre[0] + along[0] * x_m - along[1] * y_m, centre[1] + along[1] * x_m + along[0] * y_m,
            )))  # fmt: skip
        street, house = line.rsplit(" ", 1)
        self.ways.append(([*corners, corners[0]], {
            "building": "apartments" if half[0] > 10 else "house", "addr:street": street,
            "addr:housenumber": house, "addr:postcode": "99999", "addr:city": NAME,
        }))  # fmt: skip

    def _draw_ground(self) -> None:
        for shape, tags in (
            (LAKE, {"natural": "water", "name": f"{NAME}järvi"}), (WOOD, {"landuse": "forest"})
        ):  # fmt: skip
            column, row, radius = shape
            inner = radius - 0.55  # the shore keeps clear of the streets around it
            ring = [
                self._node(self._bent(column + inner * cos(turn), row + inner * sin(turn)))
                for turn in (radians(degrees) for degrees in range(0, 360, 15))
            ]
            self.ways.append(([*ring, ring[0]], tags))
        banks = list(self._banks())
        self.ways.append(([*banks, banks[0]], {"natural": "water", "water": "river", "name": "Kuvajoki"}))

    def _banks(self) -> Iterator[int]:
        for column in range(-1, COLUMNS + 1):
            yield self._node(self._bent(column, RIVER_ROW + 0.32))
        for column in range(COLUMNS, -2, -1):
            yield self._node(self._bent(column, RIVER_ROW + 0.68))

    def _node(self, place: Metres, tags: Mapping[str, str] | None = None) -> int:
        self.nodes.append((place, tags or {}))
        return len(self.nodes)

    def _bent(self, column: float, row: float) -> Metres:
        """Grid → metres, bent a little, so that it does not look like a chessboard."""
        east = column * BLOCK + 70 * sin(row / 3.1)
        north = row * BLOCK + 85 * sin(column / 4.3)
        return east, north


def _inside(shape: tuple[float, float, float], column: float, row: float) -> bool:
    return hypot(column - shape[0], row - shape[1]) < shape[2]


def _location(place: Metres) -> osmium.osm.Location:
    lat = SOUTH_WEST[0] + place[1] / METRES_PER_DEGREE
    lon = SOUTH_WEST[1] + place[0] / (METRES_PER_DEGREE * cos(radians(SOUTH_WEST[0])))
    return osmium.osm.Location(lon, lat)
