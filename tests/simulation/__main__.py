"""./dev simulate: look for a run that breaks a promise.

  ./dev simulate --seed 7                     one run, exactly as it always is
  ./dev simulate --hours 1000 --jobs 2        runs of seeds 1, 2, 3 … until so many clock-hours have passed
  ./dev simulate --runs 50 --seed 1000        fifty runs from seed 1000 on
  ./dev simulate --mutations --both           plant each known bug: which seed finds it; and without it
  ./dev simulate --seed 7 --mutation NAME     one run with a bug planted
  ./dev simulate --schedule FILE              a run that was made shorter

Clock-hours are simulated hours of a run; device-hours are those times its phones. Ends with one JSON object.
Exit code 1: an invariant did not hold; the seed, what to type to see it again and a short schedule are told.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from simulation import mutations
from simulation.run import Outcome, run
from simulation.schedule import Schedule
from simulation.shrink import shrink

CORPUS = Path(__file__).with_name("corpus.txt")
TWICE_EVERY = 20
"""One run in so many is made twice and must leave the same trace."""


def say(text: str) -> None:
    print(f"simulate: {text}", file=sys.stderr, flush=True)


def corpus() -> list[int]:
    """Seeds that failed once, oldest first; a line's rest says why."""
    lines = CORPUS.read_text().splitlines()
    return [int(line.split()[0]) for line in lines if line.strip() and not line.startswith("#")]


def one(schedule: Schedule, mutation: str | None, twice: bool) -> Outcome:
    """A run, with a bug planted or not; light enough to hand to another process."""
    with mutations.planted(mutation) if mutation else nullcontext():
        found = run(schedule)
        if twice and found.violation is None and (again := run(schedule)).trace != found.trace:
            from simulation.violation import Violation

            found.violation = Violation("SAME_SEED_SAME_TRACE", f"{found.trace}, then {again.trace}")
    if found.violation is None:
        found.lines, found.steps = [], []
    return found


def main(words: list[str]) -> int:
    options = _parser().parse_args(words)
    if options.mutations:
        return _mutations(options)
    started = time.perf_counter()
    total, hours, device_hours = Counter[str](), 0.0, 0.0
    failed: Outcome | None = None
    runs = 0
    for found in _outcomes(options):
        runs += 1
        hours += found.clock_hours
        device_hours += found.device_hours
        total.update(found.figures)
        if options.verbose:
            say(
                f"seed {found.schedule.seed}: {found.clock_hours:.0f} h in {found.seconds:.1f} s"
                f" {found.trace}"
            )
        if found.violation is not None:
            failed = found
            break
        if runs % 50 == 0:
            say(f"{runs} runs, {hours:.0f} clock-hours")
    seconds = time.perf_counter() - started
    summary: dict[str, object] = {
        "runs": runs,
        "first_seed": options.seed,
        "clock_hours": round(hours, 1),
        "device_hours": round(device_hours, 1),
        "seconds": round(seconds, 1),
        "times_real_time": round(hours * 3600 / seconds),
        **dict(total),
        "violation": None,
    }
    if failed is not None:
        summary |= _explain(failed, options)
    print(json.dumps(summary, indent=1, ensure_ascii=False))
    return 1 if failed is not None else 0


def _schedules(options: argparse.Namespace) -> Iterator[Schedule]:
    if options.schedule:
        yield Schedule.from_json(Path(options.schedule).read_text())
        return
    if options.corpus:
        for seed in corpus():
            yield _cut(Schedule.drawn_from(seed), options)
    if options.mutation:
        yield mutations.MUTATIONS[options.mutation[0]].day(options.seed)
        return
    hours, seed, started = 0.0, options.seed, time.perf_counter()
    single = options.runs is None and options.hours is None
    for number in range(1 if single else options.runs or sys.maxsize):
        if options.hours is not None and hours >= options.hours:
            return
        if options.seconds is not None and time.perf_counter() - started >= options.seconds:
            return
        schedule = _cut(Schedule.drawn_from(seed + number), options)
        hours += schedule.hours
        yield schedule


def _cut(schedule: Schedule, options: argparse.Namespace) -> Schedule:
    for fault in options.without:
        schedule = schedule.without(fault)
    return replace(schedule, hours=min(schedule.hours, options.at_most)) if options.at_most else schedule


def _outcomes(options: argparse.Namespace) -> Iterator[Outcome]:
    """In the order of seeds with one job, as they end with more."""
    schedules = enumerate(_schedules(options), start=1)
    planted = options.mutation[0] if options.mutation else None
    if options.jobs == 1:
        for number, schedule in schedules:
            yield one(schedule, planted, number % TWICE_EVERY == 0)
        return
    with ProcessPoolExecutor(options.jobs) as pool:
        waiting: set[Future[Outcome]] = set()
        for number, schedule in schedules:
            waiting.add(pool.submit(one, schedule, planted, number % TWICE_EVERY == 0))
            if len(waiting) >= 2 * options.jobs:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        for future in waiting:
            yield future.result()


