"""How long a technician's day may get: overtime up to its limit, and its price."""

from dataclasses import replace

import pytest
from days import LUNCH, a_day, a_job, a_town_day, ann, at, bob, random_days, window
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.check import check, cost_of
from scheduler.duty import per_hour
from scheduler.explain import fit
from scheduler.plan import Plan
from scheduler.request import InvalidRequest, PlanRequest, Technician
from scheduler.solve import solve
from scheduler.timing import Day, Misfit

# Ten minutes away; one can be home again at 16:20, twenty minutes after the shift.
LATE = a_job("late", place=1, minutes=30, windows=(window("15:40", "15:50"),))


def planned(request: PlanRequest, *orders: list[int]) -> Plan:
    return Day(request).plan(orders, (), engine="by hand", seed=0)


class TestOvertime:
    def test_lets_a_visit_end_after_the_shift_at_its_price(self) -> None:
        plan = solve(a_day(LATE, technicians=(ann(overtime_max=20),)), seconds=0)
        assert (plan.routes[0].back, plan.unassigned) == (at("16:20"), ())
        assert plan.cost.overtime == 3_000  # 20 minutes at 90.00 an hour
        assert plan.cost.total == plan.cost.travel + 3_000

    def test_is_none_unless_it_is_allowed(self) -> None:
        assert Day(a_day(LATE)).times(0, [0]) == Misfit("shift", None, at("16:20"), at("16:00"))

    def test_ends_at_its_limit(self) -> None:
        request = a_day(LATE, technicians=(ann(overtime_max=19),))
        assert Day(request).times(0, [0]) == Misfit("shift", None, at("16:20"), at("16:19"))
        plan = solve(request, seconds=0)
        assert [left.code for left in plan.unassigned] == ["time"]
        text = "would be back 16:20, shift ends 16:00 and 19 min of overtime are allowed"
        assert [rule.text for rule in fit(request, plan, "late", "ann").broken] == [text]

    def test_is_not_done_for_less_than_it_costs(self) -> None:
        cheap = replace(LATE, drop_cost=4_000)
        plan = solve(a_day(cheap, technicians=(ann(overtime_max=60),)), rounds=200)
        assert [left.code for left in plan.unassigned] == ["too_costly"]
        assert (
            solve(a_day(cheap, technicians=(ann(overtime_max=60),), overtime_hour=0), rounds=200)
            .routes[0]
            .visits
        )

    @pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "OR-Tools"])
    def test_goes_to_whoever_is_still_on_duty(self, compiled: bool) -> None:
        """Bob lives half an hour further away and is on duty until 18:00: that is the cheaper drive."""
        people = (ann(overtime_max=60), bob(start_place=2, end_place=2, shift_end=at("18:00")))
        plan = solve(a_day(LATE, technicians=people), seconds=1, compiled=compiled)
        assert [person for person, _ in plan.visits()] == ["bob"]
        assert plan.cost.overtime == 0

    def test_that_has_happened_is_counted_and_forbids_nothing(self) -> None:
        begun = a_job("begun", place=1, minutes=60, technician="ann", fixed_start=at("15:40"))
        plan = solve(a_day(begun, a_job("more", place=2)), seconds=0)
        assert (plan.routes[0].back, plan.cost.overtime) == (at("16:50"), 7_500)
        assert [left.job_id for left in plan.unassigned] == ["more"]

    def test_comes_with_lunch_as_early_as_it_can_be(self) -> None:
        """She eats before the visit, or at home: neither makes the day longer."""
        job = a_job(place=1, minutes=60, windows=(window("14:30", "14:50"),))
        person = ann(lunch=replace(LUNCH, latest=at("15:45")), shift_end=at("15:00"), overtime_max=60)
        plan = solve(a_day(job, technicians=(person,)), seconds=0)
        assert (plan.routes[0].back, plan.cost.overtime) == (at("15:40"), 6_000)

    def test_below_nothing_is_refused_by_name(self) -> None:
        with pytest.raises(InvalidRequest, match="technician ann: overtime_max must be between 0"):
            ann(overtime_max=-1)


class TestTheJudge:
    REQUEST = a_day(LATE, technicians=(ann(overtime_max=20),))

    def test_sees_overtime_beyond_the_limit(self) -> None:
        less = replace(self.REQUEST, technicians=(ann(overtime_max=15),))
        plan = planned(self.REQUEST, [0])
        assert check(self.REQUEST, plan) == []
        text = "is back 16:20, the shift ends 16:00 and 15 min of overtime are allowed"
        assert [violation.text for violation in check(less, plan)] == [text]

    def test_sees_overtime_that_is_not_paid(self) -> None:
        plan = planned(self.REQUEST, [0])
        free = replace(plan, cost=replace(plan.cost, overtime=0))
        assert [violation.rule for violation in check(self.REQUEST, free)] == ["cost"]


def long_days(request: PlanRequest, minutes: int) -> PlanRequest:
    """The shifts end earlier, and overtime makes up for it."""

    def longer(person: Technician) -> Technician:
        return replace(person, shift_end=person.shift_end - minutes, overtime_max=minutes)

    return replace(request, technicians=tuple(map(longer, request.technicians)))


class TestAWholeDay:
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request=random_days(), hour=st.sampled_from([0, 1, 9_000]))
    def test_is_priced_alike_by_the_plan_and_the_judge(self, request: PlanRequest, hour: int) -> None:
        request = replace(request, weights=replace(request.weights, overtime_hour=hour))
        plan = solve(request, rounds=100)
        assert check(request, plan) == []
        assert cost_of(request, plan) == plan.cost

    def test_has_little_overtime_where_it_is_dear_and_more_where_it_is_free(self) -> None:
        request = long_days(a_town_day(6, 60), 90)
        free = replace(request, weights=replace(request.weights, overtime_hour=0))
        dear, cheap = (solve(day, rounds=4_000) for day in (request, free))
        assert minutes_over(request, dear) < minutes_over(request, cheap)

    def test_rounds_to_the_cent(self) -> None:
        assert [per_hour(100, minutes) for minutes in (-5, 0, 1, 30)] == [0, 0, 2, 50]


def minutes_over(request: PlanRequest, plan: Plan) -> int:
    ends = {person.id: person.shift_end for person in request.technicians}
    return sum(max(0, route.back - ends[route.technician_id]) for route in plan.routes if route.visits)
