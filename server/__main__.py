"""python -m server COMMAND: run the server, or look after its database. Settings come from TRUCKROLL_….

serve [--host H] [--port N]   migrate, then serve until stopped (loopback, 8800)
migrate                       bring the database to the newest schema
add-person NAME MAIL ROLE     let somebody of the office in; asks for the password
new-epoch                     after a backup was put back: every phone starts over and offers its work again
replay --verify [--into URL]  rebuild the state from the log into an empty database, and compare the two
compact                       shorten the change feed; `serve` does it once a day
send [--once]                 send what waits in the outbox, for ever or until nothing is due
"""

from __future__ import annotations

import argparse
import gc
import getpass
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing

import uvicorn
from sqlalchemy.exc import IntegrityError, OperationalError

from server import replay
from server.access.people import add_person
from server.access.roles import Role
from server.app import build_app, configure_logging
from server.clock import utc_now
from server.db import history
from server.db.engine import Database
from server.db.migrate import is_newest, upgrade
from server.outbox.running import send_for_ever
from server.outbox.senders import senders_of
from server.settings import Settings, check_database_url

# uvicorn's own 5 seconds are less than one lost packet costs where the round trip takes two.
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 2  # for requests at work; live pages reconnect by themselves


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.from_environment()
        senders_of(settings)
    except ValueError as error:
        print(f"truckroll: {error}", file=sys.stderr)
        return 2
    configure_logging(settings.log_level)
    try:
        code: int = options.run(settings, options)
    except OperationalError as error:
        reason = " ".join(str(error.orig).split())
        return _refuse(
            f"the database can't be used. Is it running, and is TRUCKROLL_DATABASE_URL right? {reason}"
        )
    return code


def _refuse(sentence: str) -> int:
    print(f"truckroll: {sentence}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m server", description="Run Truckroll's server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serving = commands.add_parser("serve", help="migrate, then serve until stopped")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=8800)
    serving.set_defaults(run=_serve)
    migrating = commands.add_parser("migrate", help="bring the database to the newest schema")
    migrating.set_defaults(run=_migrate)
    adding = commands.add_parser("add-person", help="let somebody of the office in")
    adding.add_argument("name", help='as colleagues know them, such as "Kaisa Rautio"')
    adding.add_argument("mail", help="the address they sign in with")
    adding.add_argument("role", choices=[role.value for role in Role], help="what they are there for")
    adding.set_defaults(run=_add_person)
    renewing = commands.add_parser("new-epoch", help="after a backup was put back")
    renewing.set_defaults(run=_new_epoch)
    replaying = commands.add_parser("replay", help="rebuild the state from the log, and compare")
    replaying.add_argument("--verify", action="store_true", help="compare with the live database")
    replaying.add_argument("--into", metavar="URL", help="an empty database (default: temporary SQLite)")
    replaying.set_defaults(run=_replay)
    shortening = commands.add_parser("compact", help="shorten the change feed")
    shortening.set_defaults(run=_compact)
    carrying = commands.add_parser("send", help="send what waits in the outbox")
    carrying.add_argument("--once", action="store_true", help="return when nothing is due")
    carrying.set_defaults(run=_send)
    return parser


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve until a signal comes. One process; SQLite has one writer, PostgreSQL scales by more processes."""
    app = build_app(settings)
    # What is here by now stays. A first pull makes ten thousand objects and no rubbish: seldom look for any.
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    upgrade(settings.database_url)
    serve(settings, options.host, options.port)
    return 0


def _migrate(settings: Settings, options: argparse.Namespace) -> int:
    upgrade(settings.database_url)
    return 0


def _add_person(settings: Settings, options: argparse.Namespace) -> int:
    upgrade(settings.database_url)
    password = getpass.getpass("Password: ")
    with closing(Database(settings.database_url)) as database:
        try:
            with database.write() as session:
                role = Role(options.role)
                add_person(session, name=options.name, email=options.mail, role=role, password=password)
        except ValueError as error:
            return _refuse(str(error))
        except IntegrityError:
            return _refuse(f"somebody signs in as {options.mail} already; take another address")
    return 0


def _new_epoch(settings: Settings, options: argparse.Namespace) -> int:
    upgrade(settings.database_url)
    with closing(Database(settings.database_url)) as database:
        print(history.renew(database, "an operator asked for it", utc_now()))
    return 0


def _replay(settings: Settings, options: argparse.Namespace) -> int:
    """One JSON object; 1 when the two databases differ, 2 when there is nothing to replay from or into."""
    if options.into == settings.database_url:
        return _refuse("--into names the live database; name an empty one")
    if not is_newest(settings.database_url):
        return _refuse(
            "TRUCKROLL_DATABASE_URL is no database of this version: `python -m server migrate` first"
        )
    if options.into:
        try:
            check_database_url(options.into)
        except ValueError as error:
            return _refuse(f"--into: {error}")
    with tempfile.TemporaryDirectory(prefix="truckroll-replay-") as folder:
        url = options.into or f"sqlite:///{folder}/replayed.db"
        upgrade(url)
        started = time.monotonic()
        with closing(Database(settings.database_url)) as live, closing(Database(url)) as fresh:
            if replay.is_in_use(fresh):
                return _refuse("--into names a database that holds something; name an empty one")
            count = replay.replay(live, fresh, settings)
            reports = replay.compare(live, fresh) if options.verify else []
    equal = all(report.equal for report in reports)
    told = {"replayed": count, "seconds": round(time.monotonic() - started, 2)}
    if options.verify:
        told["equal"] = equal
    tables = {
        report.name: {"rows": report.rows, "hash": report.live, "equal": report.equal}
        | ({} if report.equal else {"replayed": report.replayed, "differences": report.differences})
        for report in reports
    }
    print(json.dumps(told | {"tables": tables}, indent=2))
    return 0 if equal else 1


def _compact(settings: Settings, options: argparse.Namespace) -> int:
    upgrade(settings.database_url)
    with closing(Database(settings.database_url)) as database:
        print(f"{history.compact(database, utc_now())} rows dropped")
    return 0


def _send(settings: Settings, options: argparse.Namespace) -> int:
    # Stopped by an operator it ends after the message under way, as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    database = Database(settings.database_url)
    try:
        print(f"{send_for_ever(database, settings, once=options.once)} sent")
    finally:
        database.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
