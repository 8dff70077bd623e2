"""Judge what visits owe each other: beginning together, one after another, all of a group or none.

The independent half of scheduler/check.py for links: it shares nothing with what plans them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from scheduler.clock import hhmm
from scheduler.plan import Plan
from scheduler.request import Job, PlanRequest


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """`rule` is "together" or "after"; `text` a sentence with the numbers, about `job_id`'s visit."""

    rule: str
    text: str
    technician_id: str
    job_id: str


@dataclass(frozen=True, slots=True)
class _Stop:
    technician: str
    start: int
    end: int


def broken_links(request: PlanRequest, plan: Plan) -> Iterator[BrokenLink]:
    """Every planned visit that breaks a link. What has begun is a fact and breaks none."""
    stops = {visit.job_id: _Stop(technician, visit.start, visit.end) for technician, visit in plan.visits()}
    groups: dict[str, list[Job]] = {}
    for job in request.jobs:
        if job.together is not None:
            groups.setdefault(job.together, []).append(job)
        if job.id in stops and job.fixed_start is None:
            yield from _after(job, stops)
    for members in groups.values():
        yield from _together(members, stops)


def _after(job: Job, stops: Mapping[str, _Stop]) -> Iterator[BrokenLink]:
    here = stops[job.id]
    for link in job.after:
        before = stops.get(link.job)
        if before is None:
            text = f"{job.id} comes after {link.job}, which is not planned"
        elif here.start < before.end + link.gap_least:
            gap = f" and {link.gap_least} min must pass" if link.gap_least else ""
            text = f"{job.id} starts {hhmm(here.start)}, but {link.job} ends {hhmm(before.end)}{gap}"
        elif link.gap_most is not None and here.start > before.end + link.gap_most:
            text = (
                f"{job.id} starts {hhmm(here.start)}, more than {link.gap_most} min after "
                f"{link.job} ends {hhmm(before.end)}"
            )
        else:
            continue
        yield BrokenLink("after", text, here.technician, job.id)


def _together(members: list[Job], stops: Mapping[str, _Stop]) -> Iterator[BrokenLink]:
    begun = [job for job in members if job.fixed_start is not None]
    ahead = [job for job in members if job.fixed_start is None]
    planned = [job for job in ahead if job.id in stops]
    if not planned:
        return
    for job in ahead:
        if job.id not in stops:
            text = f"{planned[0].id} begins together with {job.id}, which is not planned"
            yield BrokenLink("together", text, stops[planned[0].id].technician, planned[0].id)
    first = stops[planned[0].id]
    taken = {job.technician: job.id for job in begun}
    for job in planned:
        stop = stops[job.id]
        if stop.technician in taken:
            text = f"{job.id} and {taken[stop.technician]} begin together, both with {stop.technician}"
            yield BrokenLink("together", text, stop.technician, job.id)
        taken[stop.technician] = job.id
        if stop.start != first.start:
            text = f"{job.id} starts {hhmm(stop.start)}, {planned[0].id} with it {hhmm(first.start)}"
            yield BrokenLink("together", text, stop.technician, job.id)
        for other in begun:
            since = other.fixed_start or 0
            if not since <= stop.start < since + other.minutes:
                text = (
                    f"{job.id} starts {hhmm(stop.start)}, {other.id} lasts from {hhmm(since)} "
                    f"to {hhmm(since + other.minutes)}"
                )
                yield BrokenLink("together", text, stop.technician, job.id)
