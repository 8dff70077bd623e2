"""What whoever built the app wrote down for it; from a checkout, the environment says it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

CONFIG_FILE = "truckroll.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfig:
    """Where the server is, and which build this is. `api_base` "/" means the app's own origin."""

    api_base: str = "/"
    app_name: str = "Truckroll"
    build: str = "source"


def load_config() -> AppConfig:
    """Read the builder's file, else TRUCKROLL_SERVER, else the defaults.

    The file lies in the working folder (browser) or beside the script that was started (Android, iOS).
    """
    script = getattr(sys.modules["__main__"], "__file__", None) or CONFIG_FILE
    for folder in (Path(), Path(script).parent):
        if (folder / CONFIG_FILE).exists():
            return AppConfig(**json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8")))
    return AppConfig(api_base=os.environ.get("TRUCKROLL_SERVER", "/"))
