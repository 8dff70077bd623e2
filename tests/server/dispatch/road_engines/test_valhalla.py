"""Valhalla over HTTP: answers of the shape that its service gives."""

import json

import pytest
from routers import Reply, a_router, seconds_of, valhalla_answers

from scheduler.travel.protocol import NoAnswer
from server.dispatch.road_engines.asking import RoadServer, Unreadable
from server.dispatch.road_engines.valhalla import Valhalla, decoded

A, B, C = (24.90, 60.10), (24.95, 60.10), (24.90, 60.15)


def engine(url: str) -> Valhalla:
    return Valhalla(RoadServer(url, seconds=5, sleep=lambda _: None))


class TestATable:
    def test_is_in_the_order_asked_in_seconds_and_metres(self) -> None:
        with a_router(valhalla_answers()) as router:
            table = engine(router.url).table([A, B, C], [B, A])
        assert table.seconds.tolist() == [[50, 0], [0, 100], [150, 100]]
        assert table.metres.tolist() == [[500, 0], [0, 1000], [1500, 1000]]
        assert table.engine == f"Valhalla at {router.url.removeprefix('http://')}"

    def test_comes_in_parts_that_the_server_takes(self) -> None:
        points = [(24 + n / 1000, 60.0) for n in range(60)]
        with a_router(valhalla_answers(pairs_max=700)) as router:
            table = engine(router.url).table(points, points)
            assert len(router.asked) == 1 + 3 * 3
        assert table.seconds.tolist() == [[seconds_of(a, b) for b in points] for a in points]

    def test_learns_which_place_has_no_road_and_measures_the_others(self) -> None:
        with a_router(valhalla_answers(off={C})) as router:
            table = engine(router.url).table([A, C, B], [A, B, C])
        assert table.off == {C: f"is more than 1 km from any road of {table.engine}"}
        assert table.seconds.tolist() == [[0, 50, -1], [-1, -1, -1], [100, 0, -1]]

    def test_null_is_no_drive(self) -> None:
        pairs = [[{"time": None, "distance": None}, {"time": 7, "distance": 0.5}]]
        reply = Reply(body=json.dumps({"sources_to_targets": pairs}).encode())
        with a_router(lambda _path, _body: reply) as router:
            table = engine(router.url).table([A], [B, C])
        assert (table.seconds.tolist(), table.metres.tolist()) == ([[-1, 7]], [[-1, 500]])

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b'{"sources_to_targets": [[{"time": 1, "distance": 1}]]}', "time are not 1 × 2"),
            (b'{"sources_to_targets": {"durations": [[1, 2]]}}', "Expected `array`"),
            (b"{}", "time are not 1 × 2"),
            (b"busy", "can't read"),
            (
                b'{"error_code": 154, "error": "Path distance exceeds the max distance limit"}',
                "answered 154: Path",
            ),
        ],
    )
    def test_of_another_shape_is_no_answer(self, body: bytes, reason: str) -> None:
        with a_router(lambda _path, _body: Reply(body=body)) as router, pytest.raises(NoAnswer, match=reason):
            engine(router.url).table([A], [B, C])


class TestAPath:
    def test_is_drawn_past_every_stop(self) -> None:
        with a_router(valhalla_answers()) as router:
            drawn = engine(router.url).path([A, B, C])
        leg = decoded("_vt|xA_zz`Q{J{of@")
        assert len(leg) == 2
        assert drawn.line == [A, *leg, *leg, C]

    def test_is_straight_where_there_is_no_road(self) -> None:
        with a_router(valhalla_answers(off={B})) as router:
            assert engine(router.url).path([A, B]).line == [A, B]


class TestItsLines:
    def test_are_polylines_of_six_decimals(self) -> None:
        # As valhalla_service 3.9.1 drew the beginning of a street in Vaduz.
        assert decoded("yte|xAk`adQrAqI|By@") == [
            (9.520150, 47.140189), (9.520319, 47.140147), (9.520348, 47.140084),
        ]  # fmt: skip

    @pytest.mark.parametrize("shape", ["yte|xA", "yte|xAk`adQrAqI|", "a b", "~" * 20])
    def test_that_are_broken_are_refused(self, shape: str) -> None:
        with pytest.raises(Unreadable):
            decoded(shape)
