"""`python -m server`: what is set wrong is said in a sentence, with the mend, and the code is 2."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from databases import ROOT

COMMANDS = (
    ("migrate",),
    ("serve", "--port", "0"),
    ("new-epoch",),
    ("replay",),
    ("compact",),
    ("send", "--once"),
)


def run(*arguments: str, url: str) -> subprocess.CompletedProcess[str]:
    known = os.environ | {"TRUCKROLL_DATABASE_URL": url}
    return subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT, env=known, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


class TestADatabaseThatIsNone:
    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("mysql://shop:hidden@host/name", "mysql is not supported"),
            ("postgresql://shop:hidden@host/name", "postgresql is not supported"),
            ("hidden garbage", "this is no address of a database"),
            ("postgresql+psycopg://shop:hidden@host:port/name", "this is no address of a database"),
            ("", "this is no address of a database"),
        ],
    )
    def test_is_named_with_the_mend_and_without_its_password(self, url: str, words: str):
        done = run("migrate", url=url)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            f"truckroll: TRUCKROLL_DATABASE_URL: {words}; "
            "write sqlite:///file.db or postgresql+psycopg://user@host/name\n"
        )

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
    def test_stops_every_command(self, command: tuple[str, ...]):
        done = run(*command, url="mysql://host/name")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)

    def test_is_none_to_replay_into_either(self, sqlite_url: str):
        done = run("replay", "--into", "mysql://host/name", url=sqlite_url)
        assert done.returncode == 2
        assert done.stderr.startswith("truckroll: --into: mysql is not supported; write ")

    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
    def test_that_does_not_answer_is_one_sentence_too(self, command: tuple[str, ...]):
        done = run(*command, url="postgresql+psycopg://shop:hidden@127.0.0.1:1/name")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith(
            "truckroll: the database can't be used. Is it running, and is TRUCKROLL"
        )
        assert "hidden" not in done.stderr
