"""Lets the tests of this folder import their maps: `from maps import a_network`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
