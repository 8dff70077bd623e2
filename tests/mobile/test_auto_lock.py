"""When the app locks by itself."""

from __future__ import annotations

import pytest
from fake_server import Clock

from mobile.auto_lock import AutoLock, kept_minutes


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_counts_from_the_last_sign_of_life(clock: Clock):
    lock = AutoLock(clock, lambda: 5)
    clock.forward(minutes=4)
    assert lock.seconds_left() == 60
    lock.touch()
    assert lock.seconds_left() == 300
    clock.forward(minutes=6)
    assert lock.seconds_left() == 0


def test_waits_a_minute_for_who_took_a_photo_or_looked_at_the_map(clock: Clock):
    lock = AutoLock(clock, lambda: 15)
    lock.hide()
    clock.forward(seconds=59)
    assert lock.seconds_left() == 1
    lock.show()
    assert lock.seconds_left() == 15 * 60 - 59
    lock.hide()
    clock.forward(seconds=30)
    lock.hide()
    clock.forward(seconds=31)
    assert lock.seconds_left() == 0


def test_believes_the_page_that_was_frozen_meanwhile(clock: Clock):
    lock = AutoLock(clock, lambda: 15)
    lock.was_hidden(59)
    assert lock.seconds_left() == 1
    lock.was_hidden(60)
    assert lock.seconds_left() == 0


def test_leaves_the_app_alone_where_that_was_chosen(clock: Clock):
    lock = AutoLock(clock, lambda: 0)
    lock.hide()
    clock.forward(days=1)
    assert lock.seconds_left() is None


def test_locks_when_the_clock_was_set_back(clock: Clock):
    lock = AutoLock(clock, lambda: 5)
    clock.forward(hours=-3)
    assert lock.seconds_left() == 0


@pytest.mark.parametrize(("kept", "minutes"), [(None, 5), ("15", 15), ("0", 0), ("7", 5), ("", 5)])
def test_takes_five_minutes_where_nothing_that_it_knows_was_chosen(kept: str | None, minutes: int):
    assert kept_minutes(lambda name: kept) == minutes
