"""Breaks beside lunch: each in its time, in their order, on a drive and never in a job."""

from dataclasses import replace

import pytest
from days import LUNCH, a_day, a_job, a_town_day, ann, at, random_days, window
from hypothesis import HealthCheck, given, settings

from scheduler.check import check
from scheduler.explain import fit
from scheduler.plan import Plan
from scheduler.request import InvalidRequest, Lunch, PlanRequest
from scheduler.solve import solve
from scheduler.timing import Day, Misfit, Times

MORNING = Lunch(earliest=at("09:30"), latest=at("10:15"), minutes=10)
AFTERNOON = Lunch(earliest=at("14:30"), latest=at("15:15"), minutes=10)
BOTH = (MORNING, AFTERNOON)


def planned(request: PlanRequest, *orders: list[int]) -> Plan:
    return Day(request).plan(orders, (), engine="by hand", seed=0)


class TestBreaks:
    def test_come_in_their_order_between_the_jobs(self) -> None:
        jobs = tuple(a_job(f"j{n}", place=1, minutes=100) for n in range(4))
        person = ann(lunch=LUNCH, breaks=BOTH, shift_end=at("17:00"))
        plan = planned(a_day(*jobs, technicians=(person,)), [0, 1, 2, 3])
        route = plan.routes[0]
        # 8:10–9:50, break, 10:00–11:40, lunch, 12:10–13:50; work until 15:30 would be too late for the break.
        assert [visit.start for visit in route.visits] == [at("08:10"), at("10:00"), at("12:10"), at("14:40")]
        assert (route.lunch_start, route.break_starts) == (at("11:40"), (at("09:50"), at("14:30")))

    def test_may_interrupt_one_drive_together(self) -> None:
        close = (Lunch(earliest=at("11:40"), latest=at("13:10"), minutes=10),)
        job = a_job(place=7, minutes=60, windows=(window("08:00", "14:00"),))
        request = a_day(job, technicians=(ann(lunch=LUNCH, breaks=close),), now=at("11:20"))
        route = planned(request, [0]).routes[0]
        # 10 minutes of 70 driven, lunch 11:30–12:00, break 12:00–12:10, 60 minutes more.
        assert (route.lunch_start, route.break_starts) == (at("11:30"), (at("12:00"),))
        assert (route.leave, route.visits[0].arrive) == (at("11:20"), at("13:10"))
        assert check(request, planned(request, [0])) == []

    def test_that_can_wait_are_had_at_home(self) -> None:
        request = a_day(a_job(minutes=300), technicians=(ann(breaks=(AFTERNOON,)),))
        route = planned(request, [0]).routes[0]
        assert (route.back, route.break_starts) == (at("13:20"), (at("14:30"),))
        assert check(request, planned(request, [0])) == []

    def test_that_no_drive_has_time_for_refuse_the_job(self) -> None:
        request = a_day(a_job(minutes=180), technicians=(ann(breaks=(MORNING,), shift_start=at("08:30")),))
        tight = replace(request, jobs=(replace(request.jobs[0], windows=(window("08:30", "09:00"),)),))
        assert Day(tight).times(0, [0]) == Misfit("lunch", None, at("11:40"), at("10:15"))
        rules = fit(tight, solve(tight, seconds=0), "j1", "ann").broken
        assert [rule.text for rule in rules] == ["a break could not begin before 11:40, latest is 10:15"]
        assert isinstance(Day(request).times(0, [0]), Times)  # without the window the break comes first

    def test_that_work_has_overrun_come_as_soon_as_they_can(self) -> None:
        begun = a_job("begun", place=1, minutes=150, technician="ann", fixed_start=at("08:10"))
        request = a_day(begun, a_job("next", place=1), technicians=(ann(breaks=BOTH),))
        plan = planned(request, [1])
        assert plan.routes[0].break_starts[0] == at("10:40")
        assert check(request, plan) == []

    def test_move_where_they_make_nobody_late(self) -> None:
        job = a_job("sla", place=1, minutes=30, due=at("10:05"))
        first = a_job("first", place=1, minutes=80)
        request = a_day(first, job, a_job("last", place=1), technicians=(ann(breaks=(MORNING,)),))
        plan = planned(request, [0, 1, 2])
        assert (plan.cost.late, plan.routes[0].break_starts) == (0, (at("10:00"),))

    def test_that_do_not_fit_after_one_another_are_refused(self) -> None:
        with pytest.raises(
            InvalidRequest, match="technician ann: lunch and breaks do not fit into the shift"
        ):
            ann(lunch=LUNCH, breaks=(Lunch(earliest=at("11:40"), latest=at("11:50"), minutes=10),))

    @pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "OR-Tools"])
    def test_are_in_the_plans_of_either_engine(self, compiled: bool) -> None:
        request = a_town_day(6, 40)
        people = tuple(replace(person, breaks=(MORNING,)) for person in request.technicians)
        request = replace(request, technicians=people)
        plan = solve(request, seconds=1, compiled=compiled)
        assert check(request, plan) == []
        assert all(len(route.break_starts) == 1 for route in plan.routes if route.visits)
        assert len(plan.unassigned) <= 2


