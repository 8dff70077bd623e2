"""Sync against PouchDB with express-pouchdb, in one run on the same work, on SQLite and on PostgreSQL.

Each row of the table is a module in `tests/bench/syncing/`, the peer is in `tests/bench/peers/`. Clients,
servers and databases share this machine's cores. `BENCH_ROWS=first_pull,push` measures only these rows, and
`BENCH_ENGINES=sqlite` only there.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from bench.peers import pouch
from bench.syncing.site import sites

ROWS = ("first_pull", "push", "live", "crowd", "empty", "feed_loss", "restart", "slow_link")


def figures(quick: bool) -> list[dict[str, Any]]:
    wanted = [name for name in os.environ.get("BENCH_ROWS", ",".join(ROWS)).split(",") if name]
    engines = os.environ.get("BENCH_ENGINES", "sqlite,postgresql").split(",")
    rows = [importlib.import_module(f"bench.syncing.{name}") for name in wanted]
    pouch.install()
    with sites(quick) as places:
        return [
            figure for row in rows for site in places if site.engine in engines for figure in row.figures(site)
        ]
