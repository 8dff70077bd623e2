"""What a count of a van changes, and what it leaves to people."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from situations import ANA, ANAS_VAN, BENS_VAN, HOME, JOB, NOON, a_device, a_van, installed

from shared import commands as cmd
from shared import stock_events as ev
from shared.assets import Asset
from shared.decide import STOCK_RULES, StockDecision, decide_stock
from shared.network_faults import NetworkCommand
from shared.problems import BadValue, CountFarOff
from shared.situation import UNRECEIVED_PLACE
from shared.stock import StockMove
from shared.stock_commands import (
    CountedParts,
    CountVan,
    SeenDevice,
    StockCommand,
    serials_named,
    skus_named,
)
from shared.van import COUNT_PLACE, Van


def parts(sku: str, counted: int, listed: int) -> CountVan:
    return CountVan(parts=(CountedParts(sku=sku, counted=counted, listed=listed),))


def seen(*serials: str, listed: tuple[str, ...] = (), sku: str | None = None) -> CountVan:
    devices = tuple(SeenDevice(serial=serial, sku=sku) for serial in serials)
    return CountVan(seen=devices, listed_serials=listed)


def count(command: CountVan, van: Van) -> StockDecision:
    return decide_stock(command, van, NOON)


class TestTheTables:
    def test_every_command_about_a_van_has_one_rule(self):
        kinds = get_args(StockCommand)
        assert set(STOCK_RULES) == set(kinds)
        assert set(get_args(cmd.JoblessCommand)) == {*kinds, NetworkCommand}
        assert set(get_args(cmd.FieldCommand)) == {*get_args(cmd.VisitCommand), *kinds, NetworkCommand}

    def test_only_those_are_about_no_work_order(self):
        assert cmd.order_of(cmd.Arrive(work_order_id=JOB)) == JOB
        assert cmd.order_of(CountVan()) is None

    def test_a_count_names_what_it_speaks_of(self):
        command = replace(seen("A1234", listed=("B1234",), sku="ONT-A"), parts=parts("CONN", 1, 2).parts)
        assert serials_named(command) == {"A1234", "B1234"}
        assert skus_named(command) == {"CONN", "ONT-A"}


class TestCountingParts:
    def test_books_the_difference_to_what_the_phone_had_listed(self):
        decision = count(parts("CONN", 7, listed=10), a_van(CONN=10))
        gone = StockMove(sku="CONN", quantity=3, source_id=ANAS_VAN, target_id=COUNT_PLACE)
        assert decision.events == (ev.VanCounted(at=NOON, technician_id=ANA, moves=(gone,)),)
        assert decision.after.on_hand == {"CONN": 7}
        assert decision.remarks == ()

    def test_what_was_found_comes_from_the_place_of_counting(self):
        decision = count(parts("CONN", 12, listed=10), a_van(CONN=10))
        more = StockMove(sku="CONN", quantity=2, source_id=COUNT_PLACE, target_id=ANAS_VAN)
        assert decision.events[0].moves == (more,)

    def test_does_not_take_off_twice_what_a_close_takes_off(self):
        """The ledger still has 30 m that an open job has used: 70 were listed, 68 counted."""
        before_the_close = count(parts("CABLE", 68, listed=70), a_van(CABLE=100))
        assert before_the_close.after.on_hand == {"CABLE": 98}, "the close will take 30"
        after_the_close = count(parts("CABLE", 68, listed=70), a_van(CABLE=70))
        assert after_the_close.after.on_hand == {"CABLE": 68}

    def test_leaves_what_was_not_counted(self):
        assert count(parts("CONN", 9, listed=10), a_van(CONN=10, CABLE=5)).after.on_hand == {
            "CONN": 9,
            "CABLE": 5,
        }

    def test_says_so_too_when_all_is_right(self):
        assert count(parts("CONN", 10, listed=10), a_van(CONN=10)).events == (
            ev.VanCounted(at=NOON, technician_id=ANA, moves=()),
        )

    @pytest.mark.parametrize(
        ("command", "field"),
        [
            (CountVan(), "parts"),
            (parts("CONN", -1, 0), "counted"),
            (parts("CONN", 10_001, 0), "counted"),
            (parts("CONN", 1, 99_999), "counted"),
            (parts("NOPE", 1, 0), "sku"),
            (parts("ONT-A", 1, 0), "sku"),
            (CountVan(parts=parts("CONN", 1, 1).parts * 2), "parts"),
        ],
    )
    def test_refuses_what_no_count_can_say(self, command: CountVan, field: str):
        with pytest.raises(BadValue) as refused:
            count(command, a_van(CONN=10))
        assert refused.value.field == field

    def test_asks_a_dispatcher_beyond_the_limit_and_not_at_it(self):
        assert count(parts("CONN", 15, listed=20), a_van(CONN=20, limit=5)).after.on_hand == {"CONN": 15}
        with pytest.raises(CountFarOff, match=r"Conn: 14 counted, 20 listed: dispatch has to agree"):
            count(parts("CONN", 14, listed=20), a_van(CONN=20, limit=5))

    @given(counted=st.integers(0, 10_000), listed=st.integers(-100, 10_000), booked=st.integers(-100, 10_000))
    def test_conserves_units(self, counted: int, listed: int, booked: int):
        decision = count(parts("CONN", counted, listed), a_van(CONN=booked))
        assert decision.after.on_hand["CONN"] == booked + counted - listed
        into = sum(m.quantity for m in decision.events[0].moves if m.target_id == COUNT_PLACE)
        out = sum(m.quantity for m in decision.events[0].moves if m.source_id == COUNT_PLACE)
        assert decision.after.on_hand["CONN"] + into - out == booked


class TestCountingDevices:
    def test_what_is_there_and_booked_there_changes_nothing(self):
        decision = count(seen("ANA0001", listed=("ANA0001",)), a_van(a_device()))
        assert (decision.events[0].moves, decision.events[0].missing, decision.remarks) == ((), (), ())

    def test_what_is_missing_stays_booked_and_is_asked_about(self):
        van = a_van(a_device(), a_device("ANA0002"))
        decision = count(seen("ANA0001", listed=("ANA0001", "ANA0002")), van)
        assert decision.events == (ev.VanCounted(at=NOON, technician_id=ANA, moves=(), missing=("ANA0002",)),)
        assert decision.after.assets == van.assets
        assert [(r.slug, r.detail) for r in decision.remarks] == [
            ("count-missing", "Van ana: ANA0002 not found when it was counted")
        ]

    def test_what_is_booked_on_another_van_is_moved_here(self):
        bens = a_device("BEN0001", holder_id=BENS_VAN, holder_name="Van ben")
        decision = count(seen("BEN0001"), a_van(bens))
        move = StockMove(sku="ONT-A", quantity=1, source_id=BENS_VAN, target_id=ANAS_VAN, serial="BEN0001")
        assert decision.events[0].moves == (move,)
        after = decision.after.assets["BEN0001"]
        assert (after.holder_id, after.holder_name, after.state) == (ANAS_VAN, "Van ana", bens.state)
        assert [r.detail for r in decision.remarks] == ["BEN0001 was booked on Van ben"]

    @pytest.mark.parametrize(
        ("device", "where"),
        [
            (installed("OLD0001", HOME), "installed at Fabianinkatu 1"),
            (
                a_device("BEN0001", holder_id=BENS_VAN, claimed_by=UUID(int=99)),
                "fitted on a job that is not closed",
            ),
        ],
    )
    def test_what_is_at_work_elsewhere_is_asked_about(self, device: Asset, where: str):
        decision = count(seen(device.serial), a_van(device))
        assert decision.after.assets[device.serial] == device
        assert [r.detail for r in decision.remarks] == [
            f"{device.serial} was found on Van ana, and is {where} by our records"
        ]

    def test_a_device_that_nobody_received_is_booked_by_its_model(self):
        decision = count(seen("NEW0001", sku="ONT-A"), a_van())
        move = StockMove(
            sku="ONT-A", quantity=1, source_id=UNRECEIVED_PLACE, target_id=ANAS_VAN, serial="NEW0001"
        )
        assert decision.events[0].moves == (move,)
        assert decision.after.on_hand == {"ONT-A": 1}
        assert [r.slug for r in decision.remarks] == ["unreceived-serial"]

    def test_without_its_model_it_is_asked_about(self):
        decision = count(seen("NEW0001"), a_van())
        assert decision.events[0].moves == ()
        assert [r.detail for r in decision.remarks] == [
            "NEW0001 was found on Van ana, and is in no list by our records"
        ]

    def test_a_label_seen_twice_counts_once(self):
        decision = count(seen("NEW0001", "NEW0001", sku="ONT-A"), a_van())
        assert decision.after.on_hand == {"ONT-A": 1}
