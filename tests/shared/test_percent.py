"""A rate of tax as people read it."""

from __future__ import annotations

import pytest

from shared.money import percent


@pytest.mark.parametrize(
    ("basis_points", "shown"),
    [(2_000, "20"), (1_000, "10"), (10_000, "100"), (2_550, "25.5"), (1_925, "19.25"), (0, "0")],
)
def test_a_rate_is_written_without_exponent_or_idle_zeros(basis_points: int, shown: str):
    assert str(percent(basis_points)) == shown
