"""The nearest place on a road: a grid of squares, each knowing the pieces of road that cross it."""

from dataclasses import dataclass
from math import cos, floor, radians

import numpy as np
from numpy.typing import NDArray

from scheduler.compiled import compiled
from scheduler.travel.graph import Lines
from scheduler.travel.protocol import EARTH_RADIUS_M, Point, great_circle

SQUARE_M = 250.0
_METRES_PER_DEGREE = np.pi / 180 * EARTH_RADIUS_M

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OnRoad:
    """A place on an edge. share: of the edge's length that lies before it. away: metres from the point asked
    about.
    """

    edge: int
    share: float
    point: Point
    away: float


class RoadIndex:
    """Finds the nearest edge of some lines."""

    def __init__(self, lines: Lines) -> None:
        self._flatten = cos(radians(float(lines.lat.mean()))) if len(lines.lat) else 1.0
        x, y = self._metres(lines.lon, lines.lat)
        edges = np.repeat(np.arange(len(lines.first) - 1), np.diff(lines.first))
        inside = edges[:-1] == edges[1:]
        (begin,) = np.nonzero(inside)
        self._edge = edges[begin].astype(np.int32)
        self._x1, self._y1, self._x2, self._y2 = x[begin], y[begin], x[begin + 1], y[begin + 1]
        length = np.hypot(self._x2 - self._x1, self._y2 - self._y1)
        along = np.concatenate([[0.0], np.cumsum(length)])
        first_piece = np.searchsorted(self._edge, np.arange(len(lines.first)))
        before = along[first_piece]
        self._offset = along[:-1] - before[self._edge]
        self._length = length
        self._total = np.diff(before)
        self._grid()

    def _metres(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        return lon * self._flatten * _METRES_PER_DEGREE, lat * _METRES_PER_DEGREE

    def _grid(self) -> None:
        if not len(self._edge):
            return
        self._west = float(min(self._x1.min(), self._x2.min()))
        self._south = float(min(self._y1.min(), self._y2.min()))
        self._columns = 1 + floor((max(self._x1.max(), self._x2.max()) - self._west) / SQUARE_M)
        self._rows = 1 + floor((max(self._y1.max(), self._y2.max()) - self._south) / SQUARE_M)
        pieces = (
            self._x1 - self._west,
            self._y1 - self._south,
            self._x2 - self._west,
            self._y2 - self._south,
        )
        self._first = np.zeros(self._columns * self._rows + 1, dtype=np.int32)
        _fill_squares(*pieces, self._columns, self._first, np.zeros(0, dtype=np.int32))
        self._pieces = np.zeros(int(self._first[-1]), dtype=np.int32)
        _fill_squares(*pieces, self._columns, self._first, self._pieces)

    def nearest(self, point: Point, metres_max: float) -> OnRoad | None:
        """Where one gets onto the road from `point`; None when that is further than `metres_max`."""
        if not len(self._edge):
            return None
        x = point[0] * self._flatten * _METRES_PER_DEGREE - self._west
        y = point[1] * _METRES_PER_DEGREE - self._south
        piece, t = _nearest(
            x, y, metres_max, self._x1 - self._west, self._y1 - self._south, self._x2 - self._west,
            self._y2 - self._south, self._columns, self._rows, self._first, self._pieces,
        )  # fmt: skip
        if piece < 0:
            return None
        edge = int(self._edge[piece])
        where = self._offset[piece] + t * self._length[piece]
        total = float(self._total[edge])
        lon, lat = (
            float(self._x1[piece] + t * (self._x2[piece] - self._x1[piece]))
            / (self._flatten * _METRES_PER_DEGREE),
            float(self._y1[piece] + t * (self._y2[piece] - self._y1[piece])) / _METRES_PER_DEGREE,
        )
        on = (round(lon, 7), round(lat, 7))
        return OnRoad(edge, float(where / total) if total else 0.0, on, great_circle(point, on))


@compiled
def _fill_squares(
    x1: Floats, y1: Floats, x2: Floats, y2: Floats, columns: int, first: Ints, pieces: Ints
) -> None:
    """Count each piece into every square of its box (no `pieces`), or write it there."""
    counting = len(pieces) == 0
    position = first.copy()
    for piece in range(len(x1)):
        for row in range(
            int(min(y1[piece], y2[piece]) / SQUARE_M), int(max(y1[piece], y2[piece]) / SQUARE_M) + 1
        ):
            for column in range(
                int(min(x1[piece], x2[piece]) / SQUARE_M), int(max(x1[piece], x2[piece]) / SQUARE_M) + 1
            ):
                square = row * columns + column
                if counting:
                    first[square + 1] += 1
                else:
                    pieces[position[square]] = piece
                    position[square] += 1
    if counting:
        for square in range(len(first) - 1):
            first[square + 1] += first[square]


@compiled
def _nearest(
    x: float, y: float, metres_max: float, x1: Floats, y1: Floats, x2: Floats, y2: Floats, columns: int,
    rows: int, first: Ints, pieces: Ints,
) -> tuple[int, float]:  # fmt: skip
    """(piece, how far along it, 0…1), or (-1, 0). Rings of squares are looked at from the point outwards."""
    column, row = int(np.floor(x / SQUARE_M)), int(np.floor(y / SQUARE_M))
    found, along, away = -1, 0.0, metres_max
    rings = int(metres_max / SQUARE_M) + 2
    for ring in range(rings):
        if (ring - 1) * SQUARE_M > away:
            break
        for r in range(max(0, row - ring), min(rows - 1, row + ring) + 1):
            for c in range(max(0, column - ring), min(columns - 1, column + ring) + 1):
                if max(abs(r - row), abs(c - column)) != ring:
                    continue
                for k in range(first[r * columns + c], first[r * columns + c + 1]):
                    piece = pieces[k]
                    dx, dy = x2[piece] - x1[piece], y2[piece] - y1[piece]
                    length = dx * dx + dy * dy
                    t = 0.0
                    if length > 0:
                        t = min(1.0, max(0.0, ((x - x1[piece]) * dx + (y - y1[piece]) * dy) / length))
                    apart = np.hypot(x - x1[piece] - t * dx, y - y1[piece] - t * dy)
                    if apart < away or (apart == away and found >= 0 and piece < found):
                        found, along, away = piece, t, apart
    return found, along
