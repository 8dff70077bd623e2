"""The catalogue in every language: complete, with the same facts, and with the language's own plurals."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from wording import HEADER, Key, sentences

from mobile import language, rule_words, words
from server.access import callers
from shared.conflicts import CONFLICTS
from sync.client import driver, replies

ROOT = Path(__file__).resolve().parents[2]
TRANSLATED = [code for code in language.LANGUAGES if code != "en"]
SENTENCES = sentences()
NUMBERS = range(1000)


@pytest.fixture
def speak() -> Iterator[object]:
    yield words.speak
    words.speak("en")


def facts(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("code", TRANSLATED)
class TestACatalogue:
    def test_has_every_sentence_and_no_other(self, code: str):
        entries = language.read_po(code)

        assert set(SENTENCES) - set(entries) == set(), "run ./dev words and translate what it lists"
        assert set(entries) - set(SENTENCES) - {HEADER} == set(), (
            "run ./dev words: nobody says these any more"
        )

    def test_leaves_nothing_untranslated(self, code: str):
        assert [key for key, said in language.read_po(code).items() if not all(said)] == []

    def test_names_the_same_facts(self, code: str):
        entries = language.read_po(code)
        assert {key[0]: said for key, said in entries.items() if not same_facts(key, said, code)} == {}

    def test_has_a_form_for_every_number(self, code: str):
        rule = language.catalogue(code).plural  # type: ignore[attr-defined]
        forms = len({rule(number) for number in NUMBERS})
        plurals = {key: said for key, said in language.read_po(code).items() if len(key) == 2}

        assert forms == {"de": 2, "es": 2, "ar": 6}[code]
        assert {key[0] for key, said in plurals.items() if len(said) != forms} == set()

    def test_keeps_blanks_at_the_ends_and_lists_of_the_same_length(self, code: str):
        entries = language.read_po(code)
        for (sentence, *_), (said, *_) in entries.items():
            assert sentence[:1] != " " or said[:1] == " ", sentence
        for names in (words.WEEKDAYS, words.MONTHS, words.MONTHS_SHORT):
            assert len(entries[(" ".join(names),)][0].split()) == len(names)


def same_facts(key: Key, said: Key, code: str) -> bool:
    """A form that stands for one number only may say it in a word: "two photos" is one word in Arabic."""
    if len(key) == 1:
        return facts(said[0]) == facts(key[0])
    rule = language.catalogue(code).plural  # type: ignore[attr-defined]
    numbers = [[n for n in NUMBERS if rule(n) == form] for form in range(len(said))]
    wanted = facts(key[1])
    return all(
        facts(text) == wanted or (len(stands_for) == 1 and facts(text) <= wanted)
        for text, stands_for in zip(said, numbers, strict=True)
    )


class TestWhatTheRulesSay:
    def sentences(self) -> Iterator[str]:
        """Everything in the rules' files that reads like a sentence, with 7 for whatever is filled in."""
        for path in RULE_FILES:
            for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
                match node:
                    case ast.Call(func=ast.Name(id=name), args=arguments) if name in REFUSALS:
                        yield from self._texts(arguments)
                    case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in (
                        "detail",
                        "sentence",
                    ):
                        yield from self._texts([value])
                    case ast.Call(func=ast.Attribute(attr="append"), args=[ast.JoinedStr() as text]):
                        yield from self._texts([text])
        for conflict in CONFLICTS.values():
            yield re.sub(r"\{\w+\}", "7", conflict.sentence)

    def _texts(self, nodes: list[ast.expr]) -> Iterator[str]:
        for node in nodes:
            match node:
                case ast.Constant(value=str(text)) if " " in text:
                    yield text
                case ast.JoinedStr(values=parts):
                    yield "".join(part.value if isinstance(part, ast.Constant) else "7" for part in parts)

    def test_is_known_to_the_catalogue(self, speak):
        speak("de")
        unknown = {text for text in self.sentences() if rule_words.said(text) == text} - {"7"}
        assert unknown - SEEN_BY_THE_OFFICE_ONLY == set(), "add these to mobile/rule_words.py"

    @pytest.mark.parametrize(
        ("english", "german"),
        [
            (
                "Record optical receive power (-27 to -8 dBm)",
                "Messen: Optischer Empfangspegel (-27 bis -8 dBm)",
            ),
            ("The photo is empty: take it again", "Foto ist leer: noch einmal aufnehmen"),
            (
                "Download speed 88.5 Mbit/s is outside at least 90 Mbit/s: mend it, measure again",
                "Downloadrate 88,5 Mbit/s liegt außerhalb von mindestens 90 Mbit/s: "
                "in Ordnung bringen, neu messen",
            ),
            (
                "Scan and fit the ont; Have the customer sign",
                "ONT scannen und einbauen; Unterschreiben lassen",
            ),
            ("Ring at the back door", "Ring at the back door"),
        ],
    )
    def test_is_said_again_with_its_facts(self, speak, english: str, german: str):
        speak("de")
        assert rule_words.said(english) == german

    def test_writes_amounts_as_the_language_does(self, speak):
        english = (
            "WO-7 costs 1,189.13 EUR, agreed were 1,000 RWF: 189.5 JPY is not billed until dispatch decides"
        )
        speak("de")
        told = rule_words.said(english)
        for amount in ("1.189,13\N{NO-BREAK SPACE}€", "1.000\N{NO-BREAK SPACE}RWF"):
            assert amount in told, told
        assert "189.5 JPY" in told, "no yen has cents: it stays as it came"

    def test_stays_as_it_is_in_english(self, speak):
        assert rule_words.said("Tap Arrived first") == "Tap Arrived first"


