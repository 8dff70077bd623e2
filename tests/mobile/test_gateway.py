from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from a_phone import Phone
from fake_server import (
    CABLE,
    CONNECTOR,
    HOME_2,
    JPEG,
    MORNING,
    ONT,
    PNG,
    TECH_ANA,
    TECH_BEN,
    VAN_ANA,
    WO_1,
    WO_2,
    WO_3,
    Clock,
    FakeServer,
    Network,
    do_whole_job,
    uid,
)

from mobile import gateway
from mobile.gateway import Gateway
from mobile.scan_words import DISAGREES, ScanVerdict
from shared.assets import AssetState
from shared.barcodes.label import LabelPart, LabelReading
from shared.commands import (
    AddNote,
    Arrive,
    AskForVisit,
    CannotComplete,
    CloseWorkOrder,
    InstallAsset,
    RecordCheck,
    RemoveAsset,
    StartTravel,
    UseParts,
)
from shared.problems import (
    BadEvidence,
    BadValue,
    Conflict,
    Malformed,
    MissingEquipment,
    NotFound,
    NotStarted,
    SerialUnknown,
    SignInNeeded,
    WipeDevice,
)
from shared.stock_commands import CountedParts, CountVan, SeenDevice
from shared.work_orders import PartLine, UnfinishedReason, WorkOrderKind, WorkOrderState
from sync.client.records import NotSaved
from sync.client.transport import NoNetwork
from sync.protocol import PROTOCOL


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> FakeServer:
    return FakeServer(clock)


@pytest.fixture
def network(server: FakeServer) -> Network:
    return Network(server)


@pytest.fixture
def phone(tmp_path: Path, network: Network, clock: Clock) -> Iterator[Phone]:
    phone = Phone(tmp_path / "ana.db", network, clock)
    yield phone
    phone.stop()


@pytest.fixture
def ana(phone: Phone) -> Gateway:
    """Registered and synced."""
    gateway = phone.start()
    asyncio.run(gateway.register("ANA-0001", "Ana's phone", "test"))
    asyncio.run(gateway.sync())
    return gateway


def on_site(gateway: Gateway, order_id: object = WO_1) -> None:
    gateway.send(StartTravel(work_order_id=order_id))  # type: ignore[arg-type]
    gateway.send(Arrive(work_order_id=order_id))  # type: ignore[arg-type]


class TestRegistering:
    def test_a_new_device_shows_nothing_and_takes_nothing(self, phone: Phone):
        gateway = phone.start()
        assert (gateway.registered, gateway.profile, gateway.today()) == (False, None, [])
        with pytest.raises(SignInNeeded):
            gateway.send(StartTravel(work_order_id=WO_1))
        assert gateway.queue() == []

    def test_makes_it_the_technicians(self, phone: Phone):
        gateway = phone.start()
        asyncio.run(gateway.register(" ANA-0001 ", "Ana's phone", "test"))
        assert gateway.registered
        assert gateway.technician_name == "Ana"

    def test_a_used_code_is_refused_in_the_servers_words(self, ana: Gateway):
        with pytest.raises(NotFound, match="wrong or was used") as refused:
            asyncio.run(ana.register("ANA-0001", "x", "test"))
        assert refused.value.field == "code"

    def test_without_network_it_says_so(self, phone: Phone, network: Network):
        network.down = True
        with pytest.raises(NoNetwork):
            asyncio.run(phone.start().register("ANA-0001", "x", "test"))

    def test_a_captive_portal_registers_nobody(self, phone: Phone, network: Network):
        network.faults = ["captive portal"]
        gateway = phone.start()
        with pytest.raises(Malformed, match="sign in to this network"):
            asyncio.run(gateway.register("ANA-0001", "x", "test"))
        assert not gateway.registered

    @pytest.mark.parametrize("protocol", [1, 2])
    def test_for_somebody_else_waits_until_the_first_ones_work_is_sent(
        self, ana: Gateway, server: FakeServer, protocol: int
    ):
        server.protocol = protocol
        on_site(ana)
        with pytest.raises(Conflict, match=r"unsent (entries|work) of Ana"):
            asyncio.run(ana.register("BEN-0001", "x", "test"))
        assert ana.technician_name == "Ana"
        assert asyncio.run(ana.sync()).accepted == 2
        asyncio.run(ana.register("BEN-0001", "x", "test"))  # the code is still good
        assert ana.technician_name == "Ben"

    def test_work_kept_aside_goes_under_its_own_technicians_name(
        self, phone: Phone, ana: Gateway, server: FakeServer
    ):
        on_site(ana)
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        assert (ana.queue(), ana.today(), ana.status().unsent_commands, ana.status().aside) == ([], [], 0, 4)
        server.tokens.clear()
        again = phone.start()  # also after a restart
        report = asyncio.run(again.sync())
        assert (report.aside, report.accepted, again.status().aside) == (3, 0, 0)
        assert server.tokens == ["token-2", "token-1", "token-1", "token-1", "token-1"]
        assert {command.technician_id for asked in server.asked for command in asked.commands} == {TECH_ANA}
        assert server.town.orders[WO_1].state is WorkOrderState.ON_SITE
        assert list(server.blobs.values()) == [JPEG]
        assert (again.queue(), again.order(WO_1)) == ([], None)

    def test_whoever_comes_back_finds_their_queue_again(self, ana: Gateway, server: FakeServer):
        on_site(ana)
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        server.codes["ANA-0002"] = TECH_ANA
        asyncio.run(ana.register("ANA-0002", "x", "test"))
        assert [item.title for item in ana.queue()] == ["Arrived", "Set out"]
        assert asyncio.run(ana.sync()).accepted == 2

    def test_a_wiped_sign_in_of_the_one_before_takes_only_what_was_theirs(
        self, ana: Gateway, server: FakeServer
    ):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.sync())
        on_site(ana)
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        server.devices["token-1"].refusal = WipeDevice("Erase it")
        report = asyncio.run(ana.sync())
        assert (report.problem, ana.technician_name) == (None, "Ben")
        assert [problem.slug for _, problem in server.held] == ["wipe-device"] * 2
        server.codes["ANA-0002"] = TECH_ANA
        asyncio.run(ana.register("ANA-0002", "x", "test"))
        assert (ana.status().aside, len(ana.queue())) == (0, 3)  # all had its answer

    def test_for_somebody_else_shows_nothing_of_the_first(self, ana: Gateway):
        asyncio.run(ana.register("BEN-0001", "x", "test"))
        assert (ana.technician_name, ana.profile, ana.today(), ana.products()) == ("Ben", None, [], [])
        asyncio.run(ana.sync())
        assert [asset.serial for asset in ana.devices_on_van()] == ["ZNTS00000009"]


