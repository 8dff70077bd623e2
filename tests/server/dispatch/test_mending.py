"""The day goes on: who is away, what would mend it, and booking that only while it still holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from world import Job, World, a_world

from server import office
from server.dispatch import absences, slot_holds
from server.dispatch.absences import AbsenceRow, Reason
from server.dispatch.insertions import find_insertions
from server.dispatch.mending import HeldMove, MendProposal, apply_mend, propose_mend
from server.dispatch.models import DayPlanRow, TechnicianRow
from server.dispatch.planner import plan_day
from server.dispatch.slot_models import SlotHoldRow
from server.dispatch.time_slots import Wish, offers
from server.work_orders.models import WorkOrderRow
from shared.commands import CancelWorkOrder, OfficeNote
from shared.problems import BadValue, ChangedMeanwhile, NotFound
from shared.work_orders import WorkOrderKind, WorkOrderState

DAY = date(2026, 11, 16)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 15, 22, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)


DAWN = at(6)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana and Ben from 8 to 16 without lunch, with everything where they live."""
    with a_world(database_url) as world:
        with world.database.write() as session:
            session.execute(update(TechnicianRow).values(lunch_from_minute=None, lunch_until_minute=None))
        yield world


def a_job(world: World, minutes: int = 60, **columns: Any) -> Job:
    job = world.order(WorkOrderKind.REPAIR, reserve=False, required_equipment=(), required_parts=())
    fresh = {
        "state": WorkOrderState.UNASSIGNED, "technician_id": None, "planned_start": None, "planned_end": None,
        "travel_minutes": 0, "route_position": None, "window_start": None, "window_end": None,
        "sla_due_at": None, "expected_minutes": minutes,
    }  # fmt: skip
    with world.database.write() as session:
        session.execute(update(WorkOrderRow).where(WorkOrderRow.id == job.id).values(**fresh | columns))
    return job


def anas(world: World, hour: int, minutes: int = 60, **columns: Any) -> Job:
    """Planned with Ana from `hour` on, and promised for two hours from then on."""
    told = {
        "state": WorkOrderState.ASSIGNED, "technician_id": world.ana.technician_id,
        "planned_start": at(hour), "planned_end": at(hour) + timedelta(minutes=minutes),
        "route_position": hour, "window_start": at(hour), "window_end": at(hour + 2),
    }  # fmt: skip
    return a_job(world, minutes, **told | columns)


def away(world: World, now: datetime, *, start: datetime | None = None) -> None:
    """Ana, for the rest of the day."""
    with world.database.write() as session:
        absences.note(session, world.ana.technician_id, start or now, at(24), Reason.SICK, by="Dora", now=now)


def proposed(world: World, now: datetime, tell_max: int = 5) -> MendProposal:
    return propose_mend(world.database, world.settings, now, DAY, tell_max=tell_max, rounds=300)


def book(world: World, proposal: MendProposal, now: datetime) -> None:
    apply_mend(world.database, world.settings, proposal.choice, now, by="Dora")


class TestAMendedDay:
    def test_needs_nothing_while_all_is_well(self, world: World):
        anas(world, 9)
        found = proposed(world, at(8))
        assert (found.choice.moves, found.sentence) == ((), "Nothing has to move")

    def test_gives_what_a_sick_technician_had_to_a_colleague_at_the_same_time(self, world: World):
        nine, ten = anas(world, 9), anas(world, 12)
        away(world, at(8))
        found = proposed(world, at(8))
        assert {(m.number, m.technician) for m in found.choice.moves} == {
            (nine.number, "Ben Korhonen"), (ten.number, "Ben Korhonen")
        }  # fmt: skip
        assert found.told == 0
        book(world, found, at(8))
        order = world.work_order(nine)
        assert order.technician_id == world.ben.technician_id
        assert order.window.start <= order.planned_start < order.window.end

    def test_helps_who_is_late_before_the_window_is_missed(self, world: World):
        """Ana is on site since 8 with work until noon; who is promised 10 to 12 is seen by Ben."""
        anas(world, 8, 240, state=WorkOrderState.ON_SITE, arrived_at=at(8), travel_started_at=at(8))
        waits = anas(world, 10)
        found = proposed(world, at(9))
        assert [(m.number, m.technician) for m in found.choice.moves] == [(waits.number, "Ben Korhonen")]
        assert found.cost_after_minor < found.cost_before_minor

    def test_says_who_stays_late_where_nobody_can_come(self, world: World):
        with world.database.write() as session:
            ben = TechnicianRow.id == world.ben.technician_id
            session.execute(update(TechnicianRow).where(ben).values(active=False))
        anas(world, 8, 300, state=WorkOrderState.ON_SITE, arrived_at=at(8), travel_started_at=at(8))
        waits = anas(world, 10)
        (late,) = proposed(world, at(9)).stays_late
        assert (late.number, late.why) == (waits.number, "nobody")
        assert late.minutes > 60

    def test_tells_no_more_than_allowed(self, world: World):
        """Ben's own day is promised too: each of Ana's visits could come only at another time."""
        with world.database.write() as session:
            late = TechnicianRow.id == world.ben.technician_id
            session.execute(update(TechnicianRow).where(late).values(shift_start_minute=13 * 60))
        jobs = [anas(world, hour, window_end=at(16)) for hour in (8, 9, 10)]
        away(world, at(7))
        free, one = proposed(world, at(7)), proposed(world, at(7), tell_max=1)
        assert (free.told, one.told) == (2, 1)  # at 13:00 to 15:00 there is room for two
        left = {late.number for late in one.left_out}
        assert len(left) == 2
        assert "limit" in {late.why for late in one.left_out}
        assert left | {move.number for move in one.choice.moves} == {job.number for job in jobs}

    def test_takes_in_a_new_order(self, world: World):
        new = a_job(world, 60, priority=1, window_start=at(10), window_end=at(12))
        (move,) = proposed(world, at(8)).choice.moves
        assert (move.number, move.was, move.tells) == (new.number, None, False)

    def test_of_a_day_gone_by_or_with_a_limit_that_is_none_is_refused(self, world: World):
        with pytest.raises(BadValue):
            propose_mend(world.database, world.settings, at(30), DAY)
        with pytest.raises(BadValue, match="customers"):
            proposed(world, at(8), tell_max=-1)

    def test_without_anybody_says_so(self, world: World):
        with world.database.write() as session:
            session.execute(update(TechnicianRow).values(active=False))
        assert proposed(world, at(8)).choice.moves == ()


