"""Who measures when the first choice can't, and what it is called then."""

import pytest
from routers import Reply, a_router, osrm_answers

from scheduler.travel.crow import CrowFlight
from scheduler.travel.protocol import BadPoint
from server.dispatch.road_engines.asking import RoadServer
from server.dispatch.road_engines.osrm import Osrm
from server.dispatch.road_engines.standing_in import FirstThatAnswers

A, B = (24.90, 60.10), (24.95, 60.10)


def both(url: str) -> FirstThatAnswers:
    return FirstThatAnswers(Osrm(RoadServer(url, seconds=5, sleep=lambda _: None)), CrowFlight())


class TestFirstThatAnswers:
    def test_is_the_first_one_while_that_answers(self) -> None:
        with a_router(osrm_answers()) as router:
            travel = both(router.url)
            table, drawn = travel.table([A], [B]), travel.path([A, B])
        assert (table.engine, table.estimated) == (drawn.engine, drawn.estimated) == (travel.name, False)
        assert table.seconds.tolist() == [[50]]

    def test_says_who_measured_instead_and_why(self) -> None:
        with a_router(lambda _path, _body: Reply(500)) as router:
            travel = both(router.url)
            table, drawn = travel.table([A], [B]), travel.path([A, B])
        expected = CrowFlight().table([A], [B])
        why = f"straight line, for {travel.name} answered 500"
        assert (table.seconds.tolist(), table.engine, table.estimated) == (
            expected.seconds.tolist(),
            why,
            True,
        )
        assert (drawn.line, drawn.engine, drawn.estimated) == ([A, B], why, True)

    def test_is_the_first_one_again_as_soon_as_that_answers(self) -> None:
        with a_router(osrm_answers()) as router:
            router.next += [Reply(500)] * 3
            travel = both(router.url)
            assert travel.table([A], [B]).estimated
            assert travel.table([A], [B]).engine == travel.name

    def test_what_is_no_place_on_earth_is_nobody_s_fault(self) -> None:
        with a_router(osrm_answers()) as router, pytest.raises(BadPoint):
            both(router.url).table([A], [(0.0, 200.0)])
