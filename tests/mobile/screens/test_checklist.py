"""The checklist on the phone: one item after the other, each saved by its tap."""

from __future__ import annotations

from decimal import Decimal

import pytest
from day_of_work import uid

from mobile.device import photos
from mobile.state import job_route
from shared.commands import AnswerCheck, Arrive, InstallAsset, RecordCheck, RemoveAsset
from shared.work_orders import SkipReason, WorkOrderState

UPGRADE, INSTALL, DISCONNECT = uid(0x103), uid(0x104), uid(0x105)
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 20
LIGHTS, POWER, WIFI = "Lights of the ONT", "Optical receive power", "Wi-Fi speed where the customer uses it"


@pytest.fixture
def screen(open_app, gateway):
    gateway.send(Arrive(work_order_id=UPGRADE))
    return open_app(job_route(UPGRADE, "checks"))


def said(gateway) -> list[tuple[str, str]]:
    return [(one.code, one.value) for one in gateway.order(UPGRADE).answers]


class TestTheChecklist:
    def test_is_one_step_of_the_job_that_says_how_far_it_is(self, open_app, gateway):
        gateway.send(Arrive(work_order_id=UPGRADE))
        gateway.send(AnswerCheck(work_order_id=UPGRADE, code="ont_lights", value="all_green"))
        screen = open_app(job_route(UPGRADE))

        assert "Checklist, 1 of 5 points done" in screen.names()

    def test_says_that_one_must_have_arrived(self, open_app):
        assert open_app(job_route(UPGRADE, "checks")).sees(
            "Tap Arrived first: then scan, measure and book parts."
        )

    def test_saves_an_answer_by_its_tap_and_opens_the_next(self, screen, gateway):
        screen.tap(f"{LIGHTS}, All green")

        assert said(gateway) == [("ont_lights", "all_green")]
        assert screen.sees(f"{LIGHTS}: All green. Saved on this device")
        assert screen.sees("1 of 5 points done")
        assert screen.field(POWER)
        assert f"{LIGHTS}, All green" in screen.names(), "as a line that can be opened again"

    def test_says_at_once_what_will_not_do_and_how_to_mend_it(self, screen, gateway):
        screen.tap(f"{LIGHTS}, LOS is red")

        assert said(gateway) == [("ont_lights", "los_red")]
        assert screen.sees(
            "“Lights of the ONT” is answered with LOS is red: mend it, or leave it out with a reason"
        )
        screen.tap(f"{LIGHTS}, All green")
        assert said(gateway) == [("ont_lights", "los_red"), ("ont_lights", "all_green")]
        screen.tap(f"{LIGHTS}, All green")
        assert screen.sees("Before: LOS is red at 08:05"), "both stay on record"

    def test_says_at_once_that_a_value_is_out_of_its_range(self, screen, gateway):
        screen.tap(f"{POWER}, Not yet")
        screen.type_into(POWER, "-31,2")
        screen.tap("Save")

        assert gateway.order(UPGRADE).result_of("optical_power").passed is False
        assert screen.sees("Optical receive power -31.2 dBm is outside -27 to -8 dBm: mend it, measure again")
        screen.type_into(POWER, "-19")
        screen.tap("Save")
        values = [result.value for result in gateway.order(UPGRADE).checks]
        assert values == [Decimal("-31.2"), Decimal("-19")]

    def test_asks_for_a_forgotten_minus_and_records_nothing(self, screen, gateway):
        screen.tap(f"{POWER}, Not yet")
        screen.type_into(POWER, "19")
        screen.tap("Save")

        assert screen.sees("Not saved: did you mean -19 dBm? Tap ± to change the sign.")
        assert gateway.order(UPGRADE).checks == ()

    def test_asks_what_a_slow_value_comes_from_and_asks_no_more_once_it_is_fast(self, screen, gateway):
        assert "Why the Wi-Fi is slow there, Not yet" not in screen.names()
        screen.do(
            lambda: gateway.send(RecordCheck(work_order_id=UPGRADE, code="wifi_speed", value=Decimal(9)))
        )
        assert "Why the Wi-Fi is slow there, Not yet" in screen.names()
        screen.do(
            lambda: gateway.send(RecordCheck(work_order_id=UPGRADE, code="wifi_speed", value=Decimal(200)))
        )
        assert "Why the Wi-Fi is slow there, Not yet" not in screen.names()

    def test_keeps_what_was_typed_while_another_item_is_open(self, screen):
        screen.tap(f"{POWER}, Not yet")
        screen.type_into(POWER, "-19")
        screen.tap(f"{WIFI}, Not yet")
        screen.tap(f"{POWER}, Not yet")

        assert screen.field(POWER).value == "-19"


