"""Dispatch and the plan: the same rules, the same booking, one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from world import CABLE, MONDAY, ONT_A, ONT_B, Job, World, uid

from server import office
from server.db.feed_models import CommandRow, FeedRow
from server.stock.models import ReservationRow
from server.work_orders.models import WorkOrderRow
from shared.assets import AssetState
from shared.commands import AssignWorkOrder, CancelWorkOrder, UnassignWorkOrder
from shared.problems import AlreadyClosed, NotFound, Reassigned
from shared.work_orders import WorkOrderKind, WorkOrderState

DORA = "Dora of dispatch"


def assign(world: World, job: Job, **changes: Any) -> AssignWorkOrder:
    values: dict[str, Any] = {
        "work_order_id": job.id,
        "technician_id": world.ben.technician_id,
        "planned_start": MONDAY + timedelta(hours=3),
        "planned_end": MONDAY + timedelta(hours=5),
        "travel_minutes": 9,
        "route_position": 4,
    }
    return AssignWorkOrder(**values | changes)


def run(world: World, command: Any) -> None:
    office.run(world.database, world.settings, command, DORA)


def promised(world: World, job: Job) -> dict[tuple[object, str], int]:
    """(van, SKU) → units that are promised to the job now."""
    open_ = world.rows(
        ReservationRow, ReservationRow.work_order_id == job.id, ReservationRow.released_at.is_(None)
    )
    return {(row.place_id, row.sku): row.quantity for row in open_}


class TestAssigning:
    def test_moves_the_job_and_what_is_promised_to_it(self, world: World):
        job = world.order()
        assert promised(world, job) == {(world.ana.van_id, CABLE): 20}
        run(world, assign(world, job))
        order = world.work_order(job)
        assert (order.technician_id, order.route_position, order.travel_minutes) == (
            world.ben.technician_id,
            4,
            9,
        )
        assert order.planned_start == MONDAY + timedelta(hours=3)
        assert order.former_technician_ids == {world.ana.technician_id}
        assert promised(world, job) == {(world.ben.van_id, CABLE): 20, (world.ben.van_id, ONT_A): 1}

    def test_promises_the_model_that_the_van_has_most_of(self, world: World):
        with world.database.write() as session:
            for number in range(3):
                world.receive(session, world.ben.van_id, ONT_B, serial=f"MORE{number:04d}")
        job = world.order()
        run(world, assign(world, job))
        assert promised(world, job)[(world.ben.van_id, ONT_B)] == 1

    def test_twice_promises_once(self, world: World):
        job = world.order()
        run(world, assign(world, job))
        run(world, assign(world, job, route_position=5))
        assert promised(world, job) == {(world.ben.van_id, CABLE): 20, (world.ben.van_id, ONT_A): 1}

    def test_tells_the_board_and_both_technicians(self, world: World):
        job = world.order()
        run(world, assign(world, job))
        rows = world.rows(FeedRow, FeedRow.topic == "WorkOrderAssigned", FeedRow.kind == "work_order")
        assert {row.scope for row in rows} == {
            "board",
            f"tech:{world.ana.technician_id}",
            f"tech:{world.ben.technician_id}",
        }
        assert {row.actor for row in rows} == {DORA}

    def test_by_hand_to_somebody_else_forgets_why_the_plan_chose_the_first(self, world: World):
        job = world.order()
        with world.database.write() as session:
            session.get_one(WorkOrderRow, job.id).why = {"sentence": "Ana is near"}
        run(world, assign(world, job))
        assert world.row(WorkOrderRow).why == {}

    def test_keeps_who_did_it(self, world: World):
        job = world.order()
        run(world, assign(world, job))
        kept = world.row(CommandRow)
        assert (kept.actor, kept.type, kept.device_id, kept.outcome) == (
            DORA,
            "assign_work_order",
            None,
            "accepted",
        )

    def test_to_nobody_we_know_is_refused(self, world: World):
        job = world.order()
        before = world.contents()
        with pytest.raises(NotFound, match="There is no such technician"):
            run(world, assign(world, job, technician_id=uid("nobody")))
        assert world.contents() == before

    def test_a_job_we_do_not_know_is_refused(self, world: World):
        with pytest.raises(NotFound, match="There is no work order"):
            run(world, assign(world, world.order(), work_order_id=uid("no job")))

    def test_a_started_job_is_refused_and_nothing_moves(self, world: World):
        job = world.order()
        world.ana.send(*world.visit(job)[:2])
        before = world.contents()
        with pytest.raises(Reassigned):
            run(world, assign(world, job))
        assert world.contents() == before

    def test_a_whole_plan_is_booked_in_one_transaction_or_not_at_all(self, world: World):
        jobs = [world.order() for _ in range(5)]
        world.ana.send(*world.visit(jobs[4])[:1])
        before = world.contents()
        with pytest.raises(Reassigned), world.database.write() as session:
            plan = [assign(world, job) for job in jobs]
            office.apply(session, world.settings, plan, "the plan", MONDAY)
        assert world.contents() == before
        with world.database.write() as session:
            office.apply(session, world.settings, plan[:4], "the plan", MONDAY)
        assert [world.work_order(job).technician_id for job in jobs[:4]] == [world.ben.technician_id] * 4


class TestTakingBackAndCancelling:
    def test_taking_back_releases_the_stock(self, world: World):
        job = world.order()
        run(world, UnassignWorkOrder(work_order_id=job.id))
        assert promised(world, job) == {}
        assert world.work_order(job).state is WorkOrderState.UNASSIGNED

    def test_cancelling_releases_stock_and_devices(self, world: World):
        job = world.order()
        world.ana.send(*world.visit(job)[:3])
        assert world.asset("ANA0001").claimed_by == job.id
        run(world, CancelWorkOrder(work_order_id=job.id, reason="moved away"))
        assert promised(world, job) == {}
        assert world.asset("ANA0001").claimed_by is None
        assert world.work_order(job).state is WorkOrderState.CANCELLED

    def test_cancelling_a_visit_under_way_books_what_it_has_used_and_taken(self, world: World):
        job = world.order(WorkOrderKind.SWAP)
        world.ana.send(*world.visit(job, until_close=False))
        run(world, CancelWorkOrder(work_order_id=job.id, reason="moved away"))
        assert world.balance(world.ana.van_id, CABLE) == 182
        assert world.asset("ANA0001").claimed_by is None
        device = world.asset(job.on_site[0])
        assert (device.holder_id, device.state) == (world.ana.van_id, AssetState.RECOVERED)
        assert world.misplaced() == []
        assert set(world.stock_by_sku().values()) == {0}
        assert world.journal_total() == 0

    def test_cancelling_tells_the_phone_what_is_free_again(self, world: World):
        job = world.order()
        run(world, CancelWorkOrder(work_order_id=job.id, reason="moved away"))
        told = {(row.kind, row.key) for row in world.rows(FeedRow) if row.scope.startswith("tech:")}
        assert told == {
            ("work_order", str(job.id)),
            ("stock_line", CABLE),
            ("stock_line", ONT_A),
            ("stock_line", ONT_B),
            ("place_brief", str(job.location_id)),
        }

    def test_what_is_over_stays_over(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        world.ana.send(*world.visit(job))
        before = world.contents()
        for command in (
            CancelWorkOrder(work_order_id=job.id, reason="late"),
            UnassignWorkOrder(work_order_id=job.id),
            assign(world, job),
        ):
            with pytest.raises(AlreadyClosed):
                run(world, command)
        assert world.contents() == before
