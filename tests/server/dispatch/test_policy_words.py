"""The policy in words: every figure with what it means, amounts as typed, and what has changed."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from scheduler.request import Weights
from server.dispatch.policy import PlanningPolicy
from server.dispatch.policy_words import (
    GROUPS,
    WHEN,
    as_changes,
    as_lines,
    cents_of,
    changed,
    figures,
    for_api,
    odd,
    read,
)
from server.dispatch.what_if import TerritoriesDrawn, UnservedChanged, WeightChanged

BEFORE = PlanningPolicy(territories={"North": ("97",)})


def means(name: str, weights: Weights = BEFORE.weights) -> str:
    [found] = [one.means for some in figures(weights).values() for one in some if one.name == name]
    return found


class TestTheFigures:
    def test_are_all_that_the_policy_has(self):
        named = [name for names in GROUPS.values() for name in names]
        weights = {one.name for one in fields(Weights)} - {"unserved"}
        assert sorted(named) == sorted({*weights, *(f"unserved_{n}" for n in (1, 2, 3, 4))})
        assert set(WHEN) == set(named)

    @pytest.mark.parametrize(
        ("name", "sentence"),
        [
            ("drive_hour", "1.00 a minute at the wheel."),
            ("drive_km", "10 km cost 3.00, as much as 3 min at the wheel."),
            ("late_minute", "A quarter of an hour costs 15.00: worth 15 min more driving to avoid it."),
            ("unpreferred_minute", "A quarter of an hour costs 0.75: worth 45 s more driving to avoid it."),
            ("overtime_hour", "Half an hour costs 45.00: worth 45 min more driving to avoid it."),
            ("other_technician", "Worth 20 min more driving to avoid it."),
            ("unserved_1", "Worth 66 h 40 min more driving to avoid it."),
        ],
    )
    def test_say_what_they_are_worth(self, name: str, sentence: str):
        assert means(name) == sentence

    def test_of_nothing_and_beside_free_driving_say_so(self):
        assert means("late_minute", replace(BEFORE.weights, late_minute=0)).startswith("Nothing")
        assert means("late_minute", replace(BEFORE.weights, drive_hour=0)).startswith("Driving time is free")


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        ("text", "cents"), [("0.4", 40), ("0,40", 40), (" 12 ", 1200), ("1 600.00", 160_000), ("0", 0)]
    )
    def test_is_read_as_an_amount(self, text: str, cents: int):
        typed = read(BEFORE, {"drive_km": text}, as_lines(BEFORE.territories))
        assert (typed.weights.drive_km, typed.wrong) == (cents, {})

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("dear", "A kilometre: write an amount such as 1.50, not “dear”"),
            ("", "A kilometre: write an amount such as 1.50, not nothing"),
            ("1.234", "A kilometre: write an amount such as 1.50, not “1.234”"),
            ("-1", "A kilometre: it can't be below zero; write 0.00 for free"),
            ("99999999", "A kilometre: write no more than 10000000.00"),
        ],
    )
    def test_that_is_no_amount_names_the_figure_and_the_mend(self, text: str, sentence: str):
        typed = read(BEFORE, {"drive_km": text}, "North: 97")
        assert typed.wrong == {"drive_km": sentence}
        assert typed.weights == BEFORE.weights

    def test_names_every_wrong_figure_at_once(self):
        assert list(read(BEFORE, {"drive_km": "x", "unserved_2": "y"}, "North").wrong) == [
            "drive_km", "unserved_2", "territories"
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("lines", "drawn"),
        [
            ("North: 97, 98\n\n South :001 002 ", {"North": ("97", "98"), "South": ("001", "002")}),
            ("", {}),
        ],
    )
    def test_holds_territories_one_a_line(self, lines: str, drawn: dict[str, tuple[str, ...]]):
        typed = read(BEFORE, {}, lines)
        assert (typed.drawn, typed.wrong) == (drawn, {})

    @pytest.mark.parametrize(
        ("lines", "sentence"),
        [
            ("North", "Territories: write line 1 as a name, a colon"),
            ("North: 97\n: 98", "Territories: write line 2 as a name, a colon"),
            ("North:", "Territories: write line 1"),
            ("North: 97\nNorth: 98", "Territories: line 2 names North a second time"),
        ],
    )
    def test_that_is_no_territory_names_the_line(self, lines: str, sentence: str):
        assert read(BEFORE, {}, lines).wrong["territories"].startswith(sentence)


class TestWhatHasChanged:
    TYPED = read(BEFORE, {"drive_km": "0.40", "unserved_2": "1700", "late_minute": "1.00"}, "South: 001")

    def test_is_said_in_words(self):
        assert changed(BEFORE, self.TYPED.weights, self.TYPED.drawn) == [
            "A kilometre: 0.30 → 0.40", "A visit of priority 2 left undone: 1600.00 → 1700.00",
            "Territory North: none any more", "Territory South: new, 001",
        ]  # fmt: skip
        assert changed(BEFORE, BEFORE.weights, {"North": ["97", "98"]}) == ["Territory North: 97 → 97, 98"]

    def test_is_tried_out_and_put_in_force_as_the_same(self):
        assert as_changes(BEFORE, self.TYPED) == [
            WeightChanged(weight="drive_km", cents=40), UnservedChanged(priority=2, cents=170_000),
            TerritoriesDrawn(territories={"South": ("001",)}),
        ]  # fmt: skip
        assert for_api(BEFORE, self.TYPED) == {
            "drive_km": 40, "unserved": [400_000, 170_000, 80_000, 40_000]
        }  # fmt: skip

    def test_looks_like_a_slip(self):
        first = replace(BEFORE.weights, unserved=(1, 2, 2, 1), drive_hour=0, drive_km=0)
        assert list(odd(first, {"North": ["97"], "A": ["97"]})) == [
            "Leaving out priority 1 costs less than priority 2: it will be left out first",
            "Driving is free: plans will drive as far as they like",
            "Postcodes that begin with 97 are in North and in A: A gets them",
        ]
        assert list(odd(BEFORE.weights, BEFORE.territories)) == []

    def test_is_of_the_figure_that_it_names(self):
        assert cents_of(BEFORE.weights, "unserved_4") == 40_000
