"""Why a job is where it is, or nowhere: sentences with the numbers that decided."""

from dataclasses import replace

import plainest
import pytest
from days import a_day, a_job, a_road, ann, at, bob, random_days, window, without_more_times
from hypothesis import HealthCheck, given, settings

from scheduler.explain import BrokenRule, fit, fits, why_assigned, why_unassigned
from scheduler.request import InvalidRequest, Job, Pin, PlanRequest
from scheduler.solve import solve
from scheduler.timing import Day, Misfit


class TestFit:
    def test_lists_every_rule_that_forbids_it(self) -> None:
        job = a_job(
            place=5, skills={"splice": 3, "fibre": 1}, parts={"HG8245H": 1, "CABLE": 40},
            windows=(window("08:00", "08:30"),), technician="bob",
        )  # fmt: skip
        people = (ann(skills={"splice": 2}, parts={"CABLE": 25}), bob())
        request = a_day(job, technicians=people)
        answer = fit(request, solve(request, seconds=0), "j1", "ann")
        assert not answer.feasible and not answer.possible_alone
        assert answer.broken == (
            BrokenRule(code="no_technician", text="is tied to technician bob"),
            BrokenRule(code="skill", text="needs fibre level 1, has none"),
            BrokenRule(code="skill", text="needs splice level 3, has 2"),
            BrokenRule(code="parts", text="25 × CABLE on the van, needs 40"),
            BrokenRule(code="parts", text="no HG8245H on the van, needs 1"),
            BrokenRule(code="time", text="would arrive 08:50, window ends 08:30"),
        )

    def test_says_what_it_would_cost_and_when_it_would_be(self) -> None:
        request = a_day(a_job(place=2), technicians=(ann(), bob()))
        answer = fit(request, solve(request, seconds=0), "j1", "bob")
        assert answer.feasible
        assert (answer.position, answer.start) == (0, at("08:20"))
        assert answer.added_cost is not None and answer.added_cost.total == 4120

    def test_a_full_day_names_the_nearest_miss(self) -> None:
        jobs = (
            a_job("a", place=1, minutes=60, priority=1, windows=(window("08:10", "08:10"),)),
            a_job("b", place=1, windows=(window("08:00", "09:00"),)),
        )
        request = a_day(*jobs)
        answer = fit(request, solve(request, seconds=0), "b", "ann")
        assert answer.possible_alone and not answer.feasible
        text = "would arrive 09:10, window ends 09:00 (10 min too late, 1 visits planned)"
        assert answer.broken == (BrokenRule(code="day_full", text=text),)

    def test_a_job_that_is_quickly_reached_only_by_way_of_another_fits_there(self) -> None:
        seconds = ((0, 600, 7200), (600, 0, 600), (7200, 600, 0))
        jobs = (
            a_job("on the way", place=1, minutes=10),
            a_job("behind", place=2, windows=(window("08:00", "09:00"),)),
        )
        request = replace(a_day(*jobs), travel=replace(a_road(3), seconds=seconds))
        plan = solve(replace(request, jobs=jobs[:1]), seconds=0)
        answer = fit(request, plan, "behind", "ann")
        assert (answer.feasible, answer.possible_alone, answer.broken) == (True, False, ())
        assert (answer.position, answer.start) == (1, at("08:30"))

    def test_an_unknown_technician_is_refused(self) -> None:
        request = a_day(a_job())
        with pytest.raises(InvalidRequest, match="technician eve is not in the request"):
            fit(request, solve(request, seconds=0), "j1", "eve")

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days())
    def test_agrees_with_brute_force_over_every_position(self, request: PlanRequest) -> None:
        plan, day = solve(request, seconds=0), Day(request)
        orders = day.orders_of(plan)
        for left in plan.unassigned:
            job = day.job_number[left.job_id]
            for technician, order in enumerate(orders):
                longer = [[*order[:p], job, *order[p:]] for p in range(len(order) + 1)]
                can = day.may_go(technician, job) and any(
                    day.parts_suffice(technician, o) and not isinstance(day.times(technician, o), Misfit)
                    for o in longer
                )
                answer = fit(request, plan, left.job_id, day.technicians[technician].id)
                assert answer.feasible is can
                assert bool(answer.broken) is not can


class TestWhyUnassigned:
    def test_skills_that_nobody_has_together(self) -> None:
        people = (ann(skills={"fibre": 1}), bob(skills={"splice": 1}))
        request = a_day(a_job(skills={"fibre": 1, "splice": 1}), technicians=people)
        reason = why_unassigned(request, solve(request, seconds=0), "j1")
        assert (reason.code, reason.reason) == (
            "skill",
            "nobody has fibre level 1 and splice level 1 together",
        )

    def test_a_full_day_counts_who_could_have(self) -> None:
        jobs = (a_job("a", minutes=200, priority=1), a_job("b", minutes=200))
        request = a_day(*jobs, technicians=(ann(shift_end=at("12:00")), bob(shift_end=at("09:00"))))
        reason = why_unassigned(request, solve(request, seconds=0), "b")
        assert reason.code == "day_full"
        assert reason.reason == (
            "1 of 2 technicians could on an empty day, none has room left; nearest is ann: "
            "would be back 15:00, shift ends 12:00 (180 min too late, 1 visits planned)"
        )

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days())
    def test_every_unserved_job_has_one(self, request: PlanRequest) -> None:
        plan = solve(request, seconds=0)
        for left in plan.unassigned:
            assert why_unassigned(request, plan, left.job_id) == left
            assert left.reason

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request=random_days().map(without_more_times))
    def test_the_reason_that_binds_is_the_one_found_by_trying_everything(self, request: PlanRequest) -> None:
        plan = solve(request, seconds=0)
        jobs = {job.id: job for job in request.jobs}
        routes = [
            [jobs[v.job_id] for v in route.visits if jobs[v.job_id].fixed_start is None]
            for route in plan.routes
        ]
        for left in plan.unassigned:
            assert left.code in binding(request, routes, jobs[left.job_id]), left


