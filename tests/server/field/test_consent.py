"""What a phone shows is what is billed, and nothing above what was agreed without the office."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from databases import migrated_database
from world import CABLE, CONNECTOR, HOME_100, HOME_500, MONDAY, Job, Phone, World

from server.billing.models import InvoiceLineRow, InvoiceRow
from server.customers.links import read
from server.customers.models import PlanRow
from server.customers.visit_page import view
from server.db.engine import Database
from server.db.feed_models import CommandRow
from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from server.inbox.asks import asks
from server.inbox.models import FollowUpRow
from server.inbox.proposals import Proposal
from server.inbox.settling import settle
from server.replay import compare, replay
from server.stock.models import ProductRow
from server.work_orders.models import EvidenceRow
from shared.agreed import billable
from shared.charges import Bill
from shared.commands import CloseWorkOrder, ConsentToCharge, FieldCommand
from shared.money import Money
from shared.problems import AlreadyClosed
from shared.rating import expected, price, version_of
from shared.work_orders import EvidenceKind, EvidenceRef, WorkOrderKind, WorkOrderState
from sync.client.rebase import apply, prices_of
from sync.client.records import Images
from sync.protocol import Image, decode_image, encode

TAX = 2_550


def phone_of(world: World, phone: Phone | None = None) -> Images:
    """All that the server sends to a phone, through the codec, as its store keeps it."""
    who = phone or world.ana
    with world.database.read() as session:
        technician = session.get_one(TechnicianRow, who.technician_id)
        found = DeviceSource(session, world.settings, technician, world.now).everything()  # type: ignore[arg-type]
        sent: dict[str, dict[str, Image]] = {}
        for (kind, key), image in found.items():
            sent.setdefault(kind, {})[key] = decode_image(kind, encode(image))
    [profile] = sent["profile"].values()
    return Images(
        profile=profile,  # type: ignore[arg-type]
        orders={UUID(key): order for key, order in sent["work_order"].items()},  # type: ignore[misc]
        assets=sent.get("asset", {}),  # type: ignore[arg-type]
        stock=sent.get("stock_line", {}),  # type: ignore[arg-type]
        products=sent["product"],  # type: ignore[arg-type]
        tariffs=sent["tariff"],  # type: ignore[arg-type]
    )


def shown(images: Images, job: Job, at=MONDAY) -> Bill:  # type: ignore[no-untyped-def]
    """What the phone shows before work."""
    prices = prices_of(images)
    assert prices is not None
    bill = price(expected(images.orders[job.id]), prices, images.products, at)
    assert bill is not None
    return bill


def answer(images: Images, job: Job, bill: Bill | None = None, **changes: object) -> ConsentToCharge:
    prices = prices_of(images)
    assert prices is not None
    values: dict[str, object] = {
        "work_order_id": job.id,
        "bill": bill or shown(images, job),
        "name": "Customer 1",
        "language": "fi",
        "price_version": version_of(prices, images.products.values()),
    }
    return ConsentToCharge(**values | changes)  # type: ignore[arg-type]


def visit(world: World, job: Job, *said: FieldCommand, cable: int = 18, connectors: int = 2):  # type: ignore[no-untyped-def]
    """A whole visit with `said` after the arrival, closed by an app that can ask."""
    travel, arrive, *steps = world.visit(job, cable=cable, connectors=connectors, until_close=False)
    return world.ana.send(travel, arrive, *said, *steps, CloseWorkOrder(work_order_id=job.id, can_ask=True))


def invoice_total(world: World) -> int:
    row = world.row(InvoiceRow)
    lines = world.rows(InvoiceLineRow)
    assert (row.net_minor, row.tax_minor) == (
        sum(line.net_minor for line in lines),
        sum(line.tax_minor for line in lines),
    )
    return int(row.net_minor + row.tax_minor)


class TestAPhone:
    def test_has_the_price_list_and_the_customers_page(self, world: World):
        world.settings = replace(world.settings, base_url="https://fibre.example")
        job = world.order()
        images = phone_of(world)
        assert images.profile is not None
        assert (images.profile.tax_basis_points, images.profile.company) == (TAX, "Truckroll Fibre")
        assert images.tariffs[HOME_100].monthly == Money(3_000)
        link = images.orders[job.id].customer_link
        assert link.startswith("https://fibre.example/visit/")
        assert read(world.settings.secret, link.rsplit("/", 1)[1], MONDAY) == job.id
        assert phone_of(world).orders[job.id].customer_link == link, (
            "the row is the same when nothing changed"
        )

    def test_shows_a_price_with_the_planned_parts(self, world: World):
        job = world.order()
        bill = shown(phone_of(world), job)
        assert [(charge.code, charge.quantity, charge.net_minor) for charge in bill.charges] == [
            ("fee", 1, 9_900),
            (f"part:{CABLE}", 20, 1_300),
            ("first-month", 1, 1_500),
        ]
        assert bill.total == Money(15_938)

    @pytest.mark.parametrize("seed", range(6))
    def test_closes_with_the_amount_that_the_server_bills(self, world: World, seed: int):
        """Random visits, decided on the phone's rows first and then sent to the real server."""
        chance = Random(seed)
        kind = chance.choice(list(WorkOrderKind))
        job = world.order(kind, running=chance.choice([HOME_100, HOME_500]))
        cable, connectors = chance.randrange(0, 60), chance.randrange(0, 9)
        images, said = phone_of(world), []
        if chance.random() < 0.8:
            agreed = shown(images, job)
            if chance.random() < 0.3:
                agreed = replace(agreed, charges=agreed.charges[:1])
            said.append(answer(images, job, agreed, refused=chance.random() < 0.2))
        travel, arrive, *steps = world.visit(job, cable=cable, connectors=connectors, until_close=False)
        closing = CloseWorkOrder(work_order_id=job.id, can_ask=chance.random() < 0.7)
        commands = [travel, arrive, *said, *steps, closing]
        for minute, command in enumerate(commands):
            decision, images = apply(images, command, MONDAY + timedelta(minutes=minute))  # type: ignore[arg-type]
        on_phone = images.orders[job.id].bill
        receipts = world.ana.send(*commands)
        assert {receipt.outcome for receipt in receipts} == {"accepted"}, receipts
        billed = world.work_order(job).bill
        assert on_phone == billed and billed is not None
        assert invoice_total(world) == billed.total.minor
        assert receipts[-1].remarks == decision.remarks
        assert world.journal_total() == 0

    def test_that_syncs_after_the_visit_shows_what_was_billed(self, world: World):
        job = world.order()
        visit(world, job, answer(phone_of(world), job))
        order = phone_of(world).orders[job.id]
        assert order.bill == world.work_order(job).bill
        assert order.consents == world.work_order(job).consents and len(order.consents) == 1


