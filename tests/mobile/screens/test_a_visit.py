"""A technician does a whole job on the screens, without any network."""

from __future__ import annotations

from decimal import Decimal

import pytest
from day_of_work import AINO, VAN, uid

from mobile.device import photos, scanner
from mobile.state import job_route
from shared.commands import Arrive, StartTravel
from shared.work_orders import (
    EvidenceKind,
    PartLine,
    RemovalCause,
    RemovedAsset,
    UnfinishedReason,
    WorkOrderState,
)

REPAIR, INSTALL, SWAP = uid(0x100), uid(0x101), uid(0x102)
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 20


@pytest.fixture
def on_site(gateway):
    """Say that the technician stands in front of the door of one job."""

    def arrive(order_id):
        gateway.send(StartTravel(work_order_id=order_id))
        gateway.send(Arrive(work_order_id=order_id))

    return arrive


class TestToday:
    def test_lists_the_jobs_in_route_order_with_the_next_one_at_the_thumb(self, open_app):
        screen = open_app()

        jobs = [name.split(",")[0] for name in screen.names() if name.startswith("WO-")]
        assert jobs == ["WO-1041", "WO-1042", "WO-1043", "WO-1044", "WO-1045", "WO-1046"]
        assert screen.sees("0 of 6 jobs done")
        assert "Open next: Hämeentie 31" in screen.names()

    def test_opens_a_job_by_its_card(self, open_app, desk):
        screen = open_app()

        screen.tap("WO-1042")

        assert desk.shell.route == job_route(INSTALL)
        assert screen.sees("Vaasankatu 12")
        assert screen.sees("Door code 4711, bell B 14. Riser key at the caretaker, ground floor left.")

    def test_offers_to_continue_the_job_that_is_under_way(self, open_app, gateway, on_site):
        screen = open_app()
        screen.do(lambda: on_site(REPAIR))

        assert "Continue: Hämeentie 31" in screen.names()


class TestTheBigButton:
    def test_leads_from_the_drive_to_the_first_thing_to_record(self, open_app, gateway):
        screen = open_app(job_route(INSTALL))

        screen.tap("Start travel")
        assert gateway.order(INSTALL).state is WorkOrderState.TRAVELLING
        assert screen.sees("On the way. Saved on this device")
        screen.tap("Arrived")
        assert gateway.order(INSTALL).state is WorkOrderState.ON_SITE
        assert "Scan the ONT" in screen.names()

    def test_says_on_every_screen_what_is_saved_and_not_sent(self, open_app):
        screen = open_app(job_route(INSTALL))
        assert screen.sees("All sent 08:05")

        screen.tap("Start travel")

        assert "Sync: 1 saved on this device, not sent" in screen.names()

    def test_does_not_offer_to_record_before_the_arrival(self, open_app):
        screen = open_app(job_route(INSTALL, "checks"))

        assert screen.sees("Tap Arrived first: then scan, measure and book parts.")
        assert "Save measurements" not in screen.names()


