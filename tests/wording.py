"""./dev words: bring the catalogues in mobile/languages/ up to the sentences in the code.

A new sentence comes in untranslated, one that nobody says any more goes out; the rest stays as it is. What
is left to translate is listed, and tests/mobile/test_languages.py fails until it is done.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from mobile.language import ENGLISH, LANGUAGES, read_po  # noqa: E402
from mobile.rule_words import RULES  # noqa: E402

FOLDER = ROOT / "mobile" / "languages"

Key = tuple[str, ...]
HEADER = ("",)


def sentences() -> dict[Key, str]:
    """(sentence,) or (one, many), in the order of the code → the file that says it."""
    found: dict[Key, str] = {}
    for path in sorted((ROOT / "mobile").rglob("*.py")):
        for key in _said_in(path):
            found.setdefault(key, path.relative_to(ROOT).as_posix())
    for rule in RULES:
        found.setdefault((rule,), "mobile/rule_words.py")
    return found


def _said_in(path: Path) -> Iterator[Key]:
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if isinstance(node.func, ast.Name):
            wanted = {"say": 1, "say_count": 2}.get(node.func.id, 0)
            texts = [part.value for part in node.args[:wanted] if isinstance(part, ast.Constant)]
            if wanted and len(texts) == wanted:
                yield tuple(texts)


def renew(code: str) -> list[Key]:
    """Write one catalogue anew; give what is left to translate in it."""
    entries, wanted = read_po(code), sentences()
    plurals = entries[HEADER][0].partition("nplurals=")[2][:1]
    blocks = [_block(HEADER, entries[HEADER])]
    for key, file in wanted.items():
        empty = ("",) * (int(plurals) if len(key) == 2 else 1)
        blocks.append(f"#: {file}\n" + _block(key, entries.get(key, empty)))
    (FOLDER / f"{code}.po").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return [key for key in wanted if not all(entries.get(key, ("",)))]


def _block(key: Key, said: Key) -> str:
    lines = [f"msgid {_quoted(key[0])}"]
    if len(key) == 2:
        lines.append(f"msgid_plural {_quoted(key[1])}")
        lines += [f"msgstr[{form}] {_quoted(text)}" for form, text in enumerate(said)]
    else:
        lines.append(f"msgstr {_quoted(said[0])}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """One line, or a line each where the text has several: the header."""
    lines = [line.replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    if len(lines) == 1:
        return f'"{lines[0]}"'
    return '""\n' + "\n".join(f'"{line}\\n"' for line in lines if line)


def main() -> int:
    for code in LANGUAGES:
        if code != ENGLISH.code:
            for key in renew(code):
                print(f"{code}: {key[0]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
