"""Photos and signatures."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from mobile.device.photos import PhotoError, shrink
from mobile.device.signature import signature_png


def a_picture(width: int, height: int, kind: str = "PNG", orientation: int = 1) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (width, height), "teal")
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(out, kind, exif=exif)
    return out.getvalue()


class TestShrinkingAPhoto:
    def test_keeps_the_shape_and_makes_a_jpeg(self):
        photo = asyncio.run(shrink(a_picture(4000, 3000)))
        assert (photo.width, photo.height) == (1600, 1200)
        assert Image.open(io.BytesIO(photo.jpeg)).format == "JPEG"

    def test_never_enlarges(self):
        photo = asyncio.run(shrink(a_picture(640, 480)))
        assert (photo.width, photo.height) == (640, 480)

    def test_turns_it_upright(self):
        photo = asyncio.run(shrink(a_picture(640, 480, "JPEG", orientation=6)))
        assert (photo.width, photo.height) == (480, 640)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "The photo is empty. Take it again."),
            (b"GIF?", "That file is not a picture this phone can open."),
            (bytes(30_000_000), r"The photo is too big \(30 MB, at most 25 MB\). Take a smaller one."),
        ],
    )
    def test_refuses_in_words(self, content: bytes, words: str):
        with pytest.raises(PhotoError, match=f"^{words}$"):
            asyncio.run(shrink(content))


class TestDrawingASignature:
    def test_draws_each_stroke_where_the_finger_went(self):
        png = signature_png([[(10, 10), (50, 10)], [(30, 30)]], width=60, height=40)
        image = Image.open(io.BytesIO(png))
        assert (image.format, image.size, image.mode) == ("PNG", (60, 40), "L")
        assert [image.getpixel(at) for at in ((10, 10), (30, 10), (50, 10), (30, 30))] == [0, 0, 0, 0]
        assert [image.getpixel(at) for at in ((30, 20), (57, 10), (0, 0))] == [255, 255, 255]

    def test_cuts_off_what_leaves_the_paper(self):
        png = signature_png([[(-20, 5), (200, 5)]], width=20, height=10)
        assert Image.open(io.BytesIO(png)).getpixel((19, 5)) == 0

    def test_of_nothing_is_white_paper(self):
        image = Image.open(io.BytesIO(signature_png([], width=8, height=4)))
        assert image.getcolors() == [(32, 255)]
