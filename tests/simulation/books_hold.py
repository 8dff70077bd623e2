"""What must hold of the server's books at any moment between two transactions. Read by plain SQL."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from simulation.books import Books, key
from simulation.handset import Handset, Tap
from simulation.violation import require

from server.db import feed
from server.db.engine import Database
from shared.van import COUNT_PLACE
from sync.protocol import SyncResponse

CLOCK_ERROR_MAX = timedelta(minutes=5)
"""Two minutes are left alone, and a request is on its way for a while."""


def stock_is_conserved(books: Books) -> None:
    """STOCK_BALANCES: what left one place came to another, so that every SKU sums to zero; balances agree."""
    balance = """SELECT place, sku, sum(n) FROM (
        SELECT target_id AS place, sku, quantity AS n FROM stock_move
        UNION ALL SELECT source_id, sku, -quantity FROM stock_move) GROUP BY place, sku"""
    sums = {(place, sku): total for place, sku, total in books.rows(balance)}
    per_sku: dict[str, int] = {}
    for (_, sku), total in sums.items():
        per_sku[sku] = per_sku.get(sku, 0) + total
    require(not any(per_sku.values()), "STOCK_BALANCES", per_sku)
    kept = {
        (place, sku): n for place, sku, n in books.rows("SELECT place_id, sku, quantity FROM stock_balance")
    }
    if kept:
        wrong = {
            k: (kept.get(k, 0), sums.get(k, 0)) for k in {*kept, *sums} if kept.get(k, 0) != sums.get(k, 0)
        }
        require(not wrong, "STOCK_BALANCES", f"kept and summed balances differ: {wrong}")


def money_is_balanced(books: Books) -> None:
    """MONEY_BALANCES: the lines of each journal entry sum to zero."""
    wrong = books.rows(
        "SELECT entry_id, sum(amount_minor) AS s FROM journal_line GROUP BY entry_id HAVING s <> 0"
    )
    require(not wrong, "MONEY_BALANCES", wrong)


def every_close_is_billed_once(books: Books) -> None:
    """DONE_IS_BILLED: no invoice without a done event, no done event without its invoice, one of each."""
    done = {
        row[0]
        for row in books.rows(
            "SELECT id FROM work_order WHERE state = 'completed'"
            " OR json_extract(record, '$.call_out_at') IS NOT NULL"
        )
    }
    billed = [row[0] for row in books.rows("SELECT work_order_id FROM invoice ORDER BY id")]
    require(len(billed) == len(set(billed)), "ONE_EFFECT", "two invoices for one order")
    require(done == set(billed), "DONE_IS_BILLED", f"done {sorted(done ^ set(billed))[:5]}")
    lost = books.rows(
        "SELECT i.id, i.net_minor, coalesce(sum(l.net_minor), 0) AS s FROM invoice i"
        " LEFT JOIN invoice_line l ON l.invoice_id = i.id GROUP BY i.id HAVING s <> i.net_minor"
    )
    require(not lost, "ONE_EFFECT", f"invoices that are not the sum of their lines: {lost}")
    told = books.rows(
        "SELECT o.number, i.net_minor, i.tax_minor, json_extract(o.record, '$.bill.charges') AS charges"
        " FROM invoice i JOIN work_order o ON o.id = i.work_order_id WHERE o.state = 'completed'"
    )
    for number, net, tax, charges in told:
        shown = json.loads(charges or "[]")
        sums = (sum(one["net_minor"] for one in shown), sum(one["tax_minor"] for one in shown))
        require(sums == (net, tax), "ONE_EFFECT", f"{number} shows {sums} and is billed {(net, tax)}")


def a_serial_has_one_place(books: Books) -> None:
    """SERIAL_ONE_PLACE: the register says where the newest move brought a device; the ledger agrees."""
    newest = dict(books.rows("SELECT serial, target_id FROM stock_move WHERE serial IS NOT NULL ORDER BY id"))
    for serial, holder in books.rows("SELECT serial, holder_id FROM asset"):
        known = newest.get(serial, holder)
        require(known == holder, "SERIAL_ONE_PLACE", f"{serial}: register {holder}, ledger {known}")
    twice = books.rows(
        "SELECT serial, place, sum(n) AS s FROM ("
        " SELECT serial, target_id AS place, 1 AS n FROM stock_move WHERE serial IS NOT NULL"
        " UNION ALL SELECT serial, source_id, -1 FROM stock_move WHERE serial IS NOT NULL)"
        " GROUP BY serial, place HAVING s > 1"
    )
    require(not twice, "SERIAL_ONE_PLACE", f"one device twice in one place: {twice}")


def effects_have_one_cause(books: Books) -> None:
    """ONE_EFFECT: each move, notice and line has its one accepted command, however often it came."""
    orphans = books.rows(
        "SELECT DISTINCT m.cause FROM stock_move m LEFT JOIN command c ON c.id = m.cause"
        " WHERE m.work_order_id IS NOT NULL AND coalesce(c.outcome, '') <> 'accepted'"
    )
    require(not orphans, "ONE_EFFECT", f"moves that no accepted command made: {orphans}")
    for what, query in (
        ("moves", "SELECT cause, line FROM stock_move GROUP BY cause, line HAVING count(*) > 1"),
        (
            "notices",
            """SELECT work_order_id, template FROM notice WHERE template IN ('completed', 'disconnected')
               GROUP BY work_order_id, template HAVING count(*) > 1""",
        ),
    ):
        require(not (twice := books.rows(query)), "ONE_EFFECT", f"{what}: {twice}")


def a_record_has_no_doubles(books: Books) -> None:
    """ONE_EFFECT: each measurement, picture and unit of parts that was accepted is recorded exactly once."""
    asked: Counter[tuple[str, str]] = Counter()
    places = ", ".join("?" for _ in RECORDED)
    query = f"SELECT work_order_id, type, body FROM command WHERE outcome = 'accepted' AND type IN ({places})"
    for order, type_, body in books.rows(query, *RECORDED):
        part, sign = RECORDED[type_]
        asked[order, part] += sign * _units(books.json(body)["lines"]) if part == "parts" else sign
    for order, text in books.rows("SELECT id, record FROM work_order"):
        record = books.json(text) or {}
        visits = [record, *record.get("reports", ())]
        for part in ("checks", "answers", "evidence", "parts", "time_corrections"):
            kept = [item for visit in visits for item in visit.get(part, ())]
            if part == "time_corrections":
                kept += [item for visit in record.get("earlier_visits", ()) for item in visit["corrections"]]
            recorded = _units(kept) if part == "parts" else len(kept)
            detail = f"{order}: {asked[order, part]} {part} accepted, {recorded} recorded"
            require(recorded == asked[order, part], "ONE_EFFECT", detail)


def _units(lines: Sequence[Mapping[str, Any]]) -> int:
    return sum(line["quantity"] for line in lines)


RECORDED = {
    "record_check": ("checks", 1),
    "answer_check": ("answers", 1),
    "skip_check": ("answers", 1),
    "correct_time": ("time_corrections", 1),
    "add_evidence": ("evidence", 1),
    "use_parts": ("parts", 1),
    "take_back_parts": ("parts", -1),
}
"""Command → what it adds to, and which way it counts."""


def what_was_recorded_is_told(books: Books) -> None:
    """TOLD: each thing that was recorded stands in the board's feed, from the very transaction."""
    told = """SELECT count(*) FROM feed f WHERE f.scope = 'board' AND f.kind = 'work_order'
              AND f.at = c.decided_at AND replace(f.key, '-', '') = c.work_order_id"""
    silent = books.rows(
        "SELECT c.work_order_id, c.decided_at, count(*) AS n FROM command c"
        " WHERE c.outcome = 'accepted' AND c.device_id IS NOT NULL"
        " AND c.type IN ('add_note', 'record_check', 'answer_check', 'skip_check', 'add_evidence',"
        " 'use_parts', 'pause_work', 'resume_work', 'correct_time')"
        f" GROUP BY c.work_order_id, c.decided_at HAVING n > ({told})"
    )
    require(not silent, "TOLD", f"recorded, and not in the feed: {silent[:5]}")


