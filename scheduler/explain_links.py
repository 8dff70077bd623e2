"""Why a visit that depends on others can't be: what it must begin with, what it waits for, in words."""

from collections.abc import Callable, Sequence
from copy import copy

from scheduler.clock import hhmm
from scheduler.linked import cheapest_placing
from scheduler.links import Bounds, Cause, clipped
from scheduler.plan import Unassigned
from scheduler.request import Technician
from scheduler.standing import Standing
from scheduler.timing import NEVER, Day, Misfit


def cause_text(day: Day, cause: Cause) -> str:
    """Say a bound in words; `day` is a held day (Standing.held_day)."""
    other = day.jobs[cause.other]
    start = day.jobs[cause.other].fixed_start
    if start is None:
        start = day.starts.get(cause.other, 0)
    end = start + other.minutes
    match cause.kind:
        case "together":
            return f"must begin with {other.id}, at {hhmm(start)}"
        case "joins":
            return f"must begin while {other.id} lasts, {hhmm(start)} to {hhmm(end)}"
        case "waits":
            more = f" and {cause.limit} min more" if cause.limit else ""
            return f"waits for {other.id}, which ends {hhmm(end)}{more}"
        case "before":
            more = f" {cause.limit} min" if cause.limit else ""
            return f"must end{more} before {other.id}, which begins {hhmm(start)}"
    return f"at most {cause.limit} min may lie between it and {other.id}, {hhmm(start)} to {hhmm(end)}"


def shift_text(person: Technician, misfit: Misfit) -> str:
    """Who would be home too late, and by when the shift and its overtime are over."""
    text = f"would be back {hhmm(misfit.minute)}, shift ends {hhmm(person.shift_end)}"
    return text + (f" and {person.overtime_max} min of overtime are allowed" if person.overtime_max else "")


def lunch_text(person: Technician, misfit: Misfit) -> str:
    what = "a break" if person.breaks else "lunch"
    return f"{what} could not begin before {hhmm(misfit.minute)}, latest is {hhmm(misfit.limit)}"


def bounds_of(day: Day, job: int) -> Bounds:
    """What the planned visits leave of the time for `job`; no bounds without links."""
    return day.links.bounds(job, day.starts) if day.links else Bounds()


def own_windows(day: Day, job: int) -> tuple[tuple[int, int], ...]:
    """What the customer was promised, or a person has decided, links aside."""
    return day.policy.starts(day.jobs[job]) or ((0, NEVER),)


def held(day: Day, job: int) -> Day:
    """The day in which `job` has the time that the planned visits leave it, and they wait for it."""
    links = day.links
    if links is None or job not in links.jobs:
        return day
    other = copy(day)
    other.windows = list(day.windows)
    bounds = bounds_of(day, job)
    other.windows[job] = clipped(own_windows(day, job), bounds.earliest, bounds.latest)
    for gap in (*links.ahead.get(job, ()), *links.behind.get(job, ())):
        if gap.other in day.starts:
            start = day.starts[gap.other]
            other.windows[gap.other] = clipped(day.windows[gap.other], start, start)
    return other


def link_in_the_way(day: Day, technician: int, job: int, misfit: Misfit) -> str | None:
    """The link that forbids the job to the technician on an otherwise empty day, where one does.

    misfit: what is wrong with links. None where the job would not fit without them either.
    """
    if day.links is None or job not in day.links.jobs:
        return None
    free = copy(day)
    free.windows = list(day.windows)
    free.windows[job] = own_windows(day, job)
    times = free.times(technician, [job])
    if isinstance(times, Misfit):
        return None
    bounds = bounds_of(day, job)
    start = times.starts[0]
    # Early enough without links, yet too late for the others: what says until when is in the way.
    if misfit.kind == "window" and bounds.until and start > bounds.latest:
        return f"would start {hhmm(start)}, but {cause_text(day, bounds.until)}"
    if bounds.since is None:
        return None if bounds.until is None else cause_text(day, bounds.until)
    since = cause_text(day, bounds.since)
    if misfit.kind == "shift":
        return f"{since}: {shift_text(day.technicians[technician], misfit)}"
    if misfit.kind == "lunch":
        return f"{since}: {lunch_text(day.technicians[technician], misfit)}"
    closes = own_windows(day, job)[-1][1]
    if bounds.earliest > closes:
        return f"{since}; window ends {hhmm(closes)}"
    if bounds.until and bounds.latest < bounds.earliest:
        return f"{since}, and {cause_text(day, bounds.until)}"
    return since


