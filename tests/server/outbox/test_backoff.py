"""When a message is tried again, and when it is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.outbox.backoff import is_last, pause, wait


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


class TestWaiting:
    def test_doubles_from_five_seconds_to_an_hour(self):
        waits = [wait(tries, 0.5).total_seconds() for tries in range(1, 13)]
        assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]

    def test_is_spread_by_a_fifth_either_way_and_never_above_an_hour(self):
        assert (wait(3, 0.0), wait(3, 1.0)) == (seconds(16), seconds(24))
        assert wait(12, 1.0) == seconds(3600)

    def test_is_as_long_as_the_other_side_asks_and_at_most_a_day(self):
        assert wait(1, 0.5, seconds(90)) == seconds(90)
        assert wait(5, 0.5, seconds(3)) == seconds(80)
        assert wait(1, 0.5, timedelta(days=30)) == timedelta(days=1)

    def test_stays_an_hour_after_any_number_of_tries(self):
        assert wait(5_000, 0.5) == seconds(3600)


class TestGivingUp:
    @pytest.mark.parametrize(("tries", "last"), [(1, False), (11, False), (12, True), (13, True)])
    def test_comes_after_twelve_tries(self, tries: int, last: bool):
        assert is_last(tries, refused=False) is last

    @pytest.mark.parametrize(("tries", "last"), [(2, False), (3, True)])
    def test_comes_after_three_refusals(self, tries: int, last: bool):
        assert is_last(tries, refused=True) is last


class TestAnAddressThatIsDown:
    def test_is_left_alone_for_longer_each_time_and_at_most_five_minutes(self):
        assert [pause(n).total_seconds() for n in (1, 2, 3, 7, 60)] == [5, 10, 20, 300, 300]
