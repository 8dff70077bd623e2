"""./dev demo: a real town, today's orders, the day's plan, the server, three links. Ctrl-C stops all of it.

--fresh          start over with a new day; without it, the demo you had goes on
--map FILE       an .osm.pbf of your own town (implies --fresh)
--port N         the port on loopback (8800)
--seed N         another day of the same town (implies --fresh)
--plan-seconds N how long the scheduler may think (10)
--keep-zone      the town's own clock; otherwise the demo's time zone makes it morning now
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.access.devices import new_code
from server.app import PWA_FOLDER, configure_logging
from server.clock import utc_now
from server.customers.links import visit_link
from server.db.engine import Database
from server.demo import prepare
from server.demo.seed import PASSWORD
from server.dispatch.models import TechnicianRow
from server.pwa.build import build_pwa
from server.settings import Settings
from server.work_orders.models import WorkOrderRow
from shared.work_orders import WorkOrderState

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "demo"
CACHE = ROOT / "var" / "maps"

_started = time.monotonic()


def say(text: str) -> None:
    """One line of progress, with the seconds since the start."""
    print(f"{time.monotonic() - _started:6.1f} s  {text}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    configure_logging("WARNING")
    demo = None if options.fresh or options.map or options.seed is not None else prepare.stored(FOLDER)
    base_url = f"http://127.0.0.1:{options.port}"
    if demo is None:
        demo = _new_demo(options, base_url)
    else:
        say(f"Going on with the demo of {demo.day}; --fresh starts over")
    settings = demo.settings(base_url)
    if not prepare.is_of_today(demo, settings):
        say(f"Its day was {demo.day}: the board opens there. --fresh makes a new day")
    say("Building the technician app (only what changed)")
    build_pwa(PWA_FOLDER)
    _print_links(demo, settings)
    from server.__main__ import serve

    with contextlib.suppress(KeyboardInterrupt):
        serve(settings, "127.0.0.1", options.port)
    say("Stopped. ./dev demo goes on where you left it")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fresh", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--map", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=8800, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--plan-seconds", type=int, default=10, help=argparse.SUPPRESS)
    parser.add_argument("--keep-zone", action="store_true", help=argparse.SUPPRESS)
    return parser


def _new_demo(options: argparse.Namespace, base_url: str) -> prepare.Demo:
    demo = prepare.make(
        FOLDER,
        CACHE,
        named_map=options.map,
        seed_number=options.seed or 1,
        say=say,
        zone=Settings().time_zone if options.keep_zone else None,
    )
    say(f"Planning the day, {options.plan_seconds} s")
    outcome = prepare.plan(demo, demo.settings(base_url), seconds=options.plan_seconds, say=say)
    say(f"{outcome.planned} jobs planned by {outcome.engine} on {outcome.roads}")
    for number, _code, reason in outcome.unassigned:
        say(f"  left out: {number}: {reason}")
    prepare.keep(demo)
    return demo


def _print_links(demo: prepare.Demo, settings: Settings) -> None:
    """Board, technician app and one customer's page, with what one needs to get in."""
    database = Database(settings.database_url)
    with database.write() as session:
        technician = _busiest(session, demo)
        code = new_code(session, technician.id, utc_now())
        order = _next_order(session, technician.id)
    database.close()
    base = settings.base_url
    print(
        f"""
  Dispatcher's board   {base}/board?day={demo.day}
                       sign in as {demo.dispatcher_email}, password {PASSWORD}
                       (admin@truckroll.example, the same password, sees the outbox too)
  Technician app       {base}/app/#/sign-in/{code}
                       {technician.name}'s phone; code {code} (good once, for a day)
  A customer's page    {base}{visit_link(settings, order)}

  {demo.map_label}. It is morning in {demo.time_zone}. Ctrl-C stops everything.
""",
        flush=True,
    )


def _busiest(session: Session, demo: prepare.Demo) -> TechnicianRow:
    query = (
        select(TechnicianRow)
        .join(WorkOrderRow, WorkOrderRow.technician_id == TechnicianRow.id)
        .where(WorkOrderRow.state == WorkOrderState.ASSIGNED)
        .group_by(TechnicianRow.id)
        .order_by(func.count().desc(), TechnicianRow.name)
    )
    return session.scalars(query.limit(1)).first() or session.scalars(select(TechnicianRow).limit(1)).one()


def _next_order(session: Session, technician_id: UUID) -> UUID:
    query = (
        select(WorkOrderRow.id)
        .where(WorkOrderRow.technician_id == technician_id)
        .order_by(WorkOrderRow.planned_start)
    )
    found = session.scalars(query.limit(1)).first()
    return found or session.scalars(select(WorkOrderRow.id).limit(1)).one()


if __name__ == "__main__":
    raise SystemExit(main())
