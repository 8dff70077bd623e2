"""What may leave the server, worked out again from the rows by other means than the server's own."""

from __future__ import annotations

import json
from datetime import datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from simulation.books import Books, key
from simulation.violation import require

from sync.protocol import SyncResponse

DAYS_BACK, DAYS_AHEAD = 7, 14
STILL_HEARD = timedelta(minutes=5)
"""So long after its successor was first used, a token still speaks for requests that were under way."""


def nothing_outside_the_scope(
    books: Books, zone: ZoneInfo, token: str | None, response: SyncResponse, now: datetime
) -> None:
    """SCOPE, REVOKED_READS_NOTHING: every row of an answer is one its technician may see at this moment."""
    digest = sha256((token or "").encode()).hexdigest()
    speakers = books.rows(
        "SELECT d.technician_id, d.revoked_at, t.van_id FROM device d"
        " JOIN technician t ON t.id = d.technician_id"
        " WHERE ? IN (d.token_hash, d.next_token_hash) OR d.id IN"
        " (SELECT device_id FROM retired_token WHERE token_hash = ? AND retired_at >= ?)",
        digest,
        digest,
        (now - STILL_HEARD).strftime("%Y-%m-%d %H:%M:%S.%f"),
    )
    require(len(speakers) == 1, "SCOPE", "an answer to nobody that we know")
    technician, revoked, van = speakers[0]
    require(not (revoked and (response.rows or response.gone)), "REVOKED_READS_NOTHING", technician)
    orders, places = _visible_orders(books, zone, technician, now)
    for row in response.rows:
        match row.kind:
            case "work_order":
                seen = key(row.key) in orders
            case "asset":
                seen = _asset_is_visible(books, row.key, van, orders, places)
            case "profile":
                seen = technician in bytes(row.body).decode().replace("-", "")
            case "stock_line":
                seen = van in bytes(row.body).decode().replace("-", "")
            case "place_brief":
                seen = key(row.key) in places
            case "part_request":
                seen = bool(
                    books.rows(
                        "SELECT 1 FROM part_request WHERE id = ? AND (asker_id = ? OR holder_id = ?)",
                        key(row.key),
                        technician,
                        van,
                    )
                )
            case "part_supply":
                seen = _tells_no_home(books, bytes(row.body), van)
            case "ruling":
                seen = bool(
                    books.rows(
                        "SELECT 1 FROM command c JOIN device d ON d.id = c.device_id"
                        " WHERE c.id = ? AND d.technician_id = ?",
                        key(row.key),
                        technician,
                    )
                )
            case "transfer":
                seen = bool(
                    books.rows(
                        "SELECT 1 FROM van_transfer WHERE id = ? AND ? IN (giver_id, taker_id)",
                        key(row.key),
                        technician,
                    )
                )
            case _:
                seen = row.kind in ("product", "tariff")
        require(seen, "SCOPE", f"{row.kind} {row.key} went to {technician}")


def _tells_no_home(books: Books, body: bytes, van: str) -> bool:
    """Vans by about where they work, never one's own, and depots."""
    supply = json.loads(body)
    rough = all(
        place["kind"] == "depot" or place["lat"] is None or round(place["lat"], 2) == place["lat"]
        for place in supply["places"]
    )
    return rough and van not in {key(place["id"]) for place in supply["places"]}


def _visible_orders(
    books: Books, zone: ZoneInfo, technician: str, now: datetime
) -> tuple[set[str], set[str]]:
    today = now.astimezone(zone).date()
    start = datetime.combine(today - timedelta(days=DAYS_BACK), time(), zone)
    end = datetime.combine(today + timedelta(days=DAYS_AHEAD + 1), time(), zone)
    found = books.rows(
        "SELECT id, location_id, planned_start, state FROM work_order WHERE technician_id = ?", technician
    )
    visible = [
        (id, place)
        for id, place, planned, state in found
        if state in ("travelling", "on_site")
        or (planned and start <= datetime.fromisoformat(f"{planned}+00:00") < end)
    ]
    return {id for id, _ in visible}, {place for _, place in visible}


def _asset_is_visible(books: Books, serial: str, van: str, orders: set[str], places: set[str]) -> bool:
    holder, claim = books.rows("SELECT holder_id, claimed_by FROM asset WHERE serial = ?", serial)[0]
    return holder == van or holder in places or claim in orders
