"""Whole plans: what is served, what is left and why, and that every plan can be driven."""

import json
from dataclasses import replace

import pytest
from days import LUNCH, a_day, a_job, a_town_day, ann, at, bob, random_days, window
from hypothesis import HealthCheck, given, settings

from scheduler.check import check, cost_of
from scheduler.plan import Plan
from scheduler.request import After, PlanRequest
from scheduler.solve import BrokenPlan, solve

SECONDS = pytest.mark.parametrize("seconds", [0, 0.3], ids=["greedy", "search"])


def served(plan: Plan) -> dict[str, list[str]]:
    return {route.technician_id: [v.job_id for v in route.visits] for route in plan.routes}


def left(plan: Plan) -> dict[str, str]:
    return {u.job_id: u.code for u in plan.unassigned}


@SECONDS
class TestOneDay:
    def test_plans_drives_times_and_cost_exactly(self, seconds: float) -> None:
        plan = solve(a_day(a_job("far", place=2), a_job("near", place=1)), seconds=seconds)
        route = plan.routes[0]
        assert served(plan) in ({"ann": ["near", "far"]}, {"ann": ["far", "near"]})
        assert (route.travel_minutes, route.travel_seconds, route.travel_metres) == (40, 2400, 4000)
        assert route.visits[0].start == at("08:00") + route.visits[0].travel_minutes
        assert route.back == at("09:40")
        assert plan.cost.total == plan.cost.travel == 4 * (1000 + 30)

    def test_says_which_roads_it_used(self, seconds: float) -> None:
        plan = solve(a_day(a_job()), seconds=seconds, seed=7)
        assert (plan.roads, plan.roads_estimated, plan.seed, plan.version) == ("test road", False, 7, 1)

    def test_an_empty_day_is_an_empty_plan(self, seconds: float) -> None:
        plan = solve(a_day(), seconds=seconds)
        assert served(plan) == {"ann": []}
        assert plan.cost.total == 0

    def test_leaves_for_the_first_visit_no_earlier_than_it_needs(self, seconds: float) -> None:
        plan = solve(a_day(a_job(place=3, windows=(window("10:00", "11:00"),))), seconds=seconds)
        assert (plan.routes[0].leave, plan.routes[0].visits[0].arrive) == (at("09:30"), at("10:00"))


@SECONDS
class TestSkills:
    def test_the_level_decides_who_goes(self, seconds: float) -> None:
        people = (ann(skills={"splice": 2}), bob(skills={"splice": 3}))
        plan = solve(a_day(a_job(skills={"splice": 3}), technicians=people), seconds=seconds)
        assert served(plan) == {"ann": [], "bob": ["j1"]}

    def test_nobody_at_the_level_leaves_it_undone_with_the_numbers(self, seconds: float) -> None:
        plan = solve(
            a_day(a_job(skills={"splice": 3}), technicians=(ann(skills={"splice": 2}),)), seconds=seconds
        )
        assert left(plan) == {"j1": "skill"}
        assert plan.unassigned[0].reason == "nobody has splice level 3: the best has 2"


@SECONDS
class TestPartsOnTheVan:
    def test_two_jobs_cant_use_the_same_single_one(self, seconds: float) -> None:
        jobs = (a_job("a", parts={"HG8245H": 1}), a_job("b", parts={"HG8245H": 1}, priority=4))
        plan = solve(a_day(*jobs, technicians=(ann(parts={"HG8245H": 1}),)), seconds=seconds)
        assert served(plan) == {"ann": ["a"]}
        assert left(plan) == {"b": "day_full"}
        assert "1 × HG8245H on the van, 1 for visits already planned, needs 1" in plan.unassigned[0].reason

    def test_the_second_goes_to_another_van(self, seconds: float) -> None:
        jobs = (a_job("a", parts={"HG8245H": 1}), a_job("b", parts={"HG8245H": 1}))
        people = (ann(parts={"HG8245H": 1}), bob(parts={"HG8245H": 1}))
        plan = solve(a_day(*jobs, technicians=people), seconds=seconds)
        assert sorted(map(len, served(plan).values())) == [1, 1]

    def test_none_anywhere_is_said(self, seconds: float) -> None:
        plan = solve(a_day(a_job(parts={"HG8245H": 1})), seconds=seconds)
        assert left(plan) == {"j1": "parts"}
        assert plan.unassigned[0].reason == "nearest is ann: no HG8245H on the van, needs 1"

    def test_what_a_begun_visit_takes_is_not_there_for_others(self, seconds: float) -> None:
        begun = a_job("a", parts={"ONT": 1}, technician="ann", fixed_start=at("08:10"))
        day = a_day(begun, a_job("b", parts={"ONT": 1}), technicians=(ann(parts={"ONT": 1}),))
        assert left(solve(day, seconds=seconds)) == {"b": "parts"}


