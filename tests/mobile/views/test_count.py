"""Counting a van: devices and parts."""

from mobile.views.count import Count
from shared.stock_commands import CountedParts, CountVan, SeenDevice

EMPTY = Count(expected=frozenset({"A1", "B2", "C3"}))


class TestACount:
    def test_lists_what_is_found_missing_and_extra(self):
        count = EMPTY.add("B2").add("X9")
        assert (count.found, count.missing, count.extra) == (("B2",), ("A1", "C3"), ("X9",))

    def test_takes_no_device_twice(self):
        once = EMPTY.add("A1")
        assert once.add("A1") is once

    def test_takes_the_last_one_back(self):
        assert EMPTY.add("A1").add("X9").undo() == EMPTY.add("A1")
        assert EMPTY.undo() == EMPTY

    def test_goes_on_after_the_bookings_changed(self):
        count = EMPTY.add("A1").add("X9").against(["A1", "X9"])
        assert (count.found, count.missing, count.extra) == (("A1", "X9"), (), ())

    def test_keeps_what_the_list_said_when_the_part_was_first_counted(self):
        count = EMPTY.part("CONN", 7, listed=10).part("CONN", 8, listed=6)
        assert count.command() == CountVan(parts=(CountedParts(sku="CONN", counted=8, listed=10),))

    def test_counts_devices_only_once_one_was_scanned(self):
        assert EMPTY.add("B2").command() == CountVan(
            seen=(SeenDevice(serial="B2"),), listed_serials=("A1", "B2", "C3")
        )
        assert EMPTY.part("CONN", 1, 1).command().listed_serials == ()

    def test_is_ready_when_every_number_is_one(self):
        assert not EMPTY.ready
        assert EMPTY.add("A1").ready
        assert not EMPTY.add("A1").part("CONN", "7x", 10).ready
        assert EMPTY.part("CONN", "7x", 10).without("CONN") == EMPTY

    def test_goes_on_after_a_restart(self):
        count = EMPTY.add("B2").part("CONN", 7, 10)
        assert Count.from_text(count.kept(), EMPTY.expected) == count
        for broken in (None, "", "[]", "{", '{"parts": {"CONN": 1}}'):
            assert Count.from_text(broken, EMPTY.expected) == EMPTY
