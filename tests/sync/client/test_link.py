"""What the phone learns about its line, and what follows for sizes and patience."""

from __future__ import annotations

import pytest

from sync.client.link import Link

SLOW = Link(up=4_000, down=4_000, round_trip=2.0)


class TestWhatIsMeasured:
    def test_the_shortest_round_trip_is_the_way_itself(self):
        link = Link()
        for seconds in (6.2, 2.1, 12.0):  # a new connection and a lost packet made two of them longer
            link = link.measured(sent=300, received=400, seconds=seconds)
        assert link.round_trip == pytest.approx(0.6 * 2.1 + 0.4 * 12.0)
        assert link.measured(sent=300, received=400, seconds=2.1).round_trip == 2.1

    def test_many_bytes_tell_how_wide_it_is_without_the_way(self):
        link = Link(round_trip=2.0).measured(sent=40_000, received=0, seconds=7.0)
        assert (link.up, link.down) == (8_000, None)


class TestPieces:
    @pytest.mark.parametrize(
        ("link", "chunk", "page"),
        [
            (Link(), 64_000, 0),
            (Link(up=8_000, down=8_000, round_trip=0.1), 40_000, 40_000),
            (Link(up=8_000, down=8_000, round_trip=2.0), 64_000, 64_000),  # eight seconds, not five
            (Link(up=8_000, down=8_000, round_trip=9.0), 80_000, 80_000),  # a tap waits no longer
            (Link(up=10, down=10, round_trip=2.0), 16_000, 8_000),
            (Link(up=1e9, down=1e9, round_trip=0.01), 1_000_000, 1_000_000),
        ],
    )
    def test_are_what_passes_in_a_few_seconds_and_in_several_round_trips(
        self, link: Link, chunk: int, page: int
    ):
        assert (link.chunk_bytes, link.page_bytes) == (chunk, page)


class TestPatience:
    def test_is_for_the_bytes_of_this_request_and_of_its_answer(self):
        assert SLOW.patience_seconds(0) == 25.0
        assert SLOW.patience_seconds(16_000) == 12.5 + 8 + 12
        assert SLOW.patience_seconds(0, 32_000) == 12.5 + 8 + 24

    def test_a_line_that_loses_much_is_not_waited_for_ever_longer(self):
        link = SLOW
        for _ in range(20):
            link = link.lost(64_000)
        assert (link.up, link.down) == (3_200, 1_600)
        assert link.patience_seconds(link.chunk_bytes) < 60

    def test_a_loss_never_makes_the_line_look_wider(self):
        crawling = Link(up=500, down=300, round_trip=2.0)
        assert crawling.lost(64_000) == crawling

    def test_a_short_request_that_got_lost_says_nothing_of_the_width_up(self):
        assert SLOW.lost(300).up == SLOW.up

    def test_an_answer_that_came_too_late_is_asked_for_in_pieces(self):
        """The first page of all, as large as the server likes, may never come through a slow line."""
        link = Link().lost(700, late=True)
        assert (link.page_bytes, link.up) == (8_000, None)
        assert Link().lost(64_000, late=True).chunk_bytes == 16_000

    def test_a_line_that_broke_says_nothing_of_its_width(self):
        assert Link().lost(64_000) == Link()

    def test_it_grows_again_with_what_passes(self):
        link = Link().lost(700, late=True)
        for _ in range(5):
            link = link.measured(sent=700, received=link.page_bytes, seconds=0.5)
        assert link.page_bytes > 40_000


@pytest.mark.parametrize("link", [Link(), SLOW, Link(up=1234.0)])
def test_is_kept_as_text(link: Link):
    assert Link.from_text(link.as_text()) == link


@pytest.mark.parametrize("text", [None, "", "a b c", "1 2"])
def test_an_unreadable_text_is_a_fresh_start(text: str | None):
    assert Link.from_text(text) == Link()
