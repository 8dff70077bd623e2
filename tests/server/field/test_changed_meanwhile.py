"""The office changed a job while its technician was offline: both values are kept, work stays done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from world import CABLE, CONNECTOR, MONDAY, ONT_A, ONT_B, Job, World, uid

from server import office
from server.billing.models import InvoiceLineRow, InvoiceRow
from server.customers.models import CustomerRow, PlanRow, ServiceLocationRow
from server.db.feed_models import CommandRow, FeedRow
from server.stock.models import ReservationRow, StockMoveRow
from server.work_orders.models import WorkOrderRow
from server.work_orders.repository import load
from shared.commands import (
    AddNote,
    Arrive,
    CancelWorkOrder,
    CannotComplete,
    ChargeCallOut,
    CorrectContact,
    DeleteWorkOrder,
    EditContact,
    InstallAsset,
    OfficeCheck,
    OfficeCommand,
    OfficeNote,
    PutBackAsset,
    RecordCheck,
    RemoveAsset,
    ReopenWorkOrder,
    RescheduleWorkOrder,
    SplitWorkOrder,
    StartTravel,
    TakeBackParts,
    UseParts,
)
from shared.problems import AlreadyClosed, ChangedMeanwhile, Conflict, NotFound
from shared.windows import TimeWindow
from shared.work_orders import ContactField, PartLine, UnfinishedReason, WorkOrderKind, WorkOrderState
from sync.protocol import Receipt

DISPATCH = "Dora of dispatch"
S = WorkOrderState


def run(world: World, command: OfficeCommand) -> None:
    office.run(world.database, world.settings, command, DISPATCH)


def accepted(receipts: list[Receipt]) -> set[str]:
    """The remarks on receipts that all accept."""
    assert {(receipt.outcome, receipt.slug) for receipt in receipts} == {("accepted", None)}
    return {remark.slug for receipt in receipts for remark in receipt.remarks}


def phone_of(world: World, job: Job) -> str:
    found: str = world.row(CustomerRow, CustomerRow.id == job.customer_id).phone
    return found


class TestRescheduled:
    def test_and_done_at_the_first_time_is_billed_and_both_times_are_kept(self, world: World):
        job = world.order()
        before = world.work_order(job)
        tomorrow = MONDAY + timedelta(days=1)
        later = TimeWindow(tomorrow, tomorrow + timedelta(hours=2))
        run(
            world,
            RescheduleWorkOrder(
                work_order_id=job.id,
                window_start=later.start,
                window_end=later.end,
                planned_start=later.start,
                planned_end=later.end,
            ),
        )
        assert world.work_order(job).window == later
        assert accepted(world.ana.send(*world.visit(job))) == {"rescheduled"}
        order = world.work_order(job)
        assert (order.state, order.window) == (S.COMPLETED, later)
        [earlier] = order.earlier_plans
        assert (earlier.window, earlier.planned_start) == (before.window, before.planned_start)
        assert order.finished_at is not None and order.finished_at < later.start
        assert len(world.rows(InvoiceRow)) == 1

    def test_and_done_at_the_new_time_is_nothing_special(self, world: World):
        job = world.order()
        begin = MONDAY + timedelta(hours=1)
        run(
            world,
            RescheduleWorkOrder(
                work_order_id=job.id, window_start=begin, window_end=begin + timedelta(hours=2)
            ),
        )
        assert accepted(world.ana.send(*world.visit(job), start=begin)) == set()

    def test_to_no_window_at_all_keeps_the_plan(self, world: World):
        job = world.order()
        run(world, RescheduleWorkOrder(work_order_id=job.id))
        order = world.work_order(job)
        assert (order.window, order.planned_start) == (None, MONDAY)


class TestSplit:
    @pytest.fixture
    def job(self, world: World) -> Job:
        """An installation whose line is to be measured by somebody else."""
        job = world.order()
        run(
            world,
            SplitWorkOrder(
                work_order_id=job.id,
                new_order_id=uid("second"),
                summary="Measure the line",
                expected_minutes=20,
                checks=("optical_power", "download_speed"),
                parts=(PartLine(sku=CONNECTOR, quantity=2),),
            ),
        )
        return job

    def test_makes_a_second_order_that_nobody_has_yet(self, world: World, job: Job):
        second = world.row(WorkOrderRow, WorkOrderRow.id == uid("second"))
        assert (second.number, second.state, second.kind, second.location_id) == (
            "WO-0001-2",
            "unassigned",
            "repair",
            job.location_id,
        )
        with world.database.read() as session:
            [order] = load(session, [second.id])
        assert [spec.code for spec in order.required_checks] == ["optical_power", "download_speed"]
        assert order.required_parts == (PartLine(sku=CONNECTOR, quantity=2),)
        assert (order.required_equipment, order.summary) == ((), "Measure the line")
        assert world.work_order(job).required_checks == ()
        shown = world.rows(FeedRow, FeedRow.key == str(second.id))
        assert [(row.scope, row.topic) for row in shown] == [("board", "WorkOrderPlaced")]

    def test_and_done_as_a_whole_is_kept_where_it_was_done(self, world: World, job: Job):
        receipts = world.ana.send(*world.visit(job))
        assert accepted(receipts) == {"split-done-whole"}
        assert receipts[3].remarks[0].detail == (
            "That part of WO-0001 had been moved to WO-0001-2: kept here, dispatch looks at WO-0001-2"
        )
        order = world.work_order(job)
        assert (order.state, len(order.checks)) == (S.COMPLETED, 2)
        second = world.row(WorkOrderRow, WorkOrderRow.id == uid("second"))
        assert second.state == "unassigned", "a person looks at it"
        assert len(world.rows(InvoiceRow)) == 1

    def test_and_done_only_here_needs_no_more(self, world: World, job: Job):
        steps = [step for step in world.visit(job) if not isinstance(step, RecordCheck)]
        assert accepted(world.ana.send(*steps)) == set()


class TestDeleted:
    def test_leaves_a_tombstone_and_frees_what_was_promised(self, world: World):
        job = world.order()
        run(world, DeleteWorkOrder(work_order_id=job.id, reason="entered twice"))
        order = world.work_order(job)
        assert (order.state, order.technician_id, order.planned_start) == (S.CANCELLED, None, None)
        assert order.deleted_at is not None
        assert world.rows(ReservationRow, ReservationRow.released_at.is_(None)) == []
        [told] = world.rows(FeedRow, FeedRow.kind == "work_order", FeedRow.scope != "board")
        assert told.scope == f"tech:{world.ana.technician_id}", "her phone drops it"

    def test_even_words_about_it_are_held(self, world: World):
        job = world.order()
        run(world, DeleteWorkOrder(work_order_id=job.id, reason="entered twice"))
        [receipt] = world.ana.send(AddNote(work_order_id=job.id, text="The gate code is 4711"))
        assert (receipt.outcome, receipt.slug) == ("held", "work-order-deleted")
        assert "4711" in world.row(CommandRow, CommandRow.outcome == "held").body

    def test_is_refused_once_there_is_work_on_it(self, world: World):
        job = world.order()
        world.ana.send(*world.visit(job)[:3])
        with pytest.raises(AlreadyClosed, match="WO-0001 has work on it: cancel it instead"):
            run(world, DeleteWorkOrder(work_order_id=job.id, reason="x"))


class TestUnfinishedBySomebodyElse:
    def test_the_work_is_held_for_a_person(self, world: World):
        job = world.order()
        run_away = CannotComplete(work_order_id=job.id, reason=UnfinishedReason.CUSTOMER_ABSENT)
        with world.database.write() as session:
            row = session.get_one(WorkOrderRow, job.id)
            row.technician_id = world.ben.technician_id
            row.former_technician_ids = [str(world.ana.technician_id)]
        world.ben.send(run_away)
        receipts = world.ana.send(*world.visit(job))
        assert {(receipt.outcome, receipt.slug) for receipt in receipts} == {("held", "already-closed")}
        assert world.rows(InvoiceRow) == []


class TestReopened:
    def test_for_who_did_the_work_it_is_completed_and_billed_once(self, world: World):
        """Cancelled with the visit half sent: what was used is booked once, though in two parts."""
        job = world.order()
        steps = world.visit(job, cable=18)
        done, unsent = steps[:3], steps[3:]
        world.ana.send(*done, UseParts(work_order_id=job.id, lines=(PartLine(sku=CABLE, quantity=2),)))
        run(world, CancelWorkOrder(work_order_id=job.id, reason="moved away"))
        assert world.balance(world.ana.van_id, CABLE) == 198
        run(world, ReopenWorkOrder(work_order_id=job.id, technician_id=world.ana.technician_id))
        assert world.asset(world.ana.ont).claimed_by == job.id
        assert accepted(world.ana.send(Arrive(work_order_id=job.id), *unsent)) == set()
        assert world.work_order(job).state is S.COMPLETED
        assert world.balance(world.ana.van_id, CABLE) == 180
        assert world.asset(world.ana.ont).holder_id == job.location_id
        assert len(world.rows(InvoiceRow)) == 1
        cable = [line for line in world.rows(InvoiceLineRow) if line.charge_code == f"part:{CABLE}"]
        assert [line.quantity for line in cable] == [20], "all of it is billed"
        assert world.misplaced() == []
        assert set(world.stock_by_sku().values()) == {0}
        assert world.rows(ReservationRow, ReservationRow.released_at.is_(None)) == []

    def test_from_a_colleague_who_is_at_it_books_what_the_colleague_used(self, world: World):
        job = world.order(phone=world.ben)
        world.ben.send(*world.visit(job, fit=world.ben.ont, until_close=False)[:6])
        run(world, ReopenWorkOrder(work_order_id=job.id, technician_id=world.ana.technician_id))
        order = world.work_order(job)
        assert (order.state, order.technician_id, order.fitted) == (
            S.ASSIGNED,
            world.ana.technician_id,
            (),
        )
        assert [device.serial for device in order.reports[0].fitted] == [world.ben.ont]
        assert world.balance(world.ben.van_id, CABLE) == 182
        device = world.asset(world.ben.ont)
        assert (device.holder_id, device.claimed_by) == (world.ben.van_id, None)
        promised = world.rows(ReservationRow, ReservationRow.released_at.is_(None))
        assert {row.place_id for row in promised} == {world.ana.van_id}
        assert accepted(world.ana.send(*world.visit(job)[1:])) == {"check-recorded-twice"}
        assert world.balance(world.ana.van_id, CABLE) == 182
        assert world.balance(world.ben.van_id, CABLE) == 182

    def test_for_nobody_we_know_is_refused(self, world: World):
        job = world.order()
        with pytest.raises(NotFound, match="no such technician"):
            run(world, ReopenWorkOrder(work_order_id=job.id, technician_id=uid("nobody")))


class TestACallOut:
    def test_is_billed_once_with_its_fee(self, world: World):
        with world.database.write() as session:
            plan = session.scalars(select(PlanRow).where(PlanRow.code == "HOME-100")).one()
            plan.fees_minor = {**plan.fees_minor, "call_out": 4_500}
        job = world.order()
        run(world, CancelWorkOrder(work_order_id=job.id, reason="nobody there"))
        run(world, ChargeCallOut(work_order_id=job.id))
        line = world.row(InvoiceLineRow)
        assert (line.charge_code, line.description, line.net_minor) == ("fee", "Call-out WO-0001", 4_500)
        assert world.journal_total() == 0
        with pytest.raises(AlreadyClosed, match="The call-out of WO-0001 is billed already"):
            run(world, ChargeCallOut(work_order_id=job.id))
        with pytest.raises(AlreadyClosed, match="WO-0001 is billed"):
            run(world, ReopenWorkOrder(work_order_id=job.id, technician_id=world.ana.technician_id))
        assert len(world.rows(InvoiceRow)) == 1

    def test_is_refused_where_the_plan_has_no_fee_for_it(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        run(world, CancelWorkOrder(work_order_id=job.id, reason="nobody there"))
        with pytest.raises(Conflict, match="The plan Home 100 has no fee for a call-out"):
            run(world, ChargeCallOut(work_order_id=job.id))
        assert (world.rows(InvoiceRow), world.work_order(job).call_out_at) == ([], None)


class TestAContact:
    def correct(self, job: Job, value: str, base: str) -> CorrectContact:
        return CorrectContact(work_order_id=job.id, field=ContactField.PHONE, base=base, value=value)

    def test_that_only_the_technician_changed_goes_in(self, world: World):
        job = world.order()
        assert accepted(world.ana.send(self.correct(job, "+358777", phone_of(world, job)))) == set()
        assert (phone_of(world, job), world.work_order(job).contact.phone) == ("+358777", "+358777")

    def test_fields_are_told_apart(self, world: World):
        job = world.order()
        base = phone_of(world, job)
        run(world, EditContact(work_order_id=job.id, field=ContactField.NAME, value="Liisa Laine"))
        gate = CorrectContact(
            work_order_id=job.id, field=ContactField.ACCESS_NOTES, base="", value="Gate code 4711"
        )
        assert accepted(world.ana.send(self.correct(job, "+358777", base), gate)) == set()
        customer = world.row(CustomerRow, CustomerRow.id == job.customer_id)
        assert (customer.name, customer.phone) == ("Liisa Laine", "+358777")
        place = world.row(ServiceLocationRow, ServiceLocationRow.id == job.location_id)
        assert place.access_notes == "Gate code 4711"

    def test_that_both_changed_keeps_the_offices_and_suggests_the_other(self, world: World):
        job = world.order()
        base = phone_of(world, job)
        run(world, EditContact(work_order_id=job.id, field=ContactField.PHONE, value="+358888"))
        assert accepted(world.ana.send(self.correct(job, "+358777", base))) == {"contact-changed-twice"}
        assert phone_of(world, job) == "+358888"
        [waiting] = world.work_order(job).suggested
        assert (waiting.base, waiting.value, waiting.by) == (base, "+358777", world.ana.technician_id)
        run(world, EditContact(work_order_id=job.id, field=ContactField.PHONE, value=waiting.value))
        assert (phone_of(world, job), world.work_order(job).suggested) == ("+358777", ())

    def test_is_corrected_after_the_job_is_done_too(self, world: World):
        job = world.order()
        world.ana.send(*world.visit(job))
        assert accepted(world.ana.send(self.correct(job, "+358777", phone_of(world, job)))) == set()
        assert phone_of(world, job) == "+358777"

    def test_two_dispatchers_the_second_is_told(self, world: World):
        job = world.order()
        base = phone_of(world, job)
        edit = EditContact(work_order_id=job.id, field=ContactField.PHONE, value="+358888", base=base)
        run(world, edit)
        with pytest.raises(ChangedMeanwhile, match='Somebody changed the phone to "\\+358888" meanwhile'):
            run(world, replace(edit, value="+358999"))
        assert phone_of(world, job) == "+358888"

    def test_tells_the_customers_next_visit(self, world: World):
        job, other = world.order(), world.order(phone=world.ben)
        with world.database.write() as session:
            session.get_one(WorkOrderRow, other.id).customer_id = job.customer_id
        world.ana.send(self.correct(job, "+358777", phone_of(world, job)))
        told = world.rows(FeedRow, FeedRow.key == str(other.id), FeedRow.topic == "ContactCorrected")
        assert [row.scope for row in told] == [f"tech:{world.ben.technician_id}"]
        assert world.work_order(other).contact.phone == "+358777"

    def test_tells_who_has_been_there_lately_and_still_has_the_visit_on_the_phone(self, world: World):
        job, done = world.order(), world.order(phone=world.ben)
        with world.database.write() as session:
            row = session.get_one(WorkOrderRow, done.id)
            row.customer_id, row.state, row.finished_at = job.customer_id, S.COMPLETED, MONDAY
        edit = EditContact(work_order_id=job.id, field=ContactField.PHONE, value="+358888")
        with world.database.write() as session:
            office.apply(session, world.settings, [edit], DISPATCH, MONDAY)
        told = world.rows(FeedRow, FeedRow.key == str(done.id), FeedRow.topic == "ContactCorrected")
        assert [row.scope for row in told] == [f"tech:{world.ben.technician_id}"]

    def test_of_one_customer_on_two_jobs_in_one_push_is_written_twice_in_order(self, world: World):
        """The second command's `base` is what the first one wrote, in the same transaction."""
        job, other = world.order(), world.order()
        with world.database.write() as session:
            session.get_one(WorkOrderRow, other.id).customer_id = job.customer_id
        first = self.correct(job, "+358777", phone_of(world, job))
        second = self.correct(other, "+358778", "+358777")
        assert accepted(world.ana.send(first, second)) == set()
        assert phone_of(world, job) == "+358778"


