"""The stock ledger and when to buy."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError
from world import CABLE, CONNECTOR, MONDAY, World, uid

from server.stock import ledger
from server.stock.products import products
from server.stock.reorder import Position, quantity_to_order
from shared.catalogue import Tracking, Unit
from shared.stock import StockMove


class TestTheLedger:
    def test_a_balance_is_what_came_less_what_went(self, world: World):
        move = StockMove(sku=CABLE, quantity=30, source_id=world.ana.van_id, target_id=world.ben.van_id)
        with world.database.write() as session:
            ledger.book(session, [move], cause=uid("swap between vans"), at=MONDAY)
        with world.database.read() as session:
            assert ledger.balances(session, world.ana.van_id, [CABLE, CONNECTOR]) == {
                CABLE: 170,
                CONNECTOR: 20,
            }
            assert ledger.balances(session, world.ben.van_id)[CABLE] == 230
            assert ledger.balances(session, world.depot_id) == {}
            assert ledger.balances(session, world.ana.van_id, []) == {}
            assert ledger.ours(session, [CABLE]) == {CABLE: 400}, "from van to van we have as much as before"

    def test_one_cause_is_never_booked_twice(self, world: World):
        move = StockMove(sku=CABLE, quantity=30, source_id=world.ana.van_id, target_id=world.ben.van_id)
        before = world.contents()["stock_move"]
        with pytest.raises(IntegrityError), world.database.write() as session:
            ledger.book(session, [move], cause=uid("once"), at=MONDAY)
            session.flush()
            ledger.book(session, [move], cause=uid("once"), at=MONDAY)
        assert world.contents()["stock_move"] == before

    def test_counts_what_is_promised_until_it_is_released(self, world: World):
        first, _second = world.order(), world.order()
        with world.database.read() as session:
            assert ledger.reserved(session, world.ana.van_id) == {CABLE: 40}
        world.ana.send(*world.visit(first))
        with world.database.read() as session:
            assert ledger.reserved(session, world.ana.van_id) == {CABLE: 20}

    def test_products_come_with_unit_and_price(self, world: World):
        with world.database.read() as session:
            assert len(products(session)) == 5
            cable = products(session, [CABLE])[CABLE]
        assert (cable.unit, cable.tracking, cable.price_minor) == (Unit.METRE, Tracking.COUNTED, 65)


class TestWhenToBuy:
    @pytest.mark.parametrize(
        ("on_hand", "on_order", "buys"),
        [
            (51, 0, 0),
            (50, 0, 100),  # at the point
            (0, 0, 100),
            (-30, 0, 100),
            (-51, 0, 200),  # 100 would leave 49
            (-50, 0, 200),  # 100 would leave 50, which is the point again
            (20, 31, 0),
            (20, 30, 100),
            (-500, 600, 0),
        ],
    )
    def test_whole_lots_until_hand_and_order_are_above_the_point(
        self, on_hand: int, on_order: int, buys: int
    ):
        position = Position(on_hand=on_hand, on_order=on_order, reorder_point=50, reorder_quantity=100)
        assert quantity_to_order(position) == buys
