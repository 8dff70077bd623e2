"""A technician asks a van or a depot for a part: told, answered, and settled by what really comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import timedelta
from uuid import UUID

import pytest
from databases import migrated_database
from sqlalchemy import select
from world import CABLE, CONNECTOR, ONT_A, Phone, World, uid

from server.access.callers import Technician
from server.assets.models import AssetRow
from server.db.engine import Database
from server.db.feed import BOARD, technician_scope
from server.db.feed_models import FeedRow
from server.dispatch.models import TechnicianRow
from server.field.images import DeviceSource
from server.inbox.visits import detail
from server.replay import compare, replay
from server.stock import part_requests
from server.stock.models import PartRequestRow, StockMoveRow, StockPlaceRow
from server.work_orders.models import WorkOrderRow
from shared.part_requests import FreeStock, PartRequest, PartRequestState, PartSupply
from shared.stock_commands import AnswerPartRequest, AskForPart, PickUpParts, WithdrawPartRequest
from shared.transfers import HandedDevice
from shared.work_orders import PartLine

ASKED = uid("the request")


@pytest.fixture
def fresh(tmp_path) -> Iterator[Database]:
    with migrated_database("sqlite", tmp_path) as url:
        database = Database(url)
        yield database
        database.close()


def ask(
    world: World, holder: UUID | None = None, *, id: UUID = ASKED, sku: str = CONNECTOR, quantity: int = 3
):  # type: ignore[no-untyped-def]
    """Ben asks, by default Ana's van."""
    return AskForPart(
        request_id=id, sku=sku, quantity=quantity, holder_id=holder or world.ana.van_id, note=" For a  loft "
    )


@contextmanager
def source(world: World, phone: Phone) -> Iterator[DeviceSource]:
    with world.database.read() as session:
        row = session.get_one(TechnicianRow, phone.technician_id)
        me = Technician(**{field.name: getattr(row, field.name) for field in fields(Technician)})
        yield DeviceSource(session, world.settings, me, world.now)


def told(world: World, phone: Phone) -> PartSupply:
    """What this phone hears of who has parts."""
    with source(world, phone) as found:
        supply = found.images([("part_supply", "me")]).images["part_supply", "me"]
    assert isinstance(supply, PartSupply)
    return supply


def shown(world: World, phone: Phone, later: timedelta = timedelta(days=1)) -> list[PartRequest]:
    with world.database.read() as session:
        return part_requests.shown_to(session, phone.technician_id, phone.van_id, world.now + later)


def request(world: World) -> PartRequestRow:
    [row] = world.rows(PartRequestRow)
    return row


def moved(world: World) -> list[tuple[str, int]]:
    """What came to Ben's van from where we had it."""
    ours = {world.ana.van_id, world.depot_id}
    found = (row for row in world.rows(StockMoveRow) if row.target_id == world.ben.van_id)
    return sorted((row.sku, row.quantity) for row in found if row.source_id in ours)


class TestToAsk:
    def test_tells_both_phones_and_the_board_and_moves_nothing(self, world: World):
        job = world.order(phone=world.ben)
        [receipt] = world.ben.send(replace(ask(world), for_order_id=job.id))
        assert (receipt.outcome, receipt.remarks) == ("accepted", ())
        [seen] = shown(world, world.ana)
        assert shown(world, world.ben) == [seen]
        assert (seen.asker, seen.holder, seen.sku, seen.quantity, seen.note, seen.order_number) == (
            "Ben Korhonen", "Van ana", CONNECTOR, 3, "For a loft", job.number,
        )  # fmt: skip
        assert (seen.state, seen.is_open, seen.left) == (PartRequestState.ASKED, True, 3)
        told = {row.scope for row in world.rows(FeedRow) if row.kind == part_requests.KIND}
        assert told == {
            BOARD, technician_scope(world.ana.technician_id), technician_scope(world.ben.technician_id)
        }  # fmt: skip
        assert moved(world) == []
        assert world.balance(world.ana.van_id, CONNECTOR) == 20

    def test_twice_is_one_request(self, world: World):
        receipts = world.ben.send(ask(world), ask(world))
        assert [receipt.outcome for receipt in receipts] == ["accepted", "accepted"]
        assert request(world).quantity == 3

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"sku": "NO-SUCH"}, "no part NO-SUCH"),
            ({"quantity": 0}, "must be 1 to"),
            ({"holder_id": uid("van ben")}, "their own van"),
            ({"holder_id": uid("place of Fibreco")}, "no such van or depot"),
            ({"holder_id": uid("nowhere")}, "no such van or depot"),
            ({"for_order_id": uid("nowhere")}, "no such work order"),
            ({"note": "x" * 501}, "more than 500"),
        ],
    )
    def test_what_can_not_be_is_held_and_asks_nobody(self, world: World, wrong, field: str):
        [receipt] = world.ben.send(replace(ask(world), **wrong))
        assert (receipt.outcome, receipt.slug) == ("held", "bad-value")
        assert field in (receipt.detail or "")
        assert world.rows(PartRequestRow) == []
        with world.database.read() as session:
            item = detail(session, receipt.command_id, world.settings.zone, world.now).item
        assert item.forbids == receipt.detail

    def test_for_something_else_under_the_same_id_is_held(self, world: World):
        world.ben.send(ask(world))
        [receipt] = world.ben.send(ask(world, quantity=9))
        assert (receipt.slug, request(world).quantity) == ("bad-value", 3)


