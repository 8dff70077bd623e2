"""What the screen says and offers after a scan."""

from uuid import uuid4

import pytest

from mobile import words
from mobile.scan_words import DISAGREES, QUARANTINED_LOT, ScanVerdict
from mobile.views.scan import LabelRow, best_verdict, label_rows, mood_of, title_of, tone_of
from shared.barcodes import VerdictKind
from shared.barcodes.label import NO_LABEL, Confidence, LabelPart, LabelReading, Reason, read_label
from shared.problems import AssetQuarantined


def a_verdict(kind: str, **may) -> ScanVerdict:
    return ScanVerdict(work_order_id=uuid4(), source="camera", kind=kind, sentence="", **may)


class TestAVerdict:
    @pytest.mark.parametrize(
        ("kind", "may", "title", "mood", "tone"),
        [
            (VerdictKind.MINE, {"may_install": True}, "On your van", "good", "yes"),
            (VerdictKind.ANOTHER_VAN, {"may_confirm": True}, "Another van's", "warn", "ask"),
            (VerdictKind.ANOTHER_CUSTOMER, {}, "Another customer's", "bad", "no"),
            (AssetQuarantined.slug, {}, "Quarantined", "bad", "no"),
            (VerdictKind.UNKNOWN, {"may_confirm": True}, "Unknown", "warn", "ask"),
            (VerdictKind.WRONG_MODEL, {}, "Wrong model for this plan", "bad", "no"),
            (QUARANTINED_LOT, {"may_confirm": True}, "Quarantined lot", "warn", "ask"),
            (DISAGREES, {}, "MAC and serial disagree", "bad", "no"),
            ("malformed-mac", {}, "Not this one", "bad", "no"),
        ],
    )
    def test_has_its_own_words_colour_and_sound(self, kind, may, title, mood, tone):
        verdict = a_verdict(str(kind), **may)
        assert (title_of(verdict), mood_of(verdict), tone_of(verdict)) == (title, mood, tone)

    def test_of_a_label_is_the_one_that_leads_furthest(self):
        mine = a_verdict("mine", may_install=True)
        assert best_verdict([a_verdict("wrong_kind"), mine]) is mine
        assert best_verdict([]) is None

    def test_of_a_label_that_contradicts_itself_leads_nowhere(self):
        torn = a_verdict(DISAGREES)
        assert best_verdict([a_verdict("mine", may_install=True), torn]) is torn


class TestTheListOfALabel:
    def test_says_of_each_field_how_far_it_is_to_be_believed(self):
        label = read_label(
            [
                LabelReading(text="HWTC1A2B3C4D", symbology="Code128", frames=2),
                LabelReading(text="MAC: AC122F001B9E", symbology="Code128"),
            ]
        )
        assert label_rows(label) == (
            LabelRow(
                name="GPON serial",
                value="HWTC1A2B3C4D",
                confidence=Confidence.SURE,
                note="sure (two looks agree)",
            ),
            LabelRow(
                name="MAC",
                value="AC:12:2F:00:1B:9E",
                confidence=Confidence.LIKELY,
                note="compare once (read once)",
            ),
        )

    def test_has_words_for_all_that_a_label_tells(self):
        assert set(words.LABEL_PARTS) == set(LabelPart)
        assert set(words.CONFIDENCE) == set(Confidence)
        assert set(words.LABEL_REASONS) == set(Reason)

    def test_is_left_out_where_one_code_was_all(self):
        only = read_label([LabelReading(text="HWTC1A2B3C4D", symbology="Code128")])
        assert label_rows(only) == label_rows(NO_LABEL) == ()


class TestAnotherLanguage:
    @pytest.fixture(autouse=True)
    def german(self):
        words.speak("de")
        yield
        words.speak("en")

    def test_changes_the_title_of_a_verdict(self):
        assert title_of(a_verdict(QUARANTINED_LOT, may_confirm=True)) == "Gesperrte Charge"

    def test_changes_what_is_said_of_a_label(self):
        readings = [
            LabelReading(text="HWTC1A2B3C4D", symbology="Code128", frames=2),
            LabelReading(text="MAC: AC122F001B9E", symbology="Code128"),
        ]
        assert [(row.name, row.note) for row in label_rows(read_label(readings))] == [
            ("GPON-Seriennummer", "sicher (zweimal gleich gelesen)"),
            ("MAC", "einmal vergleichen (einmal gelesen)"),
        ]
