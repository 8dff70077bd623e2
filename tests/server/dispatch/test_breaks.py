"""Breaks beside lunch: said by the office, kept by plans, had and remembered while the day goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from planned_day import DAWN, DAY, an_order, at, change, change_technician, only_ana
from world import Job, World, a_world

from server.dispatch.board import snapshot
from server.dispatch.breaks import Break, breaks_of, checked, in_the_shift, to_json
from server.dispatch.insertions import find_insertions
from server.dispatch.mending import apply_mend, propose_mend
from server.dispatch.models import DayPlanRow, TechnicianRow
from server.dispatch.overrides import act, opened
from server.dispatch.planner import plan_day
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder
from shared.problems import BadValue
from shared.work_orders import WorkOrderState

TEA = Break(from_minute=9 * 60, until_minute=10 * 60, minutes=15)
CAKE = Break(from_minute=14 * 60, until_minute=14 * 60 + 30, minutes=20)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana alone from 8 to 16, without lunch, with two breaks."""
    with a_world(database_url) as world:
        only_ana(world, lunch_from_minute=None, lunch_until_minute=None, breaks=to_json([TEA, CAKE]))
        yield world


def plan(world: World, now: Any = DAWN) -> dict[str, int]:
    """Plan; earliest start of Ana's breaks → the minute by the plan."""
    plan_day(world.database, world.settings, DAY, seconds=0, now=now)
    newest = max(world.rows(DayPlanRow), key=lambda row: row.made_at)
    return dict(newest.breaks.get(str(world.ana.technician_id), {}))


def row(world: World, job: Job) -> WorkOrderRow:
    return next(one for one in world.rows(WorkOrderRow) if one.id == job.id)


def a_technician(**values: Any) -> TechnicianRow:
    usual: dict[str, Any] = {
        "name": "Ana", "shift_start_minute": 480, "shift_end_minute": 960, "lunch_from_minute": 660,
        "lunch_until_minute": 780, "lunch_minutes": 30, "breaks": [],
    }  # fmt: skip
    return TechnicianRow(**usual | values)


class TestWhatTheOfficeSays:
    def test_is_put_in_the_order_of_the_day(self):
        assert checked(a_technician(), [CAKE, TEA]) == (TEA, CAKE)
        assert breaks_of(a_technician(breaks=to_json([TEA]))) == (TEA,)

    @pytest.mark.parametrize(
        ("breaks", "words"),
        [
            ([Break(from_minute=540, until_minute=600, minutes=0)], "1 to 120"),
            ([Break(from_minute=600, until_minute=540, minutes=15)], "no earlier"),
            ([TEA, TEA], "same earliest"),
            ([Break(from_minute=17 * 60, until_minute=18 * 60, minutes=15)], "do not fit into the shift"),
            ([Break(from_minute=540 + n, until_minute=600 + n, minutes=5) for n in range(5)], "more than 4"),
            ([Break(from_minute=670, until_minute=675, minutes=100)], "do not fit into the shift"),
        ],
    )
    def test_is_refused_where_it_has_no_place(self, breaks: list[Break], words: str):
        with pytest.raises(BadValue, match=words):
            checked(a_technician(lunch_until_minute=720), breaks)

    def test_of_a_night_shift_is_on_the_day_after(self):
        night = a_technician(shift_start_minute=20 * 60, shift_end_minute=28 * 60, lunch_minutes=0)
        one = in_the_shift(night, Break(from_minute=60, until_minute=120, minutes=15))
        assert (one.from_minute, one.until_minute) == (25 * 60, 26 * 60)
        over = in_the_shift(night, Break(from_minute=23 * 60, until_minute=30, minutes=15))
        assert (over.from_minute, over.until_minute) == (23 * 60, 24 * 60 + 30)


