"""Python's standard library as the browser gets it: what a phone can't use left out, stored uncompressed.

A stored archive is smaller on the way, because brotli then sees all files as one text, and quicker to import
from. `tests/server/pwa/test_stdlib.py` asks that nothing the phone's Python imports is left out.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

# Programs, servers, other operating systems, processes, and network protocols that a browser can't speak.
UNUSED = {
    "_compat_pickle", "_markupbase", "_pyio", "_pyrepl", "antigravity", "asyncio.__main__",
    "asyncio.proactor_events", "asyncio.tools", "asyncio.windows_events", "asyncio.windows_utils", "bdb",
    "cProfile", "cmd", "code", "colorsys", "compileall", "concurrent.futures.interpreter",
    "concurrent.futures.process", "concurrent.interpreters", "configparser", "csv", "ctypes", "curses",
    "dbm", "difflib", "doctest", "email._header_value_parser", "email.contentmanager", "email.generator",
    "email.headerregistry", "email.mime", "email.policy", "ensurepip", "filecmp", "fileinput", "ftplib",
    "getpass", "graphlib", "html", "http", "imaplib", "logging.config", "logging.handlers", "mailbox",
    "mimetypes", "modulefinder", "multiprocessing", "netrc", "nturl2path", "optparse", "pdb", "pickle",
    "pickletools", "plistlib", "poplib", "pprint", "profile", "pstats", "pty", "py_compile", "pyclbr",
    "pydoc", "pydoc_data", "pyodide.console", "rlcompleter", "sched", "shelve", "shlex", "smtplib",
    "socketserver", "sqlite3.__main__", "symtable", "sysconfig.__main__", "tabnanny", "this", "timeit",
    "trace", "tracemalloc", "tty", "turtle", "unittest", "urllib.error", "urllib.request",
    "urllib.response", "urllib.robotparser", "wave", "wsgiref", "xml", "xmlrpc", "zipapp",
}  # fmt: skip
KEPT_ENCODINGS = {
    "__init__", "aliases", "ascii", "base64_codec", "charmap", "cp1252", "cp437", "hex_codec", "idna",
    "latin_1", "punycode", "raw_unicode_escape", "unicode_escape", "utf_16", "utf_16_be", "utf_16_le",
    "utf_32", "utf_7", "utf_8", "utf_8_sig", "zlib_codec",
}  # fmt: skip


def trim_stdlib(archive: Path) -> None:
    """Rewrite the zip file of the standard library in place. The same input gives the same bytes."""
    part = archive.with_suffix(".part")
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(part, "w") as kept:
        for entry in sorted(whole.infolist(), key=lambda entry: entry.filename):
            if not entry.is_dir() and is_kept(module_of(entry.filename)):
                kept.writestr(zipfile.ZipInfo(entry.filename), whole.read(entry))
    part.replace(archive)


def module_of(path: str) -> str:
    """The module that a file of the library belongs to."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def is_kept(module: str) -> bool:
    parts = module.split(".")
    if any(".".join(parts[:end]) in UNUSED for end in range(1, len(parts) + 1)):
        return False
    return parts[0] != "encodings" or len(parts) == 1 or parts[1] in KEPT_ENCODINGS
