"""A few rounds of the harness on each database: real processes are killed at work, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from databases import ROOT


def hammer(*words: str) -> dict[str, Any]:
    """`./dev hammer` in a process of its own; it ends whatever it started."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    command = [sys.executable, "-m", "hammer", *words]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert answer.stdout, answer.stderr[-5_000:]
    told: dict[str, Any] = json.loads(answer.stdout)
    assert (told["violation"], answer.returncode) == (None, 0), answer.stderr[-5_000:]
    return told


class TestRealProcessesThatAreKilled:
    def test_lose_nothing_and_double_nothing_on_sqlite(self):
        told = hammer("--rounds", "6", "--seed", "3", "--only", "server,server twice,client")
        assert sum(told["killed"].values()) == 6
        assert {"server", "server twice", "client"} == told["killed"].keys()
        assert (told["lost"], told["doubled"]) == (0, 0)
        assert told["clients_killed"] >= 6
        assert told["taps_acknowledged"] > 20

    def test_lose_nothing_and_double_nothing_on_postgresql(self):
        kinds = ["database", "fail-over asynchronous", "fail-over synchronous"]
        kinds += ["server", "session crash", "sessions"]
        told = hammer("--engine", "postgresql", "--rounds", "6", "--seed", "3", "--only", ",".join(kinds))
        assert told["killed"] == dict.fromkeys(kinds, 1)
        assert (told["lost"], told["doubled"]) == (0, 0)
        assert told["clients_killed"] >= 6
        assert told["taps_acknowledged"] > 20
