"""Arguments are read as the texts of the command line are, and as plain Python values."""

from fractions import Fraction

import pytest

from frame2sound.api.parameters import number_of_bytes, setting_texts
from frame2sound.brain.recipe import load_recipe


@pytest.mark.parametrize(
    ("settings", "same"),
    [
        ({"network.hidden": (64, 32)}, {"network.hidden": [64, 32]}),
        ({"target": {"kind": "mel", "bands": 64}}, 'target={kind="mel",bands=64}'),
        ({"clock": {"fps": Fraction(25)}}, "clock.fps=25"),
        ({"input.motion": True}, "input.motion=true"),
    ],
)
def test_settings_are_python_values_or_texts(settings, same):
    other = setting_texts(same) if isinstance(same, dict) else [same]
    assert load_recipe("deep", setting_texts(settings)) == load_recipe("deep", other)


def test_a_number_of_bytes_may_be_a_float():
    assert number_of_bytes("memory", 1.5e9) == number_of_bytes("memory", "1.5GB") == 1_500_000_000
