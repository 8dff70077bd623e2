"""A swap on the screens, without any network: two devices, a cause, a photo if one likes, one button."""

from __future__ import annotations

import sqlite3

import day_of_work
import pytest
from day_of_work import uid

from mobile.device.photos import Photo
from mobile.device.place import Spot
from mobile.state import job_route
from shared.commands import AddEvidence, Arrive, StartTravel, SwapAsset
from shared.work_orders import EvidenceKind, FittedAsset, RemovalCause, RemovedAsset
from sync.client.records import NotSaved

INSTALL, SWAP, DISCONNECT = uid(0x101), uid(0x102), uid(0x105)
OLD, NEW = "ALCLF00D0002", "ALCLB1A2C001"
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 20


@pytest.fixture
def screen(open_app, gateway):
    """At the café whose ONT restarts, on the screen of the swap."""
    for command in (StartTravel, Arrive):
        gateway.send(command(work_order_id=SWAP))
    return open_app(job_route(SWAP, "swap"))


@pytest.fixture
def camera(monkeypatch):
    async def pick() -> bytes:
        return JPEG

    async def small(picture: bytes) -> Photo:
        return Photo(jpeg=picture, width=1, height=1)

    monkeypatch.setattr("mobile.screens.photo.pick_picture", pick)
    monkeypatch.setattr("mobile.screens.photo.shrink", small)


def scan(screen, code: str) -> None:
    screen.type_into("Scanner or typed code", code, enter=True)


class TestASwap:
    def test_is_two_devices_a_cause_and_one_button(self, screen, gateway, desk):
        scan(screen, NEW)
        assert screen.sees(f"Nokia G-2425G-B {NEW} is on your van.")
        screen.tap("Restarts, drops the line")
        screen.type_into("What did you see? (may stay empty)", "every hour")
        screen.tap("Swap")

        order = gateway.order(SWAP)
        assert order.removed == (
            RemovedAsset(serial=OLD, sku="ONT-G2425", reason="every hour", cause=RemovalCause.UNSTABLE),
        )
        assert order.fitted == (
            FittedAsset(serial=NEW, sku="ONT-G2425", source_id=day_of_work.VAN, replaces=OLD),
        )
        assert order.evidence == ()
        assert desk.shell.route == job_route(SWAP)
        assert screen.sees("Saved on this device")
        assert gateway.queue()[0].title == f"Swapped {OLD} for {NEW}"

    def test_loses_no_letter_that_is_not_drawn_yet(self, screen, desk, gateway):
        scan(screen, NEW)
        screen.tap("No power")
        desk.keep_draft("reason", "dark at noon")
        screen.tap("Swap")

        assert [old.reason for old in gateway.order(SWAP).removed] == ["dark at noon"]

    def test_takes_its_photo_along_in_the_same_save(self, screen, gateway, camera):
        scan(screen, NEW)
        screen.tap("No power")
        screen.tap("Take photo")
        assert screen.sees("It is saved together with the swap.")
        assert gateway.order(SWAP).evidence == (), "nothing is saved before the button"
        screen.tap("Swap")

        [photo] = gateway.order(SWAP).evidence
        assert (photo.kind, gateway.evidence_bytes(photo.digest)) == (EvidenceKind.PHOTO, JPEG)
        assert [item.type for item in reversed(gateway.queue())][-2:] == ["swap_asset", "add_evidence"]
        assert gateway.status().unsent_photos == 1

    @pytest.mark.parametrize(
        ("says", "told"),
        [(Spot(lat=60.17, lon=24.94, accuracy_m=8.0), ""), (None, ". Its place was not found in time")],
    )
    def test_keeps_where_its_photo_was_taken(self, screen, gateway, camera, monkeypatch, says, told):
        async def here() -> Spot | None:
            return says

        gateway.prefer(photo_place="yes")
        monkeypatch.setattr("mobile.screens.photo.here", here)
        scan(screen, NEW)
        screen.tap("No power")
        screen.tap("Take photo")
        screen.tap("Swap")

        photo = gateway._store.entries()[-1].command
        assert isinstance(photo, AddEvidence)
        assert (photo.lat, photo.lon, photo.accuracy_m) == (
            (says.lat, says.lon, says.accuracy_m) if says else (None, None, None)
        )
        assert screen.sees(f"Saved on this device{told}")

    def test_is_what_the_big_button_of_such_a_job_leads_to(self, screen, desk):
        screen.do(lambda: desk.open_job(SWAP))
        screen.tap("Swap a device")

        assert desk.shell.route == job_route(SWAP, "swap")

    def test_keeps_what_was_chosen_over_a_look_at_another_screen(self, screen, desk, gateway):
        scan(screen, NEW)
        screen.tap("No light")
        screen.tap("Back")
        screen.do(lambda: desk.open_job(SWAP, "swap"))
        screen.tap("Swap")

        assert [device.cause for device in gateway.order(SWAP).removed] == [RemovalCause.NO_LIGHT]

    def test_asks_for_the_cause_and_saves_nothing_without(self, screen, gateway, desk):
        scan(screen, NEW)
        screen.tap("Swap")

        assert screen.sees("Choose first why it comes off.")
        assert (gateway.order(SWAP).removed, gateway.order(SWAP).fitted) == ((), ())
        assert desk.shell.route == job_route(SWAP, "swap")

    def test_offers_nothing_for_a_device_that_may_not_go_up(self, screen):
        scan(screen, "TP22A7001")

        assert "Swap" not in screen.names()

    def test_from_a_colleagues_van_is_confirmed_once(self, screen, gateway):
        scan(screen, "ALCLDEAD0001")
        screen.tap("No power")
        screen.tap("I hold it: swap it anyway")

        assert [device.serial for device in gateway.order(SWAP).fitted] == ["ALCLDEAD0001"]
        assert screen.sees("was booked on Van 3 (Mikko)")

    def test_of_a_device_that_nobody_booked_in_needs_its_model(self, screen, gateway):
        scan(screen, "NEWSERIAL99")
        screen.tap("No power")
        screen.tap("I hold it: swap it anyway")
        assert screen.sees("Choose the model first: nobody has booked this serial in.")
        screen.tap("Model Huawei HG8145X6")
        screen.tap("I hold it: swap it anyway")

        assert [device.sku for device in gateway.order(SWAP).fitted] == ["ONT-HG8145"]

    def test_takes_the_old_one_from_its_label_too(self, screen, gateway):
        scan(screen, OLD)
        scan(screen, NEW)
        screen.tap("Damaged")
        screen.tap("Swap")

        assert [device.serial for device in gateway.order(SWAP).removed] == [OLD]


