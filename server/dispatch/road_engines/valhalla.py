"""Drives measured by a Valhalla server, by its HTTP API: /sources_to_targets, /route and, when it knows no
road near some place, /locate to learn which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct, json

from scheduler.travel.protocol import AWAY_METRES_MAX, Drawn, NoAnswer, Point, Table, checked
from server.dispatch.road_engines.asking import RoadServer, Unreadable
from server.dispatch.road_engines.osrm import check_shape, with_ends, without_repeats

PLACES = 50
"""Origins and targets of one request: its default allows 2,500 pairs. Halved when it refuses."""
STOPS = 20
TOO_MANY = {150, 152, 153}
NO_ROAD_NEAR = {170, 171}
NO_ROUTE = {170, 171, 442}


class _Pair(Struct):
    time: float | None = None
    distance: float | None = None  # kilometres, for we ask for them


class _Matrix(Struct):
    sources_to_targets: list[list[_Pair]] = []
    error_code: int = 0
    error: str = ""


class _Located(Struct):
    edges: list[Any] | None = None


class _Leg(Struct, frozen=True):
    shape: str


class _Trip(Struct, frozen=True):
    legs: list[_Leg] = []


class _Route(Struct):
    trip: _Trip = _Trip()
    error_code: int = 0
    error: str = ""


_MATRIX = json.Decoder(_Matrix)
_LOCATED = json.Decoder(list[_Located])
_ROUTE = json.Decoder(_Route)


class Valhalla:
    """The `TravelTimes` of one Valhalla server, by its costing "auto"."""

    estimated = False

    def __init__(self, server: RoadServer) -> None:
        self.name = f"Valhalla at {server.place}"
        self._server = server
        self._places = PLACES

    def table(self, origins: Sequence[Point], targets: Sequence[Point]) -> Table:
        checked(origins)
        checked(targets)
        seconds, metres = (np.full((len(origins), len(targets)), np.nan) for _ in range(2))
        off: dict[Point, str] = {}
        row = 0
        while row < len(origins):
            column, size = 0, self._places
            while column < len(targets):
                rows = [n for n in range(row, min(row + size, len(origins))) if origins[n] not in off]
                columns = [
                    n for n in range(column, min(column + size, len(targets))) if targets[n] not in off
                ]
                if rows and columns:
                    some, others = [origins[n] for n in rows], [targets[n] for n in columns]
                    found = self._part(some, others)
                    if found.error_code in TOO_MANY:
                        self._smaller(found.error)
                        break
                    if found.error_code in NO_ROAD_NEAR:
                        off |= self._off([*some, *others])
                        continue
                    cells = np.ix_(rows, columns)
                    pairs = found.sources_to_targets
                    seconds[cells] = np.array([[p.time for p in line] for line in pairs], dtype=np.float64)
                    kilometres = np.array([[p.distance for p in line] for line in pairs], dtype=np.float64)
                    metres[cells] = 1000 * kilometres
                column += size
            else:
                row += size
        return with_ends(origins, targets, seconds, metres, {}, off, self.name)

    def path(self, stops: Sequence[Point]) -> Drawn:
        checked(stops)
        line = list(stops[:1])
        for first in range(0, len(stops) - 1, STOPS - 1):
            some = stops[first : first + STOPS]
            body = {"locations": _places(some), "costing": "auto", "directions_type": "none"}
            found = self._server.ask("/route", _read_route, json.encode(body))
            if found.error_code in NO_ROUTE:
                line += some
            elif found.error_code:
                raise NoAnswer(f"answered {found.error_code}: {found.error}")
            else:
                drawn = [point for leg in found.trip.legs for point in decoded(leg.shape)]
                line += [some[0], *drawn, some[-1]]
        return Drawn(without_repeats(line), self.name, self.estimated)

    def _part(self, origins: Sequence[Point], targets: Sequence[Point]) -> _Matrix:
        body = {
            "sources": _places(origins),
            "targets": _places(targets),
            "costing": "auto",
            "units": "kilometers",
        }

        def read(_status: int, said: bytes) -> _Matrix:
            found = _MATRIX.decode(said)
            if not found.error_code:
                for name in ("time", "distance"):
                    values = [[getattr(pair, name) for pair in line] for line in found.sources_to_targets]
                    check_shape(name, values, len(origins), len(targets))
            return found

        found = self._server.ask("/sources_to_targets", read, json.encode(body))
        if found.error_code not in {0, *NO_ROAD_NEAR, *TOO_MANY}:
            raise NoAnswer(f"answered {found.error_code}: {found.error}")
        return found

    def _off(self, points: Sequence[Point]) -> dict[Point, str]:
        """Which of these it knows no road near. Raises NoAnswer when it says that there is none."""
        body = json.encode({"locations": _places(points), "costing": "auto", "verbose": False})

        def read(_status: int, said: bytes) -> list[_Located]:
            found = _LOCATED.decode(said)
            if len(found) != len(points):
                raise Unreadable(f"{len(found)} places, not {len(points)}")
            return found

        found = self._server.ask("/locate", read, body)
        why = f"is more than {AWAY_METRES_MAX / 1000:g} km from any road of {self.name}"
        off = {point: why for point, one in zip(points, found, strict=True) if not one.edges}
        if not off:
            raise NoAnswer("knows no road near some place, and does not say near which")
        return off

    def _smaller(self, message: str) -> None:
        if self._places == 1:
            raise NoAnswer(f"takes no table at all: {message}")
        self._places //= 2


def _places(points: Sequence[Point]) -> list[dict[str, float]]:
    return [{"lon": lon, "lat": lat, "search_cutoff": AWAY_METRES_MAX} for lon, lat in points]


def _read_route(_status: int, body: bytes) -> _Route:
    found = _ROUTE.decode(body)
    if not found.error_code and not found.trip.legs:
        raise Unreadable("a route without a line")
    for leg in found.trip.legs:
        decoded(leg.shape)
    return found


def decoded(shape: str) -> list[Point]:
    """A polyline of six decimals, as Valhalla writes it: latitude first. Raises Unreadable."""
    points: list[Point] = []
    values, value, shift = [0, 0], 0, 0
    turn = 0
    for letter in shape:
        bits = ord(letter) - 63
        if not 0 <= bits < 64 or shift > 30:
            raise Unreadable("a line that is no polyline")
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            values[turn] += ~(value >> 1) if value & 1 else value >> 1
            if turn:
                points.append((values[1] / 1e6, values[0] / 1e6))
            turn, value, shift = 1 - turn, 0, 0
    if shift or turn:
        raise Unreadable("a line that breaks off")
    return points
