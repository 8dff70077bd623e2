"""Charges by kind of visit, and a journal that balances."""

from __future__ import annotations

from datetime import date
from uuid import uuid5

import pytest
from situations import JOB, PRODUCTS, an_order
from world import MONDAY, World

from server.billing.journal import Account, Posting, post
from server.billing.models import JournalLineRow
from server.billing.rating import Charge, Tariff, charges_for
from shared.money import Money
from shared.work_orders import PartLine, WorkOrderKind

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
    return {
        charge.code: charge.net.minor
        for charge in charges_for(an_order(kind=kind, parts=parts), on, new, old, PRODUCTS)
    }


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
        [cable] = [
            charge
            for charge in charges_for(
                an_order(parts=(PartLine(sku="CABLE", quantity=3), PartLine(sku="CABLE", quantity=4))),
                DECEMBER_11, HOME, None, PRODUCTS,
            )
            if charge.code == "part:CABLE"
        ]  # fmt: skip
        assert cable == Charge(
            code="part:CABLE", description="Cable", quantity=7, unit=Money(100), net=Money(700)
        )


class TestTheJournal:
    def test_adds_an_entry_that_balances(self, world: World):
        postings = [
            Posting(Account.RECEIVABLE_DRAFT, Money(125)),
            Posting(Account.VISITS, Money(-100)),
            Posting(Account.VAT, Money(-25)),
            Posting(Account.PARTS, Money(0)),
        ]
        with world.database.write() as session:
            post(session, JOB, postings, at=MONDAY)
        assert [(row.line, row.account[:4], row.amount_minor) for row in world.rows(JournalLineRow)] == [
            (1, "1500", 125),
            (2, "4000", -100),
            (3, "2200", -25),
        ]

    def test_refuses_one_that_does_not(self, world: World):
        postings = [Posting(Account.STOCK, Money(5)), Posting(Account.PARTS_USED, Money(-4))]
        with (
            pytest.raises(ValueError, match=r"the entry is off by 0\.01 EUR"),
            world.database.write() as session,
        ):
            post(session, JOB, postings, at=MONDAY)
        assert world.rows(JournalLineRow) == []

    def test_adds_nothing_for_nothing(self, world: World):
        with world.database.write() as session:
            post(session, uuid5(JOB, "free"), [Posting(Account.VISITS, Money(0))], at=MONDAY)
        assert world.rows(JournalLineRow) == []
