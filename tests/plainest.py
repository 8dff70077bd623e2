"""The rules once more, in the plainest way and with nothing of the scheduler's: to hold its answers to."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

from scheduler.request import Job, PlanRequest, Technician


def whose(person: Technician) -> str:
    return person.person or person.id


def begun(request: PlanRequest, person: Technician) -> list[Job]:
    mine = [j for j in request.jobs if j.fixed_start is not None and j.technician == person.id]
    return sorted(mine, key=lambda j: (j.fixed_start, j.minutes, request.jobs.index(j)))


def on_the_van(request: PlanRequest, person: Technician) -> Counter[str]:
    left = Counter(person.parts)
    for shift in request.technicians:
        for job in begun(request, shift) if whose(shift) == whose(person) else ():
            left.subtract(job.parts)
    return Counter({sku: max(0, count) for sku, count in left.items()})


def forbidding(request: PlanRequest, person: Technician, job: Job) -> list[str]:
    """The code of each rule on the person and the van that is broken."""
    codes = []
    names = {None, person.id, whose(person)}
    if job.technician not in names:
        codes.append("no_technician")
    if job.pinned is not None and job.pinned.technician not in names:
        codes.append("pinned")
    if person.stays and job.territory is not None and job.territory not in person.territories:
        codes.append("territory")
    for name, level in job.skills.items():
        if person.skills.get(name, 0) < level:
            codes.append("skill")
        on_duty = date.fromisoformat(request.day or "0001-01-01") + timedelta(person.shift_start // 1440)
        if person.valid_until.get(name, "9999") < on_duty.isoformat():
            codes.append("certificate")
    van = on_the_van(request, person)
    return codes + ["parts" for sku, count in job.parts.items() if van[sku] < count]


def enough_parts(request: PlanRequest, person: Technician, order: Sequence[Job]) -> bool:
    van = on_the_van(request, person)
    for job in order:
        van.subtract(job.parts)
    return all(count >= 0 for count in van.values())


def starts_allowed(job: Job) -> list[tuple[int, int]]:
    if job.pinned is not None and job.pinned.start is not None:
        return [(job.pinned.start, job.pinned.start)]
    return [(w.opens, w.closes) for w in job.windows] or [(0, 10**9)]


def in_time(request: PlanRequest, person: Technician, order: Sequence[Job]) -> bool:
    """Whether the visits can be driven in this order, with lunch on some drive or after the last."""
    done = begun(request, person)
    free = max([person.shift_start, request.now, *((j.fixed_start or 0) + j.minutes for j in done)])
    where = done[-1].place if done else person.start_place
    lunches = range(len(order) + 2) if person.lunch else [-1]
    return any(_driven(request, person, order, free, where, lunch) for lunch in lunches)


def _driven(
    request: PlanRequest, person: Technician, order: Sequence[Job], free: int, where: int, lunch: int
) -> bool:
    last = max(person.lunch.latest, free) if person.lunch else 0
    clock = free
    for leg in range(len(order) + 1):
        goal = order[leg].place if leg < len(order) else person.end_place
        drive = -(-request.travel.seconds[where][goal] // 60)
        if leg == lunch:
            assert person.lunch
            if clock > last:
                return False
            clock = max(clock + drive, person.lunch.earliest) + person.lunch.minutes
        else:
            clock += drive
        if leg < len(order):
            begins = [max(clock, a) for a, b in starts_allowed(order[leg]) if clock <= b]
            if not begins:
                return False
            clock = min(begins) + order[leg].minutes
        where = goal
    if clock > person.shift_end:
        return False
    return lunch <= len(order) or clock <= last


def able_alone(request: PlanRequest, person: Technician, job: Job) -> bool:
    return not forbidding(request, person, job) and in_time(request, person, [job])


def able_in(
    request: PlanRequest, person: Technician, order: Sequence[Job], job: Job, others: Sequence[Job] = ()
) -> bool:
    """Whether some place of the route takes the job; `others` are what the person's other shifts do."""
    longer = [[*order[:at], job, *order[at:]] for at in range(len(order) + 1)]
    return (
        not forbidding(request, person, job)
        and enough_parts(request, person, [*order, *others, job])
        and any(in_time(request, person, one) for one in longer)
    )
