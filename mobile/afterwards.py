"""What a tap sets off and nobody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

PAUSE_SECONDS = 0.05
"""The screen is drawn within it: nobody sees the difference, and the tap is answered first."""

Run = Callable[[Callable[[], Coroutine[Any, Any, None]]], object]


def afterwards(work: Callable[[], None], run: Run | None) -> Callable[[], None]:
    """Ask for `work`: it is done once the screen has answered, and once for all who asked until then.

    run: begins a task; None where nothing runs beside the caller, and then `work` is done at once.
    """
    if run is None:
        return work
    is_due = False

    async def later() -> None:
        nonlocal is_due
        await asyncio.sleep(PAUSE_SECONDS)
        is_due = False
        work()

    def ask() -> None:
        nonlocal is_due
        if not is_due:
            is_due = True
            run(later)

    return ask
