"""A fault of a street cabinet is reported without any network, and whoever works there sees it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from day_of_work import MORNING, a_brief, a_fault, send_down, uid

from mobile.device.photos import Photo
from mobile.device.place import Spot
from mobile.state import job_route
from mobile.views.network_faults import fault_line
from shared.network_faults import FaultSign, ReportNetworkFault
from shared.problems import BadEvidence, BadValue
from sync.client.evidence import REFUSALS_MAX

INSTALL = uid(0x101)
JPEG = b"\xff\xd8\xff" + b"0" * 100


@pytest.fixture
def cabinet(gateway) -> str:
    return gateway.order(INSTALL).place.cabinet


def a_report(cabinet: str, **more: object) -> ReportNetworkFault:
    said = {"sign": FaultSign.WATER, "safe": True} | more
    return ReportNetworkFault(report_id=uid(0x77), cabinet=cabinet, **said)  # type: ignore[arg-type]


class TestReporting:
    def test_from_a_job_is_saved_and_shown_on_it(self, open_app, gateway, desk, cabinet):
        screen = open_app(job_route(INSTALL, "fault"))
        screen.tap("No light")
        screen.type_into("How many Ports without light", "8")
        screen.tap("Not safe")
        assert screen.sees("Keep away, keep others away, and call dispatch.")
        screen.type_into("Note", "Door hangs loose")
        screen.tap("Send the report")
        [fault] = gateway.brief(gateway.order(INSTALL).place.id).network_faults
        assert (fault.cabinet, fault.signs, fault.ports, fault.safe, fault.reports) == (
            cabinet, (FaultSign.NO_LIGHT,), 8, False, 1
        )  # fmt: skip
        assert desk.shell.route == job_route(INSTALL)
        assert screen.sees("Door hangs loose")
        item = gateway.queue()[0]
        assert (item.state, item.order_number, item.work_order_id) == ("saved", f"Cabinet {cabinet}", None)

    def test_without_a_job_begins_with_the_cabinet(self, open_app, gateway, cabinet):
        screen = open_app("/fault")
        screen.tap(f"Cabinet {cabinet}")
        screen.tap("Water inside")
        screen.tap("Safe")
        screen.tap("Send the report")
        assert gateway.cabinets()[cabinet].signs == (FaultSign.WATER,)

    def test_says_which_photo_the_office_could_not_keep(self, open_app, gateway, cabinet):
        other = JPEG + b"another"
        gateway.report_fault(a_report(cabinet), (JPEG, other))
        item = gateway.queue()[0]
        assert (item.picture_lost, item.detail) == (False, "")
        for _ in range(REFUSALS_MAX):
            gateway._store.shelf.count_refusal(sha256(other).hexdigest(), "The picture is empty")
        item = gateway.queue()[0]
        assert (item.picture_lost, item.detail) == (True, "The picture is empty")

    def test_says_what_is_still_to_be_said(self, open_app):
        screen = open_app(job_route(INSTALL, "fault"))
        assert not screen.is_enabled("Choose what you see")
        screen.tap("Something else")
        assert not screen.is_enabled("Write what you see in the note")
        screen.type_into("Note", "A nest")
        assert not screen.is_enabled("Say whether it is safe")
        screen.tap("Safe")
        assert screen.is_enabled("Send the report")

    def test_says_that_it_joins_an_open_fault(self, open_app, gateway, cabinet):
        gateway._take_in()
        brief = replace(a_brief(1), network_faults=(a_fault(cabinet),))
        send_down(gateway._store, [brief], at=MORNING + timedelta(seconds=1))
        gateway._take_in()
        screen = open_app(job_route(INSTALL, "fault"))
        line = fault_line(a_fault(cabinet), MORNING, gateway.zone)
        assert screen.sees(f"{line}. This cabinet has an open fault. Your report is added to it.")
        screen.do(lambda: gateway.report_fault(a_report(cabinet), ()))
        assert gateway.cabinets()[cabinet].reports == 3

    def test_twice_in_one_breath_is_one_report(self, open_app, gateway):
        screen = open_app(job_route(INSTALL, "fault"))
        screen.tap("Water inside")
        screen.tap("Safe")
        screen.tap_twice("Send the report")
        assert len(gateway.queue()) == 1

    def test_sends_no_place_when_it_is_taken_back(self, open_app, desk, monkeypatch):
        async def here():
            return Spot(lat=60.17, lon=24.94, accuracy_m=8.0)

        monkeypatch.setattr("mobile.screens.report_fault.here", here)
        screen = open_app(job_route(INSTALL, "fault"))
        screen.tap("Say where I stand")
        assert screen.sees("Your place is sent with the report.")
        screen.tap("Do not send my place")
        assert desk.draft("spot", None) is None
        assert "Say where I stand" in screen.names()


class TestPhotos:
    def test_that_get_smaller_while_one_leaves_are_kept(self, open_app, desk, monkeypatch):
        async def pick():
            return b"picture"

        async def shrink(picture):
            desk.open_job(INSTALL)
            return Photo(jpeg=JPEG, width=1, height=1)

        monkeypatch.setattr("mobile.screens.report_fault.pick_picture", pick)
        monkeypatch.setattr("mobile.screens.report_fault.shrink", shrink)
        screen = open_app(job_route(INSTALL, "fault"))
        screen.tap("Take a photo")
        assert desk.shell.route == job_route(INSTALL)
        screen.do(lambda: desk.open_job(INSTALL, "fault"))
        assert "Remove Photo 1" in screen.names()
        screen.tap("Remove Photo 1")
        assert desk.draft("photos") == ()

    def test_are_saved_with_the_report_or_not_at_all(self, gateway, cabinet):
        gateway.report_fault(a_report(cabinet), (JPEG, JPEG + b"1"))
        assert gateway.status().unsent_photos == 2
        [command] = [entry.command for entry in gateway._store.entries()]
        assert [gateway.evidence_bytes(photo.digest) for photo in command.photos] == [JPEG, JPEG + b"1"]

    def test_that_are_none_save_nothing(self, gateway, cabinet):
        with pytest.raises(BadEvidence):
            gateway.report_fault(a_report(cabinet), (b"no picture",))
        assert (gateway.queue(), gateway.status().unsent_photos) == ([], 0)

    def test_of_a_report_that_is_refused_are_not_kept(self, gateway, cabinet):
        with pytest.raises(BadValue):
            gateway.report_fault(a_report(cabinet, sign=FaultSign.OTHER), (JPEG,))
        assert (gateway.queue(), gateway.status().unsent_photos) == ([], 0)
