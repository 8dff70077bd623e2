"""Pauses, the pieces of a visit and of a day, and corrected times, of which both values are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from situations import ANA, BEN, JOB, OTHER_JOB, a_situation, an_order

from shared import commands as cmd
from shared import events as ev
from shared.decide import decide
from shared.problems import BadValue, NotStarted, NotYourJob, Problem, WorkOrderDeleted
from shared.situation import Situation
from shared.timesheet import (
    Activity,
    corrections,
    day_sheet,
    day_span,
    points,
    recorded,
    segments,
    stands,
    visits_of,
)
from shared.work_orders import (
    Pause,
    PauseReason,
    TimeCorrection,
    TimePoint,
    UnfinishedReason,
    VisitTimes,
    WorkOrder,
    WorkOrderState,
)

HELSINKI = ZoneInfo("Europe/Helsinki")
S, P, A = WorkOrderState, TimePoint, Activity
MONDAY = date(2026, 11, 16)


def at(hour: int, minute: int = 0, second: int = 0, day: int = 16) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


EIGHT, NINE, TEN, ELEVEN, NOON = (at(hour) for hour in (8, 9, 10, 11, 12))
TWENTY_PAST = at(9, 20)
LUNCH = Pause(reason=PauseReason.BREAK, started_at=at(9, 30), ended_at=at(9, 45))


def times(**more: Any) -> VisitTimes:
    """Ana's visit from eight to eleven: an hour of travel, two on site."""
    values = {"technician_id": ANA, "travel_started_at": EIGHT, "arrived_at": NINE, "finished_at": ELEVEN}
    return VisitTimes(**values | more)


def pieces(visit: VisitTimes, now: datetime = NOON) -> list[tuple[str, str, str, int]]:
    return [
        (one.activity.value, f"{one.start:%H:%M}", f"{one.end:%H:%M}", one.minutes)
        for one in segments(visit, now)
    ]


def under_way(state: WorkOrderState = S.ON_SITE, **more: Any) -> Situation:
    values = {"state": state, "travel_started_at": EIGHT, "arrived_at": NINE} | more
    return a_situation(required_equipment=(), required_checks=(), **values)


def done(**more: Any) -> Situation:
    return under_way(**{"state": S.COMPLETED, "finished_at": ELEVEN} | more)


def correct(
    point: TimePoint = P.ARRIVED,
    value: datetime = TWENTY_PAST,
    *,
    base: datetime = NINE,
    reason: str = "Forgot to tap",
    pause: int | None = None,
) -> cmd.CorrectTime:
    return cmd.CorrectTime(work_order_id=JOB, point=point, base=base, value=value, reason=reason, pause=pause)


def refusal(step: cmd.Command, now: Situation, when: datetime = NOON) -> Problem:
    with pytest.raises(Problem) as caught:
        decide(step, now, when)
    return caught.value


PAUSE = cmd.PauseWork(work_order_id=JOB, reason=PauseReason.WAITING_NETWORK)
RESUME = cmd.ResumeWork(work_order_id=JOB)


