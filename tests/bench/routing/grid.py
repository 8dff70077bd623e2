"""A made-up road network of any size, as an .osm.pbf: a bent grid with main roads, one-way streets, a few
missing blocks, traffic lights and forbidden turns. It lies in the open sea; one seed gives one file.
"""

from __future__ import annotations

from math import sin
from pathlib import Path
from random import Random

import osmium

WEST, SOUTH, STEP = 20.0, 58.0, 0.0025  # degrees; about 150 m × 280 m


def write_grid(path: Path, columns: int, rows: int, *, seed: int = 1) -> Path:
    random = Random(seed)
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for row in range(rows):
            for column in range(columns):
                lights = column % 8 == 0 and row % 8 == 0
                writer.add_node(
                    osmium.osm.mutable.Node(
                        id=_node(columns, column, row),
                        location=osmium.osm.Location(*place(column, row)),
                        tags={"highway": "traffic_signals"} if lights else {},
                    )
                )
        by_end: dict[tuple[int, int], int] = {}
        for way, (a, b, tags) in enumerate(_streets(columns, rows, random), start=1):
            by_end[a, b] = way
            writer.add_way(osmium.osm.mutable.Way(id=way, nodes=[a, b], tags=tags))
        number = 0
        for (a, b), way in by_end.items():
            onto = by_end.get((b, b + columns))
            if onto and b == a + 1 and random.random() < 0.02:
                number += 1
                writer.add_relation(
                    osmium.osm.mutable.Relation(
                        id=number,
                        members=[("w", way, "from"), ("n", b, "via"), ("w", onto, "to")],
                        tags={"type": "restriction", "restriction": "no_left_turn"},
                    )
                )
    return path


def place(column: float, row: float) -> tuple[float, float]:
    """Longitude and latitude of a junction, or of what lies between."""
    return (
        WEST + (column + 0.3 * sin(row / 5.1)) * STEP,
        SOUTH + (row + 0.3 * sin(column / 7.3)) * STEP,
    )


def places(columns: int, rows: int, count: int, *, seed: int = 1) -> list[tuple[float, float]]:
    """Addresses beside its streets, all over it."""
    random = Random(f"places {seed}")
    spots = []
    for _ in range(count):
        lon, lat = place(random.uniform(1, columns - 2), random.randrange(1, rows - 1))
        spots.append((round(lon, 6), round(lat + random.uniform(-0.0001, 0.0001), 6)))
    return spots


def _node(columns: int, column: int, row: int) -> int:
    return row * columns + column + 1


def _streets(columns: int, rows: int, random: Random) -> list[tuple[int, int, dict[str, str]]]:
    streets = []
    for row in range(rows):
        for column in range(columns):
            here = _node(columns, column, row)
            for there, inside, line in (
                (here + 1, column + 1 < columns, row),
                (here + columns, row + 1 < rows, column),
            ):
                main = line % 8 == 0
                if not inside or (not main and random.random() < 0.06):
                    continue
                tags = {"highway": "secondary" if main else "residential"}
                if line % 8 == 4:
                    tags["oneway"] = "yes" if line % 16 == 4 else "-1"
                streets.append((here, there, tags))
    return streets
