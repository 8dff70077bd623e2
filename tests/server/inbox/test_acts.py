"""What a dispatcher decides about held work: once, by name, booked with all that follows or set aside."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from world import CABLE, MONDAY, ONT_A, Job, Phone, World, uid

from server import office
from server.billing.models import InvoiceRow
from server.db.feed_models import CommandRow, FeedRow
from server.inbox import acts
from server.stock.models import StockMoveRow
from shared.commands import (
    AddNote,
    AssignWorkOrder,
    CancelWorkOrder,
    CloseWorkOrder,
    InstallAsset,
    StartTravel,
    UnassignWorkOrder,
)
from shared.problems import (
    AlreadyClosed,
    BadValue,
    Malformed,
    NotFound,
    NotYourJob,
    SerialUnknown,
    UnknownCommand,
    WorkOrderCancelled,
)
from shared.work_orders import WorkOrderState

DORA, DAVE = "Dora of dispatch", "Dave of dispatch"


def give(world: World, job: Job, to: Phone) -> None:
    command = AssignWorkOrder(
        work_order_id=job.id,
        technician_id=to.technician_id,
        planned_start=MONDAY,
        planned_end=MONDAY + timedelta(hours=2),
    )
    office.run(world.database, world.settings, command, DORA)


def held(world: World) -> list[CommandRow]:
    rows = world.rows(CommandRow, CommandRow.outcome == "held", CommandRow.resolved_at.is_(None))
    return sorted(rows, key=lambda row: (str(row.device_id), row.seq))


def accept(world: World, row: CommandRow, by: str = DORA) -> acts.Ruled:
    return acts.accept(world.database, world.settings, row.id, by)


def correct(world: World, row: CommandRow, **changed: object) -> acts.Ruled:
    body = json.loads(row.body) | changed
    return acts.correct(world.database, world.settings, row.id, DORA, body, None)


@pytest.fixture
def mistyped(world: World) -> CommandRow:
    """Ana fitted ANA0001 and typed AMA0001; all but that and the close was booked."""
    job = world.order()
    outcomes = [receipt.outcome for receipt in world.ana.send(*world.visit(job, fit="AMA0001"))]
    assert outcomes.count("held") == 2
    return held(world)[0]


class TestBookingItAsItCame:
    @pytest.fixture
    def not_hers(self, world: World) -> Job:
        """A visit that Ana made to a job of Ben's: held whole."""
        job = world.order(phone=world.ben)
        assert {receipt.outcome for receipt in world.ana.send(*world.visit(job))} == {"held"}
        return job

    def test_is_refused_as_long_as_the_rules_forbid_it_and_nothing_moves(self, world: World, not_hers: Job):
        before = world.contents()
        with pytest.raises(NotYourJob):
            accept(world, held(world)[0])
        assert world.contents() == before

    def test_is_booked_at_its_own_time_once_it_fits(self, world: World, not_hers: Job):
        give(world, not_hers, world.ana)
        original = held(world)[0]
        ruled = accept(world, original)
        assert (ruled.resolution, ruled.by, ruled.detail) == ("accepted", DORA, "")
        order = world.work_order(not_hers)
        assert (order.state, order.travel_started_at) == (WorkOrderState.TRAVELLING, MONDAY)
        kept = world.row(CommandRow, CommandRow.id == original.id)
        booked = world.row(CommandRow, CommandRow.id == kept.resolved_as)
        assert (kept.outcome, kept.slug, kept.resolution) == ("held", "not-your-job", "accepted")
        assert (kept.resolved_by, kept.resolved_as) == (DORA, ruled.booked_as)
        assert (booked.outcome, booked.origin, booked.actor) == ("accepted", "office", "Ana Virtanen")
        assert (booked.type, booked.body) == (original.type, original.body)
        assert (booked.happened_at, booked.made_at) == (original.happened_at, original.made_at)
        assert booked.number > kept.number

    def test_the_receipt_stays_the_one_that_was_given(self, world: World, not_hers: Job):
        give(world, not_hers, world.ben)
        envelope = world.ana.envelope(AddNote(work_order_id=not_hers.id, text="x"))
        [first] = world.ana.deliver([envelope])
        give(world, not_hers, world.ana)
        accept(world, held(world)[-1])
        assert world.ana.deliver([envelope]) == [first]
        assert [note.text for note in world.work_order(not_hers).notes] == ["x"]

    def test_of_a_whole_visit_books_every_consequence_once(self, world: World, not_hers: Job):
        give(world, not_hers, world.ana)
        waiting = held(world)
        done = acts.accept_visit(world.database, world.settings, waiting[3].id, DORA)
        assert (len(done.booked), done.left, done.stopped_at) == (len(waiting), 0, None)
        assert held(world) == []
        order = world.work_order(not_hers)
        assert (order.state, order.finished_at) == (WorkOrderState.COMPLETED, waiting[-1].happened_at)
        assert len(world.rows(InvoiceRow)) == 1
        assert world.balance(world.ana.van_id, CABLE) == 182
        assert world.asset("ANA0001").holder_id == not_hers.location_id
        assert len(world.rows(StockMoveRow, StockMoveRow.serial == "ANA0001")) == 2, "goods in, one customer"
        assert set(world.stock_by_sku().values()) == {0}
        assert world.journal_total() == 0
        assert world.misplaced() == []

    def test_of_a_whole_visit_stops_at_the_first_that_does_not_fit(self, world: World):
        job = world.order(phone=world.ben)
        world.ana.send(*world.visit(job, fit="AMA0001"))
        give(world, job, world.ana)
        waiting = held(world)
        done = acts.accept_visit(world.database, world.settings, waiting[0].id, DORA)
        assert [row.type for row in waiting[:3]] == ["start_travel", "arrive", "install_asset"]
        assert (done.booked, done.left) == (tuple(row.id for row in waiting[:2]), len(waiting) - 2)
        assert (done.stopped_at, done.why) == (
            waiting[2].id,
            "AMA0001 is not on your van's list. Check the label; if it is right, confirm",
        )
        assert world.work_order(job).state is WorkOrderState.ON_SITE
        correct(world, waiting[2], serial="ANA0001")
        rest = acts.accept_visit(world.database, world.settings, waiting[3].id, DORA)
        assert (rest.left, held(world)) == (0, [])
        assert world.work_order(job).state is WorkOrderState.COMPLETED

    def test_of_another_visit_stays(self, world: World, not_hers: Job):
        other = world.order(phone=world.ben)
        world.ana.send(StartTravel(work_order_id=other.id))
        give(world, not_hers, world.ana)
        acts.accept_visit(world.database, world.settings, held(world)[0].id, DORA)
        assert [row.work_order_id for row in held(world)] == [other.id]


