"""Another visit that a technician asks for on site."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from situations import ANA, BEN, CEM, JOB, NOON, a_situation

from shared import commands as cmd
from shared.decide import decide, decide_as_report
from shared.found_rules import kinds_to_ask
from shared.problems import BadValue, NotYourJob, WorkOrderDeleted
from shared.remarks import Remark
from shared.skills import SkillNeed
from shared.work_orders import AskedVisit, PartLine, WorkOrderKind, WorkOrderState

K, S = WorkOrderKind, WorkOrderState
NEW, NEWER = UUID(int=71), UUID(int=72)
SPLICE = SkillNeed("splice", 3)
CABLE = (PartLine(sku="CABLE", quantity=30),)


def ask(**changes: Any) -> cmd.AskForVisit:
    values: dict[str, Any] = {
        "work_order_id": JOB,
        "new_order_id": NEW,
        "kind": K.REPAIR,
        "summary": "  Socket in the cellar is loose ",
        "expected_minutes": 30,
    }
    return cmd.AskForVisit(**values | changes)


class TestAskingForAVisit:
    def test_is_kept_on_the_job_and_changes_nothing_else_of_it(self):
        now = a_situation(required_skills=(SPLICE,))

        decision = decide(ask(parts=CABLE, skill="splice", follow_up=True), now, NOON)

        asked = AskedVisit(
            order_id=NEW,
            number="WO-7-2",
            kind=K.REPAIR,
            summary="Socket in the cellar is loose",
            expected_minutes=30,
            by=ANA,
            at=NOON,
            parts=CABLE,
            skill=SPLICE,
            follow_up=True,
        )
        assert decision.remarks == ()
        assert decision.after.order == replace(now.order, asked_for=(asked,), version=now.order.version + 1)

    @pytest.mark.parametrize("state", S)
    def test_is_welcome_whatever_became_of_the_job(self, state: S):
        decision = decide(ask(), a_situation(state=state), NOON)

        assert (decision.after.order.state, decision.remarks) == (state, ())
        assert [asked.number for asked in decision.after.order.asked_for] == ["WO-7-2"]

    def test_by_a_former_technician_does_not_take_the_job_over(self):
        now = a_situation(technician_id=BEN, former_technician_ids=frozenset({ANA}), state=S.ASSIGNED)

        after = decide(ask(), now, NOON).after.order

        assert (after.technician_id, after.asked_for[0].by) == (BEN, ANA)

    def test_twice_with_one_id_asks_for_one(self):
        once = decide(ask(), a_situation(), NOON).after

        again = decide(ask(summary="Other words"), once, NOON)

        assert again.after.order.asked_for == once.order.asked_for
        assert again.remarks == (
            Remark("repeated-step", "WO-7: that step was taken already, the first time counts"),
        )

    def test_and_splitting_never_give_one_number_twice(self):
        split = cmd.SplitWorkOrder(
            work_order_id=JOB, new_order_id=NEWER, summary="ONT", expected_minutes=20, equipment=("ONT",)
        )
        first = decide(split, a_situation(state=S.ASSIGNED), NOON).after
        second = decide(ask(), first, NOON).after
        third = decide(ask(new_order_id=UUID(int=73)), second, NOON).after

        assert [off.number for off in third.order.split_off] == ["WO-7-2"]
        assert [asked.number for asked in third.order.asked_for] == ["WO-7-3", "WO-7-4"]

    def test_stands_beside_what_was_done_when_it_is_kept_as_a_report(self):
        decision = decide_as_report(ask(), a_situation(state=S.COMPLETED), NOON)

        assert [asked.order_id for asked in decision.after.order.asked_for] == [NEW]

    @pytest.mark.parametrize(
        ("change", "field", "detail"),
        [
            ({"summary": " \x00 "}, "summary", "Say what is to be done there"),
            ({"summary": "x" * 201}, "summary", "What is to be done holds 200 characters, this has 201"),
            ({"expected_minutes": 4}, "expected_minutes", "A visit takes 5 to 480 minutes"),
            ({"expected_minutes": 481}, "expected_minutes", "A visit takes 5 to 480 minutes"),
            ({"kind": K.DISCONNECT}, "kind", "Another visit for WO-7 is a repair or a swap"),
            ({"skill": "splice"}, "skill", "WO-7 does not ask for the skill splice"),
            (
                {"parts": (PartLine(sku="NONE", quantity=1),)},
                "parts",
                "There is no part NONE in the catalogue",
            ),
            (
                {"parts": (PartLine(sku="ROUTER", quantity=1),)},
                "parts",
                "There is no part ROUTER in the catalogue",
            ),
            ({"parts": (PartLine(sku="CABLE", quantity=0),)}, "parts", "The quantity must be 1 to 10,000"),
        ],
    )
    def test_is_refused_where_nobody_could_carry_it_out(
        self, change: dict[str, Any], field: str, detail: str
    ):
        with pytest.raises(BadValue) as refused:
            decide(ask(**change), a_situation(), NOON)
        assert (refused.value.field, refused.value.detail) == (field, detail)

    def test_is_for_who_has_or_had_the_job(self):
        with pytest.raises(NotYourJob):
            decide(ask(), a_situation(actor=CEM), NOON)
        with pytest.raises(WorkOrderDeleted):
            decide(ask(), a_situation(deleted_at=NOON), NOON)


class TestTheKinds:
    def test_the_service_is_begun_by_one_visit_only(self):
        order = a_situation(state=S.UNFINISHED).order

        assert kinds_to_ask(order, follow_up=True) == (K.INSTALL, K.REPAIR, K.SWAP)
        assert kinds_to_ask(order, follow_up=False) == (K.REPAIR, K.SWAP)
        for state in set(S) - {S.UNFINISHED}:
            assert kinds_to_ask(replace(order, state=state), follow_up=True) == (K.REPAIR, K.SWAP)
        goes_on = decide(
            ask(kind=K.INSTALL, follow_up=True), a_situation(state=S.UNFINISHED), NOON
        ).after.order
        assert kinds_to_ask(goes_on, follow_up=True) == (K.REPAIR, K.SWAP)

    def test_a_repair_goes_on_as_a_repair(self):
        order = a_situation(state=S.UNFINISHED, kind=K.REPAIR).order

        assert kinds_to_ask(order, follow_up=True) == (K.REPAIR, K.SWAP)
