"""The scheduler beside PyVRP, VROOM and OR-Tools: published instances, an internet provider's days, the desk.

All solvers take turns in the same run, each in a process of its own with one thread, on the same budget of
CPU seconds; every plan is driven and priced again by a judge that shares no code with any of them
(`tests/bench/scheduling/problem.py`). The peers are in `tests/bench/peers/routing.py`.

`--only ROW …` measures only these rows, `--only solomon100/R101 …` only these instances or days of a row;
`BENCH_BUDGET=0.5` halves every budget. A full run takes about two hours, so it may be spread over several.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from bench.scheduling import desk, instances, provider_days, runs
from bench.scheduling.scope import Scope, budget_of

ROWS: dict[str, Callable[[Scope], list[dict[str, Any]]]] = {
    **{name: partial(instances.gaps, row) for name, row in instances.GAPS.items()},
    "prizes": instances.prizes,
    "sites": instances.sites,
    "lunch": provider_days.with_lunch,
    "nolunch": provider_days.without_lunch,
    "large": provider_days.large,
    "emergency": desk.emergency,
    "replan": desk.replan,
    "start": desk.start,
    "explain": desk.explain,
}


def figures(quick: bool) -> list[dict[str, Any]]:
    wanted = chosen(os.environ.get("BENCH_ROWS", "").split(","))
    runs.install()
    found = []
    with runs.a_bench() as bench:
        for name, names in wanted.items():
            started = time.monotonic()
            scope = Scope(bench=bench, quick=quick, budget=budget_of(quick), names=names)
            for told in ROWS[name](scope):
                ratio = f", peer {told['peer_value']}" if told.get("peer_value") is not None else ""
                print(f"  {told['name']}: {told['value']} {told['unit']}{ratio}", file=sys.stderr, flush=True)
                found.append(told)
            print(f"  {name} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return found


def chosen(tokens: Iterable[str]) -> dict[str, frozenset[str]]:
    """Rows to measure, each with the names it is limited to (none: all): "gh200", "solomon100/R101"."""
    rows: dict[str, set[str]] = {}
    whole = set()
    for token in filter(None, tokens):
        row, _, name = token.partition("/")
        if row not in ROWS:
            raise SystemExit(f"there is no row {row}. There are: {', '.join(ROWS)}")
        rows.setdefault(row, set())
        if name:
            rows[row].add(name)
        else:
            whole.add(row)
    if not rows:
        return {row: frozenset() for row in ROWS}
    return {row: frozenset() if row in whole else frozenset(names) for row, names in rows.items()}
