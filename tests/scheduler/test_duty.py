"""How long a day may get: overtime up to its limit and at its price, and an even share of the work."""

from dataclasses import replace

import pytest
from days import LUNCH, a_day, a_job, a_town_day, ann, at, bob, random_days, window
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.check import check, cost_of
from scheduler.duty import per_hour
from scheduler.explain import fit
from scheduler.fairness import with_even_shares
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


class TestUnevenWork:
    FIVE = tuple(a_job(f"j{n}", place=1, minutes=60, windows=(window("08:00", "15:00"),)) for n in range(4))

    def test_beyond_a_share_has_a_price(self) -> None:
        request = a_day(*self.FIVE[:2], technicians=(ann(fair_minutes=80),))
        plan = planned(request, [0, 1])
        assert plan.cost.uneven == 1_500  # 20 minutes there and back and 120 of work are an hour too many
        assert check(request, plan) == []

    def test_has_none_for_whoever_has_no_share(self) -> None:
        assert planned(a_day(*self.FIVE[:2]), [0, 1]).cost.uneven == 0

    def test_counts_what_has_begun_and_setting_up(self) -> None:
        begun = a_job("begun", place=2, minutes=60, technician="ann", fixed_start=at("08:20"))
        later = a_job("later", place=1, minutes=30, setup_minutes=15)
        request = a_day(begun, later, technicians=(ann(fair_minutes=0),), uneven_hour=60)
        assert planned(request, [1]).cost.uneven == 20 + 60 + 10 + 45 + 10
        assert check(request, planned(request, [1])) == []

    @pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "OR-Tools"])
    def test_is_shared_out_where_the_detour_is_cheaper(self, compiled: bool) -> None:
        people = (ann(fair_minutes=140), bob(fair_minutes=140))
        plan = solve(a_day(*self.FIVE, technicians=people, uneven_hour=6_000), seconds=1, compiled=compiled)
        assert [len(route.visits) for route in plan.routes] == [2, 2]
        assert plan.cost.uneven == 0
        cheap = solve(a_day(*self.FIVE, technicians=people, uneven_hour=0), seconds=1, compiled=compiled)
        assert sorted(len(route.visits) for route in cheap.routes) == [0, 4]

    def test_that_is_not_paid_is_seen_by_the_judge(self) -> None:
        request = a_day(*self.FIVE[:2], technicians=(ann(fair_minutes=80),))
        plan = planned(request, [0, 1])
        free = replace(plan, cost=replace(plan.cost, uneven=0))
        assert [violation.rule for violation in check(request, free)] == ["cost"]


class TestAnEvenShare:
    def test_is_work_and_the_shortest_drives_by_the_length_of_the_shifts(self) -> None:
        half = bob(shift_start=at("12:00"))
        request = a_day(
            a_job("a", place=1, minutes=50), a_job("b", place=3, minutes=80), technicians=(ann(), half)
        )
        # Ten minutes to place 1 from where they live, twenty from there to place 3: 160 minutes for 12 hours.
        assert [p.fair_minutes for p in with_even_shares(request).technicians] == [107, 54]

    def test_is_never_more_than_the_shift(self) -> None:
        request = a_day(a_job(minutes=2_000))
        assert with_even_shares(request).technicians[0].fair_minutes == 480

    def test_makes_a_town_s_day_more_even(self) -> None:
        request = a_town_day(8, 40)
        even = with_even_shares(replace(request, weights=replace(request.weights, uneven_hour=6_000)))
        plans = [solve(day, rounds=3_000) for day in (request, even)]
        assert check(even, plans[1]) == []
        assert most_visits(plans[1]) < most_visits(plans[0])
        assert len(plans[1].unassigned) == len(plans[0].unassigned)


def most_visits(plan: Plan) -> int:
    return max(len(route.visits) for route in plan.routes)
