"""Two phones without a network hand stock from van to van; later both tell the server, in any order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from a_phone import Phone
from fake_server import CONNECTOR, ONT, VAN_ANA, VAN_BEN, Clock, FakeServer, Network

from mobile.gateway import Gateway
from mobile.views.handover import answer_of
from shared.problems import BadValue, NotFound
from shared.transfers import HandedDevice
from shared.work_orders import PartLine

DEVICE = HandedDevice(serial="ZNTS00000001", sku=ONT)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer(Clock())


@pytest.fixture
def phones(tmp_path: Path, server: FakeServer) -> Iterator[dict[str, Phone]]:
    made = {name: Phone(tmp_path / f"{name}.db", Network(server), server.now) for name in ("ANA", "BEN")}
    yield made
    for phone in made.values():
        phone.stop()


@pytest.fixture
def both(phones: dict[str, Phone]) -> tuple[Gateway, Gateway]:
    """Ana's and Ben's, registered and synced, and then without a network."""
    gateways = []
    for name, phone in phones.items():
        gateway = phone.start()
        asyncio.run(gateway.register(f"{name}-0001", f"{name}'s phone", "test"))
        asyncio.run(gateway.sync())
        phone.network.down = True
        gateways.append(gateway)
    return gateways[0], gateways[1]


def parts(quantity: int) -> tuple[PartLine, ...]:
    return (PartLine(sku=CONNECTOR, quantity=quantity),)


def has(gateway: Gateway) -> tuple[int, bool]:
    """Connectors, and whether the device is there."""
    left = next((view.left for view in gateway.van_stock() if view.product.sku == CONNECTOR), 0)
    return left, DEVICE.serial in [asset.serial for asset in gateway.devices_on_van()]


def meet(ana: Gateway, ben: Gateway, *, offered: int = 5, taken: int = 3) -> str:
    """Ana offers, Ben takes; returns the text on Ben's screen."""
    offer = ana.hold_out(parts(offered), (DEVICE,)).as_text()
    held = ben.look_at_offer(offer)
    assert held.giver == "Ana"
    ben.take_over(held, parts(taken), (DEVICE,))
    command = ben.took(held.offer.id)
    assert command is not None
    return answer_of(command, "Ben").as_text()


class TestWithoutANetwork:
    def test_both_lists_change_at_once(self, both: tuple[Gateway, Gateway]):
        ana, ben = both
        assert (has(ana), has(ben)) == ((20, True), (0, False))
        answer = meet(ana, ben)
        assert (has(ana), has(ben)) == ((20, True), (3, True)), "Ana's waits for the answer"
        ana.hand_over(answer)
        assert (has(ana), has(ben)) == ((17, False), (3, True))
        assert ana.held_out() is None
        assert [item.title for item in ana.queue()] == [
            "Handed to a colleague: 3 × SC/APC connector, Optical terminal ZNTS00000001"
        ]
        assert [item.state for item in (*ana.queue(), *ben.queue())] == ["saved", "saved"]

    def test_outlives_a_restart_of_both_apps_at_every_step(
        self, both: tuple[Gateway, Gateway], phones: dict[str, Phone]
    ):
        ana, ben = both
        ana.hold_out(parts(5), (DEVICE,))
        held = phones["ANA"].start().held_out()
        assert held is not None
        ben.look_at_offer(held.as_text())
        ben = phones["BEN"].start()
        kept = ben.offered_to_me()
        assert kept == held
        ben.take_over(kept, parts(5), ())
        ben = phones["BEN"].start()
        command = ben.took(held.offer.id)
        assert command is not None
        ana = phones["ANA"].start()
        ana.hand_over(answer_of(command, "Ben").as_text())
        assert (has(phones["ANA"].start()), has(ben)) == ((15, True), (5, False))

    def test_more_than_was_offered_is_not_taken(self, both: tuple[Gateway, Gateway]):
        ana, ben = both
        held = ben.look_at_offer(ana.hold_out(parts(2), ()).as_text())
        with pytest.raises(BadValue, match="2 were offered"):
            ben.take_over(held, parts(3), ())
        assert (has(ben), ben.queue()) == ((0, False), [])

    def test_ones_own_offer_is_not_taken(self, both: tuple[Gateway, Gateway]):
        ana, _ = both
        with pytest.raises(BadValue, match="your own code"):
            ana.look_at_offer(ana.hold_out(parts(2), ()).as_text())

    def test_an_offer_that_is_withdrawn_moves_nothing(self, both: tuple[Gateway, Gateway]):
        ana, ben = both
        held = ben.look_at_offer(ana.hold_out(parts(2), ()).as_text())
        ana.withdraw()
        ben.leave_offer()
        assert (ana.held_out(), ben.offered_to_me()) == (None, None)
        with pytest.raises(BadValue):
            ana.hand_over("whatever")
        assert (has(ana), has(ben), held.offer.lines) == ((20, True), (0, False), parts(2))

    def test_needs_one_contact_before(self, tmp_path: Path, server: FakeServer):
        fresh = Phone(tmp_path / "fresh.db", Network(server), server.now).start()
        with pytest.raises(NotFound, match="connect once"):
            fresh.hold_out(parts(1), ())


class TestWhenTheNetworkIsBack:
    @pytest.mark.parametrize("order", ["ANA BEN", "BEN ANA", "BEN BEN ANA BEN ANA"])
    def test_units_are_conserved_in_any_order(
        self,
        both: tuple[Gateway, Gateway],
        phones: dict[str, Phone],
        server: FakeServer,
        order: str,
    ):
        ana, ben = both
        ana.hand_over(meet(ana, ben))
        for name in order.split():
            phones[name].network.down = False
            phones[name].network.faults = ["twice"]
            asyncio.run((ana if name == "ANA" else ben).sync())
            assert (has(ana), has(ben)) == ((17, False), (3, True)), "no list ever flickers"
        for gateway in both:
            asyncio.run(gateway.sync())
            assert [item.state for item in gateway.queue()] == ["accepted"]
        assert (server.town.stock[VAN_ANA, CONNECTOR], server.town.stock[VAN_BEN, CONNECTOR]) == (17, 3)
        assert (has(ana), has(ben)) == ((17, False), (3, True))
        [handed] = server.town.transfers.values()
        assert (handed.given, handed.taken) == (True, True)

    def test_the_givers_list_follows_when_only_the_taker_has_told(
        self, both: tuple[Gateway, Gateway], phones: dict[str, Phone]
    ):
        """Ana never read Ben's answer; her phone learns it from the office."""
        ana, ben = both
        meet(ana, ben)
        for phone in phones.values():
            phone.network.down = False
        asyncio.run(ben.sync())
        asyncio.run(ana.sync())
        assert (has(ana), has(ben)) == ((17, False), (3, True))
