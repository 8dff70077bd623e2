"""A swap is booked whole or not at all: device places, the ledger, and what a dispatcher mends."""

from __future__ import annotations

import pytest
from world import ONT_A, Job, World

from server.db.feed_models import CommandRow
from server.inbox import acts
from server.inbox.edits import body_of, form_of
from server.inbox.facing import Facing, Reader, facing
from server.inbox.forecast import outlook
from server.stock.models import StockMoveRow
from shared.assets import AssetState
from shared.commands import FieldCommand, InstallAsset, RemoveAsset, SwapAsset, UndoSwap
from shared.work_orders import RemovalCause, WorkOrderKind, WorkOrderState

DORA = "Dora of dispatch"


@pytest.fixture
def job(world: World) -> Job:
    return world.order(WorkOrderKind.SWAP)


def swap(job: Job, serial: str = "ANA0001", **more: object) -> SwapAsset:
    said: dict[str, object] = {"cause": RemovalCause.NO_POWER, "reason": "dead after the storm"}
    return SwapAsset(
        work_order_id=job.id, old_serial=job.on_site[0], serial=serial, source="camera", **said | more
    )  # type: ignore[arg-type]


def visit(world: World, job: Job, *instead: FieldCommand) -> list[FieldCommand]:
    """A whole visit with `instead` where a device comes off and another goes up."""
    travel, arrive, *rest = world.visit(job)
    others = [step for step in rest if not isinstance(step, RemoveAsset | InstallAsset)]
    return [travel, arrive, *instead, *others]


def moved(world: World, serial: str) -> list[tuple[object, object]]:
    """Each move of a device since it was received."""
    rows = world.rows(StockMoveRow, StockMoveRow.serial == serial, StockMoveRow.work_order_id.is_not(None))
    return [(row.source_id, row.target_id) for row in rows]


class TestASwap:
    def test_moves_both_devices_at_the_close_however_often_it_is_sent(self, world: World, job: Job):
        [old], van = job.on_site, world.ana.van_id
        envelopes = world.ana.envelopes(*visit(world, job, swap(job)))
        first = world.ana.deliver(envelopes)
        assert {receipt.outcome for receipt in first} == {"accepted"}
        assert world.ana.deliver(envelopes) == first
        assert world.work_order(job).state is WorkOrderState.COMPLETED
        assert (world.asset(old).holder_id, world.asset(old).state) == (van, AssetState.RECOVERED)
        new = world.asset("ANA0001")
        assert (new.holder_id, new.state, new.claimed_by) == (job.location_id, AssetState.INSTALLED, None)
        assert moved(world, old) == [(job.location_id, van)]
        assert moved(world, "ANA0001") == [(van, job.location_id)]
        assert world.balance(van, ONT_A) == 2
        assert set(world.stock_by_sku().values()) == {0}
        assert world.misplaced() == []
        [removed] = world.work_order(job).removed
        assert (removed.cause, removed.reason) == (RemovalCause.NO_POWER, "dead after the storm")
        assert [device.replaces for device in world.work_order(job).fitted] == [old]

    def test_by_any_number_of_the_labels(self, world: World, job: Job):
        with world.database.write() as session:
            world.receive(session, world.ana.van_id, ONT_A, serial="ANA0009", gpon_serial="ALCL00000009")
        receipts = world.ana.send(*visit(world, job, swap(job, "ALCL00000009")))
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert world.asset("ANA0009").holder_id == job.location_id

    def test_that_was_undone_leaves_everything_where_it_was(self, world: World, job: Job):
        [old] = job.on_site
        undo = UndoSwap(work_order_id=job.id, old_serial=old, serial="ANA0001")
        again = swap(job, "ANA0002")
        receipts = world.ana.send(*visit(world, job, swap(job), undo, again))
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert world.asset("ANA0001").holder_id == world.ana.van_id
        assert (world.asset("ANA0001").claimed_by, moved(world, "ANA0001")) == (None, [])
        assert world.asset("ANA0002").holder_id == job.location_id

    def test_of_which_one_half_can_t_be_is_held_whole_and_nothing_moves(self, world: World, job: Job):
        [old] = job.on_site
        start = visit(world, job, swap(job, "NOSUCH01"))[:3]
        receipts = world.ana.send(*start)
        assert [(receipt.outcome, receipt.slug) for receipt in receipts[2:]] == [("held", "serial-unknown")]
        order = world.work_order(job)
        assert (order.removed, order.fitted) == ((), ())
        assert world.asset(old).state == AssetState.INSTALLED

    def test_that_two_technicians_make_with_one_device_is_held_the_second_time(self, world: World, job: Job):
        bens = world.order(WorkOrderKind.SWAP, phone=world.ben)
        world.ben.send(*visit(world, bens, swap(bens, "ANA0001", confirmed=True))[:3])
        receipts = world.ana.send(*visit(world, job, swap(job))[:3])
        assert [(receipt.outcome, receipt.slug) for receipt in receipts[2:]] == [("held", "serial-elsewhere")]
        assert world.asset("ANA0001").claimed_by == bens.id
        assert world.work_order(job).removed == ()

    def test_on_a_job_that_is_done_is_kept_beside_it_and_can_be_undone(self, world: World, job: Job):
        [old], van = job.on_site, world.ana.van_id
        world.ana.send(*visit(world, job, swap(job)))
        second = SwapAsset(
            work_order_id=job.id, old_serial="ANA0001", serial="ANA0002", source="typed",
            cause=RemovalCause.DEAD_ON_ARRIVAL,
        )  # fmt: skip
        [receipt] = world.ana.send(second)
        assert (receipt.outcome, [remark.slug for remark in receipt.remarks]) == (
            "accepted",
            ["second-report"],
        )
        assert world.asset("ANA0001").holder_id == van
        assert world.asset("ANA0002").holder_id == job.location_id
        [receipt] = world.ana.send(UndoSwap(work_order_id=job.id, old_serial="ANA0001", serial="ANA0002"))
        assert receipt.outcome == "accepted"
        assert world.asset("ANA0001").holder_id == job.location_id
        assert world.asset("ANA0002").holder_id == van
        assert world.asset(old).holder_id == van
        assert set(world.stock_by_sku().values()) == {0}
        assert world.misplaced() == []


