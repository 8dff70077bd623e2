"""The standard library that the browser gets."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path

from flet_web import get_package_web_dir

from server.pwa.stdlib import is_kept, module_of

WHOLE = Path(get_package_web_dir()) / "pyodide" / "python_stdlib.zip"
# Flet names these in places that a browser never reaches.
NOT_REACHED = {"unittest"}


def imported(source: bytes) -> set[str]:
    """Every module that a source names in an import, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


class TestTheTrimmedLibrary:
    def test_has_every_module_that_the_phones_python_imports(self, placeholder: Path):
        with zipfile.ZipFile(WHOLE) as whole:
            library = {module_of(name) for name in whole.namelist()}
        for package in ("app.zip", "files.zip"):
            with zipfile.ZipFile(placeholder / package) as archive:
                for name in archive.namelist():
                    if name.endswith(".py"):
                        wanted = imported(archive.read(name)) & library - NOT_REACHED
                        assert not [module for module in wanted if not is_kept(module)], name

    def test_has_what_its_own_modules_import_at_once(self):
        with zipfile.ZipFile(WHOLE) as whole:
            library = {module_of(name) for name in whole.namelist()}
            for name in whole.namelist():
                if not name.endswith(".py") or not is_kept(module_of(name)):
                    continue
                wanted = set(
                    re.findall(r"^(?:from|import) ([\w.]+)", whole.read(name).decode(), re.MULTILINE)
                )
                assert not [module for module in wanted & library if not is_kept(module)], name

    def test_is_stored_so_that_brotli_sees_it_as_one_text(self, placeholder: Path):
        trimmed = placeholder / "pyodide" / "python_stdlib.zip"
        with zipfile.ZipFile(trimmed) as archive:
            assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
            assert {"os.py", "asyncio/events.py", "encodings/utf_8.py"} <= set(archive.namelist())
            assert not {"pdb.py", "unittest/case.py", "encodings/cp037.py"} & set(archive.namelist())
        assert trimmed.with_name("python_stdlib.zip.br").stat().st_size < WHOLE.stat().st_size / 2
