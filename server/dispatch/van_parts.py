"""What a job takes from a van, in the scheduler's words. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.work_orders import WorkOrder

Models = frozenset[str]
"""SKUs of which any one will do."""

POOLS_MAX = 64


@dataclass(frozen=True, slots=True)
class Pools:
    """The scheduler counts names, but a need may accept several models. So every set of models that some need
    accepts is a name of its own, a pool, and so is every union of sets that share a model. A device counts in
    each pool that holds its model, a need takes one from each pool that holds all its models. When no pool
    runs short, each need can have a device of its own (Hall's theorem).
    """

    sets: tuple[Models, ...]

    @classmethod
    def of(cls, orders: Iterable[WorkOrder]) -> Pools:
        found = {models for order in orders for models in needs(order)}
        waiting = list(found)
        # The rare day with more unions keeps the small ones: then a plan may promise a device too many.
        while waiting and len(found) < POOLS_MAX:
            one = waiting.pop()
            for other in list(found):
                if one & other and (union := one | other) not in found:
                    found.add(union)
                    waiting.append(union)
        return cls(tuple(sorted(found, key=lambda models: (len(models), sorted(models)))))

    def wanted(self, order: WorkOrder) -> dict[str, int]:
        """Pool → units that `order` takes from it."""
        asked = needs(order)
        counts = {name(pool): sum(n for need, n in asked.items() if need <= pool) for pool in self.sets}
        return {pool: count for pool, count in counts.items() if count}

    def carried(self, on_van: Mapping[str, int]) -> dict[str, int]:
        """Pool → units on a van; `on_van` maps SKU to units."""
        return {name(pool): sum(max(0, on_van.get(sku, 0)) for sku in pool) for pool in self.sets}


def needs(order: WorkOrder) -> Counter[Models]:
    """How much of which models one visit takes, devices and parts alike."""
    counts: Counter[Models] = Counter()
    for line in order.required_parts:
        if line.quantity > 0:
            counts[frozenset({line.sku})] += line.quantity
    for need in order.required_equipment:
        if need.skus:
            counts[frozenset(need.skus)] += 1
    return counts


def name(pool: Models) -> str:
    return " or ".join(sorted(pool))
