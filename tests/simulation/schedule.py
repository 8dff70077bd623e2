"""What a run is made of, drawn from its seed: who, how long, which faults how often. The shrinker cuts it.

Swarm testing: each run turns a random half of the faults off. A run with everything on finds less, because
one fault hides the next.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace

from simulation.chance import Chance

FAULTS: dict[str, float] = {
    "request_lost": 0.06,
    "answer_lost": 0.06,
    "delayed": 0.06,
    "duplicated": 0.05,
    "replayed_late": 0.03,
    "overtaken": 0.04,
    "request_cut": 0.02,
    "answer_cut": 0.03,
    "captive_portal": 0.05,
    "proxy_error": 0.03,
    "offline": 0.35,
    "phone_dies_before_send": 0.01,
    "phone_dies_after_send": 0.02,
    "phone_dies_at_write": 0.02,
    "phone_storage_full": 0.02,
    "server_dies_at_statement": 0.006,
    "server_dies_before_commit": 0.004,
    "server_dies_after_commit": 0.006,
    "server_busy": 0.015,
    "server_restarts": 0.5,
    "clock_skewed": 0.5,
    "clock_jumps": 0.01,
    "old_protocol": 0.5,
    "revoked": 0.25,
    "token_ages": 0.3,
    "restored": 0.3,
    "second_device": 0.4,
    "contested": 0.1,
}
"""Fault → how often, a request, a step or a run, when a run has it at its usual strength."""

LATER_FAULTS: dict[str, float] = {
    "request_damaged": 0.03,
    "too_many": 0.02,
    "hurried": 0.3,
    "handed_over": 0.25,
    "wiped": 0.15,
    "rolled_back": 0.5,
    "floor_raised": 0.5,
    "van_work": 0.12,
    "more_work": 0.06,
}
"""The same, and what not every day has to do; each drawn with dice of its own: a new one leaves
the runs that don't have it as they were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """`rates`: fault → probability; a missing one is off. `left_out`: steps that don't take place."""

    seed: int
    crew: int
    hours: float
    orders: int
    dispatchers: int
    rates: dict[str, float]
    left_out: frozenset[str] = field(default=frozenset())

    @classmethod
    def drawn_from(cls, seed: int) -> Schedule:
        dice = Chance(seed).dice("schedule")
        crew = dice.pick((2, 2, 3, 3, 4))
        rates = {}
        for fault, usual in FAULTS.items():
            on, strength = dice.happens(0.5), dice.pick((0.3, 1.0, 1.0, 2.5))
            if on:
                rates[fault] = min(1.0, usual * strength)
        for fault, usual in LATER_FAULTS.items():
            own = Chance(seed).dice(f"schedule/{fault}")
            if own.happens(0.5):
                rates[fault] = min(1.0, usual * own.pick((0.3, 1.0, 1.0, 2.5)))
        if "restored" in rates:
            rates.pop("old_protocol", None)  # the version before knew no epoch and offers nothing again
            rates.pop("wiped", None)  # what was taken from it is gone with the database, and it holds no more
        return cls(
            seed=seed,
            crew=crew,
            hours=dice.pick((12.0, 24.0, 24.0, 48.0, 72.0)),
            orders=dice.pick((2, 3, 4, 6)),
            dispatchers=dice.pick((0, 1, 1, 2)),
            rates=rates,
        )

    def rate(self, fault: str) -> float:
        return self.rates.get(fault, 0.0)

    def without(self, fault: str) -> Schedule:
        return replace(self, rates={name: rate for name, rate in self.rates.items() if name != fault})

    def to_json(self) -> str:
        return json.dumps(asdict(self) | {"left_out": sorted(self.left_out)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Schedule:
        values = json.loads(text)
        return cls(**values | {"left_out": frozenset(values["left_out"])})
