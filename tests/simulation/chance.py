"""Chance that can be asked again: each step of each actor has dice of its own.

Leaving one step out does not change what the others throw, which is what lets the shrinker shorten a run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Dice(random.Random):
    """One step's chance."""

    def happens(self, probability: float) -> bool:
        return self.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[self.randrange(len(items))]

    def minutes(self, least: float, most: float) -> float:
        """Seconds, from minutes."""
        return self.uniform(least, most) * 60


class Chance:
    """All dice of a run, by the names of who throws them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._thrown: Counter[str] = Counter()

    def dice(self, name: str) -> Dice:
        """Always the same for the same name."""
        return Dice(int.from_bytes(blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest(), "big"))

    def next(self, who: str) -> tuple[str, Dice]:
        """The name and the dice of this actor's next step."""
        self._thrown[who] += 1
        name = f"{who}#{self._thrown[who]}"
        return name, self.dice(name)

    def bytes_for(self, who: str) -> Callable[[int], bytes]:
        """A source of random bytes for one program."""
        return self.dice(f"{who}/entropy").randbytes
