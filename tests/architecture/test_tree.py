"""What the files themselves must and must not say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import ROOT

NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist", "node_modules", "var", "vendor"}
# Put together here, so that this file does not hold what it looks for.
REGISTRY_HOSTS = re.compile(
    "|".join((r"pypi\." + "org", r"python" + "hosted", r"registry\.npm" + "js", r"deb\.deb" + "ian"))
)
MACHINE_PATHS = re.compile(r"(?<![\w.:}/-])/(?:work|home|Users|root)/[\w.]")


def text_files() -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(
            name
            for name in folders
            if name not in NOT_OURS and not name.endswith("_cache") and name != ".hypothesis"
        )
        for name in files:
            path = Path(folder) / name
            try:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a picture or a data file


class TestTheTree:
    def test_names_no_package_registry(self):
        """Which registry to ask is the machine's setting, not ours."""
        assert [name for name, text in text_files() if REGISTRY_HOSTS.search(text)] == []

    def test_names_no_folder_of_somebodys_machine(self):
        assert [name for name, text in text_files() if MACHINE_PATHS.search(text)] == []


class TestTheLock:
    def test_gives_every_requirement_a_hash(self):
        blocks = re.split(r"\n(?=[a-z])", (ROOT / "requirements.lock").read_text())
        requirements = [block for block in blocks if "==" in block]
        assert len(requirements) > 80
        assert [block.split("==")[0] for block in requirements if "--hash=sha256:" not in block] == []

    def test_holds_every_direct_requirement(self):
        import tomllib

        from packaging.requirements import Requirement
        from packaging.utils import canonicalize_name

        text = (ROOT / "requirements.lock").read_text()
        locked = {
            canonicalize_name(name): version
            for name, version in re.findall(r"^([\w.-]+)==([\w.]+)", text, re.M)
        }
        settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
        wanted = [*settings["project"]["dependencies"], *settings["build-system"]["requires"]]
        for extra in ("server", "dev"):
            wanted += settings["project"]["optional-dependencies"][extra]
        stale = [
            str(requirement)
            for requirement in map(Requirement, wanted)
            if not requirement.specifier.contains(locked.get(canonicalize_name(requirement.name), "0"))
        ]
        assert stale == [], "run ./dev lock"


class TestDev:
    def test_help_names_every_command(self):
        answer = subprocess.run([ROOT / "dev", "--help"], capture_output=True, text=True, check=True)
        for command in ("setup", "demo", "test", "lint", "types", "bench", "screenshots", "lock"):
            assert f"./dev {command}" in answer.stdout

    def test_refuses_a_command_it_does_not_know(self):
        answer = subprocess.run(
            [sys.executable, ROOT / ".ci" / "dev.py", "tets"], capture_output=True, text=True, check=False
        )
        assert answer.returncode == 2
        assert "no command 'tets'" in answer.stderr


DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/protocol.md", "docs/problems.md")


class TestDocumentation:
    @pytest.mark.parametrize("name", DOCUMENTS)
    def test_is_written(self, name: str):
        assert len((ROOT / name).read_text().split()) > 100

    def test_decisions_are_recorded(self):
        records = sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))
        numbers = [int(name[:4]) for name in records]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= 8

    def test_links_lead_somewhere(self):
        broken = []
        for name, text in text_files():
            if not name.endswith(".md"):
                continue
            for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text):
                if not (ROOT / name).parent.joinpath(target).exists():
                    broken.append((name, target))
        assert broken == []

    @pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
    def test_names_files_that_exist(self, name: str):
        named = re.findall(
            r"`((?:mobile|scheduler|server|shared|sync|tests|docs|\.ci)/[\w./-]+)`", (ROOT / name).read_text()
        )
        assert [path for path in named if "NAME" not in path and not (ROOT / path).exists()] == []