def _explain(failed: Outcome, options: argparse.Namespace) -> dict[str, object]:
    violation, schedule = failed.violation, failed.schedule
    assert violation is not None
    say(f"seed {schedule.seed} broke {violation}")
    say(failed.traceback.strip())
    words = [f"./dev simulate --seed {schedule.seed}"]
    words += [f"--at-most {options.at_most:g}"] if options.at_most else []
    words += [f"--without {fault}" for fault in options.without]
    planted = options.mutation[0] if options.mutation else None
    words += [f"--mutation {planted}"] if planted else []
    explained: dict[str, object] = {
        "violation": violation.invariant,
        "detail": violation.detail,
        "seed": schedule.seed,
        "replay": " ".join(words),
    }
    if options.shrink_seconds:
        say("making it shorter …")
        with mutations.planted(planted) if planted else nullcontext():
            short = shrink(failed, seconds=options.shrink_seconds, say=say)
        file = Path("var") / "simulation" / f"seed-{schedule.seed}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(short.schedule.to_json())
        say(f"{short.violation}")
        for step in short.steps:
            say(f"  {step.at / 3600:7.2f} h  {step.name:<40} {step.what}")
        for line in short.lines[-60:]:
            say(line)
        explained["short_schedule"] = f"./dev simulate --schedule {file}"
        explained["short_steps"] = len(short.steps)
    return explained


def _mutations(options: argparse.Namespace) -> int:
    """Each planted bug: the first seed that finds it, by which invariant, after how many seconds.

    With `--both` the same days are run without any bug, each once, and have to hold.
    """
    started = time.perf_counter()
    names = options.mutation or list(mutations.MUTATIONS)
    with ProcessPoolExecutor(options.jobs) as pool:
        jobs = {pool.submit(hunt, name, options.seed, options.runs or 20): name for name in names}
        found: dict[str, Outcome | None] = {}
        for job in as_completed(jobs):
            name, outcome = jobs[job], job.result()
            found[name] = outcome
            caught = outcome and f"seed {outcome.schedule.seed} broke {outcome.violation}"
            say(f"{name}: {caught or 'NOT CAUGHT'}")
        days = {outcome.schedule.to_json(): outcome.schedule for outcome in found.values() if outcome}
        held: dict[str, bool] = {}
        if options.both:
            clean = {pool.submit(one, day, None, False): day for day in days.values()}
            for job in as_completed(clean):
                day, outcome = clean[job], job.result()
                held[day.to_json()] = outcome.violation is None
                say(f"seed {day.seed}, {sorted(day.rates)}, no bug: {outcome.violation or 'holds'}")
    table = [_line(name, found[name], held) for name in names]
    missed = [line["bug"] for line in table if not line["caught"]]
    false_alarms = [line["bug"] for line in table if line.get("holds_without") is False]
    summary = {
        "planted": len(table),
        "not_caught": missed,
        "false_alarms": false_alarms,
        "seconds": round(time.perf_counter() - started, 1),
        "mutations": table,
    }
    print(json.dumps(summary, indent=1, ensure_ascii=False))
    return 1 if missed or false_alarms else 0


def _line(name: str, outcome: Outcome | None, held: dict[str, bool]) -> dict[str, object]:
    if outcome is None or outcome.violation is None:
        return {"bug": name, "caught": False}
    line: dict[str, object] = {
        "bug": name,
        "caught": True,
        "seed": outcome.schedule.seed,
        "invariant": outcome.violation.invariant,
        "simulated_hours": round(outcome.clock_hours, 1),
        "seconds": round(outcome.seconds, 1),
        "detail": outcome.violation.detail[:160],
    }
    day = outcome.schedule.to_json()
    return line | {"holds_without": held[day]} if day in held else line


def hunt(name: str, first: int, runs: int) -> Outcome | None:
    """The run that finds it: of its known seed, else of one from `first` on. Its seconds are those of all."""
    mutation = mutations.MUTATIONS[name]
    seconds = 0.0
    for seed in dict.fromkeys((mutation.seed, *range(first, first + runs))):
        outcome = one(mutation.day(seed), name, twice=False)
        seconds += outcome.seconds
        if outcome.violation is not None:
            outcome.seconds, outcome.lines, outcome.steps = seconds, [], []
            return outcome
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev simulate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--hours", type=float, help="clock-hours to simulate, over as many runs as it takes")
    parser.add_argument("--at-most", type=float, metavar="HOURS", help="no run is longer than that")
    parser.add_argument("--runs", type=int, help="how many runs, instead of hours; seeds to try a mutation")
    parser.add_argument("--seconds", type=float, help="begin no further run after so many real seconds")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--corpus", action="store_true", help="the seeds that failed once, first")
    parser.add_argument(
        "--mutation", action="append", default=[], choices=sorted(mutations.MUTATIONS), help="plant this bug"
    )
    parser.add_argument("--mutations", action="store_true", help="hunt all planted bugs")
    parser.add_argument("--both", action="store_true", help="after a bug was found, its run without the bug")
    parser.add_argument("--schedule", help="a file that an earlier failure left")
    parser.add_argument("--without", action="append", default=[], metavar="FAULT", help="turn a fault off")
    parser.add_argument("--shrink-seconds", type=float, default=90, help="0: show the long run as it is")
    parser.add_argument("--verbose", action="store_true", help="one line a run")
    return parser


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main(sys.argv[1:]))