class TestLeavingAnItemOut:
    def test_asks_for_a_reason(self, screen, gateway):
        screen.tap("Leave out")
        assert not screen.is_enabled("Choose a reason")
        screen.tap("I lack the tool")
        screen.tap("Leave it out")

        [one] = gateway.order(UPGRADE).answers
        assert (one.code, one.skipped, one.value) == ("ont_lights", SkipReason.NO_TOOL, "")
        assert f"{LIGHTS}, left out: I lack the tool" in screen.names()

    def test_for_another_reason_asks_for_words(self, screen, gateway):
        screen.tap("Leave out")
        screen.tap("Another reason")
        screen.tap("Leave it out")
        assert screen.sees("“Lights of the ONT” needs some words")
        assert gateway.order(UPGRADE).answers == ()

        screen.type_into("In your words", "The ONT hangs too high")
        screen.tap("Leave it out")
        [one] = gateway.order(UPGRADE).answers
        assert (one.skipped, one.value) == (SkipReason.OTHER, "The ONT hangs too high")

    def test_leaves_out_no_other_item_that_came_to_be_open(self, screen, gateway, desk):
        screen.tap("Leave out")
        screen.tap("I lack the tool")
        screen.do(lambda: desk.go("/"))
        screen.do(lambda: desk.open_item(UPGRADE, "wifi_speed"))
        assert "Leave it out" not in screen.names()
        assert screen.field(WIFI)
        assert gateway.order(UPGRADE).answers == ()

    def test_takes_the_words_that_are_not_drawn_yet(self, screen, gateway, desk):
        screen.tap("Leave out")
        screen.type_into("In your words", "The ONT hangs too h")
        desk.keep_draft("leaving", {**desk.draft("leaving"), "text": "The ONT hangs too high"})
        screen.tap("Another reason")
        screen.tap("Leave it out")
        assert [one.value for one in gateway.order(UPGRADE).answers] == ["The ONT hangs too high"]

    def test_is_not_offered_for_what_the_service_rests_on(self, screen):
        screen.tap(f"{POWER}, Not yet")
        assert "Leave out" not in screen.names()


