"""What the builder of the browser app wrote down for it; in CPython, the environment says it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

CONFIG_FILE = Path("truckroll.json")  # beside main.py, in the worker's working folder


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfig:
    """Where the server is, and which build this is. `api_base` "/" means the app's own origin."""

    api_base: str = "/"
    app_name: str = "Truckroll"
    build: str = "source"


def load_config() -> AppConfig:
    """Read the builder's file, else TRUCKROLL_SERVER, else the defaults."""
    if CONFIG_FILE.exists():
        return AppConfig(**json.loads(CONFIG_FILE.read_text(encoding="utf-8")))
    return AppConfig(api_base=os.environ.get("TRUCKROLL_SERVER", "/"))
