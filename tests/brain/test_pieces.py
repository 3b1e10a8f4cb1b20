"""Pieces in 16 bits are the sound they were made of, to a step; brains learn their mono form."""

import numpy as np
import pytest

from frame2sound.brain.pieces import BLOCK_SAMPLES, Piece, mono_piece, quantise

RATE = 48_000


def noise(length, channels=1, peak=0.9, seed=0):
    shape = length if channels == 1 else (length, channels)
    return np.random.default_rng(seed).uniform(-peak, peak, shape).astype(np.float32)


def tone(hertz, rate, begin, end):
    return np.float32(0.5 * np.sin(2 * np.pi * hertz * np.arange(begin, end) / rate))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("peak", "full_scale"), [(0.01, 1), (1.0, 1), (1.6, 2), (7.0, 8)])
def test_full_scale_doubles_until_it_holds_the_peak(channels, peak, full_scale):
    sound = noise(5000, channels, peak)
    sound[4000] = peak
    data, scale = quantise((sound[at : at + 999] for at in range(0, 5000, 999)), 5000, channels)
    assert (data.dtype, scale) == (np.int16, full_scale)
    # Half a step, a whole one at full scale, and another for what was halved.
    np.testing.assert_allclose(
        Piece("film", 0, data, scale).samples, sound, atol=2 * full_scale / 2**15
    )


def test_missing_blocks_are_silence_and_more_than_needed_is_left_out():
    data, _ = quantise([noise(300, 2), noise(300, 2, seed=1)], 800, 2)
    assert data.shape == (800, 2)
    assert data[599].any()
    assert not data[600:].any()
    np.testing.assert_array_equal(
        quantise([noise(300)], 200, 1)[0], quantise([noise(200)], 200, 1)[0]
    )


def test_a_part_of_a_piece_is_what_is_there():
    data = np.arange(-500, 500, dtype=np.int16).reshape(500, 2)
    piece = Piece("film", 7, data, 2.0)
    assert (len(piece), piece.channels, piece[3:5].dtype) == (500, 2, np.float32)
    np.testing.assert_array_equal(piece[3:5], np.float32(data[3:5] / 16384))
    index = np.array([[1, 2], [400, 0]])
    np.testing.assert_array_equal(piece[index], np.float32(data[index] / 16384))
    np.testing.assert_array_equal(np.concatenate(list(piece.blocks(99))), piece.samples)


def test_a_mono_piece_at_the_rate_of_the_clock_is_left_as_it_is():
    piece = Piece("film", 3, noise(100))
    assert mono_piece(piece, 22_050, 22_050) is piece


@pytest.mark.parametrize("start", [0, 1, 12_345])
@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_brains_learn_the_mean_of_the_channels_at_the_same_times(start, rate):
    end = start + BLOCK_SAMPLES + 30_000
    left, right = tone(440, RATE, start, end), 0.5 * tone(3000, RATE, start, end)
    data, scale = quantise([np.stack([left, right], axis=1)], end - start, 2)
    mono = mono_piece(Piece("film", start, data, scale), RATE, rate)
    assert mono.channels == 1
    assert mono.start_sample == -(-start * rate // RATE)
    first, last = mono.start_sample, mono.start_sample + len(mono)
    assert (first - 1) * RATE < start * rate <= first * RATE
    assert (last - 1) * RATE <= (end - 1) * rate < last * RATE
    expected = (tone(440, rate, first, last) + 0.5 * tone(3000, rate, first, last)) / 2
    np.testing.assert_allclose(mono.samples[200:-200], expected[200:-200], atol=2e-4)


def test_of_channels_that_cancel_one_is_learned():
    left = tone(440, RATE, 0, 2 * RATE)
    data, scale = quantise([np.stack([left, -0.9 * left], axis=1)], len(left), 2)
    mono = mono_piece(Piece("film", 0, data, scale), RATE, RATE)
    np.testing.assert_allclose(np.abs(mono.samples), np.abs(left), atol=1e-4)


def test_a_piece_that_is_shorter_than_a_sample_of_the_clock_is_empty():
    for start in range(8):
        for length in range(3):
            mono = mono_piece(Piece("film", start, np.ones((length, 2), np.float32)), RATE, 8000)
            assert len(mono) <= 1
