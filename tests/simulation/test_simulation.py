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

RUNS, AT_MOST_HOURS = 4, 8
"""With the seeds that failed once, each run a working day at the most: about a minute on one busy core."""
BUGS = ("receipt-not-written", "answer-before-commit", "booked-again", "drop-on-4xx")
"""Planted bugs that show within two simulated hours; `./dev simulate --mutations --both` hunts all."""


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
    def test_keep_every_promise(self, capsys: pytest.CaptureFixture[str]):
        cut = ("--at-most", str(AT_MOST_HOURS))
        code, summary, said = simulate("--corpus", "--runs", str(RUNS), *cut, "--shrink-seconds", "20")
        with capsys.disabled():
            told = ("clock_hours", "device_hours", "taps", "exchanges", "sql_statements", "faults", "checks")
            print("\nsimulated:", ", ".join(f"{summary.get(name)} {name}" for name in told))
        assert (code, summary["violation"]) == (0, None), said[-6_000:]
        assert summary["runs"] > RUNS
        assert summary["clock_hours"] >= RUNS * AT_MOST_HOURS
        assert summary["taps"] > 100
        assert summary["faults"] > 50
        assert summary["replays"] > 0

    def test_are_the_same_for_the_same_seed(self):
        first, second, other = (
            trace(simulate("--seed", seed, "--at-most", "2", "--verbose")[2]) for seed in ("2", "2", "5")
        )
        assert first == second != other


def trace(said: str) -> str:
    return next(line for line in said.splitlines() if " h in " in line).split()[-1]


class TestAPlantedBug:
    def test_is_found(self):
        """By its known seed and invariant, or by one of the next few seeds where the dice have moved."""
        names = [word for name in BUGS for word in ("--mutation", name)]
        code, summary, said = simulate("--mutations", *names, "--runs", "3")
        assert (code, summary["not_caught"]) == (0, []), said
        found = {line["bug"]: line["invariant"] for line in summary["mutations"]}
        assert found == {name: MUTATIONS[name].invariant for name in BUGS}

    def test_replaces_something_that_is_there(self):
        gone = [name for name, planted in MUTATIONS.items() if planted.name not in vars(planted.where)]
        assert gone == []

    def test_is_in_the_documents_table_with_the_seed_and_invariant_that_find_it(self):
        lines = (ROOT / "docs" / "simulation.md").read_text().splitlines()
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        told = {row[0]: (int(row[2]), row[3]) for row in rows if row[0] in MUTATIONS}
        assert told == {name: (planted.seed, planted.invariant) for name, planted in MUTATIONS.items()}
