"""Roads of a hand-made town, every street chosen so that one rule decides; then those of a real country.

4 --- 3        A block of 0.01° × 0.01° (nodes 1 to 4) at the equator, where a degree is 111.195 km both ways.
|     |        1→2 is one-way. 5 hangs on 2 by a footpath only, 6 by a private road, 7 and 8 are an island of
1 --> 2        their own. 9 is a bend in the street from 3 to 4.
"""

import csv
import itertools
from pathlib import Path

import osmium
import pytest

from scheduler.travel.protocol import BadPoint, Point, great_circle
from scheduler.travel.roads import NoRoads, RoadNetwork, directions, speed_of

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
        matrix = town.matrix([NODES[1], NODES[2]])
        assert matrix.metres[0][1] == round(SIDE)
        assert matrix.seconds[0][1] == round(SIDE / (25 / 3.6))

    def test_goes_round_the_block_against_a_one_way_street(self, town: RoadNetwork) -> None:
        matrix = town.matrix([NODES[1], NODES[2]])
        assert matrix.metres[1][0] == round(2 * SIDE + BEND)
        assert matrix.seconds[1][0] == round(2 * SIDE / (25 / 3.6) + BEND / (40 / 3.6))

    def test_draws_the_bends(self, town: RoadNetwork) -> None:
        drawn = town.path(NODES[2], NODES[1])
        assert [(round(lon, 6), round(lat, 6)) for lon, lat in drawn] == [NODES[n] for n in (2, 3, 9, 4, 1)]

    def test_an_address_off_the_road_drives_to_the_nearest_junction_first(self, town: RoadNetwork) -> None:
        beside = (-0.001, 0.0)
        away = great_circle(beside, NODES[1])
        matrix = town.matrix([beside, NODES[2]])
        assert matrix.metres[0][1] == pytest.approx(SIDE + away, abs=1)
        assert matrix.seconds[0][1] == pytest.approx(SIDE / (25 / 3.6) + away / (15 / 3.6), abs=1)
        assert town.path(beside, NODES[2])[0] == beside

    def test_the_same_place_is_no_drive(self, town: RoadNetwork) -> None:
        beside = (-0.001, 0.0)
        assert town.matrix([beside, beside]).seconds == ((0, 0), (0, 0))
        assert town.path(beside, beside) == [beside, beside]

    def test_a_second_matrix_is_the_same(self, town: RoadNetwork) -> None:
        spots = [NODES[n] for n in (1, 2, 3, 4)]
        assert town.matrix(spots) == town.matrix(spots)

    def test_a_place_far_off_the_map_is_refused(self, town: RoadNetwork) -> None:
        with pytest.raises(
            BadPoint, match=r"point 1 \(24.9, 60.1\) is .* km from the nearest road of roads of town"
        ):
            town.matrix([NODES[1], (24.9, 60.1)])

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


class TestTags:
    @pytest.mark.parametrize(
        ("tags", "speed"),
        [
            ({"highway": "residential"}, 25),
            ({"highway": "residential", "maxspeed": "30"}, 24),
            ({"highway": "motorway", "maxspeed": "70 mph"}, pytest.approx(90.1, abs=0.1)),
            ({"highway": "primary", "maxspeed": "signals"}, 60),
            ({"highway": "footway"}, None),
            ({"highway": "service", "access": "private"}, None),
            ({"highway": "service", "access": "no", "motor_vehicle": "yes"}, 15),
            ({"highway": "pedestrian"}, None),
        ],
    )
    def test_speed(self, tags: dict[str, str], speed: float | None) -> None:
        assert speed_of(tags) == speed

    @pytest.mark.parametrize(
        ("tags", "both"),
        [
            ({}, (True, True)),
            ({"oneway": "yes"}, (True, False)),
            ({"oneway": "-1"}, (False, True)),
            ({"junction": "roundabout"}, (True, False)),
            ({"highway": "motorway"}, (True, False)),
            ({"highway": "motorway_link", "oneway": "no"}, (True, True)),
        ],
    )
    def test_direction(self, tags: dict[str, str], both: tuple[bool, bool]) -> None:
        assert directions(tags) == both


class TestLiechtenstein:
    def test_200_real_addresses_all_reach_each_other_along_roads(self, shared_data: Path) -> None:
        folder = shared_data / "liechtenstein"
        network = RoadNetwork.read(folder / "liechtenstein.osm.pbf")
        assert 5_000 < len(network) < 5_500
        with (folder / "addresses.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))[::17][:200]
        spots = [(float(row["lon"]), float(row["lat"])) for row in rows]
        matrix = network.matrix(spots)
        for i, here in enumerate(spots):
            for j, there in enumerate(spots):
                assert matrix.metres[i][j] >= round(great_circle(here, there)) - 1
                assert (matrix.seconds[i][j] == 0) is (here == there)
        drawn = network.path(spots[0], spots[100])
        assert sum(great_circle(a, b) for a, b in itertools.pairwise(drawn)) == pytest.approx(
            matrix.metres[0][100], abs=5
        )