class TestUndoing:
    def test_is_one_line_and_brings_both_back(self, screen, gateway, desk):
        scan(screen, NEW)
        screen.tap("No power")
        screen.tap("Swap")
        screen.do(lambda: desk.open_job(SWAP, "scan"))
        assert screen.sees(f"in the place of Nokia G-2425G-B {OLD}")
        assert not [name for name in screen.names() if name.startswith(("Take it back", "It hangs"))]
        screen.tap(f"Undo the swap: {OLD} hangs there again")

        assert (gateway.order(SWAP).removed, gateway.order(SWAP).fitted) == ((), ())
        assert gateway.queue()[0].title == f"Undid the swap of {OLD} for {NEW}"

    def test_of_halves_that_were_done_apart_is_two_lines(self, screen, gateway, desk):
        scan(screen, NEW)
        screen.do(lambda: desk.open_job(SWAP, "scan"))
        scan(screen, NEW)
        screen.tap("Fit this device")
        scan(screen, OLD)
        screen.tap("Dead on arrival")
        screen.tap("Take this device away")
        screen.do(lambda: desk.open_job(SWAP, "scan"))

        assert f"Take it back {NEW}" in screen.names()
        assert f"It hangs there again: {OLD}" in screen.names()
        assert screen.sees("Dead on arrival")


