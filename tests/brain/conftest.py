"""A small recipe whose parts a test can replace."""

import pytest

from frame2sound.brain.recipe import parse_recipe


@pytest.fixture
def small():
    """Return a function that builds a recipe for 8 kHz with two narrow hidden layers."""

    def build(**parts):
        table = {
            "name": "small",
            "network": {"kind": "mlp", "hidden": [8, 6]},
            "clock": {"sample_rate": 8000},
        }
        return parse_recipe(table | parts)

    return build
