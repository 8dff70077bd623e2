"""An even share of the day's work for everybody, worked out once from the request."""

from dataclasses import replace

from scheduler.request import PlanRequest


def with_even_shares(request: PlanRequest) -> PlanRequest:
    """The request with everybody's `fair_minutes`: what there is to do, spread by the length of the shifts.

    What there is to do: the work of all jobs with their setups, and to each the shortest drive from another
    place of the day. That is less than a plan will drive, and what it will leave out is counted; a share says
    whose turn it is and no more. Nobody's share is longer than the shift.
    """
    travel, jobs = request.travel, request.jobs
    known = {job.place for job in jobs} | {person.start_place for person in request.technicians}

    def nearest(place: int) -> int:
        return min((travel.minutes(other, place) for other in known if other != place), default=0)

    sites = {job.place: nearest(job.place) for job in jobs}
    to_do = sum(job.minutes + job.setup_minutes for job in jobs) + sum(sites[job.place] for job in jobs)
    shifts = [person.shift_end - person.shift_start for person in request.technicians]
    people = tuple(
        replace(person, fair_minutes=min(shift, -(-to_do * shift // sum(shifts))))
        for person, shift in zip(request.technicians, shifts, strict=True)
    )
    return replace(request, technicians=people)
