"""Published instances: the gap to the best known plan; prize-collecting and site-dependent beside PyVRP.

They lie in the data folder beside the checkout (`BENCH_DATA` names another). Without it the rows run on
instances made here, after Solomon's manner, against the best plan of the run: that is said, and is less.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

from bench.scheduling.problem import of_instance
from bench.scheduling.scope import OURS, Run, Scope, by_solver, counted, figure, in_turn, label

from scheduler.vrplib import Instance, read_instance, request_of

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("BENCH_DATA", ROOT.parent / "shared" / "data")) / "vrptw"
SOLOMON_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class GapRow:
    """One row: a folder of instances, CPU seconds for each, and what is hoped for."""

    title: str
    folder: str
    seconds: float
    peers: tuple[str, ...]
    quick: tuple[str, ...]
    aim_mean: str
    aim_worst: str | None = None


ALL_PEERS = ("pyvrp", "ortools-gls", "ortools-ils", "vroom")
GAPS = {
    "solomon100": GapRow(
        title="Solomon 100", folder="solomon100", seconds=10, peers=ALL_PEERS, quick=("R104", "RC204"),
        aim_mean="<= 0.15", aim_worst="<= 1",
    ),
    "gh200": GapRow(
        title="Gehring & Homberger 200", folder="gh200", seconds=20, peers=("pyvrp", "ortools-gls", "vroom"),
        quick=("R1_2_4",), aim_mean="<= 1",
    ),
    "gh400": GapRow(
        title="Gehring & Homberger 400", folder="gh400", seconds=30, peers=("pyvrp", "ortools-gls", "vroom"),
        quick=(), aim_mean="<= 2",
    ),
}  # fmt: skip
MADE = ("made-1", "made-2", "made-3")


def gaps(row: GapRow, scope: Scope) -> list[dict[str, Any]]:
    """Mean and worst gap to the best known plan, in percent, ours and each peer's."""
    known = best_known()
    names = [name for name in instance_names(row.folder) if name in known or name in MADE]
    chosen = scope.chosen(names, [name for name in row.quick if name in names] or names[:1])
    if scope.quick and not row.quick and not scope.names:
        return []
    runs: list[Run] = []
    for turn, name in enumerate(chosen):
        instance = load(row.folder, name)
        solvers = in_turn((OURS, *row.peers), turn)
        runs += [_one(scope, solver, instance, scope.seconds(row.seconds)) for solver in solvers]
    best = {name: known.get(name) or _best(runs, name) for name in chosen}
    against = "best known" if known else "the best plan of this run (the published instances are not here)"
    budget = f"{scope.seconds(row.seconds):g} CPU s"
    title = f"{row.title}: gap to {against} at {budget}, {counted(len(chosen), 'instance')}"
    ours = by_solver(runs, OURS)
    found = [
        figure(f"{title}, ours without a whole plan", len([run for run in ours if run.error]), "instances",
               ours, aim="== 0")
    ]  # fmt: skip
    for peer in row.peers:
        theirs = by_solver(runs, peer)
        mine, other = _gaps(ours, best), _gaps(theirs, best)
        if not mine or not other:
            continue
        rest = {"peer": label(theirs), "runs": theirs}
        found.append(
            figure(f"{title}, mean, beside {peer}", _percent(mean(mine)), "%", aim=row.aim_mean,
                   peer_value=_percent(mean(other)), **rest)
        )  # fmt: skip
        if row.aim_worst and peer == row.peers[0]:
            worst = {"peer_value": _percent(max(other)), "aim": row.aim_worst, "peer": rest["peer"]}
            found.append(figure(f"{title}, worst, beside {peer}", _percent(max(mine)), "%", **worst))
    return found


def prizes(scope: Scope) -> list[dict[str, Any]]:
    """Prize-collecting instances: cost is distance plus the prizes left lying."""
    return _beside_pyvrp(scope, "pcvrptw1000", "Prize-collecting, 1,000 customers", ())


