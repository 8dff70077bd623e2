"""Each rule of the routing model by itself: what it allows and forbids, asked of OR-Tools directly."""

import pytest
from days import LUNCH, a_day, a_job, ann, at, bob, random_days, window
from hypothesis import HealthCheck, given, settings

from scheduler.baseline import greedy, keep_feasible
from scheduler.model import Model, routing_model
from scheduler.request import Lunch, PlanRequest
from scheduler.search import search
from scheduler.timing import Day


def allows(model: Model, *orders: list[int]) -> bool:
    """Whether the model accepts these routes as they are (job numbers, one list a technician)."""
    if any(number not in model.jobs for order in orders for number in order):
        return False
    routes = [[model.index(model.jobs.index(number)) for number in order] for order in orders]
    model.routing.CloseModel()
    return model.routing.ReadAssignmentFromRoutes(routes, True) is not None


def cost(model: Model, *orders: list[int]) -> int:
    routes = [[model.index(model.jobs.index(number)) for number in order] for order in orders]
    model.routing.CloseModel()
    return int(model.routing.ReadAssignmentFromRoutes(routes, True).ObjectiveValue())


def model_of(request: PlanRequest) -> Model:
    return routing_model(Day(request))


class TestEachRule:
    def test_short_drives_cost_less(self) -> None:
        jobs = (a_job("a", place=1), a_job("b", place=3), a_job("c", place=2))
        assert cost(model_of(a_day(*jobs)), [0, 2, 1]) == 6 * 1030
        assert cost(model_of(a_day(*jobs)), [1, 0, 2]) == 8 * 1030

    @pytest.mark.parametrize(("minutes", "fits"), [(420, True), (421, False)])
    def test_shifts(self, minutes: int, fits: bool) -> None:
        assert allows(model_of(a_day(a_job(place=3, minutes=minutes))), [0]) is fits

    @pytest.mark.parametrize(("closes", "fits"), [("08:49", False), ("08:50", True)])
    def test_windows(self, closes: str, fits: bool) -> None:
        assert allows(model_of(a_day(a_job(place=5, windows=(window("08:00", closes),)))), [0]) is fits

    def test_the_gap_between_two_windows(self) -> None:
        """The visit before ends in the gap, so the second window it must be, unless the shift ends first."""
        two = (window("08:00", "08:10"), window("15:30", "15:55"))
        day = a_day(a_job("a", place=1), a_job("b", place=1, windows=two, minutes=10))
        assert allows(model_of(day), [1, 0])
        assert allows(model_of(day), [0, 1])
        early = a_day(*day.jobs, technicians=(ann(shift_end=at("15:00")),))
        assert allows(model_of(early), [1, 0])
        assert not allows(model_of(early), [0, 1])

    @pytest.mark.parametrize(("level", "fits"), [(2, True), (3, False)])
    def test_skills_with_levels(self, level: int, fits: bool) -> None:
        day = a_day(a_job(skills={"splice": level}), technicians=(ann(skills={"splice": 2}),))
        assert allows(model_of(day), [0]) is fits

    def test_a_tied_job_only_with_its_technician(self) -> None:
        day = a_day(a_job(technician="bob"), technicians=(ann(), bob()))
        assert not allows(model_of(day), [0], [])
        assert allows(model_of(day), [], [0])

    @pytest.mark.parametrize(("stock", "fits"), [(1, False), (2, True)])
    def test_parts_for_all_jobs_of_a_route_together(self, stock: int, fits: bool) -> None:
        jobs = (a_job("a", parts={"ONT": 1}), a_job("b", parts={"ONT": 1}))
        day = a_day(*jobs, technicians=(ann(parts={"ONT": stock}),))
        assert allows(model_of(day), [0, 1]) is fits

    def test_lunch(self) -> None:
        long = a_job(place=1, minutes=360, windows=(window("08:00", "09:00"),))
        assert allows(model_of(a_day(long)), [0])
        assert not allows(model_of(a_day(long, technicians=(ann(lunch=LUNCH),))), [0])

    def test_an_undone_job_costs_its_priority(self) -> None:
        day = a_day(a_job("a", priority=1), a_job("b", priority=4))
        assert cost(model_of(day), []) == 440_000

    def test_lateness_and_later_than_told_cost_by_the_minute(self) -> None:
        late = a_job(place=1, minutes=30, due=at("08:30"))
        told = a_job(place=1, minutes=30, previous_start=at("08:04"))
        assert cost(model_of(a_day(late)), [0]) == 2060 + 10 * 100
        assert cost(model_of(a_day(told)), [0]) == 2060 + 6 * 20

    def test_bias_and_another_technician_than_told_cost(self) -> None:
        day = a_day(a_job(previous_technician="bob"), technicians=(ann(bias={"j1": 7}), bob()))
        assert cost(model_of(day), [0], []) == 2060 + 2000 + 7
        assert cost(model_of(day), [], [0]) == 2060

    def test_a_job_nobody_may_take_is_left_out(self) -> None:
        hopeless = a_job("a", skills={"splice": 1}, previous_technician="gone")
        day = Day(a_day(hopeless, a_job("b"), technicians=(ann(), bob())))
        assert routing_model(day).jobs == (1,)
        assert sorted(search(day, 0.05) or []) == [[], [1]]

    def test_a_job_that_costs_extra_with_everyone_can_still_be_left_out(self) -> None:
        """OR-Tools 9.15 calls such a model infeasible unless someone's extra is nothing."""
        told = [
            a_job(f"j{n}", minutes=300, previous_technician="gone", previous_start=480) for n in (1, 2, 3)
        ]
        orders = search(Day(a_day(*told, technicians=(ann(bias={"j1": 5}), bob()))), 0.1)
        assert orders is not None and [len(order) for order in orders] == [1, 1]

    def test_someone_past_the_end_of_the_shift_gets_nothing_and_blocks_nothing(self) -> None:
        begun = a_job("a", place=5, minutes=60, technician="ann", fixed_start=at("15:00"))
        day = Day(a_day(begun, a_job("b", place=5), technicians=(ann(lunch=LUNCH), bob())))
        assert search(day, 0.05) == [[], [1]]

    def test_begun_visits_are_not_in_the_model_at_all(self) -> None:
        begun = a_job("a", place=4, technician="ann", fixed_start=at("09:00"))
        model = model_of(a_day(begun, a_job("b", place=4)))
        assert model.jobs == (1,)
        assert cost(model, [1]) == 4 * 1030  # from the begun visit's place, home


