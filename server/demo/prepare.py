"""Everything before the demo's server starts: map, database, day, plan. Each step says what it does."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

from server.clock import utc_now
from server.db.engine import Database
from server.db.migrate import upgrade
from server.demo.catalogue import demo_catalogue
from server.demo.orders import make_day
from server.demo.people import make_people
from server.demo.seed import seed
from server.demo.town_source import find_town
from server.dispatch.plan_booking import PlanOutcome
from server.dispatch.planner import plan_day
from server.settings import Settings
from server.town.basemap import base_map
from server.town.read import read_town

ORDERS = 130
MORNING = 8  # the hour that it is in the demo's time zone when it is made
STATE = "demo.json"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A demo on disk: how to reach it, and what is in it. Kept as JSON beside its database."""

    folder: str
    map_file: str
    map_label: str
    warning: str
    time_zone: str
    day: str
    secret: str
    seed: int
    addresses: int
    dispatcher_email: str
    technicians: dict[str, str]
    orders: dict[str, str]
    absent: list[str]

    def settings(self, base_url: str, database_url: str | None = None) -> Settings:
        folder = Path(self.folder)
        return Settings(
            database_url=database_url or f"sqlite:///{folder / 'truckroll.db'}",
            data_folder=folder,
            secret=self.secret,
            time_zone=self.time_zone,
            base_url=base_url,
            map_file=self.map_file,
            log_level="WARNING",
        )

    @property
    def date(self) -> date:
        return date.fromisoformat(self.day)


def stored(folder: Path) -> Demo | None:
    """The demo that lies in `folder`, if one was finished there."""
    state = folder / STATE
    return Demo(**json.loads(state.read_text(encoding="utf-8"))) if state.exists() else None


def morning_zone(now: datetime) -> str:
    """A time zone in which it is about eight in the morning, so that the demo's day always lies ahead."""
    east = (MORNING - now.astimezone(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"  # their signs are the wrong way round


def make(
    folder: Path,
    cache: Path,
    *,
    named_map: Path | None,
    seed_number: int,
    say: Say,
    database_url: str | None = None,
    zone: str | None = None,
    orders: int = ORDERS,
) -> Demo:
    """Make a new demo in `folder`, over whatever was there. `cache` keeps maps from one demo to the next."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cache.mkdir(parents=True, exist_ok=True)
    source = find_town(named=named_map, cache=cache, say=say)
    if source.warning:
        say(source.warning)
    town = read_town(source.path)
    say(f"{source.label}: {len(town.addresses):,} addresses, {len(town.streets)} streets")
    now = utc_now()
    demo_zone = zone or morning_zone(now)
    settings = Settings(time_zone=demo_zone)
    today = now.astimezone(settings.zone).date()
    catalogue = demo_catalogue()
    people = make_people(town, catalogue, seed_number)
    day = make_day(town, catalogue, people, today, seed_number, orders=orders, zone=demo_zone)
    say("Creating the database")
    url = database_url or f"sqlite:///{folder / 'truckroll.db'}"
    upgrade(url)
    database = Database(url)
    with database.write() as session:
        seeded = seed(session, catalogue, people, day, now)
    database.close()
    say(f"{len(day.orders)} work orders for {len(people.technicians)} technicians on {today:%A %d %B}")
    demo = Demo(
        folder=str(folder.resolve()),
        map_file=str(source.path.resolve()),
        map_label=source.label,
        warning=source.warning,
        time_zone=demo_zone,
        day=today.isoformat(),
        secret=secrets.token_urlsafe(32),
        seed=seed_number,
        addresses=len(town.addresses),
        dispatcher_email=seeded.dispatcher_email,
        technicians=_texts(seeded.technicians),
        orders=_texts(seeded.orders),
        absent=list(seeded.absent),
    )
    say("Cutting the base map")
    base_map(source.path, folder, say)
    return demo


def _texts(ids: dict[str, UUID]) -> dict[str, str]:
    return {name: str(item) for name, item in ids.items()}


def plan(demo: Demo, settings: Settings, *, seconds: int, say: Say) -> PlanOutcome:
    """Plan the demo's day as it stood in the early morning, before anybody had set out."""
    database = Database(settings.database_url)
    dawn = datetime.combine(demo.date, time(5), settings.zone).astimezone(UTC)
    try:
        return plan_day(
            database, settings, demo.date, seconds=seconds, seed=demo.seed, now=min(dawn, utc_now()), say=say
        )
    finally:
        database.close()


def keep(demo: Demo) -> None:
    """Written last: a demo without it was not finished and is made again."""
    path = Path(demo.folder) / STATE
    path.write_text(json.dumps(asdict(demo), indent=2), encoding="utf-8")


def is_of_today(demo: Demo, settings: Settings) -> bool:
    return utc_now().astimezone(settings.zone).date() - demo.date < timedelta(days=1)
