from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from mobile.views.my_time import typed_time

HELSINKI = ZoneInfo("Europe/Helsinki")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


class TestATypedTime:
    @pytest.mark.parametrize("text", ["9:20", "09:20", "9.20", "0920", " 9:20\u200f", "9h20"])
    def test_is_read_as_people_write_it(self, text: str):
        assert typed_time(text, at(16, 7), HELSINKI) == at(16, 7, 20)

    @pytest.mark.parametrize("text", ["", "9", "24:00", "9:60", "nine", "92", "9:2"])
    def test_that_is_none_is_not_guessed(self, text: str):
        assert typed_time(text, at(16, 7), HELSINKI) is None

    def test_is_on_the_day_that_is_nearest(self):
        ten_past_midnight = at(15, 22, 10)  # on the 16th in Helsinki
        assert typed_time("23:50", ten_past_midnight, HELSINKI) == at(15, 21, 50)
        assert typed_time("0:20", at(15, 21, 50), HELSINKI) == at(15, 22, 20)
