"""Random days on which every rule of the policy has something to say: quick to make, the same for a seed."""

import random
from dataclasses import replace

from scheduler.request import Job, Lunch, Pin, PlanRequest, Technician, TravelMatrix, Weights, Window

DAY = "2026-03-12"
LAST_DAYS = ("2026-03-11", DAY, "2027-01-01")
SKILLS, PARTS, AREAS = ("fibre", "splice"), ("ONT", "ROUTER"), ("north", "south")


def a_ruled_day(seed: int, days: int = 1) -> PlanRequest:
    """With several days everybody has a shift on each, from one van."""
    request = _one_day(seed)
    if days == 1:
        return request
    r = random.Random(-seed)
    people = tuple(
        replace(
            person,
            id=f"{person.id} day {day}",
            person=person.id,
            shift_start=person.shift_start + 1440 * day,
            shift_end=person.shift_end + 1440 * day,
            lunch=person.lunch
            and replace(
                person.lunch,
                earliest=person.lunch.earliest + 1440 * day,
                latest=person.lunch.latest + 1440 * day,
            ),
        )
        for person in request.technicians
        for day in range(days)
    )
    return replace(request, technicians=people, jobs=tuple(_some_day(r, job, days) for job in request.jobs))


def _some_day(r: random.Random, job: Job, days: int) -> Job:
    if job.fixed_start is not None:
        return replace(job, technician=f"{job.technician} day 0")
    again = tuple(Window(w.opens + 1440, w.closes + 1440) for w in job.windows)
    return replace(job, windows=r.choice([job.windows, again, job.windows + again]))


def _one_day(seed: int) -> PlanRequest:
    r = random.Random(seed)
    places = r.randint(2, 6)
    spots = [(r.uniform(0, 15), r.uniform(0, 15)) for _ in range(places)]
    far = [[abs(a[0] - b[0]) + abs(a[1] - b[1]) for b in spots] for a in spots]
    travel = TravelMatrix.of(
        [[km * 90 for km in row] for row in far],
        [[km * 1000 for km in row] for row in far],
        engine="random", estimated=True,
    )  # fmt: skip
    people = tuple(_person(r, f"t{n}", places) for n in range(r.randint(1, 4)))
    ids = [person.id for person in people]
    jobs = tuple(_job(r, f"j{n}", places, ids) for n in range(r.randint(2, 9)))
    return PlanRequest(
        technicians=people,
        jobs=jobs,
        travel=travel,
        now=r.choice([0, 0, 0, 540]),
        day=DAY,
        weights=Weights(unpreferred_minute=r.choice([0, 5, 60])),
    )


def _some(r: random.Random, names: tuple[str, ...], most: int, share: float) -> dict[str, int]:
    return {name: r.randint(1, most) for name in names if r.random() < share}


def _person(r: random.Random, name: str, places: int) -> Technician:
    start = r.choice([420, 480, 540])
    skills = _some(r, SKILLS, 3, 0.7)
    own = tuple(area for area in AREAS if r.random() < 0.4)
    return Technician(
        id=name,
        start_place=r.randrange(places),
        end_place=r.randrange(places),
        shift_start=start,
        shift_end=start + r.choice([120, 300, 480]),
        lunch=Lunch(earliest=start + 60, latest=start + 100, minutes=30) if r.random() < 0.4 else None,
        skills=skills,
        parts=_some(r, PARTS, 3, 0.8),
        valid_until={skill: r.choice(LAST_DAYS) for skill in skills if r.random() < 0.3},
        territories=own,
        stays=bool(own) and r.random() < 0.5,
    )


def _windows(r: random.Random, count: int) -> tuple[Window, ...]:
    edges = sorted(r.sample(range(420, 960), 2 * count))
    return tuple(Window(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _job(r: random.Random, name: str, places: int, ids: list[str]) -> Job:
    job = Job(
        id=name,
        place=r.randrange(places),
        minutes=r.choice([15, 30, 60, 90]),
        skills=_some(r, SKILLS, 3, 0.3),
        parts=_some(r, PARTS, 2, 0.3),
        windows=_windows(r, r.choice([0, 0, 1, 1, 2])),
        preferred=_windows(r, r.choice([0, 0, 1, 2])),
        priority=r.randint(1, 4),
        due=r.choice([None, None, 600, 800]),
        territory=r.choice([None, *AREAS]),
        technician=r.choice([None, None, None, *ids]),
        previous_technician=r.choice([None, *ids]),
        previous_start=r.choice([None, 500, 700]),
    )
    draw = r.random()
    if draw < 0.1:
        return replace(job, technician=r.choice(ids), fixed_start=r.randint(420, 560), parts={})
    if draw < 0.3:
        who = r.choice([None, *ids])
        start = r.choice([None, r.randint(480, 800)])
        return replace(job, pinned=None if who is start is None else Pin(technician=who, start=start))
    return job
