"""Whoever falls ill or loses a certificate while a plan, a mend or a choice lies open is not sent by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from planned_day import DAWN, DAY, an_order, at, change, change_technician
from sqlalchemy import update
from world import HOME_100, Job, Phone, World, a_world, uid

from server.dispatch import absences, moves, policy, slot_holds
from server.dispatch.absences import Reason
from server.dispatch.applying import apply_saved
from server.dispatch.mending import MendProposal, apply_mend, propose_mend
from server.dispatch.models import DayPlanRow, TechnicianRow, UnassignedRow
from server.dispatch.overrides import NO_REASON, act
from server.dispatch.plan_booking import PlanOutcome
from server.dispatch.planner import plan_day
from server.dispatch.rechecks import Coming, Spot, in_the_way
from server.dispatch.saved_plans import save
from server.dispatch.slot_models import SlotHoldRow
from server.dispatch.slot_rows import lock_day
from server.dispatch.thinking import Effort
from server.dispatch.time_slots import Wish
from server.dispatch.what_if import OrderMoved
from server.work_orders.intake import CustomerOrder
from server.work_orders.models import WorkOrderRow
from shared.problems import ChangedMeanwhile, NoLongerFree
from shared.skills import SkillNeed
from shared.work_orders import WorkOrderKind, WorkOrderState

ANA_IS_AWAY = "Ana Virtanen is away from 16.11. 06:00 to 23:00 (sick), noted at 06:00 by Dora"
NIGHT = at(23)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana and Ben from 8 to 16 without lunch, with everything where they live."""
    with a_world(database_url) as world:
        with world.database.write() as session:
            session.execute(update(TechnicianRow).values(lunch_from_minute=None, lunch_until_minute=None))
        yield world


def away(world: World, who: Phone, start: datetime = DAWN, end: datetime = NIGHT) -> None:
    with world.database.write() as session:
        absences.note(session, who.technician_id, start, end, Reason.SICK, by="Dora", now=DAWN)


def told(world: World, who: Phone, hour: int, **columns: Any) -> Job:
    """Planned with `who` from `hour` on, for an hour."""
    values = {
        "state": WorkOrderState.ASSIGNED, "technician_id": who.technician_id, "planned_start": at(hour),
        "planned_end": at(hour + 1), "route_position": hour, "expected_minutes": 60,
    }  # fmt: skip
    return an_order(world, **values | columns)


def a_splice(world: World, who: Phone | None = None, hour: int = 9) -> Job:
    """Only Ana splices. Nobody has it, or `who` from `hour` on."""
    change_technician(world, world.ana.technician_id, skills={"fibre_install": 3, "splice": 3})
    needs = {"required_skills": (SkillNeed("splice", 2),)}
    return told(world, who, hour, requirements=needs) if who else an_order(world, requirements=needs)


def where(world: World, job: Job) -> tuple[Any, Any]:
    order = world.work_order(job)
    return order.technician_id, order.planned_start


class Meanwhile:
    """Does `what` once, after the day has been read and before what comes of it is booked."""

    def __init__(self, what: Any) -> None:
        self.what: Any = what

    def __call__(self, words: str) -> None:
        if words.startswith("Planning") and self.what is not None:
            what, self.what = self.what, None
            what()


def plan(world: World, meanwhile: Any = None, **options: Any) -> PlanOutcome:
    say = Meanwhile(meanwhile)
    return plan_day(world.database, world.settings, DAY, **{"seconds": 0, "now": DAWN, "say": say} | options)


