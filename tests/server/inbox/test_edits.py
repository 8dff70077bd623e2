"""Which fields a dispatcher is offered to correct held work, by kind of command. No database."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from situations import JOB, NOON, an_order

from server.db.feed_models import CommandRow
from server.inbox.edits import Field, body_of, form_of
from server.inbox.facing import Reader, facing
from shared.checklists import checklist_for
from shared.commands import (
    AnswerCheck,
    CloseWorkOrder,
    CorrectTime,
    FieldCommand,
    PauseWork,
    RecordCheck,
    SkipCheck,
)
from shared.situation import Situation
from shared.work_orders import PauseReason, SkipReason, TimePoint, WorkOrder, WorkOrderKind, checks_for
from sync.protocol import encode

KIND = WorkOrderKind.REPAIR


def the_order(**more: object) -> WorkOrder:
    return an_order(
        kind=KIND, required_equipment=(), required_checks=checks_for(KIND, 100),
        checklist=checklist_for(KIND, 100), **more,
    )  # fmt: skip


def held(command: FieldCommand) -> CommandRow:
    return CommandRow(type=command.type, body=encode(command).decode())


def fields(command: FieldCommand) -> dict[str, Field]:
    return {field.name: field for field in form_of(held(command), True, the_order(), ())}


class TestTheForm:
    def test_of_an_answer_lists_the_items_and_the_answers_of_its_own(self):
        form = fields(AnswerCheck(work_order_id=JOB, code="ont_lights", value="los_red"))
        assert [code for code, _ in form["code"].choices] == [
            "fault", "fault_photo", "connectors_cleaned", "ont_lights",
        ]  # fmt: skip
        assert (form["value"].value, form["value"].choices) == (
            "los_red",
            (("all_green", "All green"), ("pon_blinks", "PON blinks"), ("los_red", "LOS is red")),
        )

    def test_of_yes_or_no_has_these_two(self):
        form = fields(AnswerCheck(work_order_id=JOB, code="connectors_cleaned", value="maybe"))
        assert form["value"].choices == (("yes", "yes"), ("no", "no"))

    def test_of_a_number_lists_the_tests_with_their_units(self):
        form = fields(RecordCheck(work_order_id=JOB, code="optical_power", value=1))  # type: ignore[arg-type]
        assert form["code"].choices == (
            ("optical_power", "Optical receive power (dBm)"),
            ("download_speed", "Download speed (Mbit/s)"),
        )
        assert form["value"].kind == "number"

    @pytest.mark.parametrize(
        ("command", "reasons"),
        [
            (SkipCheck(work_order_id=JOB, code="fault", reason=SkipReason.UNSAFE), list(SkipReason)),
            (PauseWork(work_order_id=JOB, reason=PauseReason.BREAK), list(PauseReason)),
        ],
    )
    def test_of_a_reason_lists_those_of_its_kind(self, command: FieldCommand, reasons: list[str]):
        assert [code for code, _ in fields(command)["reason"].choices] == reasons

    def test_of_a_time_is_text_and_is_read_back(self):
        step = CorrectTime(
            work_order_id=JOB, point=TimePoint.ARRIVED, base=NOON, value=NOON, reason="Late tap"
        )
        assert fields(step)["value"].kind == "text"
        kind, body = body_of(held(step), {"value": "2026-11-16T10:05:00Z", "reason": "Late tap"})
        assert (kind, body["value"], body["base"]) == (
            "correct_time", "2026-11-16T10:05:00Z", "2026-11-16T10:00:00Z",
        )  # fmt: skip


class TestBothValues:
    def shown(self, command: FieldCommand, **order: object) -> list[tuple[str, str, str]]:
        now = Situation(
            order=the_order(**order),
            actor_id=JOB,
            van_id=None,
            van_name="",
            assets={},
            on_hand={},
            products={},
        )
        reader = Reader(people={}, called_off={}, zone=UTC, now=NOON)
        return [(one.what, one.theirs, one.ours) for one in facing(command, NOON, now, reader)[1:]]

    def test_of_a_close_say_only_what_its_app_could_ask(self):
        tests = "Record optical receive power (-27 to -8 dBm); Record download speed (at least 90 Mbit/s)"
        [(what, _, ours)] = self.shown(CloseWorkOrder(work_order_id=JOB))
        assert (what, ours) == ("Still missing", tests)
        [(_, _, more)] = self.shown(CloseWorkOrder(work_order_id=JOB, checklist_version=1))
        assert more.startswith("Answer “What was wrong”; ") and "Answer “Lights of the ONT”" in more

    def test_of_a_time_are_what_was_seen_and_what_counts(self):
        step = CorrectTime(
            work_order_id=JOB,
            point=TimePoint.ARRIVED,
            base=NOON,
            value=NOON + timedelta(minutes=5),
            reason="Late tap",
        )
        [(what, theirs, ours)] = self.shown(step, arrived_at=NOON)
        assert what == "Arrived"
        assert (theirs, ours) == ("10:05 (saw: 10:00): Late tap", "10:00")
        assert self.shown(step)[0][2] == "not recorded"