class TestNotesAndChecks:
    def test_of_both_sides_are_all_kept(self, world: World):
        job = world.order()
        run(world, OfficeNote(work_order_id=job.id, text="Ring twice", note_id=uid("note")))
        run(
            world,
            OfficeNote(
                work_order_id=job.id, text="Ring thrice", note_id=uid("office's"), replaces=uid("note")
            ),
        )
        mine = AddNote(work_order_id=job.id, text="Knock", note_id=uid("mine"), replaces=uid("note"))
        assert accepted(world.ana.send(mine)) == {"note-edited-twice"}
        order = world.work_order(job)
        assert [note.text for note in order.notes] == ["Ring twice", "Ring thrice", "Knock"]
        assert [note.text for note in order.notes_shown] == ["Ring thrice", "Knock"]

    def test_the_check_that_was_made_last_counts_though_it_came_first(self, world: World):
        job = world.order()
        world.ana.send(StartTravel(work_order_id=job.id), Arrive(work_order_id=job.id), start=MONDAY)
        run(world, OfficeCheck(work_order_id=job.id, code="optical_power", value=Decimal("-21")))
        made = RecordCheck(work_order_id=job.id, code="optical_power", value=Decimal("-19.5"))
        receipts = world.ana.send(made, start=MONDAY + timedelta(minutes=5))
        assert accepted(receipts) == {"check-recorded-twice"}
        order = world.work_order(job)
        assert [(result.value, result.by) for result in order.checks] == [
            (Decimal("-21"), office.OFFICE),
            (Decimal("-19.5"), world.ana.technician_id),
        ]
        counts = order.result_of("optical_power")
        assert counts is not None and counts.value == Decimal("-21")

    def test_a_note_after_the_close_is_simply_added(self, world: World):
        job = world.order()
        world.ana.send(*world.visit(job))
        assert accepted(world.ana.send(AddNote(work_order_id=job.id, text="The gate code is 4711"))) == set()
        assert [note.text for note in world.work_order(job).notes] == ["The gate code is 4711"]


