"""Counting the devices of a van by scanning one after the other. Pure: a count in, a count out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`expected` are the serials booked on the van, `scanned` those that were in hand, in that order."""

    expected: frozenset[str]
    scanned: tuple[str, ...] = ()

    def add(self, serial: str) -> Count:
        """One more; a device that was in hand before is not counted twice."""
        return self if serial in self.scanned else replace(self, scanned=(*self.scanned, serial))

    def undo(self) -> Count:
        """Without the last one."""
        return replace(self, scanned=self.scanned[:-1])

    def against(self, expected: Iterable[str]) -> Count:
        """The same count after the bookings have changed."""
        return replace(self, expected=frozenset(expected))

    @property
    def found(self) -> tuple[str, ...]:
        return tuple(serial for serial in self.scanned if serial in self.expected)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(sorted(self.expected.difference(self.scanned)))

    @property
    def extra(self) -> tuple[str, ...]:
        """In hand, but not booked on this van."""
        return tuple(serial for serial in self.scanned if serial not in self.expected)
