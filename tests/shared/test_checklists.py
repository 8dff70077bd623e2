"""Checklists: the templates, which of their items count, what they lack, and answering and leaving out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from checklist_answers import next_answer, numbers_open, photos_open
from situations import ANA, BEN, JOB, NOON, a_situation

from shared import commands as cmd
from shared import events as ev
from shared.checklists import (
    TEMPLATES,
    applying,
    asked,
    checklist_for,
    item_of,
    missing_checks,
    standing,
)
from shared.decide import decide
from shared.problems import BadValue, MissingChecks, NotStarted, Problem
from shared.situation import Situation
from shared.visit_rules import missing_for_close
from shared.work_orders import (
    Answer,
    CheckResult,
    Choice,
    EvidenceKind,
    EvidenceRef,
    ItemKind,
    SkipReason,
    SplitOff,
    WorkOrderKind,
    WorkOrderState,
    checks_for,
)
from sync.protocol import encode

K = WorkOrderKind
LATER = NOON + timedelta(minutes=5)
PINNED = {
    K.INSTALL: (1, "05110e04"),
    K.UPGRADE: (1, "4af90d2e"),
    K.REPAIR: (1, "fe15a755"),
    K.SWAP: (1, "ef3879b3"),
    K.DISCONNECT: (1, "576d16ed"),
}
"""Kind → version and the beginning of the hash of its items: neither changes without the other."""


def at_work(kind: WorkOrderKind = K.INSTALL, **more: Any) -> Situation:
    """Ana on site at a job that asks for nothing but its tests and its checklist."""
    asks = {
        "kind": kind,
        "required_equipment": (),
        "required_checks": checks_for(kind, 100),
        "checklist": checklist_for(kind, 100),
    }
    return a_situation(**asks | more)


def answer(code: str, value: str) -> cmd.AnswerCheck:
    return cmd.AnswerCheck(work_order_id=JOB, code=code, value=value)


def skip(code: str, reason: SkipReason = SkipReason.NO_TOOL, text: str = "") -> cmd.SkipCheck:
    return cmd.SkipCheck(work_order_id=JOB, code=code, reason=reason, text=text)


def measure(code: str, value: str) -> cmd.RecordCheck:
    return cmd.RecordCheck(work_order_id=JOB, code=code, value=Decimal(value))


def photo(check: str | None) -> cmd.AddEvidence:
    return cmd.AddEvidence(
        work_order_id=JOB, kind=EvidenceKind.PHOTO, digest="a1" * 32, size_bytes=9, media_type="image/jpeg",
        taken_at=NOON, check=check,
    )  # fmt: skip


def after(now: Situation, *steps: cmd.Command) -> Situation:
    """One step a minute."""
    for step in steps:
        now = decide(step, now, NOON + timedelta(minutes=now.order.version)).after
    return now


def lacks(now: Situation) -> list[tuple[str | None, str]]:
    return [(problem.field, problem.detail) for problem in missing_checks(now.order)]


def refusal(step: cmd.Command, now: Situation) -> Problem:
    with pytest.raises(Problem) as caught:
        decide(step, now, NOON)
    return caught.value


class TestTheTemplates:
    @pytest.mark.parametrize("kind", K)
    def test_get_a_new_version_when_they_change(self, kind: WorkOrderKind):
        template = TEMPLATES[kind]
        hashed = sha256(encode(template.items)).hexdigest()[:8]
        assert (template.version, hashed) == PINNED[kind]

    @pytest.mark.parametrize("kind", K)
    def test_have_the_tests_of_their_kind_with_the_limits_of_the_plan(self, kind: WorkOrderKind):
        numbers = {item.code: item for item in checklist_for(kind, 100).items if item.kind is ItemKind.NUMBER}
        for spec in checks_for(kind, 100):
            assert numbers[spec.code].spec == spec
            assert not numbers[spec.code].skippable
        assert all(item.low is not None or item.high is not None for item in numbers.values())
        assert all(item.unit for item in numbers.values())

    @pytest.mark.parametrize("kind", K)
    def test_are_whole(self, kind: WorkOrderKind):
        items = checklist_for(kind, 100).items
        codes = [item.code for item in items]
        assert 4 <= len(items) <= 9 and len(set(codes)) == len(codes)
        for place, item in enumerate(items):
            assert bool(item.choices) == (item.kind is ItemKind.CHOICE)
            answers = {choice.code for choice in item.choices} or {"yes", "no"}
            assert set(item.good) <= answers
            if item.only_if:
                assert item.only_if.code in codes[:place], "a condition looks back, never ahead"

    @pytest.mark.parametrize("kind", K)
    def test_can_be_answered_to_the_end(self, kind: WorkOrderKind):
        now = at_work(kind)
        while step := next_answer(now.order):
            now = decide(step, now, NOON).after
        for item in numbers_open(now.order):
            value = "-19" if item.code == "optical_power" else "900"
            now = decide(measure(item.code, value), now, NOON).after
        for item in photos_open(now.order):
            now = decide(photo(item.code), now, NOON).after
        assert missing_for_close(now.order) == ()
        close = cmd.CloseWorkOrder(work_order_id=JOB, checklist_version=1)
        decision = decide(close, now, LATER)
        assert (decision.after.order.state, decision.remarks) == (WorkOrderState.COMPLETED, ())

    def test_leave_an_order_with_the_items_it_was_made_with(self, monkeypatch: pytest.MonkeyPatch):
        order = at_work(K.UPGRADE).order
        newer = replace(TEMPLATES[K.UPGRADE], version=2, items=TEMPLATES[K.UPGRADE].items[:1])
        monkeypatch.setattr("shared.checklists.TEMPLATES", {**TEMPLATES, K.UPGRADE: newer})
        assert [item.code for item in asked(order)] == [
            "ont_lights", "optical_power", "download_speed", "wifi_speed", "wifi_why", "customer_shown",
        ]  # fmt: skip
        assert checklist_for(K.UPGRADE, 100).version == 2


class TestWhatIsAsked:
    def test_of_an_order_without_a_checklist_are_its_tests(self):
        order = a_situation().order
        assert [item.spec for item in asked(order)] == list(checks_for(K.INSTALL, 100))

    def test_is_no_test_that_went_to_another_order(self):
        order = at_work(K.UPGRADE).order
        power, speed = order.required_checks
        off = SplitOff(order_id=JOB, number="WO-7-2", checks=(speed,))
        left = replace(order, required_checks=(power,), split_off=(off,))
        assert "download_speed" not in [item.code for item in asked(left)]
        assert "optical_power" in [item.code for item in asked(left)]

    def test_depends_on_earlier_answers(self):
        now = at_work()
        assert "cable_entry" not in codes(now)
        dug = after(now, answer("drop_route", "duct"))
        assert "cable_entry" in codes(dug)
        assert "cable_entry" not in codes(after(dug, answer("drop_route", "existing")))

    def test_depends_on_a_value_out_of_its_range(self):
        now = at_work()
        assert "wifi_why" not in codes(after(now, measure("wifi_speed", "50")))
        assert "wifi_why" in codes(after(now, measure("wifi_speed", "49.9")))

    def test_does_not_depend_on_what_was_left_out(self):
        now = after(at_work(), measure("wifi_speed", "3"), skip("wifi_speed"))
        assert "wifi_why" not in codes(now)

    def test_keeps_an_answer_that_no_longer_applies_and_does_not_count_it(self):
        now = after(
            at_work(), answer("drop_route", "duct"), answer("cable_entry", "Cellar"),
            answer("drop_route", "existing"),
        )  # fmt: skip
        assert [one.code for one in now.order.answers] == ["drop_route", "cable_entry", "drop_route"]
        assert "cable_entry" not in [field for field, _ in lacks(now)]
        again = after(now, answer("drop_route", "facade"))
        assert [detail for field, detail in lacks(again) if field == "cable_entry"] == [
            "Take the photo “Where the cable enters the house”"
        ], "the first answer counts again"

    def test_does_not_depend_on_an_item_that_does_not_apply_itself(self):
        order = at_work().order
        assert order.checklist is not None
        entry = item_of(order, "cable_entry")
        assert entry is not None
        third = replace(
            entry, code="third", only_if=replace(entry.only_if, code="cable_entry", answers=("x",))
        )  # type: ignore[type-var]
        items = (*order.checklist.items, third)
        now = at_work(checklist=replace(order.checklist, items=items))
        open_ = after(now, answer("drop_route", "duct"), answer("cable_entry", "x"))
        assert "third" in codes(open_)
        assert "third" not in codes(after(open_, answer("drop_route", "existing")))


def codes(now: Situation) -> list[str]:
    return [item.code for item in applying(now.order)]


class TestWhatIsMissing:
    def test_is_said_item_by_item_in_the_order_of_the_work(self):
        assert lacks(at_work(K.REPAIR)) == [
            ("fault", "Answer “What was wrong”"),
            ("connectors_cleaned", "Answer “Connectors cleaned and inspected”"),
            ("optical_power", "Record optical receive power (-27 to -8 dBm)"),
            ("download_speed", "Record download speed (at least 90 Mbit/s)"),
            ("ont_lights", "Answer “Lights of the ONT”"),
        ]

    def test_is_also_what_an_answer_makes_necessary_and_what_will_not_do(self):
        now = after(
            at_work(K.REPAIR),
            answer("fault", "cable"),
            answer("connectors_cleaned", "no"),
            measure("optical_power", "-27.5"),
            measure("download_speed", "90"),
            answer("ont_lights", "los_red"),
        )
        assert lacks(now) == [
            ("fault_photo", "Take the photo “The damage before the repair”"),
            (
                "connectors_cleaned",
                "“Connectors cleaned and inspected” is answered with no: "
                "mend it, or leave it out with a reason",
            ),
            (
                "optical_power",
                "Optical receive power -27.5 dBm is outside -27 to -8 dBm: mend it, measure again",
            ),
            (
                "ont_lights",
                "“Lights of the ONT” is answered with LOS is red: mend it, or leave it out with a reason",
            ),
        ]

    def test_is_both_the_answer_and_its_photo(self):
        now = after(at_work(), answer("drop_route", "aerial"))
        assert [detail for field, detail in lacks(now) if field == "cable_entry"] == [
            "Answer “Where the cable enters the house”",
            "Take the photo “Where the cable enters the house”",
        ]

    def test_is_no_value_that_is_only_to_be_known(self):
        now = after(at_work(K.UPGRADE), measure("wifi_speed", "3"), answer("wifi_why", "walls"))
        assert not {"wifi_speed", "wifi_why"} & {field for field, _ in lacks(now)}

    def test_is_nothing_that_was_left_out_until_it_is_answered_badly(self):
        out = after(at_work(K.REPAIR), skip("ont_lights"))
        assert "ont_lights" not in [field for field, _ in lacks(out)]
        assert "ont_lights" in [field for field, _ in lacks(after(out, answer("ont_lights", "los_red")))]

    def test_is_what_was_said_last_by_the_time_it_was_done(self):
        now = at_work(K.REPAIR)
        late = decide(answer("ont_lights", "all_green"), now, LATER).after
        early = decide(answer("ont_lights", "los_red"), late, NOON).after
        found = standing(early.order, "ont_lights")
        assert isinstance(found, Answer) and found.value == "all_green"
        assert [one.value for one in early.order.answers] == ["all_green", "los_red"]

    def test_blocks_the_close_and_moves_nothing(self):
        now = at_work(K.DISCONNECT)
        close = cmd.CloseWorkOrder(work_order_id=JOB, checklist_version=1)
        problem = refusal(close, now)
        assert (type(problem), problem.field) == (MissingChecks, "line_closed")
        assert problem.detail == (
            "Answer “Line closed at the outlet”; Answer “Power supply and cables collected too”; "
            "Take the photo “The place as you leave it”"
        )

    def test_of_an_app_without_checklists_is_only_what_it_can_ask(self):
        close = cmd.CloseWorkOrder(work_order_id=JOB)
        assert refusal(close, at_work(K.REPAIR)).detail == (
            "Record optical receive power (-27 to -8 dBm); Record download speed (at least 90 Mbit/s)"
        )
        done = after(at_work(K.REPAIR), measure("optical_power", "-19"), measure("download_speed", "95"))
        decision = decide(close, done, LATER)
        assert decision.after.order.state is WorkOrderState.COMPLETED
        assert [remark.slug for remark in decision.remarks] == ["checklist-not-shown"]

    def test_photo_of_an_item_is_none_of_the_finished_work(self):
        now = at_work(K.DISCONNECT, photos_required=1)
        one = after(now, photo("place_photo"))
        assert [problem.field for problem in missing_for_close(one.order)][-1] == "photo"
        assert "photo" not in [problem.field for problem in missing_for_close(after(one, photo(None)).order)]


class TestAnswering:
    def test_is_recorded_with_who_and_when(self):
        decision = decide(answer("ont_lights", "los_red"), at_work(K.REPAIR), NOON)
        said = Answer(code="ont_lights", value="los_red", passed=False, at=NOON, by=ANA)
        assert decision.events == (ev.CheckAnswered(answer=said),)
        assert decision.after.order.answers == (said,)
        assert decision.after.order.version == 6

    def test_of_what_somebody_else_answered_is_remarked_and_keeps_both(self):
        first = Answer(code="fault", value="splice", passed=True, at=NOON, by=BEN)
        decision = decide(answer("fault", "cable"), at_work(K.REPAIR, answers=(first,)), LATER)
        assert [remark.slug for remark in decision.remarks] == ["check-recorded-twice"]
        assert [one.value for one in decision.after.order.answers] == ["splice", "cable"]

    @pytest.mark.parametrize(
        ("code", "value", "field", "words"),
        [
            ("smell", "yes", "code", "This job does not ask for smell (asked: optical_power,"),
            ("optical_power", "-19", "value", "Optical receive power needs a number in dBm"),
            ("fault_photo", "yes", "value", "Take the photo “The damage before the repair”"),
            ("connectors_cleaned", "maybe", "value", "“Connectors cleaned and inspected” is answered with"),
            ("fault", "gremlins", "value", "“What was wrong” has these answers: Connector dirty or"),
        ],
    )  # fmt: skip
    def test_with_what_cannot_be_meant_is_refused(self, code: str, value: str, field: str, words: str):
        problem = refusal(answer(code, value), at_work(K.REPAIR))
        assert (type(problem), problem.field) == (BadValue, field)
        assert problem.detail.startswith(words)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (" \x00 ", "“What is missing” needs some words"),
            ("x" * 201, "“What is missing” holds 200 characters, this has 201"),
        ],
    )
    def test_a_text_has_some_words_and_not_too_many(self, text: str, words: str):
        assert refusal(answer("left_behind", text), at_work(K.DISCONNECT)).detail == words

    @pytest.mark.parametrize("step", [answer("fault", "cable"), skip("fault")])
    def test_is_for_who_is_there(self, step: cmd.Command):
        assert type(refusal(step, at_work(K.REPAIR, state=WorkOrderState.TRAVELLING))) is NotStarted

    @pytest.mark.parametrize("step", [answer("fault", "cable"), skip("fault", text="In a hurry")])
    def test_on_a_job_that_is_done_is_a_second_report(self, step: cmd.AnswerCheck | cmd.SkipCheck):
        decision = decide(step, at_work(K.REPAIR, state=WorkOrderState.COMPLETED), NOON)
        order = decision.after.order
        assert order.answers == ()
        assert [(one.code, one.by) for one in order.reports[0].answers] == [("fault", ANA)]
        assert [remark.slug for remark in decision.remarks] == ["second-report"]

    def test_a_number_of_the_checklist_is_a_test(self):
        decision = decide(measure("wifi_speed", "49.9"), at_work(K.UPGRADE), NOON)
        result = CheckResult(
            code="wifi_speed", value=Decimal("49.9"), unit="Mbit/s", passed=False, at=NOON, by=ANA
        )
        assert decision.events == (ev.CheckRecorded(result=result),)


class TestLeavingOut:
    def test_is_recorded_with_its_reason(self):
        decision = decide(
            skip("customer_shown", SkipReason.OTHER, " Only the child was there "), at_work(), NOON
        )
        said = Answer(
            code="customer_shown",
            value="Only the child was there",
            passed=False,
            at=NOON,
            by=ANA,
            skipped=SkipReason.OTHER,
        )
        assert decision.events == (ev.CheckSkipped(answer=said),)
        assert "customer_shown" not in [field for field, _ in lacks(decision.after)]

    def test_for_another_reason_needs_words(self):
        problem = refusal(skip("customer_shown", SkipReason.OTHER), at_work())
        assert (problem.field, problem.detail) == ("text", "“Customer shown how it works” needs some words")

    @pytest.mark.parametrize("code", ["optical_power", "download_speed"])
    def test_is_not_for_what_the_service_rests_on(self, code: str):
        problem = refusal(skip(code), at_work())
        assert problem.field == "code"
        assert problem.detail.endswith("can't be left out: the job can't be closed without it")


class TestAPhotoOfAnItem:
    def test_is_kept_with_its_item(self):
        order = after(at_work(), photo("label_photo")).order
        assert [one.check for one in order.evidence] == ["label_photo"]
        assert "label_photo" not in [problem.field for problem in missing_checks(order)]

    def test_belongs_to_one_that_is_asked(self):
        problem = refusal(photo("smell"), at_work())
        assert (type(problem), problem.field) == (BadValue, "code")

    def test_of_an_older_version_belongs_to_none(self):
        seen = EvidenceRef(
            kind=EvidenceKind.PHOTO, digest="a1" * 32, size_bytes=9, media_type="image/jpeg", taken_at=NOON
        )
        assert seen.check is None


def test_a_choice_is_found_by_its_code():
    item = item_of(at_work(K.REPAIR).order, "fault")
    assert item is not None
    assert item.choices[1] == Choice(code="splice", label="Splice")