class TestAnAnswer:
    @pytest.mark.parametrize(("can", "state"), [(True, "promised"), (False, "declined")])
    def test_is_kept_and_reserves_nothing(self, world: World, can: bool, state: str):
        world.ben.send(ask(world))
        [receipt] = world.ana.send(AnswerPartRequest(request_id=ASKED, can=can, note="At noon"))
        assert receipt.outcome == "accepted"
        row = request(world)
        assert (row.state, row.answer, row.closed_at) == (state, "At noon", None)
        assert world.balance(world.ana.van_id, CONNECTOR) == 20
        assert having(world, world.ben)[CONNECTOR] == [("Van ana", 20)]

    def test_of_somebody_who_was_not_asked_is_held(self, world: World):
        world.ben.send(ask(world))
        [receipt] = world.ben.send(AnswerPartRequest(request_id=ASKED, can=True))
        assert (receipt.slug, request(world).state) == ("bad-value", "asked")

    def test_that_comes_after_the_request_was_taken_back_changes_no_state(self, world: World):
        world.ben.send(ask(world), WithdrawPartRequest(request_id=ASKED))
        [receipt] = world.ana.send(AnswerPartRequest(request_id=ASKED, can=True))
        row = request(world)
        assert (receipt.outcome, row.state, row.answered_at is None) == ("accepted", "withdrawn", False)

    def test_to_nothing_is_held(self, world: World):
        [receipt] = world.ana.send(AnswerPartRequest(request_id=ASKED, can=True))
        assert (receipt.outcome, receipt.detail) == ("held", "There is no such request for a part")


class TestTakingItBack:
    def test_closes_it_once_and_leaves_both_phones_after_three_days(self, world: World):
        world.ben.send(ask(world), WithdrawPartRequest(request_id=ASKED))
        closed = request(world).closed_at
        world.ben.send(WithdrawPartRequest(request_id=ASKED))
        assert (request(world).state, request(world).closed_at) == ("withdrawn", closed)
        assert len(shown(world, world.ana)) == 1
        assert shown(world, world.ana, timedelta(days=4)) == []

    def test_of_somebody_elses_is_held(self, world: World):
        world.ben.send(ask(world))
        [receipt] = world.ana.send(WithdrawPartRequest(request_id=ASKED))
        assert (receipt.slug, request(world).state) == ("bad-value", "asked")


