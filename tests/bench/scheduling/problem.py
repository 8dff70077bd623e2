"""A routing problem as all solvers get it, and the judge of their routes. No solver's code, none of ours.

Times are whole minutes; a drive of m minutes costs m × `cents_a_minute`. Routes are lists of stops' numbers,
one list a van. The judge knows nothing of how a route was found: it drives it again, stop by stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from scheduler.request import Job, Lunch, PlanRequest, Technician, TravelMatrix, Weights, Window
from scheduler.vrplib import Instance

NEVER = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Work that begins between `opens` and `closes`. worth: cents lost without it; None where it must be."""

    id: str
    place: int
    minutes: int
    opens: int
    closes: int
    load: int = 0
    skills: tuple[str, ...] = ()
    worth: int | None = None
    priority: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Van:
    """lunch: earliest begin, latest begin, minutes; it may interrupt a drive, never work."""

    id: str
    start: int
    end: int
    opens: int
    closes: int
    load: int = 0
    skills: tuple[str, ...] = ()
    lunch: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    name: str
    minutes: list[list[int]] = field(repr=False)
    cents_a_minute: int
    stops: tuple[Stop, ...] = field(repr=False)
    vans: tuple[Van, ...] = field(repr=False)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What routes cost, in cents. lost: stops left out, by priority 1 to 4."""

    cost: int
    driven: int
    served: int
    lost: tuple[int, int, int, int]


class BrokenRoutes(ValueError):
    """The routes break the problem's rules; the message says which and where."""


def judge(problem: Problem, routes: Sequence[Sequence[int]]) -> Verdict:
    """Drive `routes` and say what they cost. Raises BrokenRoutes."""
    if len(routes) != len(problem.vans):
        raise BrokenRoutes(f"{len(routes)} routes for {len(problem.vans)} vans")
    seen: set[int] = set()
    driven = 0
    for van, (rules, route) in enumerate(zip(problem.vans, routes, strict=True)):
        for number in route:
            if number in seen:
                raise BrokenRoutes(f"{problem.stops[number].id} is visited twice")
            seen.add(number)
            if not suits(problem, van, number):
                raise BrokenRoutes(f"{rules.id} has not the skills for {problem.stops[number].id}")
        if (load := sum(problem.stops[number].load for number in route)) > rules.load:
            raise BrokenRoutes(f"{rules.id} carries {load} of {rules.load}")
        if not drivable(problem, van, route):
            raise BrokenRoutes(f"{rules.id} can't keep its times on {[problem.stops[n].id for n in route]}")
        driven += road(problem, van, route)
    lost = [stop for number, stop in enumerate(problem.stops) if number not in seen]
    if forgotten := [stop.id for stop in lost if stop.worth is None]:
        raise BrokenRoutes(f"{len(forgotten)} stops that must be visited are not, {forgotten[0]} first")
    return Verdict(
        cost=driven * problem.cents_a_minute + sum(stop.worth or 0 for stop in lost),
        driven=driven,
        served=len(seen),
        lost=tuple(sum(stop.priority == p for stop in lost) for p in (1, 2, 3, 4)),  # type: ignore[arg-type]
    )


def suits(problem: Problem, van: int, number: int) -> bool:
    return set(problem.stops[number].skills) <= set(problem.vans[van].skills)


def road(problem: Problem, van: int, route: Sequence[int]) -> int:
    """Minutes of driving."""
    if not route:
        return 0
    rules = problem.vans[van]
    places = [rules.start, *(problem.stops[number].place for number in route), rules.end]
    return sum(problem.minutes[a][b] for a, b in pairwise(places))


def drivable(problem: Problem, van: int, route: Sequence[int]) -> bool:
    """Whether windows, shift and lunch hold: tried with lunch on each drive in turn."""
    if not route:
        return True
    lunch = problem.vans[van].lunch
    if lunch is None:
        return _home(problem, van, route, None) <= problem.vans[van].closes
    if any(_home(problem, van, route, leg) <= problem.vans[van].closes for leg in range(len(route) + 1)):
        return True
    return _home(problem, van, route, None) <= min(lunch[1], problem.vans[van].closes)  # lunch at home


