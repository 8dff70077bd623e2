"""What planning rests on: the day's clock, models that may stand in for each other, roads and their edge."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from routers import Reply, a_router, osrm_answers, valhalla_answers

from scheduler.travel.protocol import BadPoint
from server.dispatch.day_clock import DayClock
from server.dispatch.road_engines.asking import RoadServer
from server.dispatch.road_engines.osrm import Osrm
from server.dispatch.roads import STRAIGHT, drawn, measure, no_place, travel_times
from server.dispatch.van_parts import Pools
from server.settings import Settings
from server.town.made_up import write_made_up_town
from server.town.read import read_town
from shared.work_orders import EquipmentNeed, PartLine

HELSINKI = ZoneInfo("Europe/Helsinki")


@dataclass
class Asking:
    """As much of a work order as parts are about."""

    required_equipment: tuple[EquipmentNeed, ...] = ()
    required_parts: tuple[PartLine, ...] = field(default=())


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The map of the made-up town."""
    return write_made_up_town(tmp_path_factory.mktemp("town") / "kuvitelma.osm.pbf")


def one_of(*skus: str) -> Asking:
    return Asking((EquipmentNeed(role="ont", skus=skus),))


class TestTheDaysClock:
    def test_counts_from_midnight_on_an_ordinary_day(self):
        clock = DayClock(date(2026, 11, 23), HELSINKI)
        assert clock.instant(480) == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
        assert clock.minute(datetime(2026, 11, 23, 6, 0, 59, tzinfo=UTC)) == 480
        assert clock.minute_after(datetime(2026, 11, 23, 6, 0, 1, tzinfo=UTC)) == 481
        assert clock.of_wall(480) == 480

    @pytest.mark.parametrize(
        ("day", "eight"),
        [
            (date(2026, 3, 29), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),
            (date(2026, 10, 25), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),
        ],
    )
    def test_eight_o_clock_is_eight_o_clock_when_the_clocks_have_changed(self, day: date, eight: datetime):
        clock = DayClock(day, HELSINKI)
        assert clock.of_wall(480) == 480
        assert clock.instant(480) == eight

    def test_a_minute_of_work_is_a_minute_while_the_clocks_change(self):
        clock = DayClock(date(2026, 3, 29), HELSINKI)  # 03:00 becomes 04:00
        before, after = clock.of_wall(2 * 60 + 30), clock.of_wall(4 * 60 + 30)
        assert after - before == 60
        assert clock.instant(before) == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


class TestModelsThatStandInForEachOther:
    def test_a_device_is_counted_once_however_many_needs_would_take_it(self):
        either, only_a = one_of("A", "B"), one_of("A")
        pools = Pools.of([either, only_a])  # type: ignore[list-item]
        assert pools.carried({"A": 1, "B": 0}) == {"A": 1, "A or B": 1}
        assert pools.wanted(either) == {"A or B": 1}  # type: ignore[arg-type]
        assert pools.wanted(only_a) == {"A": 1, "A or B": 1}  # type: ignore[arg-type]

    def test_needs_that_share_a_model_are_counted_together_too(self):
        pools = Pools.of([one_of("A", "B"), one_of("B", "C")])  # type: ignore[list-item]
        assert pools.carried({"B": 1}) == {"A or B": 1, "B or C": 1, "A or B or C": 1}

    def test_parts_count_by_their_quantity_and_a_van_never_owes(self):
        order = Asking(required_parts=(PartLine(sku="CABLE", quantity=20), PartLine(sku="CABLE", quantity=5)))
        pools = Pools.of([order])  # type: ignore[list-item]
        assert pools.wanted(order) == {"CABLE": 25}  # type: ignore[arg-type]
        assert pools.carried({"CABLE": -3}) == {"CABLE": 0}