def a_count_moves_its_difference(books: Books) -> None:
    """ONE_EFFECT: a count moves what it says is more or less, and nothing else of the parts."""
    for id, body in books.rows(
        "SELECT id, body FROM command WHERE outcome = 'accepted' AND type = 'count_van'"
    ):
        lines = books.json(body).get("parts", ())
        said = {line["sku"]: line["counted"] - line["listed"] for line in lines}
        moved = dict(
            books.rows(
                "SELECT sku, sum(CASE target_id WHEN ? THEN -quantity ELSE quantity END) FROM stock_move"
                " WHERE cause = ? AND serial IS NULL GROUP BY sku",
                key(COUNT_PLACE),
                id,
            )
        )
        expected = {sku: more for sku, more in said.items() if more}
        require(moved == expected, "ONE_EFFECT", f"count {id}: {expected} said, {moved} moved")


def a_transfer_is_booked_once(books: Books) -> None:
    """ONE_EFFECT: what went from hand to hand moves from van to van once, whichever half came first."""
    transfers: dict[str, Any] = {}
    query = "SELECT body FROM command WHERE outcome = 'accepted' AND type IN ('hand_over', 'take_over')"
    for (body,) in books.rows(query):
        transfer = books.json(body)["transfer"]
        transfers[transfer["offer"]["id"]] = transfer
    expected: Counter[tuple[str, str, str]] = Counter()
    for transfer in transfers.values():
        ends = key(transfer["offer"]["giver_van_id"]), key(transfer["taker_van_id"])
        for line in transfer.get("lines", ()):
            expected[(*ends, line["sku"])] += line["quantity"]
    moved = {
        (source, target, sku): units
        for source, target, sku, units in books.rows(
            "SELECT source_id, target_id, sku, sum(quantity) FROM stock_move WHERE serial IS NULL"
            " AND cause IN (SELECT id FROM command WHERE type IN ('hand_over', 'take_over')) GROUP BY 1, 2, 3"
        )
    }
    require(moved == dict(expected), "ONE_EFFECT", f"handed over {dict(expected)}, moved {moved}")
    halves = books.rows("SELECT id FROM van_transfer WHERE NOT (given OR taken)")
    require(not halves, "ONE_EFFECT", f"transfers that nobody has signed: {halves}")


