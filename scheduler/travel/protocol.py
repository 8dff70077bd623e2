"""What every source of travel times offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scheduler.request import TravelMatrix

Point = tuple[float, float]
"""Longitude and latitude in degrees, WGS 84, in GeoJSON's order."""

EARTH_RADIUS_M = 6_371_008.8
NO_DRIVE = -1
"""Seconds and metres of a pair between which there is no drive."""
AWAY_METRES_MAX = 1_000
"""How far a place may be from the nearest road."""
OFF_ROAD_SPEED = 15 / 3.6
"""Metres a second between an address and the road that it is reached from."""


class BadPoint(ValueError):
    """A coordinate that is no place on earth; the message names it."""


class NoAnswer(RuntimeError):
    """This source can't say now: its server is down, or says what we can't read. The message says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """Drives from places to places: whole seconds and metres, shape (origins, targets), NO_DRIVE where there
    is none.

    off: place → why nobody can drive from or to it ("is 4.1 km from the nearest road of …"); its pairs are
    NO_DRIVE. engine: who measured this, also when another one was asked; estimated: no road was looked at.
    """

    seconds: NDArray[np.int32]
    metres: NDArray[np.int32]
    engine: str
    estimated: bool
    off: Mapping[Point, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drive as a line on the map. engine, estimated: as in `Table`."""

    line: list[Point]
    engine: str
    estimated: bool


class TravelTimes(Protocol):
    """A source of drives. `name` labels plans; `estimated` is True when it looks at no road."""

    @property
    def name(self) -> str: ...

    @property
    def estimated(self) -> bool: ...

    def table(self, origins: Sequence[Point], targets: Sequence[Point]) -> Table:
        """Drives from each origin to each target. Raises BadPoint and NoAnswer."""
        ...

    def path(self, stops: Sequence[Point]) -> Drawn:
        """The line of a drive past all stops in their order, ends included; straight where there is no drive.
        Raises BadPoint and NoAnswer.
        """
        ...


def matrix_of(travel: TravelTimes, points: Sequence[Point]) -> TravelMatrix:
    """Drives between all points. Raises BadPoint for one that is off the roads, or that none leads to."""
    table = travel.table(points, points)
    for number, point in enumerate(points):
        if point in table.off:
            raise BadPoint(f"point {number} {point} {table.off[point]}")
    if (table.seconds < 0).any():
        i, j = (int(n) for n in np.argwhere(table.seconds < 0)[0])
        raise BadPoint(f"there is no drive from point {i} {points[i]} to point {j} {points[j]}")
    return TravelMatrix.of(
        table.seconds.tolist(), table.metres.tolist(), engine=table.engine, estimated=table.estimated
    )


def checked(points: Sequence[Point]) -> None:
    """Raise BadPoint for the first point that is no place on earth (NaN, or degrees out of range)."""
    for number, (lon, lat) in enumerate(points):
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise BadPoint(f"point {number} ({lon}, {lat}) is not a longitude and latitude in degrees")


def too_far(metres: float, roads: str) -> str:
    """How a place that is further than AWAY_METRES_MAX from any road is spoken of."""
    return f"is {metres / 1000:.1f} km from the nearest road of {roads}"


def great_circle(a: Point, b: Point) -> float:
    """Metres between two points over the ground, as the crow flies."""
    lon_a, lat_a, lon_b, lat_b = map(radians, (*a, *b))
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))