class TestTheClose:
    def test_says_item_by_item_what_is_missing_and_leads_there(self, open_app, gateway, desk):
        gateway.send(Arrive(work_order_id=UPGRADE))
        screen = open_app(job_route(UPGRADE, "close"))
        assert not screen.is_enabled("Close job")

        screen.tap(f"Record {WIFI} (at least 50 Mbit/s)")

        assert desk.shell.route == job_route(UPGRADE, "checks")
        assert screen.field(WIFI)

    def test_leads_to_the_signature_too(self, open_app, gateway, desk):
        gateway.send(Arrive(work_order_id=UPGRADE))
        screen = open_app(job_route(UPGRADE, "close"))

        screen.tap("Have the customer sign")

        assert desk.shell.route == job_route(UPGRADE, "sign")

    def test_tells_the_server_which_checklist_was_shown(self, open_app, gateway, desk):
        order = gateway.order(UPGRADE)
        gateway.send(Arrive(work_order_id=UPGRADE))
        for code, value in (("ont_lights", "all_green"), ("customer_shown", "yes")):
            gateway.send(AnswerCheck(work_order_id=UPGRADE, code=code, value=value))
        for code, number in (("optical_power", -19), ("download_speed", 990), ("wifi_speed", 200)):
            gateway.send(RecordCheck(work_order_id=UPGRADE, code=code, value=Decimal(number)))
        fitting = next(
            device.serial
            for device in gateway.devices_on_van()
            if device.sku in order.required_equipment[0].skus
        )
        gateway.send(InstallAsset(work_order_id=UPGRADE, serial=fitting, source="typed"))
        gateway.send(RemoveAsset(work_order_id=UPGRADE, serial=order.on_site_serials[0], reason="upgrade"))
        gateway.add_signature(UPGRADE, b"\x89PNG\r\n\x1a\n signed", "Juhani")
        screen = open_app(job_route(UPGRADE, "close"))

        screen.tap("Close job")

        assert gateway.order(UPGRADE).state is WorkOrderState.COMPLETED
        assert b'"checklist_version":1' in gateway._store.entries()[-1].body


class TestAPhotoOfAnItem:
    def test_is_kept_with_it_and_is_none_of_the_finished_work(self, open_app, gateway, monkeypatch):
        async def pick() -> bytes:
            return JPEG

        async def shrink(picture: bytes) -> photos.Photo:
            return photos.Photo(jpeg=picture, width=1, height=1)

        monkeypatch.setattr("mobile.screens.photo.pick_picture", pick)
        monkeypatch.setattr("mobile.screens.photo.shrink", shrink)
        gateway.send(Arrive(work_order_id=DISCONNECT))
        screen = open_app(job_route(DISCONNECT, "checks"))
        screen.tap("The place as you leave it, Not yet")
        screen.tap("Take photo")

        [one] = gateway.order(DISCONNECT).evidence
        assert (one.check, gateway.evidence_bytes(one.digest)) == ("place_photo", JPEG)
        assert "The place as you leave it, 1 photo" in screen.names()
        assert gateway.queue()[0].title == "Photo: The place as you leave it"


class TestAText:
    def test_is_asked_where_an_earlier_answer_says_so(self, screen, gateway, desk):
        screen.do(lambda: gateway.send(Arrive(work_order_id=DISCONNECT)))
        screen.do(lambda: desk.open_item(DISCONNECT, "all_collected"))
        screen.tap("Power supply and cables collected too, No")
        screen.type_into("What is missing", "The power supply")
        screen.tap("Save")

        answers = [(one.code, one.value) for one in gateway.order(DISCONNECT).answers]
        assert answers == [("all_collected", "no"), ("left_behind", "The power supply")]

    def test_that_needs_a_photo_too_keeps_its_item_open_until_both_are_there(
        self, open_app, gateway, monkeypatch
    ):
        async def pick() -> bytes:
            return JPEG

        async def shrink(picture: bytes) -> photos.Photo:
            return photos.Photo(jpeg=picture, width=1, height=1)

        monkeypatch.setattr("mobile.screens.photo.pick_picture", pick)
        monkeypatch.setattr("mobile.screens.photo.shrink", shrink)
        gateway.send(Arrive(work_order_id=INSTALL))
        screen = open_app(job_route(INSTALL, "checks"))
        screen.tap("Route of the drop cable, Facade")
        screen.type_into("Where the cable enters the house", "Cellar")
        assert screen.sees("It needs a photo too.")
        screen.tap("Save")

        assert [(one.code, one.value) for one in gateway.order(INSTALL).answers] == [
            ("drop_route", "facade"),
            ("cable_entry", "Cellar"),
        ]
        assert screen.field("Where the cable enters the house"), "the photo is still missing"
        screen.tap("Take photo")

        assert [one.check for one in gateway.order(INSTALL).evidence] == ["cable_entry"]
        assert "Where the cable enters the house, Cellar, 1 photo" in screen.names()