def a_visit_is_asked_for_once(books: Books) -> None:
    """ONE_EFFECT: each visit that was asked for, and accepted, is one new order, named on its job once."""
    asked: Counter[tuple[str, str]] = Counter()
    for order, body in books.rows(
        "SELECT work_order_id, body FROM command WHERE outcome = 'accepted' AND type = 'ask_for_visit'"
    ):
        asked[order, key(books.json(body)["new_order_id"])] += 1
    named: Counter[tuple[str, str]] = Counter()
    for order, text in books.rows("SELECT id, record FROM work_order"):
        for visit in (books.json(text) or {}).get("asked_for", ()):
            named[order, key(visit["order_id"])] += 1
    require(named == Counter(asked.keys()), "ONE_EFFECT", f"asked for {asked}, named on jobs {named}")
    there = {row[0] for row in books.rows("SELECT id FROM work_order")}
    gone = {new for _, new in asked} - there
    require(not gone, "ONE_EFFECT", f"asked for, and no work order: {gone}")


def promises_end_with_the_job(books: Books) -> None:
    """STOCK_RELEASED: no stock is promised to a job that is over."""
    kept = books.rows(
        "SELECT r.id FROM reservation r JOIN work_order w ON w.id = r.work_order_id"
        " WHERE r.released_at IS NULL AND w.state IN ('completed', 'unfinished', 'cancelled')"
    )
    require(not kept, "STOCK_RELEASED", kept)


def one_reorder(books: Books) -> None:
    """ONE_REORDER: at most one open order to a vendor."""
    twice = books.rows(
        "SELECT vendor_id FROM purchase_order WHERE state = 'draft' GROUP BY vendor_id HAVING count(*) > 1"
    )
    require(not twice, "ONE_REORDER", twice)


