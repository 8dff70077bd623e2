"""The scheduler's bench: its judge, by hand and against our checker; its days, its rows, its processes."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bench.scheduling import desk
from bench.scheduling.days import a_day
from bench.scheduling.instances import made
from bench.scheduling.problem import (
    BrokenRoutes,
    Problem,
    Stop,
    Van,
    Verdict,
    drivable,
    judge,
    of_instance,
    request_of,
)
from bench.scheduling.runs import PEERS, Bench, Run, _read, stretched
from bench.scheduling.scope import in_turn

from scheduler.check import check
from scheduler.solve import solve
from scheduler.vrplib import read_instance
from scheduler.vrplib import request_of as request_of_instance

ROOT = Path(__file__).resolve().parents[3]


def a_van(**changes: Any) -> Van:
    return Van(**({"id": "v", "start": 0, "end": 0, "opens": 480, "closes": 960, "load": 9} | changes))


def a_stop(place: int, **changes: Any) -> Stop:
    values = {"id": f"s{place}", "place": place, "minutes": 30, "opens": 480, "closes": 900, "worth": 5_000}
    return Stop(**(values | changes))


def a_problem(*stops: Stop, vans: tuple[Van, ...] = (a_van(),)) -> Problem:
    """Place n lies n × 10 minutes from place 0; a minute costs 60 cents."""
    road = [[10 * abs(i - j) for j in range(6)] for i in range(6)]
    return Problem(name="road", minutes=road, cents_a_minute=60, stops=stops, vans=vans)


class TestTheJudge:
    def test_counts_driving_and_what_is_lost_by_priority(self) -> None:
        problem = a_problem(a_stop(1), a_stop(3), a_stop(2, priority=4, worth=700))
        assert judge(problem, [[0, 1]]) == Verdict(cost=60 * 60 + 700, driven=60, served=2, lost=(0, 0, 0, 1))

    @pytest.mark.parametrize(
        ("stop", "van", "sentence"),
        [
            ({"skills": ("radio",)}, {}, "v has not the skills for s1"),
            ({"load": 10}, {}, "v carries 10 of 9"),
            ({"closes": 489}, {}, "v can't keep its times on ['s1']"),
            ({}, {"closes": 529}, "v can't keep its times on ['s1']"),
            ({"opens": 600, "closes": 620}, {"closes": 639}, "v can't keep its times on ['s1']"),
        ],
    )
    def test_refuses_what_breaks_a_rule(
        self, stop: dict[str, Any], van: dict[str, Any], sentence: str
    ) -> None:
        with pytest.raises(BrokenRoutes) as broken:
            judge(a_problem(a_stop(1, **stop), vans=(a_van(**van),)), [[0]])
        assert str(broken.value) == sentence

    def test_refuses_a_stop_twice_a_missing_route_and_a_must_left_out(self) -> None:
        problem = a_problem(a_stop(1, worth=None))
        for routes, sentence in (
            ([[0, 0]], "s1 is visited twice"),
            ([], "0 routes for 1 vans"),
            ([[]], "1 stops that must be visited are not, s1 first"),
        ):
            with pytest.raises(BrokenRoutes) as broken:
                judge(problem, routes)
            assert str(broken.value) == sentence

    @pytest.mark.parametrize(("latest", "fits"), [(515, True), (485, True), (479, False)])
    def test_lunch_interrupts_a_drive_and_begins_in_time(self, latest: int, fits: bool) -> None:
        """Out at 8:00, there 8:20 (8:35 with lunch), 30 minutes of work, back by 9:25."""
        van = a_van(lunch=(470, latest, 15), closes=565)
        assert drivable(a_problem(a_stop(2, closes=515), vans=(van,)), 0, [0]) is fits

    def test_lunch_at_home_costs_no_time_of_the_shift(self) -> None:
        van = a_van(lunch=(600, 660, 60), closes=540)
        assert drivable(a_problem(a_stop(1), vans=(van,)), 0, [0])

    @pytest.mark.parametrize("lunch", [False, True])
    def test_agrees_with_our_checker_on_whole_days(self, lunch: bool) -> None:
        for seed in range(4):
            problem = a_day(6, 60, seed, lunch=lunch)
            request = request_of(problem)
            plan = solve(request, seconds=0)
            number = {stop.id: place for place, stop in enumerate(problem.stops)}
            routes = [[number[visit.job_id] for visit in route.visits] for route in plan.routes]
            verdict = judge(problem, routes)
            assert (verdict.cost, verdict.served) == (plan.cost.total, len(list(plan.visits())))
            assert 0 < sum(verdict.lost) == len(plan.unassigned)

    def test_agrees_on_a_published_kind_of_instance(self) -> None:
        instance = made("made-1", customers=40)
        plan = solve(request_of_instance(instance), seconds=0)
        problem = of_instance(instance)
        routes = [[int(visit.job_id) - 1 for visit in route.visits] for route in plan.routes]
        assert plan.unassigned == ()
        assert judge(problem, routes).cost == plan.cost.total

    def test_knows_prizes_and_who_may_visit_whom(self) -> None:
        text = (
            "TYPE : PCVRPTW\nDIMENSION : 3\nVEHICLES : 2\nCAPACITY : 9\n"
            "NODE_COORD_SECTION\n1 0 0\n2 3 4\n3 0 1\nDEMAND_SECTION\n1 0\n2 1\n3 1\n"
            "TIME_WINDOW_SECTION\n1 0 99\n2 0 99\n3 0 99\nPRIZE_SECTION\n1 0\n2 4\n3 0\n"
            "VEHICLES_ALLOWED_CLIENTS_SECTION\n1 2\n2 2 3\n"
        )
        problem = of_instance(read_instance(text))
        assert judge(problem, [[], [1]]).cost == 20 + 40
        with pytest.raises(BrokenRoutes, match="v1 has not the skills for 3"):
            judge(problem, [[1], []])

    def test_an_instance_is_not_taken_for_a_day(self) -> None:
        with pytest.raises(ValueError, match="made-1 is not a day"):
            request_of(of_instance(made("made-1", customers=5)))


class TestTheDays:
    def test_are_the_same_for_the_same_seed_and_no_other(self) -> None:
        assert a_day(5, 30, 7, lunch=True) == a_day(5, 30, 7, lunch=True)
        assert a_day(5, 30, 7, lunch=True) != a_day(5, 30, 8, lunch=True)

    def test_lunch_is_all_that_lunch_changes(self) -> None:
        with_it, without = a_day(9, 30, 7, lunch=True), a_day(9, 30, 7, lunch=False)
        assert with_it.stops == without.stops
        assert with_it.minutes == without.minutes
        assert [replace(van, lunch=None) for van in with_it.vans] == list(without.vans)
        assert {van.closes - van.opens > 360 for van in with_it.vans if van.lunch} == {True}

    def test_emergencies_come_last_and_may_begin_all_day(self) -> None:
        urgent = a_day(5, 30, 7, lunch=True, emergencies=3).stops[30:]
        assert [(s.id, s.priority, s.minutes, s.opens, s.closes) for s in urgent] == [
            (f"j{number:04}", 1, 30, 480, 1020) for number in (31, 32, 33)
        ]


class TestReasonsByTryingEverything:
    def test_are_the_four_kinds(self) -> None:
        stops = (
            a_stop(1, minutes=420),
            a_stop(2, skills=("radio",)),
            a_stop(3, opens=480, closes=500),
            a_stop(4, minutes=120),
            a_stop(1, id="near", minutes=5),
        )
        problem = a_problem(*stops)
        assert [desk.brute_force_reason(problem, [[0]], number) for number in (1, 2, 3, 4)] == [
            "skill", "time", "day_full", "too_costly",
        ]  # fmt: skip


class TestADayThatRuns:
    def test_keeps_the_plan_it_had_as_far_as_it_has_not_begun(self) -> None:
        day = request_of(a_day(6, 40, 3, lunch=False))
        plan = solve(day, seconds=0)
        request, kept = desk._overtaken(desk._told(day, plan), plan, 11 * 60)
        assert check(request, kept) == []
        begun = {visit.job_id for _, visit in kept.visits() if visit.fixed}
        assert begun == {job.id for job in request.jobs if job.fixed_start is not None}
        assert 0 < len(begun) < len(list(kept.visits()))


class TestRows:
    spec = importlib.util.spec_from_file_location("bench_scheduler", ROOT / "tests/bench/scheduler.py")
    assert spec is not None and spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)

    def test_all_are_measured_unless_some_are_named(self) -> None:
        assert list(self.bench.chosen([""])) == list(self.bench.ROWS)
        assert self.bench.chosen(["gh200", "solomon100/R101", "solomon100/R104", "gh200/R1_2_1"]) == {
            "gh200": frozenset(), "solomon100": frozenset({"R101", "R104"}),
        }  # fmt: skip

    def test_an_unknown_row_is_refused(self) -> None:
        with pytest.raises(SystemExit, match=r"there is no row solomon\. There are: solomon100, gh200,"):
            self.bench.chosen(["solomon"])

    def test_another_solver_begins_each_turn(self) -> None:
        assert [in_turn("abc", turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]


TOLD: dict[str, Any] = {
    "problem": "road", "solver": "x", "seconds": 1.0, "given_seconds": 1.0, "seed": 1, "threads": 1,
}  # fmt: skip


class TestRuns:
    @pytest.mark.parametrize("solver", ["ours", "ortools-gls", "ortools-ils"])
    def test_a_solver_in_its_own_process_is_judged_and_its_seconds_counted(
        self, solver: str, tmp_path: Path
    ) -> None:
        run = Bench(tmp_path).run(solver, a_day(3, 8, 1, lunch=True), seconds=0.3, seed=2)
        assert run.error is None
        assert run.verdict is not None and run.verdict.served >= 6
        assert 0 < run.search_cpu_seconds < run.cpu_seconds
        assert (run.solver, run.seed, bool(run.version)) == (solver, 2, True)

    def test_whoever_comes_first_ours_is_asked_with_loads(self, tmp_path: Path) -> None:
        instance = made("made-1", customers=12)
        tight = replace(instance, vehicles=tuple(replace(v, capacity=40) for v in instance.vehicles))
        bench, problem = Bench(tmp_path), of_instance(tight)
        bench.run("ortools-gls", problem, seconds=0.2)
        bench.run("ours", problem, seconds=0.2, request=request_of_instance(tight))
        assert [run.error for run in bench.runs] == [None, None]
        assert [run.verdict.served for run in bench.runs if run.verdict] == [12, 12]

    @pytest.mark.parametrize(
        ("cpu", "wall", "given"),
        [
            (9.5, 10.0, None),  # it had the processor to itself
            (2.0, 2.1, None),  # it stopped by itself
            (4.0, 10.0, 25.0),  # it waited
            (15.0, 20.0, 13.33),  # it was given too much
            (0.5, 10.0, 80.0),  # no machine is worth waiting for longer
        ],
    )
    def test_a_solver_that_waited_for_the_processor_gets_more_of_the_wall(
        self, cpu: float, wall: float, given: float | None
    ) -> None:
        run = Run(**TOLD | {"seconds": 10.0}, search_cpu_seconds=cpu, search_wall_seconds=wall)
        assert stretched(run) == given

    def test_routes_that_break_a_rule_are_an_error_not_a_figure(self) -> None:
        answer = {"routes": [[0, 0]], "cost": None, "version": "1", "cpu": 1, "wall": 1}
        run = _read(a_problem(a_stop(1)), json.dumps(answer), dict(TOLD))
        assert (run.cost, run.error) == (None, "s1 is visited twice")

    def test_a_cost_that_differs_from_the_judges_is_an_error(self) -> None:
        answer = {"routes": [[0]], "cost": 1, "version": "1", "cpu": 1, "wall": 1}
        run = _read(a_problem(a_stop(1)), json.dumps(answer), dict(TOLD))
        assert (run.cost, run.error) == (None, "says 1, costs 1200")


def test_the_peers_are_pinned_with_hashes() -> None:
    blocks = re.split(r"\n(?=[a-z])", (PEERS / "routing.txt").read_text())
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []
    asked = (PEERS / "routing.in").read_text().split()
    assert [line for line in asked if not any(block.startswith(f"{line} ") for block in blocks)] == []
