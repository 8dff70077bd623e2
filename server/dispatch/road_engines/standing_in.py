"""Who measures when the first choice can't: the next one does, and whatever it measures says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from scheduler.travel.protocol import Drawn, NoAnswer, Point, Table, TravelTimes

log = structlog.get_logger("truckroll.roads")

Measured = TypeVar("Measured", Table, Drawn)


class FirstThatAnswers:
    """The `TravelTimes` of several, asked in their order. A table is always of one of them, never mixed.

    What a stand-in measured is labelled with its own name and why the others did not: "straight line, for
    OSRM at roads:5000 did not answer within 10 s". The last one must always answer.
    """

    def __init__(self, *engines: TravelTimes) -> None:
        self._engines = engines
        self.name, self.estimated = engines[0].name, engines[0].estimated

    def table(self, origins: Sequence[Point], targets: Sequence[Point]) -> Table:
        return self._first(lambda engine: engine.table(origins, targets))

    def path(self, stops: Sequence[Point]) -> Drawn:
        return self._first(lambda engine: engine.path(stops))

    def _first(self, ask: Callable[[TravelTimes], Measured]) -> Measured:
        missed: list[str] = []
        for engine in self._engines:
            try:
                measured = ask(engine)
            except NoAnswer as error:
                log.warning("no travel times", engine=engine.name, error=str(error))
                missed.append(f"{engine.name} {error}")
                continue
            if not missed:
                return measured
            return replace(measured, engine=f"{measured.engine}, for {', and '.join(missed)}")
        raise NoAnswer("; ".join(missed))
