"""Traffic by the hour: said by the office, in the request, and in every drive that anybody is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from planned_day import DAWN, DAY, an_order, at, change, change_technician, only_ana
from world import Job, World, a_world

from server.dispatch import moves, slot_holds, traffic
from server.dispatch.board import snapshot
from server.dispatch.day_rows import clock_of
from server.dispatch.insertions import find_insertions
from server.dispatch.mending import apply_mend, propose_mend
from server.dispatch.models import TechnicianRow
from server.dispatch.overrides import act, opened
from server.dispatch.plan_booking import Proposal
from server.dispatch.planner import plan_day, propose
from server.dispatch.slot_models import SlotHoldRow
from server.dispatch.time_slots import Wish, offers
from server.dispatch.traffic import TrafficRow, on_the_road
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder
from shared.problems import BadValue, Conflict
from shared.work_orders import WorkOrderState

TWICE = [2.0] * 24


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana alone, without lunch, who lives some way from where the work is."""
    with a_world(database_url) as world:
        only_ana(world, lunch_from_minute=None, lunch_until_minute=None)
        with world.database.read() as session:
            row = session.get_one(TechnicianRow, world.ana.technician_id)
            lat, lon = row.start_lat + 0.05, row.start_lon
        change_technician(world, world.ana.technician_id, start_lat=lat, end_lat=lat, start_lon=lon)
        yield world


def said(world: World, factors: list[float], after: int = 0) -> None:
    with world.database.write() as session:
        traffic.change(session, after=after, factors=factors, by="Ada", now=DAWN)


def row(world: World, job: Job) -> WorkOrderRow:
    return next(one for one in world.rows(WorkOrderRow) if one.id == job.id)


def planned(world: World) -> None:
    plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)


class TestWhatTheOfficeSays:
    def test_is_nothing_until_then(self, world: World):
        with world.database.read() as session:
            found = traffic.in_force(session)
        assert (found.version, found.pace) == (0, ())

    def test_is_a_version_that_is_never_changed(self, world: World):
        said(world, TWICE)
        said(world, [1.0] * 24, after=1)
        assert [(one.version, one.made_by) for one in world.rows(TrafficRow)] == [(1, "Ada"), (2, "Ada")]
        with world.database.read() as session:
            assert traffic.in_force(session).pace == ()

    def test_is_refused_where_it_can_not_be(self, world: World):
        for factors, words in (
            ([1.0] * 23, "24 factors"),
            ([1.0] * 23 + [0.1], "factor of 23:00 must be between 0.2 and 10"),
            ([float("nan")] + [1.0] * 23, "factor of 0:00"),
        ):
            with pytest.raises(BadValue, match=words):
                said(world, factors)
        said(world, TWICE)
        with pytest.raises(Conflict, match="Look at it first"):
            said(world, [1.0] * 24)
        assert len(world.rows(TrafficRow)) == 1


class TestADrive:
    def test_takes_as_long_as_its_hours_say(self):
        slow_at_eight = tuple(500 if hour == 8 else 1000 for hour in range(24))
        assert on_the_road((), 9 * 60, 30) == 30
        assert on_the_road(slow_at_eight, 9 * 60, 20) == 40
        assert on_the_road(slow_at_eight, 8 * 60, 20) == 20
        assert on_the_road(slow_at_eight, 9 * 60 + 10, 20) == 30  # ten minutes at full speed, ten at half

    def test_of_a_plan_is_told_as_it_will_be(self, world: World):
        job = an_order(world, expected_minutes=60)
        planned(world)
        free = row(world, job)
        change(world, job, state=WorkOrderState.UNASSIGNED, technician_id=None, planned_start=None)
        said(world, TWICE)
        planned(world)
        slow = row(world, job)
        assert free.travel_minutes > 3
        assert slow.travel_minutes == 2 * free.travel_minutes
        assert slow.planned_start - free.planned_start == timedelta(minutes=free.travel_minutes)

    def test_is_in_the_request_that_is_kept(self, world: World):
        an_order(world)
        said(world, TWICE)
        clock = clock_of(world.settings, DAY, DAWN)
        found: Proposal = propose(world.database, world.settings, clock, seconds=0, seed=0, now=DAWN)
        assert found.question.request and found.question.request.pace == (500,) * 24

    def test_of_a_hand_is_estimated_in_the_traffic_of_its_hour(self, world: World):
        job = an_order(world, expected_minutes=60)
        said(world, [2.0 if hour == 8 else 1.0 for hour in range(24)])
        who = world.ana.technician_id
        with world.database.read() as session:
            early, later = (
                moves.assignment(session, job.id, who, at(hour, 50), world.settings.zone).travel_minutes
                for hour in (8, 11)
            )
        assert early == 2 * later

    def test_that_a_hand_leaves_too_little_time_for_is_said(self, world: World):
        job = an_order(world, expected_minutes=60)
        said(world, [8.0] * 24)
        command = AssignWorkOrder(
            work_order_id=job.id, technician_id=world.ana.technician_id, planned_start=at(8, 20),
            planned_end=at(9, 20), travel_minutes=10, route_position=0,
        )  # fmt: skip
        kept = act(world.database, world.settings, command, by="Marja", now=DAWN)
        with world.database.read() as session:
            assert any("min drive" in one for one in opened(session, kept).breaks)  # type: ignore[arg-type]

    def test_to_one_more_job_and_to_a_slot_takes_its_time_too(self, world: World):
        job = an_order(world, expected_minutes=60)
        quick = find_insertions(world.database, world.settings, job.id, DAWN, DAY).places[0].planned_start
        said(world, TWICE)
        slow = find_insertions(world.database, world.settings, job.id, DAWN, DAY).places[0].planned_start
        assert slow > quick
        wish = Wish(work_order_id=job.id)
        first = min(
            offers(world.database, world.settings, wish, DAWN, first=DAY, days=1).slots,
            key=lambda slot: slot.start,
        )
        slot_holds.hold(
            world.database, world.settings, wish, first.start, first.end, DAWN, key="k", by="Marja"
        )
        [held] = world.rows(SlotHoldRow)
        assert timedelta(minutes=held.travel_minutes) == held.starts_at - at(8)

    def test_of_a_mended_day_is_what_the_board_expects(self, world: World):
        job = an_order(world, expected_minutes=60)
        said(world, TWICE)
        planned(world)
        change(world, job, state=WorkOrderState.UNASSIGNED, technician_id=None, planned_start=None)
        found = propose_mend(world.database, world.settings, at(9), DAY, rounds=20)
        apply_mend(world.database, world.settings, found.choice, at(9), by="Marja")
        moved = row(world, job)
        assert moved.planned_start == at(9) + timedelta(minutes=moved.travel_minutes)
        with world.database.read() as session:
            board = snapshot(session, DAY, world.settings.zone, at(9, 10))
        [verdict] = [one for one in board.now.work_orders if one.id == job.id]
        assert verdict.expected_arrival == moved.planned_start + timedelta(minutes=10)
