"""python -m server.pwa [--out FOLDER] [--api-base URL] [--name NAME] [--smallest]"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from server.pwa.build import DEFAULT_OUT, build_pwa
from server.pwa.client import ClientChanged
from server.pwa.page import VendorMissing
from server.pwa.payload import DependenciesUnavailable


def main() -> int:
    """Build, and print what was built as JSON."""
    parser = argparse.ArgumentParser(prog="python -m server.pwa", description="Build the technician app.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument(
        "--api-base", default="/", help="the server's address; / is the origin that serves the app"
    )
    parser.add_argument("--name", default="Truckroll")
    parser.add_argument(
        "--smallest", action="store_true", help="compress as far as it goes: minutes the first time"
    )
    given = parser.parse_args()
    try:
        info = build_pwa(
            given.out,
            api_base=given.api_base,
            app_name=given.name,
            smallest=given.smallest,
            say=lambda text: print(f"pwa: {text}", file=sys.stderr, flush=True),
        )
    except (ClientChanged, VendorMissing, DependenciesUnavailable) as error:
        print(f"pwa: {error}", file=sys.stderr)
        return 1
    print(json.dumps(asdict(info), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