def _home(problem: Problem, van: int, route: Sequence[int], lunch_leg: int | None) -> int:
    """When the van is home, lunch taken on that drive (0: to the first stop); NEVER where that can't be."""
    rules = problem.vans[van]
    clock, place = rules.opens, rules.start
    for leg in range(len(route) + 1):
        there = rules.end if leg == len(route) else problem.stops[route[leg]].place
        arrival = clock + problem.minutes[place][there]
        if leg == lunch_leg:
            assert rules.lunch
            earliest, latest, minutes = rules.lunch
            if clock > latest:
                return NEVER
            arrival = max(arrival, earliest) + minutes
        if leg < len(route):
            stop = problem.stops[route[leg]]
            if arrival > stop.closes:
                return NEVER
            arrival = max(arrival, stop.opens) + stop.minutes
        clock, place = arrival, there
    return clock


# --- where problems come from, and how they become a request ---


def of_instance(instance: Instance) -> Problem:
    """A published instance: ticks are minutes and cents. A longest duration of routes is left out."""
    names = {place: str(node.number) for place, node in instance.customers}
    classes: dict[frozenset[int], str] = {}
    skills: dict[int, tuple[str, ...]] = {}
    for place, node in instance.customers:
        able = frozenset(
            number
            for number, vehicle in enumerate(instance.vehicles)
            if vehicle.allowed is None or node.number in vehicle.allowed
        )
        skills[place] = (classes.setdefault(able, f"class {len(classes)}"),)
    return Problem(
        name=instance.name,
        minutes=instance.distances(),
        cents_a_minute=1,
        stops=tuple(
            Stop(
                id=names[place],
                place=place,
                minutes=node.service,
                opens=node.opens,
                closes=node.closes,
                load=node.demand,
                skills=skills[place],
                worth=node.prize,
            )
            for place, node in instance.customers
        ),
        vans=tuple(
            Van(
                id=f"v{number + 1}",
                start=vehicle.depot,
                end=vehicle.depot,
                opens=instance.nodes[vehicle.depot].opens,
                closes=instance.nodes[vehicle.depot].closes,
                load=vehicle.capacity,
                skills=tuple(name for able, name in classes.items() if number in able),
            )
            for number, vehicle in enumerate(instance.vehicles)
        ),
    )


def request_of(problem: Problem) -> PlanRequest:
    """A day as our scheduler is asked; its cost in cents is the judge's. ValueError for an instance."""
    if any(stop.load or stop.worth is None for stop in problem.stops):
        raise ValueError(f"{problem.name} is not a day")
    return PlanRequest(
        technicians=tuple(
            Technician(
                id=van.id,
                start_place=van.start,
                end_place=van.end,
                shift_start=van.opens,
                shift_end=van.closes,
                lunch=Lunch(earliest=van.lunch[0], latest=van.lunch[1], minutes=van.lunch[2])
                if van.lunch
                else None,
                skills=dict.fromkeys(van.skills, 1),
            )
            for van in problem.vans
        ),
        jobs=tuple(
            Job(
                id=stop.id,
                place=stop.place,
                minutes=stop.minutes,
                skills=dict.fromkeys(stop.skills, 1),
                windows=(Window(stop.opens, stop.closes),),
                priority=stop.priority,
                drop_cost=stop.worth,
            )
            for stop in problem.stops
        ),
        travel=TravelMatrix(
            seconds=tuple(tuple(60 * minutes for minutes in row) for row in problem.minutes),
            metres=((0,) * len(problem.minutes),) * len(problem.minutes),
            engine=problem.name,
            estimated=True,
        ),
        weights=Weights(drive_hour=60 * problem.cents_a_minute, drive_km=0),
    )
