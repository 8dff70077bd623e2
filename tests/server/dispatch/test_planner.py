"""A day planned from rows and booked into rows, on both databases. Only the town's distances are made up."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from planned_day import DAWN, DAY, an_order, at, change, change_technician, only_ana
from routers import Reply, a_router, osrm_answers
from sqlalchemy import func, select
from world import CABLE, MONDAY, ONT_A, ONT_B, Job, World, a_world

import server.dispatch.planner as planner
from server import office
from server.customers.models import ServiceLocationRow
from server.db import feed
from server.db.feed_models import CommandRow, FeedRow
from server.dispatch.board import snapshot
from server.dispatch.models import DayPlanRow, UnassignedRow
from server.dispatch.planner import PlanOutcome, plan_day
from server.stock.models import ReservationRow
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder, CancelWorkOrder
from shared.problems import BadValue
from shared.skills import SkillNeed
from shared.work_orders import EquipmentNeed, PartLine, WorkOrder, WorkOrderState


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana and Ben on shift from 8 to 16 with lunch from 11 to 13, and no work yet."""
    with a_world(database_url) as world:
        yield world


def plan(world: World, now: datetime = DAWN, day: date = DAY, **options: Any) -> PlanOutcome:
    return plan_day(world.database, world.settings, day, **{"seconds": 0, "now": now} | options)


def codes(outcome: PlanOutcome) -> dict[str, str]:
    return {number: code for number, code, _ in outcome.unassigned}


def overlaps(world: World) -> list[tuple[str, str]]:
    """Pairs of visits that one technician would have at the same time."""
    with world.database.read() as session:
        rows = session.scalars(
            select(WorkOrderRow)
            .where(WorkOrderRow.state == WorkOrderState.ASSIGNED)
            .order_by(WorkOrderRow.technician_id, WorkOrderRow.planned_start)
        ).all()
    return [
        (one.number, two.number)
        for one, two in itertools.pairwise(rows)
        if one.technician_id == two.technician_id and two.planned_start < one.planned_end
    ]


