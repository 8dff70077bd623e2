"""The documents keep up with the code: settings, problems, messages, commands and paths."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from databases import ROOT

from scheduler.plan import ReasonCode
from server.dispatch.pins import KEPT_OUT
from server.dispatch.plan_request import NOWHERE
from server.settings import OUTSIDE_SETTINGS, Settings
from shared.commands import FIELD_COMMANDS
from shared.conflicts import CONFLICTS
from shared.problems import every_problem
from sync.client.records import NotSaved
from sync.protocol import KINDS, PROTOCOL, PushedCommand, Receipt, SyncRequest, SyncResponse

DRAWN_ANEW = "drawn anew at each start"
PATHS = re.compile(r"`((?:mobile|scheduler|server|shared|sync|tests|docs|\.ci)/[\w./-]+)`")
WRITTEN = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Not those that a test makes up for itself.
PROBLEMS = [problem for problem in every_problem() if not problem.__module__.startswith("test")]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows_of(name: str, columns: int) -> dict[str, list[str]]:
    """The tables of a document with so many columns: what the first cell names in code → the other cells."""
    rows: dict[str, list[str]] = {}
    for line in text_of(name).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == columns:
            rows[cells[0].strip("`")] = cells[1:]
    return rows


class TestSettings:
    DOCUMENTED = rows_of("docs/settings.md", columns=3)

    def test_all_are_documented_and_no_others(self):
        documented = {name for name in self.DOCUMENTED if name.startswith("TRUCKROLL_")}
        named = {f"TRUCKROLL_{setting.name.upper()}" for setting in fields(Settings)}
        assert documented == named | OUTSIDE_SETTINGS

    @pytest.mark.parametrize("name", [setting.name for setting in fields(Settings)])
    def test_has_the_default_that_is_written_there(self, name: str):
        default, meaning = self.DOCUMENTED[f"TRUCKROLL_{name.upper()}"]
        value = str(getattr(Settings(), name))
        expected = DRAWN_ANEW if name == "secret" else f"`{value}`" if value else "empty"
        assert default == expected
        assert len(meaning.split()) >= 4


def scan_slugs() -> set[str]:
    """Every slug that the code gives a ScanError."""
    sources = [*(ROOT / "shared/barcodes").glob("*.py"), *(ROOT / "server/scanning").glob("*.py")]
    given = (re.findall(r'ScanError\(\s*"([a-z-]+)"', path.read_text(encoding="utf-8")) for path in sources)
    return {slug for found in given for slug in found}


def remark_slugs() -> set[str]:
    """Every slug that the code gives a Remark, by itself or by the table of conflicts."""
    sources = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "sync/server").glob("*.py")]
    given = (re.findall(r'Remark\(\s*"([a-z-]+)"', path.read_text(encoding="utf-8")) for path in sources)
    return {slug for found in given for slug in found} | {
        row.remark for row in CONFLICTS.values() if row.remark
    }


class TestProblems:
    REFUSALS = rows_of("docs/problems.md", columns=4)
    SCANS = rows_of("docs/problems.md", columns=3)
    SHORT = rows_of("docs/problems.md", columns=2)

    def test_has_a_row_for_every_problem_and_no_others(self):
        assert set(self.REFUSALS) == {problem.slug for problem in PROBLEMS}

    @pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.slug)
    def test_gives_its_status_its_meaning_and_its_mend(self, problem: type):
        status, meaning, mend = self.REFUSALS[problem.slug]
        assert status.startswith("on the device only" if problem is NotSaved else str(problem.status))
        assert len(meaning) > 15
        assert len(mend) > 10

    def test_no_slug_means_two_things(self):
        slugs = [problem.slug for problem in PROBLEMS]
        assert sorted(slugs) == sorted(set(slugs))

    def test_has_a_row_for_every_way_that_reading_a_code_can_end(self):
        assert len(scan_slugs()) >= 11
        assert set(self.SCANS) == scan_slugs()

    def test_has_a_row_for_every_remark_and_every_reason_of_a_plan(self):
        assert len(remark_slugs()) >= 5
        assert set(self.SHORT) == remark_slugs() | {*get_args(ReasonCode), NOWHERE, KEPT_OUT}


class TestTheProtocol:
    TEXT = text_of("docs/protocol.md")

    @pytest.mark.parametrize("message", [SyncRequest, PushedCommand, SyncResponse, Receipt])
    def test_names_every_field(self, message: type):
        assert [field.name for field in fields(message) if f"`{field.name}`" not in self.TEXT] == []

    def test_has_a_row_for_every_command(self):
        assert set(rows_of("docs/protocol.md", columns=3)) >= set(FIELD_COMMANDS)

    def test_has_a_row_for_every_kind_of_row(self):
        assert set(rows_of("docs/protocol.md", columns=3)) >= set(KINDS)

    def test_names_the_version(self):
        assert f"Version of the messages, now {PROTOCOL}." in self.TEXT


class TestPaths:
    @pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
    def test_all_exist(self, path: Path):
        named = PATHS.findall(path.read_text(encoding="utf-8"))
        assert [name for name in named if not (ROOT / name).exists()] == []

    def test_every_package_of_the_server_has_its_line_in_the_architecture(self):
        text = text_of("ARCHITECTURE.md")
        rooms = [path.parent.name for path in (ROOT / "server").glob("*/__init__.py")]
        assert [room for room in sorted(rooms) if f"`server/{room}/" not in text] == []


class TestDecisions:
    @pytest.mark.parametrize("path", sorted((ROOT / "docs/adr").glob("*.md")), ids=lambda path: path.stem[:4])
    def test_has_context_decision_and_consequences_on_half_a_page(self, path: Path):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert [part for part in ("Context", "Decision", "Consequences") if f"**{part}.**" not in text] == []
        assert len(text.split()) < 400
