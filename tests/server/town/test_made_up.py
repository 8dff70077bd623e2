"""The town for machines without a network must carry the same weight as a real one."""

from itertools import pairwise
from pathlib import Path

import osmium
import pytest
import rustworkx

from server.town.made_up import write_made_up_town
from server.town.model import Town
from server.town.read import DRIVABLE, read_town


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up_town(tmp_path_factory.mktemp("map") / "kuvitelma.osm.pbf")


@pytest.fixture(scope="module")
def town(path: Path) -> Town:
    return read_town(path)


class TestTheMadeUpTown:
    def test_says_that_it_is_made_up(self, town: Town) -> None:
        assert (town.name, town.made_up, town.attribution) == (
            "Kuvitelma", True, "Made-up town, no real place")  # fmt: skip

    def test_has_houses_streets_and_cabinets_inside_its_bounds(self, town: Town) -> None:
        assert (len(town.addresses), len(town.streets), len(town.cabinets)) == (3034, 48, 50)
        assert len({address.line for address in town.addresses}) == 3034
        assert all(town.bounds.holds(a.lat, a.lon) for a in town.addresses)
        assert {cabinet.operator for cabinet in town.cabinets if not cabinet.synthetic} == {"Kuvitelma Fibre"}

    def test_is_the_same_to_the_byte_for_the_same_seed_only(self, path: Path, tmp_path: Path) -> None:
        assert write_made_up_town(tmp_path / "again.osm.pbf").read_bytes() == path.read_bytes()
        assert write_made_up_town(tmp_path / "other.osm.pbf", seed=2).read_bytes() != path.read_bytes()

    def test_can_be_driven_from_any_junction_to_any_other(self, path: Path) -> None:
        roads: rustworkx.PyDiGraph[int, None] = rustworkx.PyDiGraph()
        nodes: dict[int, int] = {}
        for way in osmium.FileProcessor(str(path)).with_filter(osmium.filter.KeyFilter("highway")):
            assert isinstance(way, osmium.osm.Way) and way.tags["highway"] in DRIVABLE
            for a, b in pairwise(node.ref for node in way.nodes):
                ends = [nodes.setdefault(ref, -1) for ref in (a, b)]
                for ref, end in zip((a, b), ends, strict=True):
                    nodes[ref] = roads.add_node(ref) if end < 0 else end
                roads.add_edge(nodes[a], nodes[b], None)
                if way.tags.get("oneway") != "yes":
                    roads.add_edge(nodes[b], nodes[a], None)
        parts = rustworkx.strongly_connected_components(roads)
        assert [len(part) for part in parts] == [len(nodes)]
        assert len(nodes) == 548