def a_fault_goes_back_once(books: Books) -> None:
    """ONE_EFFECT: each faulty device that a booking took off a wall has its RMA line, and no other has."""
    twice = books.rows("SELECT command_id, serial FROM rma_line GROUP BY 1, 2 HAVING count(*) > 1")
    require(not twice, "ONE_EFFECT", f"two RMA lines for one booking: {twice}")
    kept = {
        (order, serial): cause
        for order, serial, cause in books.rows("SELECT work_order_id, serial, cause FROM rma_line")
    }
    sound = {key: cause for key, cause in kept.items() if cause in SOUND}
    require(not sound, "ONE_EFFECT", f"RMA lines of devices that work: {sound}")
    for order, state, text in books.rows("SELECT id, state, record FROM work_order"):
        record = books.json(text) or {}
        for device in record.get("removed", ()) if state == "completed" else ():
            off = books.rows(
                "SELECT 1 FROM stock_move WHERE work_order_id = ? AND serial = ?", order, device["serial"]
            )
            if off and device.get("cause") not in (None, *SOUND):
                detail = f"{device['serial']} of {order} came off for {device['cause']}, without an RMA line"
                require((order, device["serial"]) in kept, "ONE_EFFECT", detail)


SOUND = ("upgrade", "customer_leaves", "other")
"""Causes of devices that work."""


def the_office_sees_what_is_held(books: Books) -> None:
    """INBOX: every refused command was put before the office, and none for a fault of our own."""
    unseen = books.rows(
        "SELECT c.id, c.slug FROM command c WHERE c.outcome = 'held' AND c.device_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM feed f WHERE f.scope = 'board' AND f.kind = 'command'"
        " AND replace(f.key, '-', '') = c.id)"
    )
    require(not unseen, "INBOX", unseen)
    faults = books.rows(
        "SELECT id, type, detail FROM command WHERE outcome = 'held' AND slug = 'server-fault'"
    )
    require(not faults, "NO_SURPRISE", f"held for a fault of our own: {faults}")


ALWAYS: tuple[Callable[[Books], None], ...] = (
    stock_is_conserved,
    money_is_balanced,
    every_close_is_billed_once,
    a_serial_has_one_place,
    effects_have_one_cause,
    a_record_has_no_doubles,
    what_was_recorded_is_told,
    a_count_moves_its_difference,
    a_transfer_is_booked_once,
    a_visit_is_asked_for_once,
    promises_end_with_the_job,
    one_reorder,
    a_fault_goes_back_once,
    the_office_sees_what_is_held,
)


def receipts_are_written(books: Books, response: SyncResponse) -> None:
    """NO_FALSE_ACK: what an answer says was decided is committed, with that outcome, before it leaves."""
    for receipt in response.receipts:
        if receipt.slug == "id-reused":
            continue  # kept under another id
        found = books.rows("SELECT outcome FROM command WHERE id = ?", key(receipt.command_id))
        kept = found[0][0] if found else None
        detail = f"{receipt.command_id}: said {receipt.outcome}, wrote {kept}"
        require(kept == receipt.outcome, "NO_FALSE_ACK", detail)


def every_tap_is_decided(books: Books, taps: Iterable[Tap]) -> None:
    """NO_INTENT_LOST: each tap is in the log with its very bytes, accepted or held, once."""
    for tap in taps:
        found = books.rows("SELECT outcome, body, seq FROM command WHERE id = ?", key(tap.id))
        require(len(found) == 1, "NO_INTENT_LOST", f"{tap.type} {tap.id} of {tap.at} is not in the log")
        outcome, body, _ = found[0]
        require(outcome in ("accepted", "held"), "NO_INTENT_LOST", f"{tap.id} ended as {outcome}")
        require(body.encode() == tap.body, "NO_INTENT_LOST", f"{tap.id} was kept with another content")
    notes = [tap for tap in taps if tap.note is not None]
    for tap in notes:
        outcome = books.value("SELECT outcome FROM command WHERE id = ?", key(tap.id))
        record = books.json(
            books.value("SELECT record FROM work_order WHERE id = ?", key(tap.order_id or ""))
        )
        texts = [note["text"] for note in record.get("notes", ())]
        expected = 1 if outcome == "accepted" else 0
        require(
            texts.count(tap.note) == expected or (outcome == "held" and texts.count(tap.note) <= 1),
            "ONE_EFFECT",
            f"note {tap.note!r} of {outcome} {tap.id} is {texts.count(tap.note)} times on its order",
        )


