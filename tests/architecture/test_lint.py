"""What `./dev lint` checks is part of the tests, so that one command says whether the house is in order."""

from __future__ import annotations

import subprocess
import sys

import pytest
from databases import ROOT


@pytest.mark.parametrize("check", ["ruff", "imports", "types"])
class TestTheCodeIsInOrder:
    def test_by(self, check: str):
        answer = subprocess.run(
            [sys.executable, ROOT / ".ci" / "dev.py", "lint", check],
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.returncode == 0, f"./dev lint {check}\n{answer.stdout}{answer.stderr}"