class TestAPause:
    def test_begins_and_ends(self):
        paused = decide(PAUSE, under_way(), TEN)
        assert paused.events == (ev.WorkPaused(at=TEN, reason=PauseReason.WAITING_NETWORK),)
        assert paused.after.order.pause == Pause(reason=PauseReason.WAITING_NETWORK, started_at=TEN)
        assert paused.after.order.state is S.ON_SITE, "old apps know no state for it"
        on = decide(RESUME, paused.after, ELEVEN)
        assert on.events == (ev.WorkResumed(at=ELEVEN),)
        assert on.after.order.pause is None
        assert on.after.order.pauses == (
            Pause(reason=PauseReason.WAITING_NETWORK, started_at=TEN, ended_at=ELEVEN),
        )

    @pytest.mark.parametrize("state", [S.ASSIGNED, S.UNASSIGNED])
    @pytest.mark.parametrize("step", [PAUSE, RESUME])
    def test_is_of_a_visit_that_has_begun(self, state: WorkOrderState, step: cmd.Command):
        problem = refusal(step, under_way(state=state))
        assert (type(problem), problem.detail) == (
            NotStarted,
            "There is nothing to pause: start travel first",
        )

    @pytest.mark.parametrize(
        ("step", "now"),
        [
            (PAUSE, under_way(pauses=(Pause(reason=PauseReason.BREAK, started_at=TEN),))),
            (RESUME, under_way()),
        ],
    )
    def test_that_was_tapped_twice_is_kept_as_such(self, step: cmd.PauseWork, now: Situation):
        decision = decide(step, now, ELEVEN)
        assert decision.after.order.pauses == now.order.pauses
        assert [remark.slug for remark in decision.remarks] == ["repeated-step"]
        assert [one.step for one in decision.after.order.reports[0].steps] == [step.type]

    @pytest.mark.parametrize(
        "step",
        [
            cmd.CloseWorkOrder(work_order_id=JOB),
            cmd.CannotComplete(work_order_id=JOB, reason=UnfinishedReason.UNSAFE),
            cmd.CancelWorkOrder(work_order_id=JOB, reason="Called off"),
        ],
    )
    def test_ends_with_the_visit(self, step: cmd.Command):
        paused = decide(PAUSE, under_way(), TEN).after
        order = decide(step, paused, ELEVEN).after.order
        assert [one.ended_at for one in order.pauses] == [ELEVEN]
        assert order.pause is None

    def test_of_the_drive_ends_with_the_arrival(self):
        driving = under_way(state=S.TRAVELLING, arrived_at=None)
        paused = decide(PAUSE, driving, at(8, 20)).after
        order = decide(cmd.Arrive(work_order_id=JOB), paused, NINE).after.order
        assert [(one.started_at, one.ended_at) for one in order.pauses] == [(at(8, 20), NINE)]

    def test_on_a_job_that_is_done_is_a_second_report(self):
        decision = decide(PAUSE, done(), NOON)
        assert decision.after.order.pauses == ()
        assert [remark.slug for remark in decision.remarks] == ["second-report"]


class TestThePiecesOfAVisit:
    def test_are_travel_and_work(self):
        assert pieces(times()) == [("travel", "08:00", "09:00", 60), ("work", "09:00", "11:00", 120)]

    def test_are_cut_by_pauses(self):
        assert pieces(times(pauses=(LUNCH,))) == [
            ("travel", "08:00", "09:00", 60),
            ("work", "09:00", "09:30", 30),
            ("pause", "09:30", "09:45", 15),
            ("work", "09:45", "11:00", 75),
        ]

    def test_go_on_until_now_where_the_visit_does(self):
        waiting = Pause(reason=PauseReason.OTHER, started_at=at(9, 30))
        assert pieces(times(finished_at=None, pauses=(waiting,)), TEN) == [
            ("travel", "08:00", "09:00", 60),
            ("work", "09:00", "09:30", 30),
            ("pause", "09:30", "10:00", 30),
        ]

    def test_of_a_drive_that_came_to_nothing_are_travel_alone(self):
        assert pieces(times(arrived_at=None)) == [("travel", "08:00", "11:00", 180)]

    def test_of_who_did_not_tap_the_drive_are_work_alone(self):
        assert pieces(times(travel_started_at=None)) == [("work", "09:00", "11:00", 120)]

    def test_of_a_visit_that_has_not_begun_are_none(self):
        assert pieces(VisitTimes(technician_id=ANA)) == []

    def test_add_up_by_the_minutes_that_are_shown(self):
        """08:00:59 to 09:00:01 is an hour on the clock, not 59 minutes."""
        visit = times(travel_started_at=at(8, 0, 59), arrived_at=at(9, 0, 1), finished_at=at(9, 0, 50))
        assert pieces(visit) == [("travel", "08:00", "09:00", 60)]

    def test_go_by_what_was_corrected(self):
        later = TimeCorrection(point=P.ARRIVED, base=NINE, value=at(9, 20), reason="x", by=ANA, at=NOON)
        assert pieces(times(corrections=(later,)))[0] == ("travel", "08:00", "09:20", 80)

    def test_have_a_pause_only_within_the_visit(self):
        early = Pause(reason=PauseReason.BREAK, started_at=at(7, 30), ended_at=at(8, 10))
        assert pieces(times(pauses=(early,)))[:2] == [
            ("pause", "08:00", "08:10", 10),
            ("travel", "08:10", "09:00", 50),
        ]