class TestFromAScan:
    def test_takes_along_why_it_comes_off(self, screen, desk, gateway):
        screen.do(lambda: desk.open_job(SWAP, "scan"))
        scan(screen, OLD)
        screen.tap("No light")
        screen.type_into("What did you see? (may stay empty)", "dark at noon")
        screen.tap("Swap it for another one")
        scan(screen, NEW)
        screen.tap("Swap")

        [old] = gateway.order(SWAP).removed
        assert (old.cause, old.reason) == (RemovalCause.NO_LIGHT, "dark at noon")
        screen.do(lambda: desk.open_job(SWAP, "scan"))
        assert "Take this device away" not in screen.names()

    def test_is_still_there_after_the_lock(self, screen, desk, gateway):
        screen.do(lambda: desk.open_job(SWAP, "scan"))
        scan(screen, OLD)
        screen.tap("No light")
        screen.type_into("What did you see? (may stay empty)", "dark")
        screen.do(lambda: setattr(desk.shell, "locked", True))
        assert "Take this device away" not in screen.names()
        screen.do(desk.unlock)
        screen.tap("Take this device away")

        [old] = gateway.order(SWAP).removed
        assert (old.cause, old.reason) == (RemovalCause.NO_LIGHT, "dark")
        assert not [name for route, name in desk.forms.drafts if route == job_route(SWAP, "scan")]

    def test_loses_no_letter_that_is_not_drawn_yet(self, screen, desk, gateway):
        screen.do(lambda: desk.open_job(SWAP, "scan"))
        scan(screen, OLD)
        screen.tap("No light")
        desk.keep_draft("reason", "dark at noon")
        screen.tap("Take this device away")

        assert [old.reason for old in gateway.order(SWAP).removed] == ["dark at noon"]

    def test_of_the_old_one_goes_on_to_the_new_one(self, screen, desk, gateway):
        screen.do(lambda: desk.open_job(SWAP, "scan"))
        scan(screen, OLD)
        screen.tap("Swap it for another one")

        assert desk.shell.route == job_route(SWAP, "swap")
        assert screen.sees("Scan the device that goes up.")

    def test_of_the_new_one_goes_on_with_it(self, screen, desk, gateway):
        screen.do(lambda: desk.open_job(SWAP, "scan"))
        scan(screen, NEW)
        screen.tap("It replaces one that hangs here")
        screen.tap("No power")
        screen.tap("Swap")

        assert [device.serial for device in gateway.order(SWAP).fitted] == [NEW]

    def test_where_nothing_hangs_leads_nowhere(self, open_app, gateway):
        for command in (StartTravel, Arrive):
            gateway.send(command(work_order_id=INSTALL))
        screen = open_app(job_route(INSTALL, "scan"))
        scan(screen, NEW)

        assert "It replaces one that hangs here" not in screen.names()

    def test_shows_what_failed_on_the_visit(self, open_app, gateway, desk):
        for command in (StartTravel, Arrive):
            gateway.send(command(work_order_id=INSTALL))
        screen = open_app(job_route(INSTALL, "scan"))
        scan(screen, NEW)
        screen.tap("Fit this device")
        screen.do(lambda: desk.open_job(INSTALL, "swap"))
        scan(screen, "ALCLB1A2C002")
        screen.tap("Dead on arrival")
        screen.tap("Swap")
        screen.do(lambda: desk.open_job(INSTALL, "scan"))

        assert [device.serial for device in gateway.order(INSTALL).failed] == [NEW]
        assert [device.serial for device in gateway.order(INSTALL).fitted] == ["ALCLB1A2C002"]
        assert screen.sees(f"Nokia G-2425G-B {NEW}") and screen.sees("Dead on arrival")


class TestTheCauses:
    def test_begin_with_what_the_visit_is_for(self, open_app, gateway):
        for command in (StartTravel, Arrive):
            gateway.send(command(work_order_id=DISCONNECT))
        screen = open_app(job_route(DISCONNECT, "scan"))
        scan(screen, "ALCLF00D0005")
        names = screen.names()

        assert names.index("Customer leaves") < names.index("No power") < names.index("Better one goes up")


class TestSavingBoth:
    def test_or_neither(self, gateway, monkeypatch):
        """The disk fails at the photo: the swap, which was written before it, is not there either."""
        for command in (StartTravel, Arrive):
            gateway.send(command(work_order_id=SWAP))
        before, shelf = gateway.queue(), gateway._store.shelf

        def full(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(shelf, "keep", full)
        swap = SwapAsset(work_order_id=SWAP, old_serial=OLD, serial=NEW, source="camera")
        with pytest.raises(NotSaved):
            gateway.send_with_photo(swap, JPEG)
        assert gateway.queue() == before
        assert (gateway.order(SWAP).removed, gateway.order(SWAP).fitted) == ((), ())
        monkeypatch.undo()
        gateway.send_with_photo(swap, JPEG)
        entries = gateway._store.entries()[-2:]
        assert [type(entry.command) for entry in entries] == [SwapAsset, AddEvidence]
        assert entries[0].hlc < entries[1].hlc
        assert entries[0].made_at == entries[1].made_at
