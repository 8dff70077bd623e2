"""Plans of given times: what the solver made comes out again, and what can't be is said by the checker."""

from __future__ import annotations

from days import a_day, a_job, ann, at, bob, random_days, window
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
            ("bob", "a", at("09:00"), at("09:00")),
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

    def test_setup_breaks_and_traffic_take_their_time(self) -> None:
        coffee = Lunch(earliest=at("09:30"), latest=at("10:00"), minutes=15)
        jobs = (
            a_job("a", place=1, setup_minutes=20),
            a_job("b", place=1, setup_minutes=25),
            a_job("c", place=3),
        )
        person = ann(lunch=LUNCH, breaks=(coffee,))
        day = a_day(*jobs, technicians=(person,), pace=(1000,) * 10 + (500,) * 14)
        plan = told(day, {"a": ("ann", at("08:10")), "b": ("ann", at("09:00")), "c": ("ann", at("10:35"))})
        assert check(day, plan) == []
        (route,) = plan.routes
        # 20 minutes of setup, then 5 more for b; coffee from 9:35 to 9:50; 10 minutes' drive until 10, then
        # twice ten; lunch at 11:05, by noon, and home in an hour.
        assert [(v.arrive, v.end, v.setup_minutes) for v in route.visits] == [
            (at("08:10"), at("09:00"), 20),
            (at("09:00"), at("09:35"), 5),
            (at("10:20"), at("11:05"), 0),
        ]
        assert (route.break_starts, route.lunch_start, route.back) == (
            (at("09:35"),), at("11:05"), at("12:35"),
        )  # fmt: skip

    @settings(max_examples=150, deadline=None)
    @given(request=random_days())
    def test_a_plan_of_the_solver_comes_out_as_it_was(self, request: PlanRequest) -> None:
        comes_out_as_it_was(request)

    def test_so_does_one_of_every_rule(self) -> None:
        for seed in range(60):
            comes_out_as_it_was(a_day_of_everything(seed))


def comes_out_as_it_was(request: PlanRequest) -> None:
    """To the minute, but for a break that may be had on an earlier drive as well."""
    made = solve(request, seconds=0)
    again = told(
        request,
        {visit.job_id: (person, visit.start) for person, visit in made.visits()},
        left_out={left.job_id: left for left in made.unassigned},
        lunches={r.technician_id: r.lunch_start for r in made.routes if r.lunch_start is not None},
    )
    assert check(request, again) == []
    assert (again.cost, again.unassigned) == (made.cost, made.unassigned)
    for before, after in zip(made.routes, again.routes, strict=True):
        if before.break_starts == after.break_starts and before.lunch_start == after.lunch_start:
            assert after == before
        assert [(v.start, v.end) for v in after.visits] == [(v.start, v.end) for v in before.visits]
        assert (after.back, after.lunch_start) == (before.back, before.lunch_start)


class TestWhatCannotBe:
    def test_a_drive_that_takes_longer_than_there_is_time(self) -> None:
        day = a_day(a_job("a", place=1), a_job("b", place=4))
        assert rules(day, a=("ann", "09:00"), b=("ann", "09:55")) == [("travel", "b")]

    def test_a_promise_and_a_shift_that_are_broken(self) -> None:
        day = a_day(a_job("a", windows=(window("09:00", "10:00"),)), a_job("b"))
        assert rules(day, a=("ann", "10:30"), b=("ann", "15:40")) == [("window", "a"), ("shift", None)]

    def test_a_break_for_which_no_drive_has_room(self) -> None:
        coffee = Lunch(earliest=at("09:00"), latest=at("09:30"), minutes=15)
        day = a_day(a_job("a", minutes=60), a_job("b"), technicians=(ann(breaks=(coffee,), lunch=LUNCH),))
        plan = told(day, {"a": ("ann", at("08:45")), "b": ("ann", at("12:00"))})
        assert (plan.routes[0].lunch_start, plan.routes[0].break_starts) == (at("11:00"), ())
        assert [found.text for found in check(day, plan)] == ["ann gets 0 of 1 breaks"]

    def test_a_setup_that_leaves_no_time(self) -> None:
        day = a_day(a_job("a", place=1, setup_minutes=20), a_job("b", place=1))
        assert rules(day, a=("ann", "09:00"), b=("ann", "09:30")) == [("travel", "b")]

    def test_strangers_are_passed_over(self) -> None:
        day = a_day(a_job("a"))
        assert [left.job_id for left in told(day, {"a": ("zoe", 600), "x": ("ann", 600)}).unassigned] == ["a"]
