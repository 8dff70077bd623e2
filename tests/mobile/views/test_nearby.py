from __future__ import annotations

from dataclasses import replace

import pytest
from day_of_work import the_orders

from mobile.views.nearby import Position, reached, seems_to_be_there
from shared.work_orders import WorkOrderState

REPAIR, INSTALL, *_ = the_orders()
DRIVING = replace(REPAIR, state=WorkOrderState.TRAVELLING)
METRE = 1 / 111_320  # degrees of latitude


def north(metres: float, accuracy: float = 10) -> Position:
    place = DRIVING.place
    return Position(lat=place.lat + metres * METRE, lon=place.lon, accuracy_metres=accuracy)


class TestBeingThere:
    @pytest.mark.parametrize(("metres", "there"), [(0, True), (149, True), (151, False), (2_000, False)])
    def test_is_within_a_hundred_and_fifty_metres(self, metres: float, there: bool):
        assert seems_to_be_there(DRIVING, north(metres)) is there

    def test_counts_east_as_far_as_it_is_that_far_north(self):
        place = DRIVING.place
        east = Position(lat=place.lat, lon=place.lon + 280 * METRE, accuracy_metres=10)

        assert seems_to_be_there(DRIVING, east)  # 139 m at 60° north

    def test_is_not_said_of_a_vague_position_or_none(self):
        assert not seems_to_be_there(DRIVING, north(10, accuracy=201))
        assert seems_to_be_there(DRIVING, north(10, accuracy=200))
        assert not seems_to_be_there(DRIVING, None)

    @pytest.mark.parametrize(
        "state", [state for state in WorkOrderState if state is not WorkOrderState.TRAVELLING]
    )
    def test_is_asked_only_on_the_way(self, state: WorkOrderState):
        assert not seems_to_be_there(replace(REPAIR, state=state), north(0))

    def test_is_not_said_of_a_place_without_coordinates(self):
        nowhere = replace(DRIVING, place=replace(DRIVING.place, lat=0.0, lon=0.0))

        assert not seems_to_be_there(nowhere, Position(lat=0, lon=0, accuracy_metres=5))

    def test_is_of_the_job_that_one_drives_to(self):
        assert reached([INSTALL, DRIVING], north(10)) == DRIVING
        assert reached([INSTALL, DRIVING], north(900)) is None
