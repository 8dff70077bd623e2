"""Taking one more job into a plan: the best three ways, and whom each one delays."""

from dataclasses import replace

import pytest
from days import a_day, a_job, a_town_day, ann, at, bob, window

from scheduler.check import check
from scheduler.emergency import Delay, apply_insertion, best_insertions, least_disruption
from scheduler.plan import Plan
from scheduler.request import InvalidRequest, PlanRequest
from scheduler.solve import solve


def plan_then_add(request: PlanRequest, **emergency: object) -> tuple[PlanRequest, Plan]:
    plan = solve(request, seconds=0)
    job = a_job("sos", priority=1, **emergency)  # type: ignore[arg-type]
    return replace(request, jobs=(*request.jobs, job)), plan


class TestBestInsertions:
    def test_the_cheapest_technician_comes_first_with_the_exact_cost(self) -> None:
        people = (ann(start_place=7, end_place=7), bob())
        request, plan = plan_then_add(a_day(technicians=people), place=2)
        first, second = best_insertions(request, plan, "sos")
        assert (first.technician_id, first.start, first.added_cost.total) == ("bob", at("08:20"), 4 * 1030)
        assert (second.technician_id, second.added_cost.total) == ("ann", 10 * 1030)
        assert first.affected == ()

    def test_says_whom_it_delays_and_by_how_much(self) -> None:
        day = a_day(a_job("routine", place=1, windows=(window("08:10", "12:00"),)))
        request, plan = plan_then_add(day, place=1, windows=(window("08:00", "08:15"),), minutes=45)
        (only,) = best_insertions(request, plan, "sos")
        assert only.affected == (
            Delay(job_id="routine", technician_id="ann", start_before=at("08:10"), start_after=at("08:55")),
        )
        assert (only.position, only.affected[0].minutes) == (0, 45)

    def test_offers_to_push_out_a_cheaper_visit_when_the_day_is_full(self) -> None:
        day = a_day(a_job("routine", minutes=200), technicians=(ann(shift_end=at("12:00")),))
        request, plan = plan_then_add(day, minutes=200)
        (only,) = best_insertions(request, plan, "sos")
        assert (only.displaced, only.added_cost.total) == (("routine",), 80_000)
        after = apply_insertion(request, plan, only)
        assert check(request, after) == []
        assert [u.job_id for u in after.unassigned] == ["routine"]

    def test_pushes_out_nothing_that_is_worth_as_much(self) -> None:
        day = a_day(a_job("other", minutes=200, priority=1), technicians=(ann(shift_end=at("12:00")),))
        request, plan = plan_then_add(day, minutes=200)
        assert best_insertions(request, plan, "sos") == ()

    def test_stands_after_what_has_begun(self) -> None:
        day = a_day(a_job("begun", place=2, technician="ann", fixed_start=at("08:20")))
        request, plan = plan_then_add(day, place=2)
        (only,) = best_insertions(request, plan, "sos")
        assert (only.position, only.start) == (1, at("08:50"))
        assert check(request, apply_insertion(request, plan, only)) == []

    def test_visits_that_began_since_the_plan_was_made_stay_and_the_rest_still_takes_it(self) -> None:
        day = a_day(a_job("a", place=2), a_job("b", place=4, windows=(window("12:00", "13:00"),)))
        plan = solve(day, seconds=0)
        begun = replace(day.jobs[0], technician="ann", fixed_start=at("08:20"))
        later = replace(day, jobs=(begun, day.jobs[1], a_job("sos", place=2, priority=1)), now=at("08:30"))
        (only,) = best_insertions(later, plan, "sos")
        assert (only.position, only.start) == (1, at("08:50"))
        after = apply_insertion(later, plan, only)
        assert check(later, after) == []
        assert [v.job_id for _, v in after.visits()] == ["a", "sos", "b"]

    def test_a_visit_that_no_longer_fits_is_listed_when_another_route_takes_the_emergency(self) -> None:
        missed = a_job("missed", place=1, windows=(window("08:10", "08:20"),), technician="ann")
        day = a_day(missed, technicians=(ann(), bob()))
        plan = solve(day, seconds=0)
        later = replace(day, jobs=(missed, a_job("sos", priority=1)), now=at("10:00"))
        (only,) = best_insertions(later, plan, "sos")
        assert only.technician_id == "bob"
        after = apply_insertion(later, plan, only)
        assert check(later, after) == []
        assert [u.job_id for u in after.unassigned] == ["missed"]

    def test_every_option_in_a_full_town_can_be_driven_and_costs_what_it_says(self) -> None:
        request, plan = plan_then_add(a_town_day(8, 70), place=11, skills={"fibre": 1})
        options = best_insertions(request, plan, "sos")
        assert len(options) == 3
        assert len({option.technician_id for option in options}) == 3
        for option in options:
            after = apply_insertion(request, plan, option)
            assert check(request, after) == []
            assert after.cost.total - plan.cost.total == option.added_cost.total

    def test_an_unknown_job_is_refused(self) -> None:
        request, plan = plan_then_add(a_day())
        with pytest.raises(InvalidRequest, match="job nope is not in the request"):
            best_insertions(request, plan, "nope")

    def test_a_planned_job_is_refused(self) -> None:
        request = a_day(a_job())
        with pytest.raises(InvalidRequest, match="job j1 is planned already"):
            best_insertions(request, solve(request, seconds=0), "j1")


AT_TEN = (window("10:00", "10:15"),)


class TestTheLeastDisruption:
    def test_leaves_everybody_as_they_were_where_there_is_room(self) -> None:
        day = a_town_day(5, 30)
        request, plan = plan_then_add(day, place=2)
        after = least_disruption(request, plan, "sos", rounds=500)
        assert check(request, after) == []
        told = {v.job_id: (person, v.start) for person, v in plan.visits()}
        now = {v.job_id: (person, v.start) for person, v in after.visits()}
        assert now.pop("sos")
        assert now == told

    def test_moves_one_visit_to_a_colleague_where_that_makes_room(self) -> None:
        """Only Ann can splice, and she is told for the same quarter of an hour; Bob is free, and dearer."""
        told = a_job("told", minutes=50, windows=AT_TEN)
        day = a_day(told, technicians=(ann(skills={"splice": 1}), bob(start_place=7, end_place=7)))
        request, plan = plan_then_add(day, minutes=50, windows=AT_TEN, skills={"splice": 1})
        assert [(person, v.job_id) for person, v in plan.visits()] == [("ann", "told")]
        after = least_disruption(request, plan, "sos", rounds=500)
        assert check(request, after) == []
        assert {(v.job_id, person) for person, v in after.visits()} == {("told", "bob"), ("sos", "ann")}

    def test_breaks_no_promise_for_it(self) -> None:
        told = a_job("told", minutes=50, windows=AT_TEN, priority=4)
        request, plan = plan_then_add(a_day(told), minutes=50, windows=AT_TEN)
        after = least_disruption(request, plan, "sos", rounds=500)
        assert [left.job_id for left in after.unassigned] == ["sos"]
        assert after.unassigned[0].code == "day_full"
        assert check(request, after) == []

    def test_keeps_the_reason_of_what_was_left_out_before(self) -> None:
        hard = a_job("hard", skills={"splice": 2})
        request, plan = plan_then_add(a_day(hard, a_job("easy")))
        after = least_disruption(request, plan, "sos", rounds=100)
        assert after.unassigned == plan.unassigned

    def test_names_a_job_that_the_request_lacks(self) -> None:
        request, plan = plan_then_add(a_day(a_job()))
        with pytest.raises(InvalidRequest, match="job nobody is not in the request"):
            least_disruption(request, plan, "nobody")
