"""What one run of the scheduler's bench covers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.scheduling.runs import OURS, Bench, Run

QUICK_BUDGET = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """budget: every solver's seconds are multiplied by it. names: only these instances or days of a row."""

    bench: Bench
    quick: bool
    budget: float
    names: frozenset[str] = field(default_factory=frozenset)

    def chosen(self, names: Sequence[str], quick: Sequence[str]) -> list[str]:
        """Of a row's `names` those to run; of a quick run without a choice `quick`."""
        if self.names:
            return [name for name in names if name.replace(" ", "-") in self.names]
        return list(quick if self.quick else names)

    def seconds(self, full: float) -> float:
        return round(max(0.5, full * self.budget), 2)


def budget_of(quick: bool) -> float:
    return float(os.environ.get("BENCH_BUDGET", QUICK_BUDGET if quick else 1))


def in_turn(solvers: Sequence[str], turn: int) -> list[str]:
    """The solvers, another one first each turn, so that none always meets the quieter machine."""
    first = turn % len(solvers)
    return [*solvers[first:], *solvers[:first]]


def by_solver(runs: Iterable[Run], solver: str) -> list[Run]:
    return [run for run in runs if run.solver == solver]


def figure(
    name: str, value: float | None, unit: str, runs: Iterable[Run] = (), **rest: Any
) -> dict[str, Any]:
    """A figure of the report, with every run behind it."""
    detail = [run.plain() for run in runs]
    return {"name": name, "value": value, "unit": unit, **rest} | ({"runs": detail} if detail else {})


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def label(runs: Sequence[Run]) -> str:
    """What to call a peer: name and version as it ran."""
    names = {f"{run.solver} {run.version}".strip() for run in runs if run.error is None}
    return ", ".join(sorted(names)) or (runs[0].solver if runs else "")


__all__ = ["OURS", "Bench", "Run", "Scope", "budget_of", "by_solver", "counted", "figure", "in_turn", "label"]
