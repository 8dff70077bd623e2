"""The checker sees each broken rule by itself: a good plan is spoilt in one place at a time."""

from dataclasses import replace
from typing import Any

import pytest
from days import LUNCH, a_day, a_job, ann, at, bob, window

from scheduler.check import check, cost_of
from scheduler.plan import Cost, Plan, Route, Unassigned, Visit
from scheduler.request import PlanRequest
from scheduler.solve import solve

DAY = a_day(
    a_job(
        "a", place=1, minutes=30, skills={"fibre": 1}, parts={"ONT": 1}, windows=(window("08:10", "09:00"),)
    ),
    a_job("b", place=3, minutes=60, due=at("11:00")),
    a_job("c", place=2, technician="bob", fixed_start=at("08:30")),
    technicians=(
        ann(skills={"fibre": 1}, parts={"ONT": 1}, lunch=LUNCH, shift_end=at("12:00")),
        bob(),
    ),
)
PLAN = Plan(
    routes=(
        Route(
            technician_id="ann",
            leave=at("08:00"),
            visits=(
                Visit(
                    job_id="a", arrive=at("08:10"), start=at("08:10"), end=at("08:40"),
                    travel_minutes=10, travel_metres=1000,
                ),
                Visit(
                    job_id="b", arrive=at("09:00"), start=at("09:00"), end=at("10:00"),
                    travel_minutes=20, travel_metres=2000,
                ),
            ),
            back=at("10:30"),
            lunch_start=at("11:30"),
            travel_minutes=60,
            travel_seconds=3600,
            travel_metres=6000,
        ),
        Route(
            technician_id="bob",
            leave=at("08:10"),
            visits=(
                Visit(
                    job_id="c", arrive=at("08:30"), start=at("08:30"), end=at("09:00"),
                    travel_minutes=20, travel_metres=2000, fixed=True,
                ),
            ),
            back=at("09:20"),
            travel_minutes=40,
            travel_seconds=2400,
            travel_metres=4000,
        ),
    ),
    unassigned=(),
    cost=Cost(travel=(10 + 20 + 30 + 40) * 103),
    engine="by hand",
    roads="test road",
    roads_estimated=False,
    seed=0,
)  # fmt: skip


def spoilt_visit(number: int, route: int = 0, **changes: Any) -> Plan:
    visits = list(PLAN.routes[route].visits)
    visits[number] = replace(visits[number], **changes)
    return spoilt_route(route, visits=tuple(visits))


def spoilt_route(number: int = 0, **changes: Any) -> Plan:
    routes = list(PLAN.routes)
    routes[number] = replace(routes[number], **changes)
    return replace(PLAN, routes=tuple(routes))


def rules(plan: Plan, request: PlanRequest = DAY) -> set[str]:
    return {violation.rule for violation in check(request, plan)}


def changed_job(job_id: str, **changes: Any) -> PlanRequest:
    return replace(DAY, jobs=tuple(replace(j, **changes) if j.id == job_id else j for j in DAY.jobs))


class TestAGoodPlan:
    def test_has_nothing_wrong(self) -> None:
        assert check(DAY, PLAN) == []

    def test_costs_what_its_drives_cost(self) -> None:
        assert cost_of(DAY, PLAN) == Cost(travel=10_300)

    def test_costs_no_less_than_the_solver_s(self) -> None:
        assert solve(DAY, seconds=0).cost.total <= PLAN.cost.total


class TestNothingIsForgotten:
    def test_a_job_in_no_list(self) -> None:
        plan = spoilt_route(visits=PLAN.routes[0].visits[:1])
        assert [v.text for v in check(DAY, plan)] == ["job b is neither planned nor listed"]

    def test_a_job_twice(self) -> None:
        left = (Unassigned(job_id="a", code="time", reason="no time"),)
        assert [v.text for v in check(DAY, replace(PLAN, unassigned=left))] == ["job a appears 2 times"]

    def test_a_job_from_elsewhere(self) -> None:
        left = (Unassigned(job_id="z", code="time", reason="no time"),)
        assert rules(replace(PLAN, unassigned=left)) == {"unknown_job"}

    def test_a_job_left_without_a_reason(self) -> None:
        plan = spoilt_route(visits=PLAN.routes[0].visits[:1])
        plan = replace(plan, unassigned=(Unassigned(job_id="b", code="time", reason=""),))
        assert rules(plan) == {"no_reason"}

    def test_a_technician_without_a_route(self) -> None:
        left = (Unassigned(job_id="c", code="time", reason="no time"),)
        assert rules(replace(PLAN, routes=PLAN.routes[:1], unassigned=left)) == {"routes"}


class TestPersonAndVan:
    def test_a_skill_below_the_level(self) -> None:
        found = check(changed_job("a", skills={"fibre": 2}), PLAN)
        assert [v.text for v in found] == ["a needs fibre level 2, ann has 1"]
        assert (found[0].technician_id, found[0].job_id) == ("ann", "a")

    def test_more_parts_than_the_van_has(self) -> None:
        found = check(changed_job("b", parts={"ONT": 1}), PLAN)
        assert [v.text for v in found] == ["the route needs 2 × ONT, the van has 1"]

    def test_a_job_tied_to_someone_else(self) -> None:
        assert rules(PLAN, changed_job("b", technician="bob")) == {"technician"}