RULE_FILES = (
    "shared/stock_rules.py",
    *(f"shared/{name}.py" for name in ("check_rules", "checklists", "time_rules", "visit_rules")),
    *(f"shared/barcodes/{name}.py" for name in ("gpon", "gs1", "gtin", "iso15434", "mac", "scan", "verdict")),
    *(f"sync/client/{name}.py" for name in ("disk", "engine", "rebase", "schema", "transport")),
)
REFUSALS = {
    "BadEvidence", "BadValue", "MissingChecks", "MissingEquipment", "MissingRemoval", "MissingSignature",
    "NoNetwork", "NotFound", "NotInstalledHere", "NotSaved", "NotStarted", "NewerStore", "ScanError",
    "SerialElsewhere", "WrongModel", "_fail",
}  # fmt: skip
SEEN_BY_THE_OFFICE_ONLY = {
    "GS1 field (7) is not one that we write.",  # printing labels
}


class TestWhatTheServerSays:
    @pytest.mark.parametrize(
        "sentence",
        [callers.SIGNED_OUT, callers.LEFT, callers.WIPE, callers.HELD_BACK, driver.ERASED, replies.NOT_OURS],
    )
    def test_of_the_device_is_known(self, speak, sentence: str):
        speak("es")
        assert rule_words.said(sentence) != sentence


class TestTheLanguageOfTheDevice:
    @pytest.mark.parametrize(
        ("wanted", "code"),
        [
            (["de-AT", "en"], "de"),
            (["fi", "es-MX"], "es"),
            (["ar_EG.UTF-8"], "ar"),
            (["fi"], "en"),
            ([], "en"),
        ],
    )
    def test_is_the_dearest_that_we_speak(self, wanted: list[str], code: str):
        assert language.best_of(wanted) == code


class TestNumbersAndDates:
    MONDAY = date(2026, 11, 23)

    @pytest.mark.parametrize(
        ("code", "value", "day"),
        [
            ("en", "-18.4 dBm", "Monday 23 November"),
            ("de", "-18,4 dBm", "Montag, 23. November"),
            ("es", "-18,4 dBm", "Lunes, 23 de noviembre"),
        ],
    )
    def test_are_written_as_people_do(self, speak, code: str, value: str, day: str):
        speak(code)
        assert words.measured(Decimal("-18.4"), "dBm") == value
        assert words.day_of_week(self.MONDAY) == day

    def test_keep_their_direction_in_arabic(self, speak):
        speak("ar")
        mark = language.MARK
        assert words.closed("WO-7").startswith(f"أُغلقت {mark}WO-7{mark}. ")
        assert words.measured(Decimal("-18.4"), "dBm") == f"{mark}-18.4 dBm{mark}"
        assert words.noted("مفتاح") == "ملاحظة: مفتاح"

    @pytest.mark.parametrize(
        ("count", "photos"),
        [(1, "صورة واحدة"), (2, "صورتان"), (3, "3 صور"), (11, "11 صورة"), (100, "100 صورة")],
    )
    def test_count_in_six_ways_in_arabic(self, speak, count: int, photos: str):
        speak("ar")
        assert words.photos(count).replace(language.MARK, "") == photos


class TestTheCode:
    def test_gives_no_name_to_two_sentences(self):
        """The later one would be said in the place of the earlier."""
        bound: list[str] = []
        for node in ast.parse((ROOT / "mobile/words.py").read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound.append(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
                bound += [name.id for name in names if isinstance(name.ctx, ast.Store)]
        assert "NO_TIME" in bound
        assert {name for name in bound if bound.count(name) > 1} == set()

    def test_never_keeps_a_sentence_of_the_language_before(self):
        """Taken out of `words`, or read while another module loads, it would not change with the language."""
        sources = (path for path in (ROOT / "mobile").rglob("*.py") if path.name != "words.py")
        keepers = [path for path in sources if early(path) or "from mobile.words import" in path.read_text()]
        assert keepers == []


def early(path: Path) -> bool:
    """Whether a sentence is read while the module is loaded."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*node.args.defaults, *(default for default in node.args.kw_defaults if default)]
            waiting += [*node.decorator_list, *defaults]
            continue
        found.append(node)
        if not isinstance(node, ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return any(
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "words"
        for node in found
    )