class TestRoads:
    def test_without_a_map_it_is_the_straight_line_and_says_estimated(self, tmp_path: Path):
        assert travel_times(Settings()) is STRAIGHT
        assert travel_times(Settings(map_file=str(tmp_path / "gone.osm.pbf"))) is STRAIGHT
        assert STRAIGHT.estimated

    def test_a_map_is_read_once_a_process(self, town: Path, tmp_path: Path):
        settings = Settings(map_file=str(town), data_folder=tmp_path)
        roads = travel_times(settings)
        assert not roads.estimated
        assert travel_times(settings) is roads

    def test_a_place_beyond_the_map_is_measured_straight_and_the_name_says_so(
        self, town: Path, tmp_path: Path
    ):
        roads = travel_times(Settings(map_file=str(town), data_folder=tmp_path))
        one, two, *_ = [(a.lon, a.lat) for a in read_town(town).addresses]
        beyond = (one[0] + 1, one[1])
        matrix, off = measure(roads, [one, beyond, two])
        assert matrix.seconds[0][2] == roads.table([one], [two]).seconds[0, 0]
        assert matrix.seconds[0][1] == STRAIGHT.table([one], [beyond]).seconds[0, 0]
        assert matrix.engine == f"{roads.name}; 1 place beyond the map, estimated"
        assert list(off) == [beyond]
        assert off[beyond].endswith(f"km from the nearest road of {roads.name}")
        assert drawn(roads, [one, beyond]).line == [one, beyond]

    def test_a_drive_that_no_road_leads_is_measured_straight_and_counted(self):
        with a_router(osrm_answers(cut_off={(24.95, 60.1)})) as router:
            points = [(24.9, 60.1), (24.95, 60.1), (24.9, 60.15)]
            matrix, off = measure(Osrm(RoadServer(router.url)), points)
        straight, _ = measure(STRAIGHT, points)
        assert matrix.seconds[0][1] == straight.seconds[0][1]
        assert matrix.seconds[0][2] == 100
        place = router.url.removeprefix("http://")
        # Also from that place to itself; the other two reach each other.
        assert matrix.engine == f"OSRM at {place}; 5 drives that no road leads, estimated"
        assert (matrix.estimated, off) == (False, {})

    def test_a_place_that_is_nowhere_is_refused(self):
        with pytest.raises(BadPoint):
            measure(STRAIGHT, [(24.9, 60.1), (0.0, 200.0)])
        assert no_place((24.9, 60.1)) is None
        assert no_place((0.0, 200.0)) == "(0.0, 200.0) is not a longitude and latitude in degrees"

    def test_a_routing_server_comes_first_then_the_map_then_the_straight_line(
        self, town: Path, tmp_path: Path
    ):
        one, two, *_ = [(a.lon, a.lat) for a in read_town(town).addresses]
        with a_router(osrm_answers()) as router:
            url = f"osrm+{router.url}"
            with_map = travel_times(Settings(road_server=url, map_file=str(town), data_folder=tmp_path))
            alone = travel_times(Settings(road_server=url, data_folder=tmp_path))
            place = router.url.removeprefix("http://")
            assert with_map.name == alone.name == f"OSRM at {place}"
            assert measure(with_map, [one])[0].engine == f"OSRM at {place}"
            router.next += [Reply(503)] * 3
            matrix, _ = measure(with_map, [one, two])
            assert matrix.engine.startswith("roads of ")
            assert matrix.engine.endswith(f", for OSRM at {place} answered 503")
            assert not matrix.estimated
            # The line that a stand-in drew is not kept for when the server is back.
            router.next += [Reply(503)] * 3
            assert drawn(alone, [one, two]).estimated
            assert not drawn(alone, [one, two]).estimated
            router.next += [Reply(503)] * 3
            matrix, _ = measure(alone, [one, two])
            assert matrix.engine == f"straight line, for OSRM at {place} answered 503"
            assert matrix.estimated

    @pytest.mark.parametrize(
        "url",
        [
            "http://host:5000",
            "osrm",
            "osrm+host:5000",
            "osrm+ftp://host",
            "google+https://host",
            "osrm+http://",
        ],
    )
    def test_a_routing_server_that_can_not_be_stops_the_server_with_its_name(self, url: str):
        with pytest.raises(ValueError, match="TRUCKROLL_ROAD_SERVER: write osrm"):
            Settings.from_environment({"TRUCKROLL_ROAD_SERVER": url})
        with pytest.raises(ValueError, match="TRUCKROLL_ROAD_SERVER_SECONDS"):
            Settings.from_environment({"TRUCKROLL_ROAD_SERVER_SECONDS": "0"})
        right = {
            "TRUCKROLL_ROAD_SERVER": "valhalla+https://roads.example/v",
            "TRUCKROLL_ROAD_SERVER_SECONDS": "3",
        }
        assert Settings.from_environment(right).road_server == "valhalla+https://roads.example/v"

    def test_valhalla_is_asked_where_the_settings_say_so(self, tmp_path: Path):
        with a_router(valhalla_answers()) as router:
            travel = travel_times(Settings(road_server=f"valhalla+{router.url}", data_folder=tmp_path))
            assert measure(travel, [(24.9, 60.1), (24.95, 60.1)])[0].seconds == ((0, 50), (100, 0))
