"""Days of an internet provider, the product's own problem: with lunch beside VROOM, without beside others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import mean
from typing import Any

from bench.scheduling.days import a_day
from bench.scheduling.problem import Problem
from bench.scheduling.scope import OURS, Run, Scope, by_solver, counted, figure, in_turn, label

SEEDS = (11, 12, 13)
LARGE_SECONDS = 120
LARGE_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """seconds: CPU for each solver with a budget. level: how thoroughly VROOM looks; it ends by itself."""

    technicians: int
    jobs: int
    seconds: float
    level: int


SIZES = (
    Size(technicians=40, jobs=250, seconds=5, level=5),
    Size(technicians=100, jobs=800, seconds=10, level=1),
)
AIMS_LUNCH = {"vroom": "<= 0.93 of peer"}
AIMS = {"pyvrp": "<= 0.85 of peer", "ortools-gls": "<= 0.8 of peer", "ortools-ils": "<= 0.8 of peer"}


def with_lunch(scope: Scope) -> list[dict[str, Any]]:
    return [told for size in SIZES for told in _days(scope, size, AIMS_LUNCH, lunch=True)]


def without_lunch(scope: Scope) -> list[dict[str, Any]]:
    return [told for size in SIZES for told in _days(scope, size, AIMS, lunch=False)]


def large(scope: Scope) -> list[dict[str, Any]]:
    """300 technicians, 3,000 jobs, both cores and the same wall time for both."""
    if scope.quick and not scope.names:
        return []
    problem = a_day(300, 3000, SEEDS[0], lunch=True)
    wall = scope.seconds(LARGE_SECONDS)
    runs = [
        scope.bench.run(solver, problem, seconds=wall, threads=LARGE_THREADS, level=5, limit=wall)
        for solver in (OURS, "vroom")
    ]
    return _figures(f"300 × 3,000 with lunch, {LARGE_THREADS} threads, {wall:g} s of wall time", runs,
                    {"vroom": "<= 1 of peer"})  # fmt: skip


def day_name(size: Size, seed: int, lunch: bool) -> str:
    return f"{size.technicians}x{size.jobs}{' lunch' if lunch else ''} day {seed}"


def _days(scope: Scope, size: Size, aims: dict[str, str], *, lunch: bool) -> list[dict[str, Any]]:
    names = [day_name(size, seed, lunch) for seed in SEEDS]
    seconds = scope.seconds(size.seconds)
    level = min(size.level, 2) if scope.quick else size.level
    runs: list[Run] = []
    chosen = scope.chosen(names, names[:1] if size is SIZES[0] else [])
    for turn, name in enumerate(chosen):
        problem = _day(name)
        runs += [
            scope.bench.run(solver, problem, seconds=seconds, level=level)
            for solver in in_turn((OURS, *aims), turn)
        ]
    what = "with lunch" if lunch else "without lunch"
    title = f"{size.technicians} × {size.jobs} {what} at {seconds:g} CPU s, {counted(len(chosen), 'day')}"
    return _figures(title, runs, aims) if chosen else []


def _day(name: str) -> Problem:
    numbers = [int(number) for number in re.findall(r"\d+", name)]
    return a_day(numbers[0], numbers[1], numbers[2], lunch="lunch" in name)


def _figures(title: str, runs: list[Run], aims: dict[str, str]) -> list[dict[str, Any]]:
    """Mean score beside each peer, over the days that both planned; and urgent jobs left out."""
    ours = by_solver(runs, OURS)
    found = []
    for peer, aim in aims.items():
        theirs = by_solver(runs, peer)
        pairs = [
            (one.cost, other.cost)
            for one in ours
            for other in theirs
            if one.problem == other.problem and one.cost is not None and other.cost is not None
        ]
        if pairs:
            found.append(
                figure(
                    f"{title}: score beside {peer}",
                    round(mean(one for one, _ in pairs)),
                    "seconds driven and penalties",
                    theirs,
                    peer=label(theirs),
                    peer_value=round(mean(other for _, other in pairs)),
                    aim=aim,
                )
            )
    judged = [run.verdict for run in ours if run.verdict]
    lost = sum(verdict.lost[0] + verdict.lost[1] for verdict in judged)
    found.append(
        figure(f"{title}: jobs of priority 1 and 2 left out by ours", lost, "jobs", ours, aim="== 0")
    )
    found.append(figure(f"{title}: runs of ours without a plan", len(ours) - len(judged), "runs", aim="== 0"))
    return found
