"""Pull by itself: a snapshot, then increments, and what left the scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from situations import a_device, an_order

from shared.assets import Asset
from shared.work_orders import WorkOrder
from sync.protocol import Gone, decode_image
from sync.server.ports import Change, Found, Key, Look
from sync.server.pull import Page, pull

ORDER, DEVICE = an_order(), a_device()
JOB: Key = ("work_order", str(ORDER.id))
ONT: Key = ("asset", DEVICE.serial)


HISTORY = "epoch-20261116-van"


class Source:
    """What one device may see; `log` is the feed, and a position is an index of it."""

    def __init__(
        self,
        rows: dict[Key, WorkOrder | Asset],
        log: Sequence[Key] = (),
        page: int = 10,
        missing: Sequence[str] = (),
    ) -> None:
        self.rows, self.log, self.page, self.missing = rows, list(log), page, missing

    def look(self, position: str | None) -> Look:
        if position is None or not position.isdigit():
            return Look(history=HISTORY, changes=None, more=False, wanting=bool(self.missing))
        start = int(position)
        keys = self.log[start : start + self.page]
        changes = [Change(position=str(start + at), key=key) for at, key in enumerate(keys, start=1)]
        more = len(keys) == self.page
        return Look(history=HISTORY, changes=changes, more=more, wanting=bool(self.missing))

    def head(self) -> str:
        return str(len(self.log))

    def everything(self) -> Mapping[Key, WorkOrder | Asset]:
        return self.rows

    def images(self, keys: Iterable[Key]) -> Found:
        asked = list(keys)
        return Found(
            images={key: self.rows[key] for key in asked if key in self.rows},
            gone=[key for key in asked if key not in self.rows],
        )

    def missing_evidence(self) -> Sequence[str]:
        return self.missing


def at(page: Page) -> list[Key]:
    return [(row.kind, row.key) for row in page.rows]


def jobs(count: int) -> dict[Key, WorkOrder | Asset]:
    found = {}
    for number in range(count):
        order = replace(an_order(), id=UUID(int=number))
        found["work_order", str(order.id)] = order
    return found


class TestPull:
    def test_without_a_cursor_gives_a_snapshot_and_where_to_go_on(self):
        page = pull(Source({ONT: DEVICE, JOB: ORDER}, [JOB, JOB]), None)
        assert (page.reset, page.more, page.gone) == (True, False, ())
        assert at(page) == [JOB, ONT], "what is needed first comes first"
        assert page.cursor == f"{HISTORY}.2"
        assert decode_image("work_order", page.rows[0].body) == ORDER
        assert decode_image("asset", page.rows[1].body) == DEVICE

    def test_with_a_cursor_gives_what_changed_once_however_often_it_did(self):
        source = Source({JOB: ORDER, ONT: DEVICE}, [JOB, ONT, ONT, ONT])
        page = pull(source, f"{HISTORY}.1")
        assert (at(page), page.reset, page.cursor) == ([ONT], False, f"{HISTORY}.4")

    def test_names_what_left_the_scope(self):
        page = pull(Source({ONT: DEVICE}, [JOB, ONT]), f"{HISTORY}.0")
        assert page.gone == (Gone(kind="work_order", key=str(ORDER.id)),)
        assert at(page) == [ONT]

    def test_brings_the_rows_of_the_devices_own_push_before_the_feed_may(self):
        page = pull(Source({JOB: ORDER}, []), f"{HISTORY}.0", touched=[JOB])
        assert (at(page), page.cursor) == ([JOB], f"{HISTORY}.0")

    def test_asks_for_evidence_that_was_named_and_has_not_come(self):
        source = Source({JOB: ORDER}, [], missing=["ab" * 32])
        assert pull(source, f"{HISTORY}.0").missing_evidence == ("ab" * 32,)
        assert pull(source, None).missing_evidence == ("ab" * 32,)
        assert pull(Source({JOB: ORDER}, []), f"{HISTORY}.0").missing_evidence == ()

    def test_goes_page_by_page(self):
        source = Source({JOB: ORDER, ONT: DEVICE}, [JOB, JOB, ONT], page=2)
        first = pull(source, f"{HISTORY}.0")
        second = pull(source, first.cursor)
        assert (at(first), first.more) == ([JOB], True)
        assert (at(second), second.more) == ([ONT], False)

    def test_of_another_history_or_an_unreadable_place_starts_over(self):
        source = Source({JOB: ORDER}, [JOB])
        unreadable = ("", "1", "other-20261116-van.1", "epoch-20261117-van.1", f"{HISTORY}.x", HISTORY)
        for cursor in unreadable:
            page = pull(source, cursor)
            assert (page.reset, page.cursor) == (True, f"{HISTORY}.1"), cursor


class TestOverAThinLine:
    """`page_bytes` keeps an answer short; every page gets somewhere."""

    BUDGET = 4 * 1024

    def pages(self, source: Source, cursor: str | None) -> list[Page]:
        found = [pull(source, cursor, page_bytes=self.BUDGET)]
        while found[-1].more:
            found.append(pull(source, found[-1].cursor, page_bytes=self.BUDGET))
            assert found[-1].cursor != found[-2].cursor
        return found

    def test_a_snapshot_comes_in_pages_each_row_once(self):
        source = Source(jobs(40), [])
        pages = self.pages(source, None)
        assert len(pages) > 3
        assert [page.reset for page in pages] == [True] + [False] * (len(pages) - 1)
        assert [key for page in pages for key in at(page)] == sorted(source.rows)
        assert all(sum(len(bytes(row.body)) for row in page.rows) <= self.BUDGET for page in pages)
        assert pages[-1].cursor == f"{HISTORY}.0"

    def test_what_changes_while_a_snapshot_is_under_way_comes_after_it(self):
        source = Source(jobs(40), [JOB, JOB])
        first = pull(source, None, page_bytes=self.BUDGET)
        changed = sorted(source.rows)[0]
        source.log.append(changed)
        rest = self.pages(source, first.cursor)
        assert rest[-1].cursor == f"{HISTORY}.2"
        assert at(pull(source, rest[-1].cursor)) == [changed]

    def test_changes_come_in_pages_too_and_the_cursor_stands_behind_the_last_one_sent(self):
        source = Source(jobs(40), [])
        source.log = sorted(source.rows)
        source.page = 100
        pages = self.pages(source, f"{HISTORY}.0")
        assert len(pages) > 3
        assert [key for page in pages for key in at(page)] == source.log
        assert pages[0].cursor == f"{HISTORY}.{len(pages[0].rows)}"

    def test_a_row_larger_than_a_page_comes_alone(self):
        large = replace(ORDER, summary="x" * 2 * self.BUDGET)
        source = Source({JOB: large, ONT: DEVICE}, [JOB, ONT])
        assert [at(page) for page in self.pages(source, None)] == [[JOB], [ONT]]
        assert [at(page) for page in self.pages(source, f"{HISTORY}.0")] == [[JOB], [ONT]]
