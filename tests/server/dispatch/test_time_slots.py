"""Windows that can be kept: found in the real day, held for five minutes, confirmed, given back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from world import HOME_100, Job, World, a_world, uid

from server.db.feed_models import CommandRow, EntryRow
from server.dispatch import moves, overrides, slot_holds
from server.dispatch.applying import apply_saved
from server.dispatch.models import DayPlanRow, TechnicianRow
from server.dispatch.override_rows import active, words_of
from server.dispatch.planner import plan_day
from server.dispatch.saved_plans import compare, save
from server.dispatch.slot_holds import HOLD, Hold, confirm, give_back
from server.dispatch.slot_models import SlotHoldRow
from server.dispatch.thinking import Effort
from server.dispatch.time_slots import Offers, Wish, offers
from server.work_orders.intake import CustomerOrder
from server.work_orders.models import WorkOrderRow
from shared.commands import UnassignWorkOrder
from shared.problems import AlreadyClosed, BadValue, Conflict, IdReused, NoLongerFree, NotFound
from shared.work_orders import WorkOrderKind, WorkOrderState

DAY = date(2026, 11, 17)
NOW = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)  # noon in Helsinki, the day before


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=2)


Window = tuple[datetime, datetime]
EIGHT, TEN, NOON, TWO = ((at(hour), at(hour + 2)) for hour in (8, 10, 12, 14))


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """Ana alone, from 8 to 16 without lunch, and everything is where she lives."""
    with a_world(database_url) as world:
        with world.database.write() as session:
            session.execute(update(TechnicianRow).values(lunch_from_minute=None, lunch_until_minute=None))
            alone = TechnicianRow.id == world.ben.technician_id
            session.execute(update(TechnicianRow).where(alone).values(active=False))
        yield world


def a_job(world: World, minutes: int = 60, **columns: Any) -> Job:
    """A repair that nobody has and that is promised at no time."""
    job = world.order(WorkOrderKind.REPAIR, reserve=False, required_equipment=(), required_parts=())
    fresh = {
        "state": WorkOrderState.UNASSIGNED, "technician_id": None, "planned_start": None, "planned_end": None,
        "travel_minutes": 0, "route_position": None, "window_start": None, "window_end": None,
        "sla_due_at": None, "expected_minutes": minutes,
    }  # fmt: skip
    with world.database.write() as session:
        session.execute(update(WorkOrderRow).where(WorkOrderRow.id == job.id).values(**fresh | columns))
    return job


def found(world: World, wish: Wish | Job, now: datetime = NOW, days: int = 1) -> Offers:
    return offers(world.database, world.settings, _wish(wish), now, first=DAY, days=days)


def windows(world: World, wish: Wish | Job, now: datetime = NOW) -> set[tuple[datetime, datetime]]:
    return {(slot.start, slot.end) for slot in found(world, wish, now).slots}


def _wish(wish: Wish | Job) -> Wish:
    return wish if isinstance(wish, Wish) else Wish(work_order_id=wish.id)


def hold(
    world: World,
    wish: Wish | Job,
    window: tuple[datetime, datetime] = TEN,
    now: datetime = NOW,
    key: str = "",
) -> Hold:
    key = key or f"key of {wish.id if isinstance(wish, Job) else wish.work_order_id}"
    return slot_holds.hold(world.database, world.settings, _wish(wish), *window, now, key=key, by="Dora")


def book(world: World, job: Job, window: tuple[datetime, datetime] = TEN) -> slot_holds.Booked:
    return confirm(world.database, world.settings, hold(world, job, window).id, NOW, by="Dora")


def plan(world: World) -> None:
    plan_day(world.database, world.settings, DAY, seconds=0, now=NOW)


class TestWhatIsOnOffer:
    def test_every_slot_of_an_empty_day(self, world: World):
        assert windows(world, a_job(world)) == {EIGHT, TEN, NOON, TWO}

    def test_no_slot_where_it_can_not_be_kept(self, world: World):
        for _ in range(2):
            a_job(world, 60, window_start=TEN[0], window_end=TEN[1])
        assert windows(world, a_job(world)) == {EIGHT, NOON, TWO}

    def test_the_same_once_the_day_is_planned(self, world: World):
        for _ in range(2):
            a_job(world, 60, window_start=TEN[0], window_end=TEN[1])
        plan(world)
        assert windows(world, a_job(world)) == {EIGHT, NOON, TWO}

    def test_the_cheapest_first_and_says_that_somebody_is_near(self, world: World):
        a_job(world, 60, window_start=TEN[0], window_end=TEN[1])
        slots = found(world, a_job(world)).slots
        assert [slot.rank for slot in slots] == [1, 2, 3, 4]
        assert [slot.added_minor for slot in slots] == sorted(slot.added_minor for slot in slots)
        assert slots[0].near
        assert slots[0].detour_minutes == 0

    def test_several_days_and_nothing_that_has_begun(self, world: World):
        slots = offers(world.database, world.settings, _wish(a_job(world)), NOW, days=2).slots
        assert {slot.start for slot in slots} == {
            *(at(hour, day=date(2026, 11, 16)) for hour in (12, 14)),
            *(at(hour) for hour in (8, 10, 12, 14)),
        }

    def test_an_order_that_is_about_to_be_placed(self, world: World):
        known = world.order(WorkOrderKind.REPAIR)
        order = CustomerOrder(
            kind=WorkOrderKind.INSTALL, customer_id=known.customer_id, location_id=known.location_id,
            plan_code=HOME_100, skills={"fibre_install": 2},
        )  # fmt: skip
        assert windows(world, Wish(order=order)) == {EIGHT, TEN, NOON, TWO}
        harder = replace(order, skills={"fibre_install": 4})
        assert windows(world, Wish(order=harder)) == set()

    @pytest.mark.parametrize(
        ("wish", "problem"),
        [
            (Wish(), BadValue),
            (Wish(work_order_id=uid("nothing")), NotFound),
            (Wish(order=CustomerOrder(kind=WorkOrderKind.REPAIR, customer_id=uid("nobody"))), NotFound),
        ],
    )
    def test_nothing_for_a_wish_that_is_none(self, world: World, wish: Wish, problem: type[Exception]):
        with pytest.raises(problem):
            found(world, wish)

    def test_nothing_for_a_visit_that_has_begun(self, world: World):
        job = a_job(world, state=WorkOrderState.ON_SITE, technician_id=world.ana.technician_id)
        with pytest.raises(AlreadyClosed):
            found(world, job)

    def test_nothing_for_days_gone_by(self, world: World):
        with pytest.raises(BadValue, match="is over"):
            offers(world.database, world.settings, _wish(a_job(world)), NOW, first=date(2026, 11, 15))


class TestAHold:
    def test_takes_its_place_as_others_see_it(self, world: World):
        first, second = a_job(world, 120), a_job(world, 120)
        held = hold(world, first)
        assert (held.start, held.end, held.expires_at) == (*TEN, NOW + HOLD)
        assert windows(world, second) == {EIGHT, NOON}

    def test_ends_by_itself(self, world: World):
        hold(world, a_job(world, 120))
        assert TEN in windows(world, a_job(world, 120), NOW + HOLD)
        assert TEN not in windows(world, a_job(world, 120), NOW + HOLD - timedelta(seconds=1))

    def test_can_be_given_back_and_is_free_at_once(self, world: World):
        held = hold(world, a_job(world, 120))
        for _ in range(2):
            give_back(world.database, held.id, NOW)
        assert TEN in windows(world, a_job(world, 120))

    def test_asked_for_twice_is_one(self, world: World):
        job = a_job(world, 60)
        assert hold(world, job, key="once") == hold(world, job, key="once")
        assert len(world.rows(SlotHoldRow)) == 1

    def test_of_another_wish_under_the_same_key_is_refused(self, world: World):
        job = a_job(world)
        hold(world, job, key="once")
        with pytest.raises(IdReused):
            hold(world, job, NOON, key="once")
        with pytest.raises(IdReused):
            hold(world, a_job(world), key="once")

    def test_that_ran_out_is_held_again_by_the_same_key(self, world: World):
        job = a_job(world)
        hold(world, job, key="once")
        later = NOW + HOLD + timedelta(minutes=1)
        assert hold(world, job, now=later, key="once").expires_at == later + HOLD
        assert len(world.rows(SlotHoldRow)) == 1

    def test_an_order_has_one_at_a_time(self, world: World):
        job = a_job(world, 120)
        hold(world, job, TEN, key="first")
        hold(world, job, NOON, key="second")
        assert windows(world, a_job(world, 120)) == {EIGHT, TEN}

    def test_of_a_slot_that_is_taken_is_refused_with_the_nearest_that_are_free(self, world: World):
        hold(world, a_job(world, 120))
        with pytest.raises(NoLongerFree, match=r"17\.11\. 10:00–12:00 is no longer free") as refused:
            hold(world, a_job(world, 120))
        assert refused.value.alternatives == (
            EIGHT,
            NOON,
            (at(8, day=date(2026, 11, 18)), at(10, day=date(2026, 11, 18))),
        )

    def test_of_what_is_no_slot_is_refused(self, world: World):
        with pytest.raises(BadValue, match="no such time slot"):
            hold(world, a_job(world), (at(9), at(11)))

    def test_keeps_its_place_when_the_day_is_planned_meanwhile(self, world: World):
        """The plan would put the long job, which is promised at no time, right across the slot."""
        held = hold(world, a_job(world, 120))
        long = a_job(world, 360)
        plan(world)
        assert world.row(WorkOrderRow, WorkOrderRow.id == long.id).state == WorkOrderState.UNASSIGNED
        assert confirm(world.database, world.settings, held.id, NOW, by="Dora").start == TEN[0]

    def test_made_while_the_scheduler_thinks_makes_it_think_again(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        from server.dispatch import planner

        job, long = a_job(world, 120), a_job(world, 200, window_start=at(10), window_end=at(16))
        think, thoughts = planner.think, []

        def slowly(*asked: Any) -> Any:
            thoughts.append(asked)
            if len(thoughts) == 1:
                hold(world, job)
            return think(*asked)

        monkeypatch.setattr(planner, "think", slowly)
        plan(world)
        assert len(thoughts) == 2
        planned = world.row(WorkOrderRow, WorkOrderRow.id == long.id)
        held = world.row(SlotHoldRow)
        assert planned.planned_start is not None
        assert planned.planned_start >= held.starts_at + timedelta(minutes=120)


class TestConfirming:
    def test_gives_an_order_its_window(self, world: World):
        job = a_job(world)
        booked = book(world, job)
        assert (booked.number, booked.start, booked.end) == (job.number, *TEN)
        order = world.work_order(job)
        assert (order.window.start, order.window.end) == TEN
        assert order.state is WorkOrderState.UNASSIGNED

    def test_a_second_time_answers_the_same(self, world: World):
        held = hold(world, a_job(world))
        once = confirm(world.database, world.settings, held.id, NOW, by="Dora")
        later = NOW + timedelta(hours=1)
        assert confirm(world.database, world.settings, held.id, later, by="Dora") == once

    def test_keeps_the_place_for_good(self, world: World):
        book(world, a_job(world, 120))
        assert windows(world, a_job(world, 120), NOW + timedelta(hours=1)) == {EIGHT, NOON}

    def test_of_a_hold_that_ran_out_or_was_given_back_is_refused_and_nothing_moves(self, world: World):
        job = a_job(world)
        held = hold(world, job)
        with pytest.raises(NoLongerFree):
            confirm(world.database, world.settings, held.id, NOW + HOLD, by="Dora")
        give_back(world.database, held.id, NOW)
        with pytest.raises(NoLongerFree):
            confirm(world.database, world.settings, held.id, NOW, by="Dora")
        assert world.work_order(job).window is None

    def test_and_what_is_confirmed_is_not_given_back(self, world: World):
        held = hold(world, a_job(world))
        confirm(world.database, world.settings, held.id, NOW, by="Dora")
        with pytest.raises(Conflict, match="move the visit"):
            give_back(world.database, held.id, NOW)

    def test_moves_a_visit_from_its_old_day(self, world: World):
        job = a_job(world)
        monday = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
        with world.database.write() as session:
            row = session.get_one(WorkOrderRow, job.id)
            row.state, row.technician_id = WorkOrderState.ASSIGNED, world.ana.technician_id
            row.planned_start, row.planned_end = monday, monday + timedelta(hours=1)
        book(world, job)
        order = world.work_order(job)
        assert (order.state, order.technician_id) == (WorkOrderState.UNASSIGNED, None)
        assert (order.window.start, order.window.end) == TEN

    def test_in_a_planned_day_gives_it_a_technician_and_moves_who_must_wait(self, world: World):
        waits = a_job(world, 60, window_start=at(10), window_end=at(14))
        plan(world)
        assert world.work_order(waits).planned_start == at(10)
        job = a_job(world, 120)
        book(world, job)
        order, after = world.work_order(job), world.work_order(waits)
        assert (order.state, order.technician_id) == (WorkOrderState.ASSIGNED, world.ana.technician_id)
        assert TEN[0] <= order.planned_start < TEN[1]
        assert after.planned_start >= order.planned_end or after.planned_end <= order.planned_start
        assert at(10) <= after.planned_start < at(14)
        plan(world)
        assert {row.figures["unassigned"] for row in world.rows(DayPlanRow)} == {0}

    def test_places_an_order_that_was_not_there_yet(self, world: World):
        known = world.order(WorkOrderKind.REPAIR)
        wish = Wish(
            order=CustomerOrder(
                kind=WorkOrderKind.INSTALL, customer_id=known.customer_id, location_id=known.location_id,
                plan_code=HOME_100, skills={},
            )
        )  # fmt: skip
        held = hold(world, wish)
        assert held.work_order_id is None
        booked = confirm(world.database, world.settings, held.id, NOW, by="Dora")
        row = world.row(WorkOrderRow, WorkOrderRow.id == booked.work_order_id)
        assert (row.number, row.window_start, row.window_end) == (booked.number, *TEN)
        assert confirm(world.database, world.settings, held.id, NOW, by="Dora") == booked

    def test_of_a_new_order_in_a_planned_day_can_be_replayed_from_the_log(self, world: World):
        plan(world)
        known = world.order(WorkOrderKind.REPAIR)
        order = CustomerOrder(
            kind=WorkOrderKind.INSTALL, customer_id=known.customer_id, location_id=known.location_id,
            plan_code=HOME_100, skills={},
        )  # fmt: skip
        held = hold(world, Wish(order=order))
        booked = confirm(world.database, world.settings, held.id, NOW, by="Dora")
        row = world.row(WorkOrderRow, WorkOrderRow.id == booked.work_order_id)
        assert (row.state, row.technician_id) == (WorkOrderState.ASSIGNED, world.ana.technician_id)
        with world.database.read() as session:
            placed = max(
                entry.number for entry in session.scalars(select(EntryRow)) if str(row.id) in entry.body
            )
            commands = session.scalars(select(CommandRow).where(CommandRow.work_order_id == row.id)).all()
        assert commands
        assert all(command.number > placed for command in commands)

    def test_of_nothing_is_refused(self, world: World):
        with pytest.raises(NotFound):
            confirm(world.database, world.settings, UUID(int=7), NOW, by="Dora")
        with pytest.raises(NotFound):
            give_back(world.database, UUID(int=7), NOW)


def by_hand(world: World, job: Job, start: datetime) -> None:
    with world.database.read() as session:
        command = moves.assignment(session, job.id, world.ana.technician_id, start)
    overrides.act(world.database, world.settings, command, by="Dora", now=NOW)


def still_decided(world: World, job: Job) -> list[str]:
    with world.database.read() as session:
        return [words_of(row) for row in active(session, [job.id])]


class TestWhatAHandHasDecided:
    def test_ends_where_another_time_is_agreed_on(self, world: World):
        job = a_job(world)
        plan(world)
        by_hand(world, job, at(9))
        assert still_decided(world, job) == ["Pinned by Dora"]
        book(world, job, TWO)
        plan(world)
        assert still_decided(world, job) == []
        assert TWO[0] <= world.work_order(job).planned_start < TWO[1]

    def test_does_not_bound_the_times_that_are_offered(self, world: World):
        pinned, out = a_job(world), a_job(world)
        plan(world)
        by_hand(world, pinned, at(9))
        off = UnassignWorkOrder(work_order_id=out.id)
        overrides.act(world.database, world.settings, off, by="Dora", now=NOW)
        assert still_decided(world, out) == ["Kept out of the plan by Dora"]
        assert {TEN, NOON, TWO} <= windows(world, pinned)
        assert {TEN, NOON, TWO} <= windows(world, out)


class TestASavedPlan:
    """Who holds a slot keeps it, whatever is tried out or applied meanwhile."""

    def tried(self, world: World) -> UUID:
        effort = Effort(rounds=50, threads=1, seed=1)
        return save(world.database, world.settings, DAY, "If", (), effort, by="Marja", now=NOW).id

    def test_made_before_the_hold_leaves_it_its_place(self, world: World):
        long = a_job(world, 200, window_start=at(10), window_end=at(16))
        saved = self.tried(world)
        hold(world, a_job(world, 120), TEN)
        before = world.row(SlotHoldRow).starts_at
        applied = apply_saved(world.database, world.settings, saved, by="Marja", now=NOW)
        assert [(one.number, one.became) for one in applied.moves] == [(long.number, "no longer possible")]
        assert world.row(SlotHoldRow).starts_at == before
        assert world.work_order(long).planned_start is None

    def test_made_with_it_names_no_hold_and_moves_none(self, world: World):
        job, asks = a_job(world), a_job(world, 120)
        hold(world, asks, TEN)
        before = world.row(SlotHoldRow).starts_at
        saved = self.tried(world)
        told = compare(world.database, world.settings, DAY, [saved], NOW)
        assert told.sides[0].promises_broken == ()
        assert {one.number for one in told.sides[1].moved} <= {job.number, asks.number}
        applied = apply_saved(world.database, world.settings, saved, by="Marja", now=NOW)
        assert {one.number for one in applied.moves} <= {job.number, asks.number}
        assert world.row(SlotHoldRow).starts_at == before


def test_a_hold_confirmed_while_the_scheduler_thinks_makes_it_think_again(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    from server.dispatch import planner

    held = hold(world, a_job(world, 120))
    think, thoughts = planner.think, []

    def slowly(*asked: Any) -> Any:
        thoughts.append(asked)
        if len(thoughts) == 1:
            confirm(world.database, world.settings, held.id, NOW, by="Dora")
        return think(*asked)

    monkeypatch.setattr(planner, "think", slowly)
    plan(world)
    assert len(thoughts) == 2
