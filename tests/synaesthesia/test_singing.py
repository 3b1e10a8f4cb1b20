"""What is heard in drawings becomes sound: the learned clips, or phases for predicted spectra."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.synaesthesia.singing import Clips, sing_by_mosaic, sing_by_phase
from frame2sound.synaesthesia.sliding_windows import sliding_windows
from frame2sound.synaesthesia.sound_windows import RATE, log_mel, window_levels_db

RNG = np.random.default_rng(0)
SECONDS = np.arange(RATE) / RATE
SOUNDS = np.stack(
    [
        0.1 * np.sin(2 * np.pi * 440 * SECONDS),
        0.1 * np.sin(2 * np.pi * 3000 * SECONDS),
        0.05 * RNG.standard_normal(RATE),
    ]
).astype(np.float32)
SPECTRA = log_mel(SOUNDS)
COMPONENTS = np.eye(3, 20, dtype=np.float32)
CLIPS = Clips(
    SOUNDS, COMPONENTS, window_levels_db(SPECTRA)
)  # fmt: skip


def test_drawings_sound_as_the_nearest_clips_as_loud_as_they_are_heard() -> None:
    order = [2, 0]
    heard = 0.9 * COMPONENTS[order] + 0.05
    louder = SPECTRA[order] + np.array([0, 6], np.float32)[:, None, None]
    sound = sing_by_mosaic(CLIPS, heard, louder, None)
    assert len(sound) == 2 * RATE
    inside = slice(500, RATE - 500)
    assert np.abs(sound[:RATE][inside] - SOUNDS[2][inside]).max() < 1e-4
    assert np.abs(sound[RATE:][inside] - 10 ** (6 / 20) * SOUNDS[0][inside]).max() < 1e-3
    far_louder = sing_by_mosaic(CLIPS, heard, SPECTRA[order] + 40, None)
    assert np.abs(far_louder[RATE:]).max() == pytest.approx(0.1 * 10 ** (12 / 20), rel=1e-3)


def test_a_film_of_one_sound_is_that_sound_without_gaps() -> None:
    frames = 60
    heard = np.tile(COMPONENTS[:1], (frames, 1))
    sound = sing_by_mosaic(CLIPS, heard, np.tile(SPECTRA[:1], (frames, 1, 1)), Fraction(25))
    assert len(sound) == round(frames / 25 * RATE)
    # 440 Hz has whole periods in half a second, so the crossfaded clips agree
    expected = 0.1 * np.sin(2 * np.pi * 440 * (np.arange(len(sound)) / RATE))
    assert np.abs(sound - expected).max() < 1e-3


@pytest.mark.parametrize("fps", [None, Fraction(24000, 1001)])
def test_phases_give_the_levels_that_were_heard(fps: Fraction | None) -> None:
    count = 1 if fps is None else 48
    sound = sing_by_phase(np.tile(SPECTRA[2:], (count, 1, 1)), fps)
    assert len(sound) == (RATE if fps is None else round(48 / fps * RATE))
    heard = log_mel(sound[-RATE:][None])[0, 4:-4]
    power = 10 * np.log10((10 ** (heard / 10)).mean(axis=0))
    wanted = 10 * np.log10((10 ** (SPECTRA[2] / 10)).mean(axis=0))
    assert np.abs(power - wanted)[1:-1].mean() < 1.5


def test_a_burst_in_a_film_is_heard_when_its_windows_show_it() -> None:
    sound, fps = np.zeros(2 * RATE, np.float32), Fraction(24)
    begin = round(1.2 * RATE)
    sound[begin : begin + RATE // 10] = 0.2 * RNG.standard_normal(RATE // 10)
    heard = sing_by_phase(log_mel(np.stack(list(sliding_windows([sound], fps)))), fps)
    power = np.square(heard.astype(np.float64))
    middle = (power * np.arange(len(heard))).sum() / power.sum() / RATE
    assert middle == pytest.approx(1.25, abs=0.03)


def test_silence_stays_silent() -> None:
    silent = log_mel(np.zeros((1, RATE), np.float32))
    assert np.abs(sing_by_phase(silent, None)).max() == 0
