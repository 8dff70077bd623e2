"""Pauses, my time, and the correction of a time, without any network."""

from __future__ import annotations

from datetime import timedelta

import pytest
from day_of_work import MORNING, uid

from mobile.state import job_route
from shared.commands import Arrive, CannotComplete, PauseWork, ResumeWork, StartTravel
from shared.work_orders import PauseReason, TimePoint, UnfinishedReason

REPAIR, INSTALL = uid(0x100), uid(0x101)


@pytest.fixture
def a_visit(gateway, clock):
    """08:05 set out, 08:15 there, 08:35 to 08:50 pause, left at 09:05."""

    def run() -> None:
        for minutes, command in (
            (0, StartTravel(work_order_id=REPAIR)),
            (10, Arrive(work_order_id=REPAIR)),
            (20, PauseWork(work_order_id=REPAIR, reason=PauseReason.FETCHING_PART)),
            (15, ResumeWork(work_order_id=REPAIR)),
            (15, CannotComplete(work_order_id=REPAIR, reason=UnfinishedReason.NO_ACCESS)),
        ):
            clock.forward(minutes=minutes)
            gateway.send(command)

    return run


class TestThePause:
    def test_is_two_taps_away_and_says_since_when(self, open_app, gateway):
        gateway.send(Arrive(work_order_id=REPAIR))
        screen = open_app(job_route(REPAIR))
        screen.tap("Pause")
        screen.tap("Waiting for the customer")

        pause = gateway.order(REPAIR).pause
        assert (pause.reason, pause.started_at) == (PauseReason.WAITING_CUSTOMER, MORNING)
        assert screen.sees("Pause: Waiting for the customer. Saved on this device")
        assert screen.sees("Paused since 08:05: Waiting for the customer")

    def test_makes_going_on_the_big_button(self, open_app, gateway, clock):
        gateway.send(StartTravel(work_order_id=REPAIR))
        gateway.send(PauseWork(work_order_id=REPAIR, reason=PauseReason.BREAK))
        clock.forward(minutes=12)
        screen = open_app(job_route(REPAIR))
        assert "Pause" not in screen.names()
        screen.tap("Go on after the pause")

        [pause] = gateway.order(REPAIR).pauses
        assert pause.ended_at == MORNING + timedelta(minutes=12)
        assert "Arrived" in screen.names()
        assert gateway.queue()[0].title == "Went on after the pause"
        assert gateway.queue()[1].title == "Pause: Break"

    def test_is_not_offered_before_anything_goes_on(self, open_app, desk):
        screen = open_app(job_route(INSTALL))
        assert "Pause" not in screen.names()
        screen.do(lambda: desk.open_job(INSTALL, "pause"))
        assert screen.sees("Nothing goes on that could pause.")


class TestMyTime:
    def test_is_reached_from_the_day(self, open_app, desk):
        open_app().tap("My time")
        assert desk.shell.route == "/time"

    def test_shows_the_day_in_pieces_and_its_sums(self, open_app, a_visit):
        a_visit()
        screen = open_app("/time")

        rows = [name for name in screen.names() if "WO-1041" in name]
        assert rows == [
            "08:05–08:15, Travel, 10 min, WO-1041",
            "08:15–08:35, Work, 20 min, WO-1041",
            "08:35–08:50, Pause, 15 min, WO-1041",
            "08:50–09:05, Work, 15 min, WO-1041",
        ]
        texts = screen.texts()
        for what, long in (
            ("Travel", "10 min"),
            ("Work", "35 min"),
            ("Pause", "15 min"),
            ("Total", "1 h 0 min"),
        ):
            assert texts[texts.index(what) + 1] == long

    def test_shows_what_goes_on(self, open_app, gateway, clock):
        gateway.send(StartTravel(work_order_id=REPAIR))
        clock.forward(minutes=7)

        assert "08:05–now, Travel, 7 min, WO-1041" in open_app("/time").names()

    def test_looks_at_earlier_days_and_never_ahead(self, open_app, a_visit):
        a_visit()
        screen = open_app("/time")
        assert "Day after" not in screen.names()
        screen.tap("Day before")
        assert screen.sees("Nothing was recorded on this day.")
        screen.tap("Day after")
        assert screen.sees("08:05–08:15, Travel")

    def test_goes_back_as_far_as_this_device_knows_and_says_so(self, open_app):
        screen = open_app("/time")
        assert screen.sees("On this device: your own jobs from 16 Nov to")
        for _ in range(7):
            screen.tap("Day before")
        assert screen.sees("Monday 16 November")
        assert "Day before" not in screen.names()


class TestCorrecting:
    @pytest.fixture
    def screen(self, open_app, a_visit):
        a_visit()
        return open_app(job_route(REPAIR, "time"))

    def test_keeps_both_values_and_counts_the_new_one(self, screen, gateway, desk):
        screen.tap("Correct: Arrived")
        screen.type_into("Right time, such as 9:20", "8.25")
        screen.type_into("Why is it corrected?", "Tapped at the gate")
        screen.tap("Save the right time")

        order = gateway.order(REPAIR)
        [said] = order.time_corrections
        assert (said.point, said.base, said.value, said.reason) == (
            TimePoint.ARRIVED,
            MORNING + timedelta(minutes=10),
            MORNING + timedelta(minutes=20),
            "Tapped at the gate",
        )
        assert order.arrived_at == MORNING + timedelta(minutes=10)
        assert "Correct: Arrived, 08:25" in screen.names()
        assert screen.sees("08:25, corrected at 09:05: Tapped at the gate")
        assert screen.sees("08:15 was tapped")
        screen.do(lambda: desk.go("/time"))
        assert screen.sees("08:05–08:25, Travel")
        assert screen.sees(
            "WO-1041, Arrived: 08:25, corrected at 09:05: Tapped at the gate · 08:15 was tapped"
        )

    @pytest.mark.parametrize(
        ("typed", "reason", "words"),
        [
            ("noon", "x", "“noon” is no time: type hours and minutes, such as 9:20"),
            ("25:00", "x", "“25:00” is no time: type hours and minutes, such as 9:20"),
            ("8:00", "x", "The arrival can't be before the travel began: correct that first"),
            ("10:30", "x", "That time is still to come"),
            ("8:20", " ", "Say why the time is corrected"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, screen, gateway, typed: str, reason: str, words: str
    ):
        screen.tap("Correct: Arrived")
        screen.type_into("Right time, such as 9:20", typed)
        screen.type_into("Why is it corrected?", reason)
        screen.tap("Save the right time")

        assert screen.sees(words)
        assert screen.field("Right time, such as 9:20").value == typed
        assert gateway.order(REPAIR).time_corrections == ()

    def test_of_a_pause_is_possible_too(self, screen, gateway):
        screen.tap("Correct: Pause ended")
        screen.type_into("Right time, such as 9:20", "0845")
        screen.type_into("Why is it corrected?", "Earlier")
        screen.tap("Save the right time")

        [said] = gateway.order(REPAIR).time_corrections
        assert (said.point, said.pause, said.value) == (
            TimePoint.PAUSE_ENDED,
            0,
            MORNING + timedelta(minutes=40),
        )