class TestAHeldSwap:
    @pytest.fixture
    def held(self, world: World, job: Job) -> CommandRow:
        """Ana typed the new serial wrongly; the close that needs it is held with it."""
        receipts = world.ana.send(*visit(world, job, swap(job, "AMA0001", cause=None)))
        assert [receipt.slug for receipt in receipts if receipt.outcome == "held"] == [
            "serial-unknown",
            "missing-equipment",
        ]
        found: CommandRow = world.row(CommandRow, CommandRow.type == "swap_asset")
        return found

    def test_shows_both_devices_side_by_side(self, world: World, job: Job, held: CommandRow):
        with world.database.read() as session:
            found = outlook(session, [held])
        assert found.now is not None
        assert [problem and problem.slug for problem in found.forbids.values()] == ["serial-unknown"]
        reader = Reader(people={}, called_off={}, zone=world.settings.zone, now=world.now)
        command = swap(job, "AMA0001", cause=RemovalCause.NO_POWER)
        first, *details = facing(command, world.now, found.now, reader)
        assert first.theirs == f"swap device {job.on_site[0]} for AMA0001, at 09:00"
        old = job.on_site[0]
        assert details == [
            Facing(
                what=f"Device {old}",
                theirs="taken off (no power: dead after the storm)",
                ours=f"installed at {world.work_order(job).place.street} 1",
            ),
            Facing(what="Booked at this address", theirs=old, ours=old),
            Facing(what="Device AMA0001", theirs="fitted on this job", ours="in no list of ours"),
            Facing(what="Fitted on this job", theirs="AMA0001", ours="nothing"),
        ]

    def test_is_corrected_field_by_field_and_booked_whole(self, world: World, job: Job, held: CommandRow):
        with world.database.read() as session:
            order = outlook(session, [held]).now
        assert order is not None
        form = form_of(held, True, order.order, [])
        assert [field.name for field in form] == [
            "old_serial", "serial", "mac", "gpon_serial", "sku", "confirmed", "cause", "reason",
        ]  # fmt: skip
        [cause] = [field for field in form if field.name == "cause"]
        assert (cause.value, cause.choices[:2]) == ("", (("", "not said"), ("no_power", "no power")))
        posted = {"old_serial": job.on_site[0], "serial": "AMA0001", "cause": "", "confirmed": "on"}
        _, unsaid = body_of(held, posted)
        assert (unsaid["cause"], unsaid["confirmed"]) == (None, True)
        _, body = body_of(held, {"serial": " ana 0001 ", "cause": "no_light"})
        ruled = acts.correct(world.database, world.settings, held.id, DORA, body, None)
        assert ruled.detail == "the serial to ANA0001, the cause to no light"
        order_now = world.work_order(job)
        assert [item.serial for item in order_now.fitted] == ["ANA0001"]
        assert [(item.serial, item.cause) for item in order_now.removed] == [
            (job.on_site[0], RemovalCause.NO_LIGHT)
        ]
        close = world.row(CommandRow, CommandRow.type == "close_work_order", CommandRow.outcome == "held")
        acts.accept(world.database, world.settings, close.id, DORA)
        assert world.asset("ANA0001").holder_id == job.location_id
        assert world.misplaced() == []