class TestWhatComes:
    @pytest.mark.parametrize("first", ["giver", "taker"])
    def test_by_a_transfer_closes_it_whoever_tells_of_it(self, world: World, first: str):
        world.ben.send(ask(world))
        given, taken = world.handing(CONNECTOR, offered=5, taken=3)
        for phone, half in ((world.ana, given), (world.ben, taken))[:: 1 if first == "giver" else -1]:
            phone.send(half)
        row = request(world)
        assert (row.state, row.supplied, moved(world)) == ("supplied", 3, [(CONNECTOR, 3)])
        assert row.closed_at is not None

    def test_in_part_leaves_the_rest_open_and_the_next_closes_it(self, world: World):
        world.ben.send(ask(world))
        world.ben.send(world.handing(CONNECTOR, offered=5, taken=2, name="t1")[1])
        assert (request(world).state, request(world).supplied) == ("asked", 2)
        world.ben.send(world.handing(CONNECTOR, offered=5, taken=2, name="t2")[1])
        assert (request(world).state, request(world).supplied) == ("supplied", 3)

    def test_in_one_push_counts_each_transfer_on_what_the_one_before_left(self, world: World):
        second = uid("the second")
        world.ben.send(ask(world), ask(world, id=second, quantity=4))
        halves = [
            world.handing(CONNECTOR, offered=5, taken=taken, name=f"t{taken}")[1] for taken in (3, 1, 2)
        ]
        receipts = world.ben.send(*halves)
        assert [receipt.outcome for receipt in receipts] == ["accepted"] * 3
        states = {row.id: (row.state, row.supplied) for row in world.rows(PartRequestRow)}
        assert states == {ASKED: ("supplied", 3), second: ("asked", 3)}

    def test_in_the_push_that_asks_for_it_closes_it_too(self, world: World):
        world.ben.send(ask(world), world.handing(CONNECTOR, offered=5, taken=3)[1])
        assert (request(world).state, request(world).supplied) == ("supplied", 3)

    def test_is_for_the_oldest_request_first(self, world: World):
        second = uid("the second")
        world.ben.send(ask(world, quantity=2), ask(world, id=second, quantity=2))
        world.ben.send(world.handing(CONNECTOR, offered=5, taken=3)[1])
        states = {row.id: (row.state, row.supplied) for row in world.rows(PartRequestRow)}
        assert states == {ASKED: ("supplied", 2), second: ("asked", 1)}

    def test_of_another_kind_or_from_elsewhere_leaves_it_open(self, world: World):
        world.buy(CONNECTOR, 50)
        world.ben.send(ask(world))
        world.ben.send(world.handing(CABLE, offered=5, taken=3)[1])
        world.ben.send(PickUpParts(depot_id=world.depot_id, lines=(PartLine(sku=CONNECTOR, quantity=5),)))
        assert (request(world).state, request(world).supplied) == ("asked", 0)


class TestFetchingAtADepot:
    def test_moves_parts_and_devices_onto_the_van_and_closes_what_was_asked(self, world: World):
        world.buy(CONNECTOR, 50)
        with world.database.write() as session:
            world.receive(session, world.depot_id, ONT_A, serial="DEP0001")
        world.ben.send(
            ask(world, world.depot_id), ask(world, world.depot_id, id=uid("ont"), sku=ONT_A, quantity=1)
        )
        picked = PickUpParts(
            depot_id=world.depot_id,
            lines=(PartLine(sku=CONNECTOR, quantity=3),),
            devices=(HandedDevice(serial="DEP0001", sku=ONT_A),),
        )
        [receipt] = world.ben.send(picked)
        assert (receipt.outcome, receipt.remarks) == ("accepted", ())
        assert world.balance(world.depot_id, CONNECTOR) == 47
        assert world.balance(world.ben.van_id, CONNECTOR) == 23
        assert world.asset("DEP0001").holder_id == world.ben.van_id
        assert {row.state for row in world.rows(PartRequestRow)} == {"supplied"}

    def test_of_more_than_its_list_had_is_booked_with_a_remark(self, world: World):
        world.buy(CONNECTOR, 2)
        [receipt] = world.ben.send(
            PickUpParts(depot_id=world.depot_id, lines=(PartLine(sku=CONNECTOR, quantity=5),))
        )
        assert [remark.detail for remark in receipt.remarks] == [
            "Connector SC: 5 fetched, the list of Depot had 2: count it"
        ]
        assert world.balance(world.depot_id, CONNECTOR) == -3

    def test_at_a_place_that_is_no_depot_moves_nothing(self, world: World):
        [receipt] = world.ben.send(
            PickUpParts(depot_id=world.ana.van_id, lines=(PartLine(sku=CONNECTOR, quantity=5),))
        )
        assert (receipt.slug, receipt.detail) == ("bad-value", "There is no such depot")
        assert (world.balance(world.ana.van_id, CONNECTOR), moved(world)) == (20, [])


def having(world: World, phone: Phone) -> dict[str, list[tuple[str, int]]]:
    """SKU → who has how many, the nearest first."""
    found = told(world, phone)
    return {
        line.sku: [(found.places[stock.place].name, stock.free) for stock in line.held]
        for line in found.lines
    }