@SECONDS
class TestPromisedWindows:
    def test_arriving_early_means_waiting(self, seconds: float) -> None:
        jobs = (a_job("a", place=1), a_job("b", place=2, windows=(window("10:00", "10:30"),)))
        plan = solve(a_day(*jobs, technicians=(ann(),)), seconds=seconds)
        assert {v.job_id: v.start for _, v in plan.visits()}["b"] == at("10:00")

    def test_a_window_that_closes_before_anyone_can_be_there_is_not_promised(self, seconds: float) -> None:
        plan = solve(a_day(a_job(place=5, windows=(window("08:00", "08:49"),))), seconds=seconds)
        assert left(plan) == {"j1": "time"}
        assert plan.unassigned[0].reason == "nearest is ann: would arrive 08:50, window ends 08:49"

    def test_the_last_minute_of_a_window_still_counts(self, seconds: float) -> None:
        plan = solve(a_day(a_job(place=5, windows=(window("08:00", "08:50"),))), seconds=seconds)
        assert plan.routes[0].visits[0].start == at("08:50")

    def test_a_second_window_is_used_and_the_gap_is_not(self, seconds: float) -> None:
        both = (window("08:00", "08:05"), window("14:00", "15:00"))
        plan = solve(a_day(a_job(place=1, windows=both)), seconds=seconds)
        assert plan.routes[0].visits[0].start == at("14:00")


@SECONDS
class TestShiftAndLunch:
    def test_being_home_on_the_minute_is_in_time(self, seconds: float) -> None:
        people = (ann(shift_end=at("09:00")),)
        assert served(solve(a_day(a_job(place=1, minutes=40), technicians=people), seconds=seconds))[
            "ann"
        ] == ["j1"]

    def test_a_minute_more_is_not(self, seconds: float) -> None:
        people = (ann(shift_end=at("09:00")),)
        plan = solve(a_day(a_job(place=1, minutes=41), technicians=people), seconds=seconds)
        assert plan.unassigned[0].reason == "nearest is ann: would be back 09:01, shift ends 09:00"

    def test_the_day_may_end_at_the_depot(self, seconds: float) -> None:
        people = (ann(end_place=4, shift_end=at("09:00")),)
        plan = solve(a_day(a_job(place=2, minutes=20), technicians=people), seconds=seconds)
        assert (plan.routes[0].back, plan.routes[0].travel_metres) == (at("09:00"), 4000)

    def test_lunch_is_taken_between_visits(self, seconds: float) -> None:
        jobs = [a_job(f"j{n}", place=1, minutes=60) for n in range(6)]
        plan = solve(a_day(*jobs, technicians=(ann(lunch=LUNCH),)), seconds=seconds)
        route = plan.routes[0]
        assert len(route.visits) == 6
        assert route.lunch_start == at("12:10")
        assert [v.start for v in route.visits][3:] == [at("11:10"), at("12:40"), at("13:40")]

    def test_a_job_that_would_swallow_lunch_is_refused(self, seconds: float) -> None:
        long = a_job(place=1, minutes=360, windows=(window("08:00", "09:00"),))
        plan = solve(a_day(long, technicians=(ann(lunch=LUNCH),)), seconds=seconds)
        assert left(plan) == {"j1": "time"}
        assert (
            plan.unassigned[0].reason == "nearest is ann: lunch could not begin before 14:10, latest is 13:00"
        )

    def test_without_the_lunch_the_same_job_fits(self, seconds: float) -> None:
        long = a_job(place=1, minutes=360, windows=(window("08:00", "09:00"),))
        assert not solve(a_day(long), seconds=seconds).unassigned


