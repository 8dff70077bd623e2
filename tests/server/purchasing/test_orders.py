"""One draft for each vendor, which grows until somebody sends it."""

from __future__ import annotations

from sqlalchemy import update
from world import CABLE, CONNECTOR, CONNEX, FIBRECO, MONDAY, ONT_A, ONT_B, World, uid

from server.clock import mint
from server.purchasing.models import PurchaseOrderLineRow, PurchaseOrderRow
from server.purchasing.orders import Drain, reorder
from server.stock.models import ProductRow


def set_points(world: World, **points: int) -> None:
    with world.database.write() as session:
        for sku, point in points.items():
            session.execute(
                update(ProductRow).where(ProductRow.sku == sku.replace("_", "-")).values(reorder_point=point)
            )


def buy(world: World, *skus: str) -> int:
    """How many purchase orders were touched."""
    with world.database.write() as session:
        drain = Drain(cause=uid("a close"), skus=frozenset(skus), moves=(), name=lambda what: mint())
        return len(reorder(session, [drain], MONDAY))


def lines(world: World) -> dict[str, tuple[int, int]]:
    """SKU → (quantity, unit cost)."""
    return {row.sku: (row.quantity, row.unit_cost_minor) for row in world.rows(PurchaseOrderLineRow)}


class TestReordering:
    def test_above_every_point_buys_nothing(self, world: World):
        assert buy(world, CABLE, CONNECTOR, ONT_A) == 0
        assert world.rows(PurchaseOrderRow) == []

    def test_raises_one_draft_for_each_vendor(self, world: World):
        set_points(world, CABLE_M=400, ONT_A=4, CONN_SC=40)
        assert buy(world, CABLE, CONNECTOR, ONT_A) == 2
        assert lines(world) == {CABLE: (500, 30), ONT_A: (5, 4_500), CONNECTOR: (100, 210)}
        assert {row.vendor_id for row in world.rows(PurchaseOrderRow)} == {uid(FIBRECO), uid(CONNEX)}

    def test_again_buys_nothing_more(self, world: World):
        set_points(world, CABLE_M=400)
        assert [buy(world, CABLE), buy(world, CABLE), buy(world, CABLE)] == [1, 0, 0]
        assert lines(world) == {CABLE: (500, 30)}

    def test_extends_the_line_of_a_draft_when_it_is_not_enough(self, world: World):
        set_points(world, CABLE_M=400)
        buy(world, CABLE)
        set_points(world, CABLE_M=900)
        assert buy(world, CABLE) == 1
        assert lines(world) == {CABLE: (1_000, 30)}

    def test_opens_a_new_draft_when_the_last_was_sent_and_counts_what_is_on_its_way(self, world: World):
        set_points(world, CABLE_M=400)
        buy(world, CABLE)
        with world.database.write() as session:
            session.execute(update(PurchaseOrderRow).values(state="sent"))
        assert buy(world, CABLE) == 0
        set_points(world, ONT_B=2)
        assert buy(world, CABLE, ONT_B) == 1
        assert sorted(row.state for row in world.rows(PurchaseOrderRow)) == ["draft", "sent"]

    def test_goods_received_count_as_stock_not_as_order(self, world: World):
        set_points(world, CABLE_M=400)
        buy(world, CABLE)
        with world.database.write() as session:
            session.execute(update(PurchaseOrderLineRow).values(received=500))
        assert buy(world, CABLE) == 1, "all of it came, and by the ledger it is not there"

    def test_of_nothing_touches_nothing(self, world: World):
        assert buy(world) == 0
