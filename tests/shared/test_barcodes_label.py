"""What all codes of one label say together."""

import pytest

from shared.barcodes.label import Confidence, LabelPart, LabelReading, Reason, read_label

SERIAL, GPON, MAC, GTIN = "2150083877AB7", "HWTC1A2B3C4D", "AC:12:2F:00:1B:9E", "04006381333931"
CARTON = f"01{GTIN}10L2603\x1d21{SERIAL}"
SURE, LIKELY, GUESS = Confidence.SURE, Confidence.LIKELY, Confidence.GUESS


def code128(text: str, **more) -> LabelReading:
    return LabelReading(text=text, symbology="Code128", identifier="]C0", **more)


def matrix(text: str = CARTON) -> LabelReading:
    return LabelReading(text=text, symbology="DataMatrix", identifier="]d2")


def told(*readings: LabelReading, **options) -> dict[tuple[str, str], tuple[Confidence, tuple[Reason, ...]]]:
    label = read_label(readings, **options)
    return {(str(f.part), f.value): (f.confidence, f.reasons) for f in label.fields}


class TestAWholeLabel:
    def test_fills_every_field_in_one_shot(self):
        label = told(
            code128(SERIAL), code128(GPON), code128("AC122F001B9E"), matrix(), models={GTIN: "HG8145V5"}
        )
        assert label == {
            ("serial", SERIAL): (SURE, (Reason.CODES_AGREE,)),
            ("gpon_serial", GPON): (LIKELY, (Reason.CHECK_CHARACTER,)),
            ("mac", MAC): (LIKELY, (Reason.CHECK_CHARACTER,)),
            ("gtin", GTIN): (SURE, (Reason.ERROR_CORRECTED,)),
            ("lot", "L2603"): (SURE, (Reason.ERROR_CORRECTED,)),
            ("model", "HG8145V5"): (SURE, (Reason.IN_CATALOGUE,)),
        }

    def test_of_a_carton_is_read_by_its_data_identifiers(self):
        label = told(matrix("[)>\x1e06\x1d1PHG8145V5\x1dSAB1234\x1d1TL77\x1e\x04"))
        assert set(label) == {("serial", "AB1234"), ("model", "HG8145V5"), ("lot", "L77")}

    def test_leaves_out_what_is_no_field_of_a_label(self):
        assert told(LabelReading(text="https://example.com/setup", symbology="QRCode")) == {}

    def test_without_codes_says_nothing(self):
        assert read_label([]).value(LabelPart.SERIAL) is None


class TestMacAndSerial:
    def test_are_told_apart_by_the_other_code_that_bears_the_serial(self):
        twelve = "AC122F001B9E"  # a serial that looks like a MAC
        label = told(code128(twelve), matrix(f"01{GTIN}21{twelve}"))
        assert ("serial", twelve) in label
        assert not any(part == "mac" for part, _ in label)

    def test_are_told_apart_by_their_captions(self):
        label = told(code128("MAC: AC122F001B9E"), code128("S/N: 112233445566"))
        assert (label["mac", MAC][0], label["serial", "112233445566"][0]) == (LIKELY, LIKELY)

    def test_are_never_sure_where_nothing_but_the_shape_tells(self):
        assert told(code128("AC122F001B9E", frames=5)) == {
            ("mac", MAC): (LIKELY, (Reason.FRAMES_AGREE, Reason.BY_SHAPE))
        }

    def test_several_macs_in_a_row_stand_from_top_to_bottom(self):
        label = read_label(
            [code128("AC122F001B9F", at=(0, 90)), code128("AC122F001B9E", at=(0, 40)), code128(SERIAL)]
        )
        assert label.values(LabelPart.MAC) == (MAC, "AC:12:2F:00:1B:9F")
        assert label.value(LabelPart.MAC) == MAC

    @pytest.mark.parametrize("text", ["01005E00AA01", "000000000000"])
    def test_an_address_that_no_device_has_is_no_mac(self, text):
        assert not any(part == "mac" for part, _ in told(code128(text)))


class TestConfidence:
    def test_of_one_code_128_asks_for_a_person(self):
        assert told(code128(GPON))["gpon_serial", GPON] == (LIKELY, (Reason.CHECK_CHARACTER,))

    def test_grows_with_a_second_frame(self):
        assert told(code128(GPON, frames=2))["gpon_serial", GPON] == (SURE, (Reason.FRAMES_AGREE,))

    def test_grows_where_letters_and_hex_digits_say_the_same(self):
        label = told(code128(GPON), code128("485754431A2B3C4D"))
        assert label["gpon_serial", GPON] == (SURE, (Reason.CODES_AGREE,))

    def test_grows_where_gpon_serial_and_mac_end_alike(self):
        label = told(code128("HWTC2F001B9E"), code128("AC122F001B9E"))
        assert label["gpon_serial", "HWTC2F001B9E"] == (SURE, (Reason.NUMBERS_AGREE,))

    def test_of_worked_out_bars_is_a_guess(self):
        assert told(code128(GPON, smeared=True))["gpon_serial", GPON] == (GUESS, (Reason.SMEARED,))

    def test_of_a_retail_code_is_a_guess_however_often_it_is_read(self):
        twice = [
            LabelReading(text="4006381333931", symbology="EAN13", identifier="]E0", frames=3),
            LabelReading(text="04006381333931", symbology="UPCA", identifier="]E0"),
        ]
        assert told(*twice)["gtin", GTIN] == (GUESS, (Reason.NO_CHECK,))

    def test_of_a_retail_code_grows_with_a_hit_in_the_catalogue(self):
        code = LabelReading(text="4006381333931", symbology="EAN13", identifier="]E0")
        assert told(code, models={GTIN: "HG8145V5"}) == {
            ("gtin", GTIN): (LIKELY, (Reason.IN_CATALOGUE,)),
            ("model", "HG8145V5"): (LIKELY, (Reason.IN_CATALOGUE,)),
        }

    def test_is_lost_where_two_codes_contradict_each_other(self):
        label = read_label([matrix(), matrix(f"01{GTIN}21OTHER1")])
        assert {field.confidence for field in label.fields if field.part is LabelPart.SERIAL} == {GUESS}
        assert label.value(LabelPart.SERIAL) is None

    def test_of_a_gpon_serial_that_is_the_only_serial(self):
        label = told(code128(GPON, frames=2))
        assert label["serial", GPON] == (LIKELY, (Reason.FRAMES_AGREE, Reason.ONLY_SERIAL))
