"""The report of `./dev bench` is read by programs, so its shape is fixed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest
from databases import ROOT

spec = importlib.util.spec_from_file_location("bench_runner", ROOT / "tests" / "bench" / "runner.py")
assert spec is not None and spec.loader is not None
runner = importlib.util.module_from_spec(spec)
spec.loader.exec_module(runner)


class TestAFigure:
    def test_has_every_key_even_when_nothing_is_compared(self):
        assert runner.complete({"name": "close", "value": 4.2, "unit": "ms"}) == {
            "name": "close",
            "value": 4.2,
            "unit": "ms",
            "peer": None,
            "peer_value": None,
            "ratio": None,
            "aim": None,
            "met": None,
            "floor": None,
            "floor_met": None,
            "runs": None,
        }

    @pytest.mark.parametrize(
        ("aim", "met"), [(">= 500", False), ("<= 499.5", True), ("> 499", True), ("< 499", False)]
    )
    def test_tells_whether_it_met_its_aim(self, aim: str, met: bool):
        assert runner.complete({"name": "n", "value": 499.5, "unit": "1/s", "aim": aim})["met"] is met

    def test_is_set_against_its_peer(self):
        figure = {"name": "n", "value": 30, "unit": "s", "peer": "the other", "peer_value": 40}
        assert runner.complete(figure)["ratio"] == 0.75

    @pytest.mark.parametrize(("bound", "kept"), [("<= 0.75 of peer", True), ("<= 0.7 of peer", False)])
    def test_tells_what_it_is_worth_against_its_peer(self, bound: str, kept: bool):
        figure = {"name": "n", "value": 30, "unit": "s", "peer": "the other", "peer_value": 40}
        full = runner.complete(figure | {"aim": bound, "floor": bound})
        assert (full["met"], full["floor_met"]) == (kept, kept)

    def test_may_keep_its_floor_and_miss_its_aim(self):
        figure = {"name": "n", "value": 2.1, "unit": "s", "floor": "< 3", "aim": "< 1.5"}
        full = runner.complete(figure)
        assert (full["floor_met"], full["met"]) == (True, False)

    def test_with_a_misspelt_key_is_refused(self):
        with pytest.raises(ValueError, match="peer_vlaue"):
            runner.complete({"name": "n", "value": 1, "unit": "s", "peer_vlaue": 2})

    def test_without_a_value_meets_nothing(self):
        figure = {"name": "n", "value": None, "unit": "%", "peer_value": 2, "aim": "<= 1", "floor": "<= 2"}
        full = runner.complete(figure)
        assert (full["ratio"], full["met"], full["floor_met"]) == (None, None, None)


class TestTheReport:
    def test_is_all_that_stdout_carries(self, tmp_path):
        """A benchmark that prints, and whose child prints, does not spoil the JSON."""
        folder = tmp_path / "tests" / "bench"
        folder.mkdir(parents=True)
        (folder / "runner.py").write_text((ROOT / "tests" / "bench" / "runner.py").read_text())
        (folder / "sync.py").write_text(
            "import subprocess\n"
            "def figures(quick):\n"
            "    print('working')\n"
            "    subprocess.run(['echo', 'a child too'])\n"
            "    import os\n"
            "    print(os.environ['BENCH_ROWS'])\n"
            "    return [{'name': 'n', 'value': 1 if quick else 2, 'unit': 's', 'aim': '<= 1'}]\n"
        )
        answer = subprocess.run(
            [sys.executable, folder / "runner.py", "sync", "--quick", "--only", "push", "live"],
            capture_output=True,
            text=True,
            check=True,
        )
        printed = json.loads(answer.stdout)
        assert list(printed) == ["bench", "commit", "machine", "figures"]
        assert printed["bench"] == "sync"
        assert printed["figures"][0]["value"] == 1
        assert printed["figures"][0]["met"] is True
        assert "working" in answer.stderr and "a child too" in answer.stderr
        assert "push,live" in answer.stderr
