"""Will the promise be kept? One technician's day, and what the clock makes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from server.dispatch.timeliness import Level, Stop, Timeliness, follow_route, judge_alone
from shared.work_orders import WorkOrderState as State

HELSINKI = ZoneInfo("Europe/Helsinki")


def at(hour: int, minute: int = 0) -> datetime:
    """A time of one November day in Helsinki, two hours ahead of UTC."""
    return datetime(2026, 11, 23, hour - 2, minute, tzinfo=UTC)


def a_stop(number: int = 1, **values: Any) -> Stop:
    """Planned 10:00–11:00 after 20 minutes of travel, promised for 10–12."""
    return Stop(
        **{
            "id": UUID(int=number),
            "state": State.ASSIGNED,
            "expected_minutes": 60,
            "travel_minutes": 20,
            "window_start": at(10),
            "window_end": at(12),
            "planned_start": at(10),
            "planned_end": at(11),
            **values,
        }
    )


def only(stop: Stop, now: datetime) -> Timeliness:
    return follow_route([stop], now, HELSINKI).stops[0]


class TestAPlannedVisit:
    def test_is_fine_while_there_is_time_to_get_there(self):
        verdict = only(a_stop(), at(9, 40))
        assert (verdict.level, verdict.words, verdict.expected_arrival) == (Level.FINE, "", at(10))

    def test_is_expected_a_journey_from_now_when_nobody_has_set_out(self):
        assert only(a_stop(), at(10, 30)).expected_arrival == at(10, 50)

    def test_is_at_risk_in_the_last_quarter_of_an_hour(self):
        assert only(a_stop(), at(11, 25)).level is Level.FINE
        verdict = only(a_stop(), at(11, 26))
        assert (verdict.level, verdict.words) == (Level.AT_RISK, "Expected 11:46, promised until 12:00")

    def test_is_late_when_it_cannot_begin_within_the_window(self):
        verdict = only(a_stop(), at(11, 50))
        assert verdict.level is Level.LATE
        assert verdict.words == "Expected 12:10, promised until 12:00"
        assert verdict.minutes_late == 10

    def test_has_nothing_to_miss_without_a_window(self):
        assert only(a_stop(window_start=None, window_end=None), at(20)).level is Level.FINE


class TestAVisitUnderWay:
    def test_is_expected_when_its_travel_ends_and_never_in_the_past(self):
        stop = a_stop(state=State.TRAVELLING, travel_started_at=at(9, 45))
        assert only(stop, at(9, 50)).expected_arrival == at(10, 5)
        assert only(stop, at(10, 30)).expected_arrival == at(10, 30)

    def test_lasts_as_long_as_planned_and_then_until_it_ends(self):
        stop = a_stop(state=State.ON_SITE, arrived_at=at(10, 10))
        assert only(stop, at(10, 30)).expected_end == at(11, 10)
        assert only(stop, at(11, 30)).expected_end == at(11, 30)

    def test_stays_late_when_it_began_late(self):
        verdict = only(a_stop(state=State.ON_SITE, arrived_at=at(12, 7)), at(12, 30))
        assert (verdict.level, verdict.words) == (Level.LATE, "Arrived 12:07, promised until 12:00")
        assert verdict.minutes_late == 7


class TestAFinishedVisit:
    def test_is_judged_by_its_arrival(self):
        done = {"state": State.COMPLETED, "finished_at": at(12, 40)}
        assert only(a_stop(arrived_at=at(11, 59), **done), at(15)).level is Level.FINE
        assert only(a_stop(arrived_at=at(12), **done), at(15)).level is Level.LATE

    def test_is_not_judged_when_it_was_cancelled(self):
        stop = a_stop(state=State.CANCELLED, sla_due_at=at(9), finished_at=at(9, 30))
        assert only(stop, at(15)).level is Level.FINE


class TestTheSla:
    def test_is_broken_by_the_end_of_the_work_not_by_its_beginning(self):
        stop = a_stop(sla_due_at=at(10, 45), window_end=at(14))
        verdict = only(stop, at(9, 30))
        assert (verdict.level, verdict.words) == (Level.LATE, "Expected done 11:00, SLA due 10:45")
        assert verdict.minutes_late == 15

    def test_stops_when_the_work_is_done(self):
        stop = a_stop(state=State.COMPLETED, arrived_at=at(10), finished_at=at(10, 40), sla_due_at=at(10, 45))
        assert only(stop, at(18)).level is Level.FINE

    def test_names_the_day_when_it_is_another_one(self):
        stop = a_stop(sla_due_at=at(9) - timedelta(days=1))
        assert only(stop, at(9)).words == "Expected done 11:00, SLA due 22.11. 09:00"


class TestARoute:
    def test_carries_a_delay_from_visit_to_visit(self):
        first = a_stop(1, state=State.ON_SITE, arrived_at=at(10, 40))
        second = a_stop(2, planned_start=at(11, 20), planned_end=at(12), window_end=at(12))
        route = follow_route([second, first], at(10, 50), HELSINKI)
        assert [stop.id for stop in route.stops] == [UUID(int=1), UUID(int=2)]
        assert route.stops[1].expected_arrival == at(12)
        assert route.stops[1].level is Level.LATE
        assert route.minutes_behind == 40

    def test_does_not_run_ahead_of_its_plan(self):
        first = a_stop(1, state=State.COMPLETED, arrived_at=at(8), finished_at=at(8, 30))
        assert follow_route([first, a_stop(2)], at(9), HELSINKI).stops[1].expected_arrival == at(10)

    def test_is_not_delayed_by_a_cancelled_visit(self):
        gone = a_stop(1, state=State.CANCELLED, planned_start=at(9), planned_end=at(9, 50))
        route = follow_route([gone, a_stop(2)], at(9), HELSINKI)
        assert (route.minutes_behind, route.stops[1].expected_arrival) == (0, at(10))

    def test_without_a_stop_is_on_time(self):
        assert follow_route([], at(9), HELSINKI).minutes_behind == 0


class TestAJobThatNobodyHas:
    @pytest.mark.parametrize(
        ("now", "level", "words"),
        [
            (at(9, 59), Level.FINE, ""),
            (at(10), Level.AT_RISK, "Nobody assigned, promised until 12:00"),
            (at(12, 30), Level.LATE, "Nobody went, promised until 12:00"),
        ],
    )
    def test_is_late_when_its_window_has_passed(self, now: datetime, level: Level, words: str):
        stop = a_stop(state=State.UNASSIGNED, planned_start=None, planned_end=None)
        (verdict,) = judge_alone([stop], now, HELSINKI)
        assert (verdict.level, verdict.words, verdict.expected_arrival) == (level, words, None)


class TestDrift:
    def test_is_told_before_a_promise_is_in_danger(self):
        """Expected 10:21 for 10:00: the window is open until noon, and somebody should know already."""
        verdict = only(a_stop(), at(10, 1))
        assert (verdict.level, verdict.drift_minutes) == (Level.FINE, 21)
        assert verdict.words == "Expected 10:21, 21 min later than planned"

    def test_of_a_quarter_of_an_hour_is_none(self):
        assert only(a_stop(), at(9, 55)).drift_minutes == 0
        assert only(a_stop(), at(9, 56)).drift_minutes == 16

    def test_goes_on_to_every_later_visit(self):
        first = a_stop(state=State.ON_SITE, arrived_at=at(10), planned_end=at(10, 30), expected_minutes=30)
        later = a_stop(2, planned_start=at(10, 50), planned_end=at(11, 20), window_end=at(15))
        route = follow_route([first, later], at(11, 30), HELSINKI)
        assert [stop.drift_minutes for stop in route.stops] == [0, 60]

    def test_is_beside_the_words_of_a_window_that_is_nearly_missed(self):
        verdict = only(a_stop(), at(11, 30))
        assert (verdict.level, verdict.drift_minutes) == (Level.AT_RISK, 110)
        assert verdict.words == "Expected 11:50, promised until 12:00"

    def test_is_none_for_who_is_there_or_was(self):
        there = a_stop(state=State.ON_SITE, arrived_at=at(11))
        done = a_stop(state=State.COMPLETED, arrived_at=at(11), finished_at=at(11, 40))
        assert only(there, at(11, 30)).drift_minutes == only(done, at(12)).drift_minutes == 0
