"""A count of a van: booked by its difference, once, or held for a dispatcher; people are asked to look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from databases import migrated_database
from world import CABLE, CONNECTOR, MONDAY, ONT_A, World, uid

from server.access.models import DeviceRow
from server.billing.models import JournalLineRow
from server.db.engine import Database
from server.db.feed_models import CommandRow
from server.inbox import acts
from server.inbox.asks import asks, by_job, open_counts
from server.inbox.models import FollowUpRow
from server.inbox.proposals import Proposal
from server.inbox.settling import settle
from server.inbox.visits import detail, visits
from server.inbox.waiting import lines
from server.purchasing.models import PurchaseOrderRow
from server.replay import compare, replay
from server.stock.models import ProductRow, StockMoveRow
from shared.commands import Arrive, UseParts
from shared.problems import CountFarOff
from shared.stock_commands import CountedParts, CountVan, SeenDevice
from shared.van import COUNT_PLACE
from shared.work_orders import PartLine

DORA = "Dora of dispatch"


@pytest.fixture
def fresh(tmp_path) -> Iterator[Database]:
    with migrated_database("sqlite", tmp_path) as url:
        database = Database(url)
        yield database
        database.close()


def parts(*lines: tuple[str, int, int]) -> CountVan:
    return CountVan(
        parts=tuple(CountedParts(sku=sku, counted=counted, listed=listed) for sku, counted, listed in lines)
    )


def on_van(world: World) -> tuple[int, int]:
    """Ana's connectors, and metres of cable."""
    van_id = world.ana.van_id
    return world.balance(van_id, CONNECTOR), world.balance(van_id, CABLE)


def count_moves(world: World) -> list[StockMoveRow]:
    return [row for row in world.rows(StockMoveRow) if COUNT_PLACE in (row.source_id, row.target_id)]


def differences(world: World) -> dict[str, int]:
    """Account → minor units, of what counting has booked."""
    found = [row for row in world.rows(JournalLineRow) if row.work_order_id is None]
    return {row.account: row.amount_minor for row in found}


class TestACount:
    def test_is_booked_as_the_difference_with_its_value(self, world: World):
        [receipt] = world.ana.send(parts((CONNECTOR, 17, 20), (CABLE, 205, 200)))
        assert (receipt.outcome, receipt.remarks) == ("accepted", ())
        assert (world.balance(world.ana.van_id, CONNECTOR), world.balance(world.ana.van_id, CABLE)) == (
            17,
            205,
        )
        assert (world.balance(COUNT_PLACE, CONNECTOR), world.balance(COUNT_PLACE, CABLE)) == (3, -5)
        assert differences(world) == {"1400 stock": -480, "5010 stock differences": 480}  # 5 × 30 - 3 × 210

    def test_is_booked_once_however_often_it_is_sent(self, world: World):
        envelopes = world.ana.envelopes(parts((CONNECTOR, 17, 20)))
        first, second = world.ana.deliver(envelopes), world.ana.deliver(envelopes)
        assert first == second
        assert world.balance(world.ana.van_id, CONNECTOR) == 17
        assert len(count_moves(world)) == 1

    def test_and_a_close_around_it_take_each_unit_once(self, world: World):
        """30 m are used on an open job; the list says 170, 168 are there. The close comes a day later."""
        job = world.order()
        *before, close = world.visit(job)
        world.ana.send(*before, UseParts(work_order_id=job.id, lines=(PartLine(sku=CABLE, quantity=30),)))
        used = sum(line.quantity for line in world.work_order(job).parts if line.sku == CABLE)
        world.ana.send(parts((CABLE, 198 - used, 200 - used)))
        world.ana.send(close)
        assert world.balance(world.ana.van_id, CABLE) == 198 - used
        assert world.balance(COUNT_PLACE, CABLE) == 2

    def test_that_finds_too_little_buys_again(self, world: World):
        with world.database.write() as session:
            session.get_one(ProductRow, CONNECTOR).reorder_point = 38
        world.ana.send(parts((CONNECTOR, 17, 20)))
        [bought] = world.rows(PurchaseOrderRow)
        assert bought.raised_for is None

    def test_of_what_is_no_part_is_held_and_moves_nothing(self, world: World):
        [receipt] = world.ana.send(parts((CONNECTOR, 17, 20), (ONT_A, 1, 3)))
        assert (receipt.outcome, receipt.slug) == ("held", "bad-value")
        assert world.balance(world.ana.van_id, CONNECTOR) == 20
        assert count_moves(world) == []

    def test_moves_a_device_that_lies_on_another_van(self, world: World):
        [receipt] = world.ana.send(CountVan(seen=(SeenDevice(serial=world.ben.ont),)))
        assert [remark.slug for remark in receipt.remarks] == ["taken-from-elsewhere"]
        assert world.asset(world.ben.ont).holder_id == world.ana.van_id
        assert (world.balance(world.ana.van_id, ONT_A), world.balance(world.ben.van_id, ONT_A)) == (3, 1)

    def test_registers_a_device_that_nobody_received(self, world: World):
        world.ana.send(CountVan(seen=(SeenDevice(serial="NEW0001", sku=ONT_A),)))
        asset = world.asset("NEW0001")
        assert (asset.holder_id, asset.sku, asset.state) == (world.ana.van_id, ONT_A, "in_stock")


