"""Bars in a picture, and what they say where a decoder is lost."""

from random import Random

import numpy as np
import pytest
from PIL import Image, ImageFilter

from server.scanning import damage, render_label
from server.scanning.bars import ENLARGED, cut_out, find_bars, shows_texture
from server.scanning.smeared import read_smeared

SERIAL = "HWTC1A2B3C4D"
MODULE_PX_MIN = 1.2 * ENLARGED


def a_code(text: str = SERIAL, module_px: int = 3) -> Image.Image:
    return render_label(serial=text, module_px=module_px)


def read(picture: Image.Image) -> list[str | None]:
    return [read_smeared(cut_out(picture, bars), module_px_min=MODULE_PX_MIN) for bars in find_bars(picture)]


class TestBars:
    def test_are_found_on_a_label_once_for_each_code(self):
        label = render_label(serial=SERIAL, gpon=SERIAL, mac="AC:12:2F:00:1B:9E")
        assert len(find_bars(label)) == 3

    @pytest.mark.parametrize("degrees", [-40, -12, 0, 7, 33, 80])
    def test_are_found_at_any_angle(self, degrees):
        turned = a_code().rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
        (bars,) = find_bars(turned)
        assert abs((bars.degrees + degrees + 90) % 180 - 90) < 1
        assert bars.holds(turned.width / 2, turned.height / 2)

    def test_are_found_under_noise_stronger_than_they_are(self):
        (bars,) = find_bars(damage(a_code(), "noise", level=3.0, seed=4))
        assert bars.along > bars.across

    def test_are_not_seen_in_noise_or_on_paper(self):
        noise = Image.frombytes("L", (400, 300), Random(7).randbytes(120_000))
        assert find_bars(noise) == find_bars(Image.new("L", (400, 300), 200)) == []

    def test_are_not_seen_in_a_fence_of_five_posts(self):
        fence = np.full((200, 300), 230, np.uint8)
        for post in range(5):
            fence[:, 40 + 50 * post : 60 + 50 * post] = 40
        assert find_bars(Image.fromarray(fence)) == []

    def test_need_a_texture(self):
        assert shows_texture(a_code())
        assert not shows_texture(Image.linear_gradient("L"))


class TestSmearedBars:
    @pytest.mark.parametrize(
        ("kind", "level"), [("none", 1.0), ("blur", 2.0), ("motion", 2.0), ("noise", 3.0)]
    )
    def test_are_read_where_bars_run_together(self, kind, level):
        assert read(damage(a_code(), kind, level=level, seed=1)) == [SERIAL]

    @pytest.mark.parametrize(
        "text", ["2150083877AB7", "0123456789", "abc-DEF/12", "4E4F4B49FD48B955", "A1B2"]
    )
    def test_give_text_in_every_code_set(self, text):
        assert read(a_code(text).filter(ImageFilter.GaussianBlur(2))) == [text]

    def test_that_nobody_can_tell_apart_give_nothing(self):
        assert read(a_code().filter(ImageFilter.GaussianBlur(6))) in ([], [None])

    def test_whose_check_character_does_not_add_up_give_nothing(self):
        (bars,) = find_bars(a_code())
        upright = np.asarray(cut_out(a_code(), bars)).copy()
        middle, width = upright.shape[1] // 2, 11 * 3 * ENLARGED
        upright[:, middle : middle + width] = upright[:, middle - width : middle]
        assert read_smeared(Image.fromarray(upright), module_px_min=MODULE_PX_MIN) is None

    def test_are_no_code_where_there_is_only_paper(self):
        assert read_smeared(Image.new("L", (600, 90), 255), module_px_min=MODULE_PX_MIN) is None
