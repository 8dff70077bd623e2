"""OSRM over HTTP: made-up answers of its shape, and the real `osrm-routed`."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from osrm_server import need_osrm, osrm
from routers import Reply, a_router, osrm_answers, seconds_of

from scheduler.travel.protocol import BadPoint, NoAnswer, Point, TravelTimes
from scheduler.travel.roads import RoadNetwork
from server.dispatch.road_engines.asking import RoadServer
from server.dispatch.road_engines.osrm import Osrm
from server.town.made_up import write_made_up_town
from server.town.read import read_town

A, B, C = (24.90, 60.10), (24.95, 60.10), (24.90, 60.15)


def engine(url: str) -> Osrm:
    return Osrm(RoadServer(url, seconds=5, sleep=lambda _: None))


def whole(origins: list[Point], targets: list[Point]) -> list[list[float]]:
    return [[seconds_of(a, b) for b in targets] for a in origins]


class TestATable:
    def test_is_in_the_order_asked_each_direction_its_own(self) -> None:
        with a_router(osrm_answers()) as router:
            travel: TravelTimes = engine(router.url)
            table = travel.table([A, B, C], [B, A])
        assert table.seconds.tolist() == whole([A, B, C], [B, A]) == [[50, 0], [0, 100], [150, 100]]
        assert table.metres.tolist() == [[500, 0], [0, 1000], [1500, 1000]]
        assert (table.engine, table.estimated, table.off) == (travel.name, False, {})
        assert travel.name == f"OSRM at {router.url.removeprefix('http://')}"

    def test_comes_in_parts_that_the_server_takes(self) -> None:
        points = [(24 + n / 1000, 60.0) for n in range(230)]
        with a_router(osrm_answers(table_max=40)) as router:
            travel = engine(router.url)
            assert travel.table(points, points).seconds.tolist() == whole(points, points)
            # 100 and 50 are too many, 25 are not; and that is remembered.
            assert len(router.asked) == 2 + 10 * 10
            travel.table(points[:25], points[:25])
            assert len(router.asked) == 2 + 10 * 10 + 1

    def test_adds_the_way_from_the_address_to_the_road(self) -> None:
        with a_router(osrm_answers(away={A: 50.0})) as router:
            table = engine(router.url).table([A, B], [A, B])
        assert table.seconds.tolist() == [[0, 62], [112, 0]]  # 50 m at 15 km/h are 12 s
        assert table.metres.tolist() == [[0, 550], [1050, 0]]

    def test_names_a_place_that_is_far_from_any_road(self) -> None:
        with a_router(osrm_answers(away={C: 2345.0})) as router:
            table = engine(router.url).table([A, C], [A, B])
        assert table.off == {C: f"is 2.3 km from the nearest road of {table.engine}"}
        assert table.seconds.tolist() == [[0, 50], [-1, -1]]

    def test_null_is_no_drive(self) -> None:
        with a_router(osrm_answers(cut_off={C})) as router:
            table = engine(router.url).table([A, B], [B, C])
        assert table.seconds.tolist() == [[50, -1], [0, -1]]
        assert table.metres.tolist() == [[500, -1], [0, -1]]
        assert table.off == {}

    def test_of_nothing_asks_nobody(self) -> None:
        with a_router(osrm_answers()) as router:
            assert engine(router.url).table([], []).seconds.shape == (0, 0)
            assert router.asked == []

    def test_refuses_what_is_no_place_on_earth(self) -> None:
        with a_router(osrm_answers()) as router:
            with pytest.raises(BadPoint, match="point 1 "):
                engine(router.url).table([A, (0.0, 99.0)], [A])
            assert router.asked == []

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"durations": [[1, 2, 3], [4, 5, 6]]}, "durations are not 2 × 2"),
            ({"durations": [[1, 2]]}, "durations are not 2 × 2"),
            ({"distances": None}, "`array`"),
            ({"durations": [[1, -2], [3, 4]]}, "durations hold -2"),
            ({"durations": [[1, "2"], [3, 4]]}, "Expected `float | null`"),
            ({"sources": []}, "0 × 2 places, not 2 × 2"),
            ({"code": None}, "Expected `str`"),
            ({"code": "InvalidQuery", "message": "Query string malformed"}, "answered InvalidQuery: Query"),
        ],
    )
    def test_of_another_shape_is_no_answer(self, change: dict[str, object], reason: str) -> None:
        right = json.loads(osrm_answers()(
            f"/table/v1/driving/{A[0]},{A[1]};{B[0]},{B[1]}?sources=0;1&destinations=0;1", b""
        ).body)  # fmt: skip
        wrong = Reply(body=json.dumps(right | change).encode())
        with a_router(lambda _path, _body: wrong) as router, pytest.raises(NoAnswer, match=reason):
            engine(router.url).table([A, B], [A, B])


class TestAPath:
    def test_is_drawn_past_every_stop(self) -> None:
        with a_router(osrm_answers()) as router:
            drawn = engine(router.url).path([A, B, C])
        assert drawn.line == [A, (24.951, 60.10), C]
        assert (drawn.engine, drawn.estimated) == (f"OSRM at {router.url.removeprefix('http://')}", False)

    def test_is_straight_where_there_is_no_drive(self) -> None:
        reply = Reply(400, b'{"code": "NoRoute", "message": "Impossible route"}')
        with a_router(lambda _path, _body: reply) as router:
            assert engine(router.url).path([A, B]).line == [A, B]

    def test_without_a_line_is_no_answer(self) -> None:
        reply = Reply(body=b'{"code": "Ok", "routes": []}')
        with (
            a_router(lambda _path, _body: reply) as router,
            pytest.raises(NoAnswer, match="a route without a line"),
        ):
            engine(router.url).path([A, B])


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    need_osrm()
    folder = tmp_path_factory.mktemp("osrm")
    town = write_made_up_town(folder / "kuvitelma.osm.pbf")
    with osrm(town, folder) as url:
        yield url, town


class TestTheRealServer:
    def test_measures_a_town_as_our_own_roads_do(self, real: tuple[str, Path]) -> None:
        url, town = real
        spots = [(a.lon, a.lat) for a in read_town(town).addresses[::20]]
        theirs, ours = engine(url).table(spots, spots), RoadNetwork.read(town).table(spots, spots)
        assert len(spots) > 110  # more than it takes at once
        assert (theirs.seconds >= 0).all()
        assert theirs.seconds.diagonal().tolist() == [0] * len(spots)
        far = theirs.seconds > 120
        apart = np.abs(ours.seconds[far] / theirs.seconds[far] - 1)
        assert apart.mean() < 0.06
        assert np.abs(ours.metres[far] / theirs.metres[far] - 1).mean() < 0.02

    def test_draws_a_drive_along_its_streets(self, real: tuple[str, Path]) -> None:
        url, town = real
        start, end = [(a.lon, a.lat) for a in read_town(town).addresses[::500]][:2]
        drawn = engine(url).path([start, end, start])
        assert (drawn.line[0], drawn.line[-1]) == (start, start)
        assert len(drawn.line) > 10

    def test_names_what_lies_in_the_open_sea(self, real: tuple[str, Path]) -> None:
        url, _ = real
        near, far = (21.31, 59.31), (22.5, 59.3)
        table = engine(url).table([near, far], [near])
        assert list(table.off) == [far]
        assert table.seconds.tolist() == [[0], [-1]]
