"""Drives remembered: what is measured once is not asked for again, and what is kept has a bound."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from routers import seconds_of

from scheduler.travel.protocol import Drawn, NoAnswer, Point, Table
from server.clock import running_on
from server.dispatch.road_engines.memory import ROW_PAIRS_MAX, DriveMemory, Remembering


class Counting:
    """A source that says what it was asked: the size of each table."""

    estimated = False

    def __init__(self, name: str = "counted", off: frozenset[Point] = frozenset()) -> None:
        self.name, self.asked, self.off = name, list[tuple[int, int]](), off

    def table(self, origins: Sequence[Point], targets: Sequence[Point]) -> Table:
        self.asked.append((len(origins), len(targets)))
        seconds = np.array([
            [-1 if {a, b} & self.off else seconds_of(a, b) for b in targets] for a in origins
        ], dtype=np.int32).reshape(len(origins), len(targets))  # fmt: skip
        off = {point: "is nowhere" for point in (*origins, *targets) if point in self.off}
        return Table(seconds, np.where(seconds < 0, -1, 10 * seconds), self.name, False, off)

    def path(self, stops: Sequence[Point]) -> Drawn:
        return Drawn(list(stops), self.name, False)


def places(count: int, first: int = 0) -> list[Point]:
    return [(24 + n / 500, 60 + n % 7 / 500) for n in range(first, first + count)]


def same(one: Table, other: Table) -> bool:
    return (one.seconds.tolist(), one.metres.tolist(), one.off) == (
        other.seconds.tolist(), other.metres.tolist(), other.off
    )  # fmt: skip


class TestRemembering:
    def test_a_day_is_measured_once(self) -> None:
        engine = Counting()
        travel = Remembering(engine, DriveMemory())
        day = places(30)
        first, again = travel.table(day, day), travel.table(day, day)
        assert engine.asked == [(30, 30)]
        assert same(first, again) and same(first, Counting().table(day, day))

    def test_one_more_job_costs_its_row_and_its_column(self) -> None:
        engine = Counting()
        travel = Remembering(engine, DriveMemory())
        day = places(800)
        travel.table(day, day)
        more = [*day[:300], *places(1, 900), *day[300:]]
        table = travel.table(more, more)
        assert engine.asked == [(800, 800), (1, 801), (800, 1)]
        assert same(table, Counting().table(more, more))
        travel.table(more, more)
        assert len(engine.asked) == 3

    def test_a_part_of_what_is_known_costs_nothing(self) -> None:
        engine = Counting()
        travel = Remembering(engine, DriveMemory())
        day = places(20)
        travel.table(day, day)
        assert same(travel.table(day[4:9], day[::-1]), Counting().table(day[4:9], day[::-1]))
        assert engine.asked == [(20, 20)]

    def test_a_place_asked_for_twice_is_measured_once(self) -> None:
        engine = Counting()
        table = Remembering(engine, DriveMemory()).table([*places(2), *places(2)], [*places(2), *places(1)])
        assert engine.asked == [(2, 2)]
        assert same(table, Counting().table([*places(2), *places(2)], [*places(2), *places(1)]))

    def test_places_off_the_roads_are_remembered_with_the_reason(self) -> None:
        day = places(5)
        engine = Counting(off=frozenset({day[3]}))
        travel = Remembering(engine, DriveMemory())
        first, again = travel.table(day, day), travel.table(day, day)
        assert first.off == again.off == {day[3]: "is nowhere"}
        assert same(first, again)
        assert engine.asked == [(5, 5)]

    def test_engines_do_not_mix(self) -> None:
        memory, day = DriveMemory(), places(3)
        one, other = Counting("one"), Counting("other")
        Remembering(one, memory).table(day, day)
        Remembering(other, memory).table(day, day)
        assert (one.asked, other.asked) == ([(3, 3)], [(3, 3)])

    def test_what_could_not_be_measured_is_not_remembered(self) -> None:
        class Down(Counting):
            def table(self, origins: Sequence[Point], targets: Sequence[Point]) -> Table:
                raise NoAnswer("is down")

        memory, day = DriveMemory(), places(3)
        with pytest.raises(NoAnswer):
            Remembering(Down(), memory).table(day, day)
        engine = Counting()
        assert (Remembering(engine, memory).table(day, day).seconds >= 0).all()
        assert engine.asked == [(3, 3)]

    def test_a_server_s_drives_are_measured_anew_after_a_while(self) -> None:
        now = [datetime(2026, 5, 1, 8, tzinfo=UTC)]
        with running_on(lambda: now[0], lambda count: bytes(count)):
            engine, day = Counting(), places(3)
            travel = Remembering(engine, DriveMemory(), timedelta(days=7))
            travel.table(day, day)
            now[0] += timedelta(days=7)
            travel.table(day, day)
            assert engine.asked == [(3, 3)]
            now[0] += timedelta(seconds=1)
            travel.table(day, day)
            assert engine.asked == [(3, 3)] * 2


class TestTheFile:
    def test_the_next_start_knows_what_the_last_one_measured(self, tmp_path: Path) -> None:
        file, day = tmp_path / "drives.db", places(40)
        first = Remembering(Counting(), DriveMemory(file)).table(day, day)
        engine = Counting()
        again = Remembering(engine, DriveMemory(file)).table(day, day)
        assert engine.asked == []
        assert same(first, again)

    def test_a_file_that_is_broken_is_begun_anew(self, tmp_path: Path) -> None:
        file, day = tmp_path / "drives.db", places(4)
        file.write_bytes(b"no database " * 1000)
        assert same(Remembering(Counting(), DriveMemory(file)).table(day, day), Counting().table(day, day))
        travel = Remembering(Counting(), DriveMemory(file))
        travel.table(day, day)
        engine = Counting()
        Remembering(engine, DriveMemory(file)).table(day, day)
        assert engine.asked == []

    def test_a_folder_that_is_not_there_costs_only_time_and_is_not_made(self, tmp_path: Path) -> None:
        engine, day = Counting(), places(4)
        travel = Remembering(engine, DriveMemory(tmp_path / "data" / "drives.db"))
        assert same(travel.table(day, day), travel.table(day, day))
        assert engine.asked == [(4, 4)]
        assert not (tmp_path / "data").exists()

    def test_a_file_that_can_not_be_written_costs_only_time(self, tmp_path: Path) -> None:
        (tmp_path / "drives.db").mkdir()
        engine, day = Counting(), places(4)
        travel = Remembering(engine, DriveMemory(tmp_path / "drives.db"))
        assert same(travel.table(day, day), travel.table(day, day))
        assert engine.asked == [(4, 4)]


class TestTheBound:
    def test_the_longest_unused_rows_go_first(self, tmp_path: Path) -> None:
        now = [datetime(2026, 5, 1, tzinfo=UTC)]

        def later() -> datetime:
            now[0] += timedelta(seconds=1)
            return now[0]

        with running_on(later, lambda count: bytes(count)):
            file = tmp_path / "drives.db"
            memory = DriveMemory(file, pairs_max=250)
            engine = Counting()
            travel = Remembering(engine, memory)
            old, new = places(10), places(10, 100)
            travel.table(old, old)
            travel.table(new, new)
            travel.table(old, old)  # used: now `new` is the oldest
            newest = places(10, 200)
            travel.table(newest, newest)
            assert engine.asked == [(10, 10)] * 3
            travel.table(old, old)
            assert engine.asked == [(10, 10)] * 3
            with sqlite3.connect(file) as connection:
                (pairs,) = connection.execute("SELECT sum(length(pairs)) / 16 FROM drives").fetchone()
            connection.close()
            assert pairs <= 250

    def test_a_row_that_grows_for_ever_begins_anew(self) -> None:
        engine, home = Counting(), places(1)
        memory = DriveMemory()
        travel = Remembering(engine, memory)
        travel.table(home, places(ROW_PAIRS_MAX, 10))
        travel.table(home, places(2, 10_000))
        assert sum(len(row.pairs) for row in memory._rows.values()) == 2
        travel.table(home, places(2, 10_000))
        assert len(engine.asked) == 2
