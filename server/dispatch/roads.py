"""Which source of travel times this server uses; read once a process."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import structlog

from scheduler.request import TravelMatrix
from scheduler.travel.crow import CrowFlight
from scheduler.travel.protocol import BadPoint
from scheduler.travel.protocol import Point as Point
from scheduler.travel.protocol import TravelTimes as TravelTimes
from server.settings import Settings

log = structlog.get_logger("truckroll.roads")

STRAIGHT = CrowFlight()
LEGS_CACHED = 4_096

_reading = threading.Lock()


def travel_times(settings: Settings) -> TravelTimes:
    """Junctions of the map that the settings name; without a map that can be read, the straight line.

    The straight line always calls itself estimated, and a map that can't be read is logged.
    """
    if not settings.map_file:
        return STRAIGHT
    try:
        stamp = Path(settings.map_file).stat().st_mtime_ns
    except OSError as error:
        log.warning("no roads", map=settings.map_file, error=str(error))
        return STRAIGHT
    with _reading:  # two planners at the start of the day read the map once
        return _read(settings.map_file, stamp)


@lru_cache(maxsize=4)
def _read(path: str, _changed: int) -> TravelTimes:
    from scheduler.travel.roads import NoRoads, RoadNetwork  # heavy, and not every server has a map

    try:
        return RoadNetwork.read(path)
    except NoRoads as error:
        log.warning("no roads", map=path, error=str(error))
        return STRAIGHT


def off_the_map(travel: TravelTimes, place: Point) -> str | None:
    """Why nobody can drive to `place` by `travel`, or None."""
    try:
        travel.path(place, place)
    except BadPoint as error:
        return str(error).removeprefix("point 0 ")
    return None


def measure(travel: TravelTimes, points: Sequence[Point]) -> TravelMatrix:
    """Drives between all points. From and to the few that are beyond the map it is the straight line, and the
    matrix's name says so. Raises BadPoint for what is no place on earth.
    """
    roads = [n for n, point in enumerate(points) if off_the_map(travel, point) is None]
    if len(roads) == len(points):
        return travel.matrix(points)
    straight = STRAIGHT.matrix(points)
    by_road = travel.matrix([points[n] for n in roads])
    seconds, metres = [list(row) for row in straight.seconds], [list(row) for row in straight.metres]
    for i, a in enumerate(roads):
        for j, b in enumerate(roads):
            seconds[a][b], metres[a][b] = by_road.seconds[i][j], by_road.metres[i][j]
    beyond = len(points) - len(roads)
    return TravelMatrix.of(
        seconds,
        metres,
        engine=f"{travel.name}; {beyond} {'place' if beyond == 1 else 'places'} beyond the map, estimated",
        estimated=travel.estimated or not roads,
    )


def line(travel: TravelTimes, start: Point, end: Point) -> list[Point]:
    """The drive as a line on the map; straight where a place is off the roads."""
    return list(_line(cast(Hashable, travel), start, end))


@lru_cache(maxsize=LEGS_CACHED)
def _line(travel: Any, start: Point, end: Point) -> tuple[Point, ...]:
    try:
        return tuple(travel.path(start, end))
    except BadPoint:
        return (start, end)
