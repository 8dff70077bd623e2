"""A world of rows for tests of the server, on both databases."""

from collections.abc import Iterator

import pytest
from world import World, a_world


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    with a_world(database_url) as made:
        yield made
