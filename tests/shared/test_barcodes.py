"""From scanned text to what it is."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.barcodes import FieldKind, Scan, ScanError, ScanKind, clean_wedge, gs1, parse_scan
from shared.barcodes.gpon import hex_form, parse_gpon_serial
from shared.barcodes.gtin import check_digit, expand_upce, gtin14
from shared.barcodes.iso15434 import parse_envelope
from shared.barcodes.mac import parse_mac

GS = "\x1d"


def refusal(text: str, wanted: FieldKind | None = None, **options: str) -> ScanError:
    with pytest.raises(ScanError) as caught:
        parse_scan(text, wanted=wanted, **options)
    return caught.value


class TestAGs1Code:
    def test_tells_model_batch_date_and_serial(self):
        assert parse_scan("0109506000134352112603011021L26" + GS + "21AB-77", symbology="]d2") == Scan(
            kind=ScanKind.GS1,
            value="AB-77",
            text="0109506000134352112603011021L26" + GS + "21AB-77",
            symbology="]d2",
            gtin="09506000134352",
            batch="21L26",
            produced_on=date(2026, 3, 1),
            serial="AB-77",
            elements=(("01", "09506000134352"), ("11", "260301"), ("10", "21L26"), ("21", "AB-77")),
        )

    def test_means_the_same_in_its_printed_form(self):
        printed = parse_scan("(01)09506000134352(11)260301(10)21L26(21)AB-77")
        coded = parse_scan("0109506000134352112603011021L26" + GS + "21AB-77", symbology="]C1")
        assert printed.elements == coded.elements
        assert (printed.value, printed.kind) == ("AB-77", ScanKind.GS1)

    def test_gives_a_gpon_serial_in_its_one_form(self):
        scan = parse_scan("(01)09506000134352(21)485754431A2B3C4D")
        assert (scan.serial, scan.value_for(FieldKind.GPON_SERIAL)) == ("HWTC1A2B3C4D", "HWTC1A2B3C4D")

    @pytest.mark.parametrize(
        ("text", "elements"),
        [
            ("00106141412345678908", (("00", "106141412345678908"),)),
            ("02095060001343523724", (("02", "09506000134352"), ("37", "24"))),
            (f"24077{GS}30120", (("240", "77"), ("30", "120"))),
            (f"{GS}241C-9{GS}{GS}250XYZ{GS}", (("241", "C-9"), ("250", "XYZ"))),
            ("4109501101020917400PO-7", (("410", "9501101020917"), ("400", "PO-7"))),
            ("800309501101020917R1", (("8003", "09501101020917R1"),)),
            ("8004FIBRE.1/2", (("8004", "FIBRE.1/2"),)),
            ("13260300172703042005", (("13", "260300"), ("17", "270304"), ("20", "05"))),
        ],
    )
    def test_is_split_by_the_rules_of_each_field(self, text, elements):
        assert gs1.parse_element_string(text).elements == elements

    def test_skips_a_field_it_does_not_know_and_says_so(self):
        scan = parse_scan(f"01095060001343523103000250{'91'}internal{GS}21A1", symbology="]C1")
        assert scan.elements == (("01", "09506000134352"), ("21", "A1"))
        assert scan.warnings == (
            "Field (3103) of this GS1 code is unknown to us and left out.",
            "Field (91) of this GS1 code is unknown to us and left out.",
        )

    def test_warns_when_the_serial_comes_without_a_product_number(self):
        assert parse_scan("21A1", symbology="]C1").warnings == (
            "This code has a serial but no product number, so it does not tell the model.",
        )

    @pytest.mark.parametrize(
        ("text", "slug", "detail"),
        [
            (
                "010950600013435321A1",
                "bad-check-digit",
                "The GTIN (01) 09506000134353 has a wrong check digit. Scan it again.",
            ),
            ("0109506", "malformed-barcode", "The GTIN (01) has 14 characters, this has 5. Scan it again."),
            (
                "21" + "A" * 21,
                "malformed-barcode",
                "The serial (21) has 1 to 20 characters, this has 21. Scan it again.",
            ),
            (
                "11261301",
                "malformed-barcode",
                "261301 is not a date (year, month, day, two digits each).",
            ),
            ("11260230", "malformed-barcode", "260230 is not a date (year, month, day, two digits each)."),
            ("10A\u00e4", "malformed-barcode", "The batch (10) holds a character that GS1 does not allow."),
            ("30" + "12A", "malformed-barcode", "The count (30) holds digits only, this is “12A”."),
            (
                f"10A{GS}10B",
                "malformed-barcode",
                "This code gives two different values for its batch (10).",
            ),
            ("XY", "malformed-barcode", "This GS1 code breaks off at “XY”. Scan it again."),
            ("99internal", "malformed-barcode", "This GS1 code holds no field that we know."),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, text, slug, detail):
        error = refusal(text, symbology="]C1")
        assert (error.slug, error.detail, error.field) == (slug, detail, "barcode")

    def test_is_recognised_without_a_symbology_only_if_its_gtin_adds_up(self):
        assert parse_scan("010950600013435221ABC1").kind is ScanKind.GS1
        assert parse_scan("010950600013435321ABC1").kind is ScanKind.SERIAL

    def test_means_the_last_of_the_month_by_day_00(self):
        assert gs1.read_date("240200") == date(2024, 2, 29)
        assert gs1.read_date("991231") == date(1999, 12, 31)


class TestACartonLabel:
    def test_tells_serial_part_batch_and_quantity(self):
        text = f"[)>\x1e06{GS}1PHG8145V5{GS}S48575443AABBCCDD{GS}1TL77{GS}Q1\x1e\x04"
        scan = parse_scan(text, symbology="]d1")
        assert (scan.kind, scan.serial, scan.part_number, scan.batch, scan.quantity) == (
            ScanKind.SERIAL,
            "HWTCAABBCCDD",
            "HG8145V5",
            "L77",
            1,
        )

    def test_is_read_without_its_end_marks(self):
        assert parse_envelope(f"[)>\x1e06{GS}PCUST-1{GS}SA1").fields == (("P", "CUST-1"), ("S", "A1"))

    def test_may_hold_gs1_fields(self):
        assert parse_scan(f"[)>\x1e05{GS}0109506000134352{GS}21A1\x1e\x04").gtin == "09506000134352"

    def test_warns_of_a_quantity_that_is_no_number(self):
        scan = parse_scan(f"[)>\x1e06{GS}SA1{GS}Qten\x1e\x04")
        assert (scan.quantity, scan.warnings) == (
            None,
            ("The quantity “ten” on this carton label is no whole number.",),
        )

    @pytest.mark.parametrize(
        ("text", "detail"),
        [
            ("[)>\x1e06", "This carton label breaks off after its header. Scan it again."),
            (f"[)>\x1e06{GS}1234", "The field “1234” of this carton label cannot be read."),
            (
                f"[)>\x1e06{GS}SA1\x1e06{GS}SA2\x1e\x04",
                "This carton label holds several records; scan the unit's own label.",
            ),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, text, detail):
        assert refusal(text).detail == detail


class TestAGponSerial:
    @pytest.mark.parametrize(
        "text", ["HWTC1A2B3C4D", "hwtc1a2b3c4d", "HWTC-1A2B3C4D", "485754431A2B3C4D", "4857 5443 1A2B 3C4D"]
    )
    def test_has_one_form_for_both_that_labels_print(self, text):
        scan = parse_scan(text)
        assert (scan.kind, scan.value, scan.text) == (ScanKind.GPON_SERIAL, "HWTC1A2B3C4D", text)

    @pytest.mark.parametrize(
        ("text", "detail"),
        [
            ("HWTC1A2B3C4", "; this has 11 characters."),
            ("HWTC1A2B3C4O", "; “O” is not a hex digit (did you mean 0?)."),
            ("HWT01A2B3C4D", "; “HWT0” is not 4 letters."),
            ("303132331A2B3C4D", " that start with the maker's letters; 30313233 are no letters."),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, text, detail):
        error = refusal(text, FieldKind.GPON_SERIAL)
        assert error.slug == "malformed-gpon-serial"
        assert error.detail == "A GPON serial has 4 letters and 8 hex digits, or 16 hex digits" + detail

    def test_that_could_be_a_mac_says_so(self):
        scan = parse_scan("FACE12345678", wanted=FieldKind.GPON_SERIAL)
        assert (scan.value, scan.could_also_be) == ("FACE12345678", (ScanKind.MAC,))
        assert scan.warnings == ("This could also be a MAC address: check that it is the GPON serial.",)

    def test_of_an_unprogrammed_unit_is_warned_of(self):
        assert parse_scan("HWTC00000000").warnings == (
            "The number after the maker's letters is all zeros: this unit was never programmed.",
        )


class TestAMac:
    @pytest.mark.parametrize(
        "text",
        [
            "AC:12:2F:00:1B:9E",
            "ac-12-2f-00-1b-9e",
            "ac12.2f00.1b9e",
            "AC122F001B9E",
            "AC 12 2F 00 1B 9E",
            "MAC: AC122F001B9E",
        ],
    )
    def test_has_one_form_for_all_that_labels_print(self, text):
        scan = parse_scan(text, wanted=FieldKind.MAC)
        assert (scan.kind, scan.value, scan.warnings) == (ScanKind.MAC, "AC:12:2F:00:1B:9E", ())

    @pytest.mark.parametrize(
        ("text", "detail"),
        [
            ("AC:12:2F:00:1B:9", "A MAC has 12 hex digits, this has 11."),
            ("AC122F001B9E7", "A MAC has 12 hex digits, this has 13."),
            ("AC:12:2F:00:1B:9E:00:01", "A MAC has 12 hex digits, this has 16."),
            ("AC:12:2F:OO:1B:9E", "A MAC is made of 0-9 and A-F; “O” is neither (did you mean 0?)."),
            ("AC:12:2F:00:1G:9E", "A MAC is made of 0-9 and A-F; “G” is neither."),
            ("00:00:00:00:00:00", "A MAC of only zeros belongs to no device."),
            ("FF:FF:FF:FF:FF:FF", "A MAC of only F is the broadcast address, no device's own."),
            ("01:00:5E:00:00:01", "01:00:5E:00:00:01 is a multicast address, no device's own."),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, text, detail):
        error = refusal(text, FieldKind.MAC)
        assert (error.slug, error.detail, error.field) == ("malformed-mac", detail, "mac")

    def test_with_a_wrong_count_is_named_even_when_nobody_asked_for_a_mac(self):
        assert refusal("AC:12:2F:00:1B:9").detail == "A MAC has 12 hex digits, this has 11."

    def test_that_no_maker_gave_is_a_warning(self):
        scan = parse_scan("02:12:2F:00:1B:9E")
        assert scan.value == "02:12:2F:00:1B:9E"
        assert scan.warnings == (
            "02:12:2F:00:1B:9E was not given by a maker: check that it is the address on the label.",
        )

    def test_without_a_letter_could_be_a_serial(self):
        assert parse_scan("405008387712", wanted=FieldKind.MAC).could_also_be == (ScanKind.SERIAL,)


class TestAProductNumber:
    @pytest.mark.parametrize(
        ("text", "gtin"),
        [
            ("4006381333931", "04006381333931"),
            ("036000291452", "00036000291452"),
            ("96385074", "00000096385074"),
            ("10012345000017", "10012345000017"),
        ],
    )
    def test_has_fourteen_digits_in_its_one_form(self, text, gtin):
        scan = parse_scan(text, symbology="]E0")
        assert (scan.kind, scan.value, scan.gtin) == (ScanKind.GTIN, gtin, gtin)

    def test_of_a_small_pack_is_expanded(self):
        assert [expand_upce(code) for code in ("01234505", "01234531", "01234543", "01234565")] == [
            "012000003455",
            "012300000451",
            "012340000053",
            "012345000065",
        ]

    def test_is_refused_with_the_digit_it_should_end_in(self):
        error = refusal("4006381333932", FieldKind.GTIN)
        assert error.slug == "bad-check-digit"
        assert error.detail == (
            "The product number 4006381333932 does not add up: its last digit should be 1. Scan it again."
        )

    def test_is_refused_with_the_number_of_its_digits(self):
        detail = "A product number (GTIN) has 8, 12, 13 or 14 digits, this has 10."
        assert refusal("1234567890", FieldKind.GTIN).detail == detail

    def test_of_only_zeros_is_refused(self):
        assert refusal("00000000", symbology="]E4").slug == "malformed-barcode"


class TestAPlainSerial:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("2150083877AB7", "2150083877AB7"),
            ("  s/n: 2150 083877ab7\r\n", "2150083877AB7"),
            ("SN=F601-0042", "F601-0042"),
            ("12345670", "12345670"),
            ("A1-B2-C3-D4-E5", "A1-B2-C3-D4-E5"),
        ],
    )
    def test_is_kept_in_upper_case_without_blanks(self, text, value):
        scan = parse_scan(text)
        assert (scan.kind, scan.value, scan.text) == (ScanKind.SERIAL, value, text)

    @pytest.mark.parametrize("text", ["hello", "A12", "0000-0000", "X" * 39 + "12", "S/N", "A1B2;DROP"])
    def test_that_cannot_be_one_is_refused_when_asked_for(self, text):
        assert refusal(text, FieldKind.SERIAL).slug == "malformed-serial"

    @pytest.mark.parametrize("text", ["https://example.com/ont/1", "WIFI:S:home;P:12345;;"])
    def test_is_no_link(self, text):
        assert refusal(text, FieldKind.SERIAL).detail == (
            "This code holds a web or Wi-Fi link, not a serial number."
        )
        assert parse_scan(text).kind is ScanKind.UNKNOWN

    def test_that_looks_like_a_mac_is_not_taken_unseen(self):
        scan = parse_scan("AC122F001B9E", wanted=FieldKind.SERIAL)
        assert (scan.kind, scan.serial, scan.could_also_be) == (
            ScanKind.SERIAL,
            "AC122F001B9E",
            (ScanKind.MAC,),
        )


class TestAnythingElse:
    @pytest.mark.parametrize("text", ["", "  \r\n", "\0"])
    def test_empty_is_refused(self, text):
        assert refusal(text).detail == "Nothing was read. Scan or type it again."

    def test_too_long_is_refused(self):
        assert refusal("A1" * 300).detail == (
            "This code holds 600 characters: too much for an equipment label."
        )

    @pytest.mark.parametrize(
        ("text", "wanted", "kind"),
        [
            ("HWTC1A2B3C4D", FieldKind.MAC, ScanKind.GPON_SERIAL),
            ("4006381333931", FieldKind.MAC, ScanKind.GTIN),
            ("4006381333931", FieldKind.GPON_SERIAL, ScanKind.GTIN),
            ("AC:12:2F:00:1B:9E", FieldKind.GPON_SERIAL, ScanKind.MAC),
            ("AC:12:2F:00:1B:9E", FieldKind.SERIAL, ScanKind.MAC),
            ("(01)09506000134352", FieldKind.SERIAL, ScanKind.GS1),
        ],
    )
    def test_that_plainly_is_another_kind_is_returned_as_that(self, text, wanted, kind):
        scan = parse_scan(text, wanted=wanted)
        assert (scan.kind, scan.value_for(wanted)) == (kind, None)

    def test_never_raises_anything_but_a_scan_error(self):
        @settings(max_examples=1500, deadline=None)
        @given(
            st.text(max_size=60) | st.text(alphabet="()[]>0123456789ACFS:-" + GS + "\x1e\x04", max_size=60),
            st.sampled_from([None, *FieldKind]),
            st.sampled_from([None, "]C1", "]C0", "]d2", "]E0", "]E4"]),
        )
        def check(text, wanted, symbology):
            try:
                scan = parse_scan(text, wanted=wanted, symbology=symbology)
            except ScanError as error:
                assert error.detail.endswith((".", "?"))
                assert error.slug
            else:
                assert scan.value
                assert scan.text == text

        check()


class TestAWedgeScanner:
    @pytest.mark.parametrize(
        ("typed", "content", "identifier"),
        [
            ("]C0HWTC1A2B3C4D\r\n", "HWTC1A2B3C4D", "]C0"),
            ("]d201095060001343521021L26" + GS + "21A1\r", "01095060001343521021L26" + GS + "21A1", "]d2"),
            ("HWTC1A2B3C4D\t", "HWTC1A2B3C4D", None),
            ("]C1", "]C1", None),
        ],
    )
    def test_has_its_prefix_and_end_taken_off(self, typed, content, identifier):
        assert clean_wedge(typed) == (content, identifier)

    def test_may_type_another_character_for_gs(self):
        scan = parse_scan("]C10109506000134352" + "10L26|21A1\r", gs_substitute="|")
        assert (scan.batch, scan.serial) == ("L26", "A1")


GS1_TEXT = st.text(
    alphabet="!\"%&'*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz", min_size=1
)


@st.composite
def gs1_elements(draw):
    """One to six different fields in any order, each within its rule."""
    elements = []
    for ai in draw(st.lists(st.sampled_from(sorted(gs1.AIS)), min_size=1, max_size=6, unique=True)):
        rule = gs1.AIS[ai]
        if rule.is_date:
            value = f"{draw(st.dates(date(1970, 1, 1), date(2069, 12, 31))):%y%m%d}"
        elif rule.check_digit_at:
            digits = draw(st.text("0123456789", min_size=rule.shortest - 1, max_size=rule.shortest - 1))
            value = digits + str(check_digit(digits))
            value += draw(GS1_TEXT)[: rule.longest - rule.shortest]
        elif rule.digits_only:
            value = draw(st.text("0123456789", min_size=rule.shortest, max_size=rule.longest))
        else:
            value = draw(GS1_TEXT)[: rule.longest]
        elements.append((ai, value))
    return tuple(elements)


class TestRoundTrips:
    """Ten thousand generated labels come back as they went in."""

    @settings(max_examples=4000, deadline=None)
    @given(gs1_elements())
    def test_gs1_in_a_code_and_in_print(self, elements):
        assert gs1.parse_element_string(gs1.encode(elements)).elements == elements
        assert gs1.parse_bracketed(gs1.bracketed(elements)).elements == elements

    @settings(max_examples=2000, deadline=None)
    @given(st.from_regex(r"[A-Z]{4}[0-9A-F]{8}", fullmatch=True))
    def test_gpon_serials_in_both_forms(self, serial):
        assert parse_gpon_serial(serial) == serial
        assert parse_gpon_serial(hex_form(serial).lower()) == serial
        assert parse_scan(hex_form(serial)).value == serial

    @settings(max_examples=2000, deadline=None)
    @given(st.binary(min_size=6, max_size=6).filter(lambda raw: any(raw) and not raw[0] & 1))
    def test_macs_in_every_form(self, raw):
        canonical = raw.hex(":").upper()
        dotted = ".".join(raw.hex()[i : i + 4] for i in (0, 4, 8))
        for printed in (canonical, raw.hex("-"), dotted, raw.hex()):
            assert parse_mac(printed) == canonical
            assert parse_scan(printed, wanted=FieldKind.MAC).value == canonical

    @settings(max_examples=2000, deadline=None)
    @given(st.text("0123456789", min_size=13, max_size=13), st.integers(0, 13), st.integers(1, 9))
    def test_one_wrong_digit_is_always_noticed(self, digits, place, change):
        gtin = digits + str(check_digit(digits))
        wrong = gtin[:place] + str((int(gtin[place]) + change) % 10) + gtin[place + 1 :]
        if int(gtin):
            assert gtin14(gtin) == gtin
        with pytest.raises(ScanError):
            gtin14(wrong)
