"""Labels into pictures."""

from datetime import date
from io import BytesIO

import pytest
from PIL import Image

from server.scanning import decode, label_jpeg, label_png, render_label
from shared.barcodes import ScanError


class TestALabel:
    def test_with_a_serial_only_has_one_code(self):
        readings = decode(label_png(render_label(serial="ABC-12345")))
        assert [(reading.text, reading.symbology) for reading in readings] == [("ABC-12345", "Code128")]

    def test_prints_the_canonical_forms(self):
        label = render_label(serial="S1234", gpon="485754431A2B3C4D", mac="ac-12-2f-00-1b-9e")
        assert {reading.text for reading in decode(label_png(label))} == {
            "S1234",
            "HWTC1A2B3C4D",
            "AC122F001B9E",
        }

    def test_carries_the_batch_only_beside_a_product_number(self):
        label = render_label(
            serial="S1234", gtin="4006381333931", batch="L1", produced_on=date(2026, 1, 2), model="F601"
        )
        matrix = [reading.text for reading in decode(label_png(label)) if reading.symbology == "DataMatrix"]
        assert matrix == ["01040063813339311126010210L1\x1d21S1234"]

    @pytest.mark.parametrize(
        ("changes", "slug"),
        [
            ({"gpon": "HWTC1"}, "malformed-gpon-serial"),
            ({"mac": "AC122F"}, "malformed-mac"),
            ({"gtin": "4006381333932"}, "bad-check-digit"),
            ({"gtin": "4006381333931", "batch": "L" * 21}, "malformed-barcode"),
            ({"gtin": "4006381333931", "serial": "S" * 21}, "malformed-barcode"),
        ],
    )
    def test_is_not_printed_with_a_number_that_is_none(self, changes, slug):
        with pytest.raises(ScanError) as caught:
            render_label(**({"serial": "S1234"} | changes))
        assert caught.value.slug == slug

    def test_is_the_same_picture_every_time(self):
        assert label_png(render_label(serial="S1234")) == label_png(render_label(serial="S1234"))

    def test_is_saved_as_png_or_jpeg(self):
        label = render_label(serial="S1234")
        assert Image.open(BytesIO(label_png(label))).format == "PNG"
        assert Image.open(BytesIO(label_jpeg(label))).format == "JPEG"

    def test_grows_with_the_printer(self):
        small, large = render_label(serial="S1234", module_px=2), render_label(serial="S1234", module_px=4)
        assert large.width == pytest.approx(2 * small.width, rel=0.05)