class TestTheClockThatNobodyCanSet:
    def test_is_done_without_where_python_names_one_and_the_device_has_none(
        self, monkeypatch: pytest.MonkeyPatch
    ):
        """So it is in the browser: Pyodide has CLOCK_BOOTTIME, and asking it is an OSError."""
        monkeypatch.setattr(gateway.time, "CLOCK_BOOTTIME", 99_999)
        assert gateway._boot_time() is None


class TestReading:
    def test_today_is_in_route_order(self, ana: Gateway):
        assert [order.number for order in ana.today()] == ["WO-101", "WO-102", "WO-103"]

    def test_another_day_is_another_list(self, ana: Gateway):
        assert ana.today(MORNING.date() + timedelta(days=1)) == []

    def test_the_day_is_the_technicians_not_utc(self, ana: Gateway, clock: Clock):
        clock.at = MORNING.replace(hour=21, minute=59)
        assert len(ana.today()) == 3
        clock.forward(minutes=2)  # 00:01 in Helsinki
        assert ana.today() == []

    def test_what_is_under_way_stays_on_the_list_after_midnight(self, ana: Gateway, clock: Clock):
        on_site(ana, WO_2)
        asyncio.run(ana.sync())
        clock.forward(days=1)
        assert [order.number for order in ana.today()] == ["WO-102"]

    def test_van_stock_counts_what_is_used_and_not_yet_booked(self, ana: Gateway):
        on_site(ana)
        ana.send(InstallAsset(work_order_id=WO_1, serial="ZNTS00000001", source="camera"))
        ana.send(UseParts(work_order_id=WO_1, lines=(PartLine(sku=CONNECTOR, quantity=9),)))
        views = {view.product.sku: view for view in ana.van_stock()}
        shown = {sku: (view.on_hand, view.used_unbooked, view.left, view.low) for sku, view in views.items()}
        assert shown == {
            ONT: (2, 1, 1, False),
            "RTR-AX": (1, 0, 1, False),
            CONNECTOR: (20, 9, 11, False),
            CABLE: (150, 0, 150, False),
        }
        assert views[ONT].serials == ("ZNTS00000001", "ZNTS00000002")
        ana.send(UseParts(work_order_id=WO_1, lines=(PartLine(sku=CONNECTOR, quantity=1),)))
        assert {view.product.sku for view in ana.van_stock() if view.low} == {CONNECTOR}

    def test_devices_are_found_by_where_they_are(self, ana: Gateway):
        on_van = [asset.serial for asset in ana.devices_on_van()]
        assert on_van == ["RTR0000001", "ZNTS00000001", "ZNTS00000002"]
        assert [asset.serial for asset in ana.devices_at(HOME_2)] == ["OLD0000001"]

    def test_missing_shrinks_as_work_is_recorded(self, ana: Gateway):
        assert [type(problem) for problem in ana.missing(WO_1)][:1] == [MissingEquipment]
        assert len(ana.missing(WO_1)) == 4
        on_site(ana)
        ana.send(InstallAsset(work_order_id=WO_1, serial="ZNTS00000001", source="camera"))
        assert [problem.field for problem in ana.missing(WO_1)] == ["optical_power", "photo", "signature"]


