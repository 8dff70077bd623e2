"""From one van to another by two phones: booked once, whoever comes first, and held where it can't be."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from databases import migrated_database
from world import CABLE, CONNECTOR, Phone, World, uid

from server.access.callers import Technician
from server.db.engine import Database
from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from server.inbox import acts
from server.inbox.visits import detail
from server.replay import compare, replay
from server.stock import transfers
from server.stock.models import StockMoveRow, VanTransferRow
from shared.problems import Problem
from shared.stock_commands import HandOver, TakeOver
from shared.transfers import seal_offer, seal_taken
from shared.work_orders import PartLine

DORA = "Dora of dispatch"


@pytest.fixture
def fresh(tmp_path) -> Iterator[Database]:
    with migrated_database("sqlite", tmp_path) as url:
        database = Database(url)
        yield database
        database.close()


def key(world: World, phone: Phone) -> str:
    with world.database.read() as session:
        return transfers.key_of(session, phone.technician_id)


def agreed(
    world: World, *, taken: int = 3, offered: int = 5, sku: str = CONNECTOR, name: str = "t1"
) -> tuple[HandOver, TakeOver]:
    """Ana gives Ben connectors and her first device."""
    return world.handing(sku, offered=offered, taken=taken, serial=world.ana.ont, name=name)


def connectors(world: World) -> tuple[int, int]:
    """On Ana's van, and on Ben's; each began with 20."""
    return world.balance(world.ana.van_id, CONNECTOR), world.balance(world.ben.van_id, CONNECTOR)


def moves(world: World) -> list[StockMoveRow]:
    return [
        row
        for row in world.rows(StockMoveRow)
        if row.target_id == world.ben.van_id and row.source_id == world.ana.van_id
    ]


class TestBothHalves:
    @pytest.mark.parametrize("first", ["giver", "taker"])
    def test_move_everything_once_in_either_order(self, world: World, first: str):
        given, taken = agreed(world)
        halves = [(world.ana, given), (world.ben, taken)]
        for phone, half in halves if first == "giver" else reversed(halves):
            [receipt] = phone.send(half)
            assert (receipt.outcome, receipt.remarks) == ("accepted", ())
            assert connectors(world) == (17, 23)
        assert world.asset(world.ana.ont).holder_id == world.ben.van_id
        assert len(moves(world)) == 2
        [row] = world.rows(VanTransferRow)
        assert (row.given, row.taken) == (True, True)

    def test_are_booked_once_when_they_come_in_one_moment_and_twice(self, world: World):
        given, taken = agreed(world)
        batches = [(world.ana, world.ana.envelopes(given)), (world.ben, world.ben.envelopes(taken))] * 2
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda batch: batch[0].deliver(batch[1]), batches))
        assert {receipt.outcome for [receipt] in answers} == {"accepted"}
        assert connectors(world) == (17, 23)
        assert len(moves(world)) == 2

    def test_are_seen_by_both_phones(self, world: World):
        given, taken = agreed(world)
        world.ben.send(taken)
        for phone in (world.ana, world.ben):
            with world.database.read() as session:
                [handed] = transfers.shown_to(session, phone.technician_id, world.now + timedelta(days=2))
            assert (handed.transfer, handed.given, handed.taken) == (taken.transfer, False, True)
        world.ana.send(given)
        with world.database.read() as session:
            assert transfers.shown_to(session, uid("somebody else"), world.now) == []


class TestOneHalf:
    def test_is_enough_and_is_shown_to_the_office_after_three_days(self, world: World):
        _, taken = agreed(world)
        world.ben.send(taken)
        booked = world.now + timedelta(days=1)
        assert connectors(world) == (17, 23)
        with world.database.read() as session:
            assert transfers.one_sided(session, booked + timedelta(days=2)) == []
            [alone] = transfers.one_sided(session, booked + timedelta(days=3))
            assert transfers.one_sided(session, booked + timedelta(days=30)) == []
        assert (alone.giver, alone.taker, alone.silent) == ("Ana Virtanen", "Ben Korhonen", "Ana Virtanen")
        assert (alone.things, alone.booked_at) == ("3 × CONN-SC, ANA0001", booked)

    def test_of_more_than_the_list_had_is_booked_with_a_remark(self, world: World):
        _, taken = agreed(world, taken=25, offered=25)
        [receipt] = world.ben.send(taken)
        assert [remark.detail for remark in receipt.remarks] == [
            "Connector SC: 25 given away, the van's list had 20: count it"
        ]
        assert connectors(world) == (-5, 45)


class TestWhatCanNotBeTrue:
    def test_a_second_half_that_disagrees_is_held_with_both_lists(self, world: World):
        _, taken = agreed(world, taken=3)
        given, _ = agreed(world, taken=5)
        world.ben.send(taken)
        [receipt] = world.ana.send(given)
        assert (receipt.outcome, receipt.slug) == ("held", "transfer-disagrees")
        assert connectors(world) == (17, 23)
        with world.database.read() as session:
            item = detail(session, receipt.command_id, world.settings.zone, world.now).item
        assert [(one.what, one.ours) for one in item.both] == [
            ("Ana Virtanen to Ben Korhonen", "3 × CONN-SC, ANA0001")
        ]
        acts.dismiss(world.database, receipt.command_id, DORA, "Ben has counted: three")
        assert connectors(world) == (17, 23)

    @pytest.mark.parametrize("broken", ["giver_seal", "taker_seal"])
    def test_a_wrong_seal_moves_nothing(self, world: World, broken: str):
        _, taken = agreed(world)
        [receipt] = world.ben.send(replace(taken, **{broken: "A" * 20}))
        assert (receipt.outcome, receipt.slug) == ("held", "unsealed-transfer")
        assert connectors(world) == (20, 20)
        assert world.rows(VanTransferRow) == []

    def test_nor_do_seals_that_are_of_something_else(self, world: World):
        """Ben takes more than Ana has sealed, and seals it himself."""
        _, taken = agreed(world, taken=5, offered=5)
        offer = replace(taken.transfer.offer, lines=(PartLine(sku=CONNECTOR, quantity=20),))
        more = replace(taken.transfer, offer=offer, lines=offer.lines)
        seal = seal_taken(key(world, world.ben), more, taken.giver_seal)
        [receipt] = world.ben.send(TakeOver(transfer=more, giver_seal=taken.giver_seal, taker_seal=seal))
        assert (receipt.slug, connectors(world)) == ("unsealed-transfer", (20, 20))

    def test_nor_does_somebody_elses_van(self, world: World):
        _, taken = agreed(world)
        offer = replace(taken.transfer.offer, giver_van_id=world.depot_id)
        transfer = replace(taken.transfer, offer=offer)
        giver_seal = seal_offer(key(world, world.ana), offer)
        taker_seal = seal_taken(key(world, world.ben), transfer, giver_seal)
        half = TakeOver(transfer=transfer, giver_seal=giver_seal, taker_seal=taker_seal)
        [receipt] = world.ben.send(half)
        assert (receipt.slug, connectors(world)) == ("unsealed-transfer", (20, 20))

    def test_nor_does_a_half_that_is_a_colleagues(self, world: World):
        given, _ = agreed(world)
        [receipt] = world.ben.send(given)
        assert (receipt.outcome, receipt.slug, connectors(world)) == ("held", "bad-value", (20, 20))


class TestWhatComesDown:
    def test_the_key_is_ones_own(self, world: World):
        assert key(world, world.ana) != key(world, world.ben)
        with world.database.read() as session:
            row = session.get_one(TechnicianRow, world.ana.technician_id)
            me = Technician(**{field.name: getattr(row, field.name) for field in fields(Technician)})
            source = DeviceSource(session, world.settings, me, world.now)
            profile = source.images([("profile", "me")]).images["profile", "me"]
        assert profile.sealing_key == key(world, world.ana)


class TestTheLog:
    def test_rebuilds_transfers_and_what_was_held(self, world: World, fresh: Database):
        given, taken = agreed(world)
        world.ben.send(taken)
        world.ana.send(given)
        world.ana.send(agreed(world, sku=CABLE, name="t2")[0])
        world.ben.send(replace(agreed(world, name="t3")[1], giver_seal="A" * 20))
        world.ana.send(agreed(world, taken=2, name="t1")[0])
        replay(world.database, fresh, world.settings)
        assert [report.differences for report in compare(world.database, fresh) if not report.equal] == []


class TestAHalfThatComesTwiceInOnePush:
    def test_is_one_row_here_and_in_a_replay(self, world: World, fresh: Database):
        given, _ = agreed(world)
        receipts = world.ana.send(given, given)
        assert [receipt.outcome for receipt in receipts] == ["accepted", "accepted"]
        assert connectors(world) == (17, 23)
        assert len(world.rows(VanTransferRow)) == 1
        replay(world.database, fresh, world.settings)
        assert [report.differences for report in compare(world.database, fresh) if not report.equal] == []


class TestAnUnsealedHalf:
    @pytest.mark.parametrize("way", ["as_it_is", "agreed", "reopen", "report"])
    def test_is_not_booked_unchanged(self, world: World, way: str):
        _, taken = agreed(world)
        [receipt] = world.ben.send(replace(taken, giver_seal="A" * 20))
        assert receipt.slug == "unsealed-transfer"
        with pytest.raises(Problem):
            acts.accept(world.database, world.settings, receipt.command_id, DORA, way=way)
        assert connectors(world) == (20, 20)