class TestBookingIt:
    def test_moves_all_at_once_and_the_lunches_with_them(self, world: World):
        plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
        nine, noon = anas(world, 9), anas(world, 12)
        away(world, at(8))
        book(world, proposed(world, at(8)), at(8))
        assert {world.work_order(job).technician_id for job in (nine, noon)} == {world.ben.technician_id}
        assert world.rows(DayPlanRow)

    def test_is_refused_when_an_order_that_it_moves_has_changed(self, world: World):
        nine, noon = anas(world, 9), anas(world, 12)
        away(world, at(8))
        found = proposed(world, at(8))
        cancel = CancelWorkOrder(work_order_id=noon.id, reason="moved away")
        office.run(world.database, world.settings, cancel, "Dora")
        with pytest.raises(ChangedMeanwhile, match=noon.number):
            book(world, found, at(8))
        assert world.work_order(nine).technician_id == world.ana.technician_id

    def test_is_refused_when_somebody_it_touches_got_another_visit(self, world: World):
        anas(world, 9)
        away(world, at(8))
        found = proposed(world, at(8))
        new = anas(world, 9, technician_id=world.ben.technician_id)
        with pytest.raises(ChangedMeanwhile, match=new.number):
            book(world, found, at(8))

    def test_is_refused_when_a_slot_is_held_since(self, world: World):
        anas(world, 9)
        away(world, at(8))
        found = proposed(world, at(8))
        slot_holds.hold(
            world.database, world.settings, Wish(work_order_id=a_job(world).id), at(10), at(12), at(8),
            key="k", by="Dora",
        )  # fmt: skip
        with pytest.raises(ChangedMeanwhile, match="time slot"):
            book(world, found, at(8))

    def test_is_not_held_up_by_what_happens_elsewhere(self, world: World):
        nine = anas(world, 9)
        away(world, at(8))
        elsewhere = a_job(world, 60, window_start=at(40), window_end=at(42))
        found = proposed(world, at(8))
        note = OfficeNote(work_order_id=elsewhere.id, text="Ring twice")
        office.run(world.database, world.settings, note, "Dora")
        book(world, found, at(8))
        assert world.work_order(nine).technician_id == world.ben.technician_id

    def test_of_something_forged_is_refused(self, world: World):
        nine = anas(world, 9)
        away(world, at(8))
        found = proposed(world, at(8))
        bare = replace(found.choice.rests_on, orders={}, technicians=())
        with pytest.raises(ChangedMeanwhile, match=nine.number):
            apply_mend(world.database, world.settings, replace(found.choice, rests_on=bare), at(8), by="D")

    def test_moves_a_held_slot_along(self, world: World):
        """Held with Ana; she falls sick; the hold goes to Ben and is confirmed there."""
        with world.database.write() as session:
            ben = TechnicianRow.id == world.ben.technician_id
            session.execute(
                update(TechnicianRow).where(ben).values(shift_start_minute=9 * 60, start_lat=60.3)
            )
        held = slot_holds.hold(
            world.database, world.settings, Wish(work_order_id=a_job(world).id), at(10), at(12), at(8),
            key="k", by="Dora",
        )  # fmt: skip
        assert world.row(SlotHoldRow).technician_id == world.ana.technician_id
        away(world, at(8))
        found = proposed(world, at(8))
        assert [one.technician_id for one in found.choice.holds] == [world.ben.technician_id]
        book(world, found, at(8))
        row = world.row(SlotHoldRow)
        assert (row.id, row.technician_id) == (held.id, world.ben.technician_id)
        assert at(10) <= row.starts_at < at(12)

    def test_never_takes_a_held_slot_out_of_its_window(self, world: World):
        held = slot_holds.hold(
            world.database, world.settings, Wish(work_order_id=a_job(world).id), at(10), at(12), at(8),
            key="k", by="Dora",
        )  # fmt: skip
        before = world.row(SlotHoldRow).starts_at
        found = proposed(world, at(8))
        for start, technician, problem in (
            (at(12), world.ben.technician_id, BadValue), (at(10), world.depot_id, NotFound),
        ):  # fmt: skip
            moved = HeldMove(hold_id=held.id, technician_id=technician, planned_start=start, travel_minutes=5)
            with pytest.raises(problem):
                apply_mend(
                    world.database, world.settings, replace(found.choice, holds=(moved,)), at(8), by="D"
                )
        assert world.row(SlotHoldRow).starts_at == before