class TestACountThatIsFarOff:
    def test_is_held_whole_until_a_dispatcher_agrees(self, world: World):
        [receipt] = world.ana.send(parts((CABLE, 20, 200), (CONNECTOR, 19, 20)))
        assert (receipt.outcome, receipt.slug) == ("held", "count-far-off")
        assert receipt.detail == "Drop cable: 20 counted, 200 listed: dispatch has to agree"
        assert count_moves(world) == []
        with world.database.read() as session:
            item = detail(session, receipt.command_id, world.settings.zone, world.now).item
        assert [(one.what, one.ours) for one in item.both] == [
            ("Drop cable", "200 on Van ana by the ledger"),
            ("Connector SC", "20 on Van ana by the ledger"),
        ]
        assert [offer.proposal for offer in item.offers] == ["book_count", "correct", "dismiss"]
        with pytest.raises(CountFarOff):
            acts.accept(world.database, world.settings, receipt.command_id, DORA)
        assert count_moves(world) == []

        acts.accept(world.database, world.settings, receipt.command_id, DORA, way="agreed")
        assert (world.balance(world.ana.van_id, CABLE), world.balance(world.ana.van_id, CONNECTOR)) == (
            20,
            19,
        )

    def test_can_be_corrected(self, world: World):
        [receipt] = world.ana.send(parts((CABLE, 20, 200)))
        body = msgspec.to_builtins(parts((CABLE, 160, 200)))
        ruled = acts.correct(world.database, world.settings, receipt.command_id, DORA, body, None)
        assert ruled.resolution == "corrected"
        assert world.balance(world.ana.van_id, CABLE) == 160

    def test_can_be_set_aside(self, world: World):
        [receipt] = world.ana.send(parts((CABLE, 20, 200)))
        acts.dismiss(world.database, receipt.command_id, DORA, "Counted the wrong drum")
        assert world.balance(world.ana.van_id, CABLE) == 200


class TestWhatACountAsks:
    def test_a_missing_device_stays_booked_and_is_asked_about(self, world: World):
        missing = CountVan(listed_serials=(world.ana.ont,))
        [receipt] = world.ana.send(missing)
        assert [remark.detail for remark in receipt.remarks] == [
            "Van ana: ANA0001 not found when it was counted"
        ]
        assert world.asset(world.ana.ont).holder_id == world.ana.van_id
        with world.database.read() as session:
            [[ask]] = by_job(asks(session, world.settings.zone, world.now))
            assert open_counts(session, world.now).asks == 1
        assert (ask.work_order_id, ask.number, ask.detail) == (None, "", receipt.remarks[0].detail)
        assert [choice.proposal for choice in ask.choices] == ["count_stock", "dismiss"]
        settle(world.database, world.settings, ask.ids[0], DORA, Proposal.DISMISS, note="It was in the box")
        assert [(row.done_by, row.outcome) for row in world.rows(FollowUpRow)] == [(DORA, "dismiss")]