class TestADay:
    def sheet(
        self, *orders: WorkOrder, day: date = MONDAY, now: datetime = NOON, who: UUID = ANA
    ) -> list[Any]:
        return [
            (one.number, one.activity.value, f"{one.start:%d %H:%M}", one.minutes, one.open)
            for one in day_sheet(orders, who, day, HELSINKI, now).stretches
        ]

    def order(self, number: str = "WO-7", **more: Any) -> WorkOrder:
        values = {
            "id": JOB if number == "WO-7" else OTHER_JOB,
            "number": number,
            "state": S.COMPLETED,
            "travel_started_at": EIGHT,
            "arrived_at": NINE,
            "finished_at": ELEVEN,
        }
        return an_order(**values | more)

    def test_is_of_one_technician(self):
        assert self.sheet(self.order(), who=BEN) == []
        assert self.sheet(self.order()) == [
            ("WO-7", "travel", "16 08:00", 60, False),
            ("WO-7", "work", "16 09:00", 120, False),
        ]

    def test_sums_what_was_done(self):
        sheet = day_sheet([self.order(pauses=(LUNCH,))], ANA, MONDAY, HELSINKI, NOON)
        assert [sheet.minutes(one) for one in A] == [60, 105, 15]
        assert sheet.minutes() == 180

    def test_ends_at_midnight_where_the_technician_works(self):
        night = self.order(
            travel_started_at=at(21, 30), arrived_at=at(21, 50), finished_at=at(22, 40)
        )  # 23:30 to 00:40 in Helsinki
        assert self.sheet(night) == [
            ("WO-7", "travel", "16 21:30", 20, False),
            ("WO-7", "work", "16 21:50", 10, False),
        ]
        assert self.sheet(night, day=date(2026, 11, 17)) == [("WO-7", "work", "16 22:00", 40, False)]

    @pytest.mark.parametrize(
        ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (MONDAY, 24)]
    )
    def test_has_as_many_hours_as_the_clocks_leave_it(self, day: date, hours: int):
        begin, end = day_span(day, HELSINKI)
        assert end - begin == timedelta(hours=hours)

    def test_counts_no_minute_twice(self):
        other = self.order("WO-8", travel_started_at=at(10, 30), arrived_at=at(11, 10), finished_at=NOON)
        assert self.sheet(self.order(), other) == [
            ("WO-7", "travel", "16 08:00", 60, False),
            ("WO-7", "work", "16 09:00", 120, False),
            ("WO-8", "travel", "16 11:00", 10, False),
            ("WO-8", "work", "16 11:10", 50, False),
        ]

    def test_shows_what_goes_on(self):
        going = self.order(state=S.ON_SITE, finished_at=None)
        assert self.sheet(going, now=TEN)[-1] == ("WO-7", "work", "16 09:00", 60, True)

    def test_shows_no_work_as_going_on_once_a_pause_has_begun_in_the_same_minute(self):
        pause = Pause(reason=PauseReason.BREAK, started_at=at(10, 0, 20))
        going = self.order(state=S.ON_SITE, finished_at=None, pauses=(pause,))
        assert self.sheet(going, now=at(10, 0, 50))[-1] == ("WO-7", "work", "16 09:00", 60, False)
        assert self.sheet(going, now=at(10, 7))[-1] == ("WO-7", "pause", "16 10:00", 7, True)

    def test_keeps_the_visit_that_ended_before_the_job_was_reopened(self):
        stopped = under_way(state=S.UNFINISHED, finished_at=ELEVEN, pauses=(LUNCH,))
        reopen = cmd.ReopenWorkOrder(work_order_id=JOB, technician_id=BEN)
        order = decide(reopen, replace(stopped, actor_id=UUID(int=9)), NOON).after.order
        assert (order.travel_started_at, order.pauses, order.time_corrections) == (None, (), ())
        assert visits_of(order, ANA) == (times(pauses=(LUNCH,)),)
        assert visits_of(order, BEN) == (VisitTimes(technician_id=BEN),)
        assert sum(minutes for *_, minutes, _ in self.sheet(order)) == 180

    def test_of_a_visit_that_the_office_took_away_ends_then(self):
        reopen = cmd.ReopenWorkOrder(work_order_id=JOB, technician_id=BEN)
        now = replace(under_way(), actor_id=UUID(int=9), van_id=None)
        order = decide(reopen, now, TEN).after.order
        assert order.earlier_visits == (times(finished_at=TEN),)


