"""Bugs that others have shipped, planted on purpose: the simulator must find each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

Plant = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """`seed` finds it, by `invariants` (any of them). `says`: what the bug is."""

    says: str
    plant: Plant
    seed: int
    invariants: tuple[str, ...]


MUTATIONS: dict[str, Mutation] = {}


@contextmanager
def planted(name: str) -> Iterator[None]:
    with MUTATIONS[name].plant():
        yield