class TestAnAgreement:
    def test_is_billed_as_agreed_or_less(self, world: World):
        job = world.order()
        agreed = answer(phone_of(world), job)
        receipts = visit(world, job, agreed, connectors=0)
        assert [receipt.remarks for receipt in receipts] == [()] * len(receipts)
        assert invoice_total(world) == 15_938 - 164  # two metres fewer than planned: 1.30 and its tax
        assert world.rows(FollowUpRow) == []

    def test_announces_the_bytes_of_its_signature(self, world: World):
        job = world.order()
        signature = EvidenceRef(
            kind=EvidenceKind.SIGNATURE, digest="cc" * 32, size_bytes=900, media_type="image/png",
            taken_at=MONDAY, signer="Customer 1",
        )  # fmt: skip
        world.ana.send(answer(phone_of(world), job, signature=signature))
        assert [(row.digest, row.work_order_id) for row in world.rows(EvidenceRow)] == [("cc" * 32, job.id)]
        order = world.work_order(job)
        assert order.consents[0].signature == signature
        assert order.evidence == (), "whoever agrees to a price has not signed for the work"

    def test_caps_what_is_billed_and_asks_the_office(self, world: World):
        job = world.order()
        receipts = visit(world, job, answer(phone_of(world), job), cable=50, connectors=4)
        [remark] = receipts[-1].remarks
        assert (remark.slug, remark.detail) == (
            "charge-not-agreed",
            "WO-0001 costs 204.93 EUR, agreed were 159.38 EUR: 45.55 EUR is not billed until "
            "dispatch decides",
        )
        assert invoice_total(world) == 15_938
        lines = {line.charge_code: line.net_minor for line in world.rows(InvoiceLineRow)}
        assert lines == {
            "fee": 9_900, "first-month": 1_500, f"part:{CABLE}": 3_250, f"part:{CONNECTOR}": 1_680,
            "not-agreed": -3_629,
        }  # fmt: skip
        assert world.journal_total() == 0
        with world.database.read() as session:
            [ask] = asks(session, world.settings.zone, world.now + timedelta(days=1))
        assert [choice.proposal for choice in ask.choices] == [Proposal.CHARGE_IN_FULL, Proposal.DISMISS]
        assert [(one.theirs, one.ours) for one in ask.both] == [
            ("costs 204.93 EUR", "Customer 1 agreed to 159.38 EUR")
        ]

    def test_is_billed_in_full_once_the_office_says_so(self, world: World):
        job = world.order()
        visit(world, job, answer(phone_of(world), job), cable=50, connectors=4)
        ask_id = world.row(FollowUpRow).id
        settled = settle(world.database, world.settings, ask_id, "Dora", Proposal.CHARGE_IN_FULL)
        assert settled.did == "charge_in_full"
        assert invoice_total(world) == 20_493
        assert world.journal_total() == 0
        bill = world.work_order(job).bill
        assert bill is not None and (bill.total, bill.left_out) == (Money(20_493), None)
        before = world.contents()
        with pytest.raises(AlreadyClosed, match="Dora has settled this already: Dora charged it in full"):
            settle(world.database, world.settings, ask_id, "Dan", Proposal.CHARGE_IN_FULL)
        assert world.contents() == before

    def test_stays_capped_when_the_office_leaves_it(self, world: World):
        job = world.order()
        visit(world, job, answer(phone_of(world), job), cable=50)
        settle(world.database, world.settings, world.row(FollowUpRow).id, "Dora", Proposal.DISMISS)
        assert invoice_total(world) == 15_938

    def test_holds_against_a_price_that_rose_meanwhile(self, world: World):
        job = world.order()
        agreed = answer(phone_of(world), job)
        with world.database.write() as session:
            session.get_one(ProductRow, CABLE).price_minor = 130
            plan = session.get_one(PlanRow, HOME_100)
            plan.fees_minor = {**plan.fees_minor, "install": 19_900}
        receipts = visit(world, job, agreed)
        assert [remark.slug for remark in receipts[-1].remarks] == ["charge-not-agreed"]
        assert invoice_total(world) == 15_938


