"""Who may import what, beyond what the import-linter contracts in pyproject.toml can say."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from databases import ROOT

IO_MODULES = {"asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "shutil", "socket"}
IO_MODULES |= {"sqlite3", "subprocess", "tempfile", "threading", "time", "urllib"}
CLOCK_CALLS = {"now", "utcnow", "today"}
MINTS_IDS = "shared/ids.py"
"""The one module of `shared` that may read a clock: an id starts with the time it was minted."""


def imports_of(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{'.' * node.level}{node.module or ''}"


def modules_of(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


class TestShared:
    def test_imports_itself_and_the_standard_library(self):
        foreign = {
            (str(path.relative_to(ROOT)), name)
            for path in modules_of("shared")
            for name in imports_of(path)
            if name.split(".")[0] not in sys.stdlib_module_names | {"shared"}
        }
        assert foreign == set()

    def test_does_no_input_or_output(self):
        found = {
            (str(path.relative_to(ROOT)), name)
            for path in modules_of("shared")
            if path != ROOT / MINTS_IDS
            for name in imports_of(path)
            if name.split(".")[0] in IO_MODULES
        }
        assert found == set()

    def test_asks_no_clock(self):
        """`now` comes in as a value, so a rule gives the same answer on the phone and on the server."""
        asking = {
            f"{path.relative_to(ROOT)}:{node.lineno}"
            for path in modules_of("shared")
            if path != ROOT / MINTS_IDS
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CLOCK_CALLS
            and isinstance(node.func.value, ast.Name | ast.Attribute)
            and ast.unparse(node.func.value).split(".")[-1] in {"datetime", "date"}
        }
        assert asking == set()


class TestThePhonesBundle:
    def test_imports_only_what_the_phone_installs(self):
        """Loading the app and the sync client brings in no distribution beyond [project].dependencies."""
        loaded = distributions_loaded_by("mobile.app", "sync.client.store", "sync.protocol")
        assert loaded - needed_by("truckroll") == set()

    def test_carries_nothing_of_the_server(self):
        extras = needed_by("truckroll", extra="server") - needed_by("truckroll")
        assert {"fastapi", "sqlalchemy", "ortools"} <= extras
        assert needed_by("truckroll") & {"fastapi", "sqlalchemy", "alembic", "ortools", "numpy"} == set()


def distributions_loaded_by(*modules: str) -> set[str]:
    """The installed distributions that importing `modules` in a fresh interpreter loads code from."""
    # What is there before the first import comes from the environment itself (setuptools hooks itself in).
    script = "import sys, json; before = set(sys.modules)\n"
    script += f"import {', '.join(modules)}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    owners = importlib.metadata.packages_distributions()
    top_level = {name.split(".")[0] for name in json.loads(answer.stdout.splitlines()[-1])}
    return {canonical(owner) for name in top_level for owner in owners.get(name, [])}


def needed_by(distribution: str, *, extra: str = "") -> set[str]:
    """`distribution` and everything it requires here, at any depth, by canonical name."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    waiting = [(distribution, extra)]
    while waiting:
        name, wanted = waiting.pop()
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another platform
        found.add(canonical(name))
        for requirement in map(Requirement, requires):
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                for needed in (*requirement.extras, ""):
                    if canonical(requirement.name) not in found or needed:
                        waiting.append((requirement.name, needed))
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
