"""Which file of tests a worker takes next."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class OneBrowserAtATime(LoadFileScheduling):
    """A file stays on one worker; only one worker drives a browser as long as there is other work.

    A browser is several processes, and one that starts Python can use more than one core: beside tests that
    don't draw it stays steady. When only browser files are left, every worker takes them, and none waits for
    another.
    """

    def _assign_work_unit(self, node: WorkerController) -> None:
        wants_browser = not any(
            self._has_browser_left(other) for other in self.assigned_work if other is not node
        )
        fits = (file for file in self.workqueue if self._drives_a_browser(file) == wants_browser)
        if file := next(fits, None):
            self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)

    def _has_browser_left(self, node: WorkerController) -> bool:
        return any(
            self._drives_a_browser(file) and not all(tests.values())
            for file, tests in self.assigned_work[node].items()
        )

    def _drives_a_browser(self, file: str) -> bool:
        return drives_a_browser(self.config.rootpath / file)


@cache
def drives_a_browser(file: Path) -> bool:
    return (
        re.search(r"^from browser import|^import browser|mark\.browser|\bchromium:", file.read_text(), re.M)
        is not None
    )
