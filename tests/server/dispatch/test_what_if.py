"""What if: plans of a day with changes, set beside the plan in force, applied to a day that has moved on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from planned_day import DAWN, DAY, an_order, at, change, change_technician
from sqlalchemy import select
from world import Job, World, a_world

from scheduler.request import Weights
from server import office
from server.clock import mint
from server.db.feed_models import CommandRow
from server.dispatch import applying, plan_booking, saved_plans
from server.dispatch.applying import Applied, apply_saved
from server.dispatch.models import DayPlanRow, PlanOverrideRow, PlanRecordRow, SavedPlanRow
from server.dispatch.plan_records import open_record, verify
from server.dispatch.planner import plan_day
from server.dispatch.saved_plans import Side, compare, save
from server.dispatch.thinking import Effort
from server.dispatch.what_if import (
    OrderAdded,
    OrderBrought,
    OrderMoved,
    OrderRemoved,
    ShiftChanged,
    TechnicianAdded,
    TechnicianOff,
    WeightChanged,
    from_json,
    reweighed,
    to_json,
)
from server.work_orders.models import WorkOrderRow
from shared.commands import AssignWorkOrder, CancelWorkOrder
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.work_orders import WorkOrderState

QUICK = Effort(threads=1)
ANA, BEN = "Ana Virtanen", "Ben Korhonen"


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana and Ben from 8 to 16; no work yet."""
    with a_world(database_url) as world:
        yield world


def try_out(world: World, *changes: Any, name: str = "What if", effort: Effort = QUICK) -> UUID:
    made = save(
        world.database, world.settings, DAY, name, changes, effort, by="Marja", now=DAWN
    )  # fmt: skip
    return made.id


def plan(world: World) -> Any:
    return plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)


def sides(world: World, *ids: UUID) -> tuple[Side, ...]:
    return compare(world.database, world.settings, DAY, ids, DAWN).sides


def apply(world: World, saved: UUID, now: Any = DAWN) -> Applied:
    return apply_saved(world.database, world.settings, saved, by="Marja", now=now)


def became(applied: Applied) -> dict[str, str]:
    return {one.number: one.became for one in applied.moves}


def stands(world: World, job: Job) -> tuple[Any, ...]:
    order = world.work_order(job)
    return order.state, order.technician_id, order.planned_start


def assign(world: World, job: Job, technician: UUID, start: Any) -> None:
    command = AssignWorkOrder(
        work_order_id=job.id,
        technician_id=technician,
        planned_start=start,
        planned_end=start + timedelta(minutes=90),
        travel_minutes=10,
        route_position=0,
    )
    office.run(world.database, world.settings, command, "Dora")


class TestTrying:
    def test_moves_nothing_and_keeps_all_it_was_made_of(self, world: World):
        job = an_order(world)
        before = world.contents()["work_order"]
        saved = try_out(world, TechnicianOff(technician_id=world.ana.technician_id), name=" Ana  ill ")
        assert world.contents()["work_order"] == before
        assert (world.rows(CommandRow), world.rows(DayPlanRow)) == ([], [])
        row = world.row(SavedPlanRow)
        assert (row.id, row.day, row.name, row.made_by) == (saved, DAY, "Ana ill", "Marja")
        assert row.words == [f"{ANA} is off"]
        with world.database.read() as session:
            record = open_record(session, row.record_id)
        assert [person.id for person in record.asked.technicians] == [BEN]
        assert [(who, visit.job_id) for who, visit in record.plan.visits()] == [(BEN, job.number)]

    def test_can_be_made_again_byte_for_byte(self, world: World):
        for _ in range(3):
            an_order(world)
        try_out(world, effort=Effort(rounds=200, threads=1, seed=4))
        assert verify(world.database, world.row(SavedPlanRow).record_id).verdict == "same"

    def test_any_number_are_kept_newest_first_until_they_are_deleted(self, world: World):
        an_order(world)
        ids = [try_out(world, name=f"Number {n}") for n in range(3)]
        with world.database.write() as session:
            assert [one.id for one in saved_plans.saved(session, DAY)] == ids[::-1]
            saved_plans.delete(session, ids[1])
        with world.database.read() as session:
            assert [one.name for one in saved_plans.saved(session, DAY)] == ["Number 2", "Number 0"]
            with pytest.raises(NotFound):
                saved_plans.opened(session, ids[1])
        assert len(world.rows(PlanRecordRow)) == 2

    def test_without_a_name_or_anything_to_plan_it_is_refused(self, world: World):
        with pytest.raises(BadValue, match="nothing to plan"):
            try_out(world)
        an_order(world)
        with pytest.raises(BadValue, match="Give it a name"):
            try_out(world, name="  ")
        off = [TechnicianOff(technician_id=phone.technician_id) for phone in world.phones]
        with pytest.raises(BadValue, match="nobody works"):
            try_out(world, *off)
        assert world.rows(SavedPlanRow) == []


