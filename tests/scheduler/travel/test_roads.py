"""Roads of a hand-made town, every street chosen so that one rule decides; then those of a real country.

4 --- 3        A block of 0.01° × 0.01° (nodes 1 to 4) at the equator, where a degree is 111.195 km both ways.
|     |        1→2 is one-way. 5 hangs on 2 by a footpath only, 6 by a private road, 7 and 8 are an island of
1 --> 2        their own. 9 is a bend in the street from 3 to 4. Only two roads meet anywhere: no turn costs.
"""

import csv
import itertools
from pathlib import Path

import osmium
import pytest
from maps import SPEED, a_network, no, no_through, only, street

from scheduler.travel.graph import BACK_MS, SIGNAL_MS
from scheduler.travel.protocol import BadPoint, Point, great_circle, matrix_of
from scheduler.travel.roads import NoRoads, RoadNetwork

NODES: dict[int, Point] = {
    1: (0.0, 0.0), 2: (0.01, 0.0), 3: (0.01, 0.01), 4: (0.0, 0.01), 5: (0.02, 0.0), 6: (0.015, 0.0),
    7: (0.03, 0.03), 8: (0.031, 0.03), 9: (0.005, 0.011),
}  # fmt: skip
STREETS: list[tuple[list[int], dict[str, str]]] = [
    ([1, 2], {"highway": "residential", "oneway": "yes"}),
    ([2, 3], {"highway": "residential"}),
    ([3, 9, 4], {"highway": "residential", "maxspeed": "50"}),
    ([4, 1], {"highway": "residential"}),
    ([2, 5], {"highway": "footway"}),
    ([2, 6], {"highway": "service", "access": "private"}),
    ([7, 8], {"highway": "residential"}),
]
SIDE = great_circle((0.0, 0.0), (0.01, 0.0))  # 1,112 m
BEND = great_circle(NODES[3], NODES[9]) + great_circle(NODES[9], NODES[4])


def write(path: Path, streets: list[tuple[list[int], dict[str, str]]]) -> Path:
    with osmium.SimpleWriter(str(path)) as writer:
        for number, where in NODES.items():
            writer.add_node(osmium.osm.mutable.Node(id=number, location=where, tags={}))
        for number, (nodes, tags) in enumerate(streets, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags))
    return path


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    return RoadNetwork.read(write(tmp_path_factory.mktemp("map") / "town.osm.pbf", STREETS))


