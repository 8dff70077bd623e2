"""What a scan means for this technician on this job."""

import pytest

from shared.barcodes import FieldKind, KnownUnit, Place, ScanContext, VerdictKind, parse_scan, verdict

ONT, MAC, GTIN = "HWTC1A2B3C4D", "AC:12:2F:00:1B:9E", "09506000134352"
MINE = KnownUnit(serial=ONT, model="HG8145V5", place=Place.MY_VAN)


def judged(text: str, **context) -> tuple[VerdictKind, str]:
    wanted = context.get("wanted")
    answer = verdict(parse_scan(text, wanted=wanted), ScanContext(**context))
    return answer.kind, answer.sentence


class TestAVerdict:
    @pytest.mark.parametrize("text", [ONT, "485754431A2B3C4D", MAC, "(01)09506000134352(21)HWTC1A2B3C4D"])
    def test_mine_by_any_number_of_the_unit(self, text):
        answer = verdict(parse_scan(text), ScanContext(units={ONT: MINE, MAC: MINE}))
        assert (answer.kind, answer.accepted, answer.unit) == (VerdictKind.MINE, True, MINE)

    @pytest.mark.parametrize(
        ("place", "holder", "kind", "sentence"),
        [
            (
                Place.ANOTHER_VAN,
                "Aino Laine",
                VerdictKind.ANOTHER_VAN,
                f"{ONT} is on the van of Aino Laine. Ask for a transfer, or scan a unit of your own.",
            ),
            (
                Place.ANOTHER_CUSTOMER,
                "Kalevankatu 3",
                VerdictKind.ANOTHER_CUSTOMER,
                f"{ONT} is installed at another customer (Kalevankatu 3). Put it aside and tell dispatch.",
            ),
            (
                Place.STORE,
                "",
                VerdictKind.IN_STORE,
                f"{ONT} is still booked in the store. Have it moved to your van first.",
            ),
            (
                Place.THIS_CUSTOMER,
                "",
                VerdictKind.INSTALLED_HERE,
                f"HG8145V5 {ONT} is installed at this customer.",
            ),
            (Place.MY_VAN, "", VerdictKind.MINE, f"HG8145V5 {ONT} is on your van."),
        ],
    )
    def test_says_where_the_unit_is_booked(self, place, holder, kind, sentence):
        unit = KnownUnit(serial=ONT, model="HG8145V5", place=place, holder=holder)
        assert judged(ONT, units={ONT: unit}, wanted=FieldKind.SERIAL) == (kind, sentence)

    def test_unknown(self):
        assert judged(ONT) == (
            VerdictKind.UNKNOWN,
            f"{ONT} is not in this device's stock list. Check it against the label, or scan another unit.",
        )

    def test_unknown_product(self):
        assert judged("4006381333931", wanted=FieldKind.GTIN) == (
            VerdictKind.UNKNOWN,
            "The product number 04006381333931 is not in the catalogue. Keep the unit and tell dispatch.",
        )

    def test_wrong_model_for_this_plan(self):
        assert judged(ONT, units={ONT: MINE}, models=frozenset({"F601", "F670L"})) == (
            VerdictKind.WRONG_MODEL,
            f"{ONT} is model HG8145V5; this job needs F601 or F670L.",
        )

    def test_wrong_model_of_an_unknown_unit_by_its_product_number(self):
        text = f"(01){GTIN}(21)NEW0001"
        assert judged(text, model_of_gtin={GTIN: "HG8010H"}, models=frozenset({"F601"})) == (
            VerdictKind.WRONG_MODEL,
            "NEW0001 is model HG8010H; this job needs F601.",
        )

    def test_of_an_old_model_being_taken_out_is_not_wrong(self):
        unit = KnownUnit(serial=ONT, model="OLD", place=Place.THIS_CUSTOMER)
        assert judged(ONT, units={ONT: unit}, models=frozenset({"F601"}))[0] is VerdictKind.INSTALLED_HERE

    def test_wrong_kind(self):
        assert judged("4006381333931", wanted=FieldKind.MAC) == (
            VerdictKind.WRONG_KIND,
            "This is a product number (GTIN), but a MAC address is wanted. Scan another code on the label.",
        )

    def test_wrong_kind_when_a_known_mac_is_scanned_for_a_serial(self):
        assert judged("AC122F001B9E", units={MAC: MINE}, wanted=FieldKind.SERIAL) == (
            VerdictKind.WRONG_KIND,
            f"This is the MAC address of HG8145V5 {ONT}, not its serial. Scan the serial.",
        )

    @pytest.mark.parametrize("text", [ONT, MAC])
    def test_already_on_this_job_by_any_number_of_the_unit(self, text):
        context = {"units": {ONT: MINE, MAC: MINE}, "on_this_job": frozenset({ONT})}
        kind, sentence = judged(text, **context)
        assert kind is VerdictKind.ALREADY_ON_JOB
        assert sentence.endswith("is already on this job; it is not counted twice.")

    def test_only_of_a_unit_one_may_use_is_accepted(self):
        for place in Place:
            unit = KnownUnit(serial=ONT, model="HG8145V5", place=place)
            answer = verdict(parse_scan(ONT), ScanContext(units={ONT: unit}))
            assert answer.accepted is (place in (Place.MY_VAN, Place.THIS_CUSTOMER))
