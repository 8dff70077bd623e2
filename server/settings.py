"""Every knob, typed, from the environment (TRUCKROLL_…); docs/settings.md is held against it by a test."""

from __future__ import annotations

import itertools
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from server.attachments.store import Bucket
from sync.protocol import PIN_LENGTHS


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this server runs. An unknown time zone or a malformed number raises ValueError with its name."""

    database_url: str = "sqlite:///var/truckroll.db"
    """Where the data is: `sqlite:///file` or `postgresql+psycopg://user@host/name`."""
    data_folder: Path = Path("var")
    """Folder of attachments, map layers and remembered drives."""
    attachment_store: str = ""
    """Where photos are kept: empty, in the data folder; else `s3://bucket/prefix?endpoint=…&region=…`."""
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    """Signs customer links. Without one, links end with the process."""
    time_zone: str = "Europe/Helsinki"
    """Where the customers live: windows, shifts and billing days are in this zone."""
    tax_basis_points: int = 2550
    """Value added tax, in hundredths of a per cent."""
    company: str = "Truckroll Fibre"
    """The name that customers know."""
    base_url: str = "http://127.0.0.1:8800"
    """How browsers reach this server; https makes cookies secure."""
    map_file: str = ""
    """An .osm.pbf for roads and base map; empty: crow-flight times, no base map."""
    road_server: str = ""
    """A routing server: `osrm+http://host:5000` or `valhalla+http://host:8002`; empty: the map's roads."""
    road_server_seconds: int = 10
    """How long the routing server may take for one answer before the map's roads stand in."""
    device_token_days: int = 180
    """How long a device may stay away before it must register again."""
    device_requests_per_second: int = 10
    """How often one device may ask for long; six times as many at once. 0: as often as it likes."""
    pin_length_min: int = 0
    """Digits that the PIN of the technician app must have, 4 to 8; 0: no PIN is required."""
    link_days: int = 21
    """How long a customer's link is good."""
    count_units_max: int = 20
    """By how many units of a part a count of a van may differ before a dispatcher must agree; 0: none."""
    time_slots: str = "08:00-10:00 10:00-12:00 12:00-14:00 14:00-16:00"
    """What customers may choose from, each day, by the clock on the wall."""
    plan_seconds: int = 10
    """How long the scheduler may think about a day."""
    send_seconds: int = 1
    """How often this process looks for messages and webhooks to send; 0: it sends none."""
    notify_sms: str = ""
    """Apprise URL for text messages, with {recipient}; empty: they stay queued."""
    notify_email: str = ""
    """Apprise URL for mail, with {recipient}; empty: it stays queued."""
    webhook_networks: str = ""
    """Private networks (CIDR, with commas) that webhooks may reach, also by http."""
    metrics_token: str = ""
    """Lets whoever brings it read /metrics from elsewhere; empty: from this machine only."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def slots(self) -> tuple[tuple[int, int], ...]:
        """`time_slots` as minutes after midnight. Raises ValueError when they are not in order of time."""
        return slots_of(self.time_slots)

    @property
    def attachments(self) -> Path:
        return self.data_folder / "attachments"

    @property
    def uploads(self) -> Path:
        """Photos that are still being sent. Always on a disk of ours, whatever the store."""
        return self.data_folder / "uploads"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Settings from TRUCKROLL_ variables; an unknown one is a ValueError, for it is a typing mistake."""
        kinds = get_type_hints(cls)
        names = {f"TRUCKROLL_{item.name.upper()}": item.name for item in fields(cls)}
        values: dict[str, object] = {}
        for variable, text in environment.items():
            if not variable.startswith("TRUCKROLL_") or variable in OUTSIDE_SETTINGS:
                continue
            if variable not in names:
                raise ValueError(f"{variable} is not a setting (there are: {', '.join(sorted(names))})")
            try:
                values[names[variable]] = kinds[names[variable]](text)
            except ValueError as error:
                raise ValueError(f"{variable}={text!r}: {error}") from error
        settings = cls(**values)  # type: ignore[arg-type]  # the values were made by their own types
        try:
            check_database_url(settings.database_url)
        except ValueError as error:
            raise ValueError(f"TRUCKROLL_DATABASE_URL: {error}") from error
        if settings.attachment_store:
            try:
                Bucket.parse(settings.attachment_store)
            except ValueError as error:
                raise ValueError(f"TRUCKROLL_ATTACHMENT_STORE: {error}") from error
        if settings.road_server:
            try:
                check_road_server(settings.road_server)
            except ValueError as error:
                raise ValueError(f"TRUCKROLL_ROAD_SERVER: {error}") from error
        if settings.road_server_seconds < 1:
            raise ValueError("TRUCKROLL_ROAD_SERVER_SECONDS: give it a second at least")
        if settings.pin_length_min and settings.pin_length_min not in PIN_LENGTHS:
            raise ValueError("TRUCKROLL_PIN_LENGTH_MIN: 4 to 8 digits, or 0 where no PIN is required")
        try:
            _ = settings.slots
        except ValueError as error:
            raise ValueError(f"TRUCKROLL_TIME_SLOTS: {error}") from error
        try:
            _ = settings.zone
        except Exception as error:
            raise ValueError(f"TRUCKROLL_TIME_ZONE={settings.time_zone!r} is not a time zone") from error
        return settings


def slots_of(text: str) -> tuple[tuple[int, int], ...]:
    """(from, until) in minutes after midnight. Raises ValueError with the mend."""
    found = []
    for slot in text.split():
        times = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", slot)
        if times is None:
            raise ValueError(f"{slot!r} is no time slot; write 08:00-10:00")
        hour, minute, until_hour, until_minute = map(int, times.groups())
        found.append((hour * 60 + minute, until_hour * 60 + until_minute))
    if any(until <= start for start, until in found):
        raise ValueError("a slot ends before it begins")
    if any(later[0] < earlier[1] for earlier, later in itertools.pairwise(found)):
        raise ValueError("the slots overlap or are out of order")
    return tuple(found)


def check_database_url(url: str) -> None:
    """Raises ValueError with the mend where it names no database of ours. It may hold a password: unsaid."""
    mend = "write sqlite:///file.db or postgresql+psycopg://user@host/name"
    try:
        kind = make_url(url).drivername
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"this is no address of a database; {mend}") from error
    if kind not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ValueError(f"{kind} is not supported; {mend}")


def check_road_server(url: str) -> None:
    """Raises ValueError with the mend where it names no routing server that we can ask."""
    kind, _, address = url.partition("+")
    parts = urlsplit(address)
    known = kind in ("osrm", "valhalla") and parts.scheme in ("http", "https") and bool(parts.hostname)
    try:
        known = known and (parts.port is None or parts.port > 0) and not parts.query and not parts.fragment
    except ValueError:
        known = False
    if not known:
        raise ValueError("write osrm+http://host:5000 or valhalla+http://host:8002")


OUTSIDE_SETTINGS = frozenset({"TRUCKROLL_CHROMIUM", "TRUCKROLL_SERVER"})
"""Variables of the workshop and of the technician app, not of the server."""
