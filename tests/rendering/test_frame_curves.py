"""Gestures have closed forms for simple pictures, and know nothing of batches."""

import numpy as np
import pytest

from frame2sound.rendering.frame_curves import FrameCurves

NAMES = ("brightness", "motion", "place")


def grey(*levels):
    return np.array(levels, np.uint8)[:, None, None] * np.ones((64, 64), np.uint8)


def column(at, width=1, level=255):
    frame = np.zeros((1, 64, 64), np.uint8)
    frame[0, :, at : at + width] = level
    return frame


def test_brightness_is_the_mean_grey():
    seen = FrameCurves.from_frames(grey(0, 51, 255))
    np.testing.assert_allclose(seen.brightness, [0, 0.2, 1], atol=1e-6)
    half = np.concatenate([column(0, 32), column(10, 16, 102)])
    np.testing.assert_allclose(FrameCurves.from_frames(half).brightness, [0.5, 0.1], atol=1e-6)


def test_motion_is_the_mean_change():
    frames = np.concatenate([grey(0, 51, 51), column(0, 32), column(32, 32)])
    # A tenth of 64 columns would not be whole: half of them change by 0.8 and half by 0.2.
    expected = [0, 0.2, 0, 0.5 * 0.8 + 0.5 * 0.2, 1]
    np.testing.assert_allclose(FrameCurves.from_frames(frames).motion, expected, atol=1e-6)
    later = FrameCurves.from_frames(frames[1:], previous_frame=frames[0])
    np.testing.assert_allclose(later.motion, expected[1:], atol=1e-6)


@pytest.mark.parametrize("level", [255, 20])
@pytest.mark.parametrize("at", [0, 1, 31, 32, 63])
def test_place_is_where_the_light_is(at, level):
    place = FrameCurves.from_frames(column(at, level=level)).place
    # From the left edge's column to the right edge's.
    np.testing.assert_allclose(place, 2 * at / 63 - 1, atol=1e-6)


def test_place_of_two_lights_is_between_them_by_their_brightness():
    frame = np.maximum(column(0, level=50), column(63, level=150))
    np.testing.assert_allclose(FrameCurves.from_frames(frame).place, (150 - 50) / 200, atol=1e-6)


def test_light_everywhere_or_nowhere_is_in_the_middle():
    np.testing.assert_allclose(FrameCurves.from_frames(grey(0, 1, 255)).place, 0, atol=1e-9)


def test_a_glimmer_does_not_throw_sound_to_the_edge():
    glimmer = np.zeros((1, 64, 64), np.uint8)
    glimmer[0, 0, 0] = 1
    # One grey level in one of 4096 pixels, against a thousandth of white.
    np.testing.assert_allclose(
        FrameCurves.from_frames(glimmer).place, -1000 / 4096 / 255, rtol=1e-4
    )


def test_gestures_equal_a_slow_reference():
    frames = np.random.default_rng(0).integers(0, 256, (5, 64, 64), np.uint8)
    seen = FrameCurves.from_frames(frames)
    whole = frames / 255
    for at, picture in enumerate(whole):
        place = sum((2 * x / 63 - 1) * picture[y, x] for y in range(64) for x in range(64))
        moved = np.abs(picture - whole[max(at - 1, 0)]).mean()
        assert seen.brightness[at] == pytest.approx(picture.mean(), abs=1e-6)
        assert seen.place[at] == pytest.approx(place / picture.sum(), abs=1e-6)
        assert seen.motion[at] == pytest.approx(moved, abs=1e-6)


@pytest.mark.parametrize("size", [1, 3])
def test_batches_give_the_same(size):
    frames = np.random.default_rng(1).integers(0, 256, (10, 64, 64), np.uint8)
    whole = FrameCurves.from_frames(frames)
    before = None
    for first in range(0, 10, size):
        batch = frames[first : first + size]
        part = FrameCurves.from_frames(batch, before)
        for name in NAMES:
            expected = getattr(whole, name)[first : first + size]
            # The order of a product's sums may change with its size.
            np.testing.assert_allclose(getattr(part, name), expected, atol=1e-12)
        before = batch[-1]


def test_no_frames_have_no_gestures():
    seen = FrameCurves.from_frames(np.empty((0, 64, 64), np.uint8))
    assert [len(getattr(seen, name)) for name in NAMES] == [0, 0, 0]
