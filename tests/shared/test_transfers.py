"""A transfer between two vans: both halves say the same, and units are conserved whatever comes first."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from situations import ANA, ANAS_VAN, BEN, BENS_VAN, CEM, NOON, a_device, a_van, installed

from shared import stock_events as ev
from shared.decide import StockDecision, decide_stock
from shared.problems import BadValue, SerialElsewhere, TransferDisagrees, UnsealedTransfer
from shared.situation import UNRECEIVED_PLACE
from shared.stock import StockMove
from shared.stock_commands import HandOver, TakeOver
from shared.transfers import Handed, HandedDevice, Offer, Transfer, seal_offer, seal_taken
from shared.van import Van
from shared.work_orders import PartLine

ID = UUID(int=81)
ONT = HandedDevice(serial="ANA0001", sku="ONT-A")


def parts(**units: int) -> tuple[PartLine, ...]:
    return tuple(PartLine(sku=sku, quantity=quantity) for sku, quantity in units.items())


def a_transfer(*, offered: dict[str, int] | None = None, device: bool = False, **taken: int) -> Transfer:
    """From Ana to Ben; what is taken was offered, unless `offered` says otherwise."""
    devices = (ONT,) if device else ()
    offer = Offer(
        id=ID, giver_id=ANA, giver_van_id=ANAS_VAN, offered_at=NOON,
        lines=parts(**(offered if offered is not None else taken)), devices=devices,
    )  # fmt: skip
    return Transfer(offer=offer, taker_id=BEN, taker_van_id=BENS_VAN, lines=parts(**taken), devices=devices)


def hand(transfer: Transfer) -> HandOver:
    return HandOver(transfer=transfer, giver_seal="g", taker_seal="t")


def take(transfer: Transfer) -> TakeOver:
    return TakeOver(transfer=transfer, giver_seal="g", taker_seal="t")


def anas(*devices, **on_hand: int) -> Van:
    return a_van(*devices, **on_hand)


def bens(*devices, **on_hand: int) -> Van:
    return replace(a_van(*devices, **on_hand), actor_id=BEN, van_id=BENS_VAN, van_name="Van ben")


class TestEachPhone:
    def test_the_givers_list_loses_what_the_takers_gains(self):
        transfer = a_transfer(offered={"CONN": 5}, CONN=3)
        given = decide_stock(hand(transfer), anas(CONN=10), NOON)
        taken = decide_stock(take(transfer), bens(), NOON)
        move = StockMove(sku="CONN", quantity=3, source_id=ANAS_VAN, target_id=BENS_VAN)
        assert given.events == (ev.TransferBooked(at=NOON, transfer=transfer, by_giver=True, moves=(move,)),)
        assert taken.events == (ev.TransferBooked(at=NOON, transfer=transfer, by_giver=False, moves=(move,)),)
        assert (given.after.on_hand, taken.after.on_hand) == ({"CONN": 7}, {"CONN": 3})
        assert given.remarks == taken.remarks == ()

    def test_a_device_leaves_one_van_and_is_on_the_other(self):
        transfer = a_transfer(device=True)
        given = decide_stock(hand(transfer), anas(a_device()), NOON).after.assets["ANA0001"]
        taken = decide_stock(take(transfer), bens(), NOON).after.assets["ANA0001"]
        assert (given.holder_id, given.holder_name) == (BENS_VAN, "another van")
        assert (taken.holder_id, taken.holder_name, taken.sku) == (BENS_VAN, "Van ben", "ONT-A")

    def test_a_half_shows_nothing_where_the_server_has_booked_the_other(self):
        transfer = a_transfer(CONN=3)
        booked = Handed(transfer=transfer, given=False, taken=True)
        decision = decide_stock(hand(transfer), replace(anas(CONN=7), transfers={ID: booked}), NOON)
        assert decision.after.on_hand == {"CONN": 7}
        assert decision.after.transfers[ID] == Handed(transfer=transfer, given=True, taken=True)


def on_server(van: Van, transfers: dict[UUID, Handed], **giver: int) -> Van:
    return replace(van, transfers=transfers, sealed=True, giver_on_hand=giver)


class TestTheServer:
    @given(
        had=st.integers(-5, 50),
        offered=st.integers(1, 30),
        fewer=st.integers(0, 29),
        order=st.lists(st.sampled_from(["giver", "taker"]), min_size=1, max_size=6),
    )
    def test_conserves_units_for_any_order_and_any_repetition(
        self, had: int, offered: int, fewer: int, order: list[str]
    ):
        transfer = a_transfer(offered={"CONN": offered}, CONN=max(1, offered - fewer))
        [line] = transfer.lines
        held = {ANAS_VAN: had, BENS_VAN: 4}
        transfers: dict[UUID, Handed] = {}
        remarks = 0
        for side in order:
            van = anas(CONN=held[ANAS_VAN]) if side == "giver" else bens(CONN=held[BENS_VAN])
            half = hand(transfer) if side == "giver" else take(transfer)
            decision = decide_stock(half, on_server(van, transfers, CONN=held[ANAS_VAN]), NOON)
            transfers = dict(decision.after.transfers)
            remarks += len(decision.remarks)
            for move in (move for event in decision.events for move in event.moves):
                held[move.source_id] -= move.quantity
                held[move.target_id] += move.quantity
        assert held == {ANAS_VAN: had - line.quantity, BENS_VAN: 4 + line.quantity}
        assert transfers[ID].given == ("giver" in order)
        assert transfers[ID].taken == ("taker" in order)
        assert remarks == (line.quantity > had), "said once, by whoever comes first"

    def test_holds_a_half_that_says_something_else(self):
        booked = {ID: Handed(transfer=a_transfer(offered={"CONN": 5}, CONN=5), given=False, taken=True)}
        other = hand(a_transfer(offered={"CONN": 5}, CONN=3))
        with pytest.raises(TransferDisagrees, match="The other side has 5 × CONN, this one has 3 × CONN"):
            decide_stock(other, on_server(anas(CONN=10), booked), NOON)

    def test_holds_what_is_not_sealed(self):
        with pytest.raises(UnsealedTransfer):
            decide_stock(take(a_transfer(CONN=1)), replace(bens(), sealed=False), NOON)

    def test_follows_a_device_to_wherever_it_is_booked(self):
        elsewhere = a_device(holder_id=UUID(int=13), holder_name="Van cem")
        decision = decide_stock(take(a_transfer(device=True)), on_server(bens(elsewhere), {}), NOON)
        assert [(move.source_id, move.target_id) for move in decision.events[0].moves] == [
            (UUID(int=13), BENS_VAN)
        ]
        assert [remark.detail for remark in decision.remarks] == ["ANA0001 was booked on Van cem"]

    def test_moves_no_device_that_is_there_already(self):
        there = a_device(holder_id=BENS_VAN)
        decision = decide_stock(take(a_transfer(device=True)), on_server(bens(there), {}), NOON)
        assert (decision.events[0].moves, decision.remarks) == ((), ())

    def test_books_a_device_that_nobody_received(self):
        decision = decide_stock(take(a_transfer(device=True)), on_server(bens(), {}), NOON)
        assert [move.source_id for move in decision.events[0].moves] == [UNRECEIVED_PLACE]
        assert [remark.slug for remark in decision.remarks] == ["unreceived-serial"]

    def test_holds_a_device_that_hangs_at_a_customers(self):
        with pytest.raises(SerialElsewhere):
            decide_stock(take(a_transfer(device=True)), on_server(bens(installed("ANA0001")), {}), NOON)


class TestWhatNobodyCanHandOver:
    @pytest.mark.parametrize(
        "transfer",
        [
            a_transfer(),
            a_transfer(offered={"CONN": 2}, CONN=3),
            a_transfer(offered={}, CONN=1),
            a_transfer(CONN=0),
            a_transfer(CONN=10_001),
            a_transfer(NOPE=1),
            replace(a_transfer(CONN=1), taker_van_id=ANAS_VAN),
            replace(a_transfer(CONN=1), lines=parts(CONN=1) * 2),
            replace(a_transfer(CONN=1), devices=(ONT,)),
            replace(a_transfer(device=True), devices=(ONT, ONT)),
        ],
    )
    def test_is_refused(self, transfer: Transfer):
        with pytest.raises(BadValue):
            decide_stock(take(transfer), bens(CONN=5), NOON)

    def test_nor_what_is_between_two_others(self):
        with pytest.raises(BadValue, match="between two others"):
            decide_stock(hand(a_transfer(CONN=1)), replace(anas(CONN=5), actor_id=CEM), NOON)
        with pytest.raises(BadValue, match="between two others"):
            decide_stock(take(a_transfer(CONN=1)), anas(CONN=5), NOON)


class TestSeals:
    def test_are_of_all_that_was_said_and_of_one_key(self):
        transfer = a_transfer(CONN=3, device=True)
        offer = transfer.offer
        seals = {
            seal_offer("key", offer),
            seal_offer("another", offer),
            seal_offer("key", replace(offer, id=UUID(int=82))),
            seal_offer("key", replace(offer, giver_van_id=BENS_VAN)),
            seal_offer("key", replace(offer, giver_id=CEM)),
            seal_offer("key", replace(offer, lines=parts(CONN=4))),
            seal_offer("key", replace(offer, devices=())),
            seal_taken("key", transfer, "seal"),
            seal_taken("key", transfer, "other seal"),
            seal_taken("key", replace(transfer, taker_id=CEM), "seal"),
            seal_taken("key", replace(transfer, lines=parts(CONN=2)), "seal"),
        }
        assert len(seals) == 11
        assert {len(seal) for seal in seals} == {20}


def test_the_decisions_of_both_phones_add_up_to_the_servers():
    transfer = a_transfer(CONN=3)
    phones: list[StockDecision] = [
        decide_stock(hand(transfer), anas(CONN=10), NOON),
        decide_stock(take(transfer), bens(CONN=1), NOON),
    ]
    assert [decision.after.on_hand["CONN"] for decision in phones] == [7, 4]
