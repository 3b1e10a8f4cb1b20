"""The table of measures: complete, and numbers as they are printed."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest

from frame2sound.comparison.block_stats import STATISTICS
from frame2sound.comparison.records import RECORDED_MEASURES
from frame2sound.comparison.results import SHOWN_MEASURES
from frame2sound.evaluation.measure_table import MAIN_MEASURES, MEASURES, format_value
from frame2sound.evaluation.measurements import Measurements


def test_every_measurement_has_an_entry_in_the_table():
    names = [field.name for field in fields(Measurements)]
    assert list(MEASURES) == [name for name in names if name not in ("combs", "why")]


def test_measures_with_an_interval_are_the_main_measures_and_have_a_direction():
    assert tuple(STATISTICS) == MAIN_MEASURES
    assert {MEASURES[name].better for name in MAIN_MEASURES} == {"high", "low"}
    assert set(MAIN_MEASURES) < set(SHOWN_MEASURES) < set(RECORDED_MEASURES)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("onset_f", 0.987, "0.99"),
        ("length_samples", 7000, "+7000"),
        ("length_samples", 0, "+0"),
        ("clipped", 12, "12"),
        ("lag_start_ms", -0.04, "+0.0"),
        ("envelope_error", 0.01234, "0.0123"),
        ("tremolo_comb_above_db", 3.25, "+3.2"),
        ("black_db", -math.inf, "silent"),
        ("pitch", None, "-"),
    ],
)
def test_values_are_printed_with_the_decimals_and_sign_of_their_measure(name, value, text):
    assert MEASURES[name].format(value) == text


def test_small_negative_values_are_printed_as_zero():
    assert format_value(-0.04, 1) == "0.0"
    assert format_value(-0.06, 1, signed=True) == "-0.1"


def test_plain_values_of_a_measure_are_those_in_results():
    assert MEASURES["black_db"].to_dict() == {
        "label": "black",
        "unit": "dBFS",
        "decimals": 1,
        "better": "low",
        "text": "level while the screen is black",
    }