class TestTheJudge:
    JOBS = tuple(a_job(f"j{n}", place=1, minutes=100) for n in range(2))
    REQUEST = a_day(*JOBS, technicians=(ann(lunch=LUNCH, breaks=(MORNING,)),))

    def spoilt(self, **changes: object) -> list[str]:
        plan = planned(self.REQUEST, [0, 1])
        assert check(self.REQUEST, plan) == []
        route = replace(plan.routes[0], **changes)  # type: ignore[arg-type]
        return [violation.text for violation in check(self.REQUEST, replace(plan, routes=(route,)))]

    def test_sees_a_break_left_out(self) -> None:
        assert self.spoilt(break_starts=()) == ["ann gets 0 of 1 breaks"]

    def test_sees_a_break_out_of_its_time(self) -> None:
        assert "a break at 10:16, allowed 09:30–10:15" in self.spoilt(break_starts=(at("10:16"),))

    def test_sees_a_break_in_a_job(self) -> None:
        assert "lunch at 09:40 falls into the job before" in self.spoilt(break_starts=(at("09:40"),))

    def test_sees_a_break_that_nobody_asked_for(self) -> None:
        assert "ann has a break nobody asked for" in self.spoilt(break_starts=(at("09:50"), at("09:50")))

    def test_sees_work_that_leaves_no_time_for_it(self) -> None:
        busy = replace(self.REQUEST, technicians=(ann(lunch=LUNCH),))
        plan = planned(busy, [0, 1])
        route = replace(plan.routes[0], break_starts=(at("09:50"),))
        assert {v.rule for v in check(self.REQUEST, replace(plan, routes=(route,)))} == {"lunch"}

    def test_sees_two_breaks_at_once(self) -> None:
        close = Lunch(earliest=at("11:30"), latest=at("13:00"), minutes=10)
        request = replace(self.REQUEST, technicians=(ann(lunch=LUNCH, breaks=(close,)),))
        plan = planned(request, [0, 1])
        route = replace(plan.routes[0], lunch_start=at("11:30"), break_starts=(at("11:30"),))
        texts = [violation.text for violation in check(request, replace(plan, routes=(route,)))]
        assert (
            "a break at 11:30 begins before another is over" in texts
            or "lunch at 11:30 begins before another is over" in texts
        )


class TestAWholeDay:
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request=random_days())
    def test_with_any_breaks_can_be_driven(self, request: PlanRequest) -> None:
        assert check(request, solve(request, rounds=100)) == []


def test_who_has_lunch_before_the_first_work_is_there_when_it_begins() -> None:
    """Written out alike, whether or not there is another break as well."""
    lunch = Lunch(earliest=at("08:00"), latest=at("08:20"), minutes=30)
    coffee = Lunch(earliest=at("10:00"), latest=at("10:30"), minutes=15)
    for breaks in ((), (coffee,)):
        person = ann(start_place=1, end_place=1, shift_start=at("08:00"), lunch=lunch, breaks=breaks)
        day = Day(a_day(a_job(place=1, minutes=30), technicians=(person,)))
        (route,) = day.plan([[0]], (), engine="by hand", seed=0).routes
        assert (route.lunch_start, route.leave) == (at("08:00"), at("08:00"))
        assert [(visit.arrive, visit.start) for visit in route.visits] == [(at("08:00"), at("08:30"))]