class TestChanges:
    def asked(self, world: World, *changes: Any) -> Any:
        saved = try_out(world, *changes)
        with world.database.read() as session:
            row = session.get_one(SavedPlanRow, saved)
            return open_record(session, row.record_id)

    def test_another_shift(self, world: World):
        an_order(world)
        ben = world.ben.technician_id
        asked = self.asked(world, ShiftChanged(technician_id=ben, start_minute=600, end_minute=1200)).asked
        assert [(t.shift_start, t.shift_end) for t in asked.technicians] == [(480, 960), (600, 1200)]

    def test_one_more_technician_can_and_carries_what_the_other_does(self, world: World):
        job = an_order(world)
        asked = self.asked(world, TechnicianAdded(name="Cai", like=world.ana.technician_id, id=mint())).asked
        ana, ben, cai = asked.technicians
        assert (ana.id, ben.id, cai.id) == (ANA, BEN, "Cai")
        assert replace(cai, id=ANA) == ana
        assert job.number in {j.id for j in asked.jobs}

    def test_one_more_job_that_is_only_imagined(self, world: World):
        job = an_order(world)
        more = OrderAdded(like=job.id, number="IF-1", id=mint(), minutes=45, priority=1)
        asked = self.asked(world, more).asked
        found = {j.id: j for j in asked.jobs}
        assert (found["IF-1"].minutes, found["IF-1"].priority) == (45, 1)
        assert found["IF-1"].place == found[job.number].place

    def test_a_job_less_and_a_job_of_another_day(self, world: World):
        tomorrow = DAY + timedelta(days=1)
        gone = an_order(world)
        other = an_order(world, window_start=at(9, day=tomorrow), window_end=at(11, day=tomorrow))
        asked = self.asked(
            world, OrderRemoved(work_order_id=gone.id), OrderBrought(work_order_id=other.id)
        ).asked
        assert [job.id for job in asked.jobs] == [other.number]

    def test_a_job_that_goes_to_somebody_at_a_time(self, world: World):
        job = an_order(world)
        ben = world.ben.technician_id
        record = self.asked(world, OrderMoved(work_order_id=job.id, technician_id=ben, start=at(13)))
        assert [(who, v.job_id, v.start) for who, v in record.plan.visits()] == [(BEN, job.number, 13 * 60)]

    def test_another_weight(self, world: World):
        an_order(world)
        asked = self.asked(world, WeightChanged(weight="drive_km", cents=77)).asked
        assert asked.weights == Weights(drive_km=77)

    def test_overdue_work_is_weighed_anew(self, world: World):
        late = an_order(world, priority=4, sla_due_at=at(8))  # eight hours late if it is left undone
        asked = self.asked(world, WeightChanged(weight="late_minute", cents=7)).asked
        assert [(j.id, j.drop_cost) for j in asked.jobs] == [(late.number, 40_000 + 480 * 7)]
        assert reweighed(asked, Weights()).jobs[0].drop_cost == 40_000 + 480 * 100

    @pytest.mark.parametrize(
        ("made", "sentence"),
        [
            (lambda w, j: TechnicianOff(technician_id=mint()), "no such technician"),
            (lambda w, j: OrderRemoved(work_order_id=mint()), "no such work order"),
            (
                lambda w, j: ShiftChanged(technician_id=w.ana.technician_id, start_minute=9, end_minute=9),
                "ends after it starts",
            ),
            (lambda w, j: OrderAdded(like=j.id, number=j.number, id=mint()), "already"),
            (lambda w, j: OrderAdded(like=j.id, number="IF", id=mint(), minutes=0), "between a minute"),
            (lambda w, j: WeightChanged(weight="drive_km", cents=-1), "weights.drive_km"),
            (lambda w, j: TechnicianAdded(name="C", like=w.ana.technician_id, id=j.id), "this id already"),
            (lambda w, j: OrderAdded(like=j.id, number="IF", id=w.ben.technician_id), "this id already"),
        ],
    )
    def test_that_cannot_be_made_are_refused_and_nothing_is_kept(
        self, world: World, made: Any, sentence: str
    ):
        job = an_order(world)
        with pytest.raises(BadValue, match=sentence):
            try_out(world, made(world, job))
        assert world.rows(SavedPlanRow) == []

    def test_keep_no_name_that_a_database_cannot(self, world: World):
        an_order(world)
        more = TechnicianAdded(name=" C\x00ai \ud800 ", like=world.ana.technician_id, id=mint())
        try_out(world, more, name="If\x00 Cai")
        row = world.row(SavedPlanRow)
        assert (row.name, row.words) == ("If Cai", [f"C ai ? works too, like {ANA}"])

    def test_come_back_out_of_the_database_as_they_went_in(self, world: World):
        job = an_order(world)
        changes = [
            OrderMoved(work_order_id=job.id, technician_id=world.ben.technician_id, start=at(13)),
            WeightChanged(weight="late_minute", cents=3),
        ]
        try_out(world, *changes)
        assert from_json(world.row(SavedPlanRow).changes) == changes == from_json(to_json(changes))


