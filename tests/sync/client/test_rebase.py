"""The screen's rows are the server's rows plus unsent work, by the server's own rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import msgspec
from fake_server import (
    CABLE,
    CONNECTOR,
    MORNING,
    ONT,
    TECH_ANA,
    TECH_BEN,
    VAN_ANA,
    WO_1,
    WO_2,
    WO_3,
    Clock,
    FakeServer,
    uid,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clocks import Contact, Tap
from shared.commands import (
    AddNote,
    Arrive,
    CannotComplete,
    FieldCommand,
    InstallAsset,
    RecordCheck,
    RemoveAsset,
    StartTravel,
    SwapAsset,
    UndoSwap,
    UseParts,
)
from shared.problems import AlreadyClosed, NotFound, WorkOrderCancelled
from shared.work_orders import PartLine, RemovalCause, UnfinishedReason, WorkOrderState
from sync.client.rebase import corrected, rebase
from sync.client.records import Entry, Images
from sync.protocol import PushedCommand, encode

NO_CONTACT = None


def images_of(server: FakeServer) -> Images:
    """What Ana's phone holds after a sync."""
    town = server.town
    rows = [image for _, image in server.visible(TECH_ANA)]
    from shared.assets import Asset
    from shared.stock import StockLine
    from shared.work_orders import WorkOrder

    return Images(
        profile=town.profiles[TECH_ANA],
        orders={row.id: row for row in rows if isinstance(row, WorkOrder)},
        assets={row.serial: row for row in rows if isinstance(row, Asset)},
        stock={row.sku: row for row in rows if isinstance(row, StockLine)},
        products=town.products,
    )


def entries_of(commands: list[FieldCommand]) -> list[Entry]:
    return [
        Entry(
            id=uid(7000 + seq),
            seq=seq,
            type=command.type,
            schema=1,
            made_at=MORNING + timedelta(minutes=seq),
            base_version=0,
            body=encode(command),
            work_order_id=command.work_order_id,
            order_number="",
            command=command,
        )
        for seq, command in enumerate(commands, start=1)
    ]


def pushed_of(entries: list[Entry]) -> list[PushedCommand]:
    return [
        PushedCommand(
            id=entry.id,
            seq=entry.seq,
            type=entry.type,
            schema=entry.schema,
            made_at=entry.made_at,
            base_version=entry.base_version,
            body=msgspec.Raw(entry.body),
        )
        for entry in entries
    ]


def on_ana(orders: st.SearchStrategy[object]) -> st.SearchStrategy[FieldCommand]:
    parts = st.builds(PartLine, sku=st.sampled_from([CONNECTOR, CABLE]), quantity=st.integers(-1, 30))
    serials = st.sampled_from(["ZNTS00000001", "ZNTS00000002", "RTR0000001", "OLD0000001", "NEW0000001"])
    causes = st.sampled_from([None, RemovalCause.NO_POWER, RemovalCause.OTHER])
    return st.one_of(
        st.builds(StartTravel, work_order_id=orders),
        st.builds(Arrive, work_order_id=orders),
        st.builds(Arrive, work_order_id=orders),
        st.builds(
            InstallAsset,
            work_order_id=orders,
            serial=serials,
            source=st.just("camera"),
            sku=st.sampled_from([None, ONT]),
            confirmed=st.booleans(),
        ),
        st.builds(RemoveAsset, work_order_id=orders, serial=serials, reason=st.just("broken"), cause=causes),
        st.builds(
            SwapAsset,
            work_order_id=orders,
            old_serial=serials,
            serial=serials,
            source=st.just("typed"),
            sku=st.sampled_from([None, ONT]),
            confirmed=st.booleans(),
            cause=causes,
        ),
        st.builds(UndoSwap, work_order_id=orders, old_serial=serials, serial=serials),
        st.builds(
            RecordCheck,
            work_order_id=orders,
            code=st.just("optical_power"),
            value=st.decimals(-40, 0, places=1).map(Decimal),
        ),
        st.builds(UseParts, work_order_id=orders, lines=st.tuples(parts)),
        st.builds(AddNote, work_order_id=orders, text=st.sampled_from(["", "gate code", "dog"])),
        st.builds(
            CannotComplete,
            work_order_id=orders,
            reason=st.sampled_from(list(UnfinishedReason)),
            text=st.just("nobody there"),
        ),
    )


work = st.lists(on_ana(st.sampled_from([WO_1, WO_2, WO_3, uid(999)])), max_size=25).map(entries_of)


