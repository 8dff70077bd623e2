"""Random days with everything that a request can say, all at once: the same for a seed."""

import random
from dataclasses import replace

from ruled import a_ruled_day

from scheduler.pace import HOURS
from scheduler.request import After, InvalidRequest, Job, Lunch, PlanRequest, Technician


def a_day_of_everything(seed: int) -> PlanRequest:
    r = random.Random(seed * 31 + 7)
    request = a_ruled_day(seed, days=r.choice([1, 1, 2]))
    people = tuple(_busier(r, person) for person in request.technicians)
    pace = tuple(r.choice([500, 800, 1000, 1250]) for _ in range(HOURS)) if r.random() < 0.4 else ()
    request = replace(request, technicians=people, pace=pace)
    jobs = [replace(job, setup_minutes=r.choice([0, 0, 10, 20])) for job in request.jobs]
    jobs = _shorter(request, jobs)
    return _linked(r, replace(request, jobs=tuple(jobs)))


def _shorter(request: PlanRequest, jobs: list[Job]) -> list[Job]:
    return [job if job.fixed_start is None else replace(job, setup_minutes=0) for job in jobs]


def _busier(r: random.Random, person: Technician) -> Technician:
    length = person.shift_end - person.shift_start
    rests = []
    if length >= 300 and r.random() < 0.5:
        rests = [
            Lunch(earliest=person.shift_start + at, latest=person.shift_start + at + 60, minutes=10)
            for at in r.sample([150, 220], r.randint(1, 2))
        ]
    return replace(
        person,
        overtime_max=r.choice([0, 0, 30, 90]),
        fair_minutes=r.choice([None, 60, length // 2]),
        breaks=tuple(sorted(rests, key=lambda rest: rest.earliest)),
    )


def _linked(r: random.Random, request: PlanRequest) -> PlanRequest:
    """Each link is kept that does not contradict those before it."""
    for number in range(r.randint(0, 3)):
        jobs = list(request.jobs)
        a, b = r.sample(range(len(jobs)), 2)
        if r.random() < 0.5:
            jobs[a], jobs[b] = (replace(jobs[n], together=f"crew {number}") for n in (a, b))
        else:
            gap = r.choice([None, 30, 240])
            link = After(job=jobs[a].id, gap_least=r.choice([0, 20]), gap_most=gap)
            jobs[a] = replace(jobs[a], minutes=jobs[a].minutes + jobs[a].setup_minutes, setup_minutes=0)
            jobs[b] = replace(jobs[b], after=(*jobs[b].after, link))
        try:
            request = replace(request, jobs=tuple(jobs))
        except InvalidRequest:
            continue
    return request