class TestSideBySide:
    def test_the_plan_in_force_comes_first_with_what_it_comes_to(self, world: World):
        jobs = [an_order(world) for _ in range(3)]
        outcome = plan(world)
        (now,) = sides(world)
        assert (now.id, now.name, now.visits, now.moved) == (None, "In force", len(jobs), ())
        assert now.travel_minutes == outcome.figures["travel_minutes"]
        assert now.cost_minor["travel"] == outcome.figures["cost_minor"]["travel"]
        assert (now.unassigned, now.promises_broken, now.compensation_minor) == ((0, 0, 0, 0), (), None)

    def test_a_plan_without_ana_moves_her_jobs_and_says_who_has_to_be_told(self, world: World):
        jobs = [an_order(world, window_start=at(9), window_end=at(9, 30)) for _ in range(2)]
        plan(world)
        (anas,) = [job for job in jobs if world.work_order(job).technician_id == world.ana.technician_id]
        change(world, anas, priority=4)
        saved = try_out(world, TechnicianOff(technician_id=world.ana.technician_id))
        _, without = sides(world, saved)
        moved = {one.number: one for one in without.moved}
        before = moved[anas.number].before
        assert before and (before.technician, before.start) == (ANA, world.work_order(anas).planned_start)
        assert (moved[anas.number].after, moved[anas.number].told_again) == (None, True)
        assert (without.visits, without.unassigned, without.told_again) == (1, (0, 0, 0, 1), 1)
        assert without.promises_broken == (anas.number,)

    def test_plans_with_other_weights_are_priced_by_the_usual_ones(self, world: World):
        an_order(world)
        plan(world)
        saved = try_out(world, WeightChanged(weight="drive_hour", cents=600_000))
        now, other = sides(world, saved)
        assert other.cost_minor == now.cost_minor

    def test_a_promise_that_a_plan_breaks_is_named(self, world: World):
        job = an_order(world, window_start=at(9), window_end=at(10))
        plan(world)
        with world.database.write() as session:
            row = session.get_one(WorkOrderRow, job.id)
            row.planned_start, row.planned_end = at(12), at(13, 30)
        (now,) = sides(world)
        assert now.promises_broken == (job.number,)

    def test_what_has_come_in_since_is_named(self, world: World):
        an_order(world)
        saved = try_out(world)
        new = an_order(world)
        assert sides(world, saved)[1].came_since == (new.number,)

    def test_what_is_only_imagined_is_said_to_be(self, world: World):
        job = an_order(world)
        plan(world)
        saved = try_out(world, OrderAdded(like=job.id, number="IF-1", id=mint()))
        found = {one.number: one for one in sides(world, saved)[1].moved}
        assert (found["IF-1"].imagined, found["IF-1"].before, found["IF-1"].told_again) == (True, None, False)

    def test_a_job_that_would_not_be_done_is_one_to_tell(self, world: World):
        job = an_order(world)
        plan(world)
        an_order(world)
        saved = try_out(world, OrderRemoved(work_order_id=job.id))
        found = {one.number: one for one in sides(world, saved)[1].moved}
        assert (found[job.number].after, found[job.number].told_again) == (None, True)


