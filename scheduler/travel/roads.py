"""Drives along real roads: a graph of junctions read from an OpenStreetMap extract (.osm.pbf), no server, no
build.

One-way streets, closed roads, barriers and turn restrictions are kept to, and turns take their time. A drive
begins and ends where the nearest road passes a place, within an edge too. Restrictions that hold at certain
hours only are not looked at. How far it is from a full router, `./dev bench roads` measures.

Data © OpenStreetMap contributors, ODbL: whoever shows it shows that.
"""

import hashlib
import itertools
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from scheduler.travel.graph import NoRoads, RoadGraph, build
from scheduler.travel.osm import read_roads
from scheduler.travel.protocol import (
    AWAY_METRES_MAX,
    NO_DRIVE,
    OFF_ROAD_SPEED,
    Drawn,
    Point,
    Table,
    checked,
    great_circle,
    too_far,
)
from scheduler.travel.search import BUCKET_BITS, NEVER, spread
from scheduler.travel.snap import RoadIndex

RECIPE = b"2"
"""Changes when the same map gives other numbers, so that nothing measured before is taken for them."""
JUNCTION_DM = 10  # nearer to a junction than this metre is at the junction
PLACES_KEPT = 16_384

Ints = NDArray[np.int32]
OnArc = tuple[int, int, int]