class TestAPlaceThatOthersMake:
    def test_is_offered_where_a_full_day_has_none(self, world: World):
        """Only Ana splices, and is promised elsewhere for the same hour; Ben could go there instead."""
        with world.database.write() as session:
            able = TechnicianRow.id == world.ana.technician_id
            skills = {"fibre_install": 3, "splice": 3}
            session.execute(update(TechnicianRow).where(able).values(skills=skills))
        told = anas(world, 10, 110, window_end=at(10, 15))
        job = a_job(world, 110, window_start=at(10), window_end=at(10, 15))
        with world.database.write() as session:
            row = session.get_one(WorkOrderRow, job.id)
            row.requirements = row.requirements | {"required_skills": [{"name": "splice", "level": 2}]}
        found = find_insertions(world.database, world.settings, job.id, at(8))
        assert found.places == ()
        assert found.rearranged is not None
        assert (found.rearranged.moved, found.rearranged.told) == (1, 0)
        assert f"{told.number} to Ben Korhonen" in found.rearranged.sentence
        apply_mend(world.database, world.settings, found.rearranged.choice, at(8), by="Dora")
        assert world.work_order(told).technician_id == world.ben.technician_id
        assert world.work_order(job).technician_id == world.ana.technician_id

    def test_is_not_looked_for_where_somebody_has_one(self, world: World):
        job = a_job(world)
        found = find_insertions(world.database, world.settings, job.id, at(8))
        assert found.places
        assert found.rearranged is None

    def test_costs_nobody_a_visit(self, world: World):
        for phone in world.phones:
            anas(world, 10, 110, technician_id=phone.technician_id, window_end=at(10, 15))
        job = a_job(world, 110, window_start=at(10), window_end=at(10, 15))
        found = find_insertions(world.database, world.settings, job.id, at(8))
        assert (found.places, found.rearranged) == ((), None)


class TestWhoIsAway:
    def test_is_not_planned_with(self, world: World):
        away(world, at(6))
        job = a_job(world)
        plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
        assert world.work_order(job).technician_id == world.ben.technician_id

    def test_from_noon_on_has_the_morning(self, world: World):
        with world.database.write() as session:
            ben = TechnicianRow.id == world.ben.technician_id
            session.execute(update(TechnicianRow).where(ben).values(active=False))
        away(world, at(6), start=at(12))
        free = offers(
            world.database, world.settings, Wish(work_order_id=a_job(world).id), DAWN, first=DAY, days=1
        )
        assert {slot.start for slot in free.slots} == {at(8), at(10)}

    def test_is_planned_with_again_once_back(self, world: World):
        away(world, at(6))
        with world.database.write() as session:
            assert absences.end(session, world.ana.technician_id, by="Dora", now=at(7)) == 1
        with world.database.write() as session:
            assert absences.end(session, world.ana.technician_id, by="Dora", now=at(7)) == 0
        with world.database.write() as session:
            ben = TechnicianRow.id == world.ben.technician_id
            session.execute(update(TechnicianRow).where(ben).values(active=False))
        job = a_job(world)
        plan_day(world.database, world.settings, DAY, seconds=0, now=at(7))
        assert world.work_order(job).technician_id == world.ana.technician_id

    def test_for_a_time_that_is_none_or_nobody_is_refused(self, world: World):
        with pytest.raises(BadValue), world.database.write() as session:
            absences.note(session, world.ana.technician_id, at(9), at(9), Reason.VAN, by="D", now=at(8))
        with pytest.raises(NotFound), world.database.write() as session:
            absences.note(session, world.depot_id, at(9), at(10), Reason.VAN, by="D", now=at(8))
        assert world.rows(AbsenceRow) == []