class TestATinyTown:
    def test_keeps_the_junctions_that_reach_each_other(self, town: RoadNetwork) -> None:
        assert len(town) == 4
        assert town.name.startswith("roads of town ")
        assert town.estimated is False

    def test_drives_at_the_usual_speed(self, town: RoadNetwork) -> None:
        matrix = matrix_of(town, [NODES[1], NODES[2]])
        assert matrix.metres[0][1] == round(SIDE)
        assert matrix.seconds[0][1] == round(SIDE / (25 / 3.6))

    def test_goes_round_the_block_against_a_one_way_street(self, town: RoadNetwork) -> None:
        matrix = matrix_of(town, [NODES[1], NODES[2]])
        assert matrix.metres[1][0] == round(2 * SIDE + BEND)
        assert matrix.seconds[1][0] == round(2 * SIDE / (25 / 3.6) + BEND / (40 / 3.6))

    def test_draws_the_bends(self, town: RoadNetwork) -> None:
        drawn = town.path([NODES[2], NODES[1]])
        assert [(round(lon, 6), round(lat, 6)) for lon, lat in drawn.line] == [
            NODES[n] for n in (2, 3, 9, 4, 1)
        ]
        assert (drawn.engine, drawn.estimated) == (town.name, False)

    def test_draws_a_day_past_all_its_stops(self, town: RoadNetwork) -> None:
        there, back = (town.path([NODES[a], NODES[b]]).line for a, b in ((1, 3), (3, 1)))
        assert town.path([NODES[1], NODES[3], NODES[1]]).line == [*there, *back[1:]]

    def test_an_address_off_the_road_drives_to_the_road_first(self, town: RoadNetwork) -> None:
        beside = (-0.001, 0.0)
        away = great_circle(beside, NODES[1])
        matrix = matrix_of(town, [beside, NODES[2]])
        assert matrix.metres[0][1] == pytest.approx(SIDE + away, abs=1)
        assert matrix.seconds[0][1] == pytest.approx(SIDE / (25 / 3.6) + away / (15 / 3.6), abs=1)
        assert town.path([beside, NODES[2]]).line[0] == beside

    def test_the_same_place_is_no_drive(self, town: RoadNetwork) -> None:
        beside = (-0.001, 0.0)
        assert matrix_of(town, [beside, beside]).seconds == ((0, 0), (0, 0))
        assert town.path([beside, beside]).line == [beside, beside]

    def test_a_second_matrix_is_the_same(self, town: RoadNetwork) -> None:
        spots = [NODES[n] for n in (1, 2, 3, 4)]
        assert matrix_of(town, spots) == matrix_of(town, spots)

    def test_names_a_place_far_off_the_map(self, town: RoadNetwork) -> None:
        far = (24.9, 60.1)
        table = town.table([NODES[1], far], [NODES[2]])
        assert table.seconds.tolist() == [[round(SIDE / (25 / 3.6))], [-1]]
        assert table.off[far].startswith("is ")
        assert table.off[far].endswith(f" km from the nearest road of {town.name}")
        with pytest.raises(BadPoint, match=r"point 1 \(24.9, 60.1\) is .* km from the nearest road of roads"):
            matrix_of(town, [NODES[1], far])

    def test_names_a_place_on_an_island(self, town: RoadNetwork) -> None:
        assert town.table([NODES[7]], [NODES[1]]).off == {
            NODES[7]: f"is on roads that nothing joins to the rest of {town.name}"
        }

    def test_a_map_without_roads_is_refused(self, tmp_path: Path) -> None:
        footpaths = write(tmp_path / "park.osm.pbf", STREETS[4:5])
        with pytest.raises(NoRoads, match=r"park\.osm\.pbf holds no drivable road"):
            RoadNetwork.read(footpaths)

    def test_a_file_that_is_no_map_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "photo.osm.pbf").write_bytes(b"JFIF" * 100)
        with pytest.raises(NoRoads, match=r"photo\.osm\.pbf can't be read as a map"):
            RoadNetwork.read(tmp_path / "photo.osm.pbf")
        with pytest.raises(NoRoads, match="can't be read"):
            RoadNetwork.read(tmp_path / "missing.osm.pbf")


# A straight street of three pieces and a parallel one below, in steps of 0.01°:
#
#   1 ===a=== 2 ===b=== 3 ===c=== 4      ways 1, 2, 3
#             |d        |e        |f     ways 4, 5, 6, southwards
#             5 ===g=== 6 ===h=== 7      ways 7, 8
STEP = great_circle((0.0, 0.0), (0.01, 0.0))
LADDER: dict[int, Point] = {
    1: (0.0, 0.0), 2: (0.01, 0.0), 3: (0.02, 0.0), 4: (0.03, 0.0),
    5: (0.01, -0.01), 6: (0.02, -0.01), 7: (0.03, -0.01),
}  # fmt: skip
WAYS = [
    street(1, 1, 2), street(2, 2, 3), street(3, 3, 4), street(4, 2, 5), street(5, 3, 6), street(6, 4, 7),
    street(7, 5, 6), street(8, 6, 7),
]  # fmt: skip


def metres(network: RoadNetwork, start: int, end: int) -> int:
    return int(network.table([LADDER[start]], [LADDER[end]]).metres[0, 0])


