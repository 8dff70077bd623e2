"""Who gets which file when two workers run the suite: xdist's scheduler, with workers that only listen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from turns import OneBrowserAtATime

BROWSER, OTHER = "@pytest.mark.browser\n", "x = 1\n"


class Worker:
    """Notes what it is given, and finishes it when told."""

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.shutting_down = False
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices

    def shutdown(self) -> None:
        self.shutting_down = True


class Run:
    """Two workers and files of three tests each; a file's name is a letter, a browser's is a capital one."""

    def __init__(self, folder: Path, files: str) -> None:
        for name in files:
            (folder / f"{name}.py").write_text(BROWSER if name.isupper() else OTHER)
        options = SimpleNamespace(loadscopereorder=False)
        values = {"tx": ["popen", "popen"], "maxprocesses": None, "numprocesses": None}
        config = SimpleNamespace(
            option=options, rootpath=folder, getvalue=values.get, getoption=values.get, hook=None
        )
        self.tests = [f"{name}.py::test_{number}" for name in files for number in range(3)]
        self.scheduler = OneBrowserAtATime(config, None)  # type: ignore[arg-type]
        self.workers = Worker("one"), Worker("two")
        for worker in self.workers:
            self.scheduler.add_node(worker)  # type: ignore[arg-type]
        for worker in self.workers:
            self.scheduler.add_node_collection(worker, self.tests)  # type: ignore[arg-type]
        self.scheduler.schedule()

    def given(self, worker: int) -> str:
        """The files that a worker has been given, in order."""
        return "".join(dict.fromkeys(self.tests[index][0] for index in self.workers[worker].given))

    def finish(self, worker: int, file: str) -> None:
        for index, test in enumerate(self.tests):
            if test.startswith(file):
                self.scheduler.mark_test_complete(self.workers[worker], index)  # type: ignore[arg-type]


class TestTwoWorkers:
    def test_begin_with_one_browser_and_other_work_beside_it(self, tmp_path: Path):
        run = Run(tmp_path, "ABCdef")
        assert (run.given(0), run.given(1)) == ("A", "d")

    def test_never_drive_two_browsers_while_there_is_other_work(self, tmp_path: Path):
        run = Run(tmp_path, "ABCdef")
        run.finish(1, "d")
        assert (run.given(0), run.given(1)) == ("A", "de")
        run.finish(0, "A")
        assert (run.given(0), run.given(1)) == ("AB", "de")
        run.finish(1, "e")
        assert (run.given(0), run.given(1)) == ("AB", "def")

    def test_share_the_browser_files_that_are_left_at_the_end(self, tmp_path: Path):
        run = Run(tmp_path, "ABCd")
        run.finish(1, "d")
        assert (run.given(0), run.given(1)) == ("A", "dB")
        run.finish(0, "A")
        assert (run.given(0), run.given(1)) == ("AC", "dB")

    def test_share_what_is_left_when_the_browser_files_are_done(self, tmp_path: Path):
        run = Run(tmp_path, "Adef")
        run.finish(0, "A")
        assert (run.given(0), run.given(1)) == ("Ae", "d")