class TestSearch:
    @pytest.mark.parametrize(("minutes", "fits"), [(29, True), (30, True), (31, False)])
    def test_lunch_is_not_eaten_before_the_route_begins(self, minutes: int, fits: bool) -> None:
        """At noon, the latest moment for a lunch that might have begun at 11:30, it is still to come."""
        lunch = Lunch(earliest=at("11:30"), latest=at("12:00"), minutes=30)
        day = Day(
            a_day(
                a_job(place=0, minutes=minutes),
                technicians=(ann(shift_end=at("13:00"), lunch=lunch),),
                now=at("12:00"),
            )
        )
        assert search(day, 0.2) == ([[0]] if fits else [[]])

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days(roads=True))
    def test_model_and_timing_agree_on_what_can_be_driven(self, request: PlanRequest) -> None:
        day = Day(request)
        orders = search(day, 0.03)
        if orders is not None:  # a busy machine may not get as far as a first plan
            assert keep_feasible(day, orders) == orders

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(request=random_days(roads=True))
    def test_the_model_accepts_every_plan_the_timing_calls_possible(self, request: PlanRequest) -> None:
        day = Day(request)
        assert allows(routing_model(day), *greedy(day))
        assert allows(routing_model(day), *[[] for _ in day.technicians])

    def test_a_seed_shuffles_the_jobs_and_changes_nothing_else(self) -> None:
        day = Day(a_day(a_job("a", place=1), a_job("b", place=3), a_job("c", place=2)))
        assert {tuple(sorted(search(day, 0.05, seed=seed)[0])) for seed in (0, 1, 2)} == {(0, 1, 2)}  # type: ignore[index]
