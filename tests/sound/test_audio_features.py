"""Features tell semitones, loudness, brightness and beginnings apart."""

import numpy as np
import pytest

from frame2sound.sound.audio_features import (
    FLOOR_DB,
    LevelCeiling,
    features_from_blocks,
    features_from_magnitudes,
    semitone_filterbank,
)
from frame2sound.sound.stft import Stft

RATE = 22050
STFT = Stft(1024, 256)
rng = np.random.default_rng(0)


def tone(hertz, phase=0.0, samples=4096, harmonics=(1.0,), level=0.5):
    turns = hertz * np.arange(samples) / RATE
    parts = [a * np.sin(2 * np.pi * (i + 1) * turns + phase * (i + 1)) for i, a in
             enumerate(harmonics)]  # fmt: skip
    return level * np.sum(parts, axis=0)


def seen(sound, parts=4):
    """Return magnitudes (1, parts, bins) as a spectral target gives them."""
    return STFT.magnitude(sound, 1024 + 184 * np.arange(parts))[None]


def apart(one, other):
    """Return the distance of the shapes of two frames' levels, amplitudes by square roots."""
    shapes = [10 ** (f.levels_db.ravel() / 40) for f in (one, other)]
    shapes = [shape / np.linalg.norm(shape) for shape in shapes]
    return 1 - float(np.dot(*shapes))


@pytest.mark.parametrize("n_fft", [64, 1024, 2048, 16384])
def test_bands_share_out_all_power_but_that_at_0_hz(n_fft):
    weights = semitone_filterbank(n_fft)
    np.testing.assert_allclose(weights[1:].sum(axis=1), 1, atol=1e-12)
    assert not weights[0].any()
    assert (weights.sum(axis=0) > 0).all()


def test_bands_are_bins_below_and_semitones_above():
    weights = semitone_filterbank(1024)
    np.testing.assert_allclose(weights[1:16, :15], np.eye(15), atol=1e-12)
    # From one octave to the next there are twelve bands.
    middles = (np.arange(513)[:, None] * weights).sum(0) / weights.sum(0)
    np.testing.assert_allclose(middles[40] / middles[28], 2, rtol=0.02)


@pytest.mark.parametrize("hertz", [100, 150, 220, 440, 880, 1760])
@pytest.mark.parametrize("harmonics", [(1.0,), (1.0, 0.42, 0.2, 0.07, 0.03)])
def test_a_semitone_is_farther_than_another_phase(hertz, harmonics):
    mine = features_from_magnitudes(seen(tone(hertz, harmonics=harmonics)))
    same = [apart(mine, features_from_magnitudes(seen(tone(hertz, phase, harmonics=harmonics))))
            for phase in (0.5, 1.0, 2.0, 3.0)]  # fmt: skip
    shifted = [tone(hertz * 2 ** (s / 12), harmonics=harmonics) for s in (-1, 1)]
    other = [apart(mine, features_from_magnitudes(seen(sound))) for sound in shifted]
    # Near 100 Hz the mirror image at -100 Hz reaches into the same bins, and moves with phase.
    assert min(other) > 2 * max(same)


@pytest.mark.parametrize("hertz", [150, 440, 1760])
def test_blocks_tell_semitones_too(hertz):
    mine, same, up = (
        features_from_blocks(tone(f, p, 911)[None])
        for f, p in ((hertz, 0), (hertz, 2), (hertz * 2 ** (1 / 12), 0))
    )
    assert apart(mine, up) > 2 * apart(mine, same)


def test_loudness_is_the_root_mean_square_from_spectra_and_from_blocks():
    sine = tone(1000, level=0.1)
    noise = rng.normal(0, 0.1, 4096)
    for sound, expected, tolerance in ((sine, -23.01, 0.1), (noise, -20, 1.5)):
        # Noise is measured on a few windows only, hence 1.5 dB.
        assert features_from_magnitudes(seen(sound)).loudness_db[0] == pytest.approx(
            expected, abs=tolerance
        )
        assert features_from_blocks(sound[None, :911]).loudness_db[0] == pytest.approx(
            expected, abs=tolerance
        )


def test_brightness_counts_octaves():
    low, high = (
        features_from_magnitudes(seen(tone(hertz))).spectral_centroid[0] for hertz in (500, 2000)
    )
    assert high - low == pytest.approx(2, abs=0.05)


def test_an_onset_is_a_rise_and_not_a_fall():
    quiet = seen(rng.normal(0, 0.01, 4096))
    features = features_from_magnitudes(np.concatenate([quiet, 10 * quiet, 10 * quiet, quiet]))
    np.testing.assert_allclose(features.onset_strength_db, [0, 20, 0, 0], atol=1e-4)


def test_in_two_pieces_onsets_are_the_same():
    magnitudes = np.concatenate([seen(rng.normal(0, 0.1, 4096)) for _ in range(6)])
    whole = features_from_magnitudes(magnitudes)
    first = features_from_magnitudes(magnitudes[:2])
    second = features_from_magnitudes(magnitudes[2:], first.levels_db[-1])
    np.testing.assert_allclose(second.onset_strength_db, whole.onset_strength_db[2:], atol=1e-4)


def test_silence_is_the_floor():
    for features in (
        features_from_magnitudes(np.zeros((2, 4, 513))),
        features_from_blocks(np.zeros((2, 735))),
    ):
        assert (features.levels_db == FLOOR_DB).all()
        assert (features.loudness_db == FLOOR_DB).all()
        assert not features.spectral_centroid.any()
        assert not features.onset_strength_db.any()


@pytest.mark.parametrize("shape", [(2, 513), (2, 4, 2)])
def test_what_are_no_magnitudes_is_refused(shape):
    with pytest.raises(ValueError, match="got magnitudes"):
        features_from_magnitudes(np.zeros(shape))


def test_features_stay_below_a_ceiling():
    soft, loud = (
        features_from_magnitudes(seen(rng.normal(0, level, 4096))) for level in (0.01, 0.1)
    )
    ceiling = LevelCeiling.maximum(
        [LevelCeiling.from_features(soft), LevelCeiling.from_features(soft)]
    )
    np.testing.assert_array_equal(soft.clipped_to(ceiling).levels_db, soft.levels_db)
    lowered = loud.clipped_to(ceiling)
    assert (lowered.levels_db <= soft.levels_db.max(axis=(0, 1))).all()
    assert lowered.loudness_db[0] == soft.loudness_db[0]
