"""Drives measured by an OSRM server (`osrm-routed`), by its HTTP API v1: /table and /route."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
from msgspec import Struct, json

from scheduler.request import SECONDS_MAX
from scheduler.travel.protocol import (
    AWAY_METRES_MAX,
    NO_DRIVE,
    OFF_ROAD_SPEED,
    Drawn,
    NoAnswer,
    Point,
    Table,
    checked,
    too_far,
)
from server.dispatch.road_engines.asking import RoadServer, Unreadable

PLACES = 100
"""Origins and targets of one request: what osrm-routed takes by default. Halved when it refuses."""
STOPS = 100


class _Waypoint(Struct):
    location: tuple[float, float]
    distance: float = 0.0


class _Table(Struct):
    code: str
    message: str = ""
    durations: list[list[float | None]] = []
    distances: list[list[float | None]] = []
    sources: list[_Waypoint] = []
    destinations: list[_Waypoint] = []


class _Line(Struct):
    coordinates: list[tuple[float, float]]


class _Route(Struct):
    geometry: _Line


class _Routes(Struct):
    code: str
    message: str = ""
    routes: list[_Route] = []


_TABLE = json.Decoder(_Table)
_ROUTES = json.Decoder(_Routes)


class Osrm:
    """The `TravelTimes` of one OSRM server. What it measures begins on the road; the way there is added."""

    estimated = False

    def __init__(self, server: RoadServer) -> None:
        self.name = f"OSRM at {server.place}"
        self._server = server
        self._places = PLACES

    def table(self, origins: Sequence[Point], targets: Sequence[Point]) -> Table:
        checked(origins)
        checked(targets)
        shape = (len(origins), len(targets))
        seconds, metres = np.full(shape, np.nan), np.full(shape, np.nan)
        away: dict[Point, float] = {}
        row = 0
        while row < len(origins):
            column, size = 0, self._places
            while column < len(targets):
                some, others = origins[row : row + size], targets[column : column + size]
                found = self._part(some, others)
                if found.code == "TooBig":
                    self._smaller(found.message)
                    break
                cells = np.s_[row : row + len(some), column : column + len(others)]
                seconds[cells] = np.array(found.durations, dtype=np.float64)
                metres[cells] = np.array(found.distances, dtype=np.float64)
                away.update(zip(some, (w.distance for w in found.sources), strict=True))
                away.update(zip(others, (w.distance for w in found.destinations), strict=True))
                column += len(others)
            else:
                row += size
        off = {
            p: too_far(metres_away, self.name)
            for p, metres_away in away.items()
            if metres_away > AWAY_METRES_MAX
        }
        return with_ends(origins, targets, seconds, metres, away, off, self.name)

    def path(self, stops: Sequence[Point]) -> Drawn:
        checked(stops)
        line = list(stops[:1])
        for first in range(0, len(stops) - 1, STOPS - 1):
            some = stops[first : first + STOPS]
            found = self._server.ask(
                f"/route/v1/driving/{_written(some)}?overview=full&geometries=geojson", _read_routes
            )
            if found.code == "Ok":
                line += [some[0], *found.routes[0].geometry.coordinates, some[-1]]
            elif found.code in ("NoRoute", "NoSegment"):
                line += some
            else:
                raise NoAnswer(f"answered {found.code}: {found.message}")
        return Drawn(without_repeats(line), self.name, self.estimated)

    def _part(self, origins: Sequence[Point], targets: Sequence[Point]) -> _Table:
        sources = ";".join(str(n) for n in range(len(origins)))
        destinations = ";".join(str(n + len(origins)) for n in range(len(targets)))
        query = f"sources={sources}&destinations={destinations}&annotations=duration,distance"

        def read(status: int, body: bytes) -> _Table:
            return _read_table(body, len(origins), len(targets))

        found = self._server.ask(f"/table/v1/driving/{_written([*origins, *targets])}?{query}", read)
        if found.code not in ("Ok", "TooBig"):
            raise NoAnswer(f"answered {found.code}: {found.message}")
        return found

    def _smaller(self, message: str) -> None:
        if self._places == 1:
            raise NoAnswer(f"takes no table at all: {message}")
        self._places //= 2


def _written(points: Sequence[Point]) -> str:
    return ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in points)


def _read_table(body: bytes, rows: int, columns: int) -> _Table:
    found = _TABLE.decode(body)
    if found.code != "Ok":
        return found
    if len(found.sources) != rows or len(found.destinations) != columns:
        raise Unreadable(f"{len(found.sources)} × {len(found.destinations)} places, not {rows} × {columns}")
    check_shape("durations", found.durations, rows, columns)
    check_shape("distances", found.distances, rows, columns)
    return found


def _read_routes(_status: int, body: bytes) -> _Routes:
    found = _ROUTES.decode(body)
    if found.code == "Ok" and not (found.routes and found.routes[0].geometry.coordinates):
        raise Unreadable("a route without a line")
    return found


def check_shape(name: str, rows: Sequence[Sequence[float | None]], height: int, width: int) -> None:
    """Raises Unreadable unless there are so many rows of so many numbers that a drive can have."""
    if len(rows) != height or any(len(row) != width for row in rows):
        raise Unreadable(f"{name} are not {height} × {width}")
    for row in rows:
        for value in row:
            if value is not None and not (isfinite(value) and 0 <= value <= SECONDS_MAX * 30):
                raise Unreadable(f"{name} hold {value}")


def with_ends(
    origins: Sequence[Point],
    targets: Sequence[Point],
    seconds: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    metres: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    away: dict[Point, float],
    off: dict[Point, str],
    engine: str,
) -> Table:
    """The table of what was measured on the road (NaN: no drive), with the ways to and from the road."""
    ends = np.array([away.get(p, 0.0) for p in origins])[:, None] + np.array(
        [away.get(p, 0.0) for p in targets]
    )
    there = ~(np.isnan(seconds) | np.isnan(metres))
    there &= ~np.array([p in off for p in origins], dtype=bool)[:, None]
    there &= ~np.array([p in off for p in targets], dtype=bool)[None, :]
    whole = [
        np.where(there, np.rint(np.nan_to_num(values) + ways), NO_DRIVE).astype(np.int32)
        for values, ways in ((seconds, ends / OFF_ROAD_SPEED), (metres, ends))
    ]
    numbers = {point: n for n, point in enumerate(dict.fromkeys([*origins, *targets]))}
    same = np.array([numbers[p] for p in origins])[:, None] == np.array([numbers[p] for p in targets])
    for values in whole:
        values[same & there] = 0
    return Table(whole[0], whole[1], engine, False, off)


def without_repeats(line: list[Point]) -> list[Point]:
    return [point for n, point in enumerate(line) if n == 0 or point != line[n - 1]]
