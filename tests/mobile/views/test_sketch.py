from __future__ import annotations

from dataclasses import replace
from math import hypot

import pytest
from day_of_work import PROFILE, the_orders

from mobile.views.sketch import APART, EDGE, Leg, metres_between, sketch
from shared.work_orders import WorkOrder, WorkOrderState

REPAIR, INSTALL, SWAP, *_ = the_orders()
WIDE, HIGH = 334, 190


def at(order: WorkOrder, lat: float, lon: float, **changed: object) -> WorkOrder:
    return replace(order, place=replace(order.place, lat=lat, lon=lon), **changed)


SOUTH, MIDDLE, NORTH = at(REPAIR, 60.18, 24.95), at(INSTALL, 60.19, 24.95), at(SWAP, 60.20, 24.95)


class TestTheStops:
    def test_lie_as_they_do_on_the_ground_with_north_above(self):
        east = at(INSTALL, 60.18, 24.99)
        drawn = sketch([SOUTH, east, NORTH], None, None, WIDE, HIGH)
        first, second, third = drawn.stops

        assert (first.y, first.x) == (second.y, third.x)
        assert second.x > first.x and third.y < first.y
        # One degree of longitude is half as long here as one of latitude.
        assert (second.x - first.x) / (first.y - third.y) == pytest.approx(0.04 * 0.4972 / 0.02, rel=0.001)

    def test_are_numbered_as_in_the_list_and_one_is_next(self):
        done = replace(SOUTH, state=WorkOrderState.COMPLETED)
        drawn = sketch([done, MIDDLE, NORTH], None, MIDDLE.id, WIDE, HIGH)

        assert [(stop.number, stop.state) for stop in drawn.stops] == [(1, "done"), (2, "next"), (3, "open")]

    def test_of_one_house_stand_side_by_side_within_the_paper(self):
        same = [at(order, 60.18, 24.95) for order in the_orders()]
        drawn = sketch(same, None, None, WIDE, HIGH)

        assert all(EDGE <= stop.x <= WIDE - EDGE and EDGE <= stop.y <= HIGH - EDGE for stop in drawn.stops)
        places = {(round(stop.x), round(stop.y)) for stop in drawn.stops}
        assert len(places) == 6

    def test_of_two_flats_do_not_hide_each_other(self):
        one, other = sketch([SOUTH, at(INSTALL, 60.18, 24.95)], None, None, WIDE, HIGH).stops

        assert hypot(one.x - other.x, one.y - other.y) == pytest.approx(APART)

    def test_without_coordinates_are_left_out_and_keep_their_numbers(self):
        drawn = sketch([at(REPAIR, 0, 0), MIDDLE], None, None, WIDE, HIGH)

        assert [stop.number for stop in drawn.stops] == [2]
        assert sketch([at(REPAIR, 0, 0)], None, None, WIDE, HIGH) is None

    def test_are_opened_by_a_finger_near_them(self):
        drawn = sketch([SOUTH, MIDDLE, NORTH], None, None, WIDE, HIGH)
        top = drawn.stops[2]

        assert drawn.nearest(top.x + 20, top.y + 5) == NORTH.id
        assert drawn.nearest(WIDE - 1, HIGH - 1) is None


class TestTheLegs:
    def test_begin_where_the_van_starts_and_carry_the_minutes_of_the_plan(self):
        drawn = sketch([SOUTH, NORTH], (60.19, 24.97), None, WIDE, HIGH)
        first, second = drawn.stops

        assert drawn.home is not None
        assert drawn.legs == (
            Leg(start=drawn.home, end=(first.x, first.y), minutes="8 min", done=False),
            Leg(start=(first.x, first.y), end=(second.x, second.y), minutes="14 min", done=False),
        )

    def test_that_are_driven_say_no_minutes(self):
        there = replace(SOUTH, state=WorkOrderState.ON_SITE)
        drawn = sketch([there, NORTH], (60.19, 24.97), there.id, WIDE, HIGH)

        assert [(leg.minutes, leg.done) for leg in drawn.legs] == [("", True), ("14 min", False)]

    def test_leave_out_a_start_so_far_away_that_the_stops_would_shrink_to_a_dot(self):
        drawn = sketch([SOUTH, MIDDLE], (61.5, 23.8), None, WIDE, HIGH)

        assert drawn.home is None
        assert len(drawn.legs) == 1


class TestTheBar:
    def test_is_as_long_as_it_says(self):
        drawn = sketch([SOUTH, NORTH], None, None, WIDE, HIGH)
        one, other = drawn.stops
        metres = metres_between((60.18, 24.95), (60.20, 24.95))

        assert drawn.bar == "1 km"
        assert drawn.bar_pixels == pytest.approx(hypot(one.x - other.x, one.y - other.y) / metres * 1000)


def test_the_drawing_is_said_in_words_for_who_does_not_see_it():
    done = replace(SOUTH, state=WorkOrderState.COMPLETED)
    home = (PROFILE.home_lat, PROFILE.home_lon)
    drawn = sketch([done, MIDDLE, NORTH], home, MIDDLE.id, WIDE, HIGH)

    assert drawn.said == (
        "Sketch of the route. 1: Hämeentie 31, Closed. 2: Vaasankatu 12, Next, 11 min drive."
        " 3: Kolmas linja 7, 14 min drive"
    )


def test_a_distance_is_that_of_the_map():
    helsinki, tampere = (60.1699, 24.9384), (61.4978, 23.7610)

    assert metres_between(helsinki, tampere) == pytest.approx(160_500, rel=0.01)
