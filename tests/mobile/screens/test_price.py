"""The phone is turned round: the price before work, the customer's answer, and the receipt afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import flet as ft
import pytest
from day_of_work import MORNING, TARIFFS, send_down, uid
from qrcodegen import QrCode

from mobile import language, theme, words
from mobile.gateway import Gateway
from mobile.parts.turned import fitting
from mobile.state import Desk, job_route
from mobile.views.price import RECEIPT_BYTES_MAX, ReceiptView, receipt_view
from shared.commands import Arrive, CloseWorkOrder, InstallAsset, RecordCheck, StartTravel, UseParts
from shared.money import Money
from shared.work_orders import EvidenceKind, PartLine, WorkOrder, WorkOrderState
from sync.protocol import PROTOCOL, Gone, SyncResponse

REPAIR, INSTALL, DISCONNECT = uid(0x100), uid(0x101), uid(0x105)
PHOTO = b"\xff\xd8\xff\xe0" + b"picture" * 20
PNG = b"\x89PNG\r\n\x1a\n signature"


@pytest.fixture
def said_in(gateway: Gateway):
    """Let the customer of a job speak another language."""

    def change(code: str, order_id=INSTALL, **changes: Any) -> None:
        order = gateway.order(order_id)
        assert order is not None
        contact = replace(order.contact, language=code)
        moved = replace(order, contact=contact, version=order.version + 1, **changes)
        send_down(gateway._store, [moved], at=MORNING + timedelta(seconds=1))
        gateway._take_in()

    return change


@pytest.fixture
def at_the_door(gateway: Gateway) -> Gateway:
    gateway.send(StartTravel(work_order_id=INSTALL))
    gateway.send(Arrive(work_order_id=INSTALL))
    return gateway


def work(gateway: Gateway, cable: int = 30) -> None:
    """All but the close."""
    lines = (
        PartLine(sku="DROP-1F", quantity=cable),
        PartLine(sku="SC-APC", quantity=2),
        PartLine(sku="OUTLET-2", quantity=1),
    )
    for command in (
        InstallAsset(work_order_id=INSTALL, serial="ALCLB1A2C001", source="typed"),
        RecordCheck(work_order_id=INSTALL, code="optical_power", value=Decimal("-18.4")),
        RecordCheck(work_order_id=INSTALL, code="download_speed", value=Decimal(288)),
        UseParts(work_order_id=INSTALL, lines=lines),
    ):
        gateway.send(command)
    gateway.add_photo(INSTALL, PHOTO, "image/jpeg")
    gateway.add_signature(INSTALL, PNG, "Maija Korhonen")


def point(x: float, y: float) -> dict[str, object]:
    where = {"x": x, "y": y}
    return {"k": "touch", "l": where, "g": where}


def done(gateway: Gateway) -> WorkOrder:
    order = gateway.order(INSTALL)
    assert order is not None
    return order


def receipt(
    gateway: Gateway, *, at_office: bool = True, technician: str = "Aino Virtanen", **changes: Any
) -> ReceiptView:
    return receipt_view(
        replace(done(gateway), **changes),
        company="Truckroll Fibre",
        technician=technician,
        tax_basis_points=2_550,
        lookup=gateway.product,
        zone=gateway.zone,
        at_office=at_office,
    )


class TestThePrice:
    def test_is_shown_line_by_line_with_its_tax(self, open_app):
        screen = open_app(job_route(INSTALL))
        assert screen.sees("€189.13, not agreed yet")
        screen.tap("Show the customer the price")

        assert screen.sees("What this visit costs")
        for line in (
            "To pay €189.13",
            "Installing your fibre connection: €124.24",
            "30 m Drop cable, 1 fibre: €24.47",
            "2 × Field connector SC/APC: €10.54",
            "1 × Fibre outlet, 2 ports: €18.20",
            "Fibre Home 300: first month, 8 of 30 days: €11.68",
            "incl. 25.5 % tax: €38.42",
            "Fibre Home 300 then costs €43.80 a month.",
        ):
            assert line in [text.replace("\N{NO-BREAK SPACE}", " ") for text in screen.texts()]

    @pytest.mark.parametrize(
        ("code", "title", "agree", "back"),
        [
            ("de-AT", "Was dieser Termin kostet", "Einverstanden: 189,13\N{NO-BREAK SPACE}€", "ltr"),
            ("es", "Lo que cuesta esta visita", "De acuerdo: 189,13\N{NO-BREAK SPACE}€", "ltr"),
            ("fi", "What this visit costs", "I agree: €189.13", "ltr"),
            ("ar", "تكلفة هذه الزيارة", "189.13\N{NO-BREAK SPACE}€", "rtl"),
        ],
    )
    def test_is_said_in_the_customers_language_and_direction(
        self, code: str, title: str, agree: str, back: str, open_app, said_in
    ):
        said_in(code)
        screen = open_app(job_route(INSTALL, "price"))
        assert screen.sees(title)
        assert any(agree in name for name in screen.names())
        assert screen.page.rtl is (back == "rtl")

        screen.tap(words.BACK)
        assert screen.page.rtl is False
        assert screen.sees("Show the customer the price"), "the technician's own language is untouched"
        assert language.spoken().code == "en"

    def test_will_be_read_in_letters_that_the_list_has_shown_before(self, open_app, said_in):
        said_in("ar")
        assert open_app("/").sees("العربية"), "so their font is here before the network is gone"

    def test_of_a_visit_that_is_free_asks_for_nothing(self, open_app):
        screen = open_app(job_route(REPAIR))
        assert screen.sees("This visit costs the customer nothing.")
        screen.tap("Show the customer the price")
        assert screen.sees("Nothing to pay")
        assert screen.sees("Travel, labour, parts and devices are included.")
        assert not any(name.startswith("I agree") for name in screen.names())

    @pytest.mark.parametrize("percent", [100, 200])
    def test_stands_in_one_line_at_any_size_of_text(self, percent: int):
        theme.wear("light", percent)
        try:
            largest = theme.HUGE + 10
            long, short = fitting("1.234.567,50 €", largest, 300), fitting("5 €", largest, 300)
        finally:
            theme.wear("light", 100)
        assert (long, short) == (34, largest)

    def test_is_not_made_up_without_a_price_list(self, open_app, gateway: Gateway, desk: Desk):
        gone = tuple(Gone(kind="tariff", key=tariff.code) for tariff in TARIFFS)
        answer = SyncResponse(protocol=PROTOCOL, server_now=MORNING, cursor="later", gone=gone)
        gateway._store.apply(answer, received_at=MORNING, clock_offset=timedelta(0))
        gateway._take_in()
        screen = open_app(job_route(INSTALL))
        assert "Show the customer the price" not in screen.names()
        screen.do(lambda: desk.open_job(INSTALL, "price"))
        assert screen.sees("The price is not known on this device yet: connect once.")


class TestTheAnswer:
    def test_is_kept_with_a_tap_and_with_what_was_read(self, open_app, at_the_door: Gateway, desk: Desk):
        screen = open_app(job_route(INSTALL, "price"))
        screen.type_into("Your name", "Maija K.")
        screen.tap("I agree: €189.13")

        [consent] = done(at_the_door).consents
        assert (consent.name, consent.refused, consent.signature) == ("Maija K.", False, None)
        assert (consent.language, consent.bill.total, len(consent.price_version)) == ("en", Money(18_913), 12)
        assert consent.bill.charges[0].description == "Installing your fibre connection"
        assert desk.shell.route == job_route(INSTALL)
        assert screen.sees("The customer agreed. Saved on this device")
        assert screen.sees("Maija K. agreed to €189.13")
        assert at_the_door.queue()[0].title == "The customer agreed to €189.13"

    def test_is_kept_with_a_signature_that_signs_no_work(self, open_app, at_the_door: Gateway):
        screen = open_app(job_route(INSTALL, "price"))

        def pad() -> Any:
            return next(found for found in screen.controls() if isinstance(found, ft.GestureDetector))

        screen.event(pad(), "pan_start", point(20, 100))
        screen.event(pad(), "pan_update", point(120, 60))
        screen.tap("I agree: €189.13")

        order = done(at_the_door)
        [consent] = order.consents
        assert consent.signature is not None
        assert (consent.signature.kind, consent.signature.signer) == (
            EvidenceKind.SIGNATURE,
            "Maija Korhonen",
        )
        png = at_the_door.evidence_bytes(consent.signature.digest)
        assert png is not None and png.startswith(b"\x89PNG\r\n\x1a\n")
        assert order.evidence == ()
        assert any(problem.field == "signature" for problem in at_the_door.missing(INSTALL))
        status = at_the_door.status()
        assert (status.unsent_photos, status.photos_wait) == (1, 0)
        assert not at_the_door._store.shelf.is_photo(consent.signature.digest), "it waits for no Wi-Fi"

    def test_may_be_no(self, open_app, at_the_door: Gateway):
        screen = open_app(job_route(INSTALL, "price"))
        screen.tap("I do not agree")
        assert [consent.refused for consent in done(at_the_door).consents] == [True]
        assert screen.sees("The customer refused €189.13")

    def test_of_nobody_is_not_taken(self, open_app, at_the_door: Gateway):
        screen = open_app(job_route(INSTALL, "price"))
        screen.type_into("Your name", " ")
        screen.tap("I agree: €189.13")
        assert done(at_the_door).consents == ()
        assert screen.sees("Please write your name.")

    def test_of_nobody_is_asked_for_in_the_customers_language(self, open_app, at_the_door: Gateway, said_in):
        said_in("de")
        screen = open_app(job_route(INSTALL, "price"))
        screen.type_into("Ihr Name", "")
        screen.tap("Einverstanden: 189,13\N{NO-BREAK SPACE}€")
        assert done(at_the_door).consents == ()
        assert screen.sees("Bitte schreiben Sie Ihren Namen.")

    def test_may_be_no_without_a_name(self, open_app, at_the_door: Gateway):
        screen = open_app(job_route(INSTALL, "price"))
        screen.type_into("Your name", "")
        screen.tap("I do not agree")
        assert [(consent.refused, consent.name) for consent in done(at_the_door).consents] == [(True, "")]

    def test_of_another_day_is_shown_with_its_date(self, open_app, at_the_door: Gateway, clock, desk: Desk):
        screen = open_app(job_route(INSTALL, "price"))
        screen.tap("I agree: €189.13")
        clock.forward(days=1)
        screen.do(lambda: desk.open_job(INSTALL, "price"))
        assert screen.sees("Maija Korhonen agreed to €189.13 on 23 Nov 2026 at 08:05.")
        later = receipt(at_the_door, finished_at=clock.now)
        assert later.agreed == "Maija Korhonen agreed to €189.13 on 23 Nov 2026 at 08:05."
        assert receipt(at_the_door, finished_at=MORNING).agreed == (
            "Maija Korhonen agreed to €189.13 at 08:05."
        )

    def test_is_asked_again_when_more_is_used(self, open_app, at_the_door: Gateway):
        screen = open_app(job_route(INSTALL, "price"))
        screen.tap("I agree: €189.13")
        screen.do(lambda: work(at_the_door, cable=45))
        assert screen.sees("€12.24 more than agreed")  # 15 metres and their tax
        screen.tap("Ask the customer")
        assert screen.sees("Maija Korhonen agreed to €189.13 at 08:05.")
        screen.tap("I agree: €201.37")
        assert not screen.sees("more than agreed")
        assert at_the_door.not_agreed(INSTALL) is None


class TestTheClose:
    def test_says_what_is_not_agreed_and_leads_to_asking(self, open_app, at_the_door: Gateway):
        work(at_the_door)
        screen = open_app(job_route(INSTALL, "close"))
        assert screen.sees("€53.21 more than agreed"), "the parts: what was ordered is agreed"
        screen.tap("Ask the customer")
        assert screen.sees("What this visit costs")

    def test_goes_on_without_an_answer_and_bills_no_more(self, open_app, at_the_door: Gateway, desk: Desk):
        work(at_the_door)
        screen = open_app(job_route(INSTALL, "close"))
        screen.tap("Close job")
        bill = done(at_the_door).bill
        assert bill is not None and bill.total == Money(13_592)
        assert desk.shell.route == job_route(INSTALL, "receipt")
        ours = "agreed were 135.92 EUR: 53.21 EUR is not billed until dispatch decides"
        assert not screen.sees(ours), "the customer reads this screen"
        assert screen.sees("Not agreed, so not charged: -€53.21")
        screen.tap("Back to today")
        assert screen.sees(ours)

    def test_shows_the_receipt_of_what_was_agreed(self, open_app, at_the_door: Gateway, desk: Desk):
        screen = open_app(job_route(INSTALL, "price"))
        screen.tap("I agree: €189.13")
        screen.do(lambda: work(at_the_door))
        screen.do(lambda: desk.open_job(INSTALL, "close"))
        assert not screen.sees("more than agreed")
        screen.tap("Close job")

        assert done(at_the_door).state is WorkOrderState.COMPLETED
        assert screen.sees("Truckroll Fibre · Receipt")
        for text in (
            "WO-1042: 23 Nov 2026, 08:05",
            "Technician: Aino",
            "Nokia G-2425G-B ALCLB1A2C001",
            "Optical receive power: -18.4 dBm",
            "Total: €189.13",
            "Maija Korhonen agreed to €189.13 at 08:05.",
        ):
            assert screen.sees(text), text
        assert not screen.sees("WO-1042 closed. Saved on this device")
        screen.tap("Back to today")
        assert screen.sees("WO-1042 closed. Saved on this device")
        assert desk.shell.route == "/"
        screen.do(lambda: desk.open_job(INSTALL))
        screen.tap("Show the receipt")
        assert screen.sees("Total: €189.13")


class TestTheCode:
    def test_is_the_customers_page_where_the_office_has_sent_it(self, gateway: Gateway):
        view = receipt(gateway, customer_link="https://fibre.example/visit/abc")
        assert (view.code, view.scan) == (
            "https://fibre.example/visit/abc",
            "Scan with your phone: the receipt and all about this visit",
        )

    def test_is_the_receipt_itself_without_one(self, at_the_door: Gateway):
        work(at_the_door)
        view = receipt(at_the_door, bill=at_the_door.price_now(INSTALL), finished_at=MORNING)
        lines = view.code.split("\n")
        assert lines[:3] == [
            "Truckroll Fibre · Receipt",
            "Installing your fibre connection",
            "WO-1042: 23 Nov 2026, 08:05",
        ]
        assert "Total: €189.13" in lines
        assert len(view.code.encode()) <= RECEIPT_BYTES_MAX
        QrCode.encode_text(view.code, QrCode.Ecc.LOW)  # it fits

    def test_never_grows_too_large_to_be_read(self, gateway: Gateway):
        many = tuple(PartLine(sku=f"A-LONG-STOCK-NUMBER-{count:04d}", quantity=1) for count in range(200))
        view = receipt(gateway, parts=many, finished_at=MORNING)
        assert len(view.code.encode()) == RECEIPT_BYTES_MAX and view.code.endswith("…")

    def test_counts_what_arabic_letters_take(self, gateway: Gateway, said_in):
        said_in("ar")
        many = tuple(PartLine(sku=f"موصل {count:04d}", quantity=1) for count in range(200))
        view = receipt(gateway, parts=many, finished_at=MORNING)
        assert RECEIPT_BYTES_MAX - 1 <= len(view.code.encode()) <= RECEIPT_BYTES_MAX
        assert view.code.endswith("…")

    def test_is_the_receipt_itself_until_the_office_has_the_close(self, gateway: Gateway):
        view = receipt(gateway, at_office=False, customer_link="https://fibre.example/visit/abc")
        assert view.code.startswith("Truckroll Fibre · Receipt\n")
        assert view.scan == "Scan with your phone to keep this receipt"

    def test_is_in_the_customers_language(self, at_the_door: Gateway, said_in):
        said_in("de")
        view = receipt(at_the_door, finished_at=MORNING)
        assert (view.title, view.work) == (
            "Truckroll Fibre · Beleg",
            "Einrichtung Ihres Glasfaseranschlusses",
        )
        assert view.facts[0] == ("WO-1042", "23. Nov. 2026, 08:05")


class TestAReceipt:
    def test_gives_a_long_address_as_many_lines_as_it_needs(self, open_app, at_the_door: Gateway, said_in):
        work(at_the_door)
        order = done(at_the_door)
        street = "Straße der Deutsch-Sowjetischen Freundschaft"
        said_in("en", place=replace(order.place, street=street, house_number="12"))
        at_the_door.send(CloseWorkOrder(work_order_id=INSTALL, can_ask=True))
        screen = open_app(job_route(INSTALL, "receipt"))
        rows = [row for row in screen.controls() if isinstance(row, ft.Row)]
        beside = [text.value for row in rows for text in row.controls if isinstance(text, ft.Text)]
        assert "€124.24" in beside, "amounts stand beside what they are for"
        assert screen.sees(f"Maija Korhonen: {street} 12")
        assert f"{street} 12" not in beside

    def test_names_nobody_where_it_is_not_known_who_was_there(self, gateway: Gateway):
        names = [name for name, _ in receipt(gateway, technician="", finished_at=MORNING).facts]
        assert names == ["WO-1042", "Maija Korhonen"]

    def test_of_a_colleague_does_not_name_who_looks_at_it(self, open_app, at_the_door: Gateway, said_in):
        work(at_the_door)
        at_the_door.send(CloseWorkOrder(work_order_id=INSTALL, can_ask=True))
        screen = open_app(job_route(INSTALL, "receipt"))
        assert screen.sees("Technician: Aino")
        screen.do(lambda: said_in("en", technician_id=uid(0x999), state=WorkOrderState.COMPLETED))
        assert not screen.sees("Technician: ")

    def test_leads_to_the_page_once_the_office_has_the_close(self, open_app, at_the_door: Gateway, said_in):
        said_in("en", customer_link="https://fibre.example/visit/abc")
        work(at_the_door)
        at_the_door.send(CloseWorkOrder(work_order_id=INSTALL, can_ask=True))
        screen = open_app(job_route(INSTALL, "receipt"))
        assert screen.sees("Scan with your phone to keep this receipt")
        screen.do(lambda: said_in("en", state=WorkOrderState.COMPLETED))
        assert screen.sees("Scan with your phone: the receipt and all about this visit")

    def test_waits_for_the_close(self, open_app):
        assert open_app(job_route(INSTALL, "receipt")).sees("There is a receipt once the job is closed.")


def signs(screen: Any) -> None:
    pad = next(found for found in screen.controls() if isinstance(found, ft.GestureDetector))
    screen.event(pad, "pan_start", point(20, 100))
    screen.event(pad, "pan_update", point(120, 60))


class TestAPhoneThatIsTurned:
    @pytest.mark.parametrize("name", ["price", "receipt"])
    def test_shows_the_customer_nobody_else_however_wide(self, name: str, open_app, at_the_door, desk: Desk):
        if name == "receipt":
            work(at_the_door)
            at_the_door.send(CloseWorkOrder(work_order_id=INSTALL))
        others = {order.contact.name for order in at_the_door.today()} - {"Maija Korhonen"}
        streets = {order.place.street for order in at_the_door.today() if order.id != INSTALL}
        screen = open_app(job_route(INSTALL, name), width=915)
        assert others and streets
        assert [text for text in others | streets if screen.sees(text)] == []
        screen.do(lambda: desk.open_job(INSTALL))
        assert any(screen.sees(street) for street in streets), "the technician's list is back beside the job"

    def test_keeps_the_signature(self, open_app, at_the_door: Gateway, desk: Desk):
        screen = open_app(job_route(INSTALL, "price"))
        signs(screen)
        screen.do(lambda: setattr(desk.shell, "width", 915))
        screen.tap("I agree: €189.13")
        [consent] = done(at_the_door).consents
        assert consent.signature is not None

    def test_keeps_it_over_a_look_at_another_screen_but_for_no_other_price(
        self, open_app, at_the_door: Gateway, desk: Desk
    ):
        screen = open_app(job_route(INSTALL, "price"))
        signs(screen)
        screen.do(lambda: desk.open_job(INSTALL))
        screen.do(lambda: desk.open_job(INSTALL, "price"))
        assert screen.is_enabled("Clear")
        screen.do(lambda: work(at_the_door, cable=45))
        assert not screen.is_enabled("Clear")


class TestWhatTheCustomerReads:
    def test_holds_no_notice_of_the_technicians(self, open_app, at_the_door: Gateway, desk: Desk):
        work(at_the_door)
        screen = open_app(job_route(INSTALL, "close"))
        screen.do(lambda: desk.tell("The office must look at this", "bad"))
        screen.tap("Ask the customer")
        assert not screen.sees("The office must look at this")
        screen.do(lambda: desk.tell("The office has changed the plan", "bad"))
        assert not screen.sees("The office has changed the plan")
        screen.tap(words.BACK)
        assert screen.sees("The office has changed the plan")


class TestAClose:
    def test_says_that_nobody_could_be_asked_without_a_price_list(self, open_app, at_the_door: Gateway):
        work(at_the_door)
        gone = tuple(Gone(kind="tariff", key=tariff.code) for tariff in TARIFFS)
        answer = SyncResponse(protocol=PROTOCOL, server_now=MORNING, cursor="later", gone=gone)
        at_the_door._store.apply(answer, received_at=MORNING, clock_offset=timedelta(0))
        at_the_door._take_in()
        screen = open_app(job_route(INSTALL, "close"))
        screen.tap("Close job")
        [close] = [
            entry.command
            for entry in at_the_door._store.entries()
            if isinstance(entry.command, CloseWorkOrder)
        ]
        assert close.can_ask is False