class TestCorrecting:
    def test_books_another_command_and_leaves_the_original_whole(self, world: World, mistyped: CommandRow):
        ruled = correct(world, mistyped, serial=" ana 0001 ")
        assert (ruled.resolution, ruled.detail) == ("corrected", "the serial to ANA0001")
        kept = world.row(CommandRow, CommandRow.id == mistyped.id)
        booked = world.row(CommandRow, CommandRow.id == ruled.booked_as)
        assert json.loads(kept.body)["serial"] == "AMA0001"
        assert json.loads(booked.body)["serial"] == "ANA0001"
        assert (booked.origin, booked.device_id, booked.seq) == ("office", world.ana.device_id, kept.seq)
        order = world.work_order(Job(**{"id": kept.work_order_id} | NO_JOB))
        assert [device.serial for device in order.fitted] == ["ANA0001"]

    def test_lets_the_rest_of_the_visit_be_booked_with_its_consequences_once(
        self, world: World, mistyped: CommandRow
    ):
        correct(world, mistyped, serial="ANA0001")
        assert world.rows(InvoiceRow) == []
        [close] = held(world)
        accept(world, close)
        assert len(world.rows(InvoiceRow)) == 1
        assert world.balance(world.ana.van_id, ONT_A) == 1
        assert len(world.rows(StockMoveRow, StockMoveRow.serial == "ANA0001")) == 2
        assert set(world.stock_by_sku().values()) == {0}
        assert world.journal_total() == 0

    def test_is_judged_by_the_same_rules(self, world: World, mistyped: CommandRow):
        before = world.contents()
        with pytest.raises(SerialUnknown):
            correct(world, mistyped, serial="NOSUCH01")
        with pytest.raises(BadValue, match="12 hex digits"):
            correct(world, mistyped, serial="ANA0001", mac="AC:12")
        with pytest.raises(Malformed, match="Expected `str`"):
            correct(world, mistyped, serial=7)
        with pytest.raises(BadValue, match="Nothing was changed"):
            correct(world, mistyped)
        assert world.contents() == before

    @pytest.mark.parametrize(
        ("change", "slug"),
        [
            ({"type": "write_note"}, "unknown-command"),
            ({"schema": 9}, "newer-schema"),
            ({"body": msgspec.Raw(b'{"work_order_id": "ORDER", "words": "hello"}')}, "malformed"),
        ],
    )
    def test_mends_what_could_not_be_read(self, world: World, change: dict[str, object], slug: str):
        job = world.order()
        note = world.ana.envelope(AddNote(work_order_id=job.id, text="hello"))
        if "body" in change:
            change = {"body": msgspec.Raw(bytes(change["body"]).replace(b"ORDER", str(job.id).encode()))}
        [receipt] = world.ana.deliver([replace(note, **change)])
        assert receipt.slug == slug
        [row] = held(world)
        with pytest.raises((UnknownCommand, Malformed)):
            accept(world, row)
        body = {"work_order_id": str(job.id), "text": "hello, mended"}
        acts.correct(world.database, world.settings, row.id, DORA, body, "add_note")
        assert [note.text for note in world.work_order(job).notes] == ["hello, mended"]