class TestPlanningADay:
    def test_gives_every_order_a_technician_and_a_time(self, world: World):
        jobs = [an_order(world) for _ in range(4)]
        outcome = plan(world)
        assert (outcome.planned, outcome.unassigned, outcome.changed) == (4, (), 4)
        orders = [world.work_order(job) for job in jobs]
        assert {order.state for order in orders} == {WorkOrderState.ASSIGNED}
        assert {order.technician_id for order in orders} <= {p.technician_id for p in world.phones}
        assert all(order.planned_end - order.planned_start == timedelta(minutes=90) for order in orders)
        assert overlaps(world) == []

    def test_keeps_the_promised_window_in_the_customers_zone(self, world: World):
        job = an_order(world, window_start=at(14), window_end=at(15))
        plan(world)
        assert at(14) <= world.work_order(job).planned_start < at(15)

    def test_stores_the_plan_its_figures_its_lunches_and_tells_the_board(self, world: World):
        an_order(world)
        outcome = plan(world)
        row = world.row(DayPlanRow)
        assert (row.id, row.day, row.engine, row.roads) == (outcome.id, DAY, "greedy", "straight line")
        assert row.roads_estimated
        assert row.figures["planned"] == 1
        assert row.figures["technicians_used"] == 1
        assert all(660 <= minute <= 780 for minute in row.lunches.values())
        change = world.row(FeedRow, FeedRow.kind == "day_plan")
        assert (change.key, change.scope, change.topic) == (str(row.id), feed.BOARD, "DayPlanned")

    def test_books_by_the_same_road_as_the_office_so_phones_hear_of_it(self, world: World):
        job = an_order(world)
        plan(world)
        command = world.row(CommandRow)
        assert (command.type, command.actor, command.work_order_id) == ("assign_work_order", "plan", job.id)
        scopes = {row.scope for row in world.rows(FeedRow, FeedRow.kind == "work_order")}
        assert scopes == {feed.BOARD, feed.technician_scope(world.work_order(job).technician_id)}

    def test_says_why_this_technician(self, world: World):
        job = an_order(world)
        plan(world)
        why = world.row(WorkOrderRow, WorkOrderRow.id == job.id).why
        assert why["sentence"].startswith("Adds ")
        assert why["parts"][0].startswith("driving ")
        assert why["runner_up"].split(",")[0] in {"Ana Virtanen", "Ben Korhonen"}

    def test_lists_what_cannot_be_done_with_code_and_reason(self, world: World):
        skilled = an_order(world, requirements={"required_skills": (SkillNeed("copper", 4),)})
        parts = PartLine(sku=CABLE, quantity=500)
        heavy = an_order(world, requirements={"required_parts": (parts,)})
        late = an_order(world, window_start=at(20), window_end=at(21))
        outcome = plan(world)
        assert codes(outcome) == {skilled.number: "skill", heavy.number: "parts", late.number: "time"}
        reasons = {row.work_order_id: row.reason for row in world.rows(UnassignedRow)}
        assert reasons[skilled.id] == "nobody has copper level 4: the best has none"
        assert reasons[heavy.id] == f"nearest is Ana Virtanen: 200 × {CABLE} on the van, needs 500"
        with world.database.read() as session:
            board = snapshot(session, DAY, world.settings.zone, DAWN)
        assert {card.code for card in board.unassigned} == {"skill", "parts", "time"}

    def test_a_second_run_changes_nothing_and_is_the_one_in_force(self, world: World):
        jobs = [an_order(world) for _ in range(3)]
        first = plan(world)
        before = [world.work_order(job) for job in jobs]
        second = plan(world)
        assert second.changed == 0
        assert [world.work_order(job) for job in jobs] == before
        with world.database.read() as session:
            assert planner_in_force(session).id == second.id != first.id

    def test_the_search_runs_outside_this_process_and_finds_at_least_the_greedy_plan(self, world: World):
        for number in range(6):
            an_order(world, window_start=at(8 + number), window_end=at(9 + number))
        said: list[str] = []
        outcome = plan(world, seconds=1, say=said.append)
        assert outcome.planned == 6
        assert said[0] == "Planning 6 work orders for 2 technicians (straight line)"
        assert said[-1] == "6 work orders planned"

    def test_takes_nobody_who_has_left(self, world: World):
        only_ana(world)
        job = an_order(world)
        plan(world)
        assert world.work_order(job).technician_id == world.ana.technician_id

    def test_with_nobody_at_all_every_order_is_left_with_that_reason(self, world: World):
        only_ana(world, active=False)
        job = an_order(world)
        outcome = plan(world)
        assert outcome.unassigned == ((job.number, "no_technician", "There is no active technician"),)

    def test_a_place_that_is_nowhere_spoils_no_other_visit(self, world: World):
        lost, fine = an_order(world), an_order(world)
        with world.database.write() as session:
            place = session.get_one(ServiceLocationRow, lost.location_id)
            place.lat = 200.0
        outcome = plan(world)
        assert (codes(outcome), outcome.planned) == ({lost.number: "place"}, 1)
        assert world.work_order(fine).state is WorkOrderState.ASSIGNED

    def test_a_place_far_from_any_road_is_named_and_its_drives_are_estimated(self, world: World):
        lost, fine = an_order(world), an_order(world)
        with world.database.write() as session:
            place = session.get_one(ServiceLocationRow, lost.location_id)
            place.lon, place.lat = 25.5, 60.25
        said: list[str] = []
        with a_router(osrm_answers(away={(25.5, 60.25): 4100.0})) as router:
            world.settings = replace(world.settings, road_server=f"osrm+{router.url}")
            outcome = plan(world, say=said.append)
        roads = f"OSRM at {router.url.removeprefix('http://')}"
        why = f"is 4.1 km from the nearest road of {roads}"
        (sentence,) = outcome.figures["off_roads"]
        assert sentence.startswith(f"{lost.number}, ")
        assert sentence.endswith(f", {why}")
        assert f"{sentence}; drives there are estimated" in said
        assert (outcome.roads, outcome.roads_estimated) == (
            f"{roads}; 1 place beyond the map, estimated",
            False,
        )
        assert world.work_order(fine).state is WorkOrderState.ASSIGNED

    def test_a_routing_server_that_is_down_is_said_in_the_plan(self, world: World):
        job = an_order(world)
        with a_router(lambda _path, _body: Reply(503)) as router:
            world.settings = replace(world.settings, road_server=f"osrm+{router.url}")
            outcome = plan(world)
        assert (
            outcome.roads == f"straight line, for OSRM at {router.url.removeprefix('http://')} answered 503"
        )
        assert outcome.roads_estimated
        assert world.work_order(job).state is WorkOrderState.ASSIGNED

    def test_a_day_that_is_over_is_refused(self, world: World):
        with pytest.raises(BadValue, match=r"15\.11\.2026 is over"):
            plan(world, day=DAY - timedelta(days=1))


