"""A fixed budget of simulated runs, the seeds that failed once, and bugs planted to be found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from databases import ROOT
from simulation.mutations import MUTATIONS

CLOCK_HOURS = 60


def simulate(*words: str) -> tuple[int, dict[str, Any], str]:
    """`./dev simulate` in a process of its own, where sets of strings have the same order every time."""
    environment = os.environ | {
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
    }
    command = [sys.executable, "-m", "simulation", *words]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return answer.returncode, json.loads(answer.stdout or "{}"), answer.stderr


class TestSimulatedDays:
    def test_keep_every_promise(self, record_property: Any):
        """Simulated hours and operations of the budget are in the report."""
        code, summary, said = simulate(
            "--corpus", "--hours", str(CLOCK_HOURS), "--shrink-seconds", "20", "--verbose"
        )
        for name in (
            "clock_hours",
            "device_hours",
            "taps",
            "exchanges",
            "sql_statements",
            "faults",
            "checks",
        ):
            record_property(name, summary.get(name))
        assert (code, summary["violation"]) == (0, None), said[-6_000:]
        assert summary["clock_hours"] >= CLOCK_HOURS
        assert summary["taps"] > 200
        assert summary["faults"] > 200

    def test_are_the_same_for_the_same_seed(self):
        first, second = (simulate("--seed", "2", "--verbose") for _ in range(2))
        assert trace(first[2]) == trace(second[2])
        assert trace(first[2]) != trace(simulate("--seed", "5", "--verbose")[2])


def trace(said: str) -> str:
    return next(line for line in said.splitlines() if " h in " in line).split()[-1]


class TestAPlantedBug:
    @pytest.mark.parametrize("name", sorted(name for name, bug in MUTATIONS.items() if bug.invariants))
    def test_is_found(self, name: str):
        """By its known seed, or by one of the next few where the code has moved the dice since."""
        code, summary, said = simulate("--mutations", "--mutation", name, "--runs", "8")
        assert code == 0, said
        assert summary["mutations"][name]["invariant"] in MUTATIONS[name].invariants, summary