class TestSending:
    def test_shows_at_once_and_survives_a_restart(self, phone: Phone, ana: Gateway, network: Network):
        network.down = True
        do_whole_job(ana, WO_1, "ZNTS00000001")
        before = ana.order(WO_1), ana.van_stock(), ana.devices_on_van()
        assert before[0] is not None and before[0].state is WorkOrderState.COMPLETED
        again = phone.start()
        assert (again.order(WO_1), again.van_stock(), again.devices_on_van()) == before
        assert [item.state for item in again.queue()] == ["saved"] * 8
        assert again.evidence_bytes(sha256(JPEG).hexdigest()) == JPEG

    def test_a_refusal_queues_nothing(self, ana: Gateway):
        with pytest.raises(NotStarted, match="Tap Arrived first"):
            ana.send(CloseWorkOrder(work_order_id=WO_1))
        assert ana.queue() == []
        assert ana.order(WO_1) == asyncio.run(_fresh(ana)).order(WO_1)

    def test_a_job_that_is_not_here_is_refused(self, ana: Gateway):
        with pytest.raises(NotFound, match="not on this device"):
            ana.send(StartTravel(work_order_id=uid(999)))

    def test_a_typed_serial_is_brought_to_its_form(self, ana: Gateway):
        on_site(ana)
        ana.send(InstallAsset(work_order_id=WO_1, serial=" znts 00000002 ", source="typed"))
        order = ana.order(WO_1)
        assert order is not None and [device.serial for device in order.fitted] == ["ZNTS00000002"]

    @pytest.mark.parametrize("typed", ["znts-a1b2-c3d4", "ac:12:2f:00:1b:9e", "AC12.2F00.1B9E"])
    def test_gpon_serial_or_mac_name_the_same_device(self, ana: Gateway, typed: str):
        on_site(ana)
        ana.send(InstallAsset(work_order_id=WO_1, serial=typed, source="typed"))
        order = ana.order(WO_1)
        assert order is not None and [device.serial for device in order.fitted] == ["ZNTS00000001"]

    def test_a_mac_with_a_wrong_digit_count_is_counted(self, ana: Gateway):
        on_site(ana)
        with pytest.raises(BadValue, match="this one has 11"):
            ana.send(
                InstallAsset(
                    work_order_id=WO_1, serial="ZNTS00000001", mac="AC:12:2F:00:1B:9", source="typed"
                )
            )

    def test_an_unknown_serial_asks_for_confirmation(self, ana: Gateway):
        on_site(ana)
        with pytest.raises(SerialUnknown):
            ana.send(InstallAsset(work_order_id=WO_1, serial="NEW0000001", source="typed"))
        ana.send(
            InstallAsset(work_order_id=WO_1, serial="NEW0000001", source="typed", confirmed=True, sku=ONT)
        )
        assert ana.missing(WO_1)[0].field == "optical_power"

    def test_tells_who_listens_until_they_stop(self, ana: Gateway):
        told: list[int] = []
        stop = ana.subscribe(lambda: told.append(len(ana.queue())))
        ana.send(StartTravel(work_order_id=WO_1))
        stop()
        ana.send(Arrive(work_order_id=WO_1))
        assert told == [1]

    def test_titles_are_in_plain_words(self, ana: Gateway):
        do_whole_job(ana, WO_1, "ZNTS00000001")
        on_site(ana, WO_2)
        ana.send(RemoveAsset(work_order_id=WO_2, serial="OLD0000001", reason="broken"))
        ana.send(AddNote(work_order_id=WO_2, text="The dog\nis friendly"))
        ana.send(UseParts(work_order_id=WO_2, lines=(PartLine(sku=CABLE, quantity=15),)))
        reason = UnfinishedReason.CUSTOMER_ABSENT
        ana.send(CannotComplete(work_order_id=WO_2, reason=reason))
        assert [(item.seq, item.order_number, item.title) for item in reversed(ana.queue())] == [
            (1, "WO-101", "Set out"),
            (2, "WO-101", "Arrived"),
            (3, "WO-101", "Fitted ZNTS00000001"),
            (4, "WO-101", "Optical receive power -18.4 dBm"),
            (5, "WO-101", "Used 2 × SC/APC connector"),
            (6, "WO-101", "Photo"),
            (7, "WO-101", "Signature of Aino Virta"),
            (8, "WO-101", "Closed the job"),
            (9, "WO-102", "Set out"),
            (10, "WO-102", "Arrived"),
            (11, "WO-102", "Took off OLD0000001"),
            (12, "WO-102", "Note: The dog is friendly"),
            (13, "WO-102", "Used 15 m of Drop cable"),
            (14, "WO-102", "Could not complete: nobody at home"),
        ]


async def _fresh(gateway: Gateway) -> Gateway:
    await gateway.sync()
    return gateway


class TestAskingForAVisit:
    def test_waits_for_the_office_until_the_answer_has_come(
        self, phone: Phone, ana: Gateway, server: FakeServer
    ):
        new = ana.mint()
        ana.send(
            AskForVisit(
                work_order_id=WO_1,
                new_order_id=new,
                kind=WorkOrderKind.REPAIR,
                summary="Socket in the cellar",
                expected_minutes=30,
            )
        )
        again = phone.start()
        order = again.order(WO_1)
        assert order is not None
        assert [visit.order_id for visit in order.asked_for] == [new]
        assert again.orders_waiting() == {new}

        assert asyncio.run(again.sync()).accepted == 1

        order = again.order(WO_1)
        assert order is not None
        assert order.asked_for == server.town.orders[WO_1].asked_for
        assert [visit.number for visit in order.asked_for] == [f"{order.number}-2"]
        assert again.orders_waiting() == frozenset()


