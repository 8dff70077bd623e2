"""What the tags of a map mean for a van."""

from pathlib import Path

import osmium
import pytest

from scheduler.travel.osm import Restriction, blocks, directions, read_roads, restriction_of, speed_of


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
            ({"oneway": "yes", "oneway:motor_vehicle": "no"}, (True, True)),
            ({"junction": "roundabout"}, (True, False)),
            ({"highway": "motorway"}, (True, False)),
            ({"highway": "motorway_link", "oneway": "no"}, (True, True)),
        ],
    )
    def test_direction(self, tags: dict[str, str], both: tuple[bool, bool]) -> None:
        assert directions(tags) == both

    @pytest.mark.parametrize(
        ("tags", "stops"),
        [
            ({"highway": "crossing"}, False),
            ({"barrier": "bollard"}, True),
            ({"barrier": "bollard", "motor_vehicle": "yes"}, False),
            ({"barrier": "gate"}, False),
            ({"barrier": "gate", "access": "private"}, True),
            ({"barrier": "cattle_grid"}, False),
        ],
    )
    def test_barriers(self, tags: dict[str, str], stops: bool) -> None:
        assert blocks(tags) is stops


MEMBERS = [("from", "w", 1), ("via", "n", 2), ("to", "w", 3)]


class TestRestrictions:
    @pytest.mark.parametrize(
        ("tags", "only"),
        [
            ({"restriction": "no_left_turn"}, False),
            ({"restriction": "only_straight_on"}, True),
            ({"restriction:motorcar": "no_u_turn"}, False),
        ],
    )
    def test_is_read(self, tags: dict[str, str], only: bool) -> None:
        assert restriction_of(tags, MEMBERS) == Restriction(only, 1, 2, (), 3)

    def test_may_lead_over_ways(self) -> None:
        members = [("from", "w", 1), ("via", "w", 4), ("via", "w", 5), ("to", "w", 3)]
        assert restriction_of({"restriction": "no_u_turn"}, members) == Restriction(False, 1, None, (4, 5), 3)

    @pytest.mark.parametrize(
        "tags",
        [
            {"restriction": "no_left_turn", "except": "bus; motorcar"},
            {"restriction:hgv": "no_left_turn"},
            {"restriction:conditional": "no_left_turn @ (07:00-09:00)"},
            {"restriction": "give_way"},
        ],
    )
    def test_is_not_ours(self, tags: dict[str, str]) -> None:
        assert restriction_of(tags, MEMBERS) is None

    @pytest.mark.parametrize("members", [MEMBERS[1:], MEMBERS[:2], [MEMBERS[0], MEMBERS[2]], MEMBERS * 2])
    def test_is_not_whole(self, members: list[tuple[str, str, int]]) -> None:
        assert restriction_of({"restriction": "no_left_turn"}, members) is None


def test_a_file_gives_ways_barriers_lights_and_restrictions(tmp_path: Path) -> None:
    path = tmp_path / "corner.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        tags = {
            1: {},
            2: {"highway": "traffic_signals"},
            3: {"barrier": "bollard"},
            4: {"barrier": "bollard"},
        }
        for number, of in tags.items():
            writer.add_node(osmium.osm.mutable.Node(id=number, location=(0.01 * number, 0.0), tags=of))
        for number, nodes in ((7, [1, 2]), (8, [2, 3])):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags={"highway": "residential"}))
        writer.add_relation(
            osmium.osm.mutable.Relation(
                id=1, members=[("w", 7, "from"), ("n", 2, "via"), ("w", 8, "to")],
                tags={"type": "restriction", "restriction": "no_straight_on"},
            )
        )  # fmt: skip
    roads = read_roads(path)
    assert [(way.id, way.nodes.tolist(), way.forward, way.backward) for way in roads.ways] == [
        (7, [1, 2], True, True), (8, [2, 3], True, True),
    ]  # fmt: skip
    assert (roads.blocked, roads.signals) == ({3}, {2})
    assert roads.restrictions == [Restriction(False, 7, 2, (), 8)]
