"""The day's list: another day, what changed, the sketch, and fetching by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import flet as ft
import flet.canvas as cv
import pytest
from day_of_work import MORNING, send_down, the_orders

from sync.client.report import SyncReport
from sync.protocol import PROTOCOL, Gone, SyncResponse

EXTENTS = {"min_scroll_extent": 0, "max_scroll_extent": 500, "viewport_dimension": 600}
REPAIR, INSTALL, SWAP, UPGRADE, *_ = the_orders()


class Answers:
    """A conversation with the server that ends as told."""

    def __init__(self, gateway, report: SyncReport) -> None:
        self.gateway, self.report, self.talks = gateway, report, 0

    async def run(self, listen_seconds: int = 0) -> SyncReport:
        self.talks += 1
        return self.report


class TestAnotherDay:
    def test_is_one_tap_away_and_so_is_today(self, open_app, gateway):
        assert UPGRADE.planned_start
        tomorrow = replace(UPGRADE, planned_start=UPGRADE.planned_start + timedelta(days=1), version=4)
        send_down(gateway._store, [tomorrow], at=MORNING + timedelta(seconds=1))
        gateway._look_again()
        screen = open_app()
        assert screen.sees("0 of 5 jobs done")

        screen.tap("Day after")
        assert screen.sees("Tuesday 24 November")
        assert screen.sees("0 of 1 job done")
        assert not any(name.startswith("Open next") for name in screen.names())
        screen.tap("Back to today")
        assert screen.sees("Monday 23 November")

    def test_is_not_shown_as_todays_by_a_clock_that_is_a_day_off(self, open_app, gateway, clock):
        clock.forward(days=1)
        heard = SyncResponse(protocol=PROTOCOL, server_now=MORNING, cursor="c2")
        gateway._store.apply(heard, received_at=clock.now, clock_offset=-timedelta(days=1))
        gateway._look_again()
        screen = open_app()

        assert screen.sees("Monday 23 November")
        assert screen.sees("0 of 6 jobs done")
        assert screen.sees("your own jobs from 16 Nov to 7 Dec")
        screen.tap("Day after")
        assert screen.sees("Tuesday 24 November")

    def test_can_be_chosen_of_all_that_are_on_the_device(self, open_app):
        screen = open_app()
        screen.tap("Mon 23 Nov")
        days = [name for name in screen.names() if name.endswith((" jobs", " job"))]

        assert (len(days), days[0], days[-1]) == (22, "Mon 16 Nov, 0 jobs", "Mon 7 Dec, 0 jobs")
        assert "Mon 23 Nov, Today, 6 jobs" in days
        screen.tap("Mon 7 Dec, 0 jobs")
        assert screen.sees("No jobs on this day")
        screen.tap("Day after")  # beyond, there is nothing to turn to
        assert screen.sees("Monday 7 December")

    def test_that_was_chosen_is_todays_list_once_it_has_come(self, open_app, clock, desk):
        screen = open_app()
        screen.tap("Day after")
        clock.forward(days=1)
        screen.do(lambda: setattr(desk.shell, "minute", 1))

        assert screen.sees("Tuesday 24 November")
        assert screen.sees("No jobs for today")
        assert "Back to today" not in screen.names()

    def test_says_what_is_not_on_the_device(self, open_app):
        assert open_app().sees(
            "On this device: your own jobs from 16 Nov to 7 Dec. Older and later ones, colleagues' jobs and"
            " road maps are not."
        )


class TestWhatTheOfficeChanged:
    @pytest.fixture
    def screen(self, open_app, gateway):
        gateway._take_in()
        send_down(
            gateway._store, [replace(REPAIR, window=None, version=4)], at=MORNING + timedelta(seconds=1)
        )
        gone = (Gone(kind="work_order", key=str(SWAP.id)),)
        gateway._store.apply(
            SyncResponse(protocol=PROTOCOL, server_now=MORNING, cursor="gone", gone=gone), received_at=MORNING
        )
        gateway._take_in()
        return open_app()

    def test_stands_on_the_card_until_the_job_is_opened(self, screen, gateway):
        card = next(name for name in screen.names() if name.startswith("WO-1041"))
        assert card.endswith("Promised no time, no longer 08:00–12:00")

        screen.tap(card)
        screen.tap("Back")
        assert not screen.sees("Promised no time")
        assert screen.sees("WO-1043, Kolmas linja 7: No longer yours")

    def test_is_told_once_of_a_job_that_is_gone(self, screen, gateway):
        screen.tap("I have seen this")

        assert not screen.sees("Changed since you last looked")
        assert gateway.news() == {}


class TestTheSketch:
    def canvas(self, screen) -> cv.Canvas | None:
        return next((control for control in screen.controls() if isinstance(control, cv.Canvas)), None)

    def test_opens_the_job_under_the_finger(self, open_app, desk):
        screen = open_app()
        canvas = self.canvas(screen)
        circles = [shape for shape in canvas.shapes if isinstance(shape, cv.Circle)]
        numbers = [shape for shape in canvas.shapes if isinstance(shape, cv.Text) and shape.value == "3"]
        third = next(circle for circle in circles if (circle.x, circle.y) == (numbers[0].x, numbers[0].y))
        finger = {"l": {"x": third.x + 2, "y": third.y}, "g": {"x": 0, "y": 0}, "k": "touch"}
        screen.event(canvas.content, "tap_down", finger)

        assert desk.shell.route == f"/job/{SWAP.id}"

    def test_can_be_put_away_for_good(self, open_app, gateway):
        screen = open_app()
        screen.tap("Hide the route")
        assert self.canvas(screen) is None
        assert gateway.preference("sketch_hidden") == "yes"
        screen.tap("Show the route")
        assert self.canvas(screen) is not None

    def test_has_room_for_its_marks_on_the_narrowest_phone(self, open_app):
        shapes = self.canvas(open_app(width=320)).shapes
        circles = [shape for shape in shapes if isinstance(shape, cv.Circle)]

        assert len(circles) == 12  # six stops, each filled and edged
        assert all(17 <= circle.x <= 320 - 26 - 17 for circle in circles)


class TestFetchingByHand:
    def fetch(self, screen, desk, monkeypatch, report: SyncReport) -> Answers:
        answers = Answers(desk.gateway, report)
        monkeypatch.setattr(desk.gateway, "sync", answers.run)
        desk._run = screen.page.run_task
        screen.tap("Fetch what is new")
        return answers

    def test_says_what_came(self, open_app, desk, monkeypatch):
        screen = open_app()
        self.fetch(screen, desk, monkeypatch, SyncReport(drained=True, online=True, rows=2, gone=1))

        assert screen.sees("Up to date at 08:05. 3 entries are new or changed.")
        assert not desk.shell.refreshing

    def test_says_how_old_the_list_is_without_a_network(self, open_app, desk):
        screen = open_app()
        desk._run = screen.page.run_task
        screen.tap("Fetch what is new")  # this device has no way out

        assert screen.sees("No network: this is as of 08:05. What you save is kept.")

    def test_begins_by_pulling_the_list_down_too(self, open_app, desk, monkeypatch):
        screen = open_app()
        desk._run = screen.page.run_task
        answers = Answers(desk.gateway, SyncReport(drained=True, online=True))
        monkeypatch.setattr(desk.gateway, "sync", answers.run)
        body = next(c for c in screen.controls() if isinstance(c, ft.Column) and c.on_scroll)
        for _ in range(5):
            held = {"event_type": "overscroll", "pixels": 0, "overscroll": -20} | EXTENTS
            screen.event(body, "scroll", held)

        assert answers.talks == 1
        assert screen.sees("Up to date at 08:05. Nothing new.")


def test_opening_a_job_without_news_writes_nothing(open_app, gateway):
    open_app().tap("WO-1041")

    assert gateway._store.last_seen is None
