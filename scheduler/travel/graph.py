"""A road map as arrays to search: directed arcs, and from each arc the arcs that may follow it.

A vertex is where drivable ways meet or one ends; an edge is the road between two of them; an arc is an edge
driven in one direction. The search goes from arc to arc, not from junction to junction, for what a turn costs
and whether it is allowed depends on where one comes from. A forbidden turn is left out of an arc's followers.
A restriction that leads over further ways gets copies of these, which only its own approach leads to.

Only the largest part in which every junction reaches every other is kept; the rest is known as islands.
"""

from collections import defaultdict
from dataclasses import dataclass
from math import atan2, cos, exp, pi, radians

import numpy as np
import rustworkx as rx
from numpy.typing import NDArray

from scheduler.compiled import compiled
from scheduler.travel.osm import Restriction, RoadMap, Way
from scheduler.travel.protocol import Point, great_circle

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Successors = dict[int, list[tuple[int, int]]]

# What a turn takes rises with its angle, to this where one turns back sharply: measured by OSRM's authors on
# real drives (profiles/car.lua, BSD).
TURN_MS_MAX = 7_500
BACK_MS = 20_000  # turning round at the end of a road; elsewhere nobody does
SIGNAL_MS = 2_000


class NoRoads(ValueError):
    """The map file can't be read, or holds no drivable road."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Edges as drawn: the points of edge e are lon[first[e]:first[e + 1]], ends included."""

    first: Ints
    lon: Floats
    lat: Floats

    def of(self, edge: int) -> list[Point]:
        a, b = int(self.first[edge]), int(self.first[edge + 1])
        return list(zip(self.lon[a:b].tolist(), self.lat[a:b].tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Turns:
    """Next to arc a is `arc[k]` for k from first[a] up to first[a + 1]; the turn takes `ms[k]`."""

    first: Ints
    arc: Ints
    ms: Ints

    def of(self, arc: int) -> list[tuple[int, int]]:
        a, b = int(self.first[arc]), int(self.first[arc + 1])
        return list(zip(self.arc[a:b].tolist(), self.ms[a:b].tolist(), strict=True))

    def reversed(self) -> "Turns":
        count = len(self.first) - 1
        order = np.argsort(self.arc, kind="stable")
        first = np.zeros_like(self.first)
        np.cumsum(np.bincount(self.arc, minlength=count), out=first[1:])
        origin = np.repeat(np.arange(count, dtype=np.int32), np.diff(self.first))
        return Turns(first, origin[order], self.ms[order])


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """ms and dm: time and length of an arc, whole milliseconds and decimetres. after: arcs that may follow
    each; before: the same backwards.

    arcs_of: edge → its arcs (forward, backward), -1 where it may not be driven. vertices_of: edge → the
    vertices it runs from and to. copies: arc → arcs that are
    the same road for whoever comes by a restriction. starts and ends: vertex → arcs that leave and reach it.
    """

    points: Floats
    lines: Lines
    islands: Lines
    edge: Ints
    forward: NDArray[np.bool_]
    ms: Ints
    dm: Ints
    after: Turns
    before: Turns
    arcs_of: Ints
    vertices_of: Ints
    copies: dict[int, list[int]]
    starts: list[list[int]]
    ends: list[list[int]]

    def __len__(self) -> int:
        """Number of junctions."""
        return len(self.points)


class _Drawing:
    """Edges while they are collected."""

    def __init__(self) -> None:
        self.ends: list[tuple[int, int]] = []
        self.ways: list[Way] = []
        self.lines: list[list[Point]] = []
        self.ms: list[int] = []
        self.dm: list[int] = []


def build(roads: RoadMap) -> RoadGraph:
    """Raises NoRoads when there is nothing to drive on."""
    if not roads.ways:
        raise NoRoads("holds no drivable road")
    drawn, points, vertex_of = _cut(roads)
    kept, vertices = _connected(drawn, len(points))
    islands = [drawn.lines[e] for e in range(len(drawn.ends)) if e not in kept]
    new = {old: number for number, old in enumerate(vertices)}
    edges = sorted(kept)
    tail, head, edge, ms, dm, way = ([0 for _ in ()] for _ in range(6))
    forward: list[bool] = []
    arcs_of = np.full((len(edges), 2), -1, dtype=np.int32)
    vertices_of = np.array([[new[v] for v in drawn.ends[old]] for old in edges], dtype=np.int32)
    for number, old in enumerate(edges):
        a, b = vertices_of[number].tolist()
        for side, (allowed, start, end) in enumerate(
            ((drawn.ways[old].forward, a, b), (drawn.ways[old].backward, b, a))
        ):
            if allowed:
                arcs_of[number, side] = len(tail)
                tail.append(start)
                head.append(end)
                edge.append(number)
                forward.append(side == 0)
                ms.append(drawn.ms[old])
                dm.append(drawn.dm[old])
                way.append(drawn.ways[old].id)
    if not tail:
        raise NoRoads("holds no road that leads anywhere")
    lines = _flat([drawn.lines[e] for e in edges])
    kept_points = np.array([points[v] for v in vertices], dtype=np.float64)
    tails, heads, of_edge = (np.array(values, dtype=np.int32) for values in (tail, head, edge))
    twins = arcs_of[of_edge, np.array(forward, dtype=np.int32)]  # column 1 is the way back of column 0
    signals = np.zeros(len(vertices), dtype=np.bool_)
    signals[[new[v] for node in roads.signals for v in vertex_of.get(node, ()) if v in new]] = True
    leave, arrive = _bearings(lines, of_edge, np.array(forward))
    roads_at = np.bincount(vertices_of.ravel(), minlength=len(vertices)).astype(np.int32)
    turns = _turns(len(vertices), tails, heads, twins, leave, arrive, signals, roads_at)
    bending = _Bending(tail, head, way, twins.tolist(), turns)
    at_node = {node: [new[v] for v in at if v in new] for node, at in vertex_of.items()}
    for restriction in roads.restrictions:
        bending.bend(restriction, at_node)
    copied = bending.original[len(tails) :]
    copies: dict[int, list[int]] = defaultdict(list)
    for copy, original in enumerate(copied, start=len(tails)):
        copies[original].append(copy)
    turns = _with_changes(bending.original, turns, bending.changed)
    starts: list[list[int]] = [[] for _ in vertices]
    ends: list[list[int]] = [[] for _ in vertices]
    for arc, (a, b) in enumerate(zip(tail, head, strict=True)):
        starts[a].append(arc)
        ends[b] += [arc, *copies.get(arc, ())]
    every = np.array(bending.original)
    return RoadGraph(
        points=kept_points, lines=lines, islands=_flat(islands), edge=of_edge[every],
        forward=np.array(forward)[every], ms=np.array(ms, dtype=np.int32)[every],
        dm=np.array(dm, dtype=np.int32)[every], after=turns, before=turns.reversed(),
        arcs_of=arcs_of,
        vertices_of=vertices_of, copies=copies, starts=starts, ends=ends,
    )  # fmt: skip


def _cut(roads: RoadMap) -> tuple[_Drawing, list[Point], dict[int, list[int]]]:
    """Cut ways at junctions: edges, the vertices' positions, and node → its vertices.

    A node that no van passes is a vertex of its own for each road that ends there.
    """
    uses: dict[int, int] = defaultdict(int)
    for way in roads.ways:
        for position, node in enumerate(way.nodes):
            uses[node] += 2 if position in (0, len(way.nodes) - 1) else 1
    for restriction in roads.restrictions:
        if restriction.via_node in uses:
            uses[restriction.via_node] += 2
    drawn, points = _Drawing(), list[Point]()
    vertex_of: dict[int, list[int]] = {}

    def vertex(node: int) -> int:
        known = vertex_of.setdefault(node, [])
        if not known or node in roads.blocked:
            known.append(len(points))
            points.append(roads.where[node])
        return known[-1]

    for way in roads.ways:
        begin = vertex(way.nodes[0])
        metres, waiting, line = 0.0, 0, [roads.where[way.nodes[0]]]
        for before, node in zip(way.nodes, way.nodes[1:], strict=False):
            metres += great_circle(roads.where[before], roads.where[node])
            line.append(roads.where[node])
            if uses[node] < 2 and node not in roads.blocked:
                waiting += SIGNAL_MS if node in roads.signals else 0
                continue
            end = vertex(node)
            drawn.ends.append((begin, end))
            drawn.ways.append(way)
            drawn.lines.append(line)
            drawn.ms.append(max(1, round(metres / way.speed * 1000)) + waiting)
            drawn.dm.append(round(metres * 10))
            begin = vertex(node) if node in roads.blocked else end
            metres, waiting, line = 0.0, 0, [roads.where[node]]
    return drawn, points, vertex_of


def _connected(drawn: _Drawing, count: int) -> tuple[set[int], list[int]]:
    """Edges and vertices of the largest part in which every junction reaches every other."""
    graph: rx.PyDiGraph[None, None] = rx.PyDiGraph(multigraph=False)
    graph.add_nodes_from([None] * count)
    pairs = set()
    for (a, b), way in zip(drawn.ends, drawn.ways, strict=True):
        pairs |= {(a, b)} if way.forward else set()
        pairs |= {(b, a)} if way.backward else set()
    graph.add_edges_from_no_data(sorted(pairs))
    vertices = max((sorted(part) for part in rx.strongly_connected_components(graph)), key=len)
    inside = set(vertices)
    return {e for e, (a, b) in enumerate(drawn.ends) if a in inside and b in inside}, vertices


def _flat(lines: list[list[Point]]) -> Lines:
    first = np.zeros(len(lines) + 1, dtype=np.int32)
    np.cumsum([len(line) for line in lines], out=first[1:])
    flat = np.array([point for line in lines for point in line], dtype=np.float64).reshape(-1, 2)
    return Lines(first, flat[:, 0].copy(), flat[:, 1].copy())


def _bearings(lines: Lines, edge: Ints, forward: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """In which direction (radians from east) each arc leaves its tail and arrives at its head."""
    leave, arrive = np.zeros(len(edge)), np.zeros(len(edge))
    for arc, (e, along) in enumerate(zip(edge.tolist(), forward.tolist(), strict=True)):
        line = lines.of(e)
        if not along:
            line.reverse()
        leave[arc] = _bearing(line[0], next((p for p in line if p != line[0]), line[-1]))
        arrive[arc] = _bearing(next((p for p in reversed(line) if p != line[-1]), line[0]), line[-1])
    return leave, arrive


def _bearing(a: Point, b: Point) -> float:
    return atan2(b[1] - a[1], (b[0] - a[0]) * cos(radians(a[1])))


def _turns(
    count: int, tail: Ints, head: Ints, twin: Ints, leave: Floats, arrive: Floats,
    signals: NDArray[np.bool_], roads: Ints,
) -> Turns:  # fmt: skip
    """For each arc the arcs that leave where it arrives, and what turning into them takes. Where only two
    `roads` meet one drives on and does not turn.
    """
    order = np.argsort(tail, kind="stable").astype(np.int32)
    first = np.zeros(count + 1, dtype=np.int32)
    np.cumsum(np.bincount(tail, minlength=count), out=first[1:])
    per_arc = (first[1:] - first[:-1])[head]
    to = np.zeros(int(per_arc.sum()), dtype=np.int32)
    ms = np.zeros(len(to), dtype=np.int32)
    next_first = np.zeros(len(tail) + 1, dtype=np.int32)
    filled = _fill_turns(order, first, head, twin, leave, arrive, signals, roads, next_first, to, ms)
    return Turns(next_first, to[:filled].copy(), ms[:filled].copy())


@compiled
def _turn_ms(angle: float) -> int:
    """angle: radians, 0 straight on, π back."""
    return round(TURN_MS_MAX / (1.0 + exp(6.5 - 13.0 * abs(angle) / pi)))


@compiled
def _fill_turns(
    order: Ints, first: Ints, head: Ints, twin: Ints, leave: Floats, arrive: Floats,
    signals: NDArray[np.bool_], roads: Ints, next_first: Ints, to: Ints, ms: Ints,
) -> int:  # fmt: skip
    filled = 0
    for arc in range(len(head)):
        v = head[arc]
        for k in range(first[v], first[v + 1]):
            follower = order[k]
            if follower == twin[arc]:
                if first[v + 1] - first[v] > 1:
                    continue
                cost = BACK_MS
            elif roads[v] > 2:
                angle = leave[follower] - arrive[arc]
                cost = _turn_ms((angle + pi) % (2 * pi) - pi)
            else:
                cost = 0
            to[filled] = follower
            ms[filled] = cost + (SIGNAL_MS if signals[v] else 0)
            filled += 1
        next_first[arc + 1] = filled
    return filled


class _Bending:
    """What restrictions change about which arc may follow which."""

    def __init__(
        self, tail: list[int], head: list[int], way: list[int], twin: list[int], turns: Turns
    ) -> None:
        self.original = list(range(len(tail)))  # arc → itself; copies, numbered after all others → of what
        self.changed: Successors = {}
        self._tail, self._head, self._twin = tail, head, twin
        self._turns = turns
        self._copies: dict[int, list[int]] = defaultdict(list)
        self._of_way: dict[int, list[int]] = defaultdict(list)
        for arc, way_id in enumerate(way):
            self._of_way[way_id].append(arc)

    def bend(self, restriction: Restriction, at_node: dict[int, list[int]]) -> None:
        tail, head = self._tail, self._head
        if restriction.via_node is not None:
            at = set(at_node.get(restriction.via_node, ()))
            onto = {arc for arc in self._of_way[restriction.to_way] if tail[arc] in at}
            for arc in self._of_way[restriction.from_way]:
                if head[arc] in at:
                    self._bar(arc, onto, restriction.only)
            return
        for approach, *through, last in self._chains(restriction):
            for begin in (approach, *self._copies[approach]):
                end = self._own_way(begin, through)
                if end is not None:
                    self._bar_one(end, {last}, restriction.only)

    def _after(self, arc: int) -> list[tuple[int, int]]:
        if arc in self.changed:
            return self.changed[arc]
        return self._turns.of(arc)  # a copy is always changed

    def _bar(self, arc: int, onto: set[int], only: bool) -> None:
        for one in (arc, *self._copies[arc]):
            self._bar_one(one, onto, only)

    def _bar_one(self, arc: int, onto: set[int], only: bool) -> None:
        left = [(n, ms) for n, ms in self._after(arc) if (self.original[n] in onto) == only]
        if not left and only:
            return  # the turn it commands is not to be had: a mistake in the map, not a wall
        twin = self._twin[self.original[arc]]
        # Whoever may go nowhere turns round.
        self.changed[arc] = left or ([(twin, BACK_MS)] if twin >= 0 else [])

    def _own_way(self, arc: int, through: list[int]) -> int | None:
        """The copy of the last of `through` that only the drive from `arc` leads to, made where it lacks;
        None where that drive is forbidden already.
        """
        for step in through:
            after = self._after(arc)
            follower = next((n for n, _ in after if self.original[n] == step), None)
            if follower is None:
                return None
            if follower == step:
                follower = len(self.original)
                self.original.append(step)
                self._copies[step].append(follower)
                self.changed[follower] = list(self._after(step))
                self.changed[arc] = [(follower if n == step else n, ms) for n, ms in after]
            arc = follower
        return arc

    def _chains(self, restriction: Restriction) -> list[list[int]]:
        """Every drive from `from` through the whole of the ways between to the first arc of `to`."""
        tail, head = self._tail, self._head
        chains = [[arc] for arc in self._of_way[restriction.from_way]]
        for way_id in (*restriction.via_ways, restriction.to_way):
            longer = []
            for chain in chains:
                entered = [[*chain, arc] for arc in self._of_way[way_id] if tail[arc] == head[chain[-1]]]
                longer += entered
                # A way between may be several arcs, one after another, none of them backwards.
                while entered and way_id != restriction.to_way:
                    entered = [
                        [*one, arc]
                        for one in entered
                        for arc in self._of_way[way_id]
                        if tail[arc] == head[one[-1]] and head[arc] not in {tail[a] for a in one}
                    ]
                    longer += entered
            chains = longer
        return chains


def _with_changes(original: list[int], turns: Turns, changed: Successors) -> Turns:
    """The turns of all arcs, copies too. Copies are all in `changed`."""
    if not changed:
        return turns
    sizes = np.zeros(len(original), dtype=np.int64)
    sizes[: len(turns.first) - 1] = np.diff(turns.first)
    for arc, followers in changed.items():
        sizes[arc] = len(followers)
    first = np.zeros(len(original) + 1, dtype=np.int32)
    np.cumsum(sizes, out=first[1:])
    to, ms = np.zeros(int(first[-1]), np.int32), np.zeros(int(first[-1]), np.int32)
    done = 0  # arcs up to here are in place: those between two changed ones are moved at once
    for arc in (*sorted(changed), len(original)):
        a, b = int(first[done]), int(first[arc])
        if b > a:
            old = int(turns.first[done])
            to[a:b], ms[a:b] = turns.arc[old : old + b - a], turns.ms[old : old + b - a]
        if changed.get(arc):
            to[b : int(first[arc + 1])], ms[b : int(first[arc + 1])] = zip(*changed[arc], strict=True)
        done = arc + 1
    return Turns(first, to, ms)