class TestTheLog:
    def test_rebuilds_what_was_counted_held_and_agreed_to(self, world: World, fresh: Database):
        world.ana.send(parts((CONNECTOR, 17, 20)))
        [far] = world.ana.send(parts((CABLE, 20, 200)))
        acts.accept(world.database, world.settings, far.command_id, DORA, way="agreed")
        [away] = world.ben.send(parts((CABLE, 10, 200)))
        acts.dismiss(world.database, away.command_id, DORA, "A slip")
        world.ben.send(CountVan(seen=(SeenDevice(serial="NEW0001", sku=ONT_A),), listed_serials=("BEN0002",)))
        replay(world.database, fresh, world.settings)
        reports = compare(world.database, fresh)
        assert [report.differences for report in reports if not report.equal] == []
        assert {row.origin for row in world.rows(CommandRow)} == {"field", "agreed"}

    def test_keeps_the_time_of_the_count(self, world: World):
        world.ana.send(parts((CONNECTOR, 17, 20)), start=MONDAY + timedelta(minutes=5))
        [row] = world.rows(CommandRow)
        assert (row.work_order_id, row.happened_at) == (None, MONDAY + timedelta(minutes=5))
        assert [move.at for move in count_moves(world)] == [row.happened_at]
        assert row.id == uid(f"{world.ana.device_id} 1")


class TestOneDeviceSeenTwice:
    def test_moves_once_whether_its_model_was_named_or_not(self, world: World):
        ben, ana = world.balance(world.ben.van_id, ONT_A), world.balance(world.ana.van_id, ONT_A)
        seen = (SeenDevice(serial=world.ben.ont), SeenDevice(serial=world.ben.ont, sku=ONT_A))
        [receipt] = world.ana.send(CountVan(seen=seen))
        assert receipt.outcome == "accepted"
        assert world.balance(world.ben.van_id, ONT_A) == ben - 1
        assert world.balance(world.ana.van_id, ONT_A) == ana + 1

    def test_is_found_by_its_mac(self, world: World):
        with world.database.write() as session:
            world.receive(session, world.ben.van_id, ONT_A, serial="MACONLY01", mac="00:19:C7:0B:1A:2C")
        [receipt] = world.ana.send(CountVan(seen=(SeenDevice(serial="00:19:C7:0B:1A:2C"),)))
        assert [remark.slug for remark in receipt.remarks] == ["taken-from-elsewhere"]
        assert world.asset("MACONLY01").holder_id == world.ana.van_id


class TestWhatNoAppSends:
    @pytest.mark.parametrize("serial", ["", "x" * 4_000, "aa:bb"])
    def test_a_serial_that_is_none_makes_no_device(self, world: World, serial: str):
        before = world.balance(world.ana.van_id, ONT_A)
        [receipt] = world.ana.send(CountVan(seen=(SeenDevice(serial=serial, sku=ONT_A),)))
        assert (receipt.outcome, receipt.slug) == ("held", "bad-value")
        assert world.balance(world.ana.van_id, ONT_A) == before

    def test_too_much_at_once_is_held_and_not_tried_for_ever(self, world: World):
        listed = tuple(f"SN{number:06d}" for number in range(90_000))
        [receipt] = world.ana.send(CountVan(listed_serials=listed))
        assert (receipt.outcome, receipt.slug) == ("held", "malformed")

    def test_a_job_in_its_body_leaves_the_inbox_as_it_is(self, world: World):
        job = world.order()
        world.ben.send(Arrive(work_order_id=job.id))
        [count] = world.ben.envelopes(parts((CABLE, 20, 200)))
        body = msgspec.json.decode(bytes(count.body)) | {"work_order_id": str(job.id)}
        world.ben.deliver([replace(count, body=msgspec.Raw(msgspec.json.encode(body)))])
        with world.database.read() as session:
            shown = visits(session, lines(session, world.now), world.settings.zone, world.now)
        assert len(shown) == 2


class TestAHeldCountOfASignedOutPhone:
    def test_is_booked_by_one_click_and_replayed(self, world: World, fresh: Database):
        with world.database.write() as session:
            session.get_one(DeviceRow, world.ana.device_id).revoked_at = world.now
        [receipt] = world.ana.send(parts((CONNECTOR, 17, 20)))
        assert (receipt.outcome, receipt.slug) == ("held", "revoked-device")
        acts.accept(world.database, world.settings, receipt.command_id, DORA)
        assert on_van(world)[0] == 17
        replay(world.database, fresh, world.settings)
        assert [report.differences for report in compare(world.database, fresh) if not report.equal] == []