class TestMistakesUndoneBeforeTheClose:
    def test_book_nothing_that_was_undone(self, world: World):
        job = world.order(WorkOrderKind.SWAP)
        *steps, close = world.visit(job)
        old = job.on_site[0]
        undo = [
            PutBackAsset(work_order_id=job.id, serial=old),
            RemoveAsset(work_order_id=job.id, serial=old, reason="broken"),
            TakeBackParts(work_order_id=job.id, lines=(PartLine(sku=CABLE, quantity=8),)),
        ]
        before = world.balance(world.ana.van_id, CABLE)
        receipts = world.ana.send(*steps, *undo, close)
        assert {receipt.outcome for receipt in receipts} == {"accepted"}
        assert world.balance(world.ana.van_id, CABLE) == before - 10
        moves = world.rows(StockMoveRow, StockMoveRow.serial == old, StockMoveRow.work_order_id == job.id)
        assert [(move.source_id, move.target_id) for move in moves] == [(job.location_id, world.ana.van_id)]

    def test_after_the_close_on_another_device_move_the_reported_stock_back(self, world: World):
        """A technician's second phone took one more off and counted parts; both are undone on it."""
        job = world.order(WorkOrderKind.SWAP)
        old = job.on_site[0]
        world.ana.send(*world.visit(job))
        cable, lines = world.balance(world.ana.van_id, CABLE), (PartLine(sku=CABLE, quantity=5),)
        more = world.ana.send(
            UseParts(work_order_id=job.id, lines=lines),
            RemoveAsset(work_order_id=job.id, serial="ANA0001", reason="second thought"),
        )
        assert {receipt.outcome for receipt in more} == {"accepted"}
        assert world.balance(world.ana.van_id, CABLE) == cable - 5
        assert world.asset("ANA0001").holder_id == world.ana.van_id
        undone = world.ana.send(
            TakeBackParts(work_order_id=job.id, lines=lines),
            PutBackAsset(work_order_id=job.id, serial="ANA0001"),
        )
        assert {receipt.outcome for receipt in undone} == {"accepted"}
        assert world.balance(world.ana.van_id, CABLE) == cable
        assert (world.asset("ANA0001").holder_id, world.asset("ANA0001").state) == (
            job.location_id,
            "installed",
        )
        [report] = world.work_order(job).reports
        assert (report.parts, report.removed) == ((), ())
        assert world.misplaced() == []
        [held] = world.ana.send(PutBackAsset(work_order_id=job.id, serial=old))
        assert (held.outcome, held.slug) == ("held", "not-installed-here")
        [held] = world.ana.send(TakeBackParts(work_order_id=job.id, lines=lines))
        assert (held.outcome, held.slug) == ("held", "bad-value")


