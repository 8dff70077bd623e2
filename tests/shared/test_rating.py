"""What a visit costs: exact amounts by kind of visit, tax line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from situations import PRODUCTS, a_product, an_order

from shared.charges import Bill, Charge
from shared.money import Money
from shared.rating import Prices, Tariff, bill_of, expected, price, version_of
from shared.work_orders import PartLine, ServiceState, WorkOrderKind

TAX = 2_550

HOME = Tariff(
    code="H100", name="Home 100", monthly=Money(3_100), fees={"install": 9_900, "disconnect": 1_900}
)
FAST = Tariff(code="H500", name="Home 500", monthly=Money(4_650), fees={"upgrade": 2_500})
DECEMBER_11 = date(2026, 12, 11)  # 21 of 31 days are left, the 11th included


def charges(kind: WorkOrderKind, on: date = DECEMBER_11, new: Tariff = HOME, old: Tariff | None = None):
    parts = (
        PartLine(sku="CABLE", quantity=10),
        PartLine(sku="CABLE", quantity=8),
        PartLine(sku="CONN", quantity=2),
    )
    bill = bill_of(an_order(kind=kind, parts=parts), on, new, old, PRODUCTS, TAX)
    return {charge.code: charge.net_minor for charge in bill.charges}


class TestCharges:
    def test_of_an_installation(self):
        assert charges(WorkOrderKind.INSTALL) == {
            "fee": 9_900,
            "part:CABLE": 1_800,
            "part:CONN": 200,
            "first-month": 2_100,
        }

    @pytest.mark.parametrize(
        ("on", "net"),
        [
            (date(2026, 12, 1), 3_100),
            (date(2026, 12, 31), 100),
            (date(2026, 2, 1), 3_100),
            (date(2026, 2, 28), 111),
            (date(2028, 2, 29), 107),
        ],
    )
    def test_of_a_first_month_by_whole_days(self, on: date, net: int):
        assert charges(WorkOrderKind.INSTALL, on)["first-month"] == net

    def test_of_an_upgrade(self):
        assert charges(WorkOrderKind.UPGRADE, new=FAST, old=HOME) == {
            "fee": 2_500,
            "part:CABLE": 1_800,
            "part:CONN": 200,
            "plan-change": 1_050,
        }

    def test_of_a_change_to_a_cheaper_plan_is_a_credit(self):
        assert charges(WorkOrderKind.UPGRADE, new=HOME, old=FAST)["plan-change"] == -1_050

    def test_of_an_upgrade_of_devices_only(self):
        assert "plan-change" not in charges(WorkOrderKind.UPGRADE, new=HOME, old=HOME)

    @pytest.mark.parametrize("kind", [WorkOrderKind.REPAIR, WorkOrderKind.SWAP])
    def test_of_mending_what_is_ours_are_none(self, kind: WorkOrderKind):
        assert charges(kind) == {"fee": 0}

    def test_of_a_disconnection_credit_the_days_that_are_not_used(self):
        assert charges(WorkOrderKind.DISCONNECT) == {"fee": 1_900, "unused-days": -2_000}
        assert charges(WorkOrderKind.DISCONNECT, date(2026, 12, 31)) == {"fee": 1_900}

    def test_add_up_the_lines_of_one_part(self):
        parts = (PartLine(sku="CABLE", quantity=3), PartLine(sku="CABLE", quantity=4))
        bill = bill_of(an_order(parts=parts), DECEMBER_11, HOME, None, PRODUCTS, TAX)
        assert bill.charges[1] == Charge(
            code="part:CABLE", description="Cable", quantity=7, unit_minor=100, net_minor=700, tax_minor=178
        )  # fmt: skip

    def test_refuse_to_add_up_two_currencies(self):
        products = PRODUCTS | {"CABLE": replace(a_product("CABLE", "Prysmian", "FD1"), currency="SEK")}
        with pytest.raises(ValueError, match="cannot mix EUR and SEK"):
            bill_of(
                an_order(parts=(PartLine(sku="CABLE", quantity=1),)), DECEMBER_11, HOME, None, products, TAX
            )  # fmt: skip


class TestABill:
    BILL = bill_of(
        an_order(parts=(PartLine(sku="CABLE", quantity=18),)), DECEMBER_11, HOME, None, PRODUCTS, TAX
    )  # fmt: skip

    def test_adds_up_line_by_line(self):
        assert [(charge.net_minor, charge.tax_minor) for charge in self.BILL.charges] == [
            (9_900, 2_524),
            (1_800, 459),
            (2_100, 536),
        ]
        assert (self.BILL.net, self.BILL.tax, self.BILL.total) == (Money(13_800), Money(3_519), Money(17_319))

    def test_is_capped_to_the_cent_by_a_credit(self):
        capped = self.BILL.capped(Money(15_000), TAX)
        assert capped.total == Money(15_000)
        assert capped.left_out == capped.charges[-1]
        assert (capped.charges[-1].net_minor, capped.charges[-1].tax_minor) == (-1_848, -471)
        assert capped.charges[:-1] == self.BILL.charges, "every charge stays"

    @pytest.mark.parametrize("most", [0, 1, 17_318, 9_999])
    @pytest.mark.parametrize("tax", [0, 1, 700, 2_550, 10_000])
    def test_is_capped_to_the_cent_whatever_the_tax(self, most: int, tax: int):
        assert self.BILL.capped(Money(most), tax).total == Money(most)

    def test_is_charged_in_full_after_all_and_shows_neither(self):
        full = self.BILL.capped(Money(15_000), TAX).in_full()
        assert (full.total, full.left_out, full.shown) == (self.BILL.total, None, self.BILL.charges)
        with pytest.raises(ValueError, match="nothing is left out"):
            full.in_full()

    def test_shows_no_line_that_costs_nothing(self):
        free = bill_of(an_order(kind=WorkOrderKind.REPAIR), DECEMBER_11, HOME, None, PRODUCTS, TAX)
        assert ([charge.code for charge in free.charges], free.shown) == (["fee"], ())


HELSINKI = ZoneInfo("Europe/Helsinki")
PRICES = Prices(tariffs={"H100": HOME, "H500": FAST}, tax_basis_points=TAX, zone=HELSINKI)


class TestAPrice:
    def test_is_of_the_day_where_the_customer_lives(self):
        late = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)  # 00:30 on 1 December in Helsinki
        bill = price(an_order(), PRICES, PRODUCTS, late)
        assert bill is not None and bill.charges[-1].net_minor == 3_100
        assert (bill.charges[-1].days, bill.charges[-1].of_days) == (31, 31)

    def test_of_a_change_goes_by_the_plan_that_runs(self):
        service = replace(
            an_order().service, plan_code="H500", running_plan_code="H100", state=ServiceState.ACTIVE
        )
        noon = datetime(2026, 12, 11, 10, tzinfo=UTC)
        bill = price(an_order(kind=WorkOrderKind.UPGRADE, service=service), PRICES, PRODUCTS, noon)
        assert bill is not None
        assert [(charge.code, charge.net_minor) for charge in bill.charges] == [
            ("fee", 2_500),
            ("plan-change", 1_050),
        ]

    @pytest.mark.parametrize(
        "order",
        [
            an_order(service=replace(an_order().service, plan_code="GONE")),
            an_order(kind=WorkOrderKind.UPGRADE),
            an_order(kind=WorkOrderKind.DISCONNECT),
            an_order(parts=(PartLine(sku="NEW", quantity=1),)),
        ],
        ids=["no tariff", "what ran is not known", "the same", "no such part"],
    )
    def test_is_not_guessed(self, order):
        assert price(order, PRICES, PRODUCTS, datetime(2026, 12, 11, 10, tzinfo=UTC)) is None

    def test_before_work_is_with_the_parts_that_are_planned_or_more(self):
        order = an_order(
            required_parts=(PartLine(sku="CABLE", quantity=20), PartLine(sku="CONN", quantity=2)),
            parts=(PartLine(sku="CABLE", quantity=15), PartLine(sku="CABLE", quantity=10)),
        )
        assert expected(order).parts == (
            PartLine(sku="CABLE", quantity=25),
            PartLine(sku="CONN", quantity=2),
        )

    def test_list_has_a_name_that_changes_with_any_price(self):
        named = version_of(PRICES, PRODUCTS.values())
        assert named == version_of(PRICES, reversed(PRODUCTS.values())) and len(named) == 12
        dearer = replace(PRODUCTS["CABLE"], price_minor=101)
        others = {
            version_of(replace(PRICES, tax_basis_points=2_400), PRODUCTS.values()),
            version_of(PRICES, (PRODUCTS | {"CABLE": dearer}).values()),
            version_of(replace(PRICES, tariffs={"H100": HOME}), PRODUCTS.values()),
        }
        assert len(others - {named}) == 3

    def test_has_its_place_in_one_bill(self):
        assert Bill(currency="EUR", charges=()).total == Money(0)
