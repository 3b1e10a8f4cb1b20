"""Windows: closed forms, and neighbours that add to one wherever frames of unequal length meet."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.sound.windows import ENVELOPE_PEAKS, grain_envelope, hann_fade_in


@pytest.mark.parametrize("length", [1, 2, 5, 138, 919, 4096])
def test_a_rise_and_its_mirror_image_add_to_one(length):
    rise = hann_fade_in(length)
    # Two roundings of a double: sin**2 + cos**2 is one within 2 units in the last place.
    np.testing.assert_allclose(rise + rise[::-1], 1, rtol=0, atol=4.5e-16)


@pytest.mark.parametrize("length", [1, 2, 5, 919])
def test_a_rise_is_the_first_half_of_a_hann_window_read_between_samples(length):
    place = (np.arange(length) + 0.5) / (2 * length)
    np.testing.assert_allclose(
        hann_fade_in(length), 0.5 - 0.5 * np.cos(2 * np.pi * place), atol=1e-15
    )


def test_a_rise_ascends_strictly_inside_zero_and_one():
    rise = hann_fade_in(919)
    assert 0 < rise[0] < rise[-1] < 1
    assert (np.diff(rise) > 0).all()


def test_a_window_of_no_length_is_empty():
    assert hann_fade_in(0).shape == grain_envelope("hann", 0).shape == (0,)


def test_windows_of_frames_of_unequal_length_add_to_one_at_every_sample():
    clock = Clock(Fraction(24000, 1001), 22050)
    bounds, overlap = clock.sample_bounds(60), 138
    assert set(np.diff(bounds)) == {919, 920}
    total = np.zeros(bounds[-1])
    for start, end in pairwise(bounds):
        window = np.ones(end - start + overlap)
        window[:overlap] = hann_fade_in(overlap)
        window[-overlap:] = hann_fade_in(overlap)[::-1]
        first = start - overlap
        total[max(first, 0) : end] += window[max(-first, 0) :]
    # The first frame has no earlier neighbour, the last one no later: both ends stay whole.
    inner = slice(overlap, bounds[-1] - overlap)
    np.testing.assert_allclose(total[inner], 1, rtol=0, atol=4.5e-16)


@pytest.mark.parametrize("length", [2, 3, 100, 101])
def test_envelopes_against_their_definitions(length):
    for n in range(length):
        place = (n + 0.5) / length
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * place)
        assert grain_envelope("hann", length)[n] == pytest.approx(hann, abs=1e-15)
        triangle = min(2 * place, 2 - 2 * place)
        assert grain_envelope("triangle", length)[n] == pytest.approx(triangle, abs=1e-15)


@pytest.mark.parametrize("kind", ["hann", "triangle", "tukey", "gaussian"])
def test_envelopes_are_symmetric_with_their_peak_in_the_middle(kind):
    window = grain_envelope(kind, 101)
    np.testing.assert_allclose(window, window[::-1], atol=1e-15)
    assert window[50] == window.max() == 1


@pytest.mark.parametrize("kind", ENVELOPE_PEAKS)
@pytest.mark.parametrize("length", [1, 2, 3, 50, 1000])
def test_envelopes_stay_within_zero_and_one_and_their_peak_is_where_it_is_said(kind, length):
    window = grain_envelope(kind, length)
    assert window.shape == (length,)
    assert (window >= 0).all()
    assert (window <= 1).all()
    stated = min(int(ENVELOPE_PEAKS[kind] * length), length - 1)
    # Read at the middle of samples, the peak itself may lie between two.
    assert window[max(stated - 1, 0) : stated + 2].max() == window.max()


@pytest.mark.parametrize("kind", ENVELOPE_PEAKS)
def test_envelopes_end_near_silence(kind):
    window = grain_envelope(kind, 1000)
    # The gaussian, which has no end, is cut 48 dB down.
    assert max(window[0], window[-1]) <= 0.004


def test_decay_falls_by_60_db_a_length_and_reversed_is_its_mirror_image():
    window = grain_envelope("decay", 1000)
    assert 20 * np.log10(window[520] / window[20]) == pytest.approx(-30, abs=0.1)
    np.testing.assert_array_equal(grain_envelope("reversed", 1000), window[::-1])


def test_an_unknown_envelope_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="got the envelope 'square', expected one of hann"):
        grain_envelope("square", 10)