def planner_in_force(session: Any) -> DayPlanRow:
    from server.dispatch.board import newest_plan

    found = newest_plan(session, DAY)
    assert found is not None
    return found


class TestWhichOrdersBelongToTheDay:
    def test_a_promise_for_another_day_is_left_alone(self, world: World):
        tomorrow = DAY + timedelta(days=1)
        job = an_order(world, window_start=at(9, day=tomorrow), window_end=at(11, day=tomorrow))
        assert plan(world).figures["work_orders"] == 0
        assert plan(world, day=tomorrow).planned == 1
        assert world.work_order(job).planned_start == at(9, day=tomorrow)

    def test_what_is_planned_for_today_is_not_moved_to_tomorrow(self, world: World):
        job = an_order(world)
        plan(world)
        before = world.work_order(job)
        assert plan(world, day=DAY + timedelta(days=1)).figures["work_orders"] == 0
        assert world.work_order(job) == before

    def test_what_was_planned_yesterday_and_not_done_is_planned_again(self, world: World):
        job = an_order(world)
        plan(world)
        tomorrow = DAY + timedelta(days=1)
        outcome = plan(world, now=DAWN + timedelta(days=1), day=tomorrow)
        assert outcome.planned == 1
        assert world.work_order(job).planned_start >= at(8, day=tomorrow)


class TestWhatVansMayGiveToday:
    def test_a_device_promised_to_another_days_job_is_not_given_twice(self, world: World):
        """Each van has two ONT-A; a need for this model only."""
        need = {"required_equipment": (EquipmentNeed(role="ONT", skus=(ONT_A,)),)}
        only_ana(world)
        tomorrow = DAY + timedelta(days=1)
        for _ in range(2):
            an_order(
                world, requirements=need, window_start=at(9, day=tomorrow), window_end=at(15, day=tomorrow)
            )
        assert plan(world, day=tomorrow).planned == 2
        wanting = an_order(world, requirements=need)
        assert codes(plan(world)) == {wanting.number: "parts"}

    def test_its_own_promises_are_made_anew(self, world: World):
        need = {"required_equipment": (EquipmentNeed(role="ONT", skus=(ONT_A,)),)}
        only_ana(world)
        jobs = [an_order(world, requirements=need) for _ in range(2)]
        assert plan(world).planned == plan(world).planned == 2
        with world.database.read() as session:
            held = session.scalar(
                select(func.sum(ReservationRow.quantity)).where(ReservationRow.released_at.is_(None))
            )
        assert held == len(jobs)

    def test_one_device_cannot_serve_two_jobs_that_would_both_take_it(self, world: World):
        """Ana has two ONT-A and one ONT-B: three of these four can be done."""
        only_ana(world, shift_end_minute=20 * 60)
        for skus in ((ONT_A,), (ONT_A, ONT_B), (ONT_A, ONT_B), (ONT_B,)):
            an_order(world, requirements={"required_equipment": (EquipmentNeed(role="ONT", skus=skus),)})
        outcome = plan(world)
        assert outcome.planned == 3
        assert [code for _, code, _ in outcome.unassigned] == ["day_full"]