class TestARefusal:
    def test_bills_nothing_and_books_the_work_all_the_same(self, world: World):
        job = world.order()
        receipts = visit(world, job, answer(phone_of(world), job, name="", refused=True))
        assert [remark.detail for remark in receipts[-1].remarks] == [
            "WO-0001 costs 168.28 EUR, agreed were 0.00 EUR: 168.28 EUR is not billed until dispatch decides"
        ]
        assert invoice_total(world) == 0
        assert world.work_order(job).state is WorkOrderState.COMPLETED
        assert world.balance(world.ana.van_id, CABLE) == 182

    def test_of_nobody_who_was_asked_bills_what_was_ordered(self, world: World):
        job = world.order()
        receipts = visit(world, job)
        assert [remark.slug for remark in receipts[-1].remarks] == ["charge-not-agreed"]
        assert invoice_total(world) == 9_900 + 2_524 + 1_500 + 382

    def test_is_no_question_where_nothing_is_charged(self, world: World):
        job = world.order(WorkOrderKind.REPAIR)
        receipts = visit(world, job, cable=50)
        assert (receipts[-1].remarks, invoice_total(world)) == ((), 0)

    def test_an_app_that_could_not_ask_is_billed_as_before(self, world: World):
        job = world.order()
        receipts = world.ana.send(*world.visit(job))
        assert (receipts[-1].remarks, invoice_total(world)) == ((), 16_828)


