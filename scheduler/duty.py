"""How long a technician's day may be, and what its length costs beyond the drives."""

from scheduler.request import Technician, Weights


def home_by(person: Technician) -> int:
    """The minute by which the technician must be home: the shift's end and the overtime allowed."""
    return person.shift_end + person.overtime_max


def overtime(person: Technician, weights: Weights, back: int) -> int:
    """What it costs to come home at minute `back`, in cents, rounded."""
    return per_hour(weights.overtime_hour, back - person.shift_end)


def per_hour(cents: int, minutes: int) -> int:
    """The price of so many minutes at `cents` an hour, rounded; nothing for minutes below 0."""
    return (max(0, minutes) * cents + 30) // 60
