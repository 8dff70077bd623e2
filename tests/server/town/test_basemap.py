import gzip
import json
from pathlib import Path

import osmium
import pytest

from server.town.basemap import LAYERS, base_map, cut, doubled_area
from server.town.made_up import write_made_up_town
from server.town.model import MapError

SHARED = Path(__file__).parents[4] / "shared" / "data" / "liechtenstein"


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up_town(tmp_path_factory.mktemp("map") / "town.osm.pbf")


class TestCutting:
    def test_a_building_with_a_yard_turns_its_outside_left_and_its_hole_right(self, tmp_path: Path) -> None:
        path = tmp_path / "yard.osm.pbf"
        outer = [(0.0, 0.0), (0.0, 0.004), (0.004, 0.004), (0.004, 0.0)]  # lon, lat; drawn clockwise
        inner = [(0.001, 0.001), (0.003, 0.001), (0.003, 0.003), (0.001, 0.003)]  # drawn counterclockwise
        with osmium.SimpleWriter(str(path)) as writer:
            for id, place in enumerate(outer + inner, start=1):
                writer.add_node(osmium.osm.mutable.Node(id=id, location=osmium.osm.Location(*place)))
            writer.add_way(osmium.osm.mutable.Way(id=1, nodes=[1, 2, 3, 4, 1]))
            writer.add_way(osmium.osm.mutable.Way(id=2, nodes=[5, 6, 7, 8, 5]))
            members = [("w", 1, "outer"), ("w", 2, "inner")]
            tags = {"type": "multipolygon", "building": "yes"}
            writer.add_relation(osmium.osm.mutable.Relation(id=1, members=members, tags=tags))
        (building,) = cut(path)["buildings"]
        geometry = building["geometry"]
        assert isinstance(geometry, dict) and geometry["type"] == "Polygon"
        shell, hole = geometry["coordinates"]
        assert doubled_area(shell) == pytest.approx(32e-6)
        assert doubled_area(hole) == pytest.approx(-8e-6)
        assert shell[0] == shell[-1] and hole[0] == hole[-1]

    def test_roads_carry_class_name_and_direction(self, made_up: Path) -> None:
        marks = {json.dumps(road["properties"]) for road in cut(made_up)["roads"]}
        classes = {json.loads(mark)["class"] for mark in marks}
        assert classes == {"secondary", "residential"}
        assert any('"oneway": 1' in mark for mark in marks) and any('"bridge": 1' in mark for mark in marks)

    def test_coordinates_have_six_digits_at_most(self, made_up: Path) -> None:
        for features in cut(made_up).values():
            for number in _numbers([f["geometry"]["coordinates"] for f in features]):  # type: ignore[index]
                assert round(number, 6) == number

    def test_a_file_that_is_no_map_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "x.osm.pbf").write_bytes(b"nothing of the kind")
        with pytest.raises(MapError, match=r"x\.osm\.pbf cannot be read"):
            base_map(tmp_path / "x.osm.pbf", tmp_path / "cache")
        assert [p.name for p in (tmp_path / "cache").iterdir()] == []


class TestTheCache:
    def test_holds_each_layer_plain_and_packed_with_the_same_content(
        self, made_up: Path, tmp_path: Path
    ) -> None:
        drawn = base_map(made_up, tmp_path)
        assert tuple(layer.name for layer in drawn.layers) == LAYERS
        for layer in drawn.layers:
            plain = (drawn.folder / layer.file).read_bytes()
            packed = (drawn.folder / layer.gzip_file).read_bytes()
            assert gzip.decompress(packed) == plain
            assert (layer.size, layer.gzip_size) == (len(plain), len(packed))
            assert len(json.loads(plain)["features"]) == layer.features

    def test_is_used_the_second_time_and_says_nothing(self, made_up: Path, tmp_path: Path) -> None:
        said: list[str] = []
        first = base_map(made_up, tmp_path, said.append)
        stamp = (first.folder / "roads.geojson").stat().st_mtime_ns
        assert said == [
            "Drawing the base map from town.osm.pbf",
            "Base map: 972 roads, 3034 buildings, 1 landuse, 2 water, 1 places",
        ]
        assert base_map(made_up, tmp_path, said.append) == first
        assert len(said) == 2
        assert (first.folder / "roads.geojson").stat().st_mtime_ns == stamp

    def test_gives_another_map_another_folder(self, made_up: Path, tmp_path: Path) -> None:
        other = write_made_up_town(tmp_path / "town.osm.pbf", seed=2)
        assert base_map(made_up, tmp_path).folder != base_map(other, tmp_path).folder


@pytest.mark.skipif(
    not SHARED.is_dir(), reason="The shared Liechtenstein data set is not beside this repository"
)
def test_liechtenstein_has_all_its_15834_buildings_each_turned_left(tmp_path: Path) -> None:
    layers = cut(SHARED / "liechtenstein.osm.pbf")
    assert len(layers["buildings"]) == 15_834
    for building in layers["buildings"]:
        geometry = building["geometry"]
        assert isinstance(geometry, dict)
        many = geometry["type"] == "MultiPolygon"
        for shell, *holes in geometry["coordinates"] if many else [geometry["coordinates"]]:
            assert doubled_area(shell) > 0
            assert all(doubled_area(hole) < 0 for hole in holes)


def _numbers(value: object) -> list[float]:
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    assert isinstance(value, int | float)
    return [value]
