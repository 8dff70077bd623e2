"""Traffic by the hour: when visits are, and that nobody gains by leaving later."""

from dataclasses import replace
from fractions import Fraction

import pytest
from days import LUNCH, a_day, a_job, a_town_day, ann, at, random_days, window
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.check import check
from scheduler.codec import request_from_json, request_to_json
from scheduler.pace import HOURS, STEADY, Pace
from scheduler.plan import Plan
from scheduler.request import InvalidRequest, PlanRequest
from scheduler.solve import solve
from scheduler.timing import Day, Misfit
from scheduler.travel.hours import HourFactors

# Half as fast from 8 to 9.
RUSH = HourFactors.parse("8-9:2").paces()
PACES = st.lists(st.integers(100, 5_000), min_size=HOURS, max_size=HOURS).map(tuple)
MINUTES = st.integers(0, 4_000)


def planned(request: PlanRequest, *orders: list[int]) -> Plan:
    return Day(request).plan(orders, (), engine="by hand", seed=0)


class TestAPace:
    def test_is_a_factor_the_other_way_round(self) -> None:
        assert (RUSH[7:10], len(RUSH)) == ((1_000, 500, 1_000), HOURS)

    def test_of_the_hour_holds_until_the_next(self) -> None:
        # 50 minutes at half the pace are 25, and 35 more at the full pace.
        assert Pace(RUSH).arrival(at("08:10"), 60 * STEADY) == at("09:35")
        assert Pace(RUSH).departure(at("09:35"), 60 * STEADY) == at("08:10")

    def test_holds_on_the_next_day_too(self) -> None:
        assert Pace(RUSH).arrival(24 * 60 + at("08:10"), 10 * STEADY) == 24 * 60 + at("08:30")

    @given(PACES, MINUTES, st.integers(0, 500_000))
    def test_takes_as_long_as_the_sum_of_its_minutes(
        self, paces: tuple[int, ...], leave: int, drive: int
    ) -> None:
        pace = Pace(paces)
        arrive = pace.arrival(leave, drive)
        way = [paces[minute // 60 % 24] for minute in range(leave, arrive)]
        assert sum(way) >= drive > sum(way[:-1]) - (not way)
        assert pace.driven(leave, arrive) == sum(way)

    @given(PACES, MINUTES, MINUTES, st.integers(0, 500_000))
    def test_never_rewards_leaving_later(
        self, paces: tuple[int, ...], one: int, other: int, drive: int
    ) -> None:
        first, second = sorted((one, other))
        assert Pace(paces).arrival(first, drive) <= Pace(paces).arrival(second, drive)

    @given(PACES, MINUTES, st.integers(0, 100_000))
    def test_says_when_to_leave_at_the_latest(self, paces: tuple[int, ...], arrive: int, drive: int) -> None:
        pace = Pace(paces)
        leave = pace.departure(arrive + 2_880, drive)
        assert pace.arrival(leave, drive) <= arrive + 2_880 < pace.arrival(leave + 1, drive)

    @given(PACES, MINUTES, st.integers(0, 500))
    def test_agrees_with_the_factors_of_the_roads(
        self, paces: tuple[int, ...], leave: int, minutes: int
    ) -> None:
        hours = HourFactors(tuple(float(Fraction(STEADY, max(100, pace))) for pace in paces))
        told = hours.arrival(leave * 60, minutes * 60) / 60
        assert told - 1e-6 <= Pace(paces).arrival(leave, minutes * STEADY) < told + 1 + 1e-6


class TestADayWithTraffic:
    def test_has_longer_drives_at_some_hours(self) -> None:
        plan = planned(a_day(a_job(place=3, minutes=60), pace=RUSH), [0])
        route = plan.routes[0]
        assert (route.visits[0].arrive, route.visits[0].end, route.back) == (
            at("09:00"),
            at("10:00"),
            at("10:30"),
        )
        assert (route.leave, route.visits[0].travel_minutes, route.travel_minutes) == (at("08:00"), 30, 60)
        assert check(a_day(a_job(place=3, minutes=60), pace=RUSH), plan) == []

    def test_says_when_to_leave_for_a_promise_after_the_rush(self) -> None:
        request = a_day(a_job(place=3, windows=(window("09:10", "10:00"),)), pace=RUSH)
        assert planned(request, [0]).routes[0].leave == at("08:20")  # 40 min for 20, then 10

    def test_refuses_what_could_be_reached_on_empty_roads_only(self) -> None:
        job = a_job(place=3, windows=(window("08:00", "08:45"),))
        assert isinstance(planned(a_day(job), [0]), Plan)
        assert Day(a_day(job, pace=RUSH)).times(0, [0]) == Misfit("window", 0, at("09:00"), at("08:45"))

    def test_goes_on_at_the_pace_of_the_hour_after_lunch(self) -> None:
        slow = HourFactors.parse("11-12:2").paces()
        job = a_job(place=5, minutes=60, windows=(window("08:00", "13:00"),))
        request = a_day(job, technicians=(ann(lunch=LUNCH),), now=at("11:20"), pace=slow)
        plan = planned(request, [0])
        # 5 of 50 minutes by 11:30, lunch until 12:00, 45 minutes more.
        assert (plan.routes[0].lunch_start, plan.routes[0].visits[0].arrive) == (at("11:30"), at("12:45"))
        assert check(request, plan) == []

    def test_is_the_same_day_when_every_hour_is_steady(self) -> None:
        request = a_town_day(4, 20)
        assert Day(replace(request, pace=(STEADY,) * HOURS)).pace is None

    @pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "OR-Tools"])
    def test_is_planned_by_either_engine(self, compiled: bool) -> None:
        request = replace(a_town_day(6, 40), pace=HourFactors.parse("8-10:1.6 15-17:1.5").paces())
        plan = solve(request, seconds=1, compiled=compiled)
        assert check(request, plan) == []
        assert len(plan.unassigned) <= 4

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(request=random_days(), pace=PACES)
    def test_can_be_driven_whatever_the_traffic(self, request: PlanRequest, pace: tuple[int, ...]) -> None:
        request = replace(request, pace=pace)
        assert check(request, solve(request, rounds=100)) == []

    def test_is_read_and_written(self) -> None:
        request = a_day(a_job(), pace=RUSH)
        assert request_from_json(request_to_json(request)) == request

    @pytest.mark.parametrize(
        ("pace", "text"),
        [
            ((1_000,) * 23, "pace must have 24 entries"),
            ((1_000,) * 23 + (50,), "pace.23. must be between 100"),
        ],
    )
    def test_is_refused_by_name_when_it_makes_no_sense(self, pace: tuple[int, ...], text: str) -> None:
        with pytest.raises(InvalidRequest, match=text):
            a_day(a_job(), pace=pace)


class TestTheJudge:
    def test_sees_a_drive_through_the_rush_that_takes_no_longer(self) -> None:
        job = a_job(place=3, minutes=60)
        found = check(a_day(job, pace=RUSH), planned(a_day(job), [0]))
        assert [v.text for v in found] == ["arrives 08:30, but 08:00 and 30 min drive is later"]

    def test_sees_a_way_home_that_takes_no_longer(self) -> None:
        slow = HourFactors.parse("9-10:2").paces()
        job = a_job(place=3, minutes=30)
        found = check(a_day(job, pace=slow), planned(a_day(job), [0]))
        assert [v.text for v in found] == ["is back 09:30, not possible before 10:00"]
