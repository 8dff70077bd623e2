"""The scheduler on the command line; try `python -m scheduler --help`.

    python -m scheduler solve problem.json --seconds 10 --out plan.json
    python -m scheduler check problem.json plan.json
    python -m scheduler explain problem.json plan.json [--job ID] [--technician ID]
    python -m scheduler warm                          once after installing: compiles the search
    python -m scheduler compare problem.json before.json after.json [--text]
    python -m scheduler convert R101.txt --out problem.json
    python -m scheduler share problem.json --out even.json      gives everybody an even share of the work
    python -m scheduler schema request

"-" reads standard input. Exit 0: done and nothing wrong. 1: the plan breaks rules. 2: the input can't be
used.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scheduler import codec, explain, schema, vrplib
from scheduler.check import check
from scheduler.compare import TELL_FROM_MINUTES, compare, readable
from scheduler.fairness import with_even_shares
from scheduler.plan import Plan
from scheduler.request import InvalidRequest, PlanRequest
from scheduler.solve import solve


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return RUN[options.command](options)
    except InvalidRequest as error:
        print(f"error: {error}", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has seen enough
        return 0
    except OSError as error:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scheduler",
        description="Plan a day of visits: a problem in JSON in, a plan in JSON out.",
        epilog='"-" reads standard input. Exit 1: the plan breaks rules. Exit 2: the input can\'t be used.',
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="|".join(RUN))
    one = commands.add_parser("solve", help="make a plan")
    one.add_argument("problem", help="the request, JSON")
    one.add_argument(
        "--seconds", type=_seconds, default=5.0, help="wall time to spend (default 5; 0: greedy)"
    )
    one.add_argument("--seed", type=int, default=0, help="another order of ties (default 0)")
    one.add_argument(
        "--rounds", type=int, help="search so many rounds instead of so long: the same plan every time"
    )
    one.add_argument("--threads", type=int, default=1, help="searches at once, one a core (default 1)")
    one.add_argument("--out", type=Path, help="write the plan here instead of to standard output")
    one.add_argument(
        "--progress", action="store_true", help="one JSON line each on standard error while searching"
    )
    one = commands.add_parser("check", help="judge a plan; lists what is wrong with it")
    one.add_argument("problem")
    one.add_argument("plan")
    one = commands.add_parser("explain", help="say why jobs are where they are, or nowhere")
    one.add_argument("problem")
    one.add_argument("plan")
    one.add_argument("--job", help="only this job")
    one.add_argument("--technician", help="could this technician do it? (needs --job)")
    commands.add_parser("warm", help="compile the search, so that no plan has to wait for that")
    one = commands.add_parser("compare", help="set two plans for the same problem side by side")
    one.add_argument("problem")
    one.add_argument("before", help="the plan in force")
    one.add_argument("after", help="the plan instead of it")
    one.add_argument("--text", action="store_true", help="lines for people instead of JSON")
    one.add_argument(
        "--tell-minutes", type=int, default=TELL_FROM_MINUTES, metavar="N",
        help=f"from how many minutes on a customer has to hear a new time (default {TELL_FROM_MINUTES})",
    )  # fmt: skip
    one = commands.add_parser(
        "convert", help="turn a published routing instance (Solomon, VRPLIB) into a problem"
    )
    one.add_argument("instance", help="the instance's text")
    one.add_argument(
        "--without-max-duration", action="store_true",
        help="leave the limit on a route's duration out, which a problem can't say",
    )  # fmt: skip
    one.add_argument("--out", type=Path, help="write the problem here instead of to standard output")
    one = commands.add_parser("share", help="write the problem with an even share of the work for everybody")
    one.add_argument("problem")
    one.add_argument("--out", type=Path, help="write the problem here instead of to standard output")
    one = commands.add_parser("schema", help="print the JSON Schema of problems or plans")
    one.add_argument("of", choices=sorted(schema.SCHEMAS))
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError("must be between 0 and 86400")
    return seconds


def _solve(options: argparse.Namespace) -> int:
    def report(elapsed: float, cost: int) -> None:
        print(json.dumps({"seconds": round(elapsed, 2), "cost": cost}), file=sys.stderr, flush=True)

    request = codec.request_from_json(_text(options.problem))
    progress = report if options.progress else None
    try:
        plan = solve(
            request,
            seconds=options.seconds,
            seed=options.seed,
            rounds=options.rounds,
            threads=options.threads,
            progress=progress,
        )
    except ValueError as error:
        raise InvalidRequest(str(error)) from error
    _write(codec.plan_to_json(plan), options.out)
    return 0


def _warm(_: argparse.Namespace) -> int:
    from scheduler.warm import warm  # roads and compiler take a second to load, and solve needs neither

    warm()
    return 0


def _check(options: argparse.Namespace) -> int:
    request, plan = _both(options)
    violations = check(request, plan)
    print(
        json.dumps(
            {"ok": not violations, "violations": codec.plain(violations)}, ensure_ascii=False, indent=1
        )
    )
    return 1 if violations else 0


def _explain(options: argparse.Namespace) -> int:
    request, plan = _both(options)
    if violations := check(request, plan):
        raise InvalidRequest(f"the plan does not answer this problem: {violations[0].text}")
    if options.technician and not options.job:
        raise InvalidRequest("--technician needs --job")
    for answer in _answers(request, plan, options.job, options.technician):
        print(json.dumps(codec.plain(answer), ensure_ascii=False))
    return 0


def _answers(request: PlanRequest, plan: Plan, job: str | None, technician: str | None) -> Iterator[Any]:
    if job and technician:
        yield explain.fit(request, plan, job, technician)
        return
    planned = {visit.job_id for _, visit in plan.visits()}
    for job_id in [job] if job else [job.id for job in request.jobs]:
        if job_id in planned:
            yield explain.why_assigned(request, plan, job_id)
        else:
            yield explain.why_unassigned(request, plan, job_id)


def _compare(options: argparse.Namespace) -> int:
    sources = [options.problem, options.before, options.after]
    if sources.count("-") > 1:
        raise InvalidRequest("only one of problem and plans can come from standard input")
    request = codec.request_from_json(_text(options.problem))
    before, after = (codec.plan_from_json(_text(source)) for source in sources[1:])
    comparison = compare(request, before, after, tell_from_minutes=options.tell_minutes)
    if options.text:
        print(readable(request, comparison))
    else:
        print(json.dumps(codec.plain(comparison), ensure_ascii=False, indent=1))
    return 0


def _convert(options: argparse.Namespace) -> int:
    try:
        instance = vrplib.read_instance(_text(options.instance).decode())
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"this is not UTF-8 text: {error}") from error
    request = vrplib.request_of(instance, without_max_duration=options.without_max_duration)
    _write(codec.request_to_json(request), options.out)
    return 0


def _share(options: argparse.Namespace) -> int:
    request = with_even_shares(codec.request_from_json(_text(options.problem)))
    _write(codec.request_to_json(request), options.out)
    return 0


def _schema(options: argparse.Namespace) -> int:
    print(schema.written(options.of))
    return 0


RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "solve": _solve,
    "check": _check,
    "explain": _explain,
    "compare": _compare,
    "convert": _convert,
    "share": _share,
    "schema": _schema,
    "warm": _warm,
}


def _both(options: argparse.Namespace) -> tuple[PlanRequest, Plan]:
    if options.problem == options.plan == "-":
        raise InvalidRequest("only one of problem and plan can come from standard input")
    request = codec.request_from_json(_text(options.problem))
    return request, codec.plan_from_json(_text(options.plan))


def _write(written: str, out: Path | None) -> None:
    if out:
        out.write_text(written + "\n", encoding="utf-8")
    else:
        print(written)


def _text(source: str) -> bytes:
    return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()


if __name__ == "__main__":
    sys.exit(main())
