"""Lets the tests of this folder import their builders: `from days import a_day`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