class TestCorrectingATime:
    def test_keeps_both_values_and_moves_nothing_else(self):
        now = done()
        decision = decide(correct(), now, NOON)
        said = TimeCorrection(
            point=P.ARRIVED, base=NINE, value=at(9, 20), reason="Forgot to tap", by=ANA, at=NOON
        )
        assert decision.events == (ev.TimeCorrected(correction=said),)
        assert decision.remarks == ()
        assert decision.after.order == replace(now.order, time_corrections=(said,), version=6)
        visit = decision.after.order.times
        assert (recorded(visit, P.ARRIVED), stands(visit, P.ARRIVED)) == (NINE, at(9, 20))

    def test_made_last_counts_whoever_arrived_first(self):
        late = decide(correct(value=at(9, 20)), done(), NOON).after
        early = decide(correct(value=at(9, 10)), late, ELEVEN)
        visit = early.after.order.times
        assert stands(visit, P.ARRIVED) == at(9, 20)
        assert [one.value for one in corrections(visit, P.ARRIVED)] == [at(9, 10), at(9, 20)]
        assert [remark.slug for remark in early.remarks] == ["time-corrected-twice"]

    def test_again_with_the_first_correction_in_sight_is_no_conflict(self):
        first = decide(correct(value=at(9, 20)), done(), NOON).after
        second = decide(correct(value=at(9, 30), base=at(9, 20)), first, NOON)
        assert second.remarks == ()
        assert stands(second.after.order.times, P.ARRIVED) == at(9, 30)

    def test_of_a_pause_names_which_one(self):
        two = (LUNCH, Pause(reason=PauseReason.OTHER, started_at=TEN, ended_at=at(10, 10)))
        step = correct(P.PAUSE_ENDED, at(10, 20), base=at(10, 10), pause=1)
        visit = decide(step, done(pauses=two), NOON).after.order.times
        assert stands(visit, P.PAUSE_ENDED, 1) == at(10, 20)
        assert stands(visit, P.PAUSE_ENDED, 0) == at(9, 45)
        assert points(visit) == (
            (P.TRAVEL_STARTED, None),
            (P.ARRIVED, None),
            (P.PAUSE_STARTED, 0),
            (P.PAUSE_ENDED, 0),
            (P.PAUSE_STARTED, 1),
            (P.PAUSE_ENDED, 1),
            (P.FINISHED, None),
        )

    @pytest.mark.parametrize(
        ("step", "words"),
        [
            (correct(value=at(7, 59)), "The arrival can't be before the travel began: correct that first"),
            (
                correct(P.TRAVEL_STARTED, at(9, 1), base=EIGHT),
                "The arrival can't be before the travel began: correct that first",
            ),
            (
                correct(P.FINISHED, at(8, 59), base=ELEVEN),
                "The visit can't end before it began: correct that first",
            ),
            (
                correct(P.PAUSE_ENDED, at(9, 29), base=at(9, 45), pause=0),
                "A pause can't end before it began: correct that first",
            ),
            (
                correct(P.PAUSE_ENDED, at(11, 1), base=at(9, 45), pause=0),
                "A pause lies between the start and the end of the visit",
            ),
            (
                correct(P.PAUSE_STARTED, at(7, 59), base=at(9, 30), pause=0),
                "A pause lies between the start and the end of the visit",
            ),
            (
                correct(P.PAUSE_ENDED, at(10, 5), base=at(9, 45), pause=0),
                "Two pauses can't be at the same time",
            ),
            (correct(P.FINISHED, at(12, 3), base=ELEVEN), "That time is still to come"),
            (
                correct(P.TRAVEL_STARTED, at(7, 59, day=15), base=EIGHT),
                "That is more than a day from what was recorded: look at the date",
            ),
            (correct(value=datetime(2026, 11, 16, 9, 20)), "The time lacks its zone"),
        ],
    )
    def test_to_what_cannot_be_is_refused(self, step: cmd.CorrectTime, words: str):
        coffee = Pause(reason=PauseReason.BREAK, started_at=TEN, ended_at=at(10, 10))
        problem = refusal(step, done(pauses=(LUNCH, coffee)))
        assert (type(problem), problem.field, problem.detail) == (BadValue, "value", words)

    def test_may_be_as_far_ahead_as_two_clocks_differ(self):
        visit = decide(correct(P.FINISHED, at(12, 2), base=ELEVEN), done(), NOON).after.order.times
        assert stands(visit, P.FINISHED) == at(12, 2)

    def test_goes_by_the_minutes_that_are_shown(self):
        """Set out at 08:00:40: an arrival at 8:00 is in the same minute, and not before."""
        now = done(travel_started_at=at(8, 0, 40), arrived_at=at(8, 5))
        visit = decide(correct(value=EIGHT, base=at(8, 5)), now, NOON).after.order.times
        assert stands(visit, P.ARRIVED) == EIGHT

    def test_is_not_stopped_by_what_was_wrong_before(self):
        odd = Pause(reason=PauseReason.BREAK, started_at=at(7, 50), ended_at=at(8, 10))
        decision = decide(correct(), done(pauses=(odd,)), NOON)
        assert stands(decision.after.order.times, P.ARRIVED) == at(9, 20)

    @pytest.mark.parametrize(
        ("reason", "words"),
        [
            (" ", "Say why the time is corrected"),
            ("x" * 201, "The reason holds 200 characters, this has 201"),
        ],
    )
    def test_needs_a_reason(self, reason: str, words: str):
        problem = refusal(correct(reason=reason), done())
        assert (problem.field, problem.detail) == ("reason", words)

    @pytest.mark.parametrize(
        "step", [correct(P.PAUSE_ENDED, pause=0), correct(P.PAUSE_ENDED), correct(P.PAUSE_ENDED, pause=-1)]
    )
    def test_is_of_a_time_that_there_is(self, step: cmd.CorrectTime):
        assert refusal(step, done()).detail == "This visit has no such time yet"

    def test_is_for_two_weeks(self):
        day = timedelta(days=14)
        assert decide(correct(), done(), ELEVEN + day).events
        problem = refusal(correct(), done(), ELEVEN + day + timedelta(seconds=1))
        assert problem.detail == "Times are corrected within 14 days: tell dispatch"

    @pytest.mark.parametrize("state", [S.TRAVELLING, S.ON_SITE, S.COMPLETED, S.UNFINISHED, S.CANCELLED])
    def test_is_welcome_at_any_time(self, state: WorkOrderState):
        decision = decide(correct(), under_way(state=state), NOON)
        assert decision.after.order.state is state
        assert decision.remarks == ()

    def test_is_not_for_a_visit_that_is_a_colleagues_now(self):
        now = done(technician_id=BEN, former_technician_ids=frozenset({ANA}))
        problem = refusal(correct(), now)
        assert (type(problem), problem.detail) == (
            NotYourJob,
            "WO-7 is with a colleague now: ask dispatch to note your times",
        )

    def test_of_a_deleted_job_waits_for_the_office(self):
        assert type(refusal(correct(), done(deleted_at=NOON))) is WorkOrderDeleted
