"""Runs one solver on one problem in a process of its own, and has the judge look at what comes back."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.scheduling.problem import BrokenRoutes, Problem, Verdict, judge, request_of

from scheduler.codec import request_to_json
from scheduler.request import PlanRequest

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / "tests" / "bench" / "peers"
BUILD = ROOT / "build" / "bench-routing"
OURS = "ours"
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
BY_THE_WALL = {OURS, "ortools-ils"}
WAITED = 0.9  # of its wall time on the processor: less means that the machine was busy
STRETCH_MAX = 8.0
RETRIES = 3
OWN_PYTHON = {"pyvrp", "vroom"}
"""Solvers that live in `build/bench-routing`; the product has OR-Tools itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one solver did with one problem.

    cost is the judge's, None when there is no good plan, and `error` says why. seconds is the budget,
    given_seconds what the solver was told. cpu_seconds: user and system time of the whole process and its
    children, start included; search_cpu_seconds and search_wall_seconds: from the problem in memory on.
    """

    problem: str
    solver: str
    version: str = ""
    seconds: float
    given_seconds: float
    seed: int
    threads: int = 1
    cost: int | None = None
    verdict: Verdict | None = field(default=None, repr=False)
    cpu_seconds: float = 0.0
    search_cpu_seconds: float = 0.0
    search_wall_seconds: float = 0.0
    error: str | None = None

    def plain(self) -> dict[str, Any]:
        told = asdict(self)
        verdict = told.pop("verdict")
        if verdict:
            told |= {"served": verdict["served"], "lost": verdict["lost"]}
        return told


def stretched(run: Run) -> float | None:
    """Wall seconds that would have given the solver its budget of the processor.

    None where it had its budget, or where it stopped before by itself.
    """
    cpu, wall = run.search_cpu_seconds, run.search_wall_seconds
    if not 0 < cpu < WAITED * min(wall, run.seconds) and cpu <= run.seconds / WAITED:
        return None
    return round(run.seconds * min(STRETCH_MAX, wall / cpu), 2)


class Bench:
    """Keeps the problems' files, and every run that was made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs: list[Run] = []

    def file(self, solver: str, problem: Problem, request: PlanRequest | None) -> Path:
        """The problem as `solver` reads it, written once."""
        kind = "request" if solver == OURS else "problem"
        file = self.folder / f"{problem.name.replace(' ', '-')}.{kind}.json"
        if not file.exists():
            if solver == OURS:
                file.write_text(request_to_json(request or request_of(problem)))
            else:
                file.write_text(json.dumps(problem.plain()))
        return file

    def run(
        self,
        solver: str,
        problem: Problem,
        *,
        seconds: float,
        seed: int = 1,
        threads: int = 1,
        level: int = 5,
        limit: float | None = None,
        request: PlanRequest | None = None,
    ) -> Run:
        """One run. level and limit (wall seconds) are VROOM's; `request` is how ours is asked of no day.

        A solver that fails, breaks a rule or takes far too long is an entry with an error, never left out.
        Where a solver's budget is wall time and it had to wait for the processor, it runs again with as much
        more time, so that a busy machine is not counted against it.
        """

        def once(given: float) -> Run:
            return self._once(
                solver, problem, self.file(solver, problem, request), seconds=seconds, given=given,
                seed=seed, threads=threads, level=level, limit=limit,
            )  # fmt: skip

        run = last = once(seconds)
        for _ in range(RETRIES if solver in BY_THE_WALL and threads == 1 else 0):
            if (given := stretched(last)) is None:
                break
            last = once(given)
            if run.search_cpu_seconds < last.search_cpu_seconds <= seconds / WAITED and last.cost is not None:
                run = last
        self.runs.append(run)
        return run

    def _once(
        self,
        solver: str,
        problem: Problem,
        file: Path,
        *,
        seconds: float,
        given: float,
        seed: int,
        threads: int,
        level: int,
        limit: float | None,
    ) -> Run:
        task = self.folder / f"task-{solver}-{time.monotonic_ns()}.json"
        task.write_text(
            json.dumps(
                {
                    "solver": solver, "problem": str(file), "seconds": given, "seed": seed,
                    "threads": threads, "level": level, "limit": limit,
                }
            )
        )  # fmt: skip
        told: dict[str, Any] = {
            "problem": problem.name, "solver": solver, "seconds": seconds, "given_seconds": given,
            "seed": seed, "threads": threads,
        }  # fmt: skip
        if solver == "vroom":
            told["version"] = f"level {level}"
        patience = 300 + 20 * max(given, limit or 0)
        code, out, error, cpu = _process(_command(solver, task), patience)
        told["cpu_seconds"] = round(cpu, 2)
        run = Run(**told, error=error[-300:] or f"exit code {code}") if code else _read(problem, out, told)
        verdict = f"{run.cost}" if run.error is None else f"no plan: {run.error}"
        print(
            f"    {problem.name}: {solver} {run.version} {verdict} "
            f"({run.search_cpu_seconds:.1f} of {run.cpu_seconds:.1f} CPU s)",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        return run


@contextlib.contextmanager
def a_bench() -> Iterator[Bench]:
    with TemporaryDirectory(prefix="truckroll-bench-") as folder:
        yield Bench(Path(folder))


def _read(problem: Problem, out: str, told: dict[str, Any]) -> Run:
    answer = json.loads(out.strip().splitlines()[-1])
    told["version"] = " ".join(filter(None, (answer["version"], told.get("version"))))
    told |= {
        "search_cpu_seconds": round(answer["cpu"], 2), "search_wall_seconds": round(answer["wall"], 2),
    }  # fmt: skip
    try:
        verdict = judge(problem, answer["routes"])
    except BrokenRoutes as broken:
        return Run(**told, error=str(broken))
    if answer["cost"] not in (None, verdict.cost):
        return Run(**told, error=f"says {answer['cost']}, costs {verdict.cost}")
    return Run(**told, cost=verdict.cost, verdict=verdict)


def _command(solver: str, task: Path) -> list[str]:
    if solver == OURS:
        return [sys.executable, str(ROOT / "tests" / "bench" / "scheduling" / "ours.py"), str(task)]
    python = _peers_python() if solver in OWN_PYTHON else sys.executable
    return [str(python), str(PEERS / "routing.py"), str(task)]


def _process(command: list[str], patience: float) -> tuple[int, str, str, float]:
    """Exit code, output, error output, and CPU seconds of the process with all its children."""
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)}
    before = os.times()
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=patience, check=False
        )
        code, out, error = done.returncode, done.stdout, done.stderr.strip()
    except subprocess.TimeoutExpired:
        code, out, error = 1, "", f"stopped after {patience:.0f} s"
    after = os.times()  # one run at a time, so what the children used is this one's
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return code, out, error, used


def install() -> None:
    """Bring the pinned peers into `build/bench-routing`, once for a state of their list (about a minute)."""
    wanted = (PEERS / "routing.txt").read_bytes()
    stamp = BUILD / "installed.txt"
    if stamp.exists() and stamp.read_bytes() == wanted:
        return
    print("fetching PyVRP and VROOM by pip", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(BUILD)], check=True)
    pip = [str(_peers_python()), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    done = subprocess.run(
        [*pip, "--quiet", "--require-hashes", "--requirement", str(PEERS / "routing.txt")],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"pip could not install the peers: {done.stderr.strip()[-1000:]}")
    stamp.write_bytes(wanted)


def _peers_python() -> Path:
    return BUILD / ("Scripts" if os.name == "nt" else "bin") / "python"