class TestRestrictions:
    def test_without_one_the_short_way_is_taken(self) -> None:
        assert metres(a_network(LADDER, WAYS), 1, 5) == round(2 * STEP)

    def test_a_forbidden_turn_is_not_taken(self) -> None:
        network = a_network(LADDER, WAYS, no(1, 2, 4))
        assert metres(network, 1, 5) == round(4 * STEP)  # on to 3, down to 6, back to 5
        assert network.path([LADDER[1], LADDER[5]]).line == [LADDER[n] for n in (1, 2, 3, 6, 5)]

    def test_it_binds_only_those_who_come_that_way(self) -> None:
        network = a_network(LADDER, WAYS, no(1, 2, 4))
        assert metres(network, 3, 5) == round(2 * STEP)
        assert metres(network, 5, 1) == round(2 * STEP)

    def test_what_is_only_allowed_is_taken(self) -> None:
        network = a_network(LADDER, WAYS, only(1, 2, 4))
        assert metres(network, 1, 3) == round(4 * STEP)
        assert metres(network, 1, 5) == round(2 * STEP)

    def test_one_that_leads_over_another_way_forbids_the_whole_drive_only(self) -> None:
        network = a_network(LADDER, WAYS, no_through(1, (2,), 5))
        assert metres(network, 1, 6) == round(3 * STEP)  # by 5 instead
        assert network.path([LADDER[1], LADDER[6]]).line == [LADDER[n] for n in (1, 2, 5, 6)]
        assert network.path([LADDER[2], LADDER[6]]).line in (
            [LADDER[n] for n in (2, 3, 6)],
            [LADDER[n] for n in (2, 5, 6)],
        )
        both = a_network(LADDER, WAYS, no_through(1, (2,), 5), no(1, 2, 4))
        assert metres(both, 1, 6) == round(5 * STEP)  # past 4 and 7
        assert metres(both, 1, 4) == round(3 * STEP)

    def test_a_place_on_the_way_between_is_reached_all_the_same(self) -> None:
        network = a_network(LADDER, WAYS, no_through(1, (2,), 5))
        half = (0.015, 0.0)
        assert network.table([LADDER[1]], [half]).metres[0, 0] == round(1.5 * STEP)
        assert network.table([half], [LADDER[6]]).metres[0, 0] == round(1.5 * STEP)

    def test_one_that_commands_what_is_not_there_is_no_wall(self) -> None:
        assert metres(a_network(LADDER, WAYS, only(1, 2, 99)), 1, 3) == round(2 * STEP)

    def test_is_kept_to_backwards_too(self) -> None:
        network = a_network(LADDER, WAYS, no(1, 2, 4), no_through(1, (2,), 5))
        spots = [LADDER[n] for n in LADDER]
        whole = network.table(spots, spots)
        for n, spot in enumerate(spots):
            assert network.table(spots, [spot]).metres[:, 0].tolist() == whole.metres[:, n].tolist()


class TestTurns:
    def test_a_turn_takes_its_time_and_driving_on_does_not(self) -> None:
        network = a_network(LADDER, WAYS)
        on, left = network.table([(0.005, 0.0)], [(0.015, 0.0), (0.01, -0.005)]).seconds[0].tolist()
        assert on == round(STEP / SPEED)
        assert left == round(STEP / SPEED + 3.75)  # 90°: half of the sharpest

    def test_traffic_lights_wait(self) -> None:
        plain, lit = (a_network(LADDER, WAYS, signals=which) for which in ((), (2, 3)))
        on = [n.table([LADDER[1]], [LADDER[4]]).seconds[0, 0] for n in (plain, lit)]
        assert on[1] - on[0] == 2 * SIGNAL_MS // 1000

    def test_nobody_turns_round_but_at_the_end_of_a_road(self) -> None:
        # Whoever comes by way 1 must go up to 8, a dead end, and comes back from there.
        network = a_network({**LADDER, 8: (0.01, 0.01)}, [*WAYS, street(10, 2, 8)], only(1, 2, 10))
        two_turns = 2 * 3.75
        there = network.table([LADDER[1]], [LADDER[3]])
        assert there.seconds[0, 0] == round(4 * STEP / SPEED + two_turns + BACK_MS / 1000)
        assert there.metres[0, 0] == round(4 * STEP)
        # Where the street goes on from 8, by 9 to 3, nobody turns round for it.
        where = {**LADDER, 8: (0.01, 0.01), 9: (0.02, 0.01)}
        onwards = a_network(where, [*WAYS, street(10, 2, 8), street(11, 8, 9, 3)], only(1, 2, 10))
        assert metres(onwards, 1, 5) == round(6 * STEP)


