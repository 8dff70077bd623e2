"""The table from command to rule, and what the office may do."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from situations import ANA, ANAS_VAN, BEN, HOME, JOB, NOON, a_device, a_situation

from shared import commands as cmd
from shared import events as ev
from shared import problems
from shared.decide import RULES, decide
from shared.situation import EVOLVERS
from shared.stock import StockMove
from shared.work_orders import PartLine, WorkOrderState

S = WorkOrderState


class TestTheTables:
    def test_every_command_has_exactly_one_rule(self):
        assert set(RULES) == set(get_args(cmd.OrderCommand))
        assert len(RULES) == 34

    def test_every_event_has_exactly_one_way_to_evolve_the_order(self):
        assert set(EVOLVERS) == set(get_args(ev.Event))
        assert len(EVOLVERS) == 33

    def test_every_command_is_known_by_its_own_tag(self):
        known = cmd.FIELD_COMMANDS | cmd.OFFICE_COMMANDS
        assert {tag: kind(**_some(kind)).type for tag, kind in known.items()} == {tag: tag for tag in known}
        assert len(known) == 42

    def test_every_problem_has_its_own_slug_and_a_title(self):
        leaves = problems.every_problem()
        assert len({leaf.slug for leaf in leaves}) == len(leaves)
        assert [leaf.__name__ for leaf in leaves if not (leaf.__doc__ or "").strip()] == []

    def test_a_problem_speaks_problem_json(self):
        refused = problems.MissingChecks("Record speed", field="speed", subject="WO-7")
        assert refused.as_json() == {
            "type": "https://truckroll.dev/problems/missing-checks",
            "title": "A required test was not recorded, so the visit cannot be billed.",
            "status": 422,
            "detail": "Record speed",
            "field": "speed",
            "subject": "WO-7",
        }


def _some(kind: type) -> dict[str, object]:
    return {name: None for name in kind.__dataclass_fields__ if name != "type"}


def assign(to: object = BEN, minutes: int = 90) -> cmd.AssignWorkOrder:
    return cmd.AssignWorkOrder(
        work_order_id=JOB,
        technician_id=to,  # type: ignore[arg-type]
        planned_start=NOON,
        planned_end=NOON + timedelta(minutes=minutes),
        travel_minutes=7,
        route_position=3,
    )


UNASSIGN = cmd.UnassignWorkOrder(work_order_id=JOB)
CANCEL = cmd.CancelWorkOrder(work_order_id=JOB, reason="moved away")


class TestAssigning:
    def test_an_unassigned_job_gives_it_a_place_in_the_route(self):
        decision = decide(assign(), a_situation(state=S.UNASSIGNED, technician_id=None), NOON)
        assert decision.events == (
            ev.WorkOrderAssigned(
                technician_id=BEN, planned_start=NOON, planned_end=NOON + timedelta(minutes=90),
                travel_minutes=7, route_position=3,
            ),
        )  # fmt: skip
        order = decision.after.order
        assert (order.state, order.technician_id, order.route_position) == (S.ASSIGNED, BEN, 3)
        assert order.former_technician_ids == frozenset()

    def test_to_somebody_else_remembers_who_had_it(self):
        order = decide(assign(), a_situation(state=S.ASSIGNED), NOON).after.order
        assert (order.technician_id, order.former_technician_ids) == (BEN, {ANA})

    def test_within_the_route_of_the_same_technician_leaves_a_started_job_started(self):
        order = decide(assign(ANA), a_situation(state=S.TRAVELLING), NOON).after.order
        assert (order.state, order.route_position, order.former_technician_ids) == (
            S.TRAVELLING,
            3,
            frozenset(),
        )

    @pytest.mark.parametrize("state", [S.TRAVELLING, S.ON_SITE])
    def test_a_started_job_to_somebody_else_is_refused(self, state: WorkOrderState):
        with pytest.raises(problems.Reassigned, match="WO-7 is under way: ask its technician"):
            decide(assign(), a_situation(state=state), NOON)

    @pytest.mark.parametrize("state", [S.COMPLETED, S.UNFINISHED, S.CANCELLED])
    def test_a_job_that_is_over_is_refused(self, state: WorkOrderState):
        with pytest.raises(problems.AlreadyClosed, match=f"WO-7 is {state}: nobody can be sent"):
            decide(assign(), a_situation(state=state), NOON)

    def test_a_visit_without_length_is_refused(self):
        with pytest.raises(problems.BadValue, match="must end after it starts") as caught:
            decide(assign(minutes=0), a_situation(state=S.ASSIGNED), NOON)
        assert caught.value.field == "planned_end"


class TestTakingAJobBack:
    def test_empties_its_place_in_the_route(self):
        order = decide(UNASSIGN, a_situation(state=S.ASSIGNED), NOON).after.order
        assert (order.state, order.technician_id, order.planned_start, order.planned_end) == (
            S.UNASSIGNED,
            None,
            None,
            None,
        )
        assert (order.travel_minutes, order.route_position) == (0, None)
        assert order.former_technician_ids == {ANA}

    @pytest.mark.parametrize("state", [S.TRAVELLING, S.ON_SITE, S.COMPLETED, S.UNFINISHED, S.CANCELLED])
    def test_is_refused_once_it_was_started(self, state: WorkOrderState):
        with pytest.raises(problems.AlreadyClosed, match="WO-7 has been started"):
            decide(UNASSIGN, a_situation(state=state), NOON)


class TestCancelling:
    @pytest.mark.parametrize("state", [S.UNASSIGNED, S.ASSIGNED, S.TRAVELLING, S.ON_SITE])
    def test_ends_a_job_and_frees_what_was_fitted_on_it(self, state: WorkOrderState):
        now = a_situation(a_device(claimed_by=JOB), state=state)
        decision = decide(CANCEL, now, NOON)
        assert decision.events == (ev.WorkOrderCancelled(at=NOON, reason="moved away"),)
        assert (decision.after.order.state, decision.after.order.finished_at) == (S.CANCELLED, NOON)
        assert decision.after.assets["ANA0001"] == a_device()

    def test_keeps_what_a_visit_under_way_has_used(self):
        now = a_situation(parts=(PartLine(sku="CABLE", quantity=18),))
        [cancelled] = decide(CANCEL, now, NOON).events
        assert cancelled == ev.WorkOrderCancelled(
            at=NOON,
            reason="moved away",
            moves=(StockMove(sku="CABLE", quantity=18, source_id=ANAS_VAN, target_id=HOME),),
        )

    @pytest.mark.parametrize("state", [S.COMPLETED, S.UNFINISHED, S.CANCELLED])
    def test_is_refused_once_it_is_over(self, state: WorkOrderState):
        with pytest.raises(problems.AlreadyClosed, match=f"WO-7 is {state}"):
            decide(CANCEL, a_situation(state=state), NOON)