def work_keeps_its_name(books: Books, taps: Iterable[Tap]) -> None:
    """OWN_NAME: a command in the log is theirs whose phone it was at the tap, whoever has the phone now."""
    query = "SELECT d.technician_id FROM command c JOIN device d ON d.id = c.device_id WHERE c.id = ?"
    for tap in taps:
        for (technician,) in books.rows(query, key(tap.id)):
            detail = f"{tap.type} {tap.id} of {tap.technician_id} is booked as {technician}'s"
            require(technician == key(tap.technician_id), "OWN_NAME", detail)


def the_queue_came_before_the_end(books: Books, handset: Handset) -> None:
    """WIPED: what waited when the order to erase was fetched is in the log; what is erased is confirmed."""
    for erased in handset.erased:
        if erased.heard:  # nobody waits for a server that can't be reached
            every_tap_is_decided(books, [tap for tap in erased.taps if tap.at < erased.asked_at])
    for device_id in handset.wipe_ordered:
        wiped = books.value("SELECT wiped_at FROM device WHERE id = ?", key(device_id))
        present = handset.device_id == device_id  # a registration from before has nothing left to confirm
        require(wiped or not present, "WIPED", f"{handset.name} was never erased")


def clocks_are_bounded(books: Books, taps: Iterable[Tap]) -> None:
    """CLOCK_BOUNDED: when a thing happened is right to minutes, whatever the phone's clock said meanwhile."""
    for tap in taps:
        if not tap.clock_stood:
            continue
        found = books.rows("SELECT happened_at, decided_at FROM command WHERE id = ?", key(tap.id))
        if not found:
            continue
        happened = datetime.fromisoformat(f"{found[0][0]}+00:00")
        error = abs(happened - tap.at)
        detail = f"{tap.id} happened at {tap.at}, the log says {happened} (clock was off by {tap.skew})"
        require(error <= CLOCK_ERROR_MAX, "CLOCK_BOUNDED", detail)


def pictures_arrived(books: Books, folder: Path, handset: Handset) -> None:
    """BLOB_EXACT: the bytes of every picture came under the name of who took it, and are unchanged."""
    for tap in handset.taps.values():
        if tap.digest is None:
            continue
        file = folder / tap.digest[:2] / tap.digest
        known = books.rows("SELECT size_bytes FROM attachment WHERE digest = ?", tap.digest)
        require(known and file.exists(), "BLOB_EXACT", f"{handset.name}: {tap.digest} did not arrive")
        exact = sha256(file.read_bytes()).hexdigest() == tap.digest
        require(exact, "BLOB_EXACT", f"{tap.digest} has other bytes")
        theirs = books.rows(
            "SELECT arrived_at FROM evidence WHERE digest = ? AND technician_id = ?",
            tap.digest,
            key(tap.technician_id),
        )
        detail = f"{handset.name}: {tap.digest} of {tap.technician_id} still counts as missing"
        require(theirs and theirs[0][0], "BLOB_EXACT", detail)


class FeedReader:
    """FEED_ORDER: a reader that follows the feed from its start sees every row once, in commit order."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._last = 0
        self._seen: list[tuple[int, int]] = []

    def follow(self) -> None:
        fresh = [
            row[0] for row in self._books.rows("SELECT seq FROM feed WHERE seq > ? ORDER BY seq", self._last)
        ]
        total = self._books.value("SELECT count(*) FROM feed")
        self._last = fresh[-1] if fresh else self._last
        self._seen.extend((seq, 1) for seq in fresh)
        detail = f"{total} rows are there, a reader by number saw {len(self._seen)}"
        require(total == len(self._seen), "FEED_ORDER", detail)

    def start_over(self) -> None:
        self._last, self._seen = 0, []

    def has_seen_everything(self, database: Database) -> None:
        """The product's own way of reading, page by page over all scopes, gives the same rows."""
        scopes = [row[0] for row in self._books.rows("SELECT DISTINCT scope FROM feed ORDER BY scope")]
        position, read = feed.Position(), []
        while True:
            with database.read() as session:
                page = feed.read(session, scopes, position, limit=97)
            if not page:
                break
            read += [change.position.seq for change in page]
            position = page[-1].position
        require(read == [seq for seq, _ in self._seen], "FEED_ORDER", "pages and rows differ")


__all__ = ["ALWAYS", "FeedReader"]
