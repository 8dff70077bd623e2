"""Small days to plan, explicit and overridable, and random ones that Hypothesis can shrink.

The default town is a straight road: place n lies n × 10 minutes (and n km) from place 0, where everyone
lives.
"""

import math
import random
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from scheduler.request import (
    InvalidRequest,
    Job,
    Lunch,
    PlanRequest,
    Technician,
    TravelMatrix,
    Weights,
    Window,
)

NOON = 12 * 60


def at(clock: str) -> int:
    """Minutes after midnight of "14:05"."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def window(opens: str, closes: str) -> Window:
    return Window(at(opens), at(closes))


def a_road(places: int = 8) -> TravelMatrix:
    return TravelMatrix(
        seconds=tuple(tuple(600 * abs(i - j) for j in range(places)) for i in range(places)),
        metres=tuple(tuple(1000 * abs(i - j) for j in range(places)) for i in range(places)),
        engine="test road",
        estimated=False,
    )


def ann(**changes: Any) -> Technician:
    """Works 8:00 to 16:00 from place 0, without lunch unless asked."""
    values: dict[str, Any] = {
        "id": "ann",
        "start_place": 0,
        "end_place": 0,
        "shift_start": at("08:00"),
        "shift_end": at("16:00"),
    }
    return Technician(**(values | changes))


def bob(**changes: Any) -> Technician:
    return ann(**({"id": "bob"} | changes))


def a_job(id: str = "j1", place: int = 1, minutes: int = 30, **changes: Any) -> Job:
    return Job(id=id, place=place, minutes=minutes, **changes)


def a_day(
    *jobs: Job,
    technicians: tuple[Technician, ...] | None = None,
    now: int = 0,
    pace: tuple[int, ...] = (),
    **weights: Any,
) -> PlanRequest:
    return PlanRequest(
        technicians=technicians or (ann(),),
        jobs=jobs,
        travel=a_road(),
        now=now,
        weights=Weights(**weights),
        pace=pace,
    )


LUNCH = Lunch(earliest=at("11:30"), latest=at("13:00"), minutes=30)


def a_town_day(technicians: int, jobs: int, seed: int = 1) -> PlanRequest:
    """A believable ISP day in a square of 30 km, the same for the same seed."""
    r = random.Random(seed)
    towns = [(r.uniform(5, 25), r.uniform(5, 25), r.uniform(1, 4)) for _ in range(5)]

    def spot() -> tuple[float, float]:
        x, y, spread = r.choice(towns)
        return r.gauss(x, spread), r.gauss(y, spread)

    spots = [spot() for _ in range(technicians + jobs)]
    people = [
        Technician(
            id=f"t{n:02}",
            start_place=n,
            end_place=n,
            shift_start=at("08:00"),
            shift_end=at("17:00") if n % 6 else at("13:00"),
            lunch=LUNCH if n % 6 else None,
            skills={"fibre": 1 + n % 3} | ({"splice": 1 + n % 3} if n % 2 else {}),
            parts={"ONT": 8, "ROUTER": 6},
        )
        for n in range(technicians)
    ]
    work = []
    for n in range(jobs):
        promised = r.choice(["08:00-12:00", "12:00-16:30", "", "10:00-12:00", "14:00-16:00"])
        priority = r.choices([1, 2, 3, 4], [3, 20, 50, 27])[0]
        work.append(
            Job(
                id=f"j{n:03}",
                place=technicians + n,
                minutes=r.choice([15, 20, 30, 30, 40]),
                skills=r.choice([{"fibre": 1}, {"fibre": 1}, {"fibre": 2}, {"splice": 1}]),
                parts=r.choice([{"ONT": 1}, {"ONT": 1, "ROUTER": 1}, {}, {}]),
                windows=(window(*promised.split("-")),) if promised else (),
                priority=priority,
                due=at("12:00") if priority == 1 else None,
            )
        )
    kilometres = [[math.dist(a, b) * 1.3 for b in spots] for a in spots]
    return PlanRequest(
        technicians=tuple(people),
        jobs=tuple(work),
        travel=TravelMatrix.of(
            [[km * 90 for km in row] for row in kilometres],
            [[km * 1000 for km in row] for row in kilometres],
            engine="test plain",
            estimated=True,
        ),
    )


def shortest(drives: list[list[int]]) -> list[list[int]]:
    """Drives where no detour is quicker than going straight, and staying is no drive: as on real roads."""
    places = range(len(drives))
    drives = [[0 if i == j else drives[i][j] for j in places] for i in places]
    for via in places:
        drives = [[min(drives[i][j], drives[i][via] + drives[via][j]) for j in places] for i in places]
    return drives


def some_breaks(draw: st.DrawFn, start: int, end: int, lunch: Lunch | None) -> tuple[Lunch, ...]:
    """One or two short breaks around lunch, where there is room for them; mostly none."""
    found: list[Lunch] = []
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        earliest = draw(st.integers(start, end))
        rest = Lunch(
            earliest=earliest, latest=earliest + draw(st.integers(0, 120)), minutes=draw(st.integers(1, 20))
        )
        person = {"id": "t", "start_place": 0, "end_place": 0, "shift_start": start, "shift_end": end}
        try:
            Technician(**person, lunch=lunch, breaks=(*found, rest))
        except InvalidRequest:
            continue
        found.append(rest)
    return tuple(found)


@st.composite
def random_days(draw: st.DrawFn, roads: bool = False) -> PlanRequest:
    """Any small legal request: tight and loose, begun visits, several windows, short shelves, a day half
    gone.

    With `roads` the drives are such as roads allow; without, any numbers at all.
    """
    places = draw(st.integers(1, 6))
    number = st.integers
    matrix = st.lists(
        st.lists(number(0, 4000), min_size=places, max_size=places), min_size=places, max_size=places
    )
    seconds = draw(matrix)
    travel = TravelMatrix.of(
        shortest(seconds) if roads else seconds, draw(matrix), engine="random", estimated=True
    )
    place = number(0, places - 1)
    people = []
    for n in range(draw(number(1, 3))):
        start = draw(number(0, 600))
        end = start + draw(number(30, 600))
        lunch = None
        if end - start > 60 and draw(st.booleans()):
            earliest = start + draw(number(0, (end - start) // 2))
            minutes = draw(number(1, end - earliest))
            lunch = Lunch(earliest=earliest, latest=earliest + draw(number(0, 90)), minutes=minutes)
        people.append(
            Technician(
                id=f"t{n}",
                start_place=draw(place),
                end_place=draw(place),
                shift_start=start,
                shift_end=end,
                overtime_max=draw(st.sampled_from([0, 0, 45])),
                lunch=lunch,
                skills=draw(st.dictionaries(st.sampled_from(["fibre", "splice"]), number(1, 3))),
                parts=draw(st.dictionaries(st.sampled_from(["ONT", "ROUTER"]), number(0, 2))),
                bias=draw(st.sampled_from([{}, {}, {"j0": 500}])),
                breaks=some_breaks(draw, start, end, lunch),
                fair_minutes=draw(st.sampled_from([None, None, 0, 60, 200])),
            )
        )
    ids = [person.id for person in people]
    jobs = []
    for n in range(draw(number(1, 7))):
        edges = sorted(draw(st.lists(number(0, 1200), max_size=4, unique=True)))
        windows = tuple(Window(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False))
        fixed = draw(st.none() | st.none() | number(0, 800))
        tied = draw(st.none() | st.sampled_from(ids)) if fixed is None else draw(st.sampled_from(ids))
        jobs.append(
            Job(
                id=f"j{n}",
                place=draw(place),
                minutes=draw(number(0, 120)),
                setup_minutes=draw(st.sampled_from([0, 0, 15, 40])),
                skills=draw(st.dictionaries(st.sampled_from(["fibre", "splice"]), number(1, 2), max_size=1)),
                parts=draw(st.dictionaries(st.sampled_from(["ONT", "ROUTER"]), number(1, 2), max_size=1)),
                windows=windows,
                priority=draw(number(1, 4)),
                drop_cost=draw(st.none() | number(0, 5000)),
                due=draw(st.none() | number(0, 1000)),
                technician=tied,
                fixed_start=fixed,
                previous_technician=draw(st.none() | st.sampled_from([*ids, "gone"])),
                previous_start=draw(st.none() | number(0, 1000)),
            )
        )
    return PlanRequest(
        technicians=tuple(people),
        jobs=tuple(jobs),
        travel=travel,
        now=draw(st.sampled_from([0, 0, 300])),
        pace=draw(
            st.just(())
            | st.lists(st.sampled_from([100, 333, 700, 1000, 1500]), min_size=24, max_size=24).map(tuple)
        ),
    )


def without_more_times(request: PlanRequest) -> PlanRequest:
    """`request` with no more to its times than drives, work, windows, shifts and a lunch."""
    return replace(
        request,
        pace=(),
        technicians=tuple(
            replace(person, breaks=(), overtime_max=0, fair_minutes=None) for person in request.technicians
        ),
        jobs=tuple(replace(job, setup_minutes=0) for job in request.jobs),
    )
