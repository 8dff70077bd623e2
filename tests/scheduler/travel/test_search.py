"""The compiled search against the plainest one there is, on random towns with random rules."""

import heapq
from array import array
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import a_network

from scheduler.travel.graph import NoRoads
from scheduler.travel.osm import Restriction, Way
from scheduler.travel.protocol import great_circle
from scheduler.travel.roads import Place, RoadNetwork
from scheduler.travel.search import NEVER

SIZE = 4


@st.composite
def towns(draw: st.DrawFn) -> tuple[RoadNetwork, list[tuple[float, float]]]:
    """A grid of streets, some missing, some one-way, some turns forbidden or commanded; and places on it."""
    where = {
        row * SIZE + column: (column * 0.004 + row * 0.0003, row * 0.003)
        for row in range(SIZE)
        for column in range(SIZE)
    }
    ways = []
    for node in where:
        for there in (node + 1, node + SIZE):
            inside = there in where and (there != node + 1 or there % SIZE)
            if inside and draw(st.integers(0, 9)) > 0:
                speed = draw(st.sampled_from([3.0, 7.0, 14.0]))
                one = draw(st.sampled_from([(True, True), (True, True), (True, False), (False, True)]))
                ways.append(Way(len(ways), array("q", [node, there]), speed, *one))
    restrictions = []
    for _ in range(draw(st.integers(0, 6))):
        start, via, end = (draw(st.integers(0, max(0, len(ways) - 1))) for _ in range(3))
        node = draw(st.sampled_from(sorted(where)))
        over = draw(st.booleans())
        restrictions.append(
            Restriction(draw(st.booleans()), start, None if over else node, (via,) if over else (), end)
        )
    try:
        network = a_network(where, ways, *restrictions, signals=draw(st.sets(st.sampled_from(sorted(where)))))
    except NoRoads:
        network = a_network(where, [Way(0, array("q", [0, 1]), 7.0, True, True)])
    on = [
        (draw(st.floats(0.0, (SIZE - 1) * 0.004)), draw(st.floats(0.0, (SIZE - 1) * 0.003)))
        for _ in range(draw(st.integers(1, 5)))
    ]
    return network, on


def plainly(network: RoadNetwork, origin: Place, targets: list[Place]) -> list[tuple[int, int]]:
    """Every label with a heap of tuples, to the very end."""
    graph = network.graph
    labels: dict[int, tuple[int, int]] = {}
    heap: list[tuple[int, int, int]] = []
    best = [(int(NEVER), int(NEVER))] * len(targets)
    for arc, ms, dm in origin.own:
        if origin.vertex >= 0:
            heapq.heappush(heap, (0, 0, arc))
            continue
        for n, target in enumerate(targets):
            best[n] = min([best[n], *((m - ms, d - dm) for a, m, d in target.on if a == arc and m >= ms)])
        for follower, cost in graph.after.of(arc):
            heapq.heappush(heap, (int(graph.ms[arc]) - ms + cost, int(graph.dm[arc]) - dm, follower))
    while heap:
        ms, dm, arc = heapq.heappop(heap)
        if arc in labels:
            continue
        labels[arc] = ms, dm
        for follower, cost in graph.after.of(arc):
            heapq.heappush(heap, (ms + int(graph.ms[arc]) + cost, dm + int(graph.dm[arc]), follower))
    for n, target in enumerate(targets):
        if origin.vertex >= 0 and origin.vertex == target.vertex:
            best[n] = (0, 0)
        reached = [(labels[a][0] + m, labels[a][1] + d) for a, m, d in target.on if a in labels]
        best[n] = min([best[n], *reached])
    return best


@settings(max_examples=150, deadline=None)
@given(town=towns())
def test_stopping_early_forwards_or_backwards_gives_what_the_plain_search_gives(
    town: tuple[RoadNetwork, list[tuple[float, float]]],
) -> None:
    network, points = town
    places = [place for point in points if isinstance(place := network.place(point), Place)]
    expected = np.array([plainly(network, place, places) for place in places]).reshape(len(places), -1, 2)
    for stop_early in (True, False):
        ms, dm = network.measure(places, places, stop_early=stop_early)
        assert ms.tolist() == expected[..., 0].tolist()
        assert dm.tolist() == expected[..., 1].tolist()
    for n in range(len(places)):
        ms, dm = network.measure(places, places[n : n + 1])
        assert ms[:, 0].tolist() == expected[:, n, 0].tolist()
        assert dm[:, 0].tolist() == expected[:, n, 1].tolist()


@settings(max_examples=100, deadline=None)
@given(town=towns())
def test_a_drawn_drive_is_as_long_as_the_table_says(
    town: tuple[RoadNetwork, list[tuple[float, float]]],
) -> None:
    network, points = town
    table = network.table(points, points)
    for i, start in enumerate(points):
        for j, end in enumerate(points):
            line = network.path([start, end]).line
            assert (line[0], line[-1]) == (start, end)
            if table.metres[i, j] >= 0 and start != end:
                length = sum(great_circle(a, b) for a, b in pairwise(line))
                assert abs(length - table.metres[i, j]) < 3
