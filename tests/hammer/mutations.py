"""Bugs that only real databases and real kills can show, planted to prove that the harness finds them.

`python mutations.py NAME serve --port N` is the product's server with one of them, or with one of the
simulator's that concern the server.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[level]) for level in (1, 2)]

from simulation import mutations as simulated
from simulation.mutations import Mutation
from sqlalchemy import literal_column

from server.db import engine, feed, history


def _not_durable(make: Any) -> Any:
    return lambda url, connecting: make(
        url, {"options": f"{connecting['options']} -c synchronous_commit=off"}
    )


OWN = {
    "commit-not-durable": Mutation(
        says="PostgreSQL answers before the commit is on the disk",
        where=engine,
        name="_engine",
        make=_not_durable,
        invariant="NO_FALSE_ACK",
    ),
    "horizon-ignored": Mutation(
        says="a reader does not wait for transactions that are still at work",
        where=feed,
        name="_HORIZON",
        make=lambda _horizon: literal_column("9223372036854775807::bigint"),
        invariant="FEED_ORDER",
    ),
    "fail-over-not-told": Mutation(
        says="another database takes over and no phone hears of it",
        where=history,
        name="_renew",
        make=lambda _renew: lambda *_given: None,
        invariant="CONVERGED",
    ),
}
THE_SERVERS = ("answer-before-commit", "receipt-not-written", "cursor-too-far", "feed-outside-transaction")
MUTATIONS = OWN | {name: simulated.MUTATIONS[name] for name in THE_SERVERS}


def main(words: list[str]) -> int:
    from server.__main__ import main as program

    name, *rest = words
    simulated.MUTATIONS.update(OWN)
    with simulated.planted(name):
        return program(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
