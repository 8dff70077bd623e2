"""A hand moves a job: which command that is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from console_day import Console, a_console

from server.clock import mint
from server.dispatch.moves import assignment, crow_minutes
from shared.problems import BadValue, NotFound


@pytest.fixture
def console(sqlite_url: str, tmp_path: Path) -> Iterator[Console]:
    with a_console(sqlite_url, tmp_path) as found:
        yield found


class TestMovingAJob:
    def test_keeps_its_length(self, console: Console):
        aino, eetu = console.technician("Aino Virtanen"), console.technician("Eetu Korhonen")
        order = console.work_order(
            technician=aino, planned_start=console.at(9), planned_end=console.at(9, 50), expected_minutes=60
        )
        with console.database.read() as session:
            command = assignment(session, order, eetu, console.at(13, 5))
        assert (command.technician_id, command.planned_start) == (eetu, console.at(13, 5))
        assert command.planned_end - command.planned_start == timedelta(minutes=50)

    def test_estimates_travel_from_the_visit_before_it(self, console: Console):
        aino = console.technician(start_lat=59.0, start_lon=21.0)
        console.work_order(
            technician=aino, planned_start=console.at(9), planned_end=console.at(10), lat=59.30, lon=21.34,
            route_position=4,
        )  # fmt: skip
        order = console.work_order(lat=59.32, lon=21.34)
        with console.database.read() as session:
            command = assignment(session, order, aino, console.at(11))
        assert command.travel_minutes == crow_minutes(59.30, 21.34, 59.32, 21.34) == 5
        assert command.route_position == 4

    def test_keeps_the_planned_travel_when_nothing_new_comes_before_it(self, console: Console):
        aino = console.technician()
        order = console.work_order(
            technician=aino, planned_start=console.at(9), planned_end=console.at(10), travel_minutes=17
        )
        with console.database.read() as session:
            assert assignment(session, order, aino, console.at(9, 30)).travel_minutes == 17

    def test_needs_a_job_a_technician_and_a_time_zone(self, console: Console):
        aino, order = console.technician(), console.work_order()
        with console.database.read() as session:
            with pytest.raises(NotFound, match="no such work order"):
                assignment(session, mint(), aino, console.now)
            with pytest.raises(NotFound, match="no such technician"):
                assignment(session, order, mint(), console.now)
            with pytest.raises(BadValue, match="time zone"):
                assignment(session, order, aino, datetime(2026, 11, 23, 9))
            with pytest.raises(BadValue, match="Nobody works in the year 9999"):
                assignment(session, order, aino, datetime(9999, 12, 31, tzinfo=UTC))
