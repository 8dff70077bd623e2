"""When each invariant is looked at. What they say is in scope.py, phones_hold.py and books_hold.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulation import books_hold, phones_hold, scope, town
from simulation.handset import Handset
from simulation.violation import require

from server.db.engine import Database
from server.inbox import waiting
from server.replay import compare, replay
from sync.protocol import SyncResponse

if TYPE_CHECKING:
    from simulation.run import Simulation


REPLAYED_EVERY = 3
"""One run in so many has its log replayed, for that takes as long as the commands took."""


class Inspector:
    """Looks at every answer as it is made, at every phone as it hears one, at the books every two hours."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation
        self.checks = 0
        self.restores = 0
        self.replays = 0
        self._feed = books_hold.FeedReader(simulation.books)
        self._memories: dict[str, phones_hold.Memory] = {}
        simulation.host.observe.append(self._answer_made)

    def watch(self, handset: Handset) -> None:
        self._memories[handset.name] = phones_hold.Memory()
        handset.on_booted.append(self._phone_started)
        handset.on_synced.append(self._phone_heard)

    def _answer_made(self, token: str | None, body: bytes, response: SyncResponse) -> None:
        self.checks += 4
        sim = self._sim
        scope.nothing_outside_the_scope(sim.books, sim.world.settings.zone, token, response, sim.now())
        books_hold.receipts_are_written(sim.books, response)
        self._feed.follow()

    def _phone_started(self, handset: Handset) -> None:
        self.checks += 1
        phones_hold.every_tap_is_on_the_disk(handset)

    def _phone_heard(self, handset: Handset) -> None:
        self.checks += 5
        memory = self._memories[handset.name]
        phones_hold.every_tap_is_on_the_disk(handset)
        phones_hold.work_waits_with_its_job(handset)
        phones_hold.only_the_server_acknowledges(handset, self._sim.books, restored=self.restores > 0)
        phones_hold.never_goes_back(handset, memory)
        phones_hold.own_work_is_shown(handset)

    def now_and_then(self) -> None:
        sim = self._sim
        for holds in books_hold.ALWAYS:
            self.checks += 1
            holds(sim.books)
        for handset in sim.handsets:
            self.checks += 1
            gone = (tap for erased in handset.erased for tap in erased.taps)
            books_hold.work_keeps_its_name(sim.books, (*handset.taps.values(), *gone))
        began = sim.books.value("SELECT count(*) FROM feed WHERE topic = 'HistoryBegan'")
        require(began <= self.restores, "EPOCH", f"{began} new epochs after {self.restores} restores")

    def before_restore(self) -> None:
        self._feed.start_over()

    def after_restore(self) -> None:
        self.restores += 1
        for memory in self._memories.values():
            memory.versions.clear()

    def at_the_end(self) -> None:
        sim = self._sim
        self.now_and_then()
        self._feed.follow()
        self._feed.has_seen_everything(sim.host.database)
        made = {id: tap for handset in sim.handsets for id, tap in handset.taps.items()}
        books_hold.clocks_are_bounded(sim.books, made.values())
        for handset in sim.handsets:
            self.checks += 1
            books_hold.the_queue_came_before_the_end(sim.books, handset)
        for handset in sim.handsets:
            if handset.lost:
                continue
            self.checks += 5
            phones_hold.every_tap_is_on_the_disk(handset)
            books_hold.every_tap_is_decided(sim.books, handset.taps.values())
            phones_hold.only_the_server_acknowledges(handset, sim.books, restored=False)
            phones_hold.converged(handset, sim.host.database, sim.world.settings, sim.now())
            books_hold.pictures_arrived(sim.books, sim.world.settings.attachments, handset)
        self.checks += 2
        the_inbox_lists_what_is_held(sim)
        sim.mailroom.empties()
        if sim.schedule.seed % REPLAYED_EVERY == 0:
            self.checks += 1
            self.replays += 1
            the_log_rebuilds_the_state(sim)


def the_inbox_lists_what_is_held(sim: Simulation) -> None:
    """INBOX: the office's list of what is undecided has each held command once, and nothing else."""
    with sim.host.database.read() as session:
        lines = waiting.lines(session, sim.now(), state="open", limit=10_000)
    listed = sorted(line.id.hex for line in lines)
    held = sim.books.held_and_open()
    require(listed == held, "INBOX", f"listed or held, not both: {sorted({*listed} ^ {*held})[:5]}")


def the_log_rebuilds_the_state(sim: Simulation) -> None:
    """REPLAYS: the log decided again in an empty database gives every table as it is."""
    file = sim.folder / "again.db"
    file.write_bytes(town.empty_database())
    fresh = Database(f"sqlite:///{file}")
    try:
        replay(sim.host.database, fresh, sim.world.settings)
        for table in compare(sim.host.database, fresh):
            require(table.equal, "REPLAYS", f"{table.name}: {table.differences}")
    finally:
        fresh.close()
