"""Days of an internet provider in a made-up region: the product's own problem, the same for the same seed.

Towns lie in a square of 40 km, with farms between them. Technicians start and end at home, know two to five
of six trades and work one of three shifts. Customers were promised a morning, an afternoon, two hours or the
day. A day costs its driving in seconds, and for each job left out a penalty by priority.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from bench.scheduling.problem import Problem, Stop, Van

T = TypeVar("T")

SIDE_KM = 40.0
LATEST_LUNCH = 13 * 60
LUNCH = (11 * 60 + 30, LATEST_LUNCH, 30)
SHIFTS = ((8 * 60, 17 * 60), (9 * 60, 17 * 60 + 30), (8 * 60, 13 * 60))
SHIFT_SHARES = (70, 20, 10)
HOURS_WITHOUT_LUNCH = 6
TRADES = ("copper", "fibre", "splice", "radio", "pbx", "tv")
WORK = (
    (("copper",), 30), (("fibre",), 14), (("splice",), 12), (("radio",), 10), (("pbx",), 8), (("tv",), 8),
    (("copper", "fibre"), 8), (("splice", "radio"), 6), (("pbx", "tv"), 4),
)  # fmt: skip
MINUTES = ((30, 25), (45, 25), (60, 22), (75, 12), (90, 10), (120, 6))
PRIORITIES = ((1, 8), (2, 22), (3, 45), (4, 25))
PENALTY_SECONDS = {1: 40_000, 2: 16_000, 3: 8_000, 4: 4_000}
SECONDS_A_MINUTE = 60


def a_day(technicians: int, jobs: int, seed: int, *, lunch: bool, emergencies: int = 0) -> Problem:
    """The last `emergencies` stops are urgent repairs of half an hour that may begin all day long."""
    random = Random(seed)
    spot = _region(random, max(4, technicians // 8))
    vans, stops = [], []
    homes = [spot() for _ in range(technicians)]
    for number in range(technicians):
        opens, closes = random.choices(SHIFTS, SHIFT_SHARES)[0]
        others = random.sample(TRADES[1:], random.choice((1, 2, 2, 3, 4)))
        vans.append(
            Van(
                id=f"t{number + 1:03}",
                start=number,
                end=number,
                opens=opens,
                closes=closes,
                skills=(TRADES[0], *sorted(others)),
                lunch=LUNCH if lunch and closes - opens > HOURS_WITHOUT_LUNCH * 60 else None,
            )
        )
    sites = [spot() for _ in range(jobs + emergencies)]
    for number in range(jobs + emergencies):
        urgent = number >= jobs
        opens, closes = (8 * 60, 17 * 60) if urgent else _promise(random)
        priority = 1 if urgent else _one(random, PRIORITIES)
        stops.append(
            Stop(
                id=f"j{number + 1:04}",
                place=technicians + number,
                minutes=30 if urgent else _one(random, MINUTES),
                opens=opens,
                closes=closes,
                skills=_one(random, WORK),
                worth=PENALTY_SECONDS[priority],
                priority=priority,
            )
        )
    spots = homes + sites
    return Problem(
        name=f"{technicians}x{jobs}{' lunch' if lunch else ''} day {seed}",
        minutes=[[_drive(a, b) for b in spots] for a in spots],
        cents_a_minute=SECONDS_A_MINUTE,
        stops=tuple(stops),
        vans=tuple(vans),
    )


def _region(random: Random, towns: int) -> Callable[[], tuple[float, float]]:
    centres = [(random.uniform(5, 35), random.uniform(5, 35), random.uniform(1, 4)) for _ in range(towns)]

    def spot() -> tuple[float, float]:
        if random.random() < 0.2:
            return random.uniform(0, SIDE_KM), random.uniform(0, SIDE_KM)
        x, y, spread = random.choice(centres)
        return random.gauss(x, spread), random.gauss(y, spread)

    return spot


def _promise(random: Random) -> tuple[int, int]:
    kind = random.random()
    if kind < 0.25:
        return 8 * 60, 12 * 60
    if kind < 0.5:
        return 12 * 60, 17 * 60
    if kind < 0.85:
        opens = random.choice(range(8, 16)) * 60
        return opens, opens + 120
    return 8 * 60, 17 * 60


def _one(random: Random, shares: Sequence[tuple[T, int]]) -> T:
    return random.choices([value for value, _ in shares], [share for _, share in shares])[0]


def _drive(a: tuple[float, float], b: tuple[float, float]) -> int:
    """Whole minutes, up: roads are 1.3 times the straight line, driven at 40 km/h; 90 s to park and walk."""
    return 0 if a == b else math.ceil((90 + 1.3 * math.dist(a, b) / 40 * 3600) / 60)