@SECONDS
class TestPriorities:
    def test_the_emergency_gets_the_only_room(self, seconds: float) -> None:
        jobs = (a_job("routine", minutes=200), a_job("emergency", minutes=200, priority=1))
        plan = solve(a_day(*jobs, technicians=(ann(shift_end=at("12:00")),)), seconds=seconds)
        assert served(plan) == {"ann": ["emergency"]}
        assert left(plan) == {"routine": "day_full"}
        assert plan.cost.unserved == 80_000

    def test_a_job_not_worth_its_drive_is_left_and_says_so(self, seconds: float) -> None:
        plan = solve(a_day(a_job(place=5, drop_cost=10_299)), seconds=seconds)
        assert plan.unassigned[0].reason == "ann could, but it would add 103.00; left undone it costs 102.99"
        assert left(plan) == {"j1": "too_costly"}

    def test_a_cent_more_and_it_is_done(self, seconds: float) -> None:
        assert not solve(a_day(a_job(place=5, drop_cost=10_301)), seconds=seconds).unassigned

    def test_the_one_with_the_sla_goes_first(self, seconds: float) -> None:
        jobs = (a_job("calm", place=1, minutes=60), a_job("due", place=2, minutes=60, due=at("09:20")))
        plan = solve(a_day(*jobs), seconds=seconds)
        assert served(plan) == {"ann": ["due", "calm"]}
        assert plan.cost.late == 0

    def test_lateness_is_priced_by_the_minute(self, seconds: float) -> None:
        plan = solve(a_day(a_job(place=1, minutes=60, due=at("09:00"))), seconds=seconds)
        assert plan.cost.late == 10 * 100


@SECONDS
class TestWhatHasBegunAndWhatWasSaid:
    def test_a_begun_visit_stays_whatever_the_rules_say(self, seconds: float) -> None:
        begun = a_job(
            "a", place=5, technician="ann", fixed_start=at("07:00"), skills={"splice": 3},
            windows=(window("12:00", "13:00"),),
        )  # fmt: skip
        plan = solve(a_day(begun, a_job("b", place=5), now=at("07:20")), seconds=seconds)
        first, second = plan.routes[0].visits
        assert (first.job_id, first.start, first.fixed) == ("a", at("07:00"), True)
        assert (second.job_id, second.start, second.travel_minutes) == ("b", at("08:00"), 0)

    def test_nothing_new_starts_in_the_past(self, seconds: float) -> None:
        plan = solve(a_day(a_job(place=1), now=at("10:00")), seconds=seconds)
        assert plan.routes[0].visits[0].start == at("10:10")

    def test_overtime_already_made_is_a_fact_but_no_more_is_added(self, seconds: float) -> None:
        begun = a_job("a", place=2, minutes=120, technician="ann", fixed_start=at("15:00"))
        plan = solve(a_day(begun, a_job("b", place=2)), seconds=seconds)
        assert served(plan) == {"ann": ["a"]}
        assert (plan.routes[0].back, left(plan)) == (at("17:20"), {"b": "time"})

    def test_a_tied_job_goes_to_no_one_else(self, seconds: float) -> None:
        people = (ann(skills={}), bob(skills={"fibre": 1}))
        plan = solve(a_day(a_job(technician="ann", skills={"fibre": 1}), technicians=people), seconds=seconds)
        assert plan.unassigned[0].reason == "only ann may come: needs fibre level 1, has none"

    def test_a_job_stays_with_whom_it_was_told_when_all_else_is_equal(self, seconds: float) -> None:
        jobs = [a_job(f"j{n}", place=n, previous_technician="bob", previous_start=480) for n in (1, 2, 3)]
        plan = solve(a_day(*jobs, technicians=(ann(), bob()), later_minute=0), seconds=seconds)
        assert served(plan)["ann"] == []
        assert plan.cost.moved == 0

    def test_another_technician_and_a_later_start_are_priced(self, seconds: float) -> None:
        job = a_job(place=2, previous_technician="gone", previous_start=at("08:10"))
        plan = solve(a_day(job), seconds=seconds)
        assert (plan.cost.moved, plan.cost.later) == (2000, 10 * 20)

    def test_bias_sends_the_other_one(self, seconds: float) -> None:
        plan = solve(a_day(a_job(), technicians=(ann(bias={"j1": 50}), bob())), seconds=seconds)
        assert served(plan) == {"ann": [], "bob": ["j1"]}