def binding(request: PlanRequest, routes: list[list[Job]], job: Job) -> set[str]:
    """The code that binds, or those that do equally."""
    people = request.technicians
    if any(plainest.able_in(request, p, route, job) for p, route in zip(people, routes, strict=True)):
        return {"too_costly"}
    if any(plainest.able_alone(request, person, job) for person in people):
        return {"day_full"}
    broken = {
        p.id: plainest.forbidding(request, p, job) + ["time"] * (not plainest.in_time(request, p, [job]))
        for p in people
    }
    named = (job.pinned and job.pinned.technician) or job.technician
    if named:
        broken = {named: broken[named]}
    elif all("skill" in codes for codes in broken.values()):
        return {"skill"}
    fewest = min(len(codes) for codes in broken.values())
    nearest = [codes for codes in broken.values() if len(codes) == fewest]
    easiest = max(max(map(HARDNESS.index, codes)) for codes in nearest)
    return {min(codes, key=HARDNESS.index) for codes in nearest if max(map(HARDNESS.index, codes)) == easiest}


HARDNESS = ["no_technician", "pinned", "skill", "territory", "certificate", "parts", "time"]
"""Rules, from the one that is least easily changed today."""


class TestWhyAssigned:
    def test_names_the_runner_up_and_the_difference(self) -> None:
        people = (ann(bias={"j1": 500}, start_place=4, end_place=4), bob())
        request = a_day(a_job(place=2), technicians=people)
        choice = why_assigned(request, solve(request, seconds=0), "j1")
        assert (choice.technician_id, choice.cost.total) == ("bob", 4120)
        assert choice.runner_up is not None and choice.runner_up.technician_id == "ann"
        assert choice.text == "adds 41.20; ann would add 46.20 (difference: preference 5.00)"

    def test_says_when_nobody_else_can(self) -> None:
        request = a_day(a_job(skills={"fibre": 1}), technicians=(ann(skills={"fibre": 1}), bob()))
        assert why_assigned(request, solve(request, seconds=0), "j1").text == "only ann can do it"

    def test_says_when_the_plan_has_been_overtaken_by_the_clock(self) -> None:
        day = a_day(a_job(place=1, windows=(window("08:10", "08:20"),)), a_job("b", place=1))
        plan = solve(day, seconds=0)
        later = replace(day, now=at("10:00"))
        assert why_assigned(later, plan, "j1").text == "no longer fits: would arrive 10:10, window ends 08:20"
        assert why_assigned(later, plan, "b").text == "only ann can do it"
        assert fit(later, plan, "j1", "ann").broken[0].text == "would arrive 10:10, window ends 08:20"

    def test_a_begun_visit_needs_no_other_reason(self) -> None:
        request = a_day(a_job(technician="ann", fixed_start=at("08:10")))
        assert why_assigned(request, solve(request, seconds=0), "j1").text == "ann has begun it"

    def test_a_job_that_is_not_planned_is_refused(self) -> None:
        request = a_day(a_job(skills={"fibre": 1}))
        with pytest.raises(InvalidRequest, match="job j1 is not planned"):
            why_assigned(request, solve(request, seconds=0), "j1")


def test_who_is_not_there_any_more_is_named() -> None:
    request = a_day(a_job(), technicians=(ann(), bob(start_place=7)))
    plan = solve(request, seconds=0)
    with pytest.raises(InvalidRequest, match="job j1 is planned for ann, who is not in the request"):
        why_assigned(replace(request, technicians=(bob(),)), plan, "j1")


class TestAVisitWhoseSetupAnotherShares:
    """Without the first at its door the second takes 20 minutes longer, and Ann would be home at 10:00."""

    FIRST = a_job("first", setup_minutes=20, minutes=15)
    SECOND = a_job("second", setup_minutes=20, pinned=Pin(start=at("09:00")))
    ANN = ann(shift_end=at("09:40"))

    def test_is_left_out_where_the_first_is_asked_about(self) -> None:
        request = a_day(self.FIRST, self.SECOND, technicians=(self.ANN, bob(start_place=7)))
        plan = Day(request).plan([[0, 1], []], (), engine="by hand", seed=0)
        answer = fit(request, plan, "first", "ann")
        assert (answer.feasible, answer.position, answer.start) == (True, 0, at("08:10"))
        assert why_assigned(request, plan, "first").text.startswith("adds ")

    def test_is_left_out_with_the_first_where_that_loses_the_other_of_its_group(self) -> None:
        jobs = (replace(self.FIRST, together="two"), self.SECOND, a_job("other", together="two"))
        request = a_day(*jobs, a_job("new"), technicians=(self.ANN, bob()))
        plan = Day(request).plan([[0, 1], [2]], (), engine="by hand", seed=0)
        gone = replace(plan, routes=(plan.routes[0], replace(plan.routes[1], visits=())))
        assert [answer.start for answer in fits(request, gone, "new")] == [at("08:10"), at("08:10")]
