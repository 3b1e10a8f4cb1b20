"""The limiter: nothing above the ceiling, nothing quiet touched, nothing lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from frame2sound.sound.limiter import CEILING_DB, HEADROOM_DB, Limiter
from frame2sound.sound.true_peak import true_peaks

RATE = 22050
CEILING = 10 ** (CEILING_DB / 20)


def limited(sound, rate=RATE, sizes=()):
    """Feed pieces of the given sizes, and the rest at once."""
    limiter = Limiter(rate)
    pieces = [limiter.process(piece) for piece in np.split(sound, np.cumsum(sizes)[: len(sizes)])]
    return np.concatenate([*pieces, limiter.flush()])


def peak_between(sound, times):
    """The highest absolute value of a finely interpolated sound, its ends in silence."""
    padded = np.pad(sound.astype(np.float64), [(100, 100)] + [(0, 0)] * (sound.ndim - 1))
    return np.abs(resample_poly(padded, times, 1)).max()


def decibels(ratio):
    return 20 * np.log10(ratio)


def loud(kind, length=RATE):
    time, rng = np.arange(length), np.random.default_rng(5)
    clicks = np.zeros(length)
    clicks[rng.integers(0, length, 30)] = 1
    clicks[[0, -1]] = 1
    sounds = {
        "quarter of the rate at 45 degrees": np.sqrt(2) * np.sin(np.pi / 2 * time + np.pi / 4),
        "sixth of the rate": np.sin(np.pi / 3 * time + np.pi / 6),
        "near half the rate": np.sin(0.9 * np.pi * time),
        "low": np.sin(2 * np.pi * 40 * time / RATE),
        "uniform noise": rng.uniform(-1, 1, length),
        "normal noise": 0.4 * rng.standard_normal(length),
        "clicks": clicks,
        "square": np.sign(np.sin(2 * np.pi * 331 * time / RATE)),
        "loud end": np.where(time > length - 50, rng.uniform(-1, 1, length), 0),
        "loud beginning": np.where(time < 50, rng.uniform(-1, 1, length), 0),
    }
    return sounds[kind].astype(np.float32)


KINDS = [
    "quarter of the rate at 45 degrees",
    "sixth of the rate",
    "near half the rate",
    "low",
    "uniform noise",
    "normal noise",
    "clicks",
    "square",
    "loud end",
    "loud beginning",
]


@pytest.mark.parametrize("overdrive", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_no_true_peak_is_above_the_ceiling(kind, overdrive):
    sound = overdrive * loud(kind)
    out = limited(sound)
    assert len(out) == len(sound)
    assert out.dtype == np.float32
    assert peak_between(out, 4) <= CEILING
    # A fourfold meter may read low (see below); the headroom has to pay for nearly all of it.
    assert decibels(peak_between(out, 16)) <= CEILING_DB + 0.1


@pytest.mark.parametrize("rate", [8000, 24000, 30720, 44100, 48000])
def test_the_ceiling_holds_at_every_sample_rate(rate):
    assert peak_between(limited(3 * loud("uniform noise"), rate), 4) <= CEILING


def test_little_is_taken_from_a_steady_tone():
    out = limited(3 * loud("low"))
    # A steady tone ends at the ceiling less the headroom, but for the rounding.
    assert decibels(np.abs(out[2000:-2000]).max()) == pytest.approx(
        CEILING_DB - HEADROOM_DB, abs=0.01
    )


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_quiet_sound_passes_bit_for_bit(rate):
    sound = 0.8 * loud("uniform noise")[:9000] * 0.5
    np.testing.assert_array_equal(limited(sound, rate, [777] * 5), sound)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_farther_than_the_window_from_any_peak_no_bit_changes(rate):
    sound = 0.05 * loud("uniform noise")
    sound[10_000:10_010] = 2
    far = Limiter(rate).latency
    out = limited(sound, rate)
    np.testing.assert_array_equal(out[: 10_000 - far], sound[: 10_000 - far])
    np.testing.assert_array_equal(out[10_010 + far :], sound[10_010 + far :])
    assert np.abs(out[10_000:10_010]).max() < 1


def test_both_channels_are_turned_down_together():
    left = 2 * loud("normal noise")
    sound = np.stack([left, 0.1 * left[::-1]], axis=1)
    out = limited(sound)
    assert out.shape == sound.shape
    assert peak_between(out, 4) <= CEILING
    # One gain for both, computed in float32.
    gain = limited(left)[1000:-1000] / left[1000:-1000]
    assert gain.min() < 0.9
    np.testing.assert_allclose(out[1000:-1000, 1], sound[1000:-1000, 1] * gain, atol=1e-6)


def test_a_peak_in_the_second_channel_counts():
    sound = np.stack([0.1 * loud("low"), 2 * loud("low")], axis=1)
    out = limited(sound)
    assert peak_between(out, 4) <= CEILING
    assert np.abs(out[:, 0]).max() < 0.05


@given(sizes=st.lists(st.integers(0, 1500), max_size=20), channels=st.sampled_from([1, 2]))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_pieces_of_any_size_give_what_the_whole_gives(sizes, channels):
    sound = loud("normal noise")[:8000] * np.linspace(0.2, 3, 8000, dtype=np.float32)
    if channels == 2:
        sound = np.stack([sound, sound[::-1]], axis=1)
    # Sums of 24 products may be taken in another order, in single precision.
    np.testing.assert_allclose(limited(sound, sizes=sizes), limited(sound), rtol=0, atol=1e-6)


@pytest.mark.parametrize("length", [0, 1, 2, 30, 243, 244, 245, 500])
@pytest.mark.parametrize("step", [1, 1000])
def test_sound_shorter_than_the_look_ahead_is_kept_and_limited(length, step):
    sound = np.full(length, 2, np.float32)
    out = limited(sound, sizes=[step] * (length // step))
    assert len(out) == length
    assert true_peaks(out).max(initial=0) <= CEILING


def test_feeding_nothing_and_flushing_twice_give_nothing():
    limiter = Limiter(RATE)
    assert len(limiter.flush()) == 0
    limiter.process(np.ones(10, np.float32))
    assert len(limiter.flush()) == 10
    assert len(limiter.flush()) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(100,), (100, 2)])
def test_numbers_that_are_not_finite_are_refused(bad, shape):
    sound = np.zeros(shape, np.float32)
    sound[40] = bad
    with pytest.raises(ValueError, match="not finite"):
        Limiter(RATE).process(sound)


@pytest.mark.parametrize("kind", KINDS)
def test_true_peaks_against_sixteen_fold_resampling(kind):
    sound = loud(kind)
    heard = decibels(true_peaks(sound).max() / peak_between(sound, 16))
    # BS.1770-4 allows a fourfold meter to read 0.69 dB low at half the rate. The two interpolating
    # filters differ near half the rate, where only noise, clicks and edges have much.
    assert -0.7 < heard < 0.2


def test_true_peaks_finds_what_lies_between_samples():
    sound = loud("quarter of the rate at 45 degrees")
    assert np.abs(sound).max() == pytest.approx(1, abs=1e-6)
    # The filter's ripple in the passband is below 0.05 dB.
    assert decibels(true_peaks(sound)[100:-100].max()) == pytest.approx(3.01, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("above", [0.1, 0.7, 5.0])
def test_true_peaks_above_a_level_are_those_of_all(kind, above):
    sound = loud(kind) * np.linspace(0, 1, len(loud(kind)), dtype=np.float32)
    some, every = true_peaks(sound, above), true_peaks(sound)
    np.testing.assert_allclose(np.maximum(some, above), np.maximum(every, above), rtol=1e-6)
    assert (some >= np.abs(sound)).all()


def test_true_peaks_is_never_below_the_samples():
    sound = loud("normal noise")
    peaks = true_peaks(sound)
    assert peaks.shape == sound.shape
    assert (peaks >= np.abs(sound)).all()
    assert true_peaks(sound[:0]).shape == (0,)
