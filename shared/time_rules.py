"""Pauses, and the correction of a visit's times. Nothing here moves stock, money or a service."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from shared import commands as cmd
from shared import events as ev
from shared import visit_rules as visit
from shared.conflicts import CONFLICTS
from shared.problems import BadValue, NotStarted, NotYourJob
from shared.remarks import Remark
from shared.situation import Situation
from shared.timesheet import corrections, points, recorded, stands_to_the_minute
from shared.work_orders import TimeCorrection, TimePoint, VisitTimes

CORRECTED_WITHIN = timedelta(days=14)
FARTHEST = timedelta(days=1)
"""From what was recorded: more is a wrong date."""
AHEAD = timedelta(minutes=2)
"""No two clocks agree better."""
REASON_LENGTH_MAX = 200

SENTENCES = (
    "The arrival can't be before the travel began: correct that first",
    "The visit can't end before it began: correct that first",
    "A pause can't end before it began: correct that first",
    "A pause lies between the start and the end of the visit",
    "Two pauses can't be at the same time",
)
"""What can't be true of a visit's times at once."""


def pause_work(command: cmd.PauseWork, now: Situation, at: datetime) -> visit.Outcome:
    if not now.order.state.is_under_way:
        raise NotStarted("There is nothing to pause: start travel first", subject=now.order.number)
    if now.order.pause is not None:
        return visit.repeated(command.type, now, at)
    return (ev.WorkPaused(at=at, reason=command.reason),), ()


def resume_work(command: cmd.ResumeWork, now: Situation, at: datetime) -> visit.Outcome:
    if not now.order.state.is_under_way:
        raise NotStarted("There is nothing to pause: start travel first", subject=now.order.number)
    if now.order.pause is None:
        return visit.repeated(command.type, now, at)
    return (ev.WorkResumed(at=at),), ()


def correct_time(command: cmd.CorrectTime, now: Situation, at: datetime) -> visit.Outcome:
    """Keep what was recorded and what is said of it now; the newest counts for the timesheet, and only there.

    Activation, invoice, SLA and freed minutes were booked by the recorded close and stay so
    (docs/adr/0027-corrected-times-are-for-the-timesheet.md).
    """
    order, times = now.order, now.order.times
    if order.technician_id != now.actor_id:
        detail = f"{order.number} is with a colleague now: ask dispatch to note your times"
        raise NotYourJob(detail, subject=order.number)
    first = recorded(times, command.point, command.pause)
    if first is None:
        raise BadValue("This visit has no such time yet", field="point")
    reason = visit.printable(command.reason).strip()
    if not reason:
        raise BadValue("Say why the time is corrected", field="reason")
    if len(reason) > REASON_LENGTH_MAX:
        detail = f"The reason holds {REASON_LENGTH_MAX} characters, this has {len(reason)}"
        raise BadValue(detail, field="reason")
    _check_value(command, first, times, at)
    correction = TimeCorrection(
        point=command.point,
        base=command.base,
        value=command.value,
        reason=reason,
        by=now.actor_id,
        at=at,
        pause=command.pause,
    )
    after = replace(times, corrections=(*times.corrections, correction))
    before = _impossible(times)
    for place, wrong in enumerate(_impossible(after)):
        if wrong and not before[place]:
            raise BadValue(SENTENCES[place], field="value")
    return (ev.TimeCorrected(correction=correction),), _unseen(command, times, order.number)


def _check_value(command: cmd.CorrectTime, first: datetime, times: VisitTimes, at: datetime) -> None:
    if command.value.tzinfo is None or command.base.tzinfo is None:
        raise BadValue("The time lacks its zone", field="value")
    if command.value > at + AHEAD:
        raise BadValue("That time is still to come", field="value")
    if abs(command.value - first) > FARTHEST:
        raise BadValue("That is more than a day from what was recorded: look at the date", field="value")
    newest = max(known for point, pause in points(times) if (known := recorded(times, point, pause)))
    if at - newest > CORRECTED_WITHIN:
        raise BadValue(
            f"Times are corrected within {CORRECTED_WITHIN.days} days: tell dispatch", field="value"
        )


def _unseen(command: cmd.CorrectTime, times: VisitTimes, number: str) -> tuple[Remark, ...]:
    said = corrections(times, command.point, command.pause)
    if not said or said[-1].value == command.base:
        return ()
    return (CONFLICTS["time-corrected-twice"].remarked(number=number),)


def _impossible(times: VisitTimes) -> tuple[bool, ...]:
    """For each of SENTENCES, whether it is broken, to the minute."""
    set_out = stands_to_the_minute(times, TimePoint.TRAVEL_STARTED)
    arrived = stands_to_the_minute(times, TimePoint.ARRIVED)
    finished = stands_to_the_minute(times, TimePoint.FINISHED)
    begin = set_out or arrived
    pauses = [
        (
            stands_to_the_minute(times, TimePoint.PAUSE_STARTED, number),
            stands_to_the_minute(times, TimePoint.PAUSE_ENDED, number),
        )
        for number in range(len(times.pauses))
    ]
    ordered = sorted((start, end) for start, end in pauses if start and end)
    return (
        bool(set_out and arrived and arrived < set_out),
        bool(finished and ((arrived and finished < arrived) or (set_out and finished < set_out))),
        any(start and end and end < start for start, end in pauses),
        any(
            (start and begin and start < begin) or (finished and end and end > finished)
            for start, end in pauses
        ),
        any(one[1] > other[0] for one, other in pairwise(ordered)),
    )