__all__ = ["NoRoads", "RoadNetwork"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point gets onto the roads: at a vertex, or (vertex is -1) within an edge.

    on: (arc, ms, dm) of each arc that leads past it, measured from the arc's beginning. own: those among them
    that a drive may begin on, copies left out. away: metres to `on_road`.
    """

    point: Point
    on_road: Point
    away: float
    vertex: int
    on: tuple[OnArc, ...]
    own: tuple[OnArc, ...]


class RoadNetwork:
    """The `TravelTimes` of one map; build it with `RoadNetwork.read`."""

    estimated = False

    def __init__(self, name: str, graph: RoadGraph) -> None:
        self.name = name
        self.graph = graph
        self._index = RoadIndex(graph.lines)
        self._islands = RoadIndex(graph.islands)
        self._places: OrderedDict[Point, Place | str] = OrderedDict()

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read an .osm.pbf (or any file osmium reads). Raises NoRoads with the reason."""
        path = Path(path)
        try:
            digest = hashlib.sha256(RECIPE + path.read_bytes()).hexdigest()[:12]
            roads = read_roads(path)
        except (OSError, RuntimeError) as error:
            raise NoRoads(f"{path.name} can't be read as a map: {error}") from error
        try:
            return cls(f"roads of {path.name.split('.')[0]} {digest}", build(roads))
        except NoRoads as error:
            raise NoRoads(f"{path.name} {error}") from error

    def __len__(self) -> int:
        """Number of junctions."""
        return len(self.graph)

    def table(self, origins: Sequence[Point], targets: Sequence[Point]) -> Table:
        checked(origins)
        checked(targets)
        found = {point: self.place(point) for point in {*origins, *targets}}
        off = {point: place for point, place in found.items() if isinstance(place, str)}
        seconds = np.full((len(origins), len(targets)), NO_DRIVE, dtype=np.int32)
        metres = seconds.copy()
        begin = [(n, place) for n, p in enumerate(origins) if isinstance(place := found[p], Place)]
        goal = [(n, place) for n, p in enumerate(targets) if isinstance(place := found[p], Place)]
        if begin and goal:
            ms, dm = self.measure([place for _, place in begin], [place for _, place in goal])
            ends = np.array([p.away for _, p in begin])[:, None] + np.array([p.away for _, p in goal])
            there = ms != NEVER
            cells = np.ix_([n for n, _ in begin], [n for n, _ in goal])
            seconds[cells] = np.where(there, np.rint(ms / 1000 + ends / OFF_ROAD_SPEED), NO_DRIVE)
            metres[cells] = np.where(there, np.rint(dm / 10 + ends), NO_DRIVE)
        # The same address twice is no drive at all, whatever its way to the road.
        columns: dict[Point, list[int]] = defaultdict(list)
        for n, point in enumerate(targets):
            columns[point].append(n)
        for n, point in enumerate(origins):
            if point not in off and point in columns:
                seconds[n, columns[point]] = metres[n, columns[point]] = 0
        return Table(seconds, metres, self.name, self.estimated, off)

    def measure(
        self, origins: Sequence[Place], targets: Sequence[Place], *, stop_early: bool = True
    ) -> tuple[Ints, Ints]:
        """Milliseconds and decimetres on the road, NEVER where there is no drive."""
        # To one new place from all others is one search against the traffic.
        backward = len(targets) < len(origins)
        begin, goal = (targets, origins) if backward else (origins, targets)
        search = _Search(self.graph, goal, backward=backward)
        ms = np.full((len(begin), len(goal)), NEVER, dtype=np.int32)
        dm = ms.copy()
        for row, place in enumerate(begin):
            ms[row], dm[row] = search.run(place, stop_early=stop_early)
        return (ms.T, dm.T) if backward else (ms, dm)

    def path(self, stops: Sequence[Point]) -> Drawn:
        checked(stops)
        line = list(stops[:1])
        for start, end in itertools.pairwise(stops):
            inner = self._leg(start, end) if start != end else []
            line += [point for before, point in itertools.pairwise([start, *inner]) if point != before]
            if start == end or line[-1] != end:
                line.append(end)
        return Drawn(line, self.name, self.estimated)

    def place(self, point: Point) -> Place | str:
        """Where a point gets onto the roads, or why it doesn't."""
        known = self._places.get(point)
        if known is None:
            known = self._places[point] = self._look(point)
            while len(self._places) > PLACES_KEPT:
                self._places.popitem(last=False)
        return known

    def _look(self, point: Point) -> Place | str:
        found = self._index.nearest(point, AWAY_METRES_MAX)
        if found is None:
            if self._islands.nearest(point, AWAY_METRES_MAX) is not None:
                return f"is on roads that nothing joins to the rest of {self.name}"
            apart = (self.graph.points - np.array(point)) * [cos(radians(point[1])), 1.0]
            nearest = self.graph.points[np.einsum("ij,ij->i", apart, apart).argmin()].tolist()
            return too_far(great_circle(point, (nearest[0], nearest[1])), self.name)
        graph, edge = self.graph, found.edge
        length = int(graph.dm[graph.arcs_of[edge].max()])
        if found.share * length < JUNCTION_DM:
            return self._at(point, int(graph.vertices_of[edge, 0]))
        if (1 - found.share) * length < JUNCTION_DM:
            return self._at(point, int(graph.vertices_of[edge, 1]))
        own = []
        for side, share in enumerate((found.share, 1 - found.share)):
            if (arc := int(graph.arcs_of[edge, side])) >= 0:
                own.append((arc, round(int(graph.ms[arc]) * share), round(length * share)))
        on = [(one, ms, dm) for arc, ms, dm in own for one in (arc, *graph.copies.get(arc, ()))]
        return Place(point, found.point, found.away, -1, tuple(on), tuple(own))

    def _at(self, point: Point, vertex: int) -> Place:
        graph = self.graph
        where = (float(graph.points[vertex, 0]), float(graph.points[vertex, 1]))
        on = tuple((arc, int(graph.ms[arc]), int(graph.dm[arc])) for arc in graph.ends[vertex])
        own = tuple((arc, 0, 0) for arc in graph.starts[vertex])
        return Place(point, where, great_circle(point, where), vertex, on, own)

    def _leg(self, start: Point, end: Point) -> list[Point]:
        """The road from one place to another; nothing where there is none to follow."""
        a, b = self.place(start), self.place(end)
        if isinstance(a, str) or isinstance(b, str):
            return []
        search = _Search(self.graph, [b])
        if search.run(a)[0][0] == NEVER:
            return []
        if (last := int(search.arc[0])) < 0:  # along the stretch of road that both are on
            return [a.on_road, *self._between(a, b), b.on_road]
        arcs = [last]
        while (before := int(search.parent[arcs[0]])) >= 0:
            arcs.insert(0, before)
        line = [a.on_road, *self._first_stretch(a, arcs[0])]
        for arc in arcs[:-1]:
            line += self._line(arc)
        length = int(self.graph.dm[last])
        at = next(dm for arc, _, dm in b.on if arc == last)
        return [*line, *_along(self._line(last), 0.0, at / length if length else 1.0), b.on_road]

    def _line(self, arc: int) -> list[Point]:
        line = self.graph.lines.of(int(self.graph.edge[arc]))
        return line if self.graph.forward[arc] else line[::-1]

    def _between(self, a: Place, b: Place) -> list[Point]:
        """The corners of the stretch on which one gets from a straight to b."""
        ends = {arc: (ms, dm) for arc, ms, dm in b.on}
        for arc, ms, dm in a.own:
            if arc in ends and min(ends[arc][0] - ms, ends[arc][1] - dm) >= 0:
                length = max(1, int(self.graph.dm[arc]))
                return _along(self._line(arc), dm / length, ends[arc][1] / length)
        return []

    def _first_stretch(self, place: Place, entered: int) -> list[Point]:
        """From a place within an edge to the junction where the next arc is entered."""
        if place.vertex >= 0:
            return []
        graph = self.graph
        ways = []
        for arc, ms, dm in place.own:
            share = dm / max(1, int(graph.dm[arc]))
            rest = int(graph.ms[arc]) - ms
            ways += [(rest + cost, arc, share) for n, cost in graph.after.of(arc) if n == entered]
        _, arc, share = min(ways)
        return [*_along(self._line(arc), share, 1.0), self._line(arc)[-1]]


class _Search:
    """Searches to the same goals, one after another: with the traffic from an origin to targets, or backward
    from a target to origins. Not for two threads at once.
    """

    def __init__(self, graph: RoadGraph, goals: Sequence[Place], *, backward: bool = False) -> None:
        self._graph, self._backward = graph, backward
        self._next = graph.before if backward else graph.after
        self._on: dict[int, list[OnArc]] = defaultdict(list)
        self._at: dict[int, list[int]] = defaultdict(list)
        arcs = len(graph.ms)
        self._slot = np.full(arcs, -1, dtype=np.int32)
        slots: list[tuple[int, int, int, int]] = []  # next, goal, ms, dm
        for number, goal in enumerate(goals):
            if goal.vertex >= 0:
                self._at[goal.vertex].append(number)
            for arc, ms, dm in goal.own if backward else goal.on:
                self._on[arc].append((number, ms, dm))
            for arc, ms, dm in self._passing(goal):
                slots.append((int(self._slot[arc]), number, ms, dm))
                self._slot[arc] = len(slots) - 1
        self._slots = np.array(slots, dtype=np.int32).reshape(-1, 4).T.copy()
        self._ms, self._dm, self.arc = (np.empty(len(goals), dtype=np.int32) for _ in range(3))
        self._entry_ms, self._entry_dm, self.parent = (np.empty(arcs, dtype=np.int32) for _ in range(3))
        longest = int(graph.ms.max() + self._next.ms.max(initial=0))
        self._buckets = np.empty(1 << (2 + (longest >> BUCKET_BITS)).bit_length(), dtype=np.int32)
        self._items = np.empty((3, len(self._next.arc) + arcs), dtype=np.int32)

    def _passing(self, place: Place) -> list[OnArc]:
        """Arcs that lead past a goal, with the part of each up to it as the search runs."""
        graph = self._graph
        if not self._backward:
            return list(place.on)
        if place.vertex >= 0:
            return [(arc, int(graph.ms[arc]), int(graph.dm[arc])) for arc in graph.starts[place.vertex]]
        return [(arc, int(graph.ms[arc]) - ms, int(graph.dm[arc]) - dm) for arc, ms, dm in place.own]

    def _entered(self, place: Place) -> list[OnArc]:
        """Arcs that the search begins with, and what it takes to get to them."""
        graph, after = self._graph, self._next
        if place.vertex >= 0:
            arcs = graph.ends[place.vertex] if self._backward else graph.starts[place.vertex]
            return [(arc, 0, 0) for arc in arcs]
        begin = []
        for arc, ms, dm in place.on if self._backward else place.own:
            rest = (ms, dm) if self._backward else (int(graph.ms[arc]) - ms, int(graph.dm[arc]) - dm)
            begin += [(n, rest[0] + cost, rest[1]) for n, cost in after.of(arc)]
        return begin

    def run(self, place: Place, *, stop_early: bool = True) -> tuple[Ints, Ints]:
        """Milliseconds and decimetres to each goal, valid until the next run; `arc`: what each is reached on,
        -1 where that is the stretch of road on which it begins. `parent`: the arc before each.
        """
        graph, after = self._graph, self._next
        self._ms[:] = self._dm[:] = NEVER
        self.arc[:] = -1
        here = self._at.get(place.vertex, []) if place.vertex >= 0 else []
        self._ms[here] = self._dm[here] = 0
        for arc, own_ms, own_dm in place.on if self._backward else place.own:
            for goal, ms, dm in self._on.get(arc, ()):
                ahead = (own_ms - ms, own_dm - dm) if self._backward else (ms - own_ms, dm - own_dm)
                if min(ahead) >= 0 and ahead < (self._ms[goal], self._dm[goal]):
                    self._ms[goal], self._dm[goal] = ahead
        begin = np.array(self._entered(place), dtype=np.int32).reshape(-1, 3).T.copy()
        while spread(
            graph.ms, graph.dm, after.first, after.arc, after.ms, begin, self._slot, self._slots, stop_early,
            self._ms, self._dm, self.arc, self._entry_ms, self._entry_dm, self.parent, self._buckets,
            self._items,
        ) < 0:  # fmt: skip
            self._items = np.empty((3, 2 * self._items.shape[1]), dtype=np.int32)
        return self._ms, self._dm


def _along(line: list[Point], start: float, end: float) -> list[Point]:
    """The corners of a line between two shares of its length, without what lies on them."""
    reached = [0.0, *itertools.accumulate(great_circle(a, b) for a, b in itertools.pairwise(line))]
    low, high = start * reached[-1] + 0.05, end * reached[-1] - 0.05
    return [point for point, metres in zip(line, reached, strict=True) if low < metres < high]