class TestAPlan:
    def test_sends_nobody_who_fell_ill_while_it_was_made_and_the_others_all_the_same(self, world: World):
        ill, well = a_splice(world), an_order(world)
        change_technician(world, world.ana.technician_id, skills={"splice": 3})
        outcome = plan(world, lambda: away(world, world.ana))
        assert outcome.refused == ((ill.number, ANA_IS_AWAY),)
        assert (outcome.planned, outcome.changed) == (1, 1)
        assert world.work_order(ill).state is WorkOrderState.UNASSIGNED
        assert world.work_order(well).technician_id == world.ben.technician_id
        left = world.row(UnassignedRow)
        assert (left.work_order_id, left.code) == (ill.id, "meanwhile")
        assert left.reason == f"{ANA_IS_AWAY}. Plan the day again, or give it to somebody else"
        assert world.row(DayPlanRow).figures["refused"] == [f"{ill.number}: {ANA_IS_AWAY}"]

    def test_leaves_what_it_wanted_to_move_to_them_where_it_was(self, world: World):
        job = a_splice(world, world.ben)
        before = where(world, job)
        outcome = plan(world, lambda: away(world, world.ana))
        assert [number for number, _ in outcome.refused] == [job.number]
        assert (where(world, job), outcome.unassigned, outcome.changed) == (before, (), 0)

    def test_takes_no_notice_of_an_absence_at_another_time(self, world: World):
        a_splice(world)
        outcome = plan(world, lambda: away(world, world.ana, at(15), at(16)))
        assert (outcome.refused, outcome.changed) == ((), 1)

    def test_sends_nobody_whose_certificate_was_taken_meanwhile(self, world: World):
        job = a_splice(world)
        gone = {"valid_until": {"splice": "2026-11-15"}}
        outcome = plan(world, lambda: change_technician(world, world.ana.technician_id, **gone))
        said = "Ana Virtanen can't do it any more: splice certificate valid until 15.11.2026, the shift is on 16.11.2026"
        assert outcome.refused == ((job.number, said),)

    def test_sends_nobody_out_of_a_territory_that_the_policy_drew_meanwhile(self, world: World):
        job = a_splice(world)
        change_technician(world, world.ana.technician_id, territories=["North"], stays=True)
        postcode = world.work_order(job).place.postcode

        def drawn() -> None:
            with world.database.write() as session:
                policy.change(
                    session, after=0, weights={}, territories={"South": [postcode]}, note="Drawn anew",
                    who="Ada", now=DAWN,
                )  # fmt: skip

        said = "Ana Virtanen can't do it any more: lies in South, stays in North"
        assert plan(world, drawn).refused == ((job.number, said),)

    def test_does_not_ask_for_a_skill_again_where_a_person_chose(self, world: World):
        """Pinned with Ben, who does not splice, at a time that the plan keeps to with a longer drive."""
        job = a_splice(world)
        with world.database.read() as session:
            command = moves.assignment(session, job.id, world.ben.technician_id, at(14))
        act(world.database, world.settings, command, by="Marja", now=DAWN, why=NO_REASON)
        change(world, job, travel_minutes=17)
        outcome = plan(world)
        assert (outcome.refused, outcome.changed) == ((), 1)

    def test_is_planned_again_without_them(self, world: World):
        job = an_order(world)
        first = plan(world, lambda: [away(world, phone) for phone in world.phones])
        assert [number for number, _ in first.refused] == [job.number]
        with world.database.write() as session:
            absences.end(session, world.ben.technician_id, by="Dora", now=DAWN)
        assert plan(world).refused == ()
        assert world.work_order(job).technician_id == world.ben.technician_id

    def test_that_knew_of_an_absence_from_noon_on_plans_no_overtime_before_it(self, world: World):
        change_technician(world, world.ben.technician_id, active=False)
        change_technician(world, world.ana.technician_id, overtime_minutes=120)
        away(world, world.ana, at(10))
        for _ in range(2):
            an_order(world)  # 90 minutes each, and there are two hours
        outcome = plan(world)
        assert (outcome.planned, len(outcome.unassigned), outcome.refused) == (1, 1, ())

    def test_waits_for_an_absence_that_is_being_written_and_sees_it(self, world: World):
        """The booking waits for the day, which somebody else has; when it gets it, the absence is there."""
        job = a_splice(world)
        done: list[PlanOutcome] = []
        planning = Thread(target=lambda: done.append(plan(world)))
        with world.database.write() as session:
            lock_day(session, DAY)
            planning.start()
            planning.join(3)
            assert planning.is_alive(), "it did not wait"
            absences.note(session, world.ana.technician_id, DAWN, NIGHT, Reason.SICK, by="Dora", now=DAWN)
        planning.join(30)
        assert done[0].refused == ((job.number, ANA_IS_AWAY),)