class TestScanning:
    @pytest.fixture
    def screen(self, open_app, on_site):
        on_site(INSTALL)
        return open_app(job_route(INSTALL, "scan"))

    def test_fits_a_device_of_the_own_van_and_goes_back_to_the_job(self, screen, gateway, desk):
        screen.type_into("Scanner or typed code", "alcl b1a2c001", enter=True)
        assert screen.sees("Nokia G-2425G-B ALCLB1A2C001 is on your van.")
        screen.tap("Fit this device")

        assert [device.serial for device in gateway.order(INSTALL).fitted] == ["ALCLB1A2C001"]
        assert desk.shell.route == job_route(INSTALL)
        assert screen.sees("Nokia G-2425G-B ALCLB1A2C001")

    def test_reads_all_that_was_typed_although_the_screen_was_drawn_anew_before_it_heard_of_it(
        self, screen, desk
    ):
        field = screen.field("Scanner or typed code")
        screen.session.apply_patch(field._i, {"value": "ALCLB1A2C001"})
        screen.do(lambda: desk.tell("Something else happened", "calm"))
        screen.event(field, "change", "ALCLB1A2C001")
        screen.event(screen.field("Scanner or typed code"), "submit", "ALCLB1A2C001")

        assert screen.sees("Nokia G-2425G-B ALCLB1A2C001 is on your van.")

    def test_asks_for_a_second_look_at_a_colleagues_device(self, screen, gateway):
        screen.type_into("Scanner or typed code", "ALCLDEAD0001", enter=True)

        assert screen.sees("ALCLDEAD0001 is on the van of Van 3 (Mikko).")
        assert "Fit this device" not in screen.names()
        screen.tap("I hold it: fit it anyway")
        assert [device.serial for device in gateway.order(INSTALL).fitted] == ["ALCLDEAD0001"]
        assert screen.sees("was booked on Van 3 (Mikko)")

    def test_takes_a_serial_that_nobody_booked_in_only_with_its_model(self, screen, gateway):
        screen.type_into("Scanner or typed code", "NEWSERIAL99", enter=True)
        screen.tap("I hold it: fit it anyway")
        assert gateway.order(INSTALL).fitted == ()
        assert screen.sees("Choose the model first: nobody has booked this serial in.")

        screen.tap("Model Huawei HG8145X6")
        screen.tap("I hold it: fit it anyway")
        assert [device.sku for device in gateway.order(INSTALL).fitted] == ["ONT-HG8145"]

    def test_offers_nothing_for_a_wrong_model_and_keeps_what_was_typed(self, screen, gateway):
        screen.type_into("Scanner or typed code", "TP22A7001", enter=True)

        assert "Fit this device" not in screen.names()
        assert "I hold it: fit it anyway" not in screen.names()
        assert screen.field("Scanner or typed code").value == "TP22A7001"
        assert gateway.order(INSTALL).fitted == ()

    def test_takes_back_what_was_fitted_by_mistake(self, screen, gateway, desk):
        screen.type_into("Scanner or typed code", "ALCLB1A2C001", enter=True)
        screen.tap("Fit this device")
        screen.do(lambda: desk.open_job(INSTALL, "scan"))

        screen.tap("Take it back ALCLB1A2C001")

        assert gateway.order(INSTALL).fitted == ()

    def test_reads_the_label_of_a_photo(self, open_app, on_site, monkeypatch):
        async def pick() -> bytes:
            return JPEG

        class Reader(scanner.NativeScanner):
            async def read_picture(self, picture: bytes):
                assert picture == JPEG
                wrong = scanner.Reading(text="6438158002234", source="photo", symbology="EAN13")
                right = scanner.Reading(text="HWTC3D4E5F01", source="photo", symbology="Code128")
                return (wrong, right, scanner.Reading(text="MAC: 48575430F001", source="photo"))

        monkeypatch.setattr("mobile.parts.reading.pick_picture", pick)
        monkeypatch.setattr("mobile.parts.reading.scanner", Reader)
        on_site(INSTALL)
        screen = open_app(job_route(INSTALL, "scan"))
        screen.tap("Photo of the label")

        assert screen.sees("Huawei HG8145X6 HWTC3D4E5F01 is on your van.")
        assert screen.sees("Compare these with the label once; then go on.")
        assert screen.sees("GPON serial: HWTC3D4E5F01")
        assert screen.sees("MAC: 48:57:54:30:F0:01")
        assert "Fit this device" in screen.names()

    def test_takes_the_old_device_away_on_a_swap(self, open_app, gateway, on_site):
        on_site(SWAP)
        screen = open_app(job_route(SWAP, "scan"))

        screen.type_into("Scanner or typed code", "ALCLF00D0002", enter=True)
        screen.tap("Take this device away")
        assert screen.sees("Choose first why it comes off.")
        assert gateway.order(SWAP).removed == ()
        screen.tap("Restarts, drops the line")
        screen.type_into("What did you see? (may stay empty)", " hourly ")
        screen.tap("Take this device away")

        assert gateway.order(SWAP).removed == (
            RemovedAsset(
                serial="ALCLF00D0002", sku="ONT-G2425", reason="hourly", cause=RemovalCause.UNSTABLE
            ),
        )

    def test_puts_back_what_was_taken_off_by_mistake(self, open_app, gateway, on_site, desk):
        on_site(SWAP)
        screen = open_app(job_route(SWAP, "scan"))
        screen.type_into("Scanner or typed code", "ALCLF00D0002", enter=True)
        screen.tap("No power")
        screen.tap("Take this device away")
        screen.do(lambda: desk.open_job(SWAP, "scan"))

        screen.tap("It hangs there again: ALCLF00D0002")

        assert gateway.order(SWAP).removed == ()
        assert "It hangs there again: ALCLF00D0002" not in screen.names()
        assert gateway.queue()[0].title == "Hung up ALCLF00D0002 again"


