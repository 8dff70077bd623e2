"""The policy as people read and write it: each figure with what it means, amounts as typed, what has changed.

Pure. Amounts are cents here, and texts with two decimals on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from scheduler.request import COST_MAX, PRIORITIES, Weights
from server.dispatch.policy import PlanningPolicy
from server.dispatch.what_if import (
    WEIGHT_NAMES,
    Change,
    TerritoriesDrawn,
    UnservedChanged,
    Weight,
    WeightChanged,
)

AMOUNT = re.compile(r"\d{1,8}([.,]\d{1,2})?")
UNSERVED = {f"unserved_{priority}": priority for priority in PRIORITIES}

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Time and driving": ("drive_hour", "drive_km", "overtime_hour", "uneven_hour"),
    "Promises": (
        *("late_minute", "later_minute", "other_technician", "unpreferred_minute"),
        "other_territory",
    ),
    "Visits left undone": (*UNSERVED, "unpinned"),
}
"""All figures, in the order of the page."""

WHEN: Mapping[str, str] = {
    "drive_hour": "The time of a technician and a van. The yardstick of the other figures.",
    "drive_km": "Fuel and wear, on top of the time.",
    "overtime_hour": "On duty after the end of the shift, within each technician's limit.",
    "uneven_hour": (
        "Work and driving beyond an even share. Only requests that name such a share count it; "
        "plans of the board do not."
    ),
    "late_minute": "Each minute that a visit ends after its SLA.",
    "later_minute": "Each minute that a visit begins later than its customer was told.",
    "other_technician": "Somebody else comes than the customer was told.",
    "unpreferred_minute": "Each minute that a visit begins outside the hours that its customer would like.",
    "other_territory": "A technician is sent to a postcode outside of their territories.",
    "unserved_1": "An emergency is not done on its day.",
    "unserved_2": "The same for priority 2.",
    "unserved_3": "The same for priority 3, as most visits are.",
    "unserved_4": "The same for what can wait.",
    "unpinned": (
        "On top of its priority, for requests by the command line. "
        "What is decided by hand on the board outranks every cost."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure as the page shows it. when: what it is charged for; means: what it is worth."""

    name: str
    label: str
    cents: int
    when: str
    means: str


def label(name: str) -> str:
    if name in UNSERVED:
        return f"A visit of priority {UNSERVED[name]} left undone"
    words = WEIGHT_NAMES[_weight(name)]
    return words[:1].upper() + words[1:]


def _weight(name: str) -> Weight:
    return next(one for one in WEIGHT_NAMES if one == name)


def cents_of(weights: Weights, name: str) -> int:
    if name in UNSERVED:
        return weights.unserved[UNSERVED[name] - 1]
    found: int = getattr(weights, name)
    return found


def money(cents: int) -> str:
    return f"{cents / 100:.2f}"


def figures(weights: Weights) -> dict[str, list[Figure]]:
    """Every figure by its group."""
    return {
        group: [
            Figure(
                name=name,
                label=label(name),
                cents=(cents := cents_of(weights, name)),
                when=WHEN[name],
                means=_means(weights, name, cents),
            )
            for name in names
        ]
        for group, names in GROUPS.items()
    }


def _means(weights: Weights, name: str, cents: int) -> str:
    if not cents:
        return "Nothing: plans take no notice of it."
    if name == "drive_hour":
        return f"{money(round(cents / 60))} a minute at the wheel."
    if not weights.drive_hour:
        return "Driving time is free, so nothing can be weighed against it."
    if name == "drive_km":
        return f"10 km cost {money(10 * cents)}, as much as {_driving(weights, 10 * cents)} at the wheel."
    if name.endswith("_minute"):
        return f"A quarter of an hour costs {money(15 * cents)}: {_worth(weights, 15 * cents)}"
    if name == "overtime_hour":
        return f"Half an hour costs {money(round(cents / 2))}: {_worth(weights, round(cents / 2))}"
    return _worth(weights, cents).capitalize()


def _worth(weights: Weights, cents: int) -> str:
    return f"worth {_driving(weights, cents)} more driving to avoid it."


def _driving(weights: Weights, cents: int) -> str:
    seconds = round(cents * 3600 / weights.drive_hour)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


# --- what was typed -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A form as it came. wrong: field → what is wrong with it and how to mend it."""

    amounts: Mapping[str, str]
    territories: str
    weights: Weights
    drawn: Mapping[str, tuple[str, ...]]
    wrong: Mapping[str, str]