class TestASavedPlan:
    def test_is_applied_without_what_somebody_who_is_away_was_to_do(self, world: World):
        here, there = an_order(world), an_order(world)
        wanted = [
            OrderMoved(work_order_id=job.id, technician_id=phone.technician_id, start=at(9))
            for job, phone in ((here, world.ben), (there, world.ana))
        ]
        saved = save(
            world.database, world.settings, DAY, "Two", wanted, Effort(seconds=0), by="Dora", now=DAWN
        )
        away(world, world.ana)
        done = apply_saved(world.database, world.settings, saved.id, by="Dora", now=DAWN)
        became = {one.number: (one.became, one.reason) for one in done.moves}
        assert became == {
            here.number: ("applied", ""), there.number: ("no longer possible", ANA_IS_AWAY)
        }  # fmt: skip
        assert where(world, here) == (world.ben.technician_id, at(9))
        assert world.work_order(there).state is WorkOrderState.UNASSIGNED


def proposed(world: World) -> MendProposal:
    return propose_mend(world.database, world.settings, DAWN, DAY, rounds=300)


def book(world: World, proposal: MendProposal) -> Any:
    return apply_mend(world.database, world.settings, proposal.choice, DAWN, by="Dora")


class TestAMendedDay:
    def test_moves_nothing_to_somebody_who_fell_ill_since_and_the_rest_all_the_same(self, world: World):
        """Two new orders, one for each: Ana is away by the time that it is booked."""
        ill, well = a_splice(world), an_order(world)
        change_technician(world, world.ana.technician_id, skills={"splice": 3})
        found = proposed(world)
        assert len(found.choice.moves) == 2
        away(world, world.ana)
        done = book(world, found)
        assert (done.moved, done.refused) == (1, (f"{ill.number}: {ANA_IS_AWAY}",))
        assert world.work_order(ill).state is WorkOrderState.UNASSIGNED
        assert world.work_order(well).technician_id == world.ben.technician_id

    def test_is_refused_where_nothing_of_it_is_left(self, world: World):
        job = a_splice(world)
        found = proposed(world)
        away(world, world.ana)
        with pytest.raises(ChangedMeanwhile) as refused:
            book(world, found)
        assert refused.value.detail == f"{job.number}: {ANA_IS_AWAY}. Look at the day again"
        assert world.work_order(job).state is WorkOrderState.UNASSIGNED

    def test_that_knew_of_an_absence_is_booked_beside_it(self, world: World):
        job = told(world, world.ben, 9)
        away(world, world.ben)
        found = proposed(world)
        assert book(world, found).refused == ()
        assert world.work_order(job).technician_id == world.ana.technician_id

    def test_moves_nothing_to_somebody_whose_certificate_was_taken_since(self, world: World):
        job = a_splice(world)
        found = proposed(world)
        change_technician(world, world.ana.technician_id, skills={"fibre_install": 3, "splice": 1})
        with pytest.raises(ChangedMeanwhile, match="can't do it any more: needs splice level 2, has 1"):
            book(world, found)
        assert world.work_order(job).state is WorkOrderState.UNASSIGNED

    def test_books_all_or_nothing_of_moves_that_are_for_one_anothers_sake(self, world: World):
        a_splice(world)
        an_order(world)
        change_technician(world, world.ana.technician_id, skills={"splice": 3})
        found = proposed(world)
        away(world, world.ana)
        whole = replace(found.choice, whole=True)
        with pytest.raises(ChangedMeanwhile, match="Ana Virtanen is away"):
            apply_mend(world.database, world.settings, whole, DAWN, by="Dora")
        assert world.rows(WorkOrderRow, WorkOrderRow.state == WorkOrderState.ASSIGNED) == []


SLOT = (at(10), at(12))


def held(world: World, wish: Wish) -> Any:
    return slot_holds.hold(world.database, world.settings, wish, *SLOT, DAWN, key="k", by="Dora")


def confirm(world: World, hold: Any) -> Any:
    return slot_holds.confirm(world.database, world.settings, hold.id, DAWN, by="Dora")


