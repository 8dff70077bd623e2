"""Work orders that depend on each other: linked by the office, kept by plans, said where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from planned_day import DAWN, DAY, an_order, at, change
from world import Job, World, a_world

from scheduler.request import PlanRequest
from server.db.feed_models import FeedRow
from server.dispatch import absences, link_rows, moves, overrides, saved_plans
from server.dispatch.absences import Reason
from server.dispatch.applying import apply_saved
from server.dispatch.board import snapshot
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.fitting import suits, who_suits
from server.dispatch.insertions import find_insertions
from server.dispatch.link_rows import NewLink, WorkOrderLinkRow
from server.dispatch.mending import apply_mend, propose_mend
from server.dispatch.plan_booking import Overtaken, book
from server.dispatch.plan_records import open_record
from server.dispatch.plan_request import ask
from server.dispatch.planner import plan_day, propose
from server.dispatch.roads import travel_times
from server.dispatch.thinking import Effort
from server.dispatch.time_slots import Wish, offers
from server.dispatch.what_if import OrderMoved, OrderRemoved
from server.work_orders.models import WorkOrderRow
from shared.problems import AlreadyClosed, BadValue, ChangedMeanwhile, Conflict, NotFound
from shared.work_orders import WorkOrderState

ANA, BEN = "Ana Virtanen", "Ben Korhonen"
HOUR = timedelta(hours=1)


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as world:
        yield world


def link(world: World, job: Job, other: Job, kind: str = "after", **gaps: Any) -> UUID:
    with world.database.write() as session:
        wanted = NewLink(kind=kind, number=other.number, **gaps)  # type: ignore[arg-type]
        return link_rows.make(session, job.id, wanted, by="Marja", now=DAWN)


def plan(world: World, now: datetime = DAWN) -> dict[str, str]:
    """Plan the day; number → why it was left out."""
    outcome = plan_day(world.database, world.settings, DAY, seconds=0, now=now)
    return {number: reason for number, _, reason in outcome.unassigned}


def asked(world: World, now: datetime = DAWN, *, anew: bool = True) -> PlanRequest:
    with world.database.read() as session:
        rows = read_day(session, clock_of(world.settings, DAY, now), now).rows
    request = ask(rows, travel_times(world.settings), anew=anew).request
    assert request
    return request


def row(world: World, job: Job) -> WorkOrderRow:
    with world.database.read() as session:
        return session.get_one(WorkOrderRow, job.id)


def told(world: World, job: Job, technician: UUID, hour: int, minutes: int = 60, **columns: Any) -> None:
    change(
        world, job, state=WorkOrderState.ASSIGNED, technician_id=technician, planned_start=at(hour),
        planned_end=at(hour) + timedelta(minutes=minutes), route_position=hour, expected_minutes=minutes,
        **columns,
    )  # fmt: skip


class TestMakingALink:
    def test_is_kept_and_open_boards_hear_of_both(self, world: World):
        drop, splice = an_order(world), an_order(world)
        made = link(world, splice, drop, gap_least=30, gap_most=240)
        [kept] = world.rows(WorkOrderLinkRow)
        assert (kept.id, kept.kind, kept.work_order_id, kept.other_id) == (made, "after", splice.id, drop.id)
        assert (kept.gap_least, kept.gap_most, kept.made_by) == (30, 240, "Marja")
        topics = {one.key for one in world.rows(FeedRow) if one.topic == "WorkOrderLinked"}
        assert topics == {str(drop.id), str(splice.id)}

    def test_in_a_circle_is_refused_with_the_way_round(self, world: World):
        drop, splice, install = (an_order(world) for _ in range(3))
        link(world, splice, drop)
        link(world, install, splice)
        with pytest.raises(Conflict, match=f"That would be a circle: .*{drop.number} after {install.number}"):
            link(world, drop, install)
        assert len(world.rows(WorkOrderLinkRow)) == 2

    def test_in_a_circle_by_way_of_those_that_begin_together_is_one_too(self, world: World):
        drop, mate, splice = (an_order(world) for _ in range(3))
        link(world, mate, drop, "together")
        link(world, splice, drop)
        with pytest.raises(Conflict, match="That would be a circle"):
            link(world, mate, splice)

    def test_of_two_that_wait_for_each_others_begin_and_end_is_refused(self, world: World):
        drop, mate = an_order(world), an_order(world)
        link(world, mate, drop, "together")
        with pytest.raises(Conflict, match="are linked already"):
            link(world, drop, mate)

    def test_that_leaves_too_little_time_is_refused(self, world: World):
        drop, splice, install = (an_order(world) for _ in range(3))
        link(world, splice, drop)
        link(world, install, splice)
        with pytest.raises(Conflict, match=r"contradict each other.* is shorter than what else must happen"):
            link(world, install, drop, gap_most=10)

    def test_of_more_than_there_are_technicians_is_refused(self, world: World):
        one, two, three = (an_order(world) for _ in range(3))
        link(world, one, two, "together")
        with pytest.raises(Conflict, match="has 3 jobs, there are 2 technicians"):
            link(world, three, two, "together")

    def test_to_itself_to_nothing_or_out_of_bounds_is_refused(self, world: World):
        drop, splice = an_order(world), an_order(world)
        with pytest.raises(BadValue, match="can't depend on itself"):
            link(world, drop, drop)
        with world.database.write() as session, pytest.raises(NotFound, match="no work order WO-NONE"):
            link_rows.make(session, drop.id, NewLink(kind="after", number="WO-NONE"), by="M", now=DAWN)
        for gaps in ({"gap_least": -1}, {"gap_least": 30, "gap_most": 10}, {"gap_most": 1_000_000}):
            with pytest.raises(BadValue):
                link(world, splice, drop, **gaps)
        with pytest.raises(BadValue, match="Nothing lies between"):
            link(world, splice, drop, "together", gap_least=10)
        assert world.rows(WorkOrderLinkRow) == []

    def test_of_what_has_begun_or_will_never_be_done_is_refused(self, world: World):
        drop, splice = an_order(world), an_order(world)
        change(world, splice, state=WorkOrderState.ON_SITE, technician_id=world.ana.technician_id)
        with pytest.raises(AlreadyClosed, match="has begun or is over"):
            link(world, splice, drop)
        change(world, splice, state=WorkOrderState.CANCELLED)
        with pytest.raises(Conflict, match="was cancelled: nobody will do it"):
            link(world, drop, splice)
        change(world, splice, state=WorkOrderState.COMPLETED, finished_at=at(8))
        with pytest.raises(AlreadyClosed, match="nothing can begin with it"):
            link(world, drop, splice, "together")
        link(world, drop, splice)  # one that is done counts by its real end

    def test_is_undone_by_taking_it_away(self, world: World):
        drop, splice = an_order(world), an_order(world)
        made = link(world, splice, drop)
        with world.database.write() as session:
            with pytest.raises(NotFound):
                link_rows.remove(session, UUID(int=7), made, by="M", now=DAWN)
            link_rows.remove(session, drop.id, made, by="Marja", now=DAWN)
        assert world.rows(WorkOrderLinkRow) == []


class TestThePlan:
    def test_keeps_one_after_another_whoever_goes(self, world: World):
        drop, splice, install = (an_order(world) for _ in range(3))
        link(world, splice, drop, gap_least=20)
        link(world, install, splice)
        assert plan(world) == {}
        first, second, third = (row(world, job) for job in (drop, splice, install))
        assert second.planned_start >= first.planned_end + timedelta(minutes=20)
        assert third.planned_start >= second.planned_end

    def test_sends_two_people_at_one_minute(self, world: World):
        one, two = an_order(world), an_order(world)
        link(world, one, two, "together")
        assert plan(world) == {}
        a, b = row(world, one), row(world, two)
        assert a.planned_start == b.planned_start
        assert {a.technician_id, b.technician_id} == {world.ana.technician_id, world.ben.technician_id}

    def test_leaves_both_out_with_a_reason_where_only_one_is_there(self, world: World):
        one, two = an_order(world), an_order(world)
        link(world, one, two, "together")
        with world.database.write() as session:
            absences.note(session, world.ben.technician_id, at(0), at(23), Reason.SICK, by="Dora", now=DAWN)
        left = plan(world)
        assert left.keys() == {one.number, two.number}
        assert "has 2 jobs, there are 1 technicians" in left[one.number]

    def test_waits_for_the_real_end_of_what_is_over(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop, gap_least=60)
        change(
            world, drop, state=WorkOrderState.COMPLETED, technician_id=world.ana.technician_id,
            arrived_at=at(8), finished_at=at(10, 10),
        )  # fmt: skip
        assert plan(world, now=at(10, 15)) == {}
        assert row(world, splice).planned_start == at(11, 10)

    def test_counts_what_was_done_on_another_day_and_what_is_planned_for_one(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop)
        change(
            world, drop, state=WorkOrderState.COMPLETED, technician_id=world.ana.technician_id,
            arrived_at=at(8) - timedelta(days=3), finished_at=at(9) - timedelta(days=3),
        )  # fmt: skip
        assert plan(world) == {}
        told(world, drop, world.ana.technician_id, 9)
        change(
            world, drop, arrived_at=None, finished_at=None, planned_start=at(9) + timedelta(days=1),
            planned_end=at(10) + timedelta(days=1),
        )  # fmt: skip
        assert plan(world) == {splice.number: f"waits for {drop.number}, which ends 17.11. 10:00"}
        assert row(world, splice).state == WorkOrderState.UNASSIGNED

    @pytest.mark.parametrize(
        ("state", "words"),
        [("cancelled", "which was cancelled"), ("unfinished", "which could not be finished")],
    )
    def test_leaves_out_what_waits_for_something_nobody_will_do(self, world: World, state: str, words: str):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop)
        change(world, drop, state=state, finished_at=at(5))
        assert plan(world)[splice.number] == f"waits for {drop.number}, {words}"

    def test_says_of_a_whole_row_for_what_it_waits(self, world: World):
        drop, splice, install = (an_order(world) for _ in range(3))
        link(world, splice, drop)
        link(world, install, splice)
        overrides_of = overrides.act(
            world.database, world.settings, moves_of(world, drop, world.ana.technician_id, at(9)),
            by="Marja", now=DAWN,
        )  # fmt: skip
        assert overrides_of
        change(world, drop, planned_start=at(9) + timedelta(days=1), planned_end=at(10) + timedelta(days=1))
        with world.database.write() as session:
            overrides.release(session, overrides_of, by="Marja", now=DAWN)
        assert plan(world) == {
            splice.number: f"waits for {drop.number}, which ends 17.11. 10:00",
            install.number: f"waits for {splice.number}, which is not planned",
        }

    def test_is_made_again_where_somebody_links_two_while_it_is_made(self, world: World):
        drop, splice = an_order(world), an_order(world)
        clock = clock_of(world.settings, DAY, DAWN)
        proposal = propose(world.database, world.settings, clock, seconds=0, seed=0, now=DAWN)
        link(world, splice, drop)
        with pytest.raises(Overtaken):
            book(world.database, world.settings, proposal, DAWN)
        assert row(world, splice).state == WorkOrderState.UNASSIGNED

    def test_keeps_what_a_hand_has_pinned_although_it_breaks_a_link(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop)
        told(world, drop, world.ana.technician_id, 9)
        change(world, drop, planned_start=at(9) + timedelta(days=1), planned_end=at(10) + timedelta(days=1))
        overrides.act(
            world.database, world.settings, moves_of(world, splice, world.ben.technician_id, at(10)),
            by="Marja", now=DAWN,
        )  # fmt: skip
        assert plan(world) == {}
        assert row(world, splice).planned_start == at(10)


def moves_of(world: World, job: Job, technician: UUID, start: datetime) -> Any:
    with world.database.read() as session:
        return moves.assignment(session, job.id, technician, start)


class TestAHand:
    def test_is_told_which_link_it_breaks(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop)
        told(world, drop, world.ana.technician_id, 10)
        kept = overrides.act(
            world.database, world.settings, moves_of(world, splice, world.ben.technician_id, at(10, 30)),
            by="Marja", now=DAWN,
        )  # fmt: skip
        with world.database.read() as session:
            found = overrides.opened(session, kept)  # type: ignore[arg-type]
        assert found.breaks == (f"{splice.number} starts 10:30, but {drop.number} ends 11:00",)

    def test_that_moves_one_of_two_is_told_of_the_other(self, world: World):
        one, two = an_order(world), an_order(world)
        link(world, one, two, "together")
        told(world, one, world.ana.technician_id, 10)
        told(world, two, world.ben.technician_id, 10)
        kept = overrides.act(
            world.database, world.settings, moves_of(world, two, world.ben.technician_id, at(12)),
            by="Marja", now=DAWN,
        )  # fmt: skip
        with world.database.read() as session:
            found = overrides.opened(session, kept)  # type: ignore[arg-type]
        assert found.breaks == (f"{one.number} starts 10:00, {two.number} with it 12:00",)

    def test_that_keeps_all_links_is_told_nothing(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop)
        told(world, drop, world.ana.technician_id, 9)
        kept = overrides.act(
            world.database, world.settings, moves_of(world, splice, world.ben.technician_id, at(11)),
            by="Marja", now=DAWN,
        )  # fmt: skip
        with world.database.read() as session:
            assert overrides.opened(session, kept).breaks == ()  # type: ignore[arg-type]

    def test_who_asks_for_places_gets_those_that_keep_the_link(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop, gap_least=30)
        told(world, drop, world.ana.technician_id, 10)
        found = find_insertions(world.database, world.settings, splice.id, DAWN, DAY)
        assert found.places
        assert all(place.planned_start >= at(11, 30) for place in found.places)

    def test_who_asks_for_a_place_too_early_hears_for_what_it_waits(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop)
        told(world, drop, world.ana.technician_id, 9)
        change(world, drop, planned_start=at(9) + timedelta(days=1), planned_end=at(10) + timedelta(days=1))
        reason = f"waits for {drop.number}, which ends 17.11. 10:00"
        found = find_insertions(world.database, world.settings, splice.id, DAWN, DAY)
        assert (found.places, found.against) == ((), f"{splice.number} {reason}")
        everybody = who_suits(world.database, world.settings, splice.id, DAWN, DAY).technicians
        assert {one.against for one in everybody} == {(reason,)}
        one = suits(world.database, world.settings, splice.id, world.ana.technician_id, DAWN, day=DAY)
        assert (one.possible, one.against) == (False, (reason,))


class TestADayUnderWay:
    def test_is_mended_without_parting_who_belongs_together(self, world: World):
        """Ana is ill: nobody but Ben is left, and the one who waits stays after the drop."""
        drop, splice = an_order(world, expected_minutes=60), an_order(world, expected_minutes=60)
        link(world, splice, drop)
        told(world, drop, world.ana.technician_id, 10)
        told(world, splice, world.ben.technician_id, 12)
        with world.database.write() as session:
            absences.note(session, world.ana.technician_id, at(0), at(23), Reason.SICK, by="Dora", now=DAWN)
        found = propose_mend(world.database, world.settings, DAWN, DAY, rounds=100)
        assert [move.number for move in found.choice.moves] == [drop.number]
        apply_mend(world.database, world.settings, found.choice, DAWN, by="Marja")
        assert row(world, drop).technician_id == world.ben.technician_id
        assert row(world, splice).planned_start >= row(world, drop).planned_end

    def test_a_mending_is_refused_where_somebody_has_linked_meanwhile(self, world: World):
        drop, splice = an_order(world, expected_minutes=60), an_order(world, expected_minutes=60)
        told(world, drop, world.ana.technician_id, 10)
        told(world, splice, world.ben.technician_id, 10)
        with world.database.write() as session:
            absences.note(session, world.ana.technician_id, at(0), at(23), Reason.SICK, by="Dora", now=DAWN)
        found = propose_mend(world.database, world.settings, DAWN, DAY, rounds=100)
        link(world, splice, drop)
        with pytest.raises(ChangedMeanwhile, match="linked"):
            apply_mend(world.database, world.settings, found.choice, DAWN, by="Marja")

    def test_the_board_says_who_is_late_because_of_whom(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop, gap_least=15)
        told(world, drop, world.ana.technician_id, 9)
        told(world, splice, world.ben.technician_id, 11)
        now = at(11, 30)
        change(world, drop, state=WorkOrderState.ON_SITE, arrived_at=at(11))
        with world.database.read() as session:
            board = snapshot(session, DAY, world.settings.zone, now)
        cards = {card.id: card for card in board.work_orders}
        [before] = cards[splice.id].links
        assert (before.kind, before.number, before.gap_minutes) == ("after", drop.number, 15)
        assert [one.kind for one in cards[drop.id].links] == ["before"]
        verdicts = {one.id: one for one in board.now.work_orders}
        because = f"waits for {drop.number}, expected done 12:00, and 15 min more"
        assert verdicts[splice.id].because == because
        assert verdicts[splice.id].expected_arrival == at(12, 15)
        assert verdicts[splice.id].words == f"Expected 12:15, 75 min later than planned: {because}"
        assert verdicts[drop.id].because == ""

    def test_of_two_together_only_the_one_who_waits_is_late_for_the_other(self, world: World):
        one, two, before = (an_order(world) for _ in range(3))
        link(world, one, two, "together")
        told(world, one, world.ana.technician_id, 12)
        told(world, two, world.ben.technician_id, 12)
        told(world, before, world.ben.technician_id, 9)
        change(world, before, state=WorkOrderState.ON_SITE, arrived_at=at(11, 50))
        with world.database.read() as session:
            board = snapshot(session, DAY, world.settings.zone, at(12))
        verdicts = {verdict.id: verdict for verdict in board.now.work_orders}
        assert verdicts[one.id].expected_arrival == verdicts[two.id].expected_arrival == at(12, 50)
        assert verdicts[one.id].because == f"begins with {two.number}, expected 12:50"
        assert verdicts[two.id].because == ""

    def test_two_told_to_one_technician_before_they_were_linked_hold_nobody_up(self, world: World):
        one, two = an_order(world), an_order(world)
        link(world, one, two, "together")
        told(world, one, world.ana.technician_id, 10)
        told(world, two, world.ana.technician_id, 12)
        with world.database.read() as session:
            board = snapshot(session, DAY, world.settings.zone, at(8))
        expected = {verdict.id: verdict.expected_arrival for verdict in board.now.work_orders}
        assert (expected[one.id], expected[two.id]) == (at(10), at(12))
        assert plan(world) == {}
        assert row(world, one).planned_start == row(world, two).planned_start


class TestTimeSlots:
    def test_on_offer_come_after_what_the_visit_waits_for(self, world: World):
        drop, splice = an_order(world, expected_minutes=60), an_order(world, expected_minutes=60)
        link(world, splice, drop)
        told(world, drop, world.ana.technician_id, 11)
        found = offers(
            world.database, world.settings, Wish(work_order_id=splice.id), DAWN, first=DAY, days=1
        ).slots
        assert found
        assert all(slot.end > at(12) for slot in found)

    def test_of_others_leave_linked_visits_as_they_are(self, world: World):
        drop, splice, other = (an_order(world, expected_minutes=60) for _ in range(3))
        link(world, splice, drop)
        told(world, drop, world.ana.technician_id, 9)
        told(world, splice, world.ben.technician_id, 10)
        assert offers(
            world.database, world.settings, Wish(work_order_id=other.id), DAWN, first=DAY, days=1
        ).slots

    def test_there_are_none_while_nobody_knows_when_it_ends(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop)
        wish = Wish(work_order_id=splice.id)
        assert offers(world.database, world.settings, wish, DAWN, first=DAY, days=1).slots == ()
        change(world, drop, window_start=at(8), window_end=at(10), expected_minutes=60)
        found = offers(world.database, world.settings, wish, DAWN, first=DAY, days=1).slots
        assert found
        assert all(slot.end > at(11) for slot in found)


class TestWhatIf:
    def saved(self, world: World, *changes: Any) -> saved_plans.SavedPlan:
        return saved_plans.save(
            world.database, world.settings, DAY, "If", changes, Effort(threads=1), by="Marja", now=DAWN
        )

    def test_a_plan_without_the_drop_leaves_the_splice_out(self, world: World):
        drop, splice, other = (an_order(world) for _ in range(3))
        link(world, splice, drop)
        kept = self.saved(world, OrderRemoved(work_order_id=drop.id))
        with world.database.read() as session:
            plan = open_record(session, kept.record_id).plan
        assert [visit.job_id for _, visit in plan.visits()] == [other.number]

    def test_a_move_that_parts_two_now_is_left_out_when_it_is_applied(self, world: World):
        drop, splice = an_order(world, expected_minutes=60), an_order(world, expected_minutes=60)
        told(world, drop, world.ana.technician_id, 10)
        told(world, splice, world.ben.technician_id, 12)
        move = OrderMoved(work_order_id=splice.id, technician_id=world.ben.technician_id, start=at(9))
        kept = self.saved(world, move)
        link(world, splice, drop)
        applied = apply_saved(world.database, world.settings, kept.id, by="Marja", now=DAWN)
        became = {one.number: (one.became, one.reason) for one in applied.moves}
        assert became[splice.number][0] == "no longer possible"
        assert row(world, splice).planned_start == at(12)


class TestTheRequest:
    def test_has_what_is_planned_together_and_bounds_for_the_rest(self, world: World):
        drop, splice, mate = (an_order(world) for _ in range(3))
        link(world, splice, drop, gap_least=10, gap_most=500)
        link(world, mate, splice, "together")
        jobs = {job.id: job for job in asked(world).jobs}
        [after] = jobs[splice.number].after
        assert (after.job, after.gap_least, after.gap_most) == (drop.number, 10, 500)
        assert jobs[mate.number].together == jobs[splice.number].together is not None

    def test_of_a_day_under_way_keeps_who_was_told_although_its_link_is_broken(self, world: World):
        drop, splice = an_order(world), an_order(world)
        link(world, splice, drop)
        told(world, splice, world.ben.technician_id, 10)
        change(world, drop, state=WorkOrderState.CANCELLED)
        assert splice.number not in {job.id for job in asked(world).jobs}
        assert splice.number in {job.id for job in asked(world, anew=False).jobs}
