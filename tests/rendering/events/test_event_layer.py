"""Sounds are added at their samples, and their sum is taken away piece by piece."""

import numpy as np
import pytest

from frame2sound.rendering.events.event_layer import EventLayer


@pytest.mark.parametrize("step", [1, 3, 50])
def test_sounds_are_summed_where_they_were_placed(step):
    layer, sounds = EventLayer(), {4: np.arange(5.0), 6: np.ones(7), 30: np.full(4, 2.0)}
    total = np.zeros(50)
    for start, sound in sounds.items():
        total[start : start + len(sound)] += sound
        layer.add(sound, start)
    parts = [layer.pop_until(end) for end in range(step, 51, step)]
    parts.append(layer.pop_until(50))
    np.testing.assert_array_equal(np.concatenate(parts), total)


def test_what_would_be_before_the_position_is_left_out():
    layer = EventLayer()
    layer.add(np.arange(6.0), -2)
    np.testing.assert_array_equal(layer.pop_until(3), [2, 3, 4])
    layer.add(np.ones(4), 2)
    layer.add(np.ones(4), -9)
    np.testing.assert_array_equal(layer.pop_until(8), [6, 1, 1, 0, 0])
