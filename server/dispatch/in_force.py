"""The day as its technicians know it, as a plan."""

from __future__ import annotations

from scheduler.plan import Cost, Plan, Route, Visit
from scheduler.request import Job, PlanRequest


def in_force(request: PlanRequest, number: str) -> Plan:
    """What was told to whom, without the job in question ("": with all)."""
    told: dict[str, list[Job]] = {person.id: [] for person in request.technicians}
    for job in request.jobs:
        if job.previous_technician is not None and job.id != number:
            told[job.previous_technician].append(job)
    return Plan(
        routes=tuple(
            Route(
                technician_id=person.id,
                visits=tuple(_visit(job) for job in sorted(told[person.id], key=_start)),
                leave=person.shift_start,
                back=person.shift_start,
            )
            for person in request.technicians
        ),
        unassigned=(),
        cost=Cost(),
        engine="in force",
        roads=request.travel.engine,
        roads_estimated=request.travel.estimated,
        seed=0,
    )


def _start(job: Job) -> int:
    return job.previous_start or 0


def _visit(job: Job) -> Visit:
    start = _start(job)
    return Visit(
        job_id=job.id,
        arrive=start,
        start=start,
        end=start + job.minutes + job.setup_minutes,
        travel_minutes=0,
        travel_metres=0,
    )