class TestPlanningWhileTheDayRuns:
    """Ana alone, 08:00 to 13:00 without lunch, all jobs at one address 2 minutes away."""

    @pytest.fixture
    def day(self, world: World) -> World:
        only_ana(world, shift_end_minute=13 * 60, lunch_from_minute=None, lunch_until_minute=None)
        return world

    def begin(self, world: World, job: Job, start: datetime, close: datetime | None = None) -> None:
        closing = {"state": WorkOrderState.COMPLETED, "finished_at": close} if close else {}
        change(
            world, job,
            **{
                "state": WorkOrderState.ON_SITE, "technician_id": world.ana.technician_id,
                "travel_started_at": start - timedelta(minutes=5), "arrived_at": start, **closing,
            },
        )  # fmt: skip

    def test_a_visit_under_way_stays_as_it_is(self, day: World):
        job, next_job = an_order(day), an_order(day)
        self.begin(day, job, at(8, 10))
        before = day.work_order(job)
        outcome = plan(day, now=at(8, 30))
        assert (outcome.figures["begun"], outcome.planned) == (1, 1)
        assert day.work_order(job) == before
        assert day.work_order(next_job).planned_start == at(9, 40)

    def test_a_visit_that_overruns_ends_now_at_the_earliest(self, day: World):
        job, next_job = an_order(day), an_order(day)
        self.begin(day, job, at(8, 10))
        plan(day, now=at(10, 15))
        assert day.work_order(next_job).planned_start == at(10, 15)

    def test_overtime_lets_in_what_would_be_over_a_little_late(self, day: World):
        running, waiting = an_order(day), an_order(day, expected_minutes=200)
        self.begin(day, running, at(8, 10))  # until 09:40; home again at 13:02
        change_technician(day, day.ana.technician_id, overtime_minutes=1)
        assert codes(plan(day, now=at(9))) == {waiting.number: "time"}
        change_technician(day, day.ana.technician_id, overtime_minutes=2)
        outcome = plan(day, now=at(9))
        assert (outcome.unassigned, outcome.planned) == ((), 1)
        assert outcome.figures["cost_minor"]["overtime"] == 300  # two minutes

    def test_minutes_freed_by_an_early_close_let_another_job_in(self, day: World):
        """Taken until 09:40, 200 minutes more end at 13:00, too late to be back. Closed at 09:10 they fit."""
        running, waiting = an_order(day), an_order(day, expected_minutes=200)
        self.begin(day, running, at(8, 10))
        assert codes(plan(day, now=at(9))) == {waiting.number: "time"}
        self.begin(day, running, at(8, 10), close=at(9, 10))
        outcome = plan(day, now=at(9, 12))
        assert (outcome.unassigned, outcome.planned) == ((), 1)
        assert day.work_order(waiting).planned_start == at(9, 12)

    def test_a_late_close_takes_a_job_away_and_says_so(self, day: World):
        running, waiting = an_order(day), an_order(day, expected_minutes=180)
        self.begin(day, running, at(8, 10))
        assert plan(day, now=at(9)).planned == 1
        assert day.work_order(waiting).state is WorkOrderState.ASSIGNED
        self.begin(day, running, at(8, 10), close=at(10, 30))
        assert codes(plan(day, now=at(10, 31))) == {waiting.number: "time"}
        order = day.work_order(waiting)
        assert (order.state, order.technician_id) == (WorkOrderState.UNASSIGNED, None)
        assert order.former_technician_ids == {day.ana.technician_id}

    def test_nothing_starts_in_the_past(self, day: World):
        job = an_order(day)
        plan(day, now=at(9))
        assert day.work_order(job).planned_start >= at(9)

    def test_who_is_on_the_way_arrives_first(self, day: World):
        going, later = an_order(day, travel_minutes=20), an_order(day)
        change(
            day, going, state=WorkOrderState.TRAVELLING, technician_id=day.ana.technician_id,
            travel_started_at=at(9),
        )  # fmt: skip
        plan(day, now=at(9, 5))
        assert day.work_order(later).planned_start == at(9, 20) + timedelta(minutes=90)

    def test_parts_of_a_visit_under_way_are_spoken_for(self, day: World):
        need = {"required_parts": (PartLine(sku=CABLE, quantity=150),)}
        running, waiting = an_order(day, requirements=need), an_order(day, requirements=need)
        self.begin(day, running, at(8, 10))
        outcome = plan(day, now=at(8, 30))
        assert codes(outcome) == {waiting.number: "parts"}

    def test_overdue_work_is_done_rather_than_dropped(self, day: World):
        job = an_order(day, priority=4, sla_due_at=at(8, day=DAY - timedelta(days=9)))
        assert plan(day).planned == 1
        assert day.work_order(job).state is WorkOrderState.ASSIGNED


class TestLunch:
    def test_a_lunch_that_has_begun_is_not_given_again(self, world: World):
        only_ana(world)
        for _ in range(4):
            an_order(world)
        plan(world)
        ana = str(world.ana.technician_id)
        begun = world.row(DayPlanRow).lunches[ana]
        now = datetime(2026, 11, 15, 22, 0, tzinfo=UTC) + timedelta(minutes=begun + 10)
        plan(world, now=now)
        newest = world.rows(DayPlanRow)[-1]
        assert newest.lunches[ana] == begun
        starts = [order.planned_start for order in assigned(world)]
        assert min(starts) >= now + timedelta(minutes=20)


def assigned(world: World) -> list[WorkOrder]:
    from server.work_orders.repository import find

    with world.database.read() as session:
        return find(session, WorkOrderRow.state == WorkOrderState.ASSIGNED)