class TestTwoPhones:
    def test_both_answers_are_kept_and_the_newest_counts(self, world: World):
        job = world.order()
        images = phone_of(world)
        yes, no = answer(images, job), answer(images, job, name="", refused=True)
        early = world.ana.envelope(yes, MONDAY)
        late = world.ana.envelope(no, MONDAY + timedelta(minutes=5))
        assert world.ana.deliver([late])[0].remarks == ()
        [receipt] = world.ana.deliver([early])
        assert [remark.slug for remark in receipt.remarks] == ["price-answered-twice"]
        order = world.work_order(job)
        assert [consent.refused for consent in order.consents] == [True, False]
        assert billable(order, yes.bill, TAX, can_ask=True)[0].total == Money(0)

    def test_an_answer_after_the_close_is_kept_and_moves_no_money(self, world: World):
        job = world.order()
        agreed = answer(phone_of(world), job)
        visit(world, job)
        before = invoice_total(world)
        [receipt] = world.ana.send(agreed)
        assert (receipt.outcome, receipt.remarks, invoice_total(world)) == ("accepted", (), before)
        assert len(world.work_order(job).consents) == 1

    def test_the_same_answer_twice_is_one(self, world: World):
        job = world.order()
        envelope = world.ana.envelope(answer(phone_of(world), job))
        first, second = world.ana.deliver([envelope]), world.ana.deliver([envelope])
        assert first == second
        assert (len(world.work_order(job).consents), len(world.rows(CommandRow))) == (1, 1)


class TestTheCustomersPage:
    @pytest.mark.parametrize(
        ("language", "rows", "total", "tax", "agreed"),
        [
            (
                "en",
                [
                    ("Installing your fibre connection", "€124.24"),
                    ("50 m Drop cable", "€40.79"),
                    ("2 × Connector SC", "€10.54"),
                    ("Home 100: first month, 15 of 30 days", "€18.82"),
                    ("Not agreed, so not charged", "-€35.01"),
                ],
                ("Total", "€159.38"),
                "incl. 25.5 % VAT: €32.38",
                "€159.38 was agreed on site on Monday 16 November at 09:02.",
            ),
            (
                "fi",
                [
                    ("Valokuituliittymän asennus", "124,24 €"),
                    ("50 m Drop cable", "40,79 €"),
                    ("2 × Connector SC", "10,54 €"),
                    ("Home 100: ensimmäinen kuukausi, 15/30 päivää", "18,82 €"),
                    ("Ei sovittu, joten ei veloiteta", "-35,01 €"),
                ],
                ("Yhteensä", "159,38 €"),
                "sis. alv 25,5 %: 32,38 €",
                "159,38 € sovittiin käynnillä maanantaina 16. marraskuuta klo 09.02.",
            ),
        ],
    )
    def test_shows_the_bill_and_what_was_agreed(
        self,
        world: World,
        language: str,
        rows: list[tuple[str, str]],
        total: tuple[str, str],
        tax: str,
        agreed: str,
    ):
        job = world.order(language=language)
        visit(world, job, answer(phone_of(world), job), cable=50)
        with world.database.read() as session:
            found = view(session, job.id, world.settings.zone, world.now, TAX).receipt
        assert found is not None
        plain = [(what, amount.replace("\N{NO-BREAK SPACE}", " ")) for what, amount in found.rows]
        assert plain == rows
        assert (found.total_words, found.total.replace("\N{NO-BREAK SPACE}", " ")) == total
        assert found.tax.replace("\N{NO-BREAK SPACE}", " ") == tax
        assert found.agreed.replace("\N{NO-BREAK SPACE}", " ") == agreed

    def test_has_no_receipt_before_the_close(self, world: World):
        job = world.order()
        world.ana.send(answer(phone_of(world), job))
        with world.database.read() as session:
            assert view(session, job.id, world.settings.zone, world.now, TAX).receipt is None


def test_the_log_alone_rebuilds_answers_caps_and_what_was_charged_after_all(world: World, tmp_path: Path):
    capped, left, refused = world.order(), world.order(), world.order()
    images = phone_of(world)
    for job, serial in ((capped, "ANA0001"), (left, "ANA0002")):
        world.ana.send(answer(images, job), *world.visit(job, fit=serial, cable=50))
    world.ana.send(answer(images, refused, refused=True))
    first, _second = sorted(world.rows(FollowUpRow), key=lambda row: row.work_order_id != capped.id)
    settle(world.database, world.settings, first.id, "Dora", Proposal.CHARGE_IN_FULL)
    with migrated_database("sqlite", tmp_path) as url:
        fresh = Database(url)
        try:
            replay(world.database, fresh, world.settings)
            reports = compare(world.database, fresh)
        finally:
            fresh.close()
    assert [(report.name, report.differences) for report in reports if not report.equal] == []
