"""Renew requirements.lock: one list with hashes for Python 3.11 to 3.14 on Linux, macOS and Windows."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

UV = "uv>=0.13,<0.14"  # only this command needs it, so it is fetched here and locked nowhere
HEAD = "# Made by `./dev lock` from pyproject.toml and .ci/tools.in; not edited by hand.\n"


def lock(root: Path, arguments: list[str]) -> int:
    """Resolve both extras, the build requirements and .ci/tools.in. `--upgrade` takes newer versions."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", UV], check=True, stdout=sys.stderr)
    build = tomllib.loads((root / "pyproject.toml").read_text())["build-system"]["requires"]
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-config"]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes"]
    # No addresses and no comments in the file: it must read the same wherever it is made.
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"]
    command += ["--extra", "server", "--extra", "dev", *arguments]
    command += ["--output-file", "requirements.lock", "pyproject.toml", ".ci/tools.in", "-"]
    # The address of the index is the one pip uses, from its own settings.
    environment = dict(os.environ)
    index = subprocess.run([*pip, "config", "get", "global.index-url"], capture_output=True, text=True)
    if index.returncode == 0:
        environment.setdefault("UV_DEFAULT_INDEX", index.stdout.strip())
    code = subprocess.run(command, cwd=root, env=environment, input="\n".join(build).encode()).returncode
    if code == 0:
        path = root / "requirements.lock"
        path.write_text(HEAD + path.read_text().removeprefix(HEAD))
    return code