class TestOneTechnicianOnTwoDevices:
    def test_steps_that_both_send_are_harmless(self, world: World):
        """Phone and tablet of Ana's, both offline, both with a whole visit."""
        job = world.order()
        steps = world.visit(job, until_close=False)
        phone = world.ana.envelopes(*steps)
        tablet = world.ana.envelopes(*steps, world.visit(job)[-1], start=MONDAY + timedelta(minutes=1))
        assert accepted(world.ana.deliver(phone)) == set()
        receipts = world.ana.deliver(tablet)
        assert accepted(receipts) == {"repeated-step"}
        order = world.work_order(job)
        assert order.state is S.COMPLETED
        assert order.travel_started_at == MONDAY, "the first time counts"
        assert {step.step for step in order.reports[0].steps} == {
            "start_travel",
            "arrive",
            "install_asset",
        }
        assert world.balance(world.ana.van_id, CABLE) == 200 - 2 * 18, "she said 18 twice: a fact each time"
        assert len(world.rows(InvoiceRow)) == 1
        assert world.misplaced() == []

    def test_what_the_other_one_sends_after_the_close_is_a_report(self, world: World):
        job = world.order(WorkOrderKind.SWAP)
        world.ana.send(*world.visit(job))
        moves = len(world.rows(StockMoveRow, StockMoveRow.serial.is_not(None)))
        receipts = world.ana.send(*[step for step in world.visit(job) if not isinstance(step, UseParts)])
        assert accepted(receipts) == {"second-report"}
        assert len(world.rows(StockMoveRow, StockMoveRow.serial.is_not(None))) == moves, "nothing moved"
        assert len(world.rows(InvoiceRow)) == 1

    def test_another_device_on_the_second_one_is_booked_beside_the_first(self, world: World):
        job = world.order()
        world.ana.send(*world.visit(job))
        stem = world.ana.ont[:-4]
        fit = InstallAsset(work_order_id=job.id, serial=f"{stem}0002", source="camera")
        assert accepted(world.ana.send(fit)) == {"second-report"}
        assert world.asset(f"{stem}0002").holder_id == job.location_id
        assert world.balance(world.ana.van_id, ONT_A) == 0
        assert world.balance(world.ana.van_id, ONT_B) == 1
        assert world.misplaced() == []

    def test_whose_van_a_reported_device_left_is_told_on_a_colleagues_job_too(self, world: World):
        """On all their devices: the one that said it may have lost the answer."""
        job = world.order()
        with world.database.write() as session:  # Ana had it before
            row = session.get_one(WorkOrderRow, job.id)
            row.technician_id = world.ben.technician_id
            row.former_technician_ids = [str(world.ana.technician_id)]
        assert accepted(world.ben.send(*world.visit(job, fit=world.ben.ont))) == set()
        fit = InstallAsset(work_order_id=job.id, serial=world.ana.ont, source="camera")
        assert "second-report" in accepted(world.ana.send(fit))
        told = world.rows(FeedRow, FeedRow.scope == f"tech:{world.ana.technician_id}")
        assert {(row.kind, row.key) for row in told} == {("asset", world.ana.ont), ("stock_line", ONT_A)}
