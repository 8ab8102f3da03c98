"""What needs matrix units is skipped where there are none: even its import would compile for them."""

import pytest


@pytest.fixture(scope="session")
def matrix_units():
    from promptkit.generate.engine.tiles.units import has_tiles

    if not has_tiles():
        pytest.skip("this processor has no matrix units, or the system keeps them to itself")
