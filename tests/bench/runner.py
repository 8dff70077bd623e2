"""`./dev bench NAME [--quick] [--only ROW …]`: run one benchmark. JSON goes to stdout, progress to stderr.

A benchmark is a file `tests/bench/NAME.py` with

    def figures(quick: bool) -> list[dict]

Each figure has `name`, `value` and `unit`. It may have `peer` and `peer_value` (what it is compared with, run
side by side, in the same unit), `aim`, and `floor`, what must hold at the least. Both are written `">= 500"`,
or `"<= 0.3 of peer"` when they speak of the ratio. `ratio`, `met` and `floor_met` follow from these unless
given. `runs` lists the single runs behind a figure, where a reader needs them to weigh it: what was measured,
which version, which seed, how much of the processor. The exit code is 0 whether aims are met or not: a
benchmark reports, and does not judge.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import operator
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent.parent

KEYS = ("name", "value", "unit", "peer", "peer_value", "ratio", "aim", "met", "floor", "floor_met", "runs")
COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq}


def names() -> list[str]:
    return sorted(path.stem for path in BENCH.glob("*.py") if path.stem != "runner")


def report(name: str, figures: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "bench": name,
        "commit": commit(),
        "machine": machine(),
        "figures": [complete(f) for f in figures],
    }


def complete(figure: dict[str, Any]) -> dict[str, Any]:
    """The figure with every key of the report, `ratio` and `met` worked out where they can be."""
    unknown = set(figure) - set(KEYS)
    if unknown or not {"name", "value", "unit"} <= set(figure):
        raise ValueError(
            f"a figure needs name, value and unit, and knows nothing of {sorted(unknown)}: {figure}"
        )
    full = dict.fromkeys(KEYS) | figure
    if full["ratio"] is None and full["peer_value"]:
        full["ratio"] = None if full["value"] is None else round(full["value"] / full["peer_value"], 3)
    for bound, verdict in (("aim", "met"), ("floor", "floor_met")):
        if full[verdict] is None and full[bound] is not None and full["value"] is not None:
            full[verdict] = holds(str(full[bound]), full)
    return full


def holds(bound: str, figure: dict[str, Any]) -> bool:
    """Whether the figure keeps `bound`; one "of peer" is about the ratio."""
    about, of_peer, _ = bound.partition(" of peer")
    comparison, limit = about.split()
    return bool(COMPARE[comparison](figure["ratio" if of_peer else "value"], float(limit)))


def commit() -> str | None:
    """The commit that was measured, with "+changes" when the tree differs from it; None without git."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+changes"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@contextmanager
def stdout_on_stderr() -> Iterator[None]:
    """Whatever the benchmark or its child processes print goes to stderr: stdout carries the report alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description="Run one benchmark, print JSON.")
    parser.add_argument(
        "name", nargs="?", choices=names(), metavar="NAME", help=", ".join(names()) or "none yet"
    )
    parser.add_argument("--quick", action="store_true", help="a smaller honest run, in under two minutes")
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", help="only these rows of it (what sync and scheduler have)"
    )
    chosen = parser.parse_args(arguments)
    if chosen.name is None:
        print("\n".join(names()))
        return 0
    if chosen.only:
        os.environ["BENCH_ROWS"] = ",".join(chosen.only)
    # Not this folder: a benchmark called like a package (sync, scheduler) would hide it.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != BENCH]
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    started = time.monotonic()
    with stdout_on_stderr():
        print(f"bench {chosen.name}{' --quick' if chosen.quick else ''} …", file=sys.stderr, flush=True)
        figures = load(chosen.name).figures(chosen.quick)
    print(f"bench {chosen.name} took {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    print(json.dumps(report(chosen.name, figures), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
