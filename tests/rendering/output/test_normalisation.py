"""Loudness normalisation: the loudness asked for is reached through the limiter, or said not to be.

Loudness is measured by pyloudnorm, true peaks by sixteen-fold interpolation: neither is ours.
"""

import math

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly

from frame2sound.errors import BrainError
from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.output.finishing import apply_gain, limit
from frame2sound.rendering.output.normalisation import MAX_GAIN_DB, MAX_LIMITED_SHARE, find_gain
from frame2sound.sound.limiter import CEILING_DB
from frame2sound.sound.true_peak import true_peaks

RATE = 22050
METERS = 0.1
"""LU between two meters: their filters are the standard's at 48 kHz only."""


def noise(seconds=3, channels=1):
    """White noise with an RMS of a tenth."""
    shape = (seconds * RATE, channels) if channels == 2 else seconds * RATE
    return (0.1 * np.random.default_rng(0).standard_normal(shape)).astype(np.float32)


def levelled(sound, target, folder):
    with AudioSpool(folder) as spool:
        spool.write(np.array_split(sound, 7))
        level = find_gain(spool, RATE, target)
        out = np.concatenate([*limit(apply_gain(spool.read(), level.gain_db), RATE)])
    assert not list(folder.iterdir())
    return out, level


def loudness(sound):
    return pyloudnorm.Meter(RATE).integrated_loudness(sound.astype(np.float64))


def peak_db(sound):
    return 20 * math.log10(np.abs(resample_poly(sound.astype(np.float64), 16, 1)).max())


@pytest.mark.parametrize("target", [-40, -23, -16, -12])
@pytest.mark.parametrize("channels", [1, 2])
def test_sound_comes_to_its_loudness(target, channels, tmp_path):
    out, level = levelled(noise(3, channels), target, tmp_path)
    assert loudness(out) == pytest.approx(target, abs=0.1 + METERS)
    assert level.output_lufs == pytest.approx(loudness(out), abs=METERS)


@pytest.mark.parametrize("over_db", [20, 40, 60])
@pytest.mark.parametrize("length", [1, 200])
@pytest.mark.parametrize("target", [-16, -23])
def test_a_click_over_the_rest_does_not_keep_it_quiet(over_db, length, target, tmp_path):
    sound = 0.1 * noise(10)
    rms = float(np.sqrt((sound**2).mean()))
    sound[40_000 : 40_000 + length] = 10 ** (over_db / 20) * rms * np.sqrt(2)
    out, level = levelled(sound, target, tmp_path)
    assert loudness(out) == pytest.approx(target, abs=0.5)
    assert peak_db(out) <= CEILING_DB + 0.1
    if target == -16:
        before = 20 * math.log10(true_peaks(sound).max()) + level.gain_db
        assert level.max_reduction_db == pytest.approx(before - CEILING_DB, abs=1)
    # Ten milliseconds before and after the click the sound is what it was, louder.
    near = slice(40_000 + length + RATE // 80, 40_000 + length + RATE // 20)
    np.testing.assert_allclose(out[near], sound[near] * 10 ** (level.gain_db / 20), rtol=1e-4)


def test_sparse_clicks_in_silence_come_to_their_loudness(tmp_path):
    sound, decay = np.zeros(10 * RATE, np.float32), np.exp(-np.arange(4000) / 400)
    for at in range(3000, 200_000, 11_000):
        sound[at : at + 4000] = 0.3 * decay * noise()[:4000] / 0.1
    out, level = levelled(sound, -16, tmp_path)
    assert loudness(out) == pytest.approx(-16, abs=0.5)
    assert peak_db(out) <= CEILING_DB + 0.1
    assert level.limited_share < MAX_LIMITED_SHARE


def test_loud_sound_is_turned_down_and_not_limited(tmp_path):
    out, level = levelled(20 * noise(), -23, tmp_path)
    assert loudness(out) == pytest.approx(-23, abs=0.15)
    assert (level.max_reduction_db, level.limited_share) == (0, 0)
    np.testing.assert_allclose(out, 20 * noise() * 10 ** (level.gain_db / 20), rtol=1e-5)


@pytest.mark.parametrize("target", [-1, 0])
def test_it_stops_where_limiting_would_be_gross(target, tmp_path):
    out, level = levelled(noise(), target, tmp_path)
    assert level.limited_share <= MAX_LIMITED_SHARE
    assert level.gain_db < 25
    assert level.output_lufs == pytest.approx(loudness(out), abs=METERS)
    # White noise whose peaks are all at the ceiling: its crests are 10 dB or so over its RMS.
    assert level.output_lufs == pytest.approx(-8.4, abs=0.5)
    assert peak_db(out) <= CEILING_DB + 0.1


def test_a_tone_gets_as_loud_as_the_ceiling_lets_it(tmp_path):
    tone = 0.1 * np.sin(2 * np.pi * 997 * np.arange(3 * RATE) / RATE).astype(np.float32)
    _, level = levelled(tone, 0, tmp_path)
    assert level.output_lufs == pytest.approx(-4.4, abs=0.3)  # a sine's RMS is 3 dB below its peak
    assert level.limited_share <= MAX_LIMITED_SHARE


def test_faint_sound_is_not_lifted_without_end(tmp_path):
    _, level = levelled(1e-2 * noise(), -10, tmp_path)
    assert level.gain_db == MAX_GAIN_DB
    assert level.output_lufs == pytest.approx(level.input_lufs + MAX_GAIN_DB, abs=0.1)


def test_silence_has_no_loudness_to_change(tmp_path):
    out, level = levelled(np.zeros(RATE, np.float32), -23, tmp_path)
    assert not out.any()
    assert (level.input_lufs, level.gain_db, level.output_lufs) == (-math.inf, 0, -math.inf)


@pytest.mark.parametrize("target", [-60, -66, -68, -69.9, -70])
@pytest.mark.parametrize("input_db", [0, -40])
def test_sound_near_the_gate_of_the_measurement_comes_close(target, input_db, tmp_path):
    sound = np.concatenate([noise(1), 0.01 * noise(1)]) * np.float32(10 ** (input_db / 20))
    out, level = levelled(sound, target, tmp_path)
    assert np.isfinite(out).all()
    assert level.output_lufs == pytest.approx(max(target, -69.9), abs=0.6)


def test_black_is_not_lifted(tmp_path):
    sound = noise()
    sound[RATE:-4000] = 0
    out, _ = levelled(sound, -20, tmp_path)
    assert not out[RATE:-4000].any()


def test_sound_that_is_not_finite_has_no_loudness(tmp_path):
    with pytest.raises(BrainError, match="not finite"):
        levelled(np.full(RATE, np.inf, np.float32), -23, tmp_path)
