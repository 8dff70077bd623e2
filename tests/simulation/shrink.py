"""Make a failing run short: drop faults, then devices and hours, then steps, as long as it still fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from simulation.run import Outcome, run
from simulation.schedule import Schedule


def shrink(
    outcome: Outcome, *, seconds: float = 120, say: Callable[[str], None] = lambda _text: None
) -> Outcome:
    """The shortest failing run found within `seconds` of real time that breaks the same invariant."""
    assert outcome.violation is not None, "there is nothing to make shorter"
    return _Shrinker(outcome, time.perf_counter() + seconds, say).whole()


class _Shrinker:
    def __init__(self, outcome: Outcome, deadline: float, say: Callable[[str], None]) -> None:
        assert outcome.violation is not None
        self.best = outcome
        self._invariant = outcome.violation.invariant
        self._deadline = deadline
        self._say = say

    def whole(self) -> Outcome:
        # What comes after the failure does not matter; the end of the run is a check of its own.
        self._try(replace(self.best.schedule, hours=max(0.5, self.best.clock_hours)))
        for fault in sorted(self.best.schedule.rates):
            self._try(self.best.schedule.without(fault))
        for crew in range(1, self.best.schedule.crew):
            if self._try(replace(self.best.schedule, crew=crew)):
                break
        for dispatchers in range(self.best.schedule.dispatchers):
            if self._try(replace(self.best.schedule, dispatchers=dispatchers)):
                break
        for share in (0.25, 0.5, 0.75):
            if self._try(replace(self.best.schedule, hours=max(0.5, self.best.schedule.hours * share))):
                break
        self._drop_steps()
        return self.best

    def _drop_steps(self) -> None:
        """Ever smaller pieces of what took place, from the end, since the end is rarely needed."""
        size = max(1, len(self.best.steps) // 2)
        while size >= 1 and time.perf_counter() < self._deadline:
            names = [step.name for step in self.best.steps]
            dropped = False
            for end in range(len(names), 0, -size):
                piece = names[max(0, end - size) : end]
                present = {step.name for step in self.best.steps}
                if present.intersection(piece) and self._without(piece):
                    dropped = True
            if size == 1 and not dropped:
                return
            size = size // 2 if size > 1 else 1

    def _without(self, names: Sequence[str]) -> bool:
        return self._try(replace(self.best.schedule, left_out=self.best.schedule.left_out.union(names)))

    def _try(self, schedule: Schedule) -> bool:
        if time.perf_counter() > self._deadline:
            return False
        found = run(schedule)
        if found.violation is None or found.violation.invariant != self._invariant:
            return False
        self.best = found
        self._say(f"{len(found.steps)} steps, {len(schedule.rates)} faults, {schedule.hours:.1f} h")
        return True