NO_JOB = {
    "number": "", "kind": None, "customer_id": None, "location_id": None, "service_id": None, "on_site": (),
}  # fmt: skip


class TestSettingAside:
    def test_books_nothing_and_keeps_the_reason(self, world: World, mistyped: CommandRow):
        before = world.contents()
        ruled = acts.dismiss(world.database, mistyped.id, DORA, "  tried twice,\n took another one ")
        assert (ruled.resolution, ruled.detail) == ("dismissed", "tried twice, took another one")
        kept = world.row(CommandRow, CommandRow.id == mistyped.id)
        assert (kept.resolution, kept.resolution_detail, kept.resolved_as) == (
            "dismissed",
            "tried twice, took another one",
            None,
        )
        assert kept.body == mistyped.body
        after = world.contents()
        assert {name for name in after if after[name] != before[name]} == {"command", "feed"}

    @pytest.mark.parametrize("reason", ["", "  \n", "x" * 501])
    def test_needs_a_reason(self, world: World, mistyped: CommandRow, reason: str):
        with pytest.raises(BadValue, match="Say why"):
            acts.dismiss(world.database, mistyped.id, DORA, reason)
        assert world.row(CommandRow, CommandRow.id == mistyped.id).resolved_at is None


class TestTwoDispatchersAtOnce:
    def test_one_wins_and_the_other_learns_who(self, world: World):
        job = world.order()
        office.run(world.database, world.settings, UnassignWorkOrder(work_order_id=job.id), DORA)
        odd = replace(world.ana.envelope(CloseWorkOrder(work_order_id=job.id)), type="odd")
        world.ana.deliver([odd])
        body = {"work_order_id": str(job.id), "text": "was odd"}

        def click(by: str) -> str:
            try:
                return acts.correct(world.database, world.settings, odd.id, by, body, "add_note").resolution
            except AlreadyClosed as problem:
                return problem.detail

        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(click, [DORA, DAVE] * 2))
        winner = world.row(CommandRow, CommandRow.id == odd.id).resolved_by
        assert answers == sorted(["corrected", *[f"{winner} has corrected and booked it already"] * 3])
        assert [note.text for note in world.work_order(job).notes] == ["was odd"]

    def test_the_second_of_different_acts_changes_nothing(self, world: World, mistyped: CommandRow):
        acts.dismiss(world.database, mistyped.id, DAVE, "no")
        before = world.contents()
        with pytest.raises(AlreadyClosed, match="Dave of dispatch has set it aside already"):
            correct(world, mistyped, serial="ANA0001")
        with pytest.raises(AlreadyClosed):
            accept(world, mistyped)
        assert world.contents() == before

    def test_what_is_not_held_cannot_be_decided(self, world: World):
        [receipt] = world.ana.send(StartTravel(work_order_id=world.order().id))
        for wrong in (receipt.command_id, uid("nothing")):
            with pytest.raises(NotFound):
                acts.dismiss(world.database, wrong, DORA, "no")


