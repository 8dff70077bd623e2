"""Plans of given times: what the solver made comes out again, and what can't be is said by the checker."""

from __future__ import annotations

import pytest
from days import a_day, a_job, ann, at, bob, random_days, window, without_more_times
from every_rule import a_day_of_everything
from hypothesis import given, settings

from scheduler.check import check
from scheduler.plan import Unassigned
from scheduler.request import Lunch, PlanRequest
from scheduler.solve import solve
from scheduler.told import told

LUNCH = Lunch(earliest=at("11:00"), latest=at("12:00"), minutes=30)


def rules(request: PlanRequest, **places: tuple[str, str]) -> list[tuple[str, str | None]]:
    """What the checker finds wrong with jobs at (technician, clock)."""
    plan = told(request, {job: (person, at(clock)) for job, (person, clock) in places.items()})
    return [(found.rule, found.job_id) for found in check(request, plan)]


class TestWhatCanBe:
    def test_visits_are_where_they_were_said_to_be_and_the_rest_is_undone(self) -> None:
        day = a_day(a_job("a", place=1), a_job("b", place=3), a_job("c", place=2), technicians=(ann(), bob()))
        reason = Unassigned(job_id="c", code="skill", reason="nobody can")
        plan = told(day, {"b": ("bob", at("10:00")), "a": ("bob", at("09:00"))}, left_out={"c": reason})
        assert check(day, plan) == []
        assert [(who, v.job_id, v.arrive, v.start) for who, v in plan.visits()] == [
            ("bob", "a", at("08:10"), at("09:00")),
            ("bob", "b", at("09:50"), at("10:00")),
        ]
        assert plan.routes[0].visits == ()
        assert (plan.routes[1].leave, plan.routes[1].back) == (at("08:50"), at("11:00"))
        assert plan.unassigned == (reason,)
        assert plan.cost.unserved == day.weights.leave_undone(day.jobs[2])

    def test_lunch_is_put_where_it_disturbs_nobody(self) -> None:
        day = a_day(a_job("a"), a_job("b"), technicians=(ann(lunch=LUNCH),))
        plan = told(day, {"a": ("ann", at("10:30")), "b": ("ann", at("11:30"))})
        assert (plan.routes[0].lunch_start, check(day, plan)) == (at("11:00"), [])
        plan = told(day, {"a": ("ann", at("11:00")), "b": ("ann", at("11:35"))})
        # Done at 12:05: too late for lunch, which is from 11 to 12, and no half hour is free before.
        assert plan.routes[0].lunch_start is None
        assert [found.rule for found in check(day, plan)] == ["lunch"]

    def test_a_lunch_that_was_planned_is_kept(self) -> None:
        day = a_day(a_job("a"), a_job("b"), technicians=(ann(lunch=LUNCH),))
        places = {"a": ("ann", at("09:00")), "b": ("ann", at("13:00"))}
        assert told(day, places, lunches={"ann": at("11:45")}).routes[0].lunch_start == at("11:45")
        assert told(day, places).routes[0].lunch_start == at("11:00")

    @settings(max_examples=60, deadline=None)
    @given(request=random_days().map(without_more_times))
    def test_a_plan_of_the_solver_comes_out_as_one_that_can_be_and_costs_the_same(
        self, request: PlanRequest
    ) -> None:
        made = solve(request, seconds=0)
        again = told(
            request,
            {visit.job_id: (person, visit.start) for person, visit in made.visits()},
            left_out={left.job_id: left for left in made.unassigned},
            lunches={r.technician_id: r.lunch_start for r in made.routes if r.lunch_start is not None},
        )
        assert check(request, again) == []
        assert (again.cost, again.unassigned) == (made.cost, made.unassigned)


class TestWhatMoreTellsTheTime:
    TEA = Lunch(earliest=at("14:00"), latest=at("15:00"), minutes=15)

    @given(random_days())
    @settings(max_examples=60, deadline=None)
    def test_a_plan_of_the_solver_comes_out_as_one_that_can_be(self, day: PlanRequest) -> None:
        made = solve(day, seconds=0)
        plan = told(day, {visit.job_id: (person, visit.start) for person, visit in made.visits()})
        assert [one.text for one in check(day, plan)] == []
        assert plan.cost.total - plan.cost.overtime <= made.cost.total

    @pytest.mark.parametrize("seed", range(8))
    def test_so_does_one_of_a_day_on_which_every_rule_speaks(self, seed: int) -> None:
        day = a_day_of_everything(seed)
        made = solve(day, seconds=0)
        plan = told(day, {visit.job_id: (person, visit.start) for person, visit in made.visits()})
        assert [one.text for one in check(day, plan) if one.rule not in ("forgotten",)] == []

    def test_breaks_beside_lunch_have_a_place(self) -> None:
        day = a_day(a_job("a"), a_job("b"), technicians=(ann(lunch=LUNCH, breaks=(self.TEA,)),))
        plan = told(day, {"a": ("ann", at("13:20")), "b": ("ann", at("14:30"))})
        assert (plan.routes[0].lunch_start, plan.routes[0].break_starts) == (at("11:00"), (at("14:00"),))
        assert check(day, plan) == []

    def test_a_break_without_a_place_is_said(self) -> None:
        day = a_day(a_job("a", minutes=90), technicians=(ann(breaks=(self.TEA,)),))
        plan = told(day, {"a": ("ann", at("13:50"))})
        assert [found.rule for found in check(day, plan)] == ["lunch"]

    def test_a_setup_counts_unless_it_is_shared(self) -> None:
        day = a_day(
            a_job("a", setup_minutes=20), a_job("b", setup_minutes=20), a_job("c", place=2, setup_minutes=5)
        )
        plan = told(day, {"a": ("ann", at("09:00")), "b": ("ann", at("09:50")), "c": ("ann", at("11:00"))})
        assert [visit.end for _, visit in plan.visits()] == [at("09:50"), at("10:20"), at("11:35")]
        assert check(day, plan) == []

    def test_a_drive_takes_as_long_as_the_hour_says(self) -> None:
        pace = tuple(500 if hour == 9 else 1000 for hour in range(24))
        day = a_day(a_job("a", place=1), a_job("b", place=4), pace=pace)
        assert rules(day, a=("ann", "08:30"), b=("ann", "09:30")) == [("travel", "b")]
        assert rules(day, a=("ann", "08:30"), b=("ann", "10:00")) == []


class TestWhatCannotBe:
    def test_a_drive_that_takes_longer_than_there_is_time(self) -> None:
        day = a_day(a_job("a", place=1), a_job("b", place=4))
        assert rules(day, a=("ann", "09:00"), b=("ann", "09:55")) == [("travel", "b")]

    def test_a_promise_and_a_shift_that_are_broken(self) -> None:
        day = a_day(a_job("a", windows=(window("09:00", "10:00"),)), a_job("b"))
        assert rules(day, a=("ann", "10:30"), b=("ann", "15:40")) == [("window", "a"), ("shift", None)]

    def test_strangers_are_passed_over(self) -> None:
        day = a_day(a_job("a"))
        assert [left.job_id for left in told(day, {"a": ("zoe", 600), "x": ("ann", 600)}).unassigned] == ["a"]
