"""python serve_office.py FOLDER serve --port N: the product's server, with the app that lies in FOLDER."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import server.__main__ as program


def main(arguments: list[str]) -> int:
    folder, *rest = arguments
    program.build_app = partial(program.build_app, pwa_folder=Path(folder))  # type: ignore[attr-defined]
    return program.main(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
