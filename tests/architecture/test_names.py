"""The five import names are short, so they are guarded: nothing else may answer to them."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path

import pytest
from databases import ROOT

NOT_PACKAGES = {"launch", "migrations", "versions"}
"""Folders whose files a tool runs by path: Flet's entry, and what Alembic reads."""
PACKAGES = ("mobile", "scheduler", "server", "shared", "sync")


@pytest.mark.parametrize("name", PACKAGES)
class TestAnImportName:
    def test_means_the_package_of_this_checkout(self, name: str):
        package = importlib.import_module(name)
        assert Path(str(package.__file__)).resolve() == ROOT / name / "__init__.py"

    def test_is_installed_by_no_other_distribution(self, name: str):
        # An editable install reports no packages of its own, so the answer may be empty.
        owners = importlib.metadata.packages_distributions().get(name, [])
        assert set(owners) <= {"truckroll"}

    def test_is_on_the_path_once(self, name: str):
        places = {
            Path(entry).resolve() / name
            for entry in sys.path
            if (Path(entry) / name / "__init__.py").is_file()
        }
        assert places == {ROOT / name}


class TestModuleNames:
    def test_none_is_called_like_a_standard_module(self):
        modules = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py")]
        named_alike = {
            str(path.relative_to(ROOT))
            for path in modules
            if (path.parent.name if path.name == "__init__.py" else path.stem) in sys.stdlib_module_names
        }
        assert named_alike == set()

    def test_every_package_folder_has_its_init_file(self):
        """A folder without one is a namespace package, which mypy and import-linter see differently."""
        missing = {
            str(folder.relative_to(ROOT))
            for name in PACKAGES
            for folder in {path.parent for path in (ROOT / name).rglob("*.py")}
            if not (folder / "__init__.py").is_file() and folder.name not in NOT_PACKAGES
        }
        assert missing == set()


class TestTestFolders:
    def test_none_is_a_package(self):
        """With an `__init__.py` in tests/shared/, `import shared` would find the tests."""
        assert list((ROOT / "tests").rglob("__init__.py")) == []

    def test_no_helper_is_called_like_an_installed_module(self):
        """Helpers lie directly in tests/, which is on the path."""
        helpers = {path.stem for path in (ROOT / "tests").glob("*.py")}
        taken = (
            set(sys.stdlib_module_names) | set(importlib.metadata.packages_distributions()) | set(PACKAGES)
        )
        assert helpers & taken == set()
