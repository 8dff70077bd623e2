"""./dev COMMAND: what a developer does here, one word each.

  ./dev setup                    install everything, also what pip can't bring
  ./dev demo [--fresh …]         a town, today's orders, the day's plan, the server; Ctrl-C stops it all
  ./dev demo --check             the main job by itself, headless; ends with one JSON object
  ./dev test [pytest args]       all checks and tests, on SQLite and PostgreSQL, in a real browser
  ./dev lint [--fix]             ruff, mypy and the import contracts
  ./dev types                    mypy alone
  ./dev simulate [--seed N …]    phones, network and server on made-up time; looks for a broken promise
  ./dev hammer [--rounds N …]    real servers, phones and databases, really killed; looks for a broken promise
  ./dev bench NAME [--quick …]   one benchmark, as JSON; without NAME, a list of them
  ./dev screenshots              make the pictures in docs/
  ./dev words                    bring the app's languages up to its sentences; lists what to translate
  ./dev lock                     renew requirements.lock from pyproject.toml

Only the standard library is used here, so that --help works before anything is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(1, str(ROOT / "tests"))

# The checks of `./dev lint`, cheapest first. tests/architecture/test_lint.py runs the same table.
LINT = {
    "ruff": ["-m", "ruff", "check", "--quiet"],
    "imports": ["-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-logo"],
    "types": ["-m", "mypy"],
}


def say(text: str) -> None:
    print(f"dev: {text}", file=sys.stderr, flush=True)


def run(*arguments: str) -> int:
    """Run Python on `arguments` in the project's folder; give its exit code."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT).returncode


def become(*arguments: str) -> int:
    """Run Python on `arguments` in place of this process, so that Ctrl-C and signals reach it directly.

    The caller's folder is kept: `--map town.osm.pbf` means the file there.
    """
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *arguments])


def compile_scheduler() -> None:
    """Compile the plan search, half a minute the first time; the result is kept beside its source."""
    run("-m", "scheduler", "warm")


def setup(arguments: list[str]) -> int:
    import machine

    machine.get_zbar()
    machine.get_chromium()
    compile_scheduler()
    say("ready")
    return 0


def test(arguments: list[str]) -> int:
    """Everything, two tests at a time, when no arguments name a part; else exactly what pytest is told."""
    import machine

    machine.get_zbar()
    machine.get_chromium()
    compile_scheduler()
    parts = [_absolute(argument) for argument in arguments]
    if not parts:
        workers = min(os.cpu_count() or 1, 4)
        # A file stays on one worker (its databases are made once); tests/turns.py says who takes which next.
        parts = ["--numprocesses", str(workers), "--dist", "loadfile", "--no-loadscope-reorder"]
        # A worker that dies ends the run as failed. Replacing it can hang the run for good (xdist 3.8).
        parts += ["--max-worker-restart", "0"]
        say(f"running all tests, {workers} at a time")
    started = time.monotonic()
    code = run("-m", "pytest", *parts)
    say(f"tests took {time.monotonic() - started:.0f} s")
    return code


def lint(arguments: list[str]) -> int:
    """Run the named checks of LINT, or all. `--fix` lets ruff repair what it can first."""
    names = [argument for argument in arguments if argument != "--fix"] or list(LINT)
    if unknown := set(names) - set(LINT):
        raise SystemExit(f"dev: no such check: {', '.join(sorted(unknown))}. There are: {', '.join(LINT)}")
    if "--fix" in arguments:
        run(*LINT["ruff"], "--fix")
    failed = [name for name in names if run(*LINT[name])]
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def types(arguments: list[str]) -> int:
    return run(*LINT["types"], *arguments)


def demo(arguments: list[str]) -> int:
    compile_scheduler()
    if "--check" not in arguments:
        return become("-m", "server.demo", *arguments)
    import machine

    machine.get_zbar()
    return become(str(ROOT / "tests" / "main_job.py"), *arguments)


def hammer(arguments: list[str]) -> int:
    os.environ["PYTHONPATH"] = str(ROOT / "tests")
    return become("-m", "hammer", *arguments)


def bench(arguments: list[str]) -> int:
    return become(str(ROOT / "tests" / "bench" / "runner.py"), *arguments)


def simulate(arguments: list[str]) -> int:
    # The order of a set of strings would differ from run to run, and with it the run of a seed.
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["PYTHONPATH"] = str(ROOT / "tests")
    return become("-m", "simulation", *arguments)


def screenshots(arguments: list[str]) -> int:
    import machine

    machine.get_chromium()
    return become(str(ROOT / "tests" / "screenshots.py"), *arguments)


def words(arguments: list[str]) -> int:
    return become(str(ROOT / "tests" / "wording.py"))


def lock(arguments: list[str]) -> int:
    import locking

    return locking.lock(ROOT, arguments)


_WORDS = (setup, test, lint, types, demo, simulate, hammer, bench, screenshots, words, lock)
COMMANDS = {f.__name__: f for f in _WORDS}


def _absolute(argument: str) -> str:
    """A path as seen from the caller's folder, with any `::test` behind it, for pytest that runs in ROOT."""
    path, colons, rest = argument.partition("::")
    if argument.startswith("-") or not path or not Path(path).exists():
        return argument
    return f"{Path(path).resolve()}{colons}{rest}"


def main(words: list[str]) -> int:
    command, *arguments = words or ["--help"]
    if command in ("-h", "--help", "help"):
        print(__doc__.strip())
        return 0
    if command not in COMMANDS:
        say(f"there is no command {command!r}. There are: {', '.join(COMMANDS)}")
        return 2
    try:
        return COMMANDS[command](arguments)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
