"""Traffic by the hour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.request import TravelMatrix
from scheduler.travel.hours import EMPTY_ROADS, HOURS, HourFactors

MORNING = HourFactors.parse("7-9:2 16-18:1.5")
EIGHT, NINE = 8 * 3600, 9 * 3600
factors = st.builds(
    HourFactors, st.lists(st.sampled_from([0.5, 1.0, 1.25, 2.0, 7.5]), min_size=24, max_size=24).map(tuple)
)


class TestHourFactors:
    def test_inside_an_hour_a_drive_takes_as_many_times_as_long(self) -> None:
        assert MORNING.arrival(EIGHT, 900) == EIGHT + 1800
        assert MORNING.arrival(10 * 3600, 900) == 10 * 3600 + 900
        assert EMPTY_ROADS.arrival(EIGHT, 900) == EIGHT + 900

    def test_a_drive_goes_on_at_the_pace_of_the_next_hour(self) -> None:
        # Ten minutes at half the pace, then the 25 that are left.
        assert MORNING.arrival(NINE - 600, 1800) == NINE + 1500

    def test_goes_on_after_midnight(self) -> None:
        late = HourFactors.parse("0-1:2 23-24:4")
        assert late.arrival(24 * 3600 - 400, 200) == 24 * 3600 + 200
        assert late.departure(24 * 3600 + 200, 200) == 24 * 3600 - 400

    @given(factors, st.integers(0, 100_000), st.integers(0, 20_000), st.integers(0, 50_000))
    def test_nobody_arrives_earlier_by_leaving_later(
        self, hours: HourFactors, leave: int, wait: int, base: int
    ) -> None:
        assert hours.arrival(leave, base) <= hours.arrival(leave + wait, base) + 1e-6
        assert hours.arrival(leave, base) >= leave - 1e-6

    @given(factors, st.integers(0, 100_000), st.integers(0, 50_000))
    def test_the_way_back_is_the_same(self, hours: HourFactors, leave: int, base: int) -> None:
        assert hours.departure(hours.arrival(leave, base), base) == pytest.approx(leave, abs=1e-4)

    def test_scales_a_whole_matrix_to_one_hour_and_says_so(self) -> None:
        matrix = TravelMatrix.of([[0, 60], [90, 0]], [[0, 1], [2, 0]], engine="roads", estimated=False)
        assert MORNING.scaled(matrix, 7) == TravelMatrix.of(
            [[0, 120], [180, 0]], [[0, 1], [2, 0]], engine="roads, traffic of 7:00 (× 2)", estimated=False
        )

    @pytest.mark.parametrize(
        ("text", "reason"),
        [("7-9", "no band"), ("9-7:2", "no band"), ("7-25:2", "no band"), ("7-9:x", "no factor"),
         ("7-9:0", "factor of 7:00 must be between"), ("7-9:nan", "must be between")],
    )  # fmt: skip
    def test_refuses_what_can_not_be(self, text: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            HourFactors.parse(text)

    def test_needs_every_hour(self) -> None:
        with pytest.raises(ValueError, match="24 factors"):
            HourFactors((1.0,) * (HOURS - 1))