class TestACustomersChoice:
    def test_of_a_time_with_somebody_who_fell_ill_since_is_refused_with_what_is_free(self, world: World):
        job = a_splice(world)
        hold = held(world, Wish(work_order_id=job.id))
        away(world, world.ana, DAWN, at(13))
        with pytest.raises(NoLongerFree) as refused:
            confirm(world, hold)
        said = "Ana Virtanen is away from 16.11. 06:00 to 13:00 (sick), noted at 06:00 by Dora"
        assert refused.value.detail == f"{said}. Choose another time"
        assert refused.value.alternatives[0] == (at(12), at(14))  # she begins at 13
        order = world.work_order(job)
        assert (order.state, order.window) == (WorkOrderState.UNASSIGNED, None)
        assert world.row(SlotHoldRow).given_back_at is not None

    def test_is_offered_the_same_time_where_a_colleague_can_come(self, world: World):
        job = an_order(world)
        hold = held(world, Wish(work_order_id=job.id))
        away(world, next(p for p in world.phones if p.technician_id == world.row(SlotHoldRow).technician_id))
        with pytest.raises(NoLongerFree) as refused:
            confirm(world, hold)
        assert refused.value.alternatives[0] == SLOT
        again = slot_holds.hold(
            world.database, world.settings, Wish(work_order_id=job.id), *SLOT, DAWN, key="l", by="Dora"
        )
        assert confirm(world, again).start == SLOT[0]

    def test_of_a_new_visit_places_no_order(self, world: World):
        known = an_order(world)
        order = CustomerOrder(
            kind=WorkOrderKind.INSTALL, customer_id=known.customer_id, location_id=known.location_id,
            plan_code=HOME_100, skills={},
        )  # fmt: skip
        hold = held(world, Wish(order=order))
        for phone in world.phones:
            away(world, phone)
        with pytest.raises(NoLongerFree) as refused:
            confirm(world, hold)
        assert {start.date() for start, _ in refused.value.alternatives} == {DAY + timedelta(days=1)}
        assert [row.id for row in world.rows(WorkOrderRow)] == [known.id]

    def test_of_a_new_visit_that_was_placed_a_moment_before_keeps_its_promise_and_waits(self, world: World):
        """Refused, it would be asked for again and placed twice."""
        known = an_order(world)
        order = CustomerOrder(
            kind=WorkOrderKind.INSTALL, customer_id=known.customer_id, location_id=known.location_id,
            plan_code=HOME_100, skills={},
        )  # fmt: skip
        plan(world)
        hold = held(world, Wish(order=order))
        with world.database.write() as session:
            slot_holds._place_if_new(session, world.settings, hold.id, DAWN, "Dora", None)
        for phone in world.phones:
            away(world, phone)
        booked = confirm(world, hold)
        row = world.row(WorkOrderRow, WorkOrderRow.id == booked.work_order_id)
        assert (row.window_start, row.window_end) == SLOT
        assert (row.state, row.technician_id) == (WorkOrderState.UNASSIGNED, None)
        assert confirm(world, hold) == booked

    def test_of_a_time_with_somebody_whose_certificate_was_taken_is_refused(self, world: World):
        hold = held(world, Wish(work_order_id=a_splice(world).id))
        change_technician(world, world.ana.technician_id, valid_until={"splice": "2026-11-15"})
        with pytest.raises(NoLongerFree, match=r"splice certificate valid until 15\.11\.2026"):
            confirm(world, hold)

    def test_is_kept_where_the_absence_is_over_by_then(self, world: World):
        hold = held(world, Wish(work_order_id=a_splice(world).id))
        away(world, world.ana, DAWN, at(9))
        assert confirm(world, hold).start == SLOT[0]


def spot(who: str, start: int, end: int) -> Spot:
    return Spot(technician_id=uid(who), starts=at(start), ends=at(end))


class TestWhatIsInTheWay:
    def test_stays_with_what_it_was_to_make_room_for_and_so_on(self):
        """A was to leave Ben's nine for Ana, B to follow it there from Cem's, C to follow B."""
        coming = {
            "A": Coming(spot=spot("Ana", 9, 10)), "B": Coming(spot=spot("Ben", 9, 10)),
            "C": Coming(spot=spot("Cem", 9, 10)), "D": Coming(spot=spot("Ben", 10, 11)),
        }  # fmt: skip
        now = {"A": spot("Ben", 9, 10), "B": spot("Cem", 9, 10)}
        assert in_the_way({"A": "Ana is away"}, coming, now) == {
            "A": "Ana is away",
            "B": "A stays where it is, in the time that this one was to have",
            "C": "B stays where it is, in the time that this one was to have",
        }

    def test_is_nothing_where_it_had_no_place(self):
        coming = {"A": Coming(spot=spot("Ana", 9, 10)), "B": Coming(spot=spot("Ben", 9, 10))}
        assert in_the_way({"A": "Ana is away"}, coming, {}) == {"A": "Ana is away"}