class TestWhatIsAboutTheVan:
    """A command that names no job: shown, kept, sent and echoed like any other."""

    COUNT = CountVan(parts=(CountedParts(sku=CONNECTOR, counted=17, listed=20),))

    def left(self, gateway: Gateway) -> int:
        return next(view.on_hand for view in gateway.van_stock() if view.product.sku == CONNECTOR)

    def test_is_shown_at_once_and_still_there_after_a_restart(self, phone: Phone, ana: Gateway):
        ana.keep_draft("count", "half done")
        ana.send(self.COUNT, ends_draft="count")
        assert self.left(ana) == 17
        again = phone.start()
        assert (self.left(again), again.status().unsent_commands, again.draft("count")) == (17, 1, None)
        [item] = again.queue()
        assert (item.type, item.work_order_id, item.order_number) == ("count_van", None, "Your van")
        assert item.title == "Counted the van: 1 part, 0 devices"

    def test_is_taken_off_once_when_the_answer_has_come(self, ana: Gateway, server: FakeServer):
        ana.send(self.COUNT)
        asyncio.run(ana.sync())
        assert [item.state for item in ana.queue()] == ["accepted"]
        assert self.left(ana) == server.town.stock[VAN_ANA, CONNECTOR] == 17
        asyncio.run(ana.sync())
        assert self.left(ana) == 17

    def test_is_taken_off_once_too_when_the_answer_was_lost(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.send(self.COUNT)
        network.faults = ["reply lost"]
        asyncio.run(ana.sync())
        asyncio.run(ana.sync())
        assert self.left(ana) == server.town.stock[VAN_ANA, CONNECTOR] == 17

    def test_a_colleagues_device_is_moved_when_the_server_knows_it(self, ana: Gateway):
        ana.send(CountVan(seen=(SeenDevice(serial="ZNTS00000009"),)))
        assert "ZNTS00000009" not in [asset.serial for asset in ana.devices_on_van()]
        asyncio.run(ana.sync())
        assert "ZNTS00000009" in [asset.serial for asset in ana.devices_on_van()]
        assert [item.remarks for item in ana.queue()] == [("ZNTS00000009 was booked on Ben's van",)]

    def test_what_no_rule_allows_is_not_queued(self, ana: Gateway):
        with pytest.raises(BadValue, match="has a serial"):
            ana.send(CountVan(parts=(CountedParts(sku=ONT, counted=1, listed=2),)))
        assert (ana.queue(), self.left(ana)) == ([], 20)

    def test_a_draft_goes_with_who_made_it(self, ana: Gateway, phone: Phone):
        ana.keep_draft("count", "Ana's")
        asyncio.run(ana.register("BEN-0001", "Ana's phone", "test"))
        assert phone.start().draft("count") is None

    def test_a_restored_server_is_asked_again_and_not_shown_twice(self, ana: Gateway, server: FakeServer):
        ana.send(self.COUNT)
        asyncio.run(ana.sync())
        server.restore_backup()
        asyncio.run(ana.sync())
        assert self.left(ana) == server.town.stock[VAN_ANA, CONNECTOR] == 17


def grow(phone: Phone, *, pages: int) -> None:
    """Let the disk take so many pages more than the file has now."""
    (now,) = phone.connection.execute("PRAGMA page_count").fetchone()
    phone.connection.execute(f"PRAGMA max_page_count = {now + pages}")


class TestEvidence:
    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            (b"", "The photo is empty"),
            (JPEG + bytes(30 * 2**20), "has 30.0 MB, at most 10 MB"),
            (b"%PDF-1.7", "no picture"),
        ],
        ids=["empty", "30 MB", "no picture"],
    )
    def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
        self, ana: Gateway, data: bytes, sentence: str
    ):
        with pytest.raises(BadEvidence, match=sentence):
            ana.add_photo(WO_1, data, "image/jpeg")
        assert (ana.queue(), ana.status().unsent_photos) == ([], 0)

    def test_a_signature_needs_a_name(self, ana: Gateway):
        with pytest.raises(BadEvidence, match="name of who signed"):
            ana.add_signature(WO_1, PNG, "  ")

    def test_of_a_full_device_goes_for_new_work_once_the_office_has_it_and_never_before(
        self, ana: Gateway, phone: Phone
    ):
        first, second = JPEG + bytes(200_000), JPEG + bytes([1]) * 300_000
        ana.add_photo(WO_1, first, "image/jpeg")
        grow(phone, pages=20)
        with pytest.raises(NotSaved):
            ana.add_photo(WO_1, second, "image/jpeg")
        assert (ana.status().unsent_photos, ana.evidence_bytes(sha256(first).hexdigest())) == (1, first)

        grow(phone, pages=100)
        asyncio.run(ana.sync())
        grow(phone, pages=1)
        ana.add_photo(WO_1, second, "image/jpeg")

        assert ana.evidence_bytes(sha256(first).hexdigest()) is None
        assert ana.evidence_bytes(sha256(second).hexdigest()) == second

    def test_data_goes_before_photos(self, ana: Gateway, network: Network):
        do_whole_job(ana, WO_1, "ZNTS00000001")
        network.log.clear()
        report = asyncio.run(ana.sync())
        photo, signature = sha256(JPEG).hexdigest(), sha256(PNG).hexdigest()
        assert network.log == [
            "POST /sync",
            "POST /api/uploads",
            f"PATCH /api/uploads/{signature}",
            "POST /api/uploads",
            f"PATCH /api/uploads/{photo}",
            "POST /sync",
        ]
        assert (report.drained, report.photos, ana.status().unsent_photos) == (True, 2, 0)

    def test_the_same_picture_twice_is_uploaded_once(self, ana: Gateway, server: FakeServer):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        ana.add_photo(WO_2, JPEG, "image/jpeg")
        report = asyncio.run(ana.sync())
        assert (report.accepted, report.photos, list(server.blobs.values())) == (2, 1, [JPEG])

    def test_a_portals_yes_to_an_upload_is_not_believed(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        network.faults = ["none", "captive portal"]
        report = asyncio.run(ana.sync())
        assert report.problem is not None and "sign in to this network" in report.problem
        assert (server.blobs, ana.status().unsent_photos) == ({}, 1)
        assert asyncio.run(ana.sync()).drained
        assert list(server.blobs.values()) == [JPEG]

    def test_a_yes_without_the_bytes_is_not_believed_either(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        server.protocol = 1  # whole files: an empty 200 is all there is to go by
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        network.faults = [*["none"] * (PROTOCOL + 1), "empty yes"]
        report = asyncio.run(ana.sync())
        assert (report.drained, report.problem) == (False, "The server still asks for photos that were sent.")
        assert asyncio.run(ana.sync()).drained
        assert list(server.blobs.values()) == [JPEG]

    @pytest.mark.parametrize("fault", ["request lost", "reply lost", "503"])
    def test_a_broken_upload_is_tried_again(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network, fault: str
    ):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        network.faults = ["none", fault]  # type: ignore[list-item]
        report = asyncio.run(ana.sync())
        assert (report.drained, report.accepted, ana.status().unsent_photos) == (False, 1, 1)
        again = phone.start()
        assert asyncio.run(again.sync()).drained
        assert (list(server.blobs.values()), again.status().unsent_photos) == ([JPEG], 0)

    def test_what_the_server_cannot_read_is_kept_and_said(self, ana: Gateway, server: FakeServer):
        gif = b"GIF89a a picture that this server does not take"
        ana.add_photo(WO_1, gif, "image/gif")
        for _ in range(3):
            asyncio.run(ana.sync())
        status = ana.status()
        assert (status.unsent_photos, server.blobs) == (0, {})
        assert status.problem == "The server could not keep a photo or signature: see the list"
        assert ana.queue()[0].detail == "That file is no picture"
        assert ana.evidence_bytes(sha256(gif).hexdigest()) == gif

    def test_bytes_go_two_weeks_after_the_server_has_them(self, ana: Gateway, clock: Clock):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.sync())
        clock.forward(days=13)
        asyncio.run(ana.sync())
        assert (ana.evidence_bytes(sha256(JPEG).hexdigest()), len(ana.queue())) == (JPEG, 1)
        clock.forward(days=2)
        asyncio.run(ana.sync())
        assert (ana.evidence_bytes(sha256(JPEG).hexdigest()), ana.queue()) == (None, [])


class TestScanning:
    def test_a_device_of_the_van_may_be_fitted(self, ana: Gateway):
        on_site(ana)
        verdict = ana.judge_scan(WO_1, "znts00000001", "wedge")
        assert (verdict.kind, verdict.may_install, verdict.serial) == ("mine", True, "ZNTS00000001")
        assert "is on your van" in verdict.sentence
        ana.send(verdict.install())
        assert ana.judge_scan(WO_1, "ZNTS00000001", "camera").kind == "already_on_job"

    @pytest.mark.parametrize(
        "text",
        ["ZNTS00000001", "ZNTSA1B2C3D4", "5A4E5453A1B2C3D4", "AC:12:2F:00:1B:9E", "S/N: ZNTS00000001"],
        ids=["serial", "GPON", "GPON in hex", "MAC", "printed name"],
    )
    def test_any_number_on_the_label_finds_it(self, ana: Gateway, text: str):
        on_site(ana)
        verdict = ana.judge_scan(WO_1, text, "camera")
        assert (verdict.serial, verdict.mac, verdict.gpon_serial, verdict.may_install) == (
            "ZNTS00000001",
            "AC:12:2F:00:1B:9E",
            "ZNTSA1B2C3D4",
            True,
        )

    def test_a_gs1_code_names_serial_and_model(self, ana: Gateway):
        on_site(ana)
        verdict = ana.judge_scan(WO_1, "(01)04006381333931(21)NEW0000001", "camera")
        assert (verdict.serial, verdict.sku, verdict.may_confirm, verdict.models) == (
            "NEW0000001",
            ONT,
            True,
            (),
        )
        ana.send(verdict.install(confirmed=True))

    def test_an_unknown_serial_may_be_confirmed_with_its_model(self, ana: Gateway):
        on_site(ana)
        verdict = ana.judge_scan(WO_1, "NEW0000001", "typed")
        assert (verdict.kind, verdict.may_install, verdict.may_confirm) == ("unknown", False, True)
        assert verdict.models == (ONT,)
        ana.send(verdict.install(confirmed=True, sku=ONT))

    def test_a_wrong_model_may_not_be_fitted(self, ana: Gateway):
        on_site(ana)
        verdict = ana.judge_scan(WO_1, "RTR0000001", "camera")
        assert (verdict.kind, verdict.may_install, verdict.may_confirm) == ("wrong_model", False, False)
        assert "this job needs Zhone ONT-G2" in verdict.sentence

    def test_a_recalled_device_may_not_be_fitted(self, server: FakeServer, phone: Phone):
        from dataclasses import replace

        recalled = replace(server.town.assets["ZNTS00000002"], state=AssetState.QUARANTINED)
        server.town.assets["ZNTS00000002"] = recalled
        gateway = phone.start()
        asyncio.run(gateway.register("ANA-0001", "x", "test"))
        asyncio.run(gateway.sync())
        on_site(gateway)
        verdict = gateway.judge_scan(WO_1, "ZNTS00000002", "camera")
        assert (verdict.kind, verdict.may_install, verdict.may_confirm) == ("asset-quarantined", False, False)
        assert "recall" in verdict.sentence

    def test_a_device_of_a_quarantined_lot_needs_a_second_look(self, server: FakeServer, phone: Phone):
        from dataclasses import replace

        assets = server.town.assets
        assets["ZNTS00000001"] = replace(assets["ZNTS00000001"], batch="L7")
        recalled = replace(assets["ZNTS00000002"], batch="L7", state=AssetState.QUARANTINED)
        assets["ZNTS00000002"] = recalled
        gateway = phone.start()
        asyncio.run(gateway.register("ANA-0001", "x", "test"))
        asyncio.run(gateway.sync())
        on_site(gateway)
        ours = gateway.judge_scan(WO_1, "ZNTS00000001", "camera")
        assert (ours.kind, ours.may_install, ours.may_confirm) == ("quarantined-lot", False, True)
        unknown = gateway.judge_scan(WO_1, "(01)04006381333931(10)L7(21)NEW0000001", "camera")
        assert (unknown.kind, unknown.may_install, unknown.may_confirm) == ("quarantined-lot", False, True)
        other_lot = gateway.judge_scan(WO_1, "(01)04006381333931(10)L8(21)NEW0000001", "camera")
        assert other_lot.kind == "unknown"

    def test_a_quarantined_device_is_not_offered_from_the_van(self, server: FakeServer, phone: Phone):
        from dataclasses import replace

        assets = server.town.assets
        assets["ZNTS00000002"] = replace(assets["ZNTS00000002"], state=AssetState.QUARANTINED)
        gateway = phone.start()
        asyncio.run(gateway.register("ANA-0001", "x", "test"))
        asyncio.run(gateway.sync())
        offered = [serial for view in gateway.van_stock() for serial in view.serials]
        assert "ZNTS00000001" in offered
        assert "ZNTS00000002" not in offered

    @staticmethod
    def of_label(ana: Gateway, *texts: str) -> list[ScanVerdict]:
        readings = [LabelReading(text=text, symbology="Code128", frames=2) for text in texts]
        label = ana.read_label(readings)
        return [ana.judge_scan(WO_1, text, "camera", label) for text in texts]

    def test_a_whole_label_fills_mac_gpon_serial_and_model_of_a_new_device(self, ana: Gateway):
        on_site(ana)
        verdict, *_ = self.of_label(
            ana, "(01)04006381333931(10)L7(21)NEW0000001", "ZNTS00C0FFEE", "AC:12:2F:00:1B:A0"
        )
        assert (verdict.serial, verdict.sku, verdict.mac, verdict.gpon_serial) == (
            "NEW0000001",
            ONT,
            "AC:12:2F:00:1B:A0",
            "ZNTS00C0FFEE",
        )
        assert verdict.label.value(LabelPart.LOT) == "L7"

    def test_a_whole_label_that_says_what_the_register_says_may_be_fitted(self, ana: Gateway):
        on_site(ana)
        verdicts = self.of_label(ana, "ZNTS00000001", "ZNTSA1B2C3D4", "AC122F001B9E")
        assert [(verdict.kind, verdict.may_install) for verdict in verdicts] == [("mine", True)] * 3

    def test_a_mac_that_the_register_does_not_know_of_this_serial_stops_it(self, ana: Gateway):
        on_site(ana)
        verdict, *_ = self.of_label(ana, "ZNTS00000001", "AC122F00FFFF")
        assert (verdict.kind, verdict.may_install, verdict.may_confirm) == (DISAGREES, False, False)
        assert "The label says MAC AC:12:2F:00:FF:FF" in verdict.sentence

    def test_a_mac_of_a_device_with_another_serial_stops_it(self, ana: Gateway):
        on_site(ana)
        _, by_mac = self.of_label(ana, "NEW0000001", "AC122F001B9E")
        assert (by_mac.kind, by_mac.may_install) == (DISAGREES, False)
        assert by_mac.sentence.startswith("The label says serial NEW0000001")

    def test_the_old_device_may_be_taken_off(self, ana: Gateway):
        on_site(ana, WO_2)
        verdict = ana.judge_scan(WO_2, "OLD0000001", "camera")
        assert (verdict.kind, verdict.may_remove, verdict.may_install) == ("installed_here", True, False)
        ana.send(verdict.removal("replaced"))

    def test_before_arriving_it_says_what_to_tap(self, ana: Gateway):
        verdict = ana.judge_scan(WO_1, "ZNTS00000001", "camera")
        assert (verdict.may_install, verdict.sentence) == (False, "Tap Arrived first")

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("", "empty-scan"),
            ("04006381333931", "wrong_kind"),
            ("AC:12:2F:00:1B:9", "malformed-mac"),
            ("AC:12:2F:00:1B:77", "wrong_kind"),
            ("https://example.org/x", "malformed-serial"),
        ],
    )
    def test_a_code_that_is_no_serial_is_told_apart(self, ana: Gateway, text: str, kind: str):
        on_site(ana)
        verdict = ana.judge_scan(WO_1, text, "camera")
        assert (verdict.kind, verdict.may_install, verdict.may_confirm) == (kind, False, False)
        assert verdict.sentence


