"""Whether one can read it: in the dark, in the sun, in large letters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mobile import theme
from mobile.theme import PALETTES


def contrast(one: str, other: str) -> float:
    """By WCAG 2: 1 is the same colour, 21 black on white."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (linear(int(colour[place : place + 2], 16) / 255) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


@pytest.fixture
def worn() -> Iterator[None]:
    yield
    theme.wear("system", 100)


class TestColours:
    def test_are_measured_as_the_standard_says(self):
        assert contrast("#FFFFFF", "#000000") == 21
        assert round(contrast("#777777", "#FFFFFF"), 2) == 4.48

    @pytest.mark.parametrize(("name", "least"), [("light", 4.5), ("dark", 4.5), ("sunlight", 7)])
    def test_can_be_read(self, name: str, least: float):
        pairs = set(PALETTES[name].readable())
        assert {pair: contrast(*pair) for pair in pairs if contrast(*pair) < least} == {}


class TestSizes:
    def test_double_with_the_text(self, worn):
        theme.wear("light", 200)
        assert (theme.BODY, theme.HUGE, theme.LARGE_TEXT) == (34, 60, True)

    def test_are_larger_and_thicker_in_sunlight(self, worn):
        theme.wear("sunlight", 100)
        assert (theme.BODY, theme.THIN, theme.STRONG) == (19, 2, 4)
