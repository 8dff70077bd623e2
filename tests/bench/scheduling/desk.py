"""What a dispatcher meets: an emergency on a full day, a replan, the first plan, why a job stays undone."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import replace
from random import Random
from typing import Any

from bench.scheduling.days import a_day
from bench.scheduling.problem import Problem, drivable, request_of, suits
from bench.scheduling.runs import ROOT
from bench.scheduling.scope import Scope, figure

from scheduler.check import check, cost_of
from scheduler.codec import request_to_json
from scheduler.compare import compare
from scheduler.emergency import best_insertions, least_disruption
from scheduler.plan import Plan, Unassigned
from scheduler.request import Job, PlanRequest
from scheduler.solve import solve

OTHER_TECHNICIAN = 7_200  # seconds of driving
LATER_MINUTE = 60
KEPT_WORTH = 60_000  # a promise to come today weighs more than any drive
EMERGENCY_WORTH = 50_000
START_RUNS = 5


# --- an emergency on a full day ---


def emergency(scope: Scope) -> list[dict[str, Any]]:
    """A hundred technicians with a full day, and urgent repairs that come in, each by itself."""
    technicians, jobs = (40, 250) if scope.quick else (100, 800)
    first_options, searches = (10, 2) if scope.quick else (40, 10)
    problem = a_day(technicians, jobs, 21, lunch=True, emergencies=first_options)
    whole = request_of(problem)
    urgent = [replace(job, drop_cost=EMERGENCY_WORTH) for job in whole.jobs[jobs:]]
    day = replace(whole, jobs=whole.jobs[:jobs])
    plan = solve(day, seconds=scope.seconds(20), seed=1)
    direct, waits = 0, []
    for job in urgent:
        began = time.monotonic()
        options = best_insertions(replace(day, jobs=(*day.jobs, job)), plan, job.id)
        waits.append(1000 * (time.monotonic() - began))
        direct += bool(options)
    answers = [_least_disruption(day, plan, job) for job in urgent[:searches]]
    title = f"Emergency on a full day of {technicians} × {jobs}"
    walls, served, moved, dropped = (list(column) for column in zip(*answers, strict=True))
    return [
        figure(f"{title}: first options, 95th percentile of {len(waits)}", round(_p95(waits), 1), "ms",
               aim="<= 50"),
        figure(f"{title}: with an option", round(100 * direct / len(urgent), 1), "%"),
        figure(f"{title}: answer with least disruption, longest of {searches}", round(max(walls), 2),
               "s of wall time", aim="<= 1"),
        figure(f"{title}: taken in by it", round(100 * sum(served) / searches, 1), "%", aim="== 100"),
        figure(f"{title}: other jobs that change technician, median", statistics.median(moved), "jobs",
               aim="== 0"),
        figure(f"{title}: planned jobs dropped, median", statistics.median(dropped), "jobs", aim="== 0"),
    ]  # fmt: skip


def _least_disruption(day: PlanRequest, plan: Plan, job: Job) -> tuple[float, bool, int, int]:
    """Take `job` in with as few others moved as can be found.

    Returns wall seconds, whether the job is in, and how many others change technician or are dropped.
    """
    request = replace(day, jobs=(*day.jobs, job))
    began = time.monotonic()
    after = least_disruption(request, plan, job.id, seed=1)
    wall = time.monotonic() - began
    if violations := check(request, after):
        raise SystemExit(f"the checker refuses the plan: {violations[0].text}")
    left = Unassigned(job_id=job.id, code="day_full", reason="it has only just come in")
    compared = compare(request, replace(plan, unassigned=(*plan.unassigned, left)), after)
    planned = {visit.job_id for _, visit in after.visits()}
    dropped = sum(move.technician_after is None for move in compared.moved)
    return wall, job.id in planned, len(compared.technician_changed), dropped


def _told(day: PlanRequest, plan: Plan) -> PlanRequest:
    """The request once customers know `plan`: who comes and when."""
    visits = {visit.job_id: (person, visit.start) for person, visit in plan.visits()}
    jobs = tuple(
        replace(
            job, previous_technician=visits[job.id][0], previous_start=visits[job.id][1], drop_cost=KEPT_WORTH
        )
        if job.id in visits
        else job
        for job in day.jobs
    )
    weights = replace(day.weights, other_technician=OTHER_TECHNICIAN, later_minute=LATER_MINUTE)
    return replace(day, jobs=jobs, weights=weights)


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


# --- replans ---


def replan(scope: Scope) -> list[dict[str, Any]]:
    """Small days planned again while they run: never dearer than what was planned, nothing begun moves."""
    count = 10 if scope.quick else 200
    worse = moved = compared = 0
    for seed in range(count):
        day = request_of(a_day(6, 40, 1000 + seed, lunch=seed % 2 == 0))
        plan = solve(day, seconds=0.2, seed=seed)
        now = Random(seed).randrange(8 * 60, 16 * 60)
        request, kept = _overtaken(_told(day, plan), plan, now)
        if check(request, kept):
            continue  # the clock has overtaken this plan (a lunch under way): there is nothing to hold it to
        compared += 1
        after = solve(request, seconds=0.3, seed=seed)
        worse += cost_of(request, after).total > cost_of(request, kept).total
        begun = {visit.job_id: visit for _, visit in kept.visits() if visit.fixed}
        moved += any(
            begun[visit.job_id].start != visit.start for _, visit in after.visits() if visit.job_id in begun
        )
    return [
        figure(f"Replans dearer than the plan they began from, of {compared}", worse, "replans", aim="== 0"),
        figure(f"Replans that moved a begun visit, of {compared}", moved, "replans", aim="== 0"),
        figure(f"Replans compared, of {count} days tried", compared, "replans"),
    ]


def _overtaken(day: PlanRequest, plan: Plan, now: int) -> tuple[PlanRequest, Plan]:
    """The day at minute `now`: whoever is on the way or there has begun; and `plan` as it stands then."""
    begun = {
        visit.job_id: (person, visit.start)
        for person, visit in plan.visits()
        if visit.start - visit.travel_minutes < now
    }
    lunched = {
        route.technician_id
        for route, person in zip(plan.routes, day.technicians, strict=True)
        if person.lunch and route.lunch_start is not None and route.lunch_start + person.lunch.minutes <= now
    }
    jobs = tuple(
        replace(job, technician=begun[job.id][0], fixed_start=begun[job.id][1]) if job.id in begun else job
        for job in day.jobs
    )
    people = tuple(replace(p, lunch=None) if p.id in lunched else p for p in day.technicians)
    places = {job.id: job.place for job in day.jobs}
    homes = {person.id: person.end_place for person in day.technicians}
    routes = []
    for route in plan.routes:
        visits = tuple(
            replace(visit, fixed=True, arrive=visit.start)
            if visit.job_id in begun
            else replace(visit, arrive=max(visit.arrive, min(visit.start, now + visit.travel_minutes)))
            for visit in route.visits
        )
        lunch = None if route.technician_id in lunched else route.lunch_start
        leave = route.leave if any(visit.fixed for visit in visits) else max(route.leave, now)
        back = route.back
        if visits and visits[-1].fixed:  # home already, or on the way there: the request can't know
            work_ends = max(now, visits[-1].end)
            back = max(
                back, work_ends + day.travel.minutes(places[visits[-1].job_id], homes[route.technician_id])
            )
        routes.append(replace(route, visits=visits, lunch_start=lunch, leave=leave, back=back))
    request = replace(day, jobs=jobs, technicians=people, now=now)
    kept = replace(plan, routes=tuple(routes))
    return request, replace(kept, cost=cost_of(request, kept))


# --- the first plan of a fresh process ---


def start(scope: Scope) -> list[dict[str, Any]]:
    """`python -m scheduler solve` on a day of 40 × 250, from its start to its first plan, median."""
    problem = scope.bench.folder / "start.json"
    problem.write_text(request_to_json(request_of(a_day(40, 250, 11, lunch=True))))
    command = [sys.executable, "-m", "scheduler", "solve", str(problem), "--seconds", "2", "--progress"]
    waits = [_first_line(command) for _ in range(2 if scope.quick else START_RUNS)]
    return [
        figure("First plan for 40 × 250 after process start, median", round(statistics.median(waits), 2),
               "s of wall time", aim="<= 2")
    ]  # fmt: skip


def _first_line(command: list[str]) -> float:
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        wait = time.monotonic() - began
        process.kill()
    if not line.startswith("{"):
        raise RuntimeError(f"the scheduler gave no plan: {line}")
    return wait


# --- why a job stays undone ---


def explain(scope: Scope) -> list[dict[str, Any]]:
    """The reason's code of every job left out, against trying everything by the judge's own clock."""
    sizes = ((8, 90, 2),) if scope.quick else ((8, 90, 12), (40, 400, 2))
    agreed, told = 0, 0
    for technicians, jobs, days in sizes:
        for seed in range(days):
            problem = a_day(technicians, jobs, 500 + seed, lunch=seed % 2 == 0)
            plan = solve(request_of(problem), seconds=scope.seconds(3), seed=seed)
            number = {stop.id: place for place, stop in enumerate(problem.stops)}
            routes = [[number[visit.job_id] for visit in route.visits] for route in plan.routes]
            for left in plan.unassigned:
                told += 1
                agreed += left.code == brute_force_reason(problem, routes, number[left.job_id])
    return [
        figure(f"Reasons that trying everything confirms, of {told} jobs left out",
               round(100 * agreed / told, 2) if told else None, "%", aim=">= 100")
    ]  # fmt: skip


def brute_force_reason(problem: Problem, routes: list[list[int]], number: int) -> str:
    """Which reason holds for a stop in none of `routes`, every van and every position tried."""
    suited = [van for van in range(len(problem.vans)) if suits(problem, van, number)]
    if not suited:
        return "skill"
    for van in suited:
        for position in range(len(routes[van]) + 1):
            if drivable(problem, van, [*routes[van][:position], number, *routes[van][position:]]):
                return "too_costly"
    return "day_full" if any(drivable(problem, van, [number]) for van in suited) else "time"