class TestSyncing:
    def test_one_round_trip_does_it_and_everything_is_booked(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        do_whole_job(ana, WO_1, "ZNTS00000001")
        shown = ana.order(WO_1)
        report = asyncio.run(ana.sync())
        assert (report.drained, report.online, report.accepted, report.held) == (True, True, 8, 0)
        assert server.town.orders[WO_1] == shown == ana.order(WO_1)
        assert server.town.stock[(VAN_ANA, CONNECTOR)] == 18
        assert server.town.assets["ZNTS00000001"].state is AssetState.INSTALLED
        assert [item.state for item in ana.queue()] == ["accepted"] * 8

    def test_without_network_is_a_status_not_an_error(self, ana: Gateway, network: Network):
        network.down = True
        on_site(ana)
        report = asyncio.run(ana.sync())
        assert (report.drained, report.online) == (False, False)
        assert report.retry_in_seconds is not None and 2.0 <= report.retry_in_seconds < 2.5
        status = ana.status()
        assert (status.unsent_commands, status.online, status.last_contact) == (2, False, MORNING)
        assert status.problem == "The server could not be reached."

    @pytest.mark.parametrize(
        "fault",
        ["request lost", "reply lost", "twice", "half a reply", "captive portal", "500", "503"],
    )
    def test_no_fault_of_the_network_loses_or_doubles_anything(
        self, ana: Gateway, server: FakeServer, network: Network, fault: str
    ):
        do_whole_job(ana, WO_1, "ZNTS00000001")
        shown = ana.order(WO_1)
        network.faults = [fault]  # type: ignore[list-item]
        first = asyncio.run(ana.sync())
        assert first.drained is (fault == "twice")
        if not first.drained:
            assert [item.state for item in ana.queue()] == ["saved"] * 8
            assert ana.order(WO_1) == shown
        assert asyncio.run(ana.sync()).problem is None
        assert server.town.orders[WO_1] == shown == ana.order(WO_1)
        assert server.town.stock[(VAN_ANA, CONNECTOR)] == 18
        assert len(server.receipts) == 8

    def test_waits_longer_after_each_failure_and_forgets_it_after_success(
        self, ana: Gateway, network: Network
    ):
        network.faults = ["request lost"] * 4
        waits = [asyncio.run(ana.sync()).retry_in_seconds or 0 for _ in range(4)]
        factors = [wait / least for wait, least in zip(waits, (2, 4, 8, 16), strict=True)]
        assert all(1 <= factor < 1.25 for factor in factors)
        assert len(set(factors)) > 1  # jitter
        assert asyncio.run(ana.sync()).retry_in_seconds is None

    def test_an_unknown_device_keeps_everything_and_asks_for_a_person(
        self, phone: Phone, ana: Gateway, server: FakeServer
    ):
        on_site(ana)
        server.devices.clear()
        report = asyncio.run(ana.sync())
        assert (report.drained, report.online, report.retry_in_seconds) == (False, True, None)
        again = phone.start()
        assert again.status().sign_in_needed
        assert again.status().problem == report.problem
        assert [item.state for item in again.queue()] == ["saved"] * 2
        server.codes["ANA-0002"] = TECH_ANA
        asyncio.run(again.register("ANA-0002", "x", "test"))
        assert asyncio.run(again.sync()).accepted == 2
        assert not again.status().sign_in_needed

    def test_a_revoked_device_hands_over_its_queue_and_then_says_so(self, ana: Gateway, server: FakeServer):
        on_site(ana)
        server.revoke()
        assert asyncio.run(ana.sync()).held == 2
        assert [problem.slug for _, problem in server.held] == ["revoked-device"] * 2
        report = asyncio.run(ana.sync())
        assert (report.drained, report.online, report.retry_in_seconds) == (False, True, None)
        assert (ana.status().sign_in_needed, ana.status().problem) == (True, report.problem)
        assert "The office signed this device out" in str(report.problem)
        assert {item.state for item in ana.queue()} == {"held"}
        assert len(ana.today()) == 3

    def test_one_entry_that_breaks_the_server_holds_up_only_itself_and_what_follows(
        self, ana: Gateway, server: FakeServer
    ):
        on_site(ana)
        ana.send(AddNote(work_order_id=WO_1, text="poison"))
        ana.send(AddNote(work_order_id=WO_1, text="after it"))
        server.poison = {item.id for item in ana.queue() if item.title == "Note: poison"}
        server.give(WO_3, TECH_BEN)
        for _ in range(16):
            asyncio.run(ana.sync())
        assert [item.state for item in ana.queue()] == ["saved", "saved", "accepted", "accepted"]
        assert ana.order(WO_3) is None  # fresh rows come down all the same
        assert not asyncio.run(ana.sync()).drained
        server.poison.clear()
        while not asyncio.run(ana.sync()).drained:
            pass
        notes = server.town.orders[WO_1].notes
        assert [note.text for note in notes] == ["poison", "after it"]

    def test_a_queue_longer_than_one_push_goes_in_order(self, ana: Gateway, server: FakeServer):
        on_site(ana)
        for number in range(450):
            ana.send(AddNote(work_order_id=WO_1, text=f"note {number}"))
        report = asyncio.run(ana.sync())
        assert (report.drained, report.accepted, report.rounds) == (True, 452, 3)
        notes = server.town.orders[WO_1].notes
        assert [note.text for note in notes] == [f"note {number}" for number in range(450)]

    def test_many_changes_come_page_by_page_without_flicker(self, ana: Gateway, server: FakeServer):
        server.page_size = 1
        server.give(WO_2, TECH_BEN)
        on_site(ana)
        ana.send(AddNote(work_order_id=WO_1, text="once"))
        seen: set[tuple[str, int]] = set()

        def look() -> None:
            order = ana.order(WO_1)
            assert order is not None
            seen.add((order.state.value, len(order.notes)))

        ana.subscribe(look)
        report = asyncio.run(ana.sync())
        assert report.drained and report.rounds > 2
        assert seen == {("on_site", 1)}

    def test_a_tap_during_a_sync_goes_with_the_same_call(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        def tap() -> None:
            network.before = lambda: None
            ana.send(StartTravel(work_order_id=WO_1))

        network.before = tap
        report = asyncio.run(ana.sync())
        assert (report.drained, report.accepted, report.rounds) == (True, 1, 2)
        assert server.town.orders[WO_1].state is WorkOrderState.TRAVELLING

    def test_two_calls_at_once_are_one_conversation(self, ana: Gateway, network: Network):
        ana.send(StartTravel(work_order_id=WO_1))

        async def both() -> None:
            first, second = await asyncio.gather(ana.sync(), ana.sync())
            assert first == second
            assert first.accepted == 1

        asyncio.run(both())

    def test_what_is_on_its_way_is_shown_as_sending(self, ana: Gateway, network: Network):
        ana.send(StartTravel(work_order_id=WO_1))
        seen: list[str] = []
        network.before = lambda: seen.append(ana.queue()[0].state)
        asyncio.run(ana.sync())
        assert seen == ["sending"]
        assert ana.queue()[0].state == "accepted"

    def test_cancelled_in_mid_air_it_can_start_again(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.send(StartTravel(work_order_id=WO_1))

        async def cancel() -> None:
            task = asyncio.create_task(ana.sync())
            await asyncio.sleep(0.01)
            assert ana.status().syncing
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        network.hangs = True
        asyncio.run(cancel())
        assert not ana.status().syncing
        network.hangs = False
        assert asyncio.run(ana.sync()).accepted == 1

    def test_a_clock_a_day_off_is_measured_and_corrected(
        self, phone: Phone, server: FakeServer, clock: Clock
    ):
        wrong = Clock(MORNING - timedelta(days=1))
        phone.clock = wrong
        gateway = phone.start()
        asyncio.run(gateway.register("ANA-0001", "x", "test"))
        asyncio.run(gateway.sync())
        assert gateway.status().clock_offset_seconds == 86_400
        assert len(gateway.today()) == 3
        gateway.send(StartTravel(work_order_id=WO_1))
        shown = gateway.order(WO_1)
        assert shown is not None and shown.travel_started_at == MORNING
        asyncio.run(gateway.sync())
        assert server.town.orders[WO_1] == shown
        assert "clock was 1440 minutes behind" in gateway.queue()[0].remarks[0]


class TestWhenTheOfficeChangesItsMind:
    def test_a_cancelled_job_keeps_the_work_and_tells(self, ana: Gateway, server: FakeServer):
        do_whole_job(ana, WO_1, "ZNTS00000001")
        server.cancel(WO_1)
        report = asyncio.run(ana.sync())
        assert (report.held, report.accepted, len(server.held)) == (8, 0, 8)
        assert {item.state for item in ana.queue()} == {"held"}
        assert ana.queue()[0].detail == (
            "The office cancelled WO-101. Your work is kept; dispatch decides what happens with it"
        )
        assert ana.status().held == 8
        assert asyncio.run(ana.sync()).drained

    def test_a_job_given_away_and_not_started_stays_with_who_did_it(self, ana: Gateway, server: FakeServer):
        do_whole_job(ana, WO_1, "ZNTS00000001")
        server.give(WO_1, TECH_BEN)
        report = asyncio.run(ana.sync())
        assert (report.accepted, report.held) == (8, 0)
        assert server.town.orders[WO_1].technician_id == TECH_ANA
        assert ana.queue()[-1].remarks == ("WO-101 had been given away; it stays with who did the work",)

    def test_a_job_a_colleague_started_is_held_and_leaves(self, ana: Gateway, server: FakeServer):
        on_site(ana)
        server.give(WO_1, TECH_BEN)
        server.act_as(TECH_BEN, StartTravel(work_order_id=WO_1))
        assert asyncio.run(ana.sync()).held == 2
        assert ana.order(WO_1) is None
        assert {(item.state, item.order_number) for item in ana.queue()} == {("held", "WO-101")}

    def test_a_job_that_left_is_kept_while_unsent_work_refers_to_it(self, ana: Gateway, server: FakeServer):
        on_site(ana)
        ana.send(AddNote(work_order_id=WO_1, text="gate code 1234"))
        poison = ana.queue()[0].id
        server.poison = {item.id for item in ana.queue()}
        server.give(WO_1, TECH_BEN)
        for _ in range(9):  # down to an empty push, which fetches rows
            asyncio.run(ana.sync())
        order = ana.order(WO_1)
        assert order is not None and order.notes[0].text == "gate code 1234"
        assert "WO-101" in [order.number for order in ana.today()]
        assert ana.queue()[0].id == poison
        server.poison.clear()
        while not asyncio.run(ana.sync()).drained:
            pass
        assert server.town.orders[WO_1].notes[0].text == "gate code 1234"

    def test_work_that_no_longer_applies_is_shown_and_still_sent(self, ana: Gateway, server: FakeServer):
        on_site(ana)
        server.poison = {item.id for item in ana.queue()}
        server.cancel(WO_1)
        for _ in range(9):
            asyncio.run(ana.sync())
        assert {item.state for item in ana.queue()} == {"refused_local"}
        assert "The office cancelled WO-101" in ana.queue()[0].detail
        server.poison.clear()
        while not asyncio.run(ana.sync()).drained:
            pass
        assert {item.state for item in ana.queue()} == {"held"}

    def test_a_restored_backup_starts_over_and_keeps_the_queue(self, ana: Gateway, server: FakeServer):
        on_site(ana)
        server.restore_backup()
        del server.town.orders[WO_3]
        report = asyncio.run(ana.sync())
        assert (report.drained, report.accepted) == (True, 2)
        assert [order.number for order in ana.today()] == ["WO-101", "WO-102"]

    def test_a_serial_that_somebody_else_fitted_is_held_and_the_rest_accepted(
        self, ana: Gateway, server: FakeServer
    ):
        on_site(ana)
        ana.send(
            InstallAsset(work_order_id=WO_1, serial="ZNTS00000009", sku=ONT, source="typed", confirmed=True)
        )
        ana.send(RecordCheck(work_order_id=WO_1, code="optical_power", value=Decimal("-20")))
        server.give(WO_2, TECH_BEN)
        server.act_as(TECH_BEN, StartTravel(work_order_id=WO_2))
        server.act_as(TECH_BEN, Arrive(work_order_id=WO_2))
        server.act_as(TECH_BEN, InstallAsset(work_order_id=WO_2, serial="ZNTS00000009", source="camera"))
        report = asyncio.run(ana.sync())
        assert (report.accepted, report.held) == (3, 1)
        held = next(item for item in ana.queue() if item.state == "held")
        assert held.detail == "ZNTS00000009 was fitted on another job: dispatch has to look at it"
        assert ana.missing(WO_1)[0].field == "fitted"
