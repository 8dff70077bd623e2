"""Two plans for the same request, side by side: what a change would move, whom it concerns, what it costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from scheduler.check import check, cost_of
from scheduler.check_links import broken_links
from scheduler.clock import hhmm
from scheduler.plan import Cost, Plan
from scheduler.request import PRIORITIES, InvalidRequest, Job, PlanRequest

TELL_FROM_MINUTES = 15
NOT_ITS_OWN = {"routes", "unknown_job", "twice", "forgotten"}
"""Rules of the checker that a plan for another request breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A job that is elsewhere or at another time in the second plan. None: the plan leaves it undone."""

    job_id: str
    technician_before: str | None
    technician_after: str | None
    start_before: int | None
    start_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one plan comes to.

    overtime_minutes: home after the shift. late_minutes: ends after the SLA's
    due minute. promises_broken: ids of jobs with windows that start outside them or are left undone.
    links_broken: ids of planned jobs that begin without those they must begin with, or before what they wait
    for has ended. unassigned: how many, by priority 1 to 4.
    """

    visits: int
    travel_metres: int
    travel_minutes: int
    overtime_minutes: int
    late_minutes: int
    promises_broken: tuple[str, ...]
    links_broken: tuple[str, ...] = ()
    unassigned: tuple[int, ...]
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The way from plan `before` to plan `after`; the jobs in every list are in the request's order.

    to_tell: customers who have to hear a new time, because it moved by `tell_from_minutes` or more, or
    because they are visited in one of the plans only. more: what `after` costs beyond `before`, by cause.
    """

    before: Figures
    after: Figures
    more: Cost
    moved: tuple[Move, ...]
    technician_changed: tuple[str, ...]
    to_tell: tuple[str, ...]
    tell_from_minutes: int


def compare(
    request: PlanRequest, before: Plan, after: Plan, *, tell_from_minutes: int = TELL_FROM_MINUTES
) -> Comparison:
    """Set `after` against `before`. Raises InvalidRequest when one of them is no plan for this request.

    A plan that the day has overtaken is compared all the same: what it can't keep shows in its figures.
    """
    if tell_from_minutes < 1:
        raise InvalidRequest(f"tell_from_minutes must be at least 1, not {tell_from_minutes}")
    figures = [
        figures_of(request, plan, name) for name, plan in (("first plan", before), ("second plan", after))
    ]
    moved = tuple(_moves(request, before, after))
    whose = {person.id: person.whose for person in request.technicians}
    return Comparison(
        before=figures[0],
        after=figures[1],
        more=figures[1].cost - figures[0].cost,
        moved=moved,
        technician_changed=tuple(
            move.job_id
            for move in moved
            if None not in (move.technician_before, move.technician_after)
            and whose[move.technician_before or ""] != whose[move.technician_after or ""]
        ),
        to_tell=tuple(move.job_id for move in moved if _new_time(move, tell_from_minutes)),
        tell_from_minutes=tell_from_minutes,
    )


def _moves(request: PlanRequest, before: Plan, after: Plan) -> Iterator[Move]:
    places = [{v.job_id: (person, v.start) for person, v in plan.visits()} for plan in (before, after)]
    nowhere = (None, None)
    for job in request.jobs:
        was, becomes = (place.get(job.id, nowhere) for place in places)
        if was != becomes:
            yield Move(
                job_id=job.id,
                technician_before=was[0],
                technician_after=becomes[0],
                start_before=was[1],
                start_after=becomes[1],
            )


def _new_time(move: Move, from_minutes: int) -> bool:
    if move.start_before is None or move.start_after is None:
        return True
    return abs(move.start_after - move.start_before) >= from_minutes


def figures_of(request: PlanRequest, plan: Plan, name: str = "plan") -> Figures:
    """What `plan` comes to. Raises InvalidRequest, calling it the `name`, when it answers another."""
    strange = [violation.text for violation in check(request, plan) if violation.rule in NOT_ITS_OWN]
    if strange:
        raise InvalidRequest(f"the {name} does not answer this problem: {strange[0]}")
    jobs = {job.id: job for job in request.jobs}
    shift_end = {person.id: person.shift_end for person in request.technicians}
    starts = {visit.job_id: visit.start for _, visit in plan.visits()}
    ends = {visit.job_id: visit.end for _, visit in plan.visits()}
    left = [jobs[undone.job_id] for undone in plan.unassigned]
    driven = [route for route in plan.routes if route.visits]
    return Figures(
        visits=len(starts),
        travel_metres=sum(route.travel_metres for route in driven),
        travel_minutes=sum(route.travel_minutes for route in driven),
        overtime_minutes=sum(max(0, route.back - shift_end[route.technician_id]) for route in driven),
        late_minutes=sum(_late(jobs[job_id], end) for job_id, end in ends.items()),
        promises_broken=tuple(job.id for job in request.jobs if not _kept(job, starts)),
        links_broken=tuple(dict.fromkeys(link.job_id for link in broken_links(request, plan))),
        unassigned=tuple(sum(job.priority == priority for job in left) for priority in PRIORITIES),
        cost=cost_of(request, plan),
    )


def _late(job: Job, end: int) -> int:
    return 0 if job.due is None else max(0, end - job.due)


def _kept(job: Job, starts: Mapping[str, int]) -> bool:
    if not job.windows:
        return True
    start = starts.get(job.id)
    return start is not None and any(w.opens <= start <= w.closes for w in job.windows)


# --- for people ---


def readable(request: PlanRequest, comparison: Comparison) -> str:
    """The comparison as some lines of English: the figures, then each job that moves."""
    one, two = comparison.before, comparison.after
    rows = [
        ("visits", str(one.visits), str(two.visits)),
        ("kilometres", _km(one.travel_metres), _km(two.travel_metres)),
        ("drive minutes", str(one.travel_minutes), str(two.travel_minutes)),
        ("overtime minutes", str(one.overtime_minutes), str(two.overtime_minutes)),
        ("minutes late", str(one.late_minutes), str(two.late_minutes)),
        ("promises broken", str(len(one.promises_broken)), str(len(two.promises_broken))),
    ]
    if one.links_broken or two.links_broken:
        rows.append(("links broken", str(len(one.links_broken)), str(len(two.links_broken))))
    for priority, *undone in zip(PRIORITIES, one.unassigned, two.unassigned, strict=True):
        rows.append((f"undone, priority {priority}", str(undone[0]), str(undone[1])))
    for cause in fields(Cost):
        cents = getattr(one.cost, cause.name), getattr(two.cost, cause.name)
        if any(cents):
            rows.append((f"cost: {cause.name}", _money(cents[0]), _money(cents[1])))
    rows.append(("cost", _money(one.cost.total), _money(two.cost.total)))
    lines = [f"{'':22}{'before':>12}{'after':>12}"]
    lines += [f"{name:22}{was:>12}{becomes:>12}" for name, was, becomes in rows]
    lines.append("")
    lines.append(
        f"{len(comparison.moved)} of {len(request.jobs)} jobs move, "
        f"{len(comparison.technician_changed)} to another technician; "
        f"{len(comparison.to_tell)} customers hear a new time "
        f"(from {comparison.tell_from_minutes} minutes on)"
    )
    for move in comparison.moved:
        tell = "  *" if move.job_id in comparison.to_tell else ""
        was = _where(move.technician_before, move.start_before)
        lines.append(f"  {move.job_id}: {was} → {_where(move.technician_after, move.start_after)}{tell}")
    return "\n".join(lines)


def _where(technician: str | None, start: int | None) -> str:
    return "undone" if technician is None or start is None else f"{technician} {hhmm(start)}"


def _km(metres: int) -> str:
    return f"{metres / 1000:.1f}"


def _money(cents: int) -> str:
    return f"{cents / 100:.2f}"
