"""A day as an OR-Tools routing model: one function a rule, each testable on its own.

Nodes are the jobs that have not begun, then one start and one end a technician. Begun visits are not in the
model at all: each technician's start is where and when the last of them ends, so no search can move them.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ortools.constraint_solver import pywrapcp

from scheduler.duty import home_by, per_hour
from scheduler.pace import HOURS, STEADY
from scheduler.request import MINUTES_MAX
from scheduler.timing import NEVER, Day

HORIZON_SPARE = 24 * 60


@dataclass(frozen=True, slots=True)
class Model:
    """`jobs[node]` is the job's number in the day, for nodes below len(jobs). `places[node]` is its place."""

    day: Day
    jobs: tuple[int, ...]
    places: tuple[int, ...]
    minutes_on_site: tuple[int, ...]
    manager: Any
    routing: Any

    @property
    def vehicles(self) -> range:
        return range(len(self.day.technicians))

    def index(self, node: int) -> int:
        return int(self.manager.NodeToIndex(node))

    def clock(self) -> Any:
        return self.routing.GetDimensionOrDie("clock")


def routing_model(day: Day, order: Sequence[int] = ()) -> Model:
    """Build the model of `day`; `order` shuffles the jobs, which is how a seed gets its say.

    Jobs that nobody may take are left out: their cost is the same in every plan.
    """
    jobs = tuple(number for number in order or day.open_jobs if _able(day, number))
    people = len(day.technicians)
    count = len(jobs) + 2 * people
    starts = list(range(len(jobs), len(jobs) + people))
    ends = list(range(len(jobs) + people, count))
    manager = pywrapcp.RoutingIndexManager(count, people, starts, ends)
    model = Model(
        day=day,
        jobs=jobs,
        places=(
            *(day.jobs[number].place for number in jobs),
            *(origin.place for origin in day.origins),
            *(person.end_place for person in day.technicians),
        ),
        minutes_on_site=(
            *(day.jobs[number].minutes + day.jobs[number].setup_minutes for number in jobs),
            *[0] * (2 * people),
        ),
        manager=manager,
        routing=pywrapcp.RoutingModel(manager),
    )
    for constrain in RULES:
        constrain(model)
    return model


def prefer_short_drives(model: Model) -> None:
    cost = [[model.day.drive_cost[i][j] for j in model.places] for i in model.places]
    model.routing.SetArcCostEvaluatorOfAllVehicles(model.routing.RegisterTransitMatrix(cost))


def keep_time(model: Model) -> None:
    """Give the model its clock: a visit's value is when it starts; waiting before it is free.

    The model knows no visit whose length depends on the one before: one that shares a setup begins so much
    earlier instead.
    """
    day = model.day
    horizon = HORIZON_SPARE + max(
        *(home_by(person) for person in day.technicians), *(origin.minute for origin in day.origins)
    )
    evaluator = model.routing.RegisterTransitMatrix(_busy(model))
    model.routing.AddDimension(evaluator, horizon, horizon, False, "clock")


