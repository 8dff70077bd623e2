"""The whole client, from the tap to the wire, against a server in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from a_phone import Phone
from fake_server import (
    JPEG,
    MORNING,
    PNG,
    TECH_ANA,
    TECH_BEN,
    WO_1,
    WO_2,
    WO_3,
    Clock,
    FakeServer,
    Network,
    do_whole_job,
    uid,
)

from mobile.gateway import Gateway
from shared.clocks import parts
from shared.commands import AddNote, Arrive, StartTravel
from shared.problems import SignInNeeded, WipeDevice
from shared.work_orders import WorkOrderState
from sync.client.transport import Answer
from sync.protocol import PROTOCOL, UnsentItem

BIG = JPEG + bytes(range(256)) * 800
"""A photo of 200 kB: four pieces before the network has been measured."""


class Seconds:
    """A clock that nobody can set, except the test."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def server(clock: Clock) -> FakeServer:
    return FakeServer(clock)


@pytest.fixture
def network(server: FakeServer) -> Network:
    return Network(server)


@pytest.fixture
def phone(tmp_path: Path, network: Network, clock: Clock, seconds: Seconds) -> Iterator[Phone]:
    phone = Phone(tmp_path / "ana.db", network, clock, seconds)
    yield phone
    phone.stop()


@pytest.fixture
def ana(phone: Phone, network: Network, server: FakeServer) -> Gateway:
    """Registered and synced."""
    gateway = phone.start()
    asyncio.run(gateway.register("ANA-0001", "Ana's phone", "test"))
    asyncio.run(gateway.sync())
    network.log.clear()
    server.asked.clear()
    return gateway


def note(text: str = "gate code 1234") -> AddNote:
    return AddNote(work_order_id=WO_1, text=text)