def read(before: PlanningPolicy, amounts: Mapping[str, str], territories: str) -> Typed:
    """What a form says, beside what is wrong with it. A figure that is not in it stays as it is."""
    wrong: dict[str, str] = {}
    found: dict[str, int] = {}
    for names in GROUPS.values():
        for name in names:
            if name in amounts:
                try:
                    found[name] = _amount(amounts[name])
                except ValueError as error:
                    wrong[name] = f"{label(name)}: {error}"
    unserved = tuple(
        found.get(name, before.weights.unserved[priority - 1]) for name, priority in UNSERVED.items()
    )
    plain = {name: cents for name, cents in found.items() if name not in UNSERVED}
    assert len(unserved) == len(before.weights.unserved)
    weights = replace(before.weights, **plain, unserved=unserved)  # type: ignore[arg-type]
    drawn: Mapping[str, tuple[str, ...]] = before.territories
    try:
        drawn = _drawn(territories)
    except ValueError as error:
        wrong["territories"] = f"Territories: {error}"
    return Typed(amounts=amounts, territories=territories, weights=weights, drawn=drawn, wrong=wrong)


def _amount(text: str) -> int:
    plain = "".join(text.split())
    if plain.startswith(("-", "−")):
        raise ValueError("it can't be below zero; write 0.00 for free")
    if not AMOUNT.fullmatch(plain):
        shown = f"“{text.strip()}”" if text.strip() else "nothing"
        raise ValueError(f"write an amount such as 1.50, not {shown}")
    whole, _, part = plain.replace(",", ".").partition(".")
    cents = int(whole) * 100 + int(part.ljust(2, "0") or 0)
    if cents > COST_MAX:
        raise ValueError(f"write no more than {money(COST_MAX)}")
    return cents


def _drawn(text: str) -> dict[str, tuple[str, ...]]:
    """Territories out of lines such as "North: 001, 002"."""
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, starts = line.partition(":")
        name, codes = " ".join(name.split()), tuple(starts.replace(",", " ").split())
        if not (name and colon and codes):
            raise ValueError(
                f"write line {number} as a name, a colon and the beginnings of its postcodes: North: 001, 002"
            )
        if name in found:
            raise ValueError(f"line {number} names {name} a second time; put its postcodes into one line")
        found[name] = codes
    return found


def as_lines(territories: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"{name}: {', '.join(starts)}" for name, starts in territories.items())


def odd(weights: Weights, territories: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What is allowed and still looks like a slip."""
    for first, second in pairwise(PRIORITIES):
        if weights.unserved[first - 1] < weights.unserved[second - 1]:
            yield f"Leaving out priority {first} costs less than priority {second}: it will be left out first"
    if not weights.drive_hour and not weights.drive_km:
        yield "Driving is free: plans will drive as far as they like"
    homes: dict[str, str] = {}
    for name, starts in territories.items():
        for start in starts:
            if start in homes:
                both, gets = f"{homes[start]} and in {name}", min(name, homes[start])
                yield f"Postcodes that begin with {start} are in {both}: {gets} gets them"
            homes.setdefault(start, name)


# --- what has changed ---------------------------------------------------------------------------------------


def changed(before: PlanningPolicy, weights: Weights, drawn: Mapping[str, Sequence[str]]) -> list[str]:
    """Each difference in words."""
    said = [
        f"{label(name)}: {money(was)} → {money(now)}"
        for names in GROUPS.values()
        for name in names
        if (was := cents_of(before.weights, name)) != (now := cents_of(weights, name))
    ]
    for name in dict.fromkeys([*before.territories, *drawn]):
        old, new = before.territories.get(name), drawn.get(name)
        if new is None:
            said.append(f"Territory {name}: none any more")
        elif old is None:
            said.append(f"Territory {name}: new, {', '.join(new)}")
        elif tuple(old) != tuple(new):
            said.append(f"Territory {name}: {', '.join(old)} → {', '.join(new)}")
    return said


def as_changes(before: PlanningPolicy, typed: Typed) -> list[Change]:
    """The same for a day that is tried out."""
    found: list[Change] = []
    for names in GROUPS.values():
        for name in names:
            cents = cents_of(typed.weights, name)
            if cents == cents_of(before.weights, name):
                continue
            if name in UNSERVED:
                found.append(UnservedChanged(priority=UNSERVED[name], cents=cents))
            else:
                found.append(WeightChanged(weight=_weight(name), cents=cents))
    if dict(typed.drawn) != dict(before.territories):
        found.append(TerritoriesDrawn(territories={name: tuple(s) for name, s in typed.drawn.items()}))
    return found


def for_api(before: PlanningPolicy, typed: Typed) -> dict[str, int | list[int]]:
    """The changed weights as server/dispatch/policy.py takes them."""
    plain: dict[str, int | list[int]] = {
        name: cents_of(typed.weights, name)
        for names in GROUPS.values()
        for name in names
        if name not in UNSERVED and cents_of(typed.weights, name) != cents_of(before.weights, name)
    }
    if typed.weights.unserved != before.weights.unserved:
        plain["unserved"] = list(typed.weights.unserved)
    return plain