class TestBarriers:
    def test_a_bollard_cuts_the_street_in_two(self) -> None:
        where = {**LADDER, 8: (0.015, 0.0)}
        ways = [WAYS[0], street(2, 2, 8, 3), *WAYS[2:]]
        assert metres(a_network(where, ways), 2, 3) == round(STEP)
        assert metres(a_network(where, ways, blocked=[8]), 2, 3) == round(3 * STEP)


class TestWithinAStreet:
    """Two streets: 1 to 2 both ways, 2 to 3 to 1 one way."""

    NETWORK = a_network(
        {1: (0.0, 0.0), 2: (0.01, 0.0), 3: (0.01, 0.01)}, [street(1, 1, 2), street(2, 2, 3, 1, oneway=True)]
    )
    ROUND = STEP + great_circle((0.01, 0.0), (0.01, 0.01)) + great_circle((0.01, 0.01), (0.0, 0.0))

    def test_begins_and_ends_where_the_road_passes(self) -> None:
        table = self.NETWORK.table([(0.002, 0.0)], [(0.007, 0.0), (0.001, 0.0), (0.01, 0.003)])
        assert table.metres.tolist() == [[round(0.5 * STEP), round(0.1 * STEP), round(1.1 * STEP)]]
        assert table.seconds.tolist() == [[round(s * STEP / SPEED) for s in (0.5, 0.1, 1.1)]]

    def test_goes_all_the_way_round_to_what_lies_just_behind_on_a_one_way_street(self) -> None:
        ahead, behind = (0.01, 0.006), (0.01, 0.004)
        table = self.NETWORK.table([ahead, behind], [ahead, behind])
        assert table.metres[1, 0] == round(0.2 * STEP)
        assert table.metres[0, 1] == pytest.approx(self.ROUND - 0.2 * STEP, abs=1)
        assert table.metres.diagonal().tolist() == [0, 0]

    def test_draws_from_where_the_road_passes(self) -> None:
        assert self.NETWORK.path([(0.002, 0.0001), (0.01, 0.003)]).line == [
            (0.002, 0.0001), (0.002, 0.0), (0.01, 0.0), (0.01, 0.003),
        ]  # fmt: skip
        assert self.NETWORK.path([(0.01, 0.003), (0.005, 0.005)]).line == [
            (0.01, 0.003), (0.01, 0.01), (0.005, 0.005),
        ]  # fmt: skip


class TestLiechtenstein:
    def test_200_real_addresses_all_reach_each_other_along_roads(self, shared_data: Path) -> None:
        folder = shared_data / "liechtenstein"
        network = RoadNetwork.read(folder / "liechtenstein.osm.pbf")
        assert 5_000 < len(network) < 5_500
        with (folder / "addresses.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[::17][:200]
        spots = [(float(row["lon"]), float(row["lat"])) for row in rows]
        matrix = matrix_of(network, spots)
        for i, here in enumerate(spots):
            for j, there in enumerate(spots):
                assert matrix.metres[i][j] >= round(great_circle(here, there)) - 1
                assert (matrix.seconds[i][j] == 0) is (here == there)
        drawn = network.path([spots[0], spots[100]]).line
        assert sum(great_circle(a, b) for a, b in itertools.pairwise(drawn)) == pytest.approx(
            matrix.metres[0][100], abs=5
        )
