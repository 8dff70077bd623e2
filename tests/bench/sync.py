"""Sync against PouchDB with express-pouchdb, in one run on the same work, on SQLite and on PostgreSQL.

Each row of the table is a module in `tests/bench/syncing/`, the peer is in `tests/bench/peers/`. Clients,
servers and databases share this machine's cores. `BENCH_ROWS=first_pull,push` measures only these rows, and
`BENCH_ENGINES=sqlite` only there. A full run takes about twenty minutes.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

from bench.peers import pouch
from bench.syncing.site import Site, sites

ROWS = ("first_pull", "push", "live", "crowd", "empty", "feed_loss", "restart", "slow_link")
TOGETHER = {"slow_link"}
"""Rows that mostly wait for a link: both databases at the same time."""


def figures(quick: bool) -> list[dict[str, Any]]:
    wanted = [name for name in os.environ.get("BENCH_ROWS", ",".join(ROWS)).split(",") if name]
    engines = os.environ.get("BENCH_ENGINES", "sqlite,postgresql").split(",")
    pouch.install()
    found = []
    with sites(quick) as places:
        chosen = [site for site in places if site.engine in engines]
        for name in wanted:
            started = time.monotonic()
            found += _row(name, importlib.import_module(f"bench.syncing.{name}"), chosen)
            print(f"  {name} took {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return found


def _row(name: str, row: ModuleType, chosen: Sequence[Site]) -> list[dict[str, Any]]:
    if name not in TOGETHER:
        return [told for site in chosen for told in _told(row, site)]
    with ThreadPoolExecutor(max_workers=max(1, len(chosen))) as threads:
        parts = list(threads.map(lambda site: list(_told(row, site)), chosen))
    return [told for part in parts for told in part]


def _told(row: ModuleType, site: Site) -> Iterator[dict[str, Any]]:
    """Each figure also goes to stderr as soon as it is there: a run that is stopped was not for nothing."""
    for told in row.figures(site):
        ratio = f", {told['ratio']} of {told['peer_value']}" if told.get("ratio") is not None else ""
        print(f"    {told['name']}: {told['value']} {told['unit']}{ratio}", file=sys.stderr, flush=True)
        yield told
