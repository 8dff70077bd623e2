"""How long a technician's day may be, and what its length costs beyond the drives."""

from scheduler.request import Job, Technician, Weights


def setup_after(job: Job, place: int | None, had: int) -> int:
    """Minutes of setup for `job` right after a visit at `place` whose own setup takes `had` minutes."""
    return max(0, job.setup_minutes - had) if place == job.place else job.setup_minutes


def home_by(person: Technician) -> int:
    """The minute by which the technician must be home: the shift's end and the overtime allowed."""
    return person.shift_end + person.overtime_max


def overtime(person: Technician, weights: Weights, back: int) -> int:
    """What it costs to come home at minute `back`, in cents, rounded."""
    return per_hour(weights.overtime_hour, back - person.shift_end)


def uneven(person: Technician, weights: Weights, busy: int) -> int:
    """What it costs that the technician works and drives `busy` minutes, in cents, rounded."""
    return 0 if person.fair_minutes is None else per_hour(weights.uneven_hour, busy - person.fair_minutes)


def per_hour(cents: int, minutes: int) -> int:
    """The price of so many minutes at `cents` an hour, rounded; nothing for minutes below 0."""
    return (max(0, minutes) * cents + 30) // 60
