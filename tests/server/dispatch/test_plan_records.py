"""What a plan was made of: kept small, opened byte for byte, made again, and forgotten in time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from planned_day import DAWN, DAY, an_order, at
from sqlalchemy import select, update
from world import World, a_world

from scheduler.codec import plan_to_json, request_to_json
from scheduler.versions import versions
from server.db.engine import Database
from server.dispatch import plan_records
from server.dispatch.day_rows import clock_of, read_day
from server.dispatch.models import DayPlanRow, DrivesRow, PlanRecordRow
from server.dispatch.plan_booking import book
from server.dispatch.plan_records import Record, open_record, verify
from server.dispatch.plan_request import ask
from server.dispatch.planner import plan_day, propose
from server.dispatch.roads import travel_times
from server.dispatch.thinking import Effort, think
from shared.problems import NotFound


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as world:
        for hour in (9, 11, 13):
            an_order(world, window_start=at(hour), window_end=at(hour + 2))
        yield world


def record_of(database: Database, plan_id: object = None) -> Record:
    with database.read() as session:
        row = session.scalars(select(DayPlanRow).order_by(DayPlanRow.made_at.desc())).first()
        return open_record(session, row.record_id)


def kept_by_rounds(world: World, rounds: int, seed: int = 3) -> Record:
    with world.database.read() as session:
        rows = read_day(session, clock_of(world.settings, DAY, DAWN), DAWN).rows
    question = ask(rows, travel_times(world.settings))
    assert question.request
    thought = think(question.request, Effort(rounds=rounds, threads=1, seed=seed))
    with world.database.write() as session:
        kept = plan_records.keep(session, plan_records.pack(thought, question), DAWN)
    with world.database.read() as session:
        return open_record(session, kept)


class TestOrdinaryPlanning:
    def test_keeps_what_was_asked_and_answered_byte_for_byte(self, world: World):
        plan_day(world.database, world.settings, DAY, seconds=0, seed=5, now=DAWN)
        record = record_of(world.database)
        assert request_to_json(record.asked).encode() == record.request
        assert (plan_to_json(record.plan) + "\n").encode() == record.answer
        assert (record.effort.seconds, record.effort.seed, record.versions) == (0, 5, versions())
        assert set(record.technicians.values()) == {p.technician_id for p in world.phones}
        assert [job.id for job in record.asked.jobs] == sorted(record.orders)

    def test_keeps_the_same_drives_once(self, world: World):
        for _ in range(3):
            plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
        assert (len(world.rows(PlanRecordRow)), len(world.rows(DrivesRow))) == (3, 1)

    def test_a_day_with_nothing_to_plan_keeps_nothing(self, database_url: str):
        with a_world(database_url) as world:
            plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
            assert (world.row(DayPlanRow).record_id, world.rows(PlanRecordRow)) == (None, [])


class TestReplay:
    def test_so_many_rounds_give_the_same_plan_on_the_command_line(self, world: World, tmp_path: Path):
        record = kept_by_rounds(world, 400)
        problem, plan = tmp_path / "request.json", tmp_path / "plan.json"
        problem.write_bytes(record.request)
        words = plan_records.command_of(record.effort).split()
        assert words[:5] == ["python", "-m", "scheduler", "solve", "request.json"]
        subprocess.run(
            [sys.executable, *words[1:4], str(problem), *words[5:-1], str(plan)], check=True, timeout=120
        )
        assert plan.read_bytes() == record.answer

    def test_verifying_says_the_same(self, world: World):
        found = verify(world.database, kept_by_rounds(world, 200).id)
        assert (found.verdict, found.other_versions) == ("same", {})
        assert found.again_digest == found.answer_digest
        assert found.sentence == "The same plan, byte for byte"

    def test_verifying_tells_a_plan_that_is_not_the_one_and_the_version_that_changed(self, world: World):
        record = kept_by_rounds(world, 200)
        with world.database.write() as session:
            then = dict(record.versions) | {"ortools": "9.0"}
            session.execute(update(PlanRecordRow).values(answer_digest="0" * 64, versions=then))
        found = verify(world.database, record.id)
        assert found.verdict == "different"
        assert found.other_versions == {"ortools": ("9.0", versions()["ortools"])}
        assert found.sentence == f"Another plan than then; ortools was 9.0, is {versions()['ortools']}"

    def test_what_looked_by_the_clock_is_not_tried(self, world: World):
        clock = clock_of(world.settings, DAY, DAWN)
        proposal = propose(world.database, world.settings, clock, seconds=1, seed=0, now=DAWN)
        book(world.database, world.settings, proposal, DAWN)
        found = verify(world.database, record_of(world.database).id)
        assert (found.verdict, found.again_digest) == ("not repeatable", None)


class TestForgetting:
    def test_drops_old_runs_and_the_drives_that_only_they_had(self, world: World):
        plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
        an_order(world)
        with world.database.write() as session:
            session.execute(update(PlanRecordRow).values(kept_at=DAWN - timedelta(days=31)))
            place = session.scalars(select(DrivesRow)).one().digest
        kept_by_rounds(world, 10)
        assert plan_records.forget(world.database, DAWN) == 1
        assert len(world.rows(PlanRecordRow)) == 1
        assert world.row(DayPlanRow).record_id is None
        # The second order is at the same address, so the drives are still those of the first run.
        assert [row.digest for row in world.rows(DrivesRow)] == [place]
        assert plan_records.forget(world.database, DAWN + timedelta(days=31)) == 1
        assert world.rows(DrivesRow) == []
        with world.database.read() as session, pytest.raises(NotFound, match="kept for 30 days"):
            open_record(session, None)


def test_a_run_is_kept_in_a_fraction_of_its_size(world: World):
    plan_day(world.database, world.settings, DAY, seconds=0, now=DAWN)
    record = record_of(world.database)
    assert json.loads(record.request)["travel"]["engine"] == "straight line"
    row, drives = world.row(PlanRecordRow), world.row(DrivesRow)
    assert len(row.request) + len(drives.body) < len(record.request) / 2
