"""An event loop whose time is made up: when nobody has anything to do, it jumps to the next timer.

No socket, no thread, no sleep. The same tasks in the same order give the same run, on any machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Stuck(RuntimeError):
    """Everybody waits, and nothing will ever happen again."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """`time()` is in simulated seconds since the start of the run."""

    def __init__(self) -> None:
        super().__init__()
        self._seconds = 0.0
        self._broken: BaseException | None = None
        self._selector = _NoDevices(self)
        self.set_exception_handler(lambda _loop, _context: None)  # whoever awaits the task hears of it

    def time(self) -> float:
        return self._seconds

    def watch(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """An exception that ends `task` ends the run, at once."""
        task.add_done_callback(self._look)
        return task

    def _look(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()) and self._broken is None:
            self._broken = error

    def stop_if_broken(self) -> None:
        error, self._broken = self._broken, None
        if error is not None:
            raise error

    def pass_time(self, seconds: float) -> None:
        self._seconds += seconds

    def _write_to_self(self) -> None:
        """There is one thread: whoever calls is not waited for."""

    def _process_events(self, event_list: object) -> None:
        """There are no devices, so there are no events."""

    def run_for_good(self, main: Coroutine[Any, Any, T]) -> T:
        """Run `main` to its end, then end whatever else still runs."""
        before = asyncio._get_running_loop()
        assert before is None, "a simulation is not run from within another loop"
        try:
            return self.run_until_complete(main)
        finally:
            rest = asyncio.all_tasks(self)
            for task in sorted(rest, key=lambda task: task.get_name()):
                task.cancel()
            if rest:
                self._broken = None
                self.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
            self.close()


class _NoDevices:
    """What the loop asks whether a socket is ready: none ever is, so the wait is over at once."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[object]:
        self._loop.stop_if_broken()
        if timeout is None:
            raise Stuck("nothing is left that could happen")
        self._loop.pass_time(timeout)
        return []