def held_visit_text(day: Day, misfit: Misfit, who: str) -> str | None:
    """A misfit of a visit that is held by a link, in words; None where its promised window is what it is."""
    if day.links is None or misfit.job not in day.links.jobs or misfit.job is None:
        return None
    if any(closes == misfit.limit for _, closes in own_windows(day, misfit.job)):
        return None
    until = bounds_of(day, misfit.job).until
    return f"would arrive {hhmm(misfit.minute)}{who}, but {cause_text(day, until)}" if until else None


def missing(day: Day, orders: Sequence[Sequence[int]], job: int) -> Cause | None:
    """What `job` needs that is in none of `orders`: the rest of its group, or what it waits for."""
    if day.links is None or job not in day.links.jobs:
        return None
    planned = {n: 0 for order in orders for n in order}
    return day.links.missing_for(job, planned)


def is_needed(day: Day, job: int, number: int) -> bool:
    """Whether another visit, or `job`, could not be without the visit `number`."""
    links = day.links
    if links is None or number not in links.jobs:
        return False
    falling = links.falling_with(number) - {number}
    return job in falling or any(n in day.starts for n in falling)


def undone_for_links(
    day: Day, orders: Sequence[Sequence[int]], job: int, by_itself: Callable[[int], Unassigned]
) -> Unassigned | None:
    """Why `job` is left out, where that is for what it depends on; None where it could be judged by itself.

    by_itself: job → why it is left out, the rest of its group left aside.
    """
    cause = missing(day, orders, job)
    links = day.links
    if cause is None or links is None:
        return None
    job_id, other = day.jobs[job].id, day.jobs[cause.other].id
    if cause.kind == "waits":
        return Unassigned(job_id=job_id, code="linked", reason=f"waits for {other}, which is not planned")
    atom = links.mates(job)
    for mate in (job, *(n for n in atom if n != job)):
        if waited := _first_unplanned(day, orders, mate):
            reason = f"waits for {waited}, which is not planned"
        elif (own := by_itself(mate)).code == "too_costly":
            continue
        elif mate == job:
            return own
        else:
            reason = own.reason
        text = f"must begin with {day.jobs[mate].id}, which can't be planned: {reason}"
        return Unassigned(job_id=job_id, code="linked", reason=text)
    others = " and ".join(day.jobs[n].id for n in atom if n != job)
    standing = standing_as_held(day, orders)
    placing = cheapest_placing(standing, atom)
    worth = sum(day.undone[n] for n in atom)
    if placing is None or placing.added < worth:
        text = f"must begin with {others}: at no minute is there a technician for each of them"
        return Unassigned(job_id=job_id, code="linked", reason=text)
    who = " and ".join(day.technicians[way.person].id for way in placing.ways)
    minute = hhmm(max(way.start for way in placing.ways))
    text = f"must begin with {others}: {who} could at {minute}, but it would add {money(placing.added)}; "
    return Unassigned(job_id=job_id, code="too_costly", reason=f"{text}left undone they cost {money(worth)}")


def _first_unplanned(day: Day, orders: Sequence[Sequence[int]], job: int) -> str | None:
    cause = missing(day, orders, job)
    return day.jobs[cause.other].id if cause and cause.kind == "waits" else None


def standing_as_held(day: Day, orders: Sequence[Sequence[int]]) -> Standing:
    """A standing of `orders` at the minutes of the held day; routes that don't fit cost nothing in it."""
    assert day.links
    standing = Standing(day, day.links, orders)
    for person in range(len(orders)):
        standing.time(person)
    standing.starts = dict(day.starts)
    standing.hold_all()
    return standing


def money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"
