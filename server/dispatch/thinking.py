"""Have the scheduler think in a process of its own, over the JSON that its command line reads and writes.

Not in a thread: the search itself holds no lock of Python's, but reading a day of a thousand places into
arrays, the checker and the explanations do, and a process can be ended whatever it is doing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from scheduler.codec import plan_from_json, request_to_json
from scheduler.plan import Plan
from scheduler.request import PlanRequest
from shared.problems import ServerFault

SPARE_SECONDS = 60
PAIRS_A_SPARE_SECOND = 5_000  # of technicians and jobs: reading, checking and explaining them takes time too
THREADS_MAX = 4  # more find little that one of these would not
REPORT_EVERY_SECONDS = 2.0


def think(
    request: PlanRequest, seconds: int, seed: int = 0, say: Callable[[str], None] = lambda _: None
) -> Plan:
    """Solve `request` in about `seconds` (0: the greedy plan). Raises ServerFault when no plan comes back."""
    with tempfile.TemporaryDirectory(prefix="truckroll-plan-") as folder:
        problem, answer = Path(folder) / "problem.json", Path(folder) / "plan.json"
        problem.write_text(request_to_json(request), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "scheduler", "solve", str(problem), "--out", str(answer)),
            *("--seconds", str(seconds), "--seed", str(seed), "--progress"),
            *("--threads", str(min(THREADS_MAX, os.cpu_count() or 1))),
        ]
        complaint, reported = "", 0.0
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
            spare = SPARE_SECONDS + len(request.technicians) * len(request.jobs) / PAIRS_A_SPARE_SECOND
            alarm = threading.Timer(seconds + spare, process.kill)
            alarm.start()
            try:
                assert process.stderr
                for line in process.stderr:
                    step = _progress(line)
                    if step is None:
                        complaint = line.strip() or complaint
                    elif step[0] - reported >= REPORT_EVERY_SECONDS:
                        reported = step[0]
                        say(f"after {step[0]:.0f} s the day costs {step[1] / 100:.0f}")
            finally:
                alarm.cancel()
                if process.poll() is None and sys.exc_info()[0] is not None:
                    process.kill()  # whoever waited has been interrupted
        if process.returncode != 0:
            raise ServerFault(f"The scheduler found no plan: {complaint or 'it gave no reason'}")
        return plan_from_json(answer.read_bytes())


def _progress(line: str) -> tuple[float, int] | None:
    """(seconds, cents) of a line that reports progress."""
    try:
        step = json.loads(line)
        return float(step["seconds"]), int(step["cost"])
    except (ValueError, LookupError, TypeError):
        return None
