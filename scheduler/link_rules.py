"""Links between jobs that no plan could ever keep: said when a request is read, in one sentence.

Names are looked up, groups counted, and the least time from job to job followed along every link: where it
leads back to a job later than it began, the links contradict each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduler.request import Job

Step = tuple[str, str, int, str]
"""(job, another, minutes that the other begins later at least, the field of which job says so)."""


def contradiction(jobs: Sequence[Job], technicians: int) -> str | None:
    """What is wrong with the links of `jobs`, naming the field; None where a plan may keep them."""
    if not any(job.after or job.together for job in jobs):
        return None
    by_id = {job.id: job for job in jobs}
    return _names(by_id) or _groups(jobs, technicians) or _circle(by_id) or _gaps(by_id)


def _names(jobs: Mapping[str, Job]) -> str | None:
    for job in jobs.values():
        seen: set[str] = set()
        for number, link in enumerate(job.after):
            if link.job not in jobs:
                return f"job {job.id}: after[{number}] names the unknown job {link.job}"
            if link.job in seen:
                return f"job {job.id}: after names {link.job} twice"
            if jobs[link.job].setup_minutes:
                # When it ends would depend on who was at its place before.
                return (
                    f"job {link.job}: setup_minutes must be 0, {job.id} waits for its end: add it to minutes"
                )
            seen.add(link.job)
    return None


def _groups(jobs: Sequence[Job], technicians: int) -> str | None:
    members = Counter(job.together for job in jobs if job.together is not None)
    for job in jobs:
        if job.together is None:
            continue
        size = members[job.together]
        if size == 1:
            return f"job {job.id}: together {job.together} has no other job"
        if size > technicians:
            return (
                f"job {job.id}: together {job.together} has {size} jobs, there are {technicians} technicians"
            )
        if not job.minutes and job.fixed_start is None:
            return f"job {job.id}: minutes must be 1 or more in together {job.together}"
    return None


def _circle(jobs: Mapping[str, Job]) -> str | None:
    """A job that would have to wait for itself, by way of others or of those it begins with."""
    begins_as = {job.id: _begin(job) for job in jobs.values()}
    waits: dict[str, dict[str, tuple[str, str]]] = {}
    for job in jobs.values():
        for link in job.after:
            waits.setdefault(begins_as[job.id], {})[begins_as[link.job]] = job.id, link.job
    done: set[str] = set()
    for root in waits:
        path: list[str] = []
        stack = [(root, iter(waits[root]))] if root not in done else []
        while stack:
            at, others = stack[-1]
            if not path or path[-1] != at:
                path.append(at)
            other = next(others, None)
            if other is None:
                done.add(at)
                stack.pop()
                path.pop()
            elif other in path:
                ring = [*path[path.index(other) :], other]
                said = [waits[a][b] for a, b in pairwise(ring)]
                first = said[0][0]
                way = ", ".join(f"{waiting} after {awaited}" for waiting, awaited in said)
                return f"job {first}: after leads back to the job itself ({way})"
            elif other not in done:
                stack.append((other, iter(waits.get(other, {}))))
    return None


def _begin(job: Job) -> str:
    """Whose begin it is: the group's, or the job's own. The mark keeps their names apart."""
    return f"job {job.id}" if job.together is None else f"together {job.together}"


def _gaps(jobs: Mapping[str, Job]) -> str | None:
    """Longest ways through the links; what still grows after as many passes as begins is a ring."""
    steps = list(_steps(jobs))
    begins = {begin for a, b, _, _ in steps for begin in (a, b)}
    later = dict.fromkeys(begins, 0)
    for _ in range(len(begins) + 1):
        grown = None
        for a, b, minutes, field in steps:
            if later[a] + minutes > later[b]:
                later[b] = later[a] + minutes
                # The sentence is about a limit: it is what can't be kept.
                grown = field if grown is None or "gap_most" in field else grown
        if grown is None:
            return None
    return f"{grown} is shorter than what else must happen in that time"


def _steps(jobs: Mapping[str, Job]) -> Iterator[Step]:
    for job in jobs.values():
        if job.fixed_start is not None:
            continue  # it has begun: no link holds it any more
        for number, link in enumerate(job.after):
            before = jobs[link.job]
            if before.fixed_start is not None:
                continue  # so has what it waits for, and both limits count from a known minute
            a, b = _begin(before), _begin(job)
            field = f"job {job.id}: after[{number}]"
            yield a, b, before.minutes + link.gap_least, f"{field}.gap_least"
            if link.gap_most is not None:
                yield b, a, -before.minutes - link.gap_most, f"{field}.gap_most ({link.gap_most})"