class TestTheDayTheClocksChange:
    @pytest.mark.parametrize(
        ("day", "eight"),
        [
            (date(2027, 3, 28), datetime(2027, 3, 28, 5, 0, tzinfo=UTC)),
            (date(2026, 10, 25), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),
        ],
    )
    def test_the_shift_starts_at_eight_by_the_clock_on_the_wall(
        self, database_url: str, day: date, eight: datetime
    ):
        with a_world(database_url) as world:
            job = an_order(world)
            first = an_order(
                world, window_start=eight + timedelta(hours=2), window_end=eight + timedelta(hours=3)
            )
            plan(world, now=eight - timedelta(days=1), day=day)
            assert eight < world.work_order(job).planned_start < eight + timedelta(hours=8)
            assert world.work_order(first).planned_start >= eight + timedelta(hours=2)
            assert all(660 <= minute <= 780 for minute in world.row(DayPlanRow).lunches.values())


class TestWhatHappensWhileItThinks:
    def thinking(self, monkeypatch: pytest.MonkeyPatch, meanwhile: Any) -> None:
        """Let `meanwhile` happen once, after the real scheduler has answered and before it is booked."""
        waiting = [meanwhile]
        real = planner.think

        def think(*arguments: Any, **options: Any) -> Any:
            answer = real(*arguments, **options)
            if waiting:
                waiting.pop()()
            return answer

        monkeypatch.setattr(planner, "think", think)

    def test_an_order_cancelled_meanwhile_is_skipped(self, world: World, monkeypatch: pytest.MonkeyPatch):
        gone, kept = an_order(world), an_order(world)
        cancel = CancelWorkOrder(work_order_id=gone.id, reason="moved house")
        self.thinking(
            monkeypatch, lambda: office.run(world.database, world.settings, cancel, "Dora Dispatcher")
        )
        outcome = plan(world)
        assert (outcome.skipped, outcome.planned, outcome.changed) == ((gone.number,), 1, 1)
        assert world.work_order(gone).state is WorkOrderState.CANCELLED
        assert world.work_order(kept).state is WorkOrderState.ASSIGNED

    def test_an_order_moved_by_hand_meanwhile_stays_there(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        job = an_order(world)
        by_hand = AssignWorkOrder(
            work_order_id=job.id, technician_id=world.ben.technician_id, planned_start=at(15),
            planned_end=at(16),
        )  # fmt: skip
        self.thinking(monkeypatch, lambda: office.run(world.database, world.settings, by_hand, "Dora"))
        assert plan(world).skipped == (job.number,)
        order = world.work_order(job)
        assert (order.technician_id, order.planned_start) == (world.ben.technician_id, at(15))

    def test_an_order_started_meanwhile_goes_on(self, world: World, monkeypatch: pytest.MonkeyPatch):
        only_ana(world)
        job = an_order(world)
        plan(world)
        started = world.visit(job)[:1]
        # By then Ana can't be back in time: the plan would take the job away.
        change_technician(world, world.ana.technician_id, shift_end_minute=600)
        self.thinking(monkeypatch, lambda: world.ana.send(*started))
        outcome = plan(world, now=at(9, 55))
        assert (outcome.skipped, outcome.unassigned) == ((job.number,), ())
        assert world.work_order(job).state is WorkOrderState.TRAVELLING

    def test_a_day_planned_by_somebody_else_meanwhile_is_planned_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        an_order(world)
        said: list[str] = []
        late_order: list[Job] = []

        def somebody_else() -> None:
            plan(world)
            late_order.append(an_order(world))

        self.thinking(monkeypatch, somebody_else)
        outcome = plan(world, say=said.append)
        assert "Somebody else has planned the day meanwhile; planning again from there" in said
        assert (outcome.figures["work_orders"], outcome.changed) == (2, 1)
        assert world.work_order(late_order[0]).state is WorkOrderState.ASSIGNED

    def test_two_planners_at_once_leave_one_sound_day(self, world: World):
        jobs = [an_order(world) for _ in range(8)]
        together = Barrier(2)

        def run(seed: int) -> PlanOutcome:
            together.wait(10)
            return plan(world, seconds=1, seed=seed)

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(run, (1, 2)))
        assert all(outcome.planned + len(outcome.unassigned) == 8 for outcome in outcomes)
        assert overlaps(world) == []
        held = world.rows(ReservationRow, ReservationRow.released_at.is_(None))
        assert len({row.work_order_id for row in held}) == len(held)
        with world.database.read() as session:
            newest = planner_in_force(session)
        states = [world.work_order(job).state for job in jobs]
        assert states.count(WorkOrderState.ASSIGNED) == newest.figures["planned"]


assert MONDAY.date() == DAY