class TestEveryDecisionIsTold:
    def test_to_the_board_and_to_the_phone_of_who_did_the_work(self, world: World, mistyped: CommandRow):
        seen = world.rows(FeedRow)[-1].seq
        correct(world, mistyped, serial="ANA0001")
        told = world.rows(FeedRow, FeedRow.seq > seen, FeedRow.key == str(mistyped.id))
        assert [(row.scope, row.kind, row.topic, row.actor) for row in told] == [
            ("board", "command", "HeldCommandCorrected", DORA),
            (f"tech:{world.ana.technician_id}", "ruling", "HeldCommandCorrected", DORA),
        ]
        assert told[0].facts["detail"] == "the serial to ANA0001"

    def test_a_cancelled_job_is_still_refused_without_a_word_about_it(self, world: World):
        job = world.order()
        office.run(world.database, world.settings, CancelWorkOrder(work_order_id=job.id, reason="x"), DORA)
        world.ana.send(InstallAsset(work_order_id=job.id, serial="ANA0001", source="typed"))
        with pytest.raises(WorkOrderCancelled):
            accept(world, held(world)[0])


class TestOverruling:
    def test_gives_the_job_to_who_did_the_work_where_the_table_offers_that(self, world: World):
        job = world.order(phone=world.ben)
        world.ana.send(*world.visit(job))
        first = held(world)[0]
        done = acts.accept_visit(world.database, world.settings, first.id, DORA, way="reopen")
        assert (done.left, held(world), len(world.rows(InvoiceRow))) == (0, [], 1)
        order = world.work_order(job)
        assert (order.state, order.technician_id) == (WorkOrderState.COMPLETED, world.ana.technician_id)
        reopened = world.rows(CommandRow, CommandRow.type == "reopen_work_order")
        assert [(row.actor, row.outcome) for row in reopened] == [(DORA, "accepted")], "once, and on record"

    def test_is_refused_where_the_table_does_not(self, world: World, mistyped: CommandRow):
        before = world.contents()
        for way in ("reopen", "report"):
            with pytest.raises(SerialUnknown):
                acts.accept(world.database, world.settings, mistyped.id, DORA, way=way)
        assert world.contents() == before

    def test_is_not_needed_where_the_rules_allow_it_by_now(self, world: World):
        job = world.order(phone=world.ben)
        world.ana.send(StartTravel(work_order_id=job.id))
        give(world, job, world.ana)
        ruled = acts.accept(world.database, world.settings, held(world)[0].id, DORA, way="report")
        assert (ruled.detail, world.work_order(job).state) == ("", WorkOrderState.TRAVELLING)
        assert world.row(CommandRow, CommandRow.id == ruled.booked_as).origin == "office"

    def test_keeps_both_visits_of_two_people_and_their_parts(self, world: World):
        job = world.order()
        give(world, job, world.ben)
        world.ben.send(StartTravel(work_order_id=job.id))
        world.ana.send(*world.visit(job))
        done = acts.accept_visit(world.database, world.settings, held(world)[0].id, DORA, way="report")
        assert (done.left, held(world)) == (0, [])
        order = world.work_order(job)
        assert (order.state, order.technician_id) == (WorkOrderState.TRAVELLING, world.ben.technician_id)
        assert world.balance(world.ana.van_id, CABLE) == 182
        assert world.rows(InvoiceRow) == []
        kept = world.rows(CommandRow, CommandRow.resolution == "accepted")
        assert {row.resolution_detail for row in kept} <= {"beside the work that stands", ""}
        assert set(world.stock_by_sku().values()) == {0}
