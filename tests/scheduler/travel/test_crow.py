"""The straight-line guess."""

import pytest

from scheduler.travel.crow import CrowFlight
from scheduler.travel.protocol import BadPoint, Drawn, TravelTimes, matrix_of

HELSINKI, TAMPERE = (24.9384, 60.1699), (23.7610, 61.4978)


class TestCrowFlight:
    def test_is_a_source_of_travel_times_that_admits_to_guessing(self) -> None:
        crow: TravelTimes = CrowFlight()
        assert (crow.name, crow.estimated) == ("straight line", True)
        assert matrix_of(crow, [HELSINKI]).estimated is True

    def test_is_the_great_circle_and_three_tenths_at_40_km_an_hour(self) -> None:
        matrix = matrix_of(CrowFlight(), [HELSINKI, TAMPERE])
        assert matrix.metres[0][1] == matrix.metres[1][0] == pytest.approx(1.3 * 160_700, rel=0.005)
        assert matrix.seconds[0][1] == pytest.approx(matrix.metres[0][1] * 3.6 / 40, abs=1)
        assert matrix.seconds[0][0] == 0

    def test_draws_a_straight_line(self) -> None:
        assert CrowFlight().path([HELSINKI, TAMPERE]) == Drawn([HELSINKI, TAMPERE], "straight line", True)

    @pytest.mark.parametrize("bad", [(181.0, 0.0), (0.0, -91.0), (float("nan"), 0.0)])
    def test_refuses_what_is_no_place_on_earth(self, bad: tuple[float, float]) -> None:
        with pytest.raises(BadPoint, match="point 1 "):
            matrix_of(CrowFlight(), [HELSINKI, bad])

    def test_an_empty_day_has_an_empty_matrix(self) -> None:
        assert len(matrix_of(CrowFlight(), [])) == 0
