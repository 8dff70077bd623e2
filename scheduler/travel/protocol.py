"""What every source of travel times offers."""

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt
from typing import Protocol

from scheduler.request import TravelMatrix

Point = tuple[float, float]
"""Longitude and latitude in degrees, WGS 84, in GeoJSON's order."""

EARTH_RADIUS_M = 6_371_008.8


class BadPoint(ValueError):
    """A coordinate that is no place on earth, or off the map a source covers; the message names it."""


class TravelTimes(Protocol):
    """A source of drives. `name` labels plans; `estimated` is True when no road was looked at."""

    @property
    def name(self) -> str: ...

    @property
    def estimated(self) -> bool: ...

    def matrix(self, points: Sequence[Point]) -> TravelMatrix:
        """Seconds and metres between all points, shape (n, n). Raises BadPoint."""
        ...

    def path(self, start: Point, end: Point) -> list[Point]:
        """The line to draw for a drive, ends included. Raises BadPoint."""
        ...


def checked(points: Sequence[Point]) -> None:
    """Raise BadPoint for the first point that is no place on earth (NaN, or degrees out of range)."""
    for number, (lon, lat) in enumerate(points):
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise BadPoint(f"point {number} ({lon}, {lat}) is not a longitude and latitude in degrees")


def great_circle(a: Point, b: Point) -> float:
    """Metres between two points over the ground, as the crow flies."""
    lon_a, lat_a, lon_b, lat_b = map(radians, (*a, *b))
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))
