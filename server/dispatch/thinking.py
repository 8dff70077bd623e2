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
from dataclasses import dataclass, field
from pathlib import Path

from scheduler.codec import plan_from_json, request_to_json
from scheduler.plan import Plan
from scheduler.request import PlanRequest
from shared.problems import ServerFault

SPARE_SECONDS = 60
PAIRS_A_SPARE_SECOND = 5_000  # of technicians and jobs: reading, checking and explaining them takes time too
THREADS_MAX = 4  # more find little that one of these would not
REPORT_EVERY_SECONDS = 2.0
ROUNDS_SECONDS_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to look: about `seconds` (0: the greedy plan), or `rounds` on each of `threads` instead.

    Rounds, and the greedy plan, give the same plan every time; seconds never do.
    """

    seconds: int = 0
    rounds: int | None = None
    threads: int = field(default_factory=lambda: min(THREADS_MAX, os.cpu_count() or 1))
    seed: int = 0

    @property
    def repeatable(self) -> bool:
        return self.rounds is not None or self.seconds == 0

    @property
    def options(self) -> tuple[str, ...]:
        """The same on the command line."""
        rounds = () if self.rounds is None else ("--rounds", str(self.rounds))
        return (
            *("--seconds", str(self.seconds), *rounds),
            *("--seed", str(self.seed), "--threads", str(self.threads)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """One run of the scheduler: what it was asked and answered, byte for byte, and the plan that is."""

    request: bytes
    answer: bytes
    plan: Plan
    effort: Effort


def think(request: PlanRequest, effort: Effort, say: Callable[[str], None] = lambda _: None) -> Thought:
    """Solve `request`. Raises ServerFault when no plan comes back."""
    asked = request_to_json(request).encode()
    spare = len(request.technicians) * len(request.jobs) / PAIRS_A_SPARE_SECOND
    answer = answer_to(asked, effort, say, spare_seconds=SPARE_SECONDS + spare)
    return Thought(request=asked, answer=answer, plan=plan_from_json(answer), effort=effort)


def answer_to(
    request: bytes,
    effort: Effort,
    say: Callable[[str], None] = lambda _: None,
    *,
    spare_seconds: float = 4 * SPARE_SECONDS,
) -> bytes:
    """The scheduler's answer to a request in JSON, byte for byte. Raises ServerFault when none comes back."""
    with tempfile.TemporaryDirectory(prefix="truckroll-plan-") as folder:
        problem, answer = Path(folder) / "problem.json", Path(folder) / "plan.json"
        problem.write_bytes(request)
        command = [
            *(sys.executable, "-m", "scheduler", "solve", str(problem), "--out", str(answer)),
            *effort.options,
            "--progress",
        ]
        complaint, reported = "", 0.0
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
            # Rounds take as long as they take; nobody asks for more than can be waited for.
            seconds = effort.seconds if effort.rounds is None else ROUNDS_SECONDS_MAX
            alarm = threading.Timer(seconds + spare_seconds, process.kill)
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
        return answer.read_bytes()


def _progress(line: str) -> tuple[float, int] | None:
    """(seconds, cents) of a line that reports progress."""
    try:
        step = json.loads(line)
        return float(step["seconds"]), int(step["cost"])
    except (ValueError, LookupError, TypeError):
        return None
