"""Reading codes where there is no browser: photos, wedge scanners and typing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pwa_server import label

from mobile.device.scanner import (
    CameraUnavailable,
    Candidates,
    NativeScanner,
    NotAPicture,
    Reading,
    from_typing,
    from_wedge,
)


class TestAPhoto:
    def test_gives_every_code_on_the_label_with_what_it_is(self):
        picture = label(("HWTC1A2B3C4D", "Code128"), ("HWTC00000001", "DataMatrix"))
        readings = asyncio.run(NativeScanner().read_picture(picture))
        assert sorted((r.text, r.symbology, r.identifier, r.source) for r in readings) == [
            ("HWTC00000001", "DataMatrix", "]d1", "photo"),
            ("HWTC1A2B3C4D", "Code128", "]C0", "photo"),
        ]

    @pytest.mark.parametrize("content", [b"", b"not a picture"])
    def test_that_is_none_is_refused_in_words(self, content: bytes):
        with pytest.raises(NotAPicture, match="not a picture this phone can open"):
            asyncio.run(NativeScanner().read_picture(content))


class TestAWedgeScanner:
    def test_gives_its_text_without_the_line_end(self):
        assert from_wedge("HWTC1A2B3C4D\r\n") == Reading(text="HWTC1A2B3C4D", source="wedge")

    def test_tells_the_symbology_identifier_apart_and_restores_group_separators(self):
        assert from_wedge("]C10106412345678901|21A1") == Reading(
            text="0106412345678901\x1d21A1", source="wedge", identifier="]C1"
        )

    def test_leaves_a_text_alone_that_only_starts_like_an_identifier(self):
        assert from_wedge("]C1").text == "]C1"


class TestTyping:
    def test_drops_the_blanks_around_it(self):
        assert from_typing("  AA:BB ") == Reading(text="AA:BB", source="typed")


def a_reading(text: str = "HWTC1A2B3C4D", symbology: str = "Code128") -> Reading:
    return Reading(text=text, source="camera", symbology=symbology)


class TestCandidates:
    def test_settle_once_a_second_frame_agrees(self):
        seen = Candidates()
        assert seen.see([a_reading()]) == ()
        assert (seen.settled(), seen.doubtful()) == ((), (a_reading(),))
        assert seen.see([]) == ()
        assert seen.see([a_reading()]) == (replace(a_reading(), frames=2),)
        assert seen.settled() == (replace(a_reading(), frames=2),)
        assert seen.doubtful() == ()

    def test_settle_at_once_where_the_code_corrects_itself(self):
        seen = Candidates()
        seen.see([a_reading(symbology="DataMatrix")])
        assert [reading.frames for reading in seen.settled()] == [1]

    def test_are_not_settled_by_two_engines_on_one_frame(self):
        seen = Candidates()
        seen.see([a_reading(), a_reading()])
        assert seen.settled() == ()

    def test_that_differ_do_not_settle_each_other(self):
        seen = Candidates()
        seen.see([a_reading("4006381333931", "EAN13")])
        seen.see([a_reading("4006381333955", "EAN13")])
        assert seen.settled() == ()


class TestTheLiveCamera:
    def test_is_not_there_without_a_browser_and_says_what_to_do(self):
        with pytest.raises(CameraUnavailable, match="Take a photo or type the code"):
            asyncio.run(NativeScanner().scan(title="Scan"))