class TestAPlan:
    def test_has_them_and_says_when(self, world: World):
        jobs = [an_order(world, expected_minutes=80) for _ in range(4)]
        breaks = plan(world)
        assert breaks.keys() == {"540", "840"}
        assert 540 <= breaks["540"] <= 600
        assert 840 <= breaks["840"] <= 870
        for job in jobs:
            one = row(world, job)
            for start, minutes in ((breaks["540"], 15), (breaks["840"], 20)):
                ends = (one.planned_end - at(0)).total_seconds() / 60
                begins = (one.planned_start - at(0)).total_seconds() / 60
                assert ends <= start or begins >= start + minutes

    def test_a_break_that_was_had_is_not_had_again(self, world: World):
        an_order(world, expected_minutes=80)
        first = plan(world)
        again = plan(world, now=at(10))
        assert again["540"] == first["540"]
        with world.database.read() as session:
            board = snapshot(session, DAY, world.settings.zone, at(10))
        assert [one.planned_minute for one in board.technicians[0].breaks] == [again["540"], again["840"]]

    def test_a_break_that_was_worked_through_is_had_later(self, world: World):
        job = an_order(world, expected_minutes=120)
        plan(world)
        change(
            world, job, state=WorkOrderState.ON_SITE, technician_id=world.ana.technician_id,
            arrived_at=at(8, 30), planned_start=at(8, 30), planned_end=at(10, 30),
        )  # fmt: skip
        an_order(world, expected_minutes=60)
        again = plan(world, now=at(9, 50))
        assert again["540"] >= 10 * 60 + 30

    def test_nobody_is_sent_out_in_the_middle_of_one(self, world: World):
        with world.database.write() as session:
            session.add(
                DayPlanRow(
                    id=world.ana.technician_id, day=DAY, made_at=DAWN, engine="", roads="",
                    roads_estimated=True, seconds=0, seed=0, figures={}, lunches={},
                    breaks={str(world.ana.technician_id): {"540": 590}},
                )
            )  # fmt: skip
        job = an_order(world, expected_minutes=60, priority=1)
        plan(world, now=at(9, 55))
        assert row(world, job).planned_start >= at(10, 5)

    def test_leaves_out_what_does_not_fit_into_what_is_left_of_a_shift(self, world: World):
        change_technician(world, world.ana.technician_id, shift_end_minute=12 * 60)
        an_order(world, expected_minutes=60)
        assert plan(world).keys() == {"540"}


class TestADayUnderWay:
    def test_is_mended_with_its_breaks_although_somebody_is_late(self, world: World):
        late, later = an_order(world, expected_minutes=60), an_order(world, expected_minutes=60)
        for job, hour in ((late, 8), (later, 10)):
            change(
                world, job, state=WorkOrderState.ASSIGNED, technician_id=world.ana.technician_id,
                planned_start=at(hour), planned_end=at(hour + 1), route_position=hour,
                window_start=at(hour), window_end=at(hour + 1),
            )  # fmt: skip
        plan_before = world.rows(DayPlanRow)
        change(world, late, state=WorkOrderState.ON_SITE, arrived_at=at(9))
        found = propose_mend(world.database, world.settings, at(11, 30), DAY, rounds=50)
        assert [one.number for one in found.stays_late] == [later.number]
        apply_mend(world.database, world.settings, found.choice, at(11, 30), by="Marja")
        assert world.rows(DayPlanRow) == plan_before

    def test_places_for_one_more_leave_them_their_time(self, world: World):
        change_technician(
            world,
            world.ana.technician_id,
            breaks=to_json([Break(from_minute=540, until_minute=540, minutes=60)]),
        )
        job = an_order(world, expected_minutes=60)
        found = find_insertions(world.database, world.settings, job.id, DAWN, DAY).places
        assert found
        for place in found:
            assert place.planned_start <= at(8) or place.planned_start >= at(10)

    def test_a_hand_that_works_through_a_break_is_told(self, world: World):
        change_technician(
            world,
            world.ana.technician_id,
            breaks=to_json([Break(from_minute=540, until_minute=560, minutes=15)]),
        )
        job = an_order(world, expected_minutes=60)
        command = AssignWorkOrder(
            work_order_id=job.id, technician_id=world.ana.technician_id, planned_start=at(8, 50),
            planned_end=at(9, 50), travel_minutes=0, route_position=0,
        )  # fmt: skip
        kept = act(world.database, world.settings, command, by="Marja", now=DAWN)
        with world.database.read() as session:
            assert any("gets 0 of 1 breaks" in one for one in opened(session, kept).breaks)  # type: ignore[arg-type]
