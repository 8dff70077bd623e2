"""What a person has decided about a visit, and how a plan keeps to it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from scheduler.request import COST_MAX, Job, Window

KEPT_OUT = "kept_out"
SLACK_MINUTES = 15
"""A pinned visit may begin so much later than the hand said: nobody has to be told of that again."""
WORTH = 10_000_000
"""Cents that a pinned visit is worth above any other. What a person decided comes before what is cheaper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """`technician_id`: who is to go, or None: no plan shall touch the order. `start`: None for any time.

    `words`: who decided it and why, for whoever sees the plan.
    """

    technician_id: UUID | None
    start: datetime | None
    words: str


def pinned(job: Job, technician: str, minute: int | None, carried: Mapping[str, int], now: int) -> Job:
    """`job` as a person has decided it: this technician, at `minute` of the day.

    They knew what they did: skills are not asked for again, and of parts no more than is on the van. A
    promised window bounds the time as long as the person kept to it. A minute that is over pins no time.
    """
    windows: tuple[Window, ...] = job.windows
    if minute is not None and minute + SLACK_MINUTES >= now:
        promised = [w.closes for w in job.windows if w.opens <= minute <= w.closes]
        latest = min([minute + SLACK_MINUTES, *promised])
        windows = (Window(max(0, minute), max(0, minute, latest)),)
    elif minute is not None:
        windows = ()
    return replace(
        job,
        technician=technician,
        windows=windows,
        skills={},
        parts={sku: least for sku, n in job.parts.items() if (least := min(n, carried.get(sku, 0)))},
        drop_cost=min(COST_MAX, (job.drop_cost or 0) + WORTH),
    )
