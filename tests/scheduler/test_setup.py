"""Setup on site: needed on arrival from elsewhere, shared by visits to one place that follow each other."""

from dataclasses import replace

import pytest
from days import a_day, a_job, a_town_day, ann, at, bob, random_days, window
from hypothesis import HealthCheck, given, settings

from scheduler.check import check
from scheduler.compare import compare
from scheduler.plan import Plan
from scheduler.request import InvalidRequest, PlanRequest
from scheduler.solve import solve
from scheduler.timing import Day, Misfit

FLAT_1 = a_job("flat 1", place=1, minutes=30, setup_minutes=20)
FLAT_2 = a_job("flat 2", place=1, minutes=30, setup_minutes=25)
ELSEWHERE = a_job("elsewhere", place=2, minutes=30)


def planned(request: PlanRequest, *orders: list[int]) -> Plan:
    return Day(request).plan(orders, (), engine="by hand", seed=0)


def times_of(plan: Plan) -> list[tuple[int, int, int]]:
    return [(visit.start, visit.setup_minutes, visit.end) for _, visit in plan.visits()]


class TestSetup:
    def test_is_done_once_for_visits_to_one_place_in_a_row(self) -> None:
        """Together they take the longer one, whichever comes first."""
        plan = planned(a_day(FLAT_1, FLAT_2), [0, 1])
        assert times_of(plan) == [(at("08:10"), 20, at("09:00")), (at("09:00"), 5, at("09:35"))]
        plan = planned(a_day(FLAT_1, FLAT_2), [1, 0])
        assert times_of(plan) == [(at("08:10"), 25, at("09:05")), (at("09:05"), 0, at("09:35"))]

    def test_is_never_spared_by_one_visit_more(self) -> None:
        """Only as far as that one does it itself."""
        nothing = a_job("nothing", place=1, minutes=0)
        plans = [planned(a_day(nothing, FLAT_1), order) for order in ([0, 1], [1])]
        assert [plan.routes[0].back for plan in plans] == [at("09:10"), at("09:10")]

    def test_is_done_again_after_a_visit_elsewhere(self) -> None:
        plan = planned(a_day(FLAT_1, FLAT_2, ELSEWHERE), [0, 2, 1])
        assert [setup for _, setup, _ in times_of(plan)] == [20, 0, 25]

    def test_is_needed_where_a_technician_lives(self) -> None:
        plan = planned(a_day(FLAT_1, technicians=(ann(start_place=1),)), [0])
        assert times_of(plan) == [(at("08:00"), 20, at("08:50"))]

    def test_of_a_visit_that_has_begun_is_over_and_shared(self) -> None:
        begun = replace(FLAT_1, technician="ann", fixed_start=at("08:30"))
        plan = planned(a_day(begun, FLAT_2), [1])
        assert times_of(plan) == [(at("08:30"), 0, at("09:00")), (at("09:00"), 5, at("09:35"))]

    def test_begins_within_the_promised_window_and_may_last_beyond_it(self) -> None:
        request = a_day(replace(FLAT_1, windows=(window("08:00", "08:10"),)))
        assert times_of(planned(request, [0]))[0][0] == at("08:10")
        late = replace(request, technicians=(ann(start_place=2, end_place=2, shift_start=at("08:01")),))
        assert Day(late).times(0, [0]) == Misfit("window", 0, at("08:11"), at("08:10"))

    def test_takes_time_from_the_shift_and_the_sla(self) -> None:
        tight = a_day(replace(FLAT_1, due=at("08:55")), technicians=(ann(shift_end=at("09:09")),))
        assert Day(tight).times(0, [0]) == Misfit("shift", None, at("09:10"), at("09:09"))
        plan = planned(replace(tight, technicians=(ann(shift_end=at("09:10")),)), [0])
        assert plan.cost.late == 5 * 100
        assert compare(tight, plan, plan).before.late_minutes == 5

    @pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "OR-Tools"])
    def test_keeps_one_building_in_one_hand(self, compiled: bool) -> None:
        """Whoever comes needs an hour to set up: once, for there is time for all four."""
        flats = tuple(a_job(f"flat {n}", place=1, minutes=30, setup_minutes=60) for n in range(4))
        people = (ann(shift_end=at("11:20")), bob(shift_end=at("11:20"), end_place=1, start_place=2))
        plan = solve(a_day(*flats, technicians=people), seconds=1, compiled=compiled)
        assert plan.unassigned == ()
        assert sum(visit.setup_minutes for _, visit in plan.visits()) == 60

    def test_below_nothing_is_refused_by_name(self) -> None:
        with pytest.raises(InvalidRequest, match="job j1: setup_minutes must be between 0"):
            a_job(setup_minutes=-1)


class TestTheJudge:
    def test_sees_a_setup_left_out(self) -> None:
        request = a_day(FLAT_1, ELSEWHERE)
        plan = planned(a_day(replace(FLAT_1, setup_minutes=0), ELSEWHERE), [0, 1])
        assert [violation.text for violation in check(request, plan)] == [
            "lasts 30 min, the job takes 30 and 20 for the setup"
        ]

    def test_sees_a_setup_that_nobody_needs(self) -> None:
        plan = planned(a_day(FLAT_1, replace(FLAT_2, place=2)), [0, 1])
        assert "duration" in {violation.rule for violation in check(a_day(FLAT_1, FLAT_2), plan)}


class TestAWholeDay:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request=random_days())
    def test_can_be_driven(self, request: PlanRequest) -> None:
        jobs = tuple(replace(job, setup_minutes=7, place=min(job.place, 1)) for job in request.jobs)
        request = replace(request, jobs=jobs) if len(request.travel) > 1 else request
        assert check(request, solve(request, rounds=100)) == []

    def test_of_a_town_with_blocks_of_flats_sets_up_less_than_once_a_visit(self) -> None:
        request = a_town_day(5, 40)
        jobs = tuple(
            replace(job, place=5 + n // 4, setup_minutes=10, windows=(), skills={}, parts={})
            for n, job in enumerate(request.jobs)
        )
        plan = solve(replace(request, jobs=jobs), rounds=3_000)
        visits = [visit for _, visit in plan.visits()]
        assert sum(visit.setup_minutes > 0 for visit in visits) < len(visits) / 2
