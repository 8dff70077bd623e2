"""The customer's answer to a price, and what may be billed after it. Values in, values out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from situations import ANA, BEN, JOB, NOON, a_situation

from shared import commands as cmd
from shared.agreed import agreed, billable, limit, over
from shared.charges import Bill, Charge
from shared.decide import decide, decide_as_report
from shared.money import Money
from shared.problems import BadEvidence, BadValue, Problem, WorkOrderDeleted
from shared.situation import Situation
from shared.work_orders import EvidenceKind, EvidenceRef, WorkOrderState

MINUTE = timedelta(minutes=1)
SIGNATURE = EvidenceRef(
    kind=EvidenceKind.SIGNATURE,
    digest="b2" * 32,
    size_bytes=900,
    media_type="image/png",
    taken_at=NOON,
    signer="Liisa",
)


def charge(code: str, net: int, tax: int = 0) -> Charge:
    return Charge(
        code=code, description=code, quantity=1, unit_minor=net, net_minor=net, tax_minor=tax
    )  # fmt: skip


def bill(*charges: Charge, currency: str = "EUR") -> Bill:
    return Bill(currency=currency, charges=charges or (charge("fee", 8_000, 2_000),))


def answer(total: int = 10_000, **changes: Any) -> cmd.ConsentToCharge:
    values: dict[str, Any] = {
        "work_order_id": JOB,
        "bill": bill(charge("fee", total)),
        "name": "Liisa",
        "language": "fi",
        "price_version": "a1b2",
    }
    return cmd.ConsentToCharge(**values | changes)


def after(*answers: cmd.ConsentToCharge, before: Situation | None = None) -> Situation:
    """One a minute from noon."""
    now = before or a_situation()
    for number, command in enumerate(answers):
        now = decide(command, now, NOON + number * MINUTE).after
    return now


class TestAnAnswer:
    def test_is_kept_whole(self):
        command = answer(signature=SIGNATURE)
        now = a_situation()
        decision = decide(command, now, NOON)
        [consent] = decision.after.order.consents
        assert (consent.bill, consent.name, consent.refused, consent.by, consent.at) == (
            command.bill, "Liisa", False, ANA, NOON,
        )  # fmt: skip
        assert (consent.language, consent.price_version, consent.signature) == ("fi", "a1b2", SIGNATURE)
        assert decision.remarks == ()
        assert replace(decision.after.order, consents=(), version=now.order.version) == now.order

    @pytest.mark.parametrize("state", list(WorkOrderState))
    def test_is_welcome_at_any_time(self, state: WorkOrderState):
        decision = decide(answer(), a_situation(state=state), NOON)
        assert len(decision.after.order.consents) == 1 and decision.after.order.state is state

    def test_takes_nothing_over(self):
        given_away = a_situation(technician_id=BEN, former_technician_ids=frozenset({ANA}))
        decision = decide(answer(), given_away, NOON)
        assert (decision.after.order.technician_id, decision.after.order.consents[0].by) == (BEN, ANA)

    def test_to_a_job_that_was_deleted_is_held(self):
        with pytest.raises(WorkOrderDeleted):
            decide(answer(), a_situation(deleted_at=NOON), NOON)

    def test_is_the_same_beside_work_that_stands(self):
        assert len(decide_as_report(answer(), a_situation(), NOON).after.order.consents) == 1

    def test_may_be_a_no_without_a_name(self):
        [consent] = after(answer(name="  ", refused=True)).order.consents
        assert (consent.refused, consent.name) == (True, "")

    @pytest.mark.parametrize(
        ("change", "kind", "field"),
        [
            ({"name": " \x00"}, BadValue, "name"),
            ({"name": "L" * 201}, BadValue, "name"),
            ({"bill": bill(currency="eur")}, BadValue, "bill"),
            ({"bill": Bill(currency="EUR", charges=())}, BadValue, "bill"),
            ({"bill": bill(charge("fee", 10**12 + 1))}, BadValue, "bill"),
            ({"bill": bill(charge("fee", 1), charge("fee", 2))}, BadValue, "bill"),
            ({"bill": bill(replace(charge("fee", 1), description="a\x00b"))}, BadValue, "bill"),
            ({"bill": bill(charge("fee\x00", 1))}, BadValue, "bill"),
            ({"bill": bill(charge("f" * 201, 1))}, BadValue, "bill"),
            ({"signature": replace(SIGNATURE, kind=EvidenceKind.PHOTO)}, BadEvidence, "signature"),
            ({"signature": replace(SIGNATURE, digest="no")}, BadEvidence, "signature"),
            ({"signature": replace(SIGNATURE, size_bytes=0)}, BadEvidence, "signature"),
        ],
    )
    def test_that_cannot_be_meant_names_its_field(
        self, change: dict[str, Any], kind: type[Problem], field: str
    ):
        now = a_situation()
        with pytest.raises(kind) as caught:
            decide(answer(**change), now, NOON)
        assert (caught.value.field, now.order.consents) == (field, ())

    def test_is_kept_without_what_no_database_holds(self):
        [consent] = after(answer(language="f\x00i", price_version="a\x001")).order.consents
        assert (consent.language, consent.price_version) == ("fi", "a1")

    def test_is_one_of_fifty_at_most(self):
        [one] = after(answer()).order.consents
        almost, full = a_situation(consents=(one,) * 49), a_situation(consents=(one,) * 50)
        assert len(after(answer(), before=almost).order.consents) == 50
        with pytest.raises(BadValue, match=r"50 answers .* let dispatch agree it by phone"):
            after(answer(), before=full)
        assert full.order.consents == (one,) * 50


class TestWhatWasAgreed:
    def test_is_the_newest_yes(self):
        yes = agreed(after(answer(10_000), answer(12_000)).order)
        assert yes is not None and yes.bill.total == Money(12_000)

    def test_stands_when_more_is_refused(self):
        yes = agreed(after(answer(10_000), answer(12_000, refused=True)).order)
        assert yes is not None and yes.bill.total == Money(10_000)

    @pytest.mark.parametrize("total", [10_000, 9_000])
    def test_is_taken_back_by_a_no_to_as_much_or_less(self, total: int):
        assert agreed(after(answer(10_000), answer(total, refused=True)).order) is None

    def test_is_what_was_said_after_a_no(self):
        yes = agreed(after(answer(10_000, refused=True), answer(10_000)).order)
        assert yes is not None and not yes.refused


class TestWhatMayBeBilled:
    BILL = bill(charge("fee", 8_000, 2_000), charge("part:CABLE", 1_000, 250))

    @pytest.mark.parametrize(
        ("answers", "most"),
        [
            ([], 10_000),  # what was ordered, without what came on top
            ([answer(11_250)], 11_250),
            ([answer(20_000)], 20_000),
            ([answer(10_500), answer(11_250, refused=True)], 10_500),
            ([answer(11_250, refused=True)], 0),
            ([answer(bill=bill(charge("fee", 99_999), currency="SEK"))], 0),
        ],
    )
    def test_has_a_limit(self, answers: list[cmd.ConsentToCharge], most: int):
        order = after(*answers).order
        assert limit(order, self.BILL, can_ask=True) == Money(most)
        assert over(order, self.BILL) == Money(max(0, 11_250 - most))

    def test_has_none_where_the_app_could_not_ask(self):
        order = a_situation().order
        assert (limit(order, self.BILL, can_ask=False), over(order, self.BILL, can_ask=False)) == (
            None, Money(0),
        )  # fmt: skip
        assert billable(order, self.BILL, 2_500, can_ask=False) == (self.BILL, ())

    def test_is_what_was_agreed_to_and_no_more(self):
        found, [remark] = billable(after(answer(10_500)).order, self.BILL, 2_500, can_ask=True)
        assert found.total == Money(10_500)
        assert found.charges[:2] == self.BILL.charges
        assert (found.charges[2].net_minor, found.charges[2].tax_minor) == (-600, -150)
        assert remark.slug == "charge-not-agreed"

    def test_is_all_of_it_where_it_costs_less(self):
        assert billable(after(answer(11_251)).order, self.BILL, 2_500, can_ask=True) == (self.BILL, ())

    def test_gives_back_what_is_to_be_given_back(self):
        credit = bill(charge("fee", 1_000), charge("unused-days", -3_000))
        refused = after(answer(refused=True)).order
        assert billable(refused, credit, 2_500, can_ask=True) == (credit, ())

    @pytest.mark.parametrize("answers", [[], [answer(-3_000)], [answer(-500, refused=True)]])
    def test_takes_no_part_out_of_what_is_given_back(self, answers: list[cmd.ConsentToCharge]):
        smaller_plan = bill(charge("plan-change", -3_000), charge("part:CABLE", 2_000, 500))
        found, [remark] = billable(after(*answers).order, smaller_plan, 2_500, can_ask=True)
        assert (found.total, remark.slug) == (Money(-3_000), "charge-not-agreed")
        assert (found.charges[2].net_minor, found.charges[2].tax_minor) == (-2_000, -500)


class TestChargingInFull:
    def test_is_for_a_bill_that_lacks_something(self):
        for order in ({}, {"bill": TestWhatMayBeBilled.BILL}):
            with pytest.raises(Problem, match="Nothing of WO-7 is left out of its bill"):
                decide(cmd.ChargeInFull(work_order_id=JOB), a_situation(**order), NOON)

    def test_happens_once(self):
        capped = TestWhatMayBeBilled.BILL.capped(Money(10_000), 2_500)
        full = decide(cmd.ChargeInFull(work_order_id=JOB), a_situation(bill=capped), NOON).after
        assert full.order.bill is not None and full.order.bill.total == Money(11_250)
        with pytest.raises(Problem, match="left out"):
            decide(cmd.ChargeInFull(work_order_id=JOB), full, NOON)
