"""The four offline conflicts that Oracle Field Service documents, each with what is expected here.

There the change that was made offline may be discarded with a message. Here nothing is discarded.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from world import CABLE, MONDAY, ONT_A, Job, Phone, World

from server import office
from server.billing.models import InvoiceRow
from server.db.feed_models import CommandRow
from server.stock.models import StockMoveRow
from shared.assets import AssetState
from shared.commands import (
    AssignWorkOrder,
    CancelWorkOrder,
    DeleteWorkOrder,
    InstallAsset,
    OfficeCommand,
    StartTravel,
)
from shared.work_orders import WorkOrderState
from sync.protocol import Receipt

DISPATCH = "Dora of dispatch"


def run(world: World, command: OfficeCommand) -> None:
    office.run(world.database, world.settings, command, DISPATCH)


def give(world: World, job: Job, to: Phone) -> None:
    begin = MONDAY + timedelta(hours=3)
    run(
        world,
        AssignWorkOrder(
            work_order_id=job.id,
            technician_id=to.technician_id,
            planned_start=begin,
            planned_end=begin + timedelta(hours=2),
        ),
    )


def answers(receipts: list[Receipt]) -> set[tuple[str, str | None]]:
    return {(receipt.outcome, receipt.slug) for receipt in receipts}


def remarks(receipts: list[Receipt]) -> set[str]:
    return {remark.slug for receipt in receipts for remark in receipt.remarks}


def held_for(world: World, job: Job) -> list[str]:
    rows = world.rows(CommandRow, CommandRow.outcome == "held", CommandRow.work_order_id == job.id)
    return [row.type for row in sorted(rows, key=lambda row: row.seq)]


class TestTheActivityWasMovedToAnotherResource:
    def test_who_has_not_started_it(self, world: World):
        """Expected: accepted. The job goes back to who did it, is billed once, and Ben's phone drops it."""
        job = world.order()
        give(world, job, world.ben)
        receipts = world.ana.send(*world.visit(job))
        assert (answers(receipts), remarks(receipts)) == ({("accepted", None)}, {"reassigned"})
        order = world.work_order(job)
        assert (order.state, order.technician_id) == (WorkOrderState.COMPLETED, world.ana.technician_id)
        assert len(world.rows(InvoiceRow)) == 1

    def test_who_has_started_it(self, world: World):
        """Expected: held whole, nothing booked, Ben goes on; his close completes and bills the job."""
        job = world.order()
        give(world, job, world.ben)
        world.ben.send(StartTravel(work_order_id=job.id))
        steps = world.visit(job)
        assert answers(world.ana.send(*steps)) == {("held", "reassigned")}
        assert held_for(world, job) == [step.type for step in steps]
        assert world.rows(InvoiceRow) == []
        receipts = world.ben.send(*world.visit(job, fit=world.ben.ont)[1:])
        assert answers(receipts) == {("accepted", None)}
        order = world.work_order(job)
        assert (order.state, order.technician_id) == (WorkOrderState.COMPLETED, world.ben.technician_id)
        assert len(world.rows(InvoiceRow)) == 1


class TestTheActivityIsNoLongerPending:
    def test_it_was_cancelled(self, world: World):
        """Expected: held whole; nothing billed or moved until a dispatcher decides."""
        job = world.order()
        run(world, CancelWorkOrder(work_order_id=job.id, reason="moved away"))
        steps = world.visit(job)
        assert answers(world.ana.send(*steps)) == {("held", "work-order-cancelled")}
        assert held_for(world, job) == [step.type for step in steps]
        assert (world.rows(InvoiceRow), world.balance(world.ana.van_id, CABLE)) == ([], 200)

    def test_it_was_deleted(self, world: World):
        """Expected: held whole under the tombstone's number; nothing billed or moved."""
        job = world.order()
        run(world, DeleteWorkOrder(work_order_id=job.id, reason="entered twice"))
        steps = world.visit(job)
        receipts = world.ana.send(*steps)
        assert answers(receipts) == {("held", "work-order-deleted")}
        assert receipts[0].detail == (
            "The office deleted WO-0001. Your work is kept; dispatch decides what happens with it"
        )
        assert held_for(world, job) == [step.type for step in steps]
        assert (world.rows(InvoiceRow), world.balance(world.ana.van_id, CABLE)) == ([], 200)
        assert world.work_order(job).technician_id is None


class TestTheActivityWasCompletedBySomebodyElse:
    def test_its_second_report_is_kept_beside_the_first(self, world: World):
        """Expected: accepted as a report. Both used parts, both devices hang there, it is paid once."""
        job = world.order()
        give(world, job, world.ben)
        world.ben.send(*world.visit(job, fit=world.ben.ont, cable=20))
        billed = world.row(InvoiceRow)
        receipts = world.ana.send(*world.visit(job, cable=18))
        assert answers(receipts) == {("accepted", None)}
        assert remarks(receipts) == {"second-report"}
        order = world.work_order(job)
        assert (order.state, order.technician_id) == (WorkOrderState.COMPLETED, world.ben.technician_id)
        assert [device.serial for device in order.fitted] == [world.ben.ont]
        [report] = order.reports
        assert report.technician_id == world.ana.technician_id
        assert [device.serial for device in report.fitted] == [world.ana.ont]
        assert report.steps[-1].step == "close_work_order"
        again = world.row(InvoiceRow)
        assert (again.id, again.net_minor) == (billed.id, billed.net_minor)
        assert (world.balance(world.ben.van_id, CABLE), world.balance(world.ana.van_id, CABLE)) == (180, 182)
        assert {world.asset(serial).state for serial in (world.ana.ont, world.ben.ont)} == {
            AssetState.INSTALLED
        }
        assert world.misplaced() == []
        assert set(world.stock_by_sku().values()) == {0}
        assert world.journal_total() == 0


class TestTheInventoryIsNoLongerAvailable:
    def test_somebody_else_has_installed_that_device(self, world: World):
        """Expected: one place per serial. The first has it, the second scan is held with its close."""
        with world.database.write() as session:
            world.receive(session, world.depot_id, ONT_A, serial="SHARED01")
        first, second = world.order(), world.order(phone=world.ben)

        def visit(job: Job) -> list[object]:
            return [
                replace(step, confirmed=True) if isinstance(step, InstallAsset) else step
                for step in world.visit(job, fit="SHARED01")
            ]

        assert answers(world.ana.send(*visit(first))) == {("accepted", None)}  # type: ignore[arg-type]
        world.ben.send(*visit(second))  # type: ignore[arg-type]
        assert held_for(world, second) == ["install_asset", "close_work_order"]
        assert world.asset("SHARED01").holder_id == first.location_id
        assert len(world.rows(StockMoveRow, StockMoveRow.serial == "SHARED01")) == 2

    def test_the_van_has_too_little_of_it(self, world: World):
        """Expected: accepted. It was used, so it is booked; the balance is negative and somebody counts."""
        job = world.order()
        receipts = world.ana.send(*world.visit(job, cable=230))
        assert (answers(receipts), remarks(receipts)) == ({("accepted", None)}, {"stock-below-zero"})
        assert world.balance(world.ana.van_id, CABLE) == -30