class TestAnyDay:
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days())
    def test_the_greedy_plan_breaks_no_rule_and_forgets_nothing(self, request: PlanRequest) -> None:
        plan = solve(request, seconds=0)
        assert check(request, plan) == []
        assert cost_of(request, plan) == plan.cost

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days())
    def test_the_searched_plan_breaks_no_rule_and_is_never_dearer(self, request: PlanRequest) -> None:
        plan = solve(request, seconds=0.06)
        assert check(request, plan) == []
        assert plan.cost.total <= solve(request, seconds=0).cost.total

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days())
    def test_a_replan_of_the_same_day_is_never_dearer_than_the_plan(self, request: PlanRequest) -> None:
        first = solve(request, seconds=0)
        told = {visit.job_id: (person, visit.start) for person, visit in first.visits()}
        again = replace(
            request,
            jobs=tuple(
                replace(
                    job,
                    previous_technician=told.get(job.id, (None, None))[0],
                    previous_start=told.get(job.id, (None, None))[1],
                )
                for job in request.jobs
            ),
        )
        assert solve(again, seconds=0.06).cost.total <= cost_of(again, first).total

    def test_the_greedy_plan_is_the_same_every_time(self) -> None:
        day = a_town_day(4, 30)
        assert solve(day, seconds=0) == solve(day, seconds=0)

    @pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
    def test_impossible_time_is_refused(self, seconds: float) -> None:
        with pytest.raises(ValueError, match="seconds must be 0 or more"):
            solve(a_day(), seconds=seconds)

    def test_a_broken_plan_never_leaves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from scheduler import solve as module
        from scheduler.check import Violation

        monkeypatch.setattr(module, "check", lambda *_: [Violation(rule="window", text="too late")])
        with pytest.raises(BrokenPlan, match="too late"):
            solve(a_day(a_job()), seconds=0)


class TestProgress:
    @pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "OR-Tools"])
    def test_tells_what_the_plan_costs_with_the_visits_that_have_begun(self, compiled: bool) -> None:
        """Begun late, by somebody else than told, at the end of a drive: none of it is planned any more."""
        begun = a_job("begun", place=3, technician="ann", fixed_start=at("09:00"), due=at("09:10"),
                      previous_technician="bob", previous_start=at("08:40"))  # fmt: skip
        hopeless = a_job("hopeless", skills={"splice": 1})
        open_job = a_job("open", place=4, previous_technician="gone")
        people = (ann(fair_minutes=10, bias={"open": 50}), bob(start_place=7, bias={"open": 90}))
        day = a_day(begun, hopeless, open_job, technicians=people)
        steps: list[int] = []
        plan = solve(day, seconds=0.3, progress=lambda _, cost: steps.append(cost), compiled=compiled)
        assert [person for person, _ in plan.visits()] == ["ann", "ann"]
        assert len(steps) >= 2
        assert set(steps) == {plan.cost.total}

    def test_tells_it_of_links_too(self) -> None:
        begun = a_job("begun", place=3, technician="ann", fixed_start=at("09:00"), due=at("09:10"))
        jobs = (begun, a_job("drop"), a_job("splice", after=(After(job="drop"),)))
        steps: list[int] = []
        plan = solve(a_day(*jobs), rounds=100, progress=lambda _, cost: steps.append(cost))
        assert set(steps) == {plan.cost.total}


class TestAWorkingDay:
    def test_the_search_serves_everything_the_greedy_plan_leaves(self) -> None:
        day = a_town_day(12, 110)
        steps: list[tuple[float, int]] = []
        greedy = solve(day, seconds=0)
        plan = solve(day, seconds=6, progress=lambda elapsed, cost: steps.append((elapsed, cost)))
        assert plan.unassigned == ()
        assert plan.engine == "ruin-recreate"
        assert plan.cost.total < 0.8 * greedy.cost.total
        assert len(steps) >= 2
        assert steps[-1][1] == plan.cost.total

    def test_a_replan_keeps_most_people_where_they_were(self) -> None:
        day = a_town_day(6, 45)
        first = solve(day, seconds=2)
        told = {visit.job_id: (person, visit.start) for person, visit in first.visits()}
        jobs = tuple(
            replace(job, previous_technician=told[job.id][0], previous_start=told[job.id][1])
            if job.id in told
            else job
            for job in day.jobs
        )
        again = solve(replace(day, jobs=jobs), seconds=2)
        moved = [
            job_id
            for person, v in again.visits()
            if (job_id := v.job_id) in told and told[job_id][0] != person
        ]
        assert len(moved) <= 3
        assert again.cost.total <= first.cost.total
        assert json.dumps(sorted(told)) == json.dumps(sorted(v.job_id for _, v in again.visits()))
