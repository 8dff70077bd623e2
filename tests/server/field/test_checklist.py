"""A checklist on its way through the server: booked, shown to the office, and not demanded of old apps."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from databases import migrated_database
from world import PHOTO, World, a_world

from server.db.engine import Database
from server.inbox.facing import Reader, facing
from server.replay import compare, replay
from shared.checklists import checklist_for
from shared.commands import (
    AddEvidence,
    AnswerCheck,
    Arrive,
    CloseWorkOrder,
    FieldCommand,
    RecordCheck,
    SkipCheck,
    StartTravel,
)
from shared.situation import Situation
from shared.work_orders import EvidenceKind, SkipReason, WorkOrderKind, WorkOrderState

K = WorkOrderKind.REPAIR


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as made:
        yield made


def a_visit(world: World, job: Any, *, version: int | None, answers: bool = True) -> list[FieldCommand]:
    id = job.id
    said: list[FieldCommand] = [
        AnswerCheck(work_order_id=id, code="fault", value="cable"),
        AddEvidence(
            work_order_id=id, kind=EvidenceKind.PHOTO, digest="c3" * 32, size_bytes=9,
            media_type="image/jpeg", taken_at=world.now, check="fault_photo",
        ),
        SkipCheck(work_order_id=id, code="connectors_cleaned", reason=SkipReason.NO_TOOL),
        AnswerCheck(work_order_id=id, code="ont_lights", value="all_green"),
    ]  # fmt: skip
    return [
        StartTravel(work_order_id=id),
        Arrive(work_order_id=id),
        *(said if answers else []),
        RecordCheck(work_order_id=id, code="optical_power", value=Decimal("-19.5")),
        RecordCheck(work_order_id=id, code="download_speed", value=Decimal("96.4")),
        world.evidence(job, EvidenceKind.PHOTO),
        CloseWorkOrder(work_order_id=id, checklist_version=version),
    ]


class TestAnAnsweredChecklist:
    def test_is_booked_once_and_the_log_rebuilds_it(self, world: World, tmp_path: Path):
        job = world.order(K, checklist=checklist_for(K, 100))
        envelopes = world.ana.envelopes(*a_visit(world, job, version=1))

        receipts = world.ana.deliver(envelopes)
        before = world.contents()
        again = world.ana.deliver(envelopes)

        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert again == receipts
        assert world.contents() == before
        order = world.work_order(job)
        assert order.state is WorkOrderState.COMPLETED
        assert [(one.code, one.value, one.passed, one.skipped) for one in order.answers] == [
            ("fault", "cable", True, None),
            ("connectors_cleaned", "", False, SkipReason.NO_TOOL),
            ("ont_lights", "all_green", True, None),
        ]
        assert [(one.digest, one.check) for one in order.evidence] == [
            ("c3" * 32, "fault_photo"), (PHOTO, None),
        ]  # fmt: skip
        with migrated_database("sqlite", tmp_path) as url:
            rebuilt = Database(url)
            replay(world.database, rebuilt, world.settings)
            assert [report for report in compare(world.database, rebuilt) if not report.equal] == []
            rebuilt.close()

    def test_that_is_not_whole_holds_the_close_and_moves_nothing_of_it(self, world: World):
        job = world.order(K, checklist=checklist_for(K, 100))

        receipts = world.ana.send(*a_visit(world, job, version=1, answers=False))

        assert (receipts[-1].outcome, receipts[-1].slug, receipts[-1].detail) == (
            "held",
            "missing-checks",
            "Answer “What was wrong”; Answer “Connectors cleaned and inspected”; Answer “Lights of the ONT”",
        )
        assert world.work_order(job).state is WorkOrderState.ON_SITE

    def test_is_not_demanded_of_an_app_that_shows_none(self, world: World):
        job = world.order(K, checklist=checklist_for(K, 100))

        receipts = world.ana.send(*a_visit(world, job, version=None, answers=False))

        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert [(remark.slug, remark.detail) for remark in receipts[-1].remarks] == [
            (
                "checklist-not-shown",
                "WO-0001 was closed by an app without checklists; open: What was wrong, "
                "Connectors cleaned and inspected, Lights of the ONT",
            )
        ]
        assert world.work_order(job).state is WorkOrderState.COMPLETED


class TestTheOffice:
    def test_reads_both_values_of_a_held_answer_and_a_held_skip(self, world: World):
        job = world.order(K, checklist=checklist_for(K, 100))
        world.ana.send(*a_visit(world, job, version=1)[:-1])
        now = Situation(
            order=world.work_order(job), actor_id=world.ana.technician_id, van_id=None, van_name="",
            assets={}, on_hand={}, products={},
        )  # fmt: skip
        reader = Reader(people={}, called_off={}, zone=world.settings.zone, now=world.now)

        steps = (
            AnswerCheck(work_order_id=job.id, code="fault", value="splice"),
            SkipCheck(work_order_id=job.id, code="ont_lights", reason=SkipReason.OTHER, text="No power"),
            AnswerCheck(work_order_id=job.id, code="connectors_cleaned", value="yes"),
        )
        both = [facing(step, world.now, now, reader)[1] for step in steps]

        assert [(one.what, one.theirs, one.ours) for one in both] == [
            ("What was wrong", "Splice", "Cable damaged at 09:02"),
            ("Lights of the ONT", "left out, other: No power", "All green at 09:05"),
            ("Connectors cleaned and inspected", "yes", "left out at 09:04, no tool"),
        ]
