"""Counting a van's devices."""

from mobile.views.count import Count

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
