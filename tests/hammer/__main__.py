"""./dev hammer: real processes, really killed, until a promise breaks.

  ./dev hammer --rounds 200                         on SQLite
  ./dev hammer --rounds 200 --engine postgresql     sessions ended, database killed, fail-over as well
  ./dev hammer --mutation NAME --engine postgresql  plant a bug, which must be found
  ./dev hammer --only server,client --seed 7        only these kinds; the same choices and moments for a seed

Ctrl-C ends it after the round, and everything is still looked at. Ends with one JSON object.
Exit code 1: an invariant did not hold; what is left of the run is told.
A seed fixes what is killed and when by the clock; how far the processes are by then, nobody can fix.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import databases
from hammer.mutations import MUTATIONS
from hammer.run import KINDS, Hammer
from simulation.town import memory_folder
from simulation.violation import Violation


def hammer(
    engine: databases.Engine,
    seed: int,
    rounds: int,
    only: tuple[str, ...] = (),
    folder: Path | None = None,
    mutation: str | None = None,
    minutes: float = 24 * 60,
) -> dict[str, Any]:
    """One run, summed up. `violation` is None, or says what was broken and where its files are kept."""
    # Who is killed loses no memory file, so a disk would only make it slow. The name is short: sockets.
    home = Path(tempfile.mkdtemp(prefix="hammer-", dir=folder or memory_folder()))
    home.chmod(0o755)
    started = time.monotonic()
    run = Hammer(engine=engine, seed=seed, rounds=rounds, only=only, folder=home, mutation=mutation)
    violation: str | None = None
    try:
        run.set_up()
        asyncio.run(run.run(minutes))
    except Violation as found:
        violation = str(found)
    finally:
        run.clean_up()
    told = {"engine": engine, "seed": seed, "violation": violation} | _told(run)
    told["seconds"] = round(time.monotonic() - started, 1)
    if violation:
        told["files"] = str(home)
    else:
        shutil.rmtree(home)
    return told


def _told(run: Hammer) -> dict[str, Any]:
    figures, recovery = run.figures, sorted(run.figures.recovery_seconds)
    return {
        "rounds": figures.rounds,
        "killed": dict(sorted(figures.kinds.items())),
        "clients_killed": figures.clients_killed,
        "taps_acknowledged": figures.taps,
        "accepted": figures.accepted,
        "held": figures.held,
        "visits_completed_and_billed": figures.completed,
        "stock_moves_of_visits": figures.moves,
        "pictures": figures.pictures,
        "lost": 0 if run.complete else None,
        "doubled": 0 if run.complete else None,
        "invariants_looked_at": figures.invariants_looked_at,
        "office_acts": run.dispatcher.acknowledged.total(),
        "lost_by_fail_over_and_offered_again": figures.lost_by_fail_over_and_offered_again,
        "recovery_seconds_p50": round(recovery[len(recovery) // 2], 2) if recovery else None,
        "recovery_seconds_max": round(recovery[-1], 2) if recovery else None,
    }


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./dev hammer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engine", choices=databases.ENGINES, default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    known = "; ".join(f"{engine}: {', '.join(kinds)}" for engine, kinds in KINDS.items())
    parser.add_argument("--only", default="", help=f"of {known}")
    parser.add_argument("--folder", type=Path, help="where to run, for a real disk; the path must be short")
    parser.add_argument("--minutes", type=float, default=24 * 60, help="begin no round after so long")
    parser.add_argument("--mutation", choices=MUTATIONS, help="a bug to plant in the server")
    given = parser.parse_args(words)
    only = tuple(kind for kind in given.only.split(",") if kind)
    told = hammer(given.engine, given.seed, given.rounds, only, given.folder, given.mutation, given.minutes)
    print(json.dumps(told, indent=2))
    return 1 if told["violation"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
