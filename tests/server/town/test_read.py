"""Reading a town, on maps written here and on a real country where the shared data is at hand."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import osmium
import pytest

from server.town.model import Address, Bounds, Cabinet, MapError, Street, metres_between
from server.town.read import read_town

SHARED = Path(__file__).parents[4] / "shared" / "data" / "liechtenstein"
needs_liechtenstein = pytest.mark.skipif(
    not SHARED.is_dir(), reason="The shared Liechtenstein data set is not beside this repository"
)

Node = tuple[float, float, Mapping[str, str]]  # lat, lon, tags
House = {"addr:street": "Koivukatu", "addr:housenumber": "1", "addr:postcode": "00100", "addr:city": "Ahti"}


def a_map(
    path: Path, nodes: Sequence[Node], ways: Sequence[tuple[list[int], Mapping[str, str]]] = ()
) -> Path:
    """Write nodes 1, 2, 3… and ways 1, 2, 3… to `path`."""
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for id, (lat, lon, tags) in enumerate(nodes, start=1):
            place = osmium.osm.Location(lon, lat)
            writer.add_node(osmium.osm.mutable.Node(id=id, location=place, tags=dict(tags)))
        for id, (refs, tags) in enumerate(ways, start=1):
            writer.add_way(osmium.osm.mutable.Way(id=id, nodes=refs, tags=dict(tags)))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ahti-north.osm.pbf"


class TestAddresses:
    def test_come_from_nodes_with_every_part_as_mapped(self, path: Path) -> None:
        town = read_town(a_map(path, [(60.1, 24.9, House)]))
        assert town.addresses == (
            Address(id="n1", lat=60.1, lon=24.9, street="Koivukatu", housenumber="1", postcode="00100",
                    city="Ahti"),
        )  # fmt: skip

    def test_of_a_building_lie_at_the_mean_of_its_corners_the_closing_one_not_counted_twice(
        self, path: Path
    ) -> None:
        corners: list[Node] = [(60.0, 24.0, {}), (60.0, 24.2, {}), (60.4, 24.2, {}), (60.4, 24.0, {})]
        town = read_town(a_map(path, corners, [([1, 2, 3, 4, 1], {"building": "yes", **House})]))
        assert [(a.id, a.lat, a.lon) for a in town.addresses] == [("w1", 60.2, 24.1)]

    def test_mapped_twice_within_ten_metres_count_once(self, path: Path) -> None:
        town = read_town(a_map(path, [(60.1, 24.9, House), (60.10001, 24.90001, House), (60.2, 24.9, House)]))
        assert [a.id for a in town.addresses] == ["n1", "n3"]

    def test_use_the_place_where_a_house_stands_on_no_street(self, path: Path) -> None:
        house = {"addr:place": "Saari", "addr:housenumber": "7"}
        assert read_town(a_map(path, [(60.1, 24.9, house)])).addresses[0].line == "Saari 7"

    def test_drop_a_city_that_is_only_a_number(self, path: Path) -> None:
        assert read_town(a_map(path, [(60.1, 24.9, {**House, "addr:city": "7"})])).addresses[0].city == ""

    def test_without_any_the_map_is_refused_with_what_would_help(self, path: Path) -> None:
        with pytest.raises(MapError, match=r"ahti-north.osm.pbf has no house addresses .* Use an extract"):
            read_town(a_map(path, [(60.1, 24.9, {"addr:housenumber": "1"})]))


class TestFilesThatAreNoMap:
    def test_a_missing_one_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(MapError, match=r"There is no map at .*gone\.osm\.pbf"):
            read_town(tmp_path / "gone.osm.pbf")

    @pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\0\0\0\x0d\x0a\x09OSMHeader"])
    def test_a_damaged_one_is_named(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        with pytest.raises(MapError, match=r"ahti-north.osm.pbf cannot be read as an OpenStreetMap file"):
            read_town(path)

    def test_one_cut_off_in_the_middle_is_named(self, path: Path) -> None:
        whole = a_map(path, [(60 + i / 1e4, 24.9, House) for i in range(500)]).read_bytes()
        path.write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(MapError, match="cannot be read"):
            read_town(path)


class TestStreets:
    def test_sum_their_ways_and_take_the_class_of_the_longest(self, path: Path) -> None:
        nodes: list[Node] = [(60.0, 24.9, {}), (60.01, 24.9, {}), (60.03, 24.9, {}), (60.1, 24.9, House)]
        tags = {"name": "Pitkätie"}
        ways = [([1, 2], {**tags, "highway": "residential"}), ([2, 3], {**tags, "highway": "tertiary"})]
        assert read_town(a_map(path, nodes, ways)).streets == (
            Street(name="Pitkätie", kind="tertiary", lat=60.03, lon=24.9, length_m=3336),
        )

    def test_leave_out_paths_where_no_van_drives(self, path: Path) -> None:
        nodes: list[Node] = [(60.0, 24.9, {}), (60.01, 24.9, {}), (60.1, 24.9, House)]
        town = read_town(a_map(path, nodes, [([1, 2], {"highway": "footway", "name": "Polku"})]))
        assert town.streets == ()


CROSSING: list[Node] = [(60.0, 24.9, House), (60.0, 24.9, {}), (60.001, 24.9, {}), (60.002, 24.9, {}),
                        (60.001, 24.91, {})]  # fmt: skip
TWO_ROADS = [([2, 3, 4], {"highway": "residential", "name": "A"}), ([3, 5], {"highway": "service"})]


class TestCabinets:
    def test_of_telecom_and_of_no_stated_trade_are_ours_others_are_not(self, path: Path) -> None:
        cabinet = {"man_made": "street_cabinet"}
        nodes: list[Node] = [
            (60.0, 24.9, House),
            (60.1, 24.9, {**cabinet, "street_cabinet": "telecom", "ref": "K7", "operator": "Ahti Net"}),
            (60.2, 24.9, {**cabinet, "street_cabinet": "power"}),
            (60.3, 24.9, cabinet),
        ]
        assert read_town(a_map(path, nodes), cabinets_wanted=2).cabinets == (
            Cabinet(id="n2", lat=60.1, lon=24.9, ref="K7", operator="Ahti Net"),
            Cabinet(id="n4", lat=60.3, lon=24.9, ref="N4"),
        )

    def test_that_the_map_lacks_are_put_at_a_real_junction_and_say_so(self, path: Path) -> None:
        assert read_town(a_map(path, CROSSING, TWO_ROADS), cabinets_wanted=1).cabinets == (
            Cabinet(id="s3", lat=60.001, lon=24.9, ref="K001", synthetic=True),
        )

    def test_stop_where_the_junctions_do(self, path: Path) -> None:
        assert len(read_town(a_map(path, CROSSING, TWO_ROADS), cabinets_wanted=5).cabinets) == 1


class TestNameAndNotice:
    def test_is_the_city_of_most_addresses(self, path: Path) -> None:
        assert read_town(a_map(path, [(60.1, 24.9, House)])).name == "Ahti"

    def test_is_the_files_own_name_where_no_city_has_half(self, path: Path) -> None:
        houses: list[Node] = [(60.1 + i, 24.9, {**House, "addr:city": city}) for i, city in enumerate("ABC")]
        assert read_town(a_map(path, houses)).name == "Ahti North"

    def test_real_maps_credit_openstreetmap(self, path: Path) -> None:
        town = read_town(a_map(path, [(60.1, 24.9, House)]))
        assert (town.attribution, town.made_up, town.source) == (
            "© OpenStreetMap contributors", False, "ahti-north.osm.pbf")  # fmt: skip

    def test_bounds_are_those_of_the_addresses_where_the_file_states_none(self, path: Path) -> None:
        town = read_town(a_map(path, [(60.1, 24.9, House), (60.2, 24.8, House)]))
        assert town.bounds == Bounds(west=24.8, south=60.1, east=24.9, north=60.2)


@needs_liechtenstein
class TestLiechtenstein:
    def test_gives_the_3334_addresses_of_the_published_table(self) -> None:
        town = read_town(SHARED / "liechtenstein.osm.pbf")
        with (SHARED / "addresses.csv").open(encoding="utf-8") as file:
            table = {
                row["id"]: (float(row["lat"]), float(row["lon"]), row["street"], row["housenumber"],
                            row["postcode"], row["city"])
                for row in csv.DictReader(file)
            }  # fmt: skip
        assert len(town.addresses) == 3334
        assert {
            a.id: (a.lat, a.lon, a.street, a.housenumber, a.postcode, a.city) for a in town.addresses
        } == table

    def test_has_a_cabinet_for_every_60_addresses_one_of_them_mapped(self) -> None:
        town = read_town(SHARED / "liechtenstein.osm.pbf")
        assert (len(town.cabinets), sum(not c.synthetic for c in town.cabinets)) == (55, 1)
        assert (town.name, len(town.streets)) == ("Liechtenstein", 805)
        assert all(town.bounds.holds(c.lat, c.lon) for c in town.cabinets)


class TestMetres:
    def test_a_degree_of_latitude_is_111_km(self) -> None:
        assert round(metres_between(60.0, 24.0, 61.0, 24.0)) == 111_195

    def test_a_degree_of_longitude_is_half_of_that_at_60_north(self) -> None:
        assert round(metres_between(60.0, 24.0, 60.0, 25.0)) == 55_598