class TestMeasuring:
    @pytest.fixture
    def screen(self, open_app, on_site):
        on_site(REPAIR)
        return open_app(job_route(REPAIR, "checks"))

    def test_records_both_values_and_goes_back(self, screen, gateway, desk):
        screen.type_into("Optical receive power", "-18,4")
        screen.type_into("Download speed", "288.5")
        screen.tap("Save measurements")

        values = [(result.code, result.value, result.passed) for result in gateway.order(REPAIR).checks]
        assert values == [
            ("optical_power", Decimal("-18.4"), True),
            ("download_speed", Decimal("288.5"), True),
        ]
        assert desk.shell.route == job_route(REPAIR)

    def test_keeps_a_value_outside_the_limits_and_says_to_mend(self, screen, gateway, desk):
        screen.type_into("Optical receive power", "-31.2")
        screen.tap("Save measurements")

        assert screen.sees("-31.2 dBm is outside -27 to -8 dBm. Mend the line, then measure again.")
        assert screen.field("Optical receive power").value == "-31.2"
        assert gateway.order(REPAIR).result_of("optical_power").passed is False
        assert desk.shell.route == job_route(REPAIR, "checks")

    def test_keeps_what_is_no_number_and_records_nothing(self, screen, gateway):
        screen.type_into("Download speed", "fast")
        screen.tap("Save measurements")

        assert screen.sees("“fast” is no number: type download speed with digits, such as 12.5")
        assert screen.field("Download speed").value == "fast"
        assert gateway.order(REPAIR).checks == ()

    def test_asks_for_a_forgotten_minus_and_records_nothing(self, screen, gateway):
        screen.type_into("Optical receive power", "18.4")
        screen.tap("Save measurements")

        assert screen.sees("Not saved: did you mean -18.4 dBm? Tap ± to change the sign.")
        assert gateway.order(REPAIR).checks == ()

    def test_says_which_value_was_saved_beside_one_that_was_not(self, screen, gateway):
        screen.type_into("Optical receive power", "-18.4")
        screen.type_into("Download speed", "fast")
        screen.tap("Save measurements")

        assert screen.sees("Optical receive power -18.4 dBm. Saved on this device")
        assert [result.code for result in gateway.order(REPAIR).checks] == ["optical_power"]

    def test_changes_the_sign_where_the_keyboard_has_no_minus(self, screen):
        screen.type_into("Optical receive power", "18.4")
        screen.tap("Change sign")

        assert screen.field("Optical receive power").value == "-18.4"

    def test_keeps_what_was_typed_over_a_look_at_another_screen(self, screen, desk):
        screen.type_into("Optical receive power", "-19")
        screen.tap("Back")
        screen.tap("Optical receive power")

        assert screen.field("Optical receive power").value == "-19"


class TestParts:
    @pytest.fixture
    def screen(self, open_app, on_site):
        on_site(INSTALL)
        return open_app(job_route(INSTALL, "parts"))

    def test_books_what_was_chosen_from_the_van(self, screen, gateway):
        assert not screen.is_enabled("Nothing chosen yet")
        screen.tap("More Field connector SC/APC")
        screen.tap("More Field connector SC/APC")
        screen.tap("Less Field connector SC/APC")
        screen.type_into("How many Drop cable, 1 fibre", "35")
        screen.tap("Save 2 parts")

        assert set(gateway.order(INSTALL).parts) == {
            PartLine(sku="SC-APC", quantity=1),
            PartLine(sku="DROP-1F", quantity=35),
        }

    def test_takes_back_what_was_counted_by_mistake(self, screen, gateway, desk):
        screen.type_into("How many Drop cable, 1 fibre", "35")
        screen.tap("Save 1 part")
        screen.do(lambda: desk.open_job(INSTALL, "parts"))

        screen.tap("Take back 35 m Drop cable, 1 fibre")

        assert gateway.order(INSTALL).parts == ()
        assert gateway.queue()[0].title == "Took back 35 m of Drop cable, 1 fibre"

    @pytest.mark.parametrize("typed", ["-5", "2.5", "two"])
    def test_books_nothing_while_a_field_shows_what_is_no_count(self, screen, gateway, typed: str):
        screen.type_into("How many Fibre outlet, 2 ports", "2")
        screen.type_into("How many Fibre outlet, 2 ports", typed)

        assert screen.field("How many Fibre outlet, 2 ports").value == typed
        assert screen.sees(f"“{typed}” can't be booked: type whole pieces")
        assert not screen.is_enabled("Save 1 part")

        screen.tap("More Fibre outlet, 2 ports")
        screen.tap("Save 1 part")
        assert gateway.order(INSTALL).used("OUTLET-2") == 1

    def test_books_more_than_the_van_should_have_and_says_to_count(self, screen, gateway):
        screen.type_into("How many Fibre outlet, 2 ports", "3")
        screen.tap("Save 1 part")

        assert gateway.order(INSTALL).used("OUTLET-2") == 3
        assert screen.sees("used 3, the van's list had 2: count it")