class TestRebasing:
    @settings(deadline=None, max_examples=150)
    @given(work)
    def test_shows_what_the_server_will_make_of_it(self, entries: list[Entry]):
        server = FakeServer(Clock(MORNING + timedelta(hours=1)))
        overlay = rebase(images_of(server), entries, NO_CONTACT)
        receipts = server.decide_all(pushed_of(entries))
        held = {receipt.command_id for receipt in receipts if receipt.outcome == "held"}
        assert held == set(overlay.blocked)
        assert overlay.images.orders == images_of(server).orders
        theirs = {sku: line.on_hand for sku, line in images_of(server).stock.items()}
        assert {sku: line.on_hand for sku, line in overlay.images.stock.items()} == theirs

    @settings(deadline=None, max_examples=100)
    @given(work, st.integers(0, 25))
    def test_may_be_done_in_two_parts(self, entries: list[Entry], cut: int):
        images = images_of(FakeServer(Clock()))
        whole = rebase(images, entries, NO_CONTACT)
        first = rebase(images, entries[:cut], NO_CONTACT)
        second = rebase(first.images, entries[cut:], NO_CONTACT)
        assert second.images == whole.images
        assert set(first.blocked) | set(second.blocked) == set(whole.blocked)

    @settings(deadline=None, max_examples=100)
    @given(work, st.integers(0, 25))
    def test_a_part_that_the_server_has_answered_makes_no_difference(self, entries: list[Entry], cut: int):
        server = FakeServer(Clock(MORNING + timedelta(hours=1)))
        shown = rebase(images_of(server), entries, NO_CONTACT).images.orders
        server.decide_all(pushed_of(entries[:cut]))
        assert rebase(images_of(server), entries[cut:], NO_CONTACT).images.orders == shown

    @settings(deadline=None, max_examples=100)
    @given(work, st.lists(st.sampled_from(["give", "cancel", "nothing"]), min_size=3, max_size=3))
    def test_nothing_is_dropped_whatever_the_office_did(self, entries: list[Entry], deeds: list[str]):
        server = FakeServer(Clock())
        for order_id, deed in zip((WO_1, WO_2, WO_3), deeds, strict=True):
            if deed == "give":
                server.give(order_id, TECH_BEN)
            elif deed == "cancel":
                server.cancel(order_id)
        images = images_of(server)
        overlay = rebase(images, entries, NO_CONTACT)
        versions = sum(order.version for order in overlay.images.orders.values())
        grown = versions - sum(order.version for order in images.orders.values())
        assert grown >= len(entries) - len(overlay.blocked)
        assert set(overlay.blocked) <= {entry.id for entry in entries}

    def test_leaves_the_servers_rows_alone(self):
        images = images_of(FakeServer(Clock()))
        before = (dict(images.orders), dict(images.assets), dict(images.stock))
        rebase(images, entries_of([StartTravel(work_order_id=WO_1)]), NO_CONTACT)
        assert (images.orders, images.assets, images.stock) == before

    def test_says_why_work_no_longer_applies(self):
        server = FakeServer(Clock())
        server.cancel(WO_1)
        entries = entries_of([StartTravel(work_order_id=order) for order in (WO_1, WO_2, uid(999))])
        overlay = rebase(images_of(server), entries, NO_CONTACT)
        found = {key.int & 0xF: type(problem) for key, problem in overlay.blocked.items()}
        assert list(found.values()) == [WorkOrderCancelled, NotFound]
        assert overlay.images.orders[WO_2].state is WorkOrderState.TRAVELLING

    def test_a_closed_job_moves_stock_and_devices(self):
        lines = (PartLine(sku=CONNECTOR, quantity=3),)
        entries = entries_of(
            [
                StartTravel(work_order_id=WO_1),
                Arrive(work_order_id=WO_1),
                UseParts(work_order_id=WO_1, lines=lines),
                CannotComplete(work_order_id=WO_1, reason=UnfinishedReason.NO_ACCESS),
                RecordCheck(work_order_id=WO_1, code="optical_power", value=Decimal("-18")),
            ]
        )
        overlay = rebase(images_of(FakeServer(Clock())), entries, NO_CONTACT)
        line = overlay.images.stock[CONNECTOR]
        assert (line.stock_place_id, line.on_hand, line.par) == (VAN_ANA, 17, 20)
        assert [type(problem) for problem in overlay.blocked.values()] == [AlreadyClosed]

    def test_what_an_older_app_queued_is_passed_over(self):
        entry = replace(entries_of([StartTravel(work_order_id=WO_1)])[0], command=None)
        images = images_of(FakeServer(Clock()))
        assert rebase(images, [entry], NO_CONTACT).images == images

    def test_small_clock_differences_are_left_alone(self):
        tap = Tap(made_at=MORNING)
        for minutes, at in ((2, MORNING), (-3, MORNING - timedelta(minutes=3))):
            contact = Contact(device_now=MORNING, server_now=MORNING + timedelta(minutes=minutes))
            assert corrected(tap, contact) == at

    def test_before_the_first_contact_the_device_is_believed(self):
        assert corrected(Tap(made_at=MORNING), None) == MORNING

    def test_a_clock_that_was_set_since_the_tap_is_seen_through(self):
        tap = Tap(made_at=MORNING + timedelta(hours=9), mono_ms=60_000, boot="run 1")
        contact = Contact(device_now=MORNING, server_now=MORNING, mono_ms=0, boot="run 1")
        assert corrected(tap, contact) == MORNING + timedelta(minutes=1)

    def test_what_a_restored_server_shows_already_is_not_shown_twice(self):
        images = images_of(FakeServer(Clock()))
        note = entries_of([AddNote(work_order_id=WO_1, text="once")])[0]
        version = images.orders[WO_1].version
        missing = replace(note, outcome="accepted", confirm=True, base_version=version)
        contained = replace(missing, base_version=version - 1)
        assert len(rebase(images, [missing], NO_CONTACT).images.orders[WO_1].notes) == 1
        assert rebase(images, [contained], NO_CONTACT).images == images