class TestListening:
    def test_what_the_office_does_arrives_in_one_hop(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        async def day() -> None:
            listening = asyncio.create_task(ana.listen())
            await asyncio.sleep(0.01)
            assert (ana.status().listening, ana.status().syncing) == (True, False)
            server.give(WO_3, TECH_BEN)
            report = await listening
            assert report.brought_news

        asyncio.run(day())
        assert ana.order(WO_3) is None
        assert network.log == ["POST /sync"]
        assert (server.asked[0].wait_seconds, server.asked[0].commands) == (55, ())

    def test_a_tap_does_not_wait_for_the_end_of_it(self, ana: Gateway, server: FakeServer, network: Network):
        async def day() -> None:
            listening = asyncio.create_task(ana.listen())
            await asyncio.sleep(0.01)
            ana.send(StartTravel(work_order_id=WO_1))
            report = await asyncio.wait_for(listening, 1)
            assert (report.accepted, report.drained) == (1, True)

        asyncio.run(day())
        assert server.town.orders[WO_1].state is WorkOrderState.TRAVELLING
        assert network.log == ["POST /sync", "POST /sync"]
        assert server.listeners == []

    def test_a_sync_meanwhile_ends_it_too(self, ana: Gateway, server: FakeServer):
        async def day() -> None:
            listening = asyncio.create_task(ana.listen())
            await asyncio.sleep(0.01)
            report = await asyncio.wait_for(ana.sync(), 1)
            assert report == await listening

        asyncio.run(day())
        assert [asked.wait_seconds for asked in server.asked] == [55, 0]

    def test_it_ends_when_nobody_looks(self, ana: Gateway, server: FakeServer, network: Network):
        async def day() -> None:
            listening = asyncio.create_task(ana.listen())
            await asyncio.sleep(0.01)
            ana.stop_listening()
            report = await asyncio.wait_for(listening, 1)
            assert (report.drained, report.online, report.brought_news) == (True, True, False)

        asyncio.run(day())
        assert network.log == ["POST /sync"]
        assert not ana.status().listening

    def test_without_news_it_ends_by_itself(self, ana: Gateway):
        report = asyncio.run(ana.listen(1))
        assert (report.drained, report.online, report.brought_news) == (True, True, False)

    def test_cancelled_it_leaves_nothing_behind(self, ana: Gateway, server: FakeServer):
        async def day() -> None:
            listening = asyncio.create_task(ana.listen())
            await asyncio.sleep(0.01)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            assert listening.cancelled()

        asyncio.run(day())
        assert (server.listeners, ana.status().listening) == ([], False)
        ana.send(StartTravel(work_order_id=WO_1))
        assert asyncio.run(ana.sync()).accepted == 1

    def test_an_answer_that_comes_after_a_new_registration_is_not_kept(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        async def day() -> None:
            network.before = lambda: None
            slow = asyncio.create_task(ana.sync())
            await asyncio.sleep(0)
            await ana.register("BEN-0001", "x", "test")
            await slow

        asyncio.run(day())
        assert (ana.technician_name, ana.profile, ana.today()) == ("Ben", None, [])


async def hand_over(gateway: Gateway, network: Network, code: str, *, at: int) -> None:
    """Another technician registers after the `at`th answer of a conversation was given, before it is read."""
    server, answered, go_on = network.server, asyncio.Event(), asyncio.Event()
    count = 0

    class Holding:
        async def request(self, method: str, path: str, **more: Any) -> Answer:
            nonlocal count
            count += 1
            answer, mine = await server.request(method, path, **more), count
            if mine == at:
                answered.set()
                await go_on.wait()
            return answer

    network.server = Holding()  # type: ignore[assignment]
    run = asyncio.create_task(gateway.sync())
    await asyncio.wait_for(answered.wait(), 5)
    await gateway.register(code, "x", "test", keep_aside=True)
    go_on.set()
    await run
    network.server = server


class TestAHandOverInTheMidst:
    """Another technician registers while a request of the one before is under way."""

    @pytest.mark.parametrize("at", [2, 3, 4, 5])  # a place is opened; a part, the last part; the next place
    def test_photos_go_on_under_the_name_of_who_took_them(
        self, ana: Gateway, server: FakeServer, network: Network, at: int
    ):
        photos = [BIG[:90_000] + bytes([number]) for number in range(3)]
        for photo in photos:
            ana.add_photo(WO_1, photo, "image/jpeg")
        server.tokens.clear()
        asyncio.run(hand_over(ana, network, "BEN-0001", at=at))
        asyncio.run(ana.sync())
        assert {sha256(photo).hexdigest() for photo in photos} == set(server.blobs)
        paths = [line for line in network.log if "register" not in line]
        uploads = {token for line, token in zip(paths, server.tokens, strict=True) if "/sync" not in line}
        assert uploads == {"token-1"}
        assert (ana.technician_name, ana.status().unsent_photos) == ("Ben", 0)

    @pytest.mark.parametrize("at", [1, 2])
    def test_an_order_to_erase_is_the_earlier_devices(
        self, ana: Gateway, server: FakeServer, network: Network, at: int
    ):
        """Whether it is on its way, or brings first what was tapped meanwhile."""
        server.order_wipe()
        taps = iter([note("first")])
        network.before = lambda: ana.send(tap) if (tap := next(taps, None)) else None
        asyncio.run(hand_over(ana, network, "BEN-0001", at=at))
        assert (ana.technician_name, ana.must_confirm_wipe, server.wiped) == ("Ben", False, [])
        assert asyncio.run(ana.sync()).problem is None

    def test_an_order_to_erase_waits_for_the_work_of_others_and_is_void_then(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.send(note())
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        server.devices["token-2"].refusal = WipeDevice("Erase it")
        server.codes["BEN-0002"] = TECH_BEN
        asyncio.run(hand_over(ana, network, "BEN-0002", at=2))
        assert (ana.registered, server.wiped) == (True, [])

    def test_an_order_to_erase_what_is_kept_aside_is_void_when_they_are_back(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        server.devices["token-1"].refusal = WipeDevice("Erase it")
        server.codes["ANA-0002"] = TECH_ANA
        asyncio.run(hand_over(ana, network, "ANA-0002", at=5))  # the contact that confirms the photo
        assert (ana.technician_name, len(ana.queue())) == ("Ana", 1)

    def test_a_refusal_is_the_earlier_devices(self, ana: Gateway, server: FakeServer, network: Network):
        server.revoke()
        asyncio.run(hand_over(ana, network, "BEN-0001", at=1))
        assert not ana.status().sign_in_needed
        assert asyncio.run(ana.sync()).drained

    def test_the_token_from_before_does_not_come_back(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        backup = server.backup()
        server.next_token = "token-new"
        asyncio.run(ana.sync())
        server.restore(backup)
        asyncio.run(hand_over(ana, network, "BEN-0001", at=2))  # asked again with the token from before
        server.tokens.clear()
        assert asyncio.run(ana.sync()).drained
        assert set(server.tokens) == {"token-2"}


class TestASnapshotInPages:
    def test_what_is_there_stays_until_the_last_page_has_come(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.send(note())
        network.down = True
        asyncio.run(ana.sync())
        network.down = False
        server.restore_backup()
        server.page_size = 3
        del server.town.orders[WO_3]
        network.faults = ["none", "none", "request lost"]
        assert not asyncio.run(ana.sync()).drained
        again = phone.start()
        assert [order.id for order in again.today()] == [WO_1, WO_2, WO_3]
        assert len(again.products()) == 4
        assert again.order(WO_1).notes[0].text == "gate code 1234"  # type: ignore[union-attr]
        server.restore_backup()  # and once more from the start
        report = asyncio.run(again.sync())
        assert report.drained and report.rounds > 3
        assert [order.id for order in again.today()] == [WO_1, WO_2]
        assert len(again.products()) == 4

    def test_it_asks_for_as_much_as_fits_five_seconds(
        self, ana: Gateway, server: FakeServer, network: Network, seconds: Seconds
    ):
        def slowly() -> None:
            seconds.at += 2

        network.before = slowly
        server.restore_backup()
        asyncio.run(ana.sync())
        asyncio.run(ana.sync())
        before, after = server.asked[0].page_bytes, server.asked[-1].page_bytes
        assert before == 0  # as the server likes
        assert 8_000 <= after < 40_000

    def test_the_first_one_that_never_comes_through_is_asked_for_in_small_pages(
        self, phone: Phone, server: FakeServer, network: Network, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("sync.client.link.PATIENCE_SECONDS", (0.05, 0.05))
        gateway = phone.start()
        asyncio.run(gateway.register("ANA-0001", "x", "test"))
        network.hangs = True
        assert asyncio.run(gateway.sync()).problem == "The server did not answer in time."
        network.hangs = False
        assert asyncio.run(gateway.sync()).drained
        assert server.asked[0].page_bytes == 8_000


class TestARestoredServer:
    def test_is_offered_what_was_decided_since_and_loses_nothing(
        self, ana: Gateway, server: FakeServer, phone: Phone
    ):
        ana.send(StartTravel(work_order_id=WO_2))
        ana.send(AddNote(work_order_id=WO_2, text="before the backup"))
        asyncio.run(ana.sync())
        backup = server.backup()
        do_whole_job(ana, WO_1, "ZNTS00000001")
        asyncio.run(ana.sync())
        whole = dict(server.receipts), server.town.orders[WO_1].state, dict(server.blobs), server.town.stock
        server.restore(backup)
        assert len(server.receipts) == 2
        seen: set[tuple[int, bool]] = set()
        ana.subscribe(lambda: seen.add((ana.status().unsent_commands, ana.status().confirming > 0)))
        report = asyncio.run(ana.sync())
        assert (report.drained, report.accepted, report.photos) == (True, 10, 2)
        assert set(server.receipts) == set(whole[0])
        assert (server.town.orders[WO_1].state, server.blobs, server.town.stock) == whole[1:]
        assert seen == {(0, False), (0, True)}  # never shown as unsent
        assert {item.state for item in ana.queue()} == {"accepted"}
        assert not any(item.confirming for item in ana.queue())
        assert [note.text for note in server.town.orders[WO_2].notes] == ["before the backup"]
        commands = [command.seq for asked in server.asked[-3:] for command in asked.commands]
        assert commands == sorted(commands)

    def test_its_new_answer_takes_the_place_of_the_old_one(self, ana: Gateway, server: FakeServer):
        backup = server.backup()
        ana.send(note())
        asyncio.run(ana.sync())
        server.restore(backup)
        server.give(WO_1, TECH_BEN)
        server.act_as(TECH_BEN, StartTravel(work_order_id=WO_1))
        server.cancel(WO_1)
        asyncio.run(ana.sync())
        receipt = next(iter(server.receipts.values()))[1]
        assert (ana.queue()[0].state, ana.queue()[0].detail) == (receipt.outcome, receipt.detail or "")

    def test_a_kill_in_the_midst_of_it_makes_no_difference(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network
    ):
        backup = server.backup()
        do_whole_job(ana, WO_1, "ZNTS00000001")
        asyncio.run(ana.sync())
        server.restore(backup)
        network.faults = ["none", "reply lost"]
        assert not asyncio.run(ana.sync()).drained
        again = phone.start()
        assert (again.status().unsent_commands, again.status().confirming) == (0, 8)
        assert asyncio.run(again.sync()).drained
        assert len(server.receipts) == 8
        assert len(server.blobs) == 2

    def test_that_has_not_heard_of_the_newest_token_takes_the_one_before(
        self, ana: Gateway, server: FakeServer
    ):
        backup = server.backup()
        server.next_token = "token-new"
        ana.send(note())
        asyncio.run(ana.sync())
        server.restore(backup)
        server.tokens.clear()
        assert asyncio.run(ana.sync()).drained
        assert server.tokens[:3] == ["token-new", "token-1", "token-1"]
        assert len(server.receipts) == 1


class TestTheToken:
    def test_is_the_one_of_the_last_answer_that_was_stored(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network
    ):
        server.tokens.clear()
        server.next_token = "token-new"
        network.faults = ["reply lost"]
        asyncio.run(ana.sync())
        server.next_token = "token-new"  # told again: the answer was lost
        asyncio.run(ana.sync())
        asyncio.run(phone.start().sync())
        assert server.tokens == ["token-1", "token-1", "token-new"]


class TestAnErasure:
    def test_leaves_nothing_and_tells_the_office(self, phone: Phone, ana: Gateway, server: FakeServer):
        do_whole_job(ana, WO_1, "ZNTS00000001")
        asyncio.run(ana.sync())
        server.order_wipe()
        report = asyncio.run(ana.sync())
        assert report.problem == "The office erased this device. To use it again, ask dispatch for a code"
        assert server.wiped == ["token-1"]
        assert (ana.registered, ana.must_confirm_wipe, ana.queue(), ana.today()) == (False, False, [], [])
        assert (ana.status().sign_in_needed, ana.status().problem) == (True, report.problem)
        with pytest.raises(SignInNeeded):
            ana.send(note())
        phone.stop()
        left = phone.path.read_bytes()
        for secret in (b"Aino Virta", b"Rantatie", b"ZNTS0000", JPEG, b"token-1"):
            assert secret not in left

    def test_takes_the_queue_to_quarantine_first(self, ana: Gateway, server: FakeServer):
        ana.send(note())
        server.order_wipe()
        asyncio.run(ana.sync())
        asyncio.run(ana.sync())
        assert [problem.slug for _, problem in server.held] == ["wipe-device"]
        assert ana.queue() == []

    def test_takes_the_queue_along_that_the_server_had_stumbled_over(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.send(note())
        network.faults = ["500"] * 8  # by now it asks for rows alone, without the queue
        for _ in range(8):
            asyncio.run(ana.sync())
        server.order_wipe()
        server.asked.clear()
        asyncio.run(ana.sync())
        assert [len(asked.commands) for asked in server.asked] == [0, 1]
        assert (ana.queue(), server.wiped) == ([], ["token-1"])

    def test_takes_along_what_was_tapped_while_the_order_came(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        server.order_wipe()
        taps = iter([note("first"), note("second")])
        network.before = lambda: ana.send(tap) if (tap := next(taps, None)) else None
        asyncio.run(ana.sync())
        assert [len(asked.commands) for asked in server.asked] == [0, 1, 1]
        assert (ana.queue(), server.wiped) == ([], ["token-1"])

    def test_does_not_wait_for_a_server_that_takes_nothing(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        server.order_wipe()
        taps = iter([note("first")])
        network.before = lambda: ana.send(tap) if (tap := next(taps, None)) else None
        network.faults = ["none", "request lost", "503", "request lost"]
        asyncio.run(ana.sync())
        assert (len(server.asked), ana.registered, server.wiped) == (1, False, ["token-1"])

    def test_waits_between_its_tries_as_long_as_the_server_asks_but_no_hour(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network
    ):
        def tap_and_be_busy() -> None:
            if len(network.log) == 1:
                ana.send(note("first"))
            elif len(network.log) < 4:
                server.have_no_time(7 if len(network.log) == 2 else 3600)

        server.order_wipe()
        network.before = tap_and_be_busy
        asyncio.run(ana.sync())
        assert phone.pauses == [7, 60]
        assert [len(asked.commands) for asked in server.asked] == [0, 1]
        assert (len(server.held), server.wiped) == (1, ["token-1"])

    def test_passes_over_what_the_server_stumbles_on_and_takes_the_rest_along(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network
    ):
        def tap() -> None:
            if len(network.log) == 1:
                for number in range(9):
                    ana.send(note(f"note {number}"))
                server.poison.add(ana.queue()[4].id)

        server.order_wipe()
        network.before = tap
        asyncio.run(ana.sync())
        assert (len(server.held), server.wiped, phone.pauses) == (8, ["token-1"], [1])

    def test_takes_kept_work_along_though_a_request_got_lost(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.send(note())
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        server.devices["token-2"].refusal = WipeDevice("Erase it")
        network.faults = ["none", "request lost", "503"]
        asyncio.run(ana.sync())
        assert [command.technician_id for asked in server.asked for command in asked.commands] == [TECH_ANA]
        assert (server.wiped, phone.pauses) == (["token-2"], [1, 2])

    def test_tries_for_each_of_those_who_had_it_before(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        cleo = uid(3)
        server.town.profiles[cleo] = replace(server.town.profiles[TECH_BEN], name="Cleo")
        server.codes["CLEO-0001"] = cleo
        server.give(WO_3, TECH_BEN)
        ana.send(note())
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        network.faults = ["none", "request lost"]  # Ana's
        asyncio.run(ana.sync())
        ana.send(AddNote(work_order_id=WO_3, text="Ben's"))
        asyncio.run(ana.register("CLEO-0001", "x", "test", keep_aside=True))
        server.devices["token-3"].refusal = WipeDevice("Erase it")
        server.asked.clear()
        network.faults = ["none", "request lost", "request lost", "request lost"]
        asyncio.run(ana.sync())
        sent = [command.technician_id for asked in server.asked for command in asked.commands]
        assert (sent, server.wiped) == ([TECH_BEN], ["token-3"])

    def test_lets_the_work_of_whoever_had_it_before_go_first(self, ana: Gateway, server: FakeServer):
        ana.send(note())
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        server.devices["token-2"].refusal = WipeDevice("Erase it")
        asyncio.run(ana.sync())
        sent = [command for asked in server.asked for command in asked.commands]
        assert [(command.type, command.technician_id) for command in sent] == [
            ("add_note", TECH_ANA),
            ("add_evidence", TECH_ANA),
        ]
        assert (ana.registered, server.wiped) == (False, ["token-2"])
        assert server.blobs == {}  # an erasure does not wait for photos

    def test_is_told_later_when_the_network_is_gone(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network
    ):
        server.order_wipe()
        network.faults = ["none", "request lost"]
        asyncio.run(ana.sync())
        again = phone.start()
        assert (again.must_confirm_wipe, again.registered, server.wiped) == (True, False, [])
        asyncio.run(again.sync())
        assert (again.must_confirm_wipe, server.wiped) == (False, ["token-1"])
        assert "The office erased this device" in str(again.status().problem)

    @pytest.mark.parametrize("fault", ["captive portal", "empty yes", "500", "503", "busy"])
    def test_is_told_until_the_office_itself_says_that_it_knows(
        self, ana: Gateway, server: FakeServer, network: Network, fault: Any
    ):
        server.order_wipe()
        if fault == "busy":
            network.before = lambda: server.have_no_time(5) if network.log[1:] else None
        else:
            network.faults = ["none", fault]
        asyncio.run(ana.sync())
        assert (ana.registered, ana.must_confirm_wipe) == (False, True)
        network.before = lambda: None
        asyncio.run(ana.sync())
        assert not ana.must_confirm_wipe
        assert server.wiped[-1] == "token-1"

    def test_is_not_told_to_an_office_that_no_longer_knows_the_device(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        server.order_wipe()
        network.before = lambda: server.devices.clear() if network.log[1:] else None
        asyncio.run(ana.sync())
        assert (ana.registered, ana.must_confirm_wipe) == (False, False)

    def test_the_device_can_be_used_again(self, ana: Gateway, server: FakeServer):
        server.order_wipe()
        asyncio.run(ana.sync())
        server.codes["ANA-0002"] = TECH_ANA
        asyncio.run(ana.register("ANA-0002", "x", "test"))
        assert asyncio.run(ana.sync()).drained
        assert (len(ana.today()), ana.status().problem) == (3, None)


class TestWhatIsKeptAside:
    def test_lets_the_present_technician_go_first(self, ana: Gateway, server: FakeServer, network: Network):
        server.give(WO_3, TECH_BEN)
        ana.add_photo(WO_1, BIG, "image/jpeg")
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))

        def tap() -> None:
            if network.log[-1].startswith("PATCH") and not ana.queue():
                ana.send(AddNote(work_order_id=WO_3, text="Ben's"))

        network.before = tap
        report = asyncio.run(ana.sync())
        assert (report.drained, report.accepted, list(server.blobs.values())) == (True, 1, [BIG])
        parts = [number for number, line in enumerate(network.log) if line.startswith("PATCH")]
        assert network.log[parts[0] + 1] == "POST /sync"
        assert len(parts) > 2

    def test_is_counted_with_its_photos_until_the_server_is_known_to_have_them(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        counts = [ana.status().aside]
        ana.subscribe(lambda: counts.append(ana.status().aside))
        # Ben's contact; Ana's, a place, the bytes, and the contact that would confirm them
        network.faults = ["none", "none", "none", "none", "request lost"]
        asyncio.run(ana.sync())
        assert (list(server.blobs.values()), ana.status().aside) == ([JPEG], 1)
        asyncio.run(ana.sync())
        assert (counts[0], ana.status().aside) == (2, 0)
        assert network.log[-2:] == ["POST /sync", "POST /sync"]
        network.log.clear()
        asyncio.run(ana.sync())
        assert network.log == ["POST /sync"]

    def test_is_brought_again_when_the_server_does_not_have_it(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        network.faults = ["none", "none", "none", "none", "request lost"]
        asyncio.run(ana.sync())
        server.blobs.clear()
        asyncio.run(ana.sync())
        asyncio.run(ana.sync())
        assert (list(server.blobs.values()), ana.status().aside) == ([JPEG], 0)

    def test_does_not_swallow_the_wish_to_talk(self, ana: Gateway, server: FakeServer, network: Network):
        ana.add_photo(WO_1, BIG, "image/jpeg")
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))

        async def day() -> None:
            run = asyncio.create_task(ana.sync())
            while not network.log[-1:] or not network.log[-1].startswith("PATCH"):
                await asyncio.sleep(0)
            server.give(WO_3, TECH_BEN)
            await ana.sync()
            await run

        asyncio.run(day())
        assert [order.id for order in ana.today()] == [WO_3]


class TestAServerWithTooMuchToDo:
    def test_is_left_alone_for_as_long_as_it_asks(
        self, ana: Gateway, server: FakeServer, network: Network, seconds: Seconds
    ):
        ana.send(note())
        server.have_no_time(30)
        first = asyncio.run(ana.sync())
        assert (first.drained, first.online, first.not_before_seconds) == (False, True, 30)
        assert first.retry_in_seconds is not None and 30 <= first.retry_in_seconds < 37.5
        seconds.at += 29
        early = asyncio.run(ana.sync())
        assert (early.retry_in_seconds, len(network.log), ana.status().unsent_commands) == (1, 1, 1)
        seconds.at += 1
        assert asyncio.run(ana.sync()).accepted == 1


class TestAnAppThatIsTooOld:
    def test_is_told_so_and_still_brings_its_work(self, ana: Gateway, server: FakeServer):
        server.protocol_min = PROTOCOL + 1
        ana.send(note())
        assert asyncio.run(ana.sync()).accepted == 1
        report = asyncio.run(ana.sync())
        assert report.problem == "Update the app"
        assert not ana.status().sign_in_needed
        ana.send(note("second"))
        assert asyncio.run(ana.sync()).accepted == 1
        assert len(ana.today()) == 3


class TestAnOlderServer:
    def test_is_spoken_to_in_its_own_words(self, ana: Gateway, server: FakeServer, network: Network):
        server.protocol = 1
        do_whole_job(ana, WO_1, "ZNTS00000001")
        report = asyncio.run(ana.sync())
        assert (report.drained, report.accepted, report.photos) == (True, 8, 2)
        assert [asked.protocol for asked in server.asked] == [*range(PROTOCOL, 0, -1), 1]
        photo = sha256(JPEG).hexdigest()
        assert f"PUT /api/attachments/{photo}" in network.log


class TestRulings:
    @pytest.mark.parametrize(
        ("outcome", "said"),
        [
            ("accepted", "Dispatch booked this at 08:00, Seen with Ana"),
            ("corrected", "Dispatch corrected Seen with Ana and booked it at 08:00"),
            ("dismissed", "Dispatch looked at it: not booked, because Seen with Ana"),
        ],
    )
    def test_say_what_became_of_held_work(self, ana: Gateway, server: FakeServer, outcome: str, said: str):
        ana.send(StartTravel(work_order_id=WO_1))
        ana.send(Arrive(work_order_id=WO_1))
        server.cancel(WO_1)
        asyncio.run(ana.sync())
        assert ana.status().held == 2
        server.rule(ana.queue()[0].id, outcome)  # type: ignore[arg-type]
        asyncio.run(ana.sync())
        assert (ana.queue()[0].state, ana.queue()[0].detail) == (outcome, said)
        assert (ana.queue()[1].state, ana.status().held) == ("held", 1)


class TestPhotosInParts:
    def test_go_on_after_a_restart_without_a_byte_sent_twice(
        self, phone: Phone, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, BIG, "image/jpeg")
        # sync, open, first part, second part, where is it
        network.faults = ["none", "none", "none", "reply lost", "request lost"]
        assert not asyncio.run(ana.sync()).drained
        network.log.clear()
        again = phone.start()
        report = asyncio.run(again.sync())
        digest = sha256(BIG).hexdigest()
        assert (report.drained, server.blobs, server.photo_bytes) == (True, {digest: BIG}, len(BIG))
        place = f"/api/uploads/{digest}"
        assert network.log == [
            "POST /sync",
            f"HEAD {place}",
            f"PATCH {place}",
            "POST /sync",
        ]

    def test_a_part_that_got_lost_is_sent_again_at_once_and_no_other(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, BIG, "image/jpeg")
        network.faults = ["none", "none", "none", "request lost"]
        assert asyncio.run(ana.sync()).drained
        assert (list(server.blobs.values()), server.photo_bytes) == ([BIG], len(BIG))
        place = f"/api/uploads/{sha256(BIG).hexdigest()}"
        assert network.log[3:5] == [f"PATCH {place}", f"HEAD {place}"]
        assert set(network.log[5:-1]) == {f"PATCH {place}"}  # in smaller parts now

    def test_two_losses_without_a_byte_between_them_are_no_network(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, BIG, "image/jpeg")
        network.faults = ["none", "none", "none", "request lost", "none", "request lost"]
        report = asyncio.run(ana.sync())
        assert (report.online, report.drained, len(network.log)) == (False, False, 6)
        assert report.retry_in_seconds is not None and 2 <= report.retry_in_seconds < 2.5

    def test_a_server_that_lost_its_part_gets_the_whole_again(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, BIG, "image/jpeg")
        network.faults = ["none", "none", "none", "request lost", "request lost"]
        assert not asyncio.run(ana.sync()).online
        server.parts.clear()
        assert asyncio.run(ana.sync()).drained
        assert list(server.blobs.values()) == [BIG]

    def test_a_server_that_has_no_time_has_not_lost_its_part(
        self, ana: Gateway, server: FakeServer, network: Network, seconds: Seconds
    ):
        ana.add_photo(WO_1, BIG, "image/jpeg")
        network.faults = ["none", "none", "none", "request lost", "request lost"]
        assert not asyncio.run(ana.sync()).online
        network.log.clear()
        network.before = lambda: server.have_no_time(30) if network.log[-1].startswith("HEAD") else None
        assert asyncio.run(ana.sync()).not_before_seconds == 30
        network.before = lambda: None
        seconds.at += 60
        assert asyncio.run(ana.sync()).drained
        assert (list(server.blobs.values()), server.photo_bytes) == ([BIG], len(BIG))
        assert "POST /api/uploads" not in network.log

    def test_a_server_that_stands_elsewhere_says_where(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        def forget() -> None:
            if len(network.log) == 4:  # before the second part
                digest = sha256(BIG).hexdigest()
                server.parts[digest] = len(BIG), server.parts[digest][1][:1000]

        network.before = forget
        ana.add_photo(WO_1, BIG, "image/jpeg")
        assert asyncio.run(ana.sync()).drained
        assert list(server.blobs.values()) == [BIG]

    def test_commands_go_before_them_also_in_the_midst_of_one(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        def tap() -> None:
            if len(network.log) == 3:  # while the first part is on its way
                ana.send(note())

        network.before = tap
        ana.add_photo(WO_1, BIG, "image/jpeg")
        report = asyncio.run(ana.sync())
        assert (report.drained, report.accepted, server.photo_bytes) == (True, 2, len(BIG))
        assert [line.split()[0] + line[-5:] for line in network.log[:4]] == [
            "POST/sync",
            "POSTloads",
            "PATCH" + network.log[2][-5:],
            "POST/sync",
        ]

    def test_what_the_server_has_already_is_not_sent(self, ana: Gateway, server: FakeServer):
        server.blobs[sha256(BIG).hexdigest()] = BIG
        ana.add_photo(WO_1, BIG, "image/jpeg")
        assert asyncio.run(ana.sync()).drained
        assert server.photo_bytes == 0

    def test_a_server_that_makes_no_progress_is_not_asked_for_ever(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        def forget() -> None:
            server.parts.clear()

        network.before = forget
        ana.add_photo(WO_1, BIG, "image/jpeg")
        report = asyncio.run(ana.sync())
        assert report.problem == "The server answered without getting any further."
        assert len(network.log) < 10


class TestTheWire:
    def test_an_empty_contact_is_small_and_a_long_one_packed(self, ana: Gateway, network: Network):
        sizes: list[tuple[int, str | None]] = []
        ask = network.server.request

        async def weigh(method: str, path: str, *, headers: dict[str, str], body: bytes) -> object:
            sizes.append((len(body), headers.get("Content-Encoding")))
            return await ask(method, path, headers=headers, body=body)

        object.__setattr__(network, "server", _Weighing(weigh))
        asyncio.run(ana.sync())
        for number in range(100):
            ana.send(note(f"note {number}"))
        asyncio.run(ana.sync())
        assert sizes[0][0] < 400 and sizes[0][1] is None
        assert sizes[1][0] < 10_000 and sizes[1][1] == "gzip"

    def test_every_envelope_names_its_clocks_and_whose_it_is(
        self, phone: Phone, ana: Gateway, server: FakeServer, clock: Clock, seconds: Seconds
    ):
        ana.send(StartTravel(work_order_id=WO_1))
        clock.at = MORNING.replace(hour=3)  # somebody set the clock back
        seconds.at += 60
        ana.send(Arrive(work_order_id=WO_1))
        again = phone.start()
        again.send(note())
        asyncio.run(again.sync())
        first, second, third = server.asked[-1].commands
        assert (first.made_mono_ms, second.made_mono_ms) == (1_000_000, 1_060_000)
        assert first.boot == second.boot != third.boot == server.asked[-1].boot
        assert parts(first.hlc) < parts(second.hlc) < parts(third.hlc)
        assert {command.technician_id for command in (first, second, third)} == {TECH_ANA}
        assert server.asked[-1].device_mono_ms == 1_060_000

    def test_the_heartbeat_tells_what_a_lost_phone_would_carry(self, ana: Gateway, server: FakeServer):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.sync())
        beat = server.asked[0]
        assert (beat.queue_length, beat.unsent_photos, beat.oldest_unsent_at) == (1, 1, MORNING)
        assert (server.asked[-1].queue_length, server.asked[-1].unsent_photos) == (0, 1)


class _Weighing:
    def __init__(self, request: object) -> None:
        self.request = request


class TestWhatOnlyThisDeviceHas:
    def test_is_told_once_and_until_nothing_is_left(self, ana: Gateway, server: FakeServer, clock: Clock):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        clock.forward(minutes=1)
        ana.send(note())
        asyncio.run(ana.sync())
        photo = UnsentItem(type="photo", order_number="WO-101", made_at=MORNING)
        asyncio.run(ana.sync())
        # With the commands, which are there by then; and again once the photo is known to be.
        told = [(len(asked.commands), asked.unsent) for asked in server.asked]
        assert told == [(2, (photo,)), (0, None), (0, ())]

    def test_is_not_told_again_while_it_is_the_same(self, ana: Gateway, server: FakeServer, network: Network):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        network.faults = ["none", "request lost", "none", "request lost"]
        asyncio.run(ana.sync())
        asyncio.run(ana.sync())
        assert [asked.unsent and len(asked.unsent) for asked in server.asked] == [1, None]

    def test_is_told_again_where_it_was_not_heard(self, ana: Gateway, server: FakeServer, network: Network):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        network.faults = ["half a reply", "none", "request lost"]
        asyncio.run(ana.sync())
        asyncio.run(ana.sync())
        assert [asked.unsent and len(asked.unsent) for asked in server.asked] == [1, 1]

    def test_names_the_newest_fifty_behind_what_is_being_sent(self, ana: Gateway, server: FakeServer):
        for number in range(300):
            ana.send(note(f"note {number}"))
        asyncio.run(ana.sync())
        first, second, *rest = server.asked
        assert (len(first.commands), len(first.unsent or ())) == (200, 50)
        assert {item.type for item in first.unsent or ()} == {"add_note"}
        assert (len(second.commands), second.unsent, rest) == (100, (), [])

    def test_costs_an_empty_contact_nothing(self, ana: Gateway, server: FakeServer):
        asyncio.run(ana.sync())
        assert [asked.unsent for asked in server.asked] == [None]

    def test_names_a_signature_as_such_and_each_job_by_its_number(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.send(Arrive(work_order_id=WO_2))
        ana.add_signature(WO_2, PNG, "Aino Virta")
        network.faults = ["none", "request lost"]
        asyncio.run(ana.sync())
        [told] = server.asked[0].unsent or ()
        assert (told.type, told.order_number) == ("signature", "WO-102")

    def test_of_who_had_it_before_goes_under_their_own_name(
        self, ana: Gateway, server: FakeServer, network: Network
    ):
        ana.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(ana.register("BEN-0001", "x", "test", keep_aside=True))
        asyncio.run(ana.sync())
        contacts = [token for line, token in zip(network.log[1:], server.tokens[1:], strict=True)
                    if line == "POST /sync"]  # fmt: skip
        told = [asked.unsent and len(asked.unsent) for asked in server.asked]
        assert contacts == ["token-2", "token-1", "token-1"]
        assert told == [None, 1, None]


class TestPhotosThatWaitForWiFi:
    @pytest.fixture
    def on_mobile(self, ana: Gateway, phone: Phone) -> Gateway:
        """One photo and one signature, each by itself; only Wi-Fi is for photos, and there is none."""
        phone.metered = True
        ana.prefer(photos="wifi")
        ana.add_photo(WO_1, BIG, "image/jpeg")
        ana.add_signature(WO_1, PNG, "Aino Virta")
        return ana

    def test_let_everything_else_through(self, on_mobile: Gateway, server: FakeServer):
        report = asyncio.run(on_mobile.sync())
        assert (report.accepted, report.photos, report.drained) == (2, 1, True)
        assert list(server.blobs.values()) == [PNG]
        status = on_mobile.status()
        assert (status.unsent_photos, status.photos_wait, status.network_known) == (1, 1, True)

    def test_do_not_keep_news_from_coming_at_once(self, on_mobile: Gateway, server: FakeServer):
        async def day() -> None:
            await on_mobile.sync()
            listening = asyncio.create_task(on_mobile.listen())
            await asyncio.sleep(0.01)
            assert on_mobile.status().listening
            server.give(WO_3, TECH_BEN)
            assert (await listening).brought_news

        asyncio.run(day())
        assert (server.asked[-1].photos_wait, server.asked[-1].wait_seconds) == (True, 55)

    def test_go_as_soon_as_there_is_one(self, on_mobile: Gateway, phone: Phone, server: FakeServer):
        asyncio.run(on_mobile.sync())
        phone.metered = False
        report = asyncio.run(on_mobile.sync())
        assert (report.photos, report.drained, on_mobile.status().photos_wait) == (1, True, 0)
        assert set(server.blobs.values()) == {BIG, PNG}
        assert not server.asked[-1].photos_wait

    def test_stop_in_the_midst_when_it_is_gone_and_go_on_from_there(
        self, on_mobile: Gateway, phone: Phone, server: FakeServer, network: Network
    ):
        phone.metered = False

        def leave() -> None:
            if any(len(part) > len(PNG) for _, part in server.parts.values()):
                phone.metered = True

        network.before = leave
        report = asyncio.run(on_mobile.sync())
        [(size, part)] = server.parts.values()
        assert (size, 0 < len(part) < size, report.problem, report.drained) == (len(BIG), True, None, True)
        network.before = lambda: None
        phone.metered = False
        before = server.photo_bytes
        asyncio.run(on_mobile.sync())
        assert BIG in server.blobs.values()
        assert server.photo_bytes - before == len(BIG) - len(part), "no byte goes twice"

    @pytest.mark.parametrize("metered", [True, None])
    def test_go_by_any_network_once_somebody_says_so_and_later_ones_wait_again(
        self, on_mobile: Gateway, phone: Phone, server: FakeServer, metered: bool | None
    ):
        phone.metered = metered
        asyncio.run(on_mobile.sync())
        on_mobile.send_photos_now()
        assert asyncio.run(on_mobile.sync()).photos == 1
        assert BIG in server.blobs.values()
        on_mobile.add_photo(WO_1, JPEG, "image/jpeg")
        asyncio.run(on_mobile.sync())
        assert on_mobile.status().photos_wait == 1
        assert JPEG not in server.blobs.values()

    def test_wait_for_nobody_where_that_was_not_chosen(
        self, on_mobile: Gateway, phone: Phone, server: FakeServer
    ):
        on_mobile.prefer(photos="any")
        assert asyncio.run(on_mobile.sync()).photos == 2
        assert on_mobile.status().photos_wait == 0

    def test_of_who_had_it_before_wait_too(self, on_mobile: Gateway, server: FakeServer, network: Network):
        asyncio.run(on_mobile.register("BEN-0001", "x", "test", keep_aside=True))
        asyncio.run(on_mobile.sync())
        assert list(server.blobs.values()) == [PNG]
        network.log.clear()
        asyncio.run(on_mobile.sync())
        assert network.log == ["POST /sync"]
