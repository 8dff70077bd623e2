"""The board of one day: what is on it, why a job is left out, who waits for a decision."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from console_day import Console, a_console, add_held, add_work_order
from sqlalchemy.orm import Session

from server.clock import mint
from server.db import feed
from server.dispatch.board import day_bounds, snapshot, work_orders
from server.dispatch.cards import Board, LeftOut
from server.dispatch.models import DayPlanRow, UnassignedRow
from server.inbox.acts import dismiss
from shared.problems import BadValue


@pytest.fixture
def console(database_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(database_url, tmp_path) as found:
        yield found


def look(console: Console, now: datetime | None = None) -> Board:
    with console.database.read() as session:
        return snapshot(session, console.today, console.zone, now or console.now)


def topics_told(console: Console, count: int) -> list[str]:
    """What the feed tells the board, as soon as `count` are there: other databases' work can hold it back."""
    for _ in range(200):
        with console.database.read() as session:
            topics = [change.topic for change in feed.read(session, [feed.BOARD], feed.Position())]
        if len(topics) >= count:
            break
        time.sleep(0.02)
    return topics


def a_plan(session: Session, console: Console, made_at: datetime, left_out: dict[UUID, str]) -> None:
    plan = DayPlanRow(
        id=mint(), day=console.today, made_at=made_at, engine="OR-Tools", roads="crow flight",
        roads_estimated=True, seconds=1.5, seed=1, figures={}, lunches={},
    )  # fmt: skip
    session.add(plan)
    session.flush()
    for order, reason in left_out.items():
        session.add(
            UnassignedRow(id=mint(), day_plan_id=plan.id, work_order_id=order, code="no-time", reason=reason)
        )


class TestTheDayOfABoard:
    def test_is_a_local_day_even_when_clocks_change(self):
        helsinki = ZoneInfo("Europe/Helsinki")
        start, end = day_bounds(date(2026, 10, 25), helsinki)
        assert (start.astimezone(UTC).isoformat(), end.astimezone(UTC).isoformat()) == (
            "2026-10-24T21:00:00+00:00",
            "2026-10-25T22:00:00+00:00",
        )

    @pytest.mark.parametrize("day", [date(1, 1, 1), date(9999, 12, 31)])
    def test_that_no_calendar_can_count_from_is_refused(self, day: date):
        with pytest.raises(BadValue, match=f"There is no plan for the year {day.year}"):
            day_bounds(day, ZoneInfo("Europe/Helsinki"))

    def test_shows_what_is_planned_promised_or_finished_on_it_and_nothing_else(self, console: Console):
        aino = console.technician()
        noon, day = console.at(12), timedelta(days=1)
        hour = timedelta(hours=1)
        here = {
            "planned": {"technician": aino, "planned_start": noon, "planned_end": noon + hour},
            "promised": {"window_start": noon, "window_end": noon + hour},
            "finished": {"technician": aino, "state": "completed", "finished_at": noon},
            "waiting since yesterday": {"window_start": noon - day, "window_end": noon - day + hour},
            "without a window": {},
        }
        elsewhere = (
            {"technician": aino, "planned_start": noon + day, "planned_end": noon + day + hour},
            {"window_start": noon + day, "window_end": noon + day + hour},
            {"technician": aino, "state": "completed", "finished_at": noon - day},
        )
        wanted = {console.work_order(**values) for values in here.values()}
        unwanted = [console.work_order(**values) for values in elsewhere]
        assert {card.id for card in look(console).work_orders} == wanted
        # The rule for one card that has just changed is the same.
        start, end = day_bounds(console.today, console.zone)
        with console.database.read() as session:
            cards = work_orders(session, [*wanted, *unwanted])
        assert {card.id for card in cards if card.is_of(start, end)} == wanted


class TestAJobThatNobodyHas:
    def test_says_why_in_the_newest_plans_words(self, console: Console):
        order = console.work_order()
        with console.database.write() as session:
            a_plan(session, console, console.at(6), {order: "No time before noon"})
            a_plan(session, console, console.at(7), {order: "No time at all"})
        assert look(console).unassigned == (
            LeftOut(work_order_id=order, code="no-time", reason="No time at all"),
        )

    def test_has_no_old_reason_when_the_newest_plan_had_planned_it(self, console: Console):
        order = console.work_order()
        with console.database.write() as session:
            a_plan(session, console, console.at(6), {order: "No time before noon"})
            a_plan(session, console, console.at(7), {})
        assert look(console).unassigned == (
            LeftOut(work_order_id=order, code="not-planned", reason="Not in a plan yet"),
        )


class TestTheBoard:
    def test_counts_by_state_and_says_who_is_late(self, console: Console):
        aino, eetu = console.technician("Aino Virtanen"), console.technician("Eetu Korhonen")
        late = console.work_order(
            technician=aino,
            planned_start=console.at(9),
            planned_end=console.at(10),
            window_start=console.at(9),
            window_end=console.at(10),
            lat=59.31,
        )
        here = console.work_order(
            technician=eetu,
            state="on_site",
            planned_start=console.at(10),
            planned_end=console.at(11),
            arrived_at=console.at(10),
            lat=59.33,
        )
        console.work_order(technician=eetu, state="cancelled", finished_at=console.at(9))
        board = look(console, console.at(10, 30))
        totals = board.totals
        assert (totals.work_orders, totals.assigned, totals.under_way, totals.cancelled) == (3, 1, 1, 1)
        assert (totals.late, totals.at_risk, totals.unassigned, totals.held) == (1, 0, 0, 0)
        verdict = next(verdict for verdict in board.now.work_orders if verdict.id == late)
        assert verdict.words == "Expected 10:30, promised until 10:00"
        people = {one.id: one for one in board.now.technicians}
        assert people[aino].minutes_behind == 90
        assert (people[aino].doing, people[aino].lat) == (None, None)
        assert (people[eetu].doing, people[eetu].work_order_id, people[eetu].lat) == ("at", here, 59.33)

    def test_shows_the_plan_in_force_and_when_lunch_is(self, console: Console):
        aino = console.technician()
        with console.database.write() as session:
            a_plan(session, console, console.at(6), {})
            plan = session.query(DayPlanRow).one()
            plan.lunches = {str(aino): 690}
        board = look(console)
        assert board.plan is not None
        assert (board.plan.engine, board.plan.roads_estimated) == ("OR-Tools", True)
        assert board.technicians[0].lunch_planned_minute == 690
        assert board.technicians[0].van == "Van of Aino Virtanen"

    def test_is_empty_before_anything_is_there(self, console: Console):
        board = look(console)
        assert (board.plan, board.technicians, board.work_orders, board.held) == (None, (), (), ())


class TestHeldWork:
    def test_says_who_meant_what_and_what_is_in_the_way(self, console: Console):
        aino = console.technician("Aino Virtanen")
        with console.database.write() as session:
            order = add_work_order(session, technician=aino, number="WO-7")
            add_held(session, aino, order, console.now)
        (card,) = look(console).held
        assert (card.who, card.wanted, card.number) == (
            "Aino Virtanen",
            "install device ZTEGC0DE1234",
            "WO-7",
        )
        assert card.detail == "ZTEGC0DE1234 is installed at another address already"

    def test_leaves_the_board_once_somebody_has_decided_it(self, console: Console):
        aino = console.technician()
        with console.database.write() as session:
            command = add_held(session, aino, add_work_order(session, technician=aino), console.now).id
        dismiss(console.database, command, "Dora", "tried twice")
        assert look(console).held == ()
        assert topics_told(console, 2) == ["CommandHeld", "HeldCommandDismissed"]
