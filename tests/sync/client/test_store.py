"""What the phone's database promises: all or nothing, whatever statement fails, now and after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from fake_server import (
    JPEG,
    MORNING,
    PNG,
    TECH_ANA,
    TECH_BEN,
    WO_1,
    Clock,
    FakeServer,
    Network,
    a_town,
    counted_entropy,
    do_whole_job,
    uid,
)

from mobile.gateway import Gateway
from shared.commands import AddEvidence, AddNote
from shared.problems import Malformed
from shared.work_orders import EvidenceKind
from sync.client.records import NewCommand, NewerStore, NewEvidence, NotSaved, Registration
from sync.client.schema import MIGRATIONS
from sync.client.store import ClientStore
from sync.protocol import Gone, PushedCommand, Receipt, Row, SyncResponse, decode_response, encode, row_of

ANA = Registration(device_id=uid(901), token="t", technician_id=TECH_ANA, technician_name="Ana")
DIGEST = sha256(JPEG).hexdigest()


class Fuse:
    """Blows at the `left`-th statement: once, or for good, as when the power goes."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.for_good = False

    def spend(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left == 0 or (self.left < 0 and self.for_good):
            raise sqlite3.OperationalError("disk I/O error")


class FusedConnection(sqlite3.Connection):
    fuse: Fuse

    def execute(self, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
        self.fuse.spend()
        return super().execute(*args)  # type: ignore[arg-type]

    def executemany(self, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
        self.fuse.spend()
        return super().executemany(*args)  # type: ignore[arg-type]


@contextmanager
def opened(path: Path, fuse: Fuse | None = None) -> Iterator[ClientStore]:
    connection = sqlite3.connect(path, factory=FusedConnection)
    connection.fuse = fuse or Fuse()
    with closing(connection):
        yield ClientStore(connection)


def dump(path: Path) -> list[str]:
    """Everything in the file, by an ordinary connection."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def a_note(number: int, text: str = "gate code 1234") -> NewCommand:
    return NewCommand(
        id=uid(5000 + number),
        made_at=MORNING + timedelta(minutes=number),
        base_version=3,
        order_number="WO-101",
        command=AddNote(work_order_id=WO_1, text=text),
    )


def a_photo(number: int, body: bytes = JPEG) -> tuple[NewCommand, NewEvidence]:
    command = AddEvidence(
        work_order_id=WO_1,
        kind=EvidenceKind.PHOTO,
        digest=sha256(body).hexdigest(),
        size_bytes=len(body),
        media_type="image/jpeg",
        taken_at=MORNING,
    )
    return replace(a_note(number), command=command), NewEvidence(
        digest=command.digest, media_type="image/jpeg", body=body
    )


def accepted(*numbers: int) -> tuple[Receipt, ...]:
    return tuple(
        Receipt(command_id=uid(5000 + number), outcome="accepted", decided_at=MORNING) for number in numbers
    )


def an_answer(**more: object) -> SyncResponse:
    rows = tuple(row_of("work_order", order) for order in a_town().orders.values())
    values: dict[str, object] = {"cursor": "c1", "rows": rows}
    return SyncResponse(protocol=1, server_now=MORNING, **{**values, **more})  # type: ignore[arg-type]


def take_in(store: ClientStore, response: SyncResponse) -> None:
    store.apply(response, received_at=MORNING, clock_offset=timedelta(seconds=7))


WRITES: dict[str, Callable[[ClientStore], object]] = {
    "register": lambda store: store.register(replace(ANA, technician_id=TECH_BEN)),
    "refusal": lambda store: store.keep_refusal("The office signed this device out"),
    "command": lambda store: store.enqueue(a_note(7)),
    "photo": lambda store: store.enqueue(*a_photo(8, PNG)),
    "answer": lambda store: take_in(
        store,
        an_answer(
            receipts=accepted(1, 2),
            cursor="c2",
            reset=True,
            gone=(Gone(kind="product", key="CAB-DROP"),),
            missing_evidence=(DIGEST,),
        ),
    ),
    "a restored server's answer": lambda store: take_in(
        store, an_answer(receipts=accepted(1), cursor="c2", reset=True, more=True, epoch="after", token="t2")
    ),
    "part of a photo": lambda store: store.shelf.keep_progress(DIGEST, "/api/uploads/x", 7),
    "another's receipts": lambda store: store.apply_aside(TECH_ANA, accepted(1, 2), (DIGEST,)),
    "another's erasure": lambda store: store.give_up_aside(TECH_ANA),
    "the token before": lambda store: store.step_back("t0"),
    "offered": lambda store: store.mark_offered(DIGEST),
    "bad bytes": lambda store: store.count_refusal(DIGEST, "That file is no picture"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a registration, rows, three unsent commands and a photo whose command was accepted."""
    path = tmp_path / "phone.db"
    with opened(path) as store:
        store.register(ANA)
        products = [row_of("product", product) for product in a_town().products.values()]
        store.enqueue(*a_photo(0))
        take_in(store, an_answer(receipts=accepted(0), rows=tuple(products), epoch="before"))
        for number in (1, 2, 3):
            store.enqueue(a_note(number))
    return path


class TestEveryWriteIsAllOrNothing:
    @pytest.mark.parametrize("write", WRITES)
    @pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
    def test_whichever_statement_fails(self, path: Path, tmp_path: Path, write: str, for_good: bool):
        before = dump(path)
        whole = tmp_path / "whole.db"
        whole.write_bytes(path.read_bytes())
        with opened(whole) as store:
            WRITES[write](store)
        after = dump(whole)
        assert after != before
        outcomes = []
        for statement in range(1, 200):
            broken = tmp_path / f"broken-{statement}.db"
            broken.write_bytes(path.read_bytes())
            fuse = Fuse()
            with opened(broken, fuse) as store:
                fuse.left, fuse.for_good = statement, for_good
                try:
                    WRITES[write](store)
                    outcome = "saved"
                except (NotSaved, sqlite3.OperationalError):
                    outcome = "failed"
            found = dump(broken)
            assert found == (after if outcome == "saved" else before), (
                f"half written at statement {statement}"
            )
            if outcome == "failed":  # it opens again, and the same write does what it would have done
                with opened(broken) as store:
                    WRITES[write](store)
                assert dump(broken) == after
            broken.unlink()
            outcomes.append(outcome)
            if outcome == "saved" and fuse.left is not None and fuse.left > 0:
                break
        assert outcomes[0] == "failed"
        assert outcomes[-1] == "saved"

    @pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
    def test_an_erasure_is_whole_or_has_not_begun(self, path: Path, tmp_path: Path, for_good: bool):
        """Overwriting what was erased may fail; the next start does it."""
        before, whole = dump(path), tmp_path / "whole.db"
        whole.write_bytes(path.read_bytes())
        with opened(whole) as store:
            store.wipe("Erased")
            assert (store.registration, store.entries(), store.refusal) == (None, [], "Erased")
            assert (store.wiped_token, store.counts().unsent_photos) == ("t", 0)
        after, statement, seen = dump(whole), 0, set()
        while "whole" not in seen:
            statement += 1
            broken, fuse = tmp_path / f"broken-{statement}.db", Fuse()
            broken.write_bytes(path.read_bytes())
            with opened(broken, fuse) as store:
                fuse.left, fuse.for_good = statement, for_good
                try:
                    store.wipe("Erased")
                    seen.add("whole")
                except (NotSaved, sqlite3.OperationalError):
                    pass
            if dump(broken) == before:
                seen.add("not begun")
                continue
            with opened(broken):
                seen.add("erased")
            assert dump(broken) == after
            assert JPEG not in broken.read_bytes()
        assert seen == {"not begun", "erased", "whole"}

    def test_after_one_failure_the_same_store_goes_on(self, path: Path):
        fuse = Fuse()
        with opened(path, fuse) as store:
            fuse.left = 2
            with pytest.raises(NotSaved, match="disk I/O error"):
                store.enqueue(a_note(4))
            assert store.enqueue(a_note(4)) == 5

    def test_a_rollback_that_fails_too_is_made_up_for(self, path: Path):
        fuse = Fuse()
        with opened(path, fuse) as store:
            fuse.left, fuse.for_good = 3, True
            with pytest.raises(NotSaved):
                store.enqueue(a_note(4))
            fuse.left = None
            assert store.enqueue(a_note(5)) == 5
            assert [entry.id for entry in store.unsent()] == [uid(5000 + number) for number in (1, 2, 3, 5)]

    @pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
    def test_creating_the_tables_too(self, tmp_path: Path, for_good: bool):
        with opened(tmp_path / "good.db"):
            pass
        for statement in range(1, 40):
            path, fuse = tmp_path / f"{statement}.db", Fuse()
            fuse.left, fuse.for_good = statement, for_good
            try:
                with opened(path, fuse):
                    pass
            except (NotSaved, sqlite3.OperationalError):
                with opened(path):
                    pass
            assert dump(path) == dump(tmp_path / "good.db")
        assert fuse.left is not None and fuse.left > 0

    def test_it_asks_the_disk_after_each_write(self, path: Path):
        flushed: list[int] = []
        with closing(sqlite3.connect(path)) as connection:
            store = ClientStore(connection, lambda: flushed.append(1))
            for number, write in enumerate(WRITES.values(), start=2):
                write(store)
                assert len(flushed) == number
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


class TestReopening:
    def test_finds_everything_as_it_was(self, path: Path):
        with opened(path) as store:
            before = (store.registration, store.cursor, store.images(), store.entries(), store.counts())
        with opened(path) as store:
            after = (store.registration, store.cursor, store.images(), store.entries(), store.counts())
            assert after == before
            assert (store.registration, store.cursor, store.clock_offset) == (ANA, "c1", timedelta(seconds=7))
            assert [entry.seq for entry in store.unsent()] == [2, 3, 4]

    def test_sends_the_very_bytes_that_were_queued(self, path: Path):
        with opened(path) as store:
            [sent] = store.due(1)
            assert sent == PushedCommand(
                id=uid(5001),
                seq=2,
                type="add_note",
                schema=1,
                made_at=MORNING + timedelta(minutes=1),
                base_version=3,
                body=sent.body,
                technician_id=TECH_ANA,
            )
            assert bytes(sent.body) == encode(a_note(1).command)

    def test_a_newer_apps_file_is_left_alone(self, path: Path):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        before = dump(path)
        with pytest.raises(NewerStore, match="Update the app"), opened(path):
            pass
        assert dump(path) == before

    def test_a_number_is_never_given_out_twice(self, path: Path):
        with opened(path) as store:
            response = an_answer(receipts=accepted(1, 2, 3))
            take_in(store, response)
            store.apply(response, received_at=MORNING + timedelta(days=99), clock_offset=timedelta())
            assert store.entries() == []
        with opened(path) as store:
            assert store.enqueue(a_note(4)) == 5

    def test_a_command_that_this_app_cannot_read_is_still_sent(self, path: Path):
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE command SET type = 'fly_there' WHERE seq = 2")
        with opened(path) as store:
            assert (store.unsent()[0].command, store.due()[0].type) == (None, "fly_there")


class TestTakingInAnAnswer:
    def test_the_first_receipt_counts(self, path: Path):
        with opened(path) as store:
            take_in(store, an_answer(receipts=accepted(1)))
            held = replace(accepted(1)[0], outcome="held", detail="no")
            applied = store.apply(an_answer(receipts=(held,)), received_at=MORNING, clock_offset=timedelta())
            assert (applied.accepted, applied.held) == (0, 0)
            assert [entry.outcome for entry in store.entries()] == ["accepted", "accepted", None, None]

    def test_a_receipt_for_somebody_elses_command_says_nothing(self, path: Path):
        before = dump(path)
        with opened(path) as store:
            take_in(store, an_answer(receipts=accepted(99), rows=()))
        assert dump(path) == before

    def test_a_row_that_cannot_be_read_changes_nothing(self, path: Path):
        before = dump(path)
        broken = Row(kind="work_order", key="x", body=row_of("product", a_town().products["ONT-G2"]).body)
        with opened(path) as store, pytest.raises(Malformed):
            take_in(store, an_answer(receipts=accepted(1), rows=(broken,)))
        assert dump(path) == before

    def test_a_row_of_a_kind_from_the_future_is_kept_for_it(self, path: Path):
        wire = encode(an_answer()).replace(b'"rows":[', b'"rows":[{"kind":"drone","key":"d","body":{"a":1}},')
        with opened(path) as store:
            take_in(store, decode_response(wire))
            assert len(store.images().orders) == 3
        assert sum("drone" in line for line in dump(path)) == 1

    def test_a_reset_drops_all_but_what_unsent_work_speaks_of(self, path: Path):
        with opened(path) as store:
            take_in(store, an_answer())
            take_in(store, an_answer(rows=(), reset=True))
            assert (list(store.images().orders), store.images().products) == ([WO_1], {})
            take_in(store, an_answer(rows=(), receipts=accepted(1, 2)))
            assert list(store.images().orders) == [WO_1]
            take_in(store, an_answer(rows=(), receipts=accepted(3)))
            assert store.images().orders == {}

    def test_an_accepted_command_is_replayed_until_its_row_has_come(self, path: Path):
        with opened(path) as store:
            take_in(store, an_answer(receipts=accepted(1, 2, 3), rows=(), more=True))
            assert len(store.to_replay()) == 3
            take_in(store, an_answer(more=True))
            assert store.to_replay() == []


class TestRestartAnywhere:
    """The app is killed in the midst of a day's work, anywhere; what it acknowledged is never lost."""

    @pytest.mark.parametrize("part", range(4))
    def test_what_was_acknowledged_reaches_the_server_once(self, tmp_path: Path, part: int):
        statement, step, done = 1 + 5 * part, 20, False
        while not done:
            path, clock, entropy = tmp_path / f"{statement}.db", Clock(), counted_entropy()
            server = FakeServer(clock)
            network, fuse = Network(server), Fuse()

            def start(store: ClientStore, network=network, clock=clock, entropy=entropy) -> Gateway:
                return Gateway(store, network, now=clock, entropy=entropy)

            with opened(path) as store:
                gateway = start(store)
                asyncio.run(gateway.register("ANA-0001", "x", "test"))
                asyncio.run(gateway.sync())
            with opened(path, fuse) as store:
                gateway = start(store)
                fuse.left, fuse.for_good = statement, True
                try:
                    do_whole_job(gateway, WO_1, "ZNTS00000001")
                    asyncio.run(gateway.sync())
                    done = fuse.left > 0
                except (NotSaved, sqlite3.OperationalError):
                    pass
            with opened(path) as store:
                gateway = start(store)
                queued = {item.id for item in gateway.queue()}
                while not asyncio.run(gateway.sync()).drained:
                    pass
                assert set(server.receipts) == queued
                assert {item.state for item in gateway.queue()} <= {"accepted"}
                assert gateway.order(WO_1) == server.town.orders[WO_1]
            statement += step
        assert statement > 60


class TestMakingRoom:
    def test_gives_up_the_oldest_photos_that_the_office_has_and_never_what_it_lacks(self, path: Path):
        bodies = [JPEG + bytes([number]) * 5000 for number in range(4)]
        digests = [sha256(body).hexdigest() for body in bodies]
        with opened(path) as store:
            store.mark_offered(DIGEST)
            for number, body in enumerate(bodies, start=10):
                store.enqueue(*a_photo(number, body))
            take_in(store, an_answer(receipts=accepted(10, 11, 12)))
            for digest in digests[:2]:
                store.mark_offered(digest)
            take_in(store, an_answer(missing_evidence=(digests[2],)))
            rows, unsent = store.images().orders, store.counts()

            assert store.shelf.give_up_oldest(len(JPEG) + 1) == len(JPEG) + len(bodies[0])
            assert store.reusable() >= 4096
            assert store.shelf.give_up_oldest(10**9) == len(bodies[1])  # and no more, however much is wanted

            held = [digest for digest in (DIGEST, *digests) if store.evidence(digest)]
            assert held == digests[2:]  # one was not sent yet, of the other not even its command
            assert (store.images().orders, store.counts()) == (rows, unsent)
        with opened(path) as store:
            assert store.shelf.give_up_oldest(10**9) == 0
