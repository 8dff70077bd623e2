"""What people decide against the plan: kept with reason and cost, and pinned until somebody releases it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from console_day import Console, a_console
from planned_day import DAWN, DAY, an_order, at, change, change_technician
from world import CABLE, Job, World, a_world

from scheduler.request import COST_MAX, Window
from scheduler.request import Job as AskedJob
from server.dispatch import moves, overrides
from server.dispatch.insertions import find_insertions
from server.dispatch.models import DayPlanRow, PlanOverrideRow
from server.dispatch.overrides import NO_REASON, Override, Why, act, of_day
from server.dispatch.pins import pinned
from server.dispatch.planner import PlanOutcome, plan_day
from server.work_orders.models import WorkOrderRow
from shared.commands import RescheduleWorkOrder, UnassignWorkOrder
from shared.problems import AlreadyClosed, BadValue, NotFound
from shared.skills import SkillNeed
from shared.work_orders import PartLine, WorkOrderState

ANA, BEN = "Ana Virtanen", "Ben Korhonen"


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as world:
        yield world


def plan(world: World, now: Any = DAWN, day: Any = DAY) -> PlanOutcome:
    return plan_day(world.database, world.settings, day, seconds=0, now=now)


def move(
    world: World, job: Job, technician: UUID, start: Any, why: Why = NO_REASON, **more: Any
) -> UUID | None:
    with world.database.read() as session:
        command = moves.assignment(session, job.id, technician, start)
    return act(world.database, world.settings, command, by="Marja", now=DAWN, why=why, **more)


def take_off(world: World, job: Job, **more: Any) -> UUID | None:
    command = UnassignWorkOrder(work_order_id=job.id)
    return act(world.database, world.settings, command, by="Marja", now=DAWN, **more)


def listed(world: World) -> list[Override]:
    with world.database.read() as session:
        return of_day(session, DAY)


def who_and_when(world: World, job: Job) -> tuple[Any, ...]:
    order = world.work_order(job)
    return order.technician_id, order.planned_start


class TestMovingByHand:
    def test_keeps_who_when_why_what_the_plan_wanted_and_what_it_costs(self, world: World):
        job = an_order(world)
        plan(world)
        technician, start = who_and_when(world, job)
        other = world.ben if technician == world.ana.technician_id else world.ana
        move(world, job, other.technician_id, at(14), Why(reason="customer_asked", note=" works  at night "))
        (kept,) = listed(world)
        assert (kept.number, kept.made_by, kept.made_at, kept.day) == (job.number, "Marja", DAWN, DAY)
        assert (kept.technician, kept.start) == (other.name, at(14))
        assert kept.wanted["technician_id"] == str(technician)
        assert kept.wanted["start"] == start.isoformat()
        assert kept.words == "Pinned by Marja: customer asked, works at night"
        later = (at(14) - start) // timedelta(minutes=1)
        assert kept.cost_minor["later"] == later * 20
        assert kept.cost_minor["moved"] == 2_000
        assert kept.cost_minor["total"] == sum(v for k, v in kept.cost_minor.items() if k != "total")
        assert (kept.pinned, kept.breaks, kept.released_at) == (True, (), None)

    def test_a_job_that_the_plan_left_out_saves_what_that_cost(self, world: World):
        job = an_order(world, requirements={"required_skills": (SkillNeed("copper", 4),)})
        plan(world)
        move(world, job, world.ana.technician_id, at(9))
        (kept,) = listed(world)
        assert kept.wanted == {"left_out": "nobody has copper level 4: the best has none"}
        assert kept.cost_minor["unserved"] == -80_000
        assert kept.breaks[0].endswith(f"needs copper level 4, {ANA} has 0")

    def test_without_a_plan_it_is_kept_all_the_same(self, world: World):
        job = an_order(world)
        move(world, job, world.ana.technician_id, at(9))
        assert [(one.wanted, one.pinned) for one in listed(world)] == [({}, True)]

    def test_back_to_where_the_plan_wanted_it_is_no_decision_against_it(self, world: World):
        job = an_order(world)
        plan(world)
        technician, start = who_and_when(world, job)
        move(world, job, technician, at(14))
        assert move(world, job, technician, start) is None
        (kept,) = listed(world)
        assert (kept.pinned, kept.released_by, kept.released_why) == (False, "Marja", "decided anew")

    def test_a_second_decision_takes_the_place_of_the_first_and_knows_what_the_plan_wanted(
        self, world: World
    ):
        job = an_order(world)
        plan(world)
        _, start = who_and_when(world, job)
        move(world, job, world.ana.technician_id, at(14))
        plan(world)
        move(world, job, world.ben.technician_id, at(12))
        newest, first = listed(world)
        assert (newest.pinned, first.pinned) == (True, False)
        assert newest.wanted == first.wanted
        assert newest.wanted["start"] == start.isoformat()

    def test_a_refused_move_keeps_nothing(self, world: World):
        job = an_order(world)
        plan(world)
        change(world, job, state=WorkOrderState.COMPLETED, finished_at=DAWN)
        before = world.contents()
        with pytest.raises(AlreadyClosed):
            move(world, job, world.ben.technician_id, at(14))
        with pytest.raises(BadValue, match="Choose one of customer_asked"):
            move(world, job, world.ben.technician_id, at(14), Why(reason="felt like it"))
        with pytest.raises(NotFound):
            act(
                world.database, world.settings, UnassignWorkOrder(work_order_id=world.ana.technician_id),
                by="Marja", now=DAWN,
            )  # fmt: skip
        assert world.contents() == before

    def test_a_day_that_is_over_keeps_nothing(self, world: World):
        job = an_order(world)
        assert move(world, job, world.ben.technician_id, at(9) - timedelta(days=2)) is None
        assert world.rows(PlanOverrideRow) == []


class TestALaterPlan:
    def test_does_not_undo_it_and_says_whose_it_is(self, world: World):
        jobs = [an_order(world) for _ in range(3)]
        plan(world)
        move(world, jobs[0], world.ben.technician_id, at(14), Why(reason="customer_asked"))
        outcome = plan(world)
        assert who_and_when(world, jobs[0]) == (world.ben.technician_id, at(14))
        assert outcome.figures["pinned"] == [f"{jobs[0].number}: Pinned by Marja: customer asked"]
        why = world.row(WorkOrderRow, WorkOrderRow.id == jobs[0].id).why
        assert why["sentence"].startswith("Pinned by Marja: customer asked. ")

    def test_undoes_it_once_it_is_released(self, world: World):
        job = an_order(world)
        plan(world)
        wanted = who_and_when(world, job)
        kept = move(world, job, wanted[0], at(14, 30))
        assert kept
        plan(world)
        assert who_and_when(world, job) == (wanted[0], at(14, 30))
        with world.database.write() as session:
            overrides.release(session, kept, by="Tuula", now=DAWN)
            with pytest.raises(AlreadyClosed, match="Tuula has released it already"):
                overrides.release(session, kept, by="Marja", now=DAWN)
        change(world, job, sla_due_at=at(12))
        plan(world)
        assert who_and_when(world, job)[1] < at(12)
        assert listed(world)[0].released_why == "released"

    def test_keeps_it_where_it_breaks_a_rule_and_plans_the_others_around_it(self, world: World):
        """Ana has no copper and 200 m of cable. The dispatcher knows."""
        change_technician(world, world.ben.technician_id, active=False)
        asks = {
            "required_skills": (SkillNeed("copper", 4),),
            "required_parts": (PartLine(sku=CABLE, quantity=500),),
        }
        job, other = an_order(world, requirements=asks), an_order(world)
        plan(world)
        move(world, job, world.ana.technician_id, at(9))
        outcome = plan(world)
        assert who_and_when(world, job) == (world.ana.technician_id, at(9))
        begins = world.work_order(other).planned_start
        assert begins + timedelta(minutes=90) <= at(9) or begins >= at(10, 30)
        assert (outcome.planned, outcome.unassigned) == (2, ())

    def test_leaves_it_where_no_plan_can_hold_to_it_and_says_so(self, world: World):
        job = an_order(world)
        plan(world)
        move(world, job, world.ana.technician_id, at(19))
        outcome = plan(world)
        assert who_and_when(world, job) == (world.ana.technician_id, at(19))
        (sentence,) = outcome.figures["pinned"]
        assert sentence.startswith(f"{job.number}: Pinned by Marja. It can't be kept: ")
        assert outcome.unassigned == ()

    def test_may_begin_it_a_little_later_but_not_past_its_promise(self, world: World):
        change_technician(world, world.ben.technician_id, active=False)
        first, second = an_order(world), an_order(world, window_start=at(10), window_end=at(12))
        move(world, first, world.ana.technician_id, at(9))
        move(world, second, world.ana.technician_id, at(10, 20))  # ten minutes before the other is done
        plan(world)
        assert who_and_when(world, first) == (world.ana.technician_id, at(9))
        assert at(10, 30) <= world.work_order(second).planned_start <= at(10, 35)

    def test_gives_the_job_to_another_when_who_was_chosen_does_not_work(self, world: World):
        job = an_order(world)
        move(world, job, world.ana.technician_id, at(14))
        change_technician(world, world.ana.technician_id, active=False)
        plan(world)
        assert world.work_order(job).technician_id == world.ben.technician_id


class TestTakingOff:
    def test_leaves_it_to_the_next_plan_unless_asked(self, world: World):
        job = an_order(world)
        plan(world)
        before = who_and_when(world, job)
        take_off(world, job, pin=False, why=Why(reason="other"))
        (kept,) = listed(world)
        assert (kept.technician, kept.pinned, kept.released_why) == (None, False, "left to the plan")
        assert kept.cost_minor["unserved"] == 80_000
        plan(world)
        assert who_and_when(world, job)[0] is not None and before[0] is not None

    def test_keeps_it_out_of_every_plan_until_it_is_released(self, world: World):
        job, other = an_order(world), an_order(world)
        plan(world)
        kept = take_off(world, job, why=Why(reason="customer_asked"))
        assert kept
        outcome = plan(world)
        assert outcome.unassigned == (
            (job.number, "kept_out", "Kept out of the plan by Marja: customer asked"),
        )
        assert world.work_order(job).state is WorkOrderState.UNASSIGNED
        assert world.work_order(other).state is WorkOrderState.ASSIGNED
        places = find_insertions(world.database, world.settings, job.id, DAWN).places
        assert places  # who asks where it would fit is told
        with world.database.write() as session:
            overrides.release(session, kept, by="Marja", now=DAWN)
        assert plan(world).planned == 2


class TestANewTime:
    def test_that_a_dispatcher_plans_is_pinned(self, world: World):
        job = an_order(world)
        plan(world)
        technician, _ = who_and_when(world, job)
        command = RescheduleWorkOrder(
            work_order_id=job.id, planned_start=at(13), planned_end=at(14, 30)
        )  # fmt: skip
        act(world.database, world.settings, command, by="Marja", now=DAWN)
        plan(world)
        assert who_and_when(world, job) == (technician, at(13))

    def test_a_new_promise_alone_releases_an_old_pin(self, world: World):
        job = an_order(world)
        move(world, job, world.ana.technician_id, at(9))
        command = RescheduleWorkOrder(work_order_id=job.id, window_start=at(13), window_end=at(15))
        assert act(world.database, world.settings, command, by="Marja", now=DAWN) is None
        plan(world)
        assert at(13) <= world.work_order(job).planned_start < at(15)


class TestAPinnedJob:
    JOB = AskedJob(
        id="a", place=0, minutes=30, skills={"fibre": 2}, parts={"ONT": 2, "CABLE": 5}, drop_cost=7,
        windows=(Window(600, 700),),
    )  # fmt: skip

    def test_is_tied_to_its_technician_and_minute_and_asks_no_more_than_there_is(self):
        found = pinned(self.JOB, "ann", 650, {"ONT": 1}, 0)
        assert (found.technician, found.windows) == ("ann", (Window(650, 665),))
        assert (dict(found.skills), dict(found.parts)) == ({}, {"ONT": 1})
        assert found.drop_cost == 10_000_007 < COST_MAX

    @pytest.mark.parametrize(
        ("minute", "now", "windows"),
        [
            (695, 0, (Window(695, 700),)),  # never past the promise that was kept to
            (800, 0, (Window(800, 815),)),  # the person set the promise aside
            (None, 0, (Window(600, 700),)),  # any time: the promise holds
            (650, 660, (Window(650, 665),)),
            (650, 666, ()),  # that minute is over
        ],
    )
    def test_its_time(self, minute: int | None, now: int, windows: tuple[Window, ...]):
        assert pinned(self.JOB, "ann", minute, {}, now).windows == windows


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(database_url, tmp_path, hour=9) as console:
        yield console


class TestOverHttp:
    def test_the_board_hears_what_it_costs_gives_the_reason_and_releases(self, console: Console):
        aino, eero = console.technician(), console.technician("Eero Laine")
        job = console.work_order(
            number="WO-7", technician=aino, planned_start=console.at(13), planned_end=console.at(14)
        )
        with console.client() as client:
            headers = console.signed_in(client)
            body = {"technician_id": str(eero), "planned_start": console.at(14).isoformat()}
            answer = client.post(f"/api/work-orders/{job}/assign", json=body, headers=headers).json()
            told = answer["override"]
            assert (answer["done"], told["pinned"]) == ("assign_work_order", True)
            assert told["cost_minor"]["moved"] == 2_000
            path = f"/api/overrides/{told['id']}"
            said = client.post(f"{path}/reason", json={"reason": "knows_place"}, headers=headers).json()
            assert said["words"] == "Pinned by Dora Dispatcher: knows the place"
            wrong = client.post(f"{path}/reason", json={"reason": "whim"}, headers=headers)
            assert (wrong.status_code, wrong.json()["field"]) == (422, "reason")
            (listed,) = client.get("/api/overrides").json()
            assert (listed["number"], listed["technician"], listed["reason"]) == (
                "WO-7", "Eero Laine", "knows_place",
            )  # fmt: skip
            assert client.get(f"/api/work-orders/{job}").json()["decided"] == said["words"]
            assert client.post(f"{path}/release", headers=headers).json()["pinned"] is False
            assert client.get(f"/api/work-orders/{job}").json()["decided"] == ""
            assert client.post(f"{path}/release", headers=headers).status_code == 409

    def test_a_place_that_the_scheduler_offered_is_not_pinned(self, console: Console):
        aino, job = console.technician(), console.work_order()
        with console.client() as client:
            headers = console.signed_in(client)
            body = {
                "technician_id": str(aino), "planned_start": console.at(14).isoformat(), "pin": False,
            }  # fmt: skip
            told = client.post(f"/api/work-orders/{job}/assign", json=body, headers=headers).json()
            assert told["override"]["pinned"] is False
            kept = client.post(
                f"/api/work-orders/{job}/unassign", json={"keep_out": True}, headers=headers
            ).json()
            assert kept["override"]["pinned"] is True
            again = client.post(f"/api/work-orders/{job}/assign", json=body | {"pin": True}, headers=headers)
            assert again.status_code == 200
            assert client.post(f"/api/work-orders/{job}/unassign", headers=headers).json()["override"]


def test_plans_made_before_anything_was_kept_say_nothing(world: World):
    job = an_order(world)
    plan(world)
    with world.database.write() as session:
        session.query(DayPlanRow).update({"record_id": None})
    move(world, job, world.ana.technician_id, at(14))
    assert listed(world)[0].wanted == {}
