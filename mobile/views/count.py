"""Counting a van: devices scanned one after the other, parts by number. Pure: a count in, a count out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from shared.stock_commands import CountedParts, CountVan, SeenDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`expected` are the serials booked on the van, `scanned` those that were in hand, in that order.

    `parts`: SKU → (counted, what the list said when it was counted). Counted is a string where what was typed
    is no number.
    """

    expected: frozenset[str]
    scanned: tuple[str, ...] = ()
    parts: dict[str, tuple[int | str, int]] = field(default_factory=dict)

    def add(self, serial: str) -> Count:
        """One more; a device that was in hand before is not counted twice."""
        return self if serial in self.scanned else replace(self, scanned=(*self.scanned, serial))

    def undo(self) -> Count:
        """Without the last one."""
        return replace(self, scanned=self.scanned[:-1])

    def part(self, sku: str, counted: int | str, listed: int) -> Count:
        """So many are there. What the list said is kept from the first time: it may change before the end."""
        _, first = self.parts.get(sku, (counted, listed))
        return replace(self, parts={**self.parts, sku: (counted, first)})

    def without(self, sku: str) -> Count:
        """That part was not counted after all."""
        return replace(self, parts={key: pair for key, pair in self.parts.items() if key != sku})

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

    @property
    def ready(self) -> bool:
        """Something was counted, and every number is one."""
        numbers = all(isinstance(counted, int) for counted, _ in self.parts.values())
        return numbers and bool(self.scanned or self.parts)

    def command(self) -> CountVan:
        """What the office is told. Without a scanned device the devices were not counted at all."""
        parts = tuple(
            CountedParts(sku=sku, counted=counted, listed=listed)
            for sku, (counted, listed) in self.parts.items()
            if isinstance(counted, int)
        )
        seen = tuple(SeenDevice(serial=serial) for serial in self.scanned)
        return CountVan(
            parts=parts, seen=seen, listed_serials=tuple(sorted(self.expected)) if self.scanned else ()
        )

    def kept(self) -> str:
        """As text, to go on with after a restart."""
        return json.dumps({"scanned": self.scanned, "parts": self.parts})

    @classmethod
    def from_text(cls, text: str | None, expected: Iterable[str]) -> Count:
        """What `kept` wrote; an empty count from anything else."""
        count = cls(expected=frozenset(expected))
        try:
            found = json.loads(text or "{}")
            scanned = tuple(str(serial) for serial in found.get("scanned", ()))
            parts = {str(sku): (pair[0], int(pair[1])) for sku, pair in found.get("parts", {}).items()}
        except (ValueError, TypeError, AttributeError, LookupError):
            return count
        return replace(count, scanned=scanned, parts=parts)
