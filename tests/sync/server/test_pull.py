"""Pull by itself: a snapshot, then increments, and what left the scope."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from situations import a_device, an_order

from shared.assets import Asset
from shared.work_orders import WorkOrder
from sync.protocol import Gone, decode_image
from sync.server.ports import Changes, Key
from sync.server.pull import Page, pull

ORDER, DEVICE = an_order(), a_device()
JOB: Key = ("work_order", str(ORDER.id))
ONT: Key = ("asset", DEVICE.serial)


class Source:
    """What one device may see; `log` is the feed, and a position is an index of it."""

    history = "epoch-20261116-van"

    def __init__(self, rows: dict[Key, WorkOrder | Asset], log: Sequence[Key] = (), page: int = 10) -> None:
        self.rows, self.log, self.page = rows, list(log), page

    def head(self) -> str:
        return str(len(self.log))

    def changes(self, after: str) -> Changes:
        start = int(after)
        keys = self.log[start : start + self.page]
        return Changes(keys=keys, position=str(start + len(keys)), more=len(keys) == self.page)

    def everything(self) -> Mapping[Key, WorkOrder | Asset]:
        return self.rows

    def images(self, keys: Iterable[Key]) -> Mapping[Key, WorkOrder | Asset]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    def missing_evidence(self) -> Sequence[str]:
        return ["ab" * 32]


def at(page: Page) -> list[Key]:
    return [(row.kind, row.key) for row in page.rows]


class TestPull:
    def test_without_a_cursor_gives_a_snapshot_and_where_to_go_on(self):
        page = pull(Source({JOB: ORDER, ONT: DEVICE}, [JOB, JOB]), None)
        assert (page.reset, page.more, page.gone) == (True, False, ())
        assert at(page) == [JOB, ONT]
        assert page.cursor == "epoch-20261116-van.2"
        assert page.missing_evidence == ("ab" * 32,)
        assert decode_image("work_order", page.rows[0].body) == ORDER
        assert decode_image("asset", page.rows[1].body) == DEVICE

    def test_with_a_cursor_gives_what_changed_once_however_often_it_did(self):
        source = Source({JOB: ORDER, ONT: DEVICE}, [JOB, ONT, ONT, ONT])
        page = pull(source, "epoch-20261116-van.1")
        assert (at(page), page.reset, page.cursor) == ([ONT], False, "epoch-20261116-van.4")

    def test_names_what_left_the_scope(self):
        page = pull(Source({ONT: DEVICE}, [JOB, ONT]), "epoch-20261116-van.0")
        assert page.gone == (Gone(kind="work_order", key=str(ORDER.id)),)
        assert at(page) == [ONT]

    def test_brings_the_rows_of_the_devices_own_push_before_the_feed_may(self):
        page = pull(Source({JOB: ORDER}, []), "epoch-20261116-van.0", touched=[JOB])
        assert (at(page), page.cursor) == ([JOB], "epoch-20261116-van.0")

    def test_goes_page_by_page(self):
        source = Source({JOB: ORDER, ONT: DEVICE}, [JOB, JOB, ONT], page=2)
        first = pull(source, "epoch-20261116-van.0")
        second = pull(source, first.cursor)
        assert (at(first), first.more) == ([JOB], True)
        assert (at(second), second.more) == ([ONT], False)

    def test_of_another_history_or_an_unreadable_place_starts_over(self):
        source = Source({JOB: ORDER}, [JOB])
        for cursor in ("", "1", "other-20261116-van.1", "epoch-20261117-van.1", "epoch-20261116-van.x"):
            page = pull(source, cursor)
            assert (page.reset, page.cursor) == (True, "epoch-20261116-van.1"), cursor
