"""Greedy insertion, and the repair that follows it."""

from dataclasses import replace

import pytest
from days import a_day, a_job, a_road, a_town_day, ann, at, bob, random_days, window
from hypothesis import HealthCheck, given, settings

from scheduler.baseline import greedy, keep_feasible, places, route_cost, total_cost, undone_jobs
from scheduler.repair import make_room
from scheduler.request import PlanRequest
from scheduler.timing import Day


class TestGreedy:
    def test_puts_each_job_where_it_adds_least(self) -> None:
        """Ann lives at 0, Bob at 7."""
        people = (ann(), bob(start_place=7, end_place=7))
        day = Day(a_day(a_job("a", place=3), a_job("b", place=2), a_job("c", place=6), technicians=people))
        orders = greedy(day)
        assert [sorted(order) for order in orders] == [[0, 1], [2]]

    def test_serves_the_dearest_first(self) -> None:
        jobs = (a_job("calm", minutes=200, priority=4), a_job("urgent", minutes=200, priority=1))
        day = Day(a_day(*jobs, technicians=(ann(shift_end=at("12:00")),)))
        assert greedy(day) == [[1]]
        assert undone_jobs(day, [[1]]) == [0]

    def test_keeps_the_plan_it_begins_from(self) -> None:
        day = Day(a_day(*[a_job(f"j{n}", place=n) for n in (1, 2, 3)], technicians=(ann(), bob())))
        assert greedy(day, [[], [2, 0]]) in ([[], [1, 2, 0]], [[], [2, 1, 0]])

    def test_counts_undone_jobs_into_the_cost(self) -> None:
        day = Day(a_day(a_job("a"), a_job("b", priority=4)))
        assert total_cost(day, [[0]]) == 2060 + 40_000

    def test_names_its_own_mistake(self) -> None:
        day = Day(a_day(a_job(windows=(window("08:00", "08:01"),))))
        with pytest.raises(ValueError, match="route does not fit"):
            route_cost(day, 0, [0])


class TestPlaces:
    def test_yields_only_positions_that_keep_every_promise(self) -> None:
        promised = a_job("a", place=2, windows=(window("08:20", "08:30"),))
        day = Day(a_day(promised, a_job("b", place=1)))
        assert [position for position, _, _ in places(day, 0, [0], 1)] == [1]

    def test_yields_nothing_for_someone_who_may_not_go(self) -> None:
        day = Day(a_day(a_job(skills={"splice": 1})))
        assert list(places(day, 0, [], 0)) == []


class TestKeepFeasible:
    def test_drops_the_cheaper_of_two_that_no_longer_fit_together(self) -> None:
        jobs = (a_job("calm", minutes=200, priority=4), a_job("urgent", minutes=200, priority=1))
        day = Day(a_day(*jobs, technicians=(ann(shift_end=at("12:00")),)))
        assert keep_feasible(day, [[0, 1]]) == [[1]]

    def test_keeps_a_route_that_fits_only_as_a_whole(self) -> None:
        """By way of place 1 the drive to place 2 takes 20 minutes, the direct one two hours."""
        road = a_road(3)
        seconds = ((0, 600, 7200), (600, 0, 600), (7200, 600, 0))
        jobs = (
            a_job("on the way", place=1, minutes=10, priority=4),
            a_job("urgent", place=2, priority=1, windows=(window("08:00", "09:00"),)),
        )
        day = Day(replace(a_day(*jobs), travel=replace(road, seconds=seconds)))
        assert keep_feasible(day, [[0, 1]]) == [[0, 1]]
        assert keep_feasible(day, [[1]]) == [[]]

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days())
    def test_changes_nothing_that_fits(self, request: PlanRequest) -> None:
        day = Day(request)
        orders = greedy(day)
        assert keep_feasible(day, orders) == orders


class TestMakeRoom:
    def test_moves_a_visit_to_the_other_technician_so_that_a_skilled_job_gets_in(self) -> None:
        jobs = (a_job("plain", minutes=200), a_job("splice", minutes=200, skills={"splice": 1}))
        people = (ann(skills={"splice": 1}, shift_end=at("12:00")), bob(shift_end=at("12:00")))
        day = Day(a_day(*jobs, technicians=people))
        assert make_room(day, [[0], []]) == [[1], [0]]

    def test_leaves_a_plan_that_can_not_be_bettered(self) -> None:
        day = Day(a_day(a_job("a", minutes=400), a_job("b", minutes=400)))
        assert make_room(day, [[0]]) == [[0]]

    def test_never_costs_more(self) -> None:
        day = Day(a_town_day(5, 60, seed=3))
        orders = greedy(day)
        better = make_room(day, orders)
        assert total_cost(day, better) < total_cost(day, orders)
        assert len(undone_jobs(day, better)) < len(undone_jobs(day, orders))