def _busy(model: Model) -> list[list[int]]:
    """Minutes from the start of each visit to the arrival at each other, without waiting."""
    day = model.day
    pace = _mean_pace(day)
    setups = [
        *(day.jobs[number].setup_minutes for number in model.jobs),
        *(origin.set_up for origin in day.origins),
        *[0] * len(day.origins),
    ]
    sites = [
        *model.places[: len(model.jobs)],
        *(origin.site for origin in day.origins),
        *[None] * len(day.origins),
    ]
    return [
        [
            max(0, stay + -(-day.minutes[i][j] * STEADY // pace) - (min(had, setup) if site == j else 0))
            for j, setup in zip(model.places, setups, strict=True)
        ]
        for i, site, had, stay in zip(model.places, sites, setups, model.minutes_on_site, strict=True)
    ]


def _mean_pace(day: Day) -> int:
    """One pace for all hours of the shifts: the model's drives are as long at noon as at five."""
    if not day.pace:
        return STEADY
    first = min(origin.minute for origin in day.origins) // 60
    last = max(first, *(person.shift_end // 60 for person in day.technicians))
    hours = [day.pace.by_hour[hour % HOURS] for hour in range(first, last + 1)]
    return sum(hours) // len(hours)


def keep_shifts(model: Model) -> None:
    for vehicle, person in enumerate(model.day.technicians):
        clock = model.clock()
        clock.CumulVar(model.routing.Start(vehicle)).SetValue(model.day.origins[vehicle].minute)
        if _on_shift(model.day, vehicle):
            clock.CumulVar(model.routing.End(vehicle)).SetMax(home_by(person))


def _on_shift(day: Day, vehicle: int) -> bool:
    """Whether the technician could still be home in time, lunch included. If not, no job is for them."""
    origin, person = day.origins[vehicle], day.technicians[vehicle]
    drive = day.minutes[origin.place][person.end_place]
    back = day.pace.arrival(origin.minute, STEADY * drive) if day.pace else origin.minute + drive
    for earliest, latest, minutes in origin.rests:
        if back > latest:
            back = max(back, earliest) + minutes
    return back <= home_by(person)


def have_lunch(model: Model) -> None:
    routing = model.routing
    on_site = [
        model.minutes_on_site[model.manager.IndexToNode(index)] if index < routing.Size() else 0
        for index in range(routing.Size())
    ]
    for vehicle, origin in enumerate(model.day.origins):
        if origin.rests and _on_shift(model.day, vehicle):
            breaks = [
                routing.solver().FixedDurationIntervalVar(
                    max(earliest, origin.minute),  # else it is had before the route begins, for free
                    latest,
                    minutes,
                    False,
                    f"break {number} of {vehicle}",
                )
                for number, (earliest, latest, minutes) in enumerate(origin.rests)
            ]
            model.clock().SetBreakIntervalsOfVehicle(breaks, vehicle, on_site)


def keep_windows(model: Model) -> None:
    for node, number in enumerate(model.jobs):
        windows = model.day.windows[number]
        if windows == ((0, NEVER),):
            continue
        start = model.clock().CumulVar(model.index(node))
        if windows[0][0] > start.Max():
            model.routing.ActiveVar(model.index(node)).SetValue(0)  # nobody is on duty then
            continue
        start.SetRange(windows[0][0], min(windows[-1][1], start.Max()))
        for (_, closes), (opens, _) in itertools.pairwise(windows):
            start.RemoveInterval(closes + 1, opens - 1)


def match_people(model: Model) -> None:
    """Skills with levels, the technician a job is tied to, parts on the van at all, people still on shift."""
    for node, number in enumerate(model.jobs):
        # Not SetAllowedVehiclesForIndex: it refuses Python lists, and to it an empty list means "anyone".
        model.routing.VehicleVar(model.index(node)).SetValues([-1, *_able(model.day, number)])


def _able(day: Day, job: int) -> list[int]:
    return [v for v in range(len(day.technicians)) if day.may_go(v, job) and _on_shift(day, v)]


def carry_parts(model: Model) -> None:
    """Two jobs can't use the same single part. Only SKUs that could run short get a dimension: each costs."""
    day = model.day
    for sku in sorted({sku for number in model.jobs for sku in day.jobs[number].parts}):
        wanted = [day.jobs[number].parts.get(sku, 0) for number in model.jobs]
        on_vans = [origin.parts.get(sku, 0) for origin in day.origins]
        short = any(
            sum(
                w
                for w, number in zip(wanted, model.jobs, strict=True)
                if any(day.may_go(other, number) for other in model.vehicles if day.van[other] == van)
            )
            > on_vans[van]
            for van in set(day.van)
        )
        if short:
            evaluator = model.routing.RegisterUnaryTransitVector([*wanted, *[0] * (2 * len(on_vans))])
            model.routing.AddDimensionWithVehicleCapacity(evaluator, 0, on_vans, True, f"parts {sku}")
            _share_vans(model, sku, on_vans)


def _share_vans(model: Model, sku: str, on_vans: Sequence[int]) -> None:
    """Shifts of one person take from one van."""
    load = model.routing.GetDimensionOrDie(f"parts {sku}")
    shifts: dict[int, list[int]] = {}
    for vehicle, van in enumerate(model.day.van):
        shifts.setdefault(van, []).append(vehicle)
    for van, own in shifts.items():
        if len(own) > 1:
            solver = model.routing.solver()
            taken = solver.Sum([load.CumulVar(model.routing.End(vehicle)) for vehicle in own])
            solver.Add(taken <= on_vans[van])


def price_undone(model: Model) -> None:
    """Leaving a job out costs its worth, less what anyone would cost beyond the drive (see price_people)."""
    for node, number in enumerate(model.jobs):
        least = min(_extra(model.day, number).values())
        model.routing.AddDisjunction([model.index(node)], max(0, model.day.undone[number] - least))


def price_lateness(model: Model) -> None:
    """Late for the SLA, or later than told. A start takes one such bound: with both, the dearer minute counts
    here.

    The plan's own cost has both (`Day.cost`), and that is what plans are compared by.
    """
    weights = model.day.request.weights
    for node, number in enumerate(model.jobs):
        job = model.day.jobs[number]
        bounds = []
        if job.due is not None and weights.late_minute:
            bounds.append((weights.late_minute, max(0, job.due - model.minutes_on_site[node])))
        if job.previous_start is not None and weights.later_minute:
            bounds.append((weights.later_minute, job.previous_start))
        if job.preferred and weights.unpreferred_minute:
            bounds.append((weights.unpreferred_minute, job.preferred[-1].closes))
        if bounds:
            cost, minute = max(bounds)
            model.clock().SetCumulVarSoftUpperBound(model.index(node), minute, cost)


def price_overtime(model: Model) -> None:
    """By the minute, rounded; what nobody may work needs no price."""
    minute = per_hour(model.day.request.weights.overtime_hour, 1)
    for vehicle, person in enumerate(model.day.technicians):
        if person.overtime_max and minute and _on_shift(model.day, vehicle):
            end = model.routing.End(vehicle)
            model.clock().SetCumulVarSoftUpperBound(end, person.shift_end, minute)


def price_uneven_work(model: Model) -> None:
    """By the minute, rounded, for each technician with a share of their own."""
    minute = per_hour(model.day.request.weights.uneven_hour, 1)
    if not minute or all(person.fair_minutes is None for person in model.day.technicians):
        return
    busy = model.routing.RegisterTransitMatrix(_busy(model))
    model.routing.AddDimension(busy, 0, MINUTES_MAX, True, "busy")
    for vehicle, person in enumerate(model.day.technicians):
        if person.fair_minutes is not None:
            left = max(0, person.fair_minutes - model.day.busy_before(vehicle))
            end = model.routing.End(vehicle)
            model.routing.GetDimensionOrDie("busy").SetCumulVarSoftUpperBound(end, left, minute)


def price_people(model: Model) -> None:
    """Cost of who goes: bias, and another technician than told before; over the cheapest able one's.

    Only the difference, so that somebody costs nothing: a job for which every vehicle of a dimension has a
    transit can't be left out in OR-Tools 9.15, the whole model is infeasible.
    """
    extra = [[0] * len(model.places) for _ in model.vehicles]
    for node, number in enumerate(model.jobs):
        costs = _extra(model.day, number)
        for vehicle, cost in costs.items():
            extra[vehicle][node] = cost - min(costs.values())
    most = max(sum(costs) for costs in extra)
    if most:
        evaluators = [model.routing.RegisterUnaryTransitVector(costs) for costs in extra]
        model.routing.AddDimensionWithVehicleTransits(evaluators, 0, most, True, "who")
        model.routing.GetDimensionOrDie("who").SetSpanCostCoefficientForAllVehicles(1)


def _extra(day: Day, job: int) -> dict[int, int]:
    """What each able technician costs for the job beyond drive and time."""
    return {vehicle: day.policy.extra(day.technicians[vehicle], day.jobs[job]) for vehicle in _able(day, job)}


RULES: tuple[Callable[[Model], None], ...] = (
    prefer_short_drives,
    keep_time,
    keep_shifts,
    have_lunch,
    keep_windows,
    match_people,
    carry_parts,
    price_undone,
    price_lateness,
    price_overtime,
    price_uneven_work,
    price_people,
)