class TestTheClock:
    def test_a_start_outside_the_window(self) -> None:
        found = check(changed_job("a", windows=(window("08:15", "09:00"),)), PLAN)
        assert [v.text for v in found] == ["starts 08:10, promised 08:15–09:00"]

    def test_a_start_between_two_windows(self) -> None:
        two = (window("07:00", "08:00"), window("09:00", "10:00"))
        assert rules(PLAN, changed_job("a", windows=two)) == {"window"}

    def test_an_arrival_sooner_than_the_drive_allows(self) -> None:
        found = check(DAY, spoilt_visit(1, arrive=at("08:59")))
        assert [v.text for v in found] == ["arrives 08:59, but 08:40 and 20 min drive is later"]

    def test_work_before_arrival(self) -> None:
        assert "travel" in rules(spoilt_visit(1, start=at("08:58"), end=at("09:58")))

    def test_a_visit_shorter_than_the_job(self) -> None:
        found = check(DAY, spoilt_visit(1, end=at("09:50")))
        assert [v.text for v in found] == ["lasts 50 min, the job takes 60"]

    def test_leaving_before_the_shift(self) -> None:
        assert rules(spoilt_route(leave=at("07:50"))) == {"shift"}

    def test_back_after_the_shift(self) -> None:
        person = replace(DAY.technicians[0], shift_end=at("12:30"), lunch=None)
        request = replace(DAY, technicians=(replace(person, shift_end=at("10:20")), DAY.technicians[1]))
        found = check(request, spoilt_route(lunch_start=None))
        assert [v.text for v in found if v.rule != "cost"] == ["is back 10:30, the shift ends 10:20"]

    def test_back_sooner_than_the_drive_allows(self) -> None:
        assert rules(spoilt_route(back=at("10:29"))) == {"travel"}

    def test_a_start_before_now(self) -> None:
        assert rules(PLAN, replace(DAY, now=at("08:05"))) == {"shift", "travel"}


class TestLunch:
    def test_none_at_all(self) -> None:
        assert [v.text for v in check(DAY, spoilt_route(lunch_start=None))] == ["ann gets no lunch"]

    def test_too_late(self) -> None:
        found = check(DAY, spoilt_route(lunch_start=at("13:01")))
        assert [v.text for v in found] == ["lunch at 13:01, allowed 11:30–13:00"]

    def test_in_the_middle_of_a_job(self) -> None:
        request = replace(changed_job("b", minutes=170), technicians=(ann(**_ann(16)), bob()))
        plan = spoilt_visit(1, end=at("11:50"))
        route = replace(plan.routes[0], back=at("12:20"), lunch_start=at("11:35"))
        assert rules(replace(plan, routes=(route, plan.routes[1])), request) >= {"lunch"}

    def test_with_no_time_left_for_it_on_the_way_back(self) -> None:
        request = replace(changed_job("b", minutes=170), technicians=(ann(**_ann(16)), bob()))
        plan = spoilt_visit(1, end=at("11:50"))
        route = replace(plan.routes[0], back=at("12:20"), lunch_start=at("12:00"))
        found = check(request, replace(plan, routes=(route, plan.routes[1])))
        assert "is back 12:20, not possible before 12:50" in {v.text for v in found}


def _ann(hour: int) -> dict[str, Any]:
    return {"skills": {"fibre": 1}, "parts": {"ONT": 1}, "lunch": LUNCH, "shift_end": hour * 60}


class TestWhatHasBegun:
    @pytest.mark.parametrize("changes", [{"start": 515}, {"end": 545}, {"fixed": False}])
    def test_never_moves(self, changes: dict[str, Any]) -> None:
        assert "begun" in rules(spoilt_visit(0, route=1, **changes))

    def test_never_changes_hands(self) -> None:
        plan = spoilt_route(1, visits=())
        ann_too = replace(plan.routes[0], visits=(PLAN.routes[1].visits[0], *PLAN.routes[0].visits))
        assert "begun" in rules(replace(plan, routes=(ann_too, plan.routes[1])))

    def test_a_plan_can_not_claim_that_a_visit_began(self) -> None:
        assert "begun" in rules(spoilt_visit(1, fixed=True))


class TestSums:
    def test_a_cost_that_is_not_the_visits_cost(self) -> None:
        assert rules(replace(PLAN, cost=Cost(travel=1))) == {"cost"}

    def test_a_drive_unlike_the_matrix(self) -> None:
        assert rules(spoilt_visit(1, travel_metres=1)) == {"totals"}

    def test_totals_that_do_not_add_up(self) -> None:
        assert rules(spoilt_route(travel_seconds=3599)) == {"totals"}