class TestEvidence:
    def test_keeps_a_photo_with_its_bytes(self, open_app, gateway, on_site, monkeypatch):
        async def pick() -> bytes:
            return b"raw"

        async def shrink(picture: bytes) -> photos.Photo:
            assert picture == b"raw"
            return photos.Photo(jpeg=JPEG, width=1600, height=1200)

        monkeypatch.setattr("mobile.screens.photo.pick_picture", pick)
        monkeypatch.setattr("mobile.screens.photo.shrink", shrink)
        on_site(REPAIR)
        screen = open_app(job_route(REPAIR, "photo"))
        screen.tap("Take photo")

        (photo,) = gateway.order(REPAIR).evidence
        assert (photo.kind, gateway.evidence_bytes(photo.digest)) == (EvidenceKind.PHOTO, JPEG)
        assert screen.sees("1 photo")

    def test_says_what_is_wrong_with_a_picture_that_cannot_be_used(
        self, open_app, gateway, on_site, monkeypatch
    ):
        async def pick() -> bytes:
            return b""

        monkeypatch.setattr("mobile.screens.photo.pick_picture", pick)
        on_site(REPAIR)
        screen = open_app(job_route(REPAIR, "photo"))
        screen.tap("Take photo")

        assert screen.sees("The photo is empty. Take it again.")
        assert gateway.order(REPAIR).evidence == ()

    def test_turns_a_finger_stroke_into_a_signature(self, open_app, gateway, on_site, desk):
        import flet as ft

        on_site(INSTALL)
        screen = open_app(job_route(INSTALL, "sign"))
        screen.tap("Save signature")
        assert screen.sees("The field is empty: have the customer sign in it.")

        def point(x: float, y: float) -> dict[str, object]:
            where = {"x": x, "y": y}
            return {"k": "touch", "l": where, "g": where}

        def pad() -> ft.GestureDetector:
            (found,) = [control for control in screen.controls() if isinstance(control, ft.GestureDetector)]
            return found

        screen.event(pad(), "pan_start", point(20, 100))
        screen.event(pad(), "pan_update", point(60, 80))
        desk.keep_draft("signer", "Maija Korhonen-Salo")  # heard, and not drawn yet
        screen.tap("Save signature")

        (signature,) = gateway.order(INSTALL).evidence
        assert (signature.kind, signature.signer) == (EvidenceKind.SIGNATURE, "Maija Korhonen-Salo")
        assert gateway.evidence_bytes(signature.digest).startswith(b"\x89PNG\r\n\x1a\n")


class TestTheEndOfAVisit:
    def test_closes_only_when_nothing_is_missing(self, open_app, gateway, on_site):
        on_site(REPAIR)
        screen = open_app(job_route(REPAIR, "close"))

        assert not screen.is_enabled("Close job")
        assert screen.sees("Record optical receive power (-27 to -8 dBm)")

    def test_says_which_planned_parts_nobody_booked(self, open_app, gateway, on_site, desk):
        on_site(INSTALL)
        screen = open_app(job_route(INSTALL, "close"))

        assert screen.sees("Planned, not booked")
        screen.tap("Book parts")
        assert desk.shell.route == job_route(INSTALL, "parts")

    def test_closes_and_shows_the_day_again(self, open_app, gateway, on_site, desk):
        on_site(REPAIR)
        screen = open_app(job_route(REPAIR, "checks"))
        screen.type_into("Optical receive power", "-20")
        screen.type_into("Download speed", "290")
        screen.tap("Save measurements")
        screen.do(lambda: gateway.add_photo(REPAIR, JPEG, "image/jpeg"))
        screen.tap("Check and close")
        assert screen.sees("The service goes on; the repair is on record, also if it is sent later.")
        screen.tap("Close job")

        assert gateway.order(REPAIR).state is WorkOrderState.COMPLETED
        assert desk.shell.route == "/"
        assert screen.sees("WO-1041 closed. Saved on this device")
        assert screen.sees("1 of 6 jobs done")

    def test_reports_why_it_could_not_be_done(self, open_app, gateway, on_site, desk):
        on_site(REPAIR)
        screen = open_app(job_route(REPAIR, "cannot"))
        assert not screen.is_enabled("Choose a reason")
        screen.tap("Nobody at home")
        screen.type_into("What should the next one know?", "Left a c")
        desk.keep_draft("text", "Left a card")  # heard, and not drawn yet
        screen.tap("Report and leave")

        order = gateway.order(REPAIR)
        assert (order.state, order.unfinished_reason) == (
            WorkOrderState.UNFINISHED,
            UnfinishedReason.CUSTOMER_ABSENT,
        )
        assert [note.text for note in order.notes] == ["Left a card"]
        assert desk.shell.route == "/"

    def test_keeps_a_note_that_is_refused(self, open_app, gateway):
        screen = open_app(job_route(REPAIR, "note"))
        screen.tap("Save note")
        assert screen.sees("The note is empty")
        screen.type_into("Note for the office", "Cabinet door is loose")
        screen.tap("Save note")

        assert [note.text for note in gateway.order(REPAIR).notes] == ["Cabinet door is loose"]
        assert gateway.profile.technician_id == AINO and gateway.profile.van_id == VAN
