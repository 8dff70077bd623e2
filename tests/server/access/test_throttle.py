"""Who asks too often is asked to come back; pure, on a clock of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.access.throttle import Buckets, Throttle, Turnstile
from server.clock import running_on, utc_now
from shared.problems import Busy, TooMany

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


class TestABucket:
    def test_gives_a_burst_and_then_a_steady_rate(self):
        buckets = Buckets(per_second=2, burst=4)
        for _ in range(4):
            buckets.take("ana", NOON)
        with pytest.raises(TooMany) as refused:
            buckets.take("ana", NOON)
        assert refused.value.retry_seconds == 1
        assert refused.value.detail == "This device asks too often. Nothing is lost; it tries again in 1 s"
        buckets.take("ana", after(0.5))
        with pytest.raises(TooMany):
            buckets.take("ana", after(0.5))

    def test_says_how_long_to_wait_at_a_slow_rate(self):
        buckets = Buckets(per_second=0.1, burst=1)
        buckets.take("ana", NOON)
        with pytest.raises(TooMany) as refused:
            buckets.take("ana", after(3))
        assert refused.value.retry_seconds == 7
        buckets.take("ana", after(10))

    def test_is_everybodys_own(self):
        buckets = Buckets(per_second=1, burst=1)
        buckets.take("ana", NOON)
        buckets.take("ben", NOON)
        with pytest.raises(TooMany):
            buckets.take("ana", NOON)

    def test_gives_nothing_for_a_clock_that_was_set_back_and_no_more_than_its_burst_after_a_year(self):
        buckets = Buckets(per_second=1, burst=2)
        buckets.take("ana", NOON)
        buckets.take("ana", after(-3600))
        with pytest.raises(TooMany):
            buckets.take("ana", after(-3600))
        for _ in range(2):
            buckets.take("ana", NOON + timedelta(days=365))
        with pytest.raises(TooMany):
            buckets.take("ana", NOON + timedelta(days=365))

    def test_is_forgotten_when_too_many_others_came_since(self):
        buckets = Buckets(per_second=1, burst=1, known_max=3)
        for number in range(1_000):
            buckets.take(f"device {number}", NOON)
        assert buckets.known == 3
        with pytest.raises(TooMany):
            buckets.take("device 999", NOON)
        buckets.take("device 0", NOON)


class TestATurnstile:
    def test_lets_so_many_in_and_the_next_one_when_somebody_leaves(self):
        gate = Turnstile(2)
        with gate.turn():
            with gate.turn(), pytest.raises(Busy) as refused, gate.turn():
                pass
            assert (refused.value.status, refused.value.slug) == (503, "busy")
            with gate.turn():
                assert gate.inside == 2
        assert gate.inside == 0

    def test_is_left_also_by_who_fails(self):
        gate = Turnstile(1)
        for _ in range(3):
            with pytest.raises(ValueError), gate.turn():
                raise ValueError
        assert gate.inside == 0

    def test_asks_them_back_at_different_times(self):
        gate, waits = Turnstile(0), []
        for byte in range(5):
            with running_on(utc_now, lambda count, byte=byte: bytes([byte] * count)):  # noqa: SIM117
                with pytest.raises(Busy) as refused, gate.turn():
                    pass
            waits.append(refused.value.retry_seconds)
        assert waits == [1, 2, 3, 4, 5]


class TestFailedTries:
    def test_are_free_up_to_a_number_and_then_wait_for_the_oldest(self):
        throttle = Throttle(failures_max=2, span=timedelta(minutes=5))
        for seconds in (0, 60):
            throttle.check("10.0.0.1", after(seconds))
            throttle.failed("10.0.0.1", after(seconds))
        with pytest.raises(TooMany) as refused:
            throttle.check("10.0.0.1", after(61))
        assert refused.value.retry_seconds == 240
        throttle.check("10.0.0.2", after(61))
        throttle.check("10.0.0.1", after(300))