class TestWhoHasIt:
    def test_are_others_with_free_stock_of_what_jobs_and_van_need(self, world: World):
        world.buy(CONNECTOR, 50)
        found = having(world, world.ben)
        assert found == {
            ONT_A: [("Van ana", 2)],
            "ONT-B": [("Van ana", 1)],
            CABLE: [("Van ana", 200)],
            CONNECTOR: [("Depot", 50), ("Van ana", 20)],
        }

    def test_count_nothing_that_is_promised_or_recalled(self, world: World):
        world.order(phone=world.ana)  # 20 m of cable, and a device
        with world.database.write() as session:
            session.scalars(select(AssetRow).where(AssetRow.serial == "ANA0001")).one().state = "quarantined"
        found = having(world, world.ben)
        assert found[CABLE] == [("Van ana", 180)]
        assert found[ONT_A] == [("Van ana", 1)]

    def test_tell_of_a_van_its_driver_and_about_where_it_works_and_never_a_home(self, world: World):
        [van] = [one for one in told(world, world.ben).places if one.kind == "van"]
        assert (van.name, van.driver, van.lat, van.lon) == ("Van ana", "Ana Virtanen", None, None)
        job = world.order(phone=world.ana)
        [van] = [one for one in told(world, world.ben).places if one.kind == "van"]
        assert (van.lat, van.lon) == (60.16, 24.95)  # of 60.165, 24.95: rounded
        assert job

    def test_tell_of_a_depot_its_address_and_hours(self, world: World):
        world.buy(CONNECTOR, 1)
        with world.database.write() as session:
            depot = session.get_one(StockPlaceRow, world.depot_id)
            depot.address, depot.hours, depot.lat, depot.lon = "Harbour 1", "7–16", 60.2, 24.9
        [depot] = [one for one in told(world, world.ben).places if one.kind == "depot"]
        assert (depot.address, depot.hours, depot.lat, depot.lon) == ("Harbour 1", "7–16", 60.2, 24.9)

    def test_are_at_most_the_five_nearest(self, world: World):
        with world.database.write() as session:
            for number in range(7):
                place = uid(f"depot {number}")
                session.add(
                    StockPlaceRow(
                        id=place, kind="depot", name=f"D{number}", lat=60.17 + number / 100, lon=24.94
                    )
                )
                session.flush()
                world.receive(session, place, CONNECTOR, quantity=1)
        found = having(world, world.ben)
        assert found[CONNECTOR] == [(f"D{number}", 1) for number in range(5)]

    def test_are_the_same_in_a_snapshot(self, world: World):
        with source(world, world.ben) as found:
            whole = found.everything()
        assert whole["part_supply", "me"].known_at == world.now
        assert whole["part_supply", "me"].lines[0].held[0] == FreeStock(place=0, free=200)

    def test_do_not_include_a_van_that_nobody_drives(self, world: World):
        with world.database.write() as session:
            session.get_one(TechnicianRow, world.ana.technician_id).active = False
        assert having(world, world.ben) == {}


class TestTheOffice:
    def test_sees_what_waits_the_oldest_first(self, world: World):
        world.ben.send(ask(world), ask(world, world.depot_id, id=uid("later")))
        world.ben.send(ask(world, id=uid("gone")), WithdrawPartRequest(request_id=uid("gone")))
        with world.database.read() as session:
            found = part_requests.waiting(session)
        assert [(one.asker, one.holder) for one in found] == [
            ("Ben Korhonen", "Van ana"), ("Ben Korhonen", "Depot")
        ]  # fmt: skip


class TestTheLog:
    def test_rebuilds_requests_pick_ups_and_what_was_held(self, world: World, fresh: Database):
        world.buy(CONNECTOR, 50)
        job = world.order(phone=world.ben)
        world.ben.send(replace(ask(world), for_order_id=job.id), ask(world, world.depot_id, id=uid("two")))
        world.ana.send(AnswerPartRequest(request_id=ASKED, can=True))
        world.ben.send(world.handing(CONNECTOR, offered=5, taken=3)[1])
        world.ben.send(PickUpParts(depot_id=world.depot_id, lines=(PartLine(sku=CONNECTOR, quantity=2),)))
        world.ben.send(
            WithdrawPartRequest(request_id=uid("two")), ask(world, uid("nowhere"), id=uid("three"))
        )
        assert world.rows(WorkOrderRow)
        replay(world.database, fresh, world.settings)
        assert [report.differences for report in compare(world.database, fresh) if not report.equal] == []
