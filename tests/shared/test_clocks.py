"""Device times: corrected at the contact within the error that is stated; and hybrid logical time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.clocks import AHEAD_MS_MAX, DRIFT, NETWORK, Contact, Tap, correct, merge, parts, stamp, tick

NOON = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ZERO = timedelta(0)


def ms(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))


class TestInOneRunOfTheDevice:
    def corrected(self, made_at: datetime, device_now: datetime, age: timedelta):
        tap = Tap(made_at=made_at, mono_ms=1_000, boot="a")
        contact = Contact(device_now=device_now, server_now=NOON, mono_ms=1_000 + ms(age), boot="a")
        return correct(tap, contact, latest=NOON)

    def test_a_clock_that_is_right_is_left_alone(self):
        found = self.corrected(NOON - HOUR, NOON - timedelta(seconds=20), HOUR - timedelta(seconds=20))
        assert (found.at, found.remarks, found.sure) == (NOON - HOUR, (), True)
        assert found.error == 2 * NETWORK + (HOUR - timedelta(seconds=20)) * DRIFT

    def test_a_clock_that_is_wrong_does_not_matter(self):
        found = self.corrected(NOON - 25 * HOUR, NOON - 24 * HOUR, HOUR)
        assert found.at == NOON - HOUR
        assert found.error == NETWORK + HOUR * DRIFT
        assert [remark.slug for remark in found.remarks] == ["clock-skew"]
        assert found.remarks[0].detail == "The phone's clock was 1440 minutes behind; times were corrected"

    def test_a_clock_set_back_for_the_tap_and_forward_again_is_found_out(self):
        found = self.corrected(NOON - 4 * HOUR, NOON, HOUR)
        assert found.at == NOON - HOUR
        assert [remark.slug for remark in found.remarks] == ["clock-skew", "clock-changed"]
        assert found.remarks[1].detail == (
            "The phone's clock was set by 180 minutes after this was done; times were corrected"
        )

    @pytest.mark.parametrize(("minutes", "slugs"), [(5, []), (-5, []), (6, ["clock-changed"])])
    def test_a_clock_set_by_up_to_five_minutes_is_not_remarked(self, minutes: int, slugs: list[str]):
        found = self.corrected(NOON - HOUR, NOON + minutes * MINUTE, HOUR)
        assert [remark.slug for remark in found.remarks] == slugs


class TestAcrossRuns:
    """The device was started again, or speaks protocol 1: its own clock is all there is."""

    @pytest.mark.parametrize("minutes", [-2, 0, 2])
    def test_two_minutes_may_be_the_network(self, minutes: int):
        contact = Contact(device_now=NOON - minutes * MINUTE, server_now=NOON)
        found = correct(Tap(made_at=NOON - HOUR), contact, latest=NOON)
        assert (found.at, found.remarks, found.sure) == (NOON - HOUR, (), False)

    def test_above_that_the_offset_moves_it(self):
        contact = Contact(device_now=NOON - 3 * MINUTE, server_now=NOON, mono_ms=5, boot="b")
        tap = Tap(made_at=NOON - HOUR, mono_ms=9, boot="a")
        found = correct(tap, contact, latest=NOON)
        assert (found.at, found.remarks, found.sure) == (NOON - 57 * MINUTE, (), False)

    @pytest.mark.parametrize(("minutes", "words"), [(90, "90 minutes behind"), (-90, "90 minutes ahead")])
    def test_above_five_minutes_it_is_remarked(self, minutes: int, words: str):
        contact = Contact(device_now=NOON - minutes * MINUTE, server_now=NOON)
        [remark] = correct(Tap(made_at=contact.device_now), contact, latest=NOON).remarks
        assert words in remark.detail

    def test_nothing_happens_in_the_future(self):
        contact = Contact(device_now=NOON, server_now=NOON)
        assert correct(Tap(made_at=NOON + HOUR), contact, latest=NOON).at == NOON

    def test_on_the_device_what_was_done_after_the_last_contact_is_later_than_it(self):
        contact = Contact(device_now=NOON - HOUR, server_now=NOON, mono_ms=0, boot="a")
        tap = Tap(made_at=NOON - HOUR + 30 * MINUTE, mono_ms=ms(30 * MINUTE), boot="a")
        assert correct(tap, contact).at == NOON + 30 * MINUTE

    @pytest.mark.parametrize("mono_ms", [10**18, -(10**18)])
    def test_a_counter_that_no_device_reaches_is_not_believed(self, mono_ms: int):
        contact = Contact(device_now=NOON, server_now=NOON, mono_ms=mono_ms, boot="a")
        found = correct(Tap(made_at=NOON - HOUR, mono_ms=0, boot="a"), contact, latest=NOON)
        assert (found.at, found.sure) == (NOON - HOUR, False)

    def test_a_clock_beyond_the_calendar_does_not_stop_the_others(self):
        contact = Contact(device_now=datetime(9999, 12, 31, tzinfo=UTC), server_now=NOON)
        assert correct(Tap(made_at=datetime(1, 1, 1, tzinfo=UTC)), contact, latest=NOON).at <= NOON


class Device:
    """A simulated device: a wall clock that is off, drifts and is set; a counter for each run."""

    def __init__(self, off: timedelta, drift: float) -> None:
        self.true = NOON
        self.off = off
        self.drift = drift
        self.boots = 0
        self.up = ZERO

    def passes(self, span: timedelta) -> None:
        self.true += span
        self.off += span * self.drift
        self.up += span * (1 + self.drift)

    def restarts(self) -> None:
        self.boots += 1
        self.up = ZERO

    @property
    def wall(self) -> datetime:
        return self.true + self.off

    def tap(self) -> Tap:
        return Tap(made_at=self.wall, mono_ms=ms(self.up), boot=str(self.boots))

    def contact(self, transit: timedelta) -> Contact:
        return Contact(
            device_now=self.wall,
            server_now=self.true + transit,
            mono_ms=ms(self.up),
            boot=str(self.boots),
        )


spans = st.timedeltas(min_value=ZERO, max_value=timedelta(days=5))
jumps = st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400))
happenings = st.lists(st.one_of(spans, jumps.map(lambda jump: ("set", jump)), st.just("restart")), max_size=6)


class TestTheStatedError:
    @settings(max_examples=600)
    @given(
        off=jumps,
        drift=st.floats(-DRIFT / 2, DRIFT / 2),
        life=happenings,
        transit=st.timedeltas(min_value=ZERO, max_value=NETWORK),
    )
    def test_is_never_exceeded(
        self, off: timedelta, drift: float, life: list[object], transit: timedelta
    ) -> None:
        """Whatever was done to the clock within a run; across runs, where nobody set it."""
        device = Device(off, drift)
        happened, tap, touched = device.true, device.tap(), False
        for change in life:
            if isinstance(change, timedelta):
                device.passes(change)
            elif change == "restart":
                device.restarts()
            else:
                device.off += change[1]  # type: ignore[index]
                touched = True
        contact = device.contact(transit)
        found = correct(tap, contact, latest=contact.server_now)
        assert found.sure == (device.boots == 0)
        assert found.at <= contact.server_now
        if found.sure or not touched:
            assert abs(found.at - happened) <= found.error + timedelta(milliseconds=2)

    def test_can_be_exceeded_by_one_that_was_set_before_a_restart(self):
        """What `sure` is for: here nothing tells that the clock was set."""
        device = Device(ZERO, 0.0)
        tap = device.tap()
        device.off += 10 * HOUR
        device.restarts()
        found = correct(tap, device.contact(ZERO))
        assert not found.sure
        assert abs(found.at - NOON) == 10 * HOUR


class TestHybridTime:
    def test_sorts_as_text(self):
        assert stamp(1) == "0000000000001-0000"
        assert stamp(1_763_000_000_000, 7) == "0019a7afd1e00-0007"
        assert stamp(9) < stamp(10) < stamp(10, 1) < stamp(10, 255) < stamp(11)

    def test_follows_the_wall_while_that_goes_forward(self):
        assert tick(stamp(5, 3), 6) == stamp(6)

    def test_counts_while_the_wall_stands_or_goes_back(self):
        assert tick(stamp(5, 3), 5) == stamp(5, 4)
        assert tick(stamp(5, 3), 1) == stamp(5, 4)

    def test_hearing_goes_above_both(self):
        assert merge(stamp(5, 3), stamp(9, 1), 6) == stamp(9, 2)
        assert merge(stamp(5, 3), stamp(5, 8), 4) == stamp(5, 9)
        assert merge(stamp(5, 3), stamp(4, 9), 6) == stamp(6)

    def test_a_full_counter_carries_over(self):
        assert tick(stamp(5, 0xFFFF), 5) == stamp(6)

    def test_begins_with_nothing_and_ignores_what_is_none(self):
        assert tick(None, 7) == stamp(7)
        assert merge(stamp(5), "yesterday", 4) == stamp(5, 1)
        assert parts("nonsense") == (0, 0)

    def test_a_server_does_not_follow_a_phone_from_2099(self):
        far = stamp(AHEAD_MS_MAX + 1_001)
        assert merge(stamp(5), far, 1_000, ahead_ms_max=AHEAD_MS_MAX) == stamp(1_000)
        near = stamp(AHEAD_MS_MAX + 1_000)
        assert merge(stamp(5), near, 1_000, ahead_ms_max=AHEAD_MS_MAX) == stamp(AHEAD_MS_MAX + 1_000, 1)
        assert merge(stamp(5), far, 1_000) == stamp(AHEAD_MS_MAX + 1_001, 1), "a device follows its server"

    @given(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2**41)), max_size=30),
    )
    def test_what_was_heard_is_before_what_follows(self, messages: list[tuple[int, int, int]]):
        """Three clocks as wrong as they like: along every message, and on every device, time goes forward."""
        last: list[str | None] = [None, None, None]
        for sender, receiver, wall in messages:
            sent = tick(last[sender], wall)
            assert sent > (last[sender] or "")
            last[sender] = sent
            got = merge(last[receiver], sent, wall // 3)
            assert got > sent and got > (last[receiver] or "")
            last[receiver] = got