def sites(scope: Scope) -> list[dict[str, Any]]:
    """Who may visit whom, as with skills. Both leave out the limit on a route's duration."""
    return _beside_pyvrp(scope, "sdvrptw", "Site-dependent, 48 to 720 customers", ("PR01",))


def _beside_pyvrp(scope: Scope, folder: str, title: str, quick: Sequence[str]) -> list[dict[str, Any]]:
    names = instance_names(folder)
    if names == list(MADE) or (scope.quick and not quick and not scope.names):
        return []
    runs: list[Run] = []
    for turn, name in enumerate(scope.chosen(names, quick)):
        instance = load(folder, name)
        seconds = scope.seconds(max(5.0, 60 * len(instance.nodes) / 1000))
        runs += [_one(scope, solver, instance, seconds) for solver in in_turn((OURS, "pyvrp"), turn)]
    ours, theirs = by_solver(runs, OURS), by_solver(runs, "pyvrp")
    pairs = [
        (one.cost, other.cost)
        for one in ours
        for other in theirs
        if one.problem == other.problem and one.cost and other.cost
    ]
    found = [
        figure(f"{title}: ours without a whole plan", len([r for r in ours if r.error]), "instances", ours,
               aim="== 0")
    ]  # fmt: skip
    if pairs:
        costs = (sum(one for one, _ in pairs), sum(other for _, other in pairs))
        told = f"{counted(len(pairs), 'instance')} at {60 * scope.budget:g} CPU s per 1,000 customers"
        found.append(
            figure(f"{title}: total cost of {told}", costs[0], "ticks", theirs, peer=label(theirs),
                   peer_value=costs[1], aim="<= 1 of peer")
        )  # fmt: skip
    return found


def _one(scope: Scope, solver: str, instance: Instance, seconds: float) -> Run:
    level = 5 if len(instance.nodes) <= 500 and not scope.quick else 2
    asked = request_of(instance, without_max_duration=True) if solver == OURS else None
    problem = of_instance(instance)
    return scope.bench.run(solver, problem, seconds=seconds, level=level, request=asked)


def _gaps(runs: Sequence[Run], best: dict[str, int]) -> list[float]:
    return [100 * (run.cost / best[run.problem] - 1) for run in runs if run.cost is not None]


def _best(runs: Sequence[Run], name: str) -> int:
    return min((run.cost for run in runs if run.problem == name and run.cost is not None), default=1)


def _percent(value: float) -> float:
    return round(value, 3)


# --- the files ---


@cache
def best_known() -> dict[str, int]:
    """Ticks of the best known plans; empty where the instances are not here."""
    if not DATA.is_dir():
        print(
            f"the published instances are not here ({DATA} is missing): running on made ones instead",
            file=sys.stderr,
        )
        return {}
    with (DATA / "bks.csv").open() as file:
        return {row["instance"]: round(10 * float(row["best_known"])) for row in csv.DictReader(file)}


def instance_names(folder: str) -> list[str]:
    if not best_known():
        return list(MADE)
    files = [file.stem for file in (DATA / folder).iterdir() if file.suffix in (".txt", ".vrp")]
    return sorted(files, key=lambda name: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", name)])


def load(folder: str, name: str) -> Instance:
    if name in MADE:
        return made(name)
    file = next(file for file in (DATA / folder).glob(f"{name}.*") if file.suffix in (".txt", ".vrp"))
    return replace(read_instance(file.read_text()), name=name)  # some files call themselves otherwise


def made(name: str, customers: int = SOLOMON_SIZE) -> Instance:
    """An instance in Solomon's manner, the same for the same name: scattered customers, half with windows."""
    random = Random(name)
    rows = [f"{name}\nVEHICLE\nNUMBER CAPACITY\n25 200\nCUSTOMER\n0 50 50 0 0 400 0"]
    for number in range(1, customers + 1):
        opens = random.randrange(80, 280) if random.random() < 0.5 else 0
        closes = opens + 60 if opens else 300
        x, y, demand = random.randrange(20, 80), random.randrange(20, 80), random.randrange(1, 30)
        rows.append(f"{number} {x} {y} {demand} {opens} {closes} 10")
    return read_instance("\n".join(rows))