class TestApplying:
    def test_books_every_move_as_one_plan_that_is_in_force_then(self, world: World):
        jobs = [an_order(world) for _ in range(4)]
        plan(world)
        saved = try_out(world, TechnicianOff(technician_id=world.ana.technician_id), name="Ana ill")
        wanted = {one.number: one.after for one in sides(world, saved)[1].moved}
        applied = apply(world, saved)
        assert set(became(applied).values()) <= {"applied", "already so"}
        assert applied.applied == len(wanted) > 0
        for job in jobs:
            if job.number in wanted:
                spot = wanted[job.number]
                expected = (
                    (WorkOrderState.ASSIGNED, spot.technician_id, spot.start)
                    if spot
                    else (WorkOrderState.UNASSIGNED, None, None)
                )
                assert stands(world, job)[: 3 if spot else 2] == expected[: 3 if spot else 2]
        assert sides(world)[0].visits == 4 - sum(spot is None for spot in wanted.values())
        row = world.rows(DayPlanRow)[-1]
        assert (row.id, row.figures["saved_plan"]) == (applied.outcome.id, "Ana ill")
        kept = world.row(SavedPlanRow)
        assert (kept.applied_by, kept.applied_at) == ("Marja", DAWN)
        assert {one["number"]: one["became"] for one in kept.outcome} == became(applied)
        assert verify(world.database, row.record_id).verdict == "not repeatable"

    def test_says_why_on_the_orders_it_moved_and_leaves_the_others_reason(self, world: World):
        stays, moves = an_order(world), an_order(world)
        plan(world)
        before = world.row(WorkOrderRow, WorkOrderRow.id == stays.id).why
        change_by = OrderMoved(work_order_id=moves.id, technician_id=world.ben.technician_id, start=at(14))
        keep = world.work_order(stays)
        stay = OrderMoved(work_order_id=stays.id, technician_id=keep.technician_id, start=keep.planned_start)
        apply(world, try_out(world, change_by, stay, name="Later"))
        why = world.row(WorkOrderRow, WorkOrderRow.id == moves.id).why
        assert why == {"sentence": "From the saved plan “Later”, applied by Marja"}
        assert world.row(WorkOrderRow, WorkOrderRow.id == stays.id).why == before

    def test_a_second_time_is_refused(self, world: World):
        an_order(world)
        saved = try_out(world)
        apply(world, saved)
        before = world.contents()
        with pytest.raises(AlreadyClosed, match="Marja has applied it already"):
            apply(world, saved)
        assert world.contents() == before

    def test_what_somebody_moved_meanwhile_stays_and_the_rest_is_applied(self, world: World):
        touched, other = an_order(world), an_order(world)
        saved = try_out(world)
        assign(world, touched, world.ben.technician_id, at(14))
        applied = apply(world, saved)
        assert became(applied) == {touched.number: "no longer possible", other.number: "applied"}
        reason = next(one.reason for one in applied.moves if one.number == touched.number)
        assert reason == f"somebody has moved it meanwhile: {BEN} has it at 14:00"
        assert stands(world, touched) == (WorkOrderState.ASSIGNED, world.ben.technician_id, at(14))
        assert world.work_order(other).state is WorkOrderState.ASSIGNED

    def test_what_is_over_begun_or_cancelled_is_left_alone(self, world: World):
        begun, cancelled, rest = an_order(world), an_order(world), an_order(world)
        saved = try_out(world)
        change(
            world, begun, state=WorkOrderState.ON_SITE, technician_id=world.ben.technician_id,
            travel_started_at=DAWN, arrived_at=DAWN,
        )  # fmt: skip
        cancel = CancelWorkOrder(work_order_id=cancelled.id, reason="moved away")
        office.run(world.database, world.settings, cancel, "Dora")
        applied = apply(world, saved)
        reasons = {one.number: one.reason for one in applied.moves}
        assert reasons[begun.number] == f"{BEN} has begun it"
        assert reasons[cancelled.number] == "it is cancelled"
        assert became(applied)[rest.number] == "applied"

    def test_a_move_that_is_so_already_says_so(self, world: World):
        an_order(world)
        saved = try_out(world)
        plan(world)  # the same plan, for it is the same day
        applied = apply(world, saved)
        assert set(became(applied).values()) == {"already so"}
        assert applied.outcome.changed == 0

    def test_what_was_only_imagined_is_not_booked(self, world: World):
        job = an_order(world)
        cai = TechnicianAdded(name="Cai", like=world.ana.technician_id, id=mint())
        saved = try_out(
            world,
            cai,
            OrderMoved(work_order_id=job.id, technician_id=cai.id),
            OrderAdded(like=job.id, number="IF-1", id=mint()),
        )
        reasons = {one.number: one.reason for one in apply(world, saved).moves}
        assert reasons == {job.number: "Cai does not work on this day", "IF-1": "it is only imagined"}
        assert world.work_order(job).state is WorkOrderState.UNASSIGNED

    def test_who_has_lost_a_skill_or_the_day_is_not_sent(self, world: World):
        job = an_order(world)
        saved = try_out(world, TechnicianOff(technician_id=world.ben.technician_id))
        change_technician(world, world.ana.technician_id, shift_end_minute=8 * 60 + 30)
        applied = apply(world, saved)
        assert became(applied) == {job.number: "no longer possible"}
        assert "shift ends 08:30" in applied.moves[0].reason
        assert world.work_order(job).state is WorkOrderState.UNASSIGNED

    def test_a_time_that_is_over_is_not_booked(self, world: World):
        job = an_order(world)
        saved = try_out(world)
        start = sides(world, saved)[1].moved[0].after.start
        applied = apply(world, saved, now=start + timedelta(minutes=5))
        assert [(one.became, one.reason) for one in applied.moves] == [
            ("no longer possible", "that time is over")
        ]
        assert world.work_order(job).state is WorkOrderState.UNASSIGNED

    def test_a_move_into_a_place_that_is_taken_by_now_is_left_out(self, world: World):
        change_technician(world, world.ben.technician_id, active=False)
        job = an_order(world)
        saved = try_out(world)
        start = sides(world, saved)[1].moved[0].after.start
        new = an_order(world)
        assign(world, new, world.ana.technician_id, start + timedelta(minutes=30))
        applied = apply(world, saved)
        assert became(applied) == {job.number: "no longer possible"}
        assert applied.moves[0].reason
        assert stands(world, new) == (
            WorkOrderState.ASSIGNED, world.ana.technician_id, start + timedelta(minutes=30),
        )  # fmt: skip

    def test_what_happens_in_the_moment_of_booking_is_looked_at_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        touched, other = an_order(world), an_order(world)
        saved = try_out(world)
        real, times = plan_booking.book, []

        def book(*arguments: Any) -> Any:
            if not times:
                assign(world, touched, world.ben.technician_id, at(14))
            times.append(1)
            return real(*arguments)

        monkeypatch.setattr(applying, "book", book)
        applied = apply(world, saved)
        assert len(times) == 2
        assert became(applied) == {touched.number: "no longer possible", other.number: "applied"}
        assert stands(world, touched) == (WorkOrderState.ASSIGNED, world.ben.technician_id, at(14))

    def test_nothing_is_booked_when_something_fails_half_way(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        for _ in range(3):
            an_order(world)
        saved = try_out(world)
        before = world.contents()

        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(plan_booking.feed, "append", broken)
        with pytest.raises(RuntimeError, match="disk"):
            apply(world, saved)
        assert world.contents() == before

    def test_what_a_person_decided_within_it_is_pinned_then(self, world: World):
        job = an_order(world)
        ben = world.ben.technician_id
        saved = try_out(world, OrderMoved(work_order_id=job.id, technician_id=ben, start=at(13)), name="Late")
        apply(world, saved)
        plan(world)
        assert stands(world, job) == (WorkOrderState.ASSIGNED, ben, at(13))
        assert world.row(PlanOverrideRow).note == "saved plan “Late”"

    def test_an_order_of_another_day_is_brought_here(self, world: World):
        tomorrow = DAY + timedelta(days=1)
        job = an_order(world)
        change(
            world, job, state=WorkOrderState.ASSIGNED, technician_id=world.ana.technician_id,
            planned_start=at(9, day=tomorrow), planned_end=at(10, 30, day=tomorrow),
        )  # fmt: skip
        saved = try_out(world, OrderBrought(work_order_id=job.id))
        assert apply(world, saved).applied == 1
        assert world.work_order(job).planned_start.date() == DAY


def test_everything_in_the_list_of_a_day_is_of_that_day(world: World):
    an_order(world)
    saved = try_out(world)
    with pytest.raises(BadValue, match="no such saved plan of this day"):
        compare(world.database, world.settings, DAY + timedelta(days=1), [saved], DAWN)
    with world.database.read() as session:
        assert saved_plans.saved(session, DAY + timedelta(days=1)) == []
        names: Sequence[str] = session.scalars(select(SavedPlanRow.name)).all()
    assert names == ["What if"]
