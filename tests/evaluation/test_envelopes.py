"""Envelope scores by closed forms."""

import numpy as np
import pytest

from frame2sound.evaluation.envelopes import EnvelopeScores, envelope_scores
from tests.evaluation.signals import RATE, TRUTH, pings


def test_correlation_does_not_depend_on_the_level():
    sound = pings(TRUTH)
    assert envelope_scores(sound, sound, RATE) == EnvelopeScores(pytest.approx(1.0), 0.0)
    half = envelope_scores(sound / 2, sound, RATE)
    assert half.correlation == pytest.approx(1.0)
    full = envelope_scores(0 * sound, sound, RATE)
    assert half.mean_absolute_error == pytest.approx(full.mean_absolute_error / 2)


def test_opposite_envelopes_have_a_correlation_of_minus_one():
    loud = np.repeat([1.0, 0.0, 1.0, 0.0], 441)
    scores = envelope_scores(loud, 1 - loud, 44100)  # 441 samples: 10 ms
    assert scores == EnvelopeScores(pytest.approx(-1.0), 1.0)


def test_scores_of_constant_envelopes():
    flat, silent, moving = np.full(RATE, 0.25), np.zeros(RATE), pings([0.5], 1.0)
    assert envelope_scores(flat, silent, RATE) == EnvelopeScores(None, pytest.approx(0.25))
    assert envelope_scores(silent, moving, RATE).correlation == 0.0
    assert envelope_scores(moving, flat, RATE).correlation is None
    assert envelope_scores(silent[:0], silent[:0], RATE).mean_absolute_error == 0.0


@pytest.mark.parametrize("hertz", [110, 440, 3000])
def test_a_steady_tone_or_noise_has_no_envelope_and_6_db_more_have_one(hertz):
    times = np.arange(4 * RATE) / RATE
    steps = np.where(times % 1 < 0.5, 1.0, 2.0)
    for steady in (
        np.sin(2 * np.pi * hertz * times),
        np.random.default_rng(0).normal(size=len(times)),
    ):
        assert envelope_scores(steps, steady, RATE).correlation is None
        assert envelope_scores(steps, steps * steady, RATE).correlation > 0.95


def test_the_shorter_sound_is_padded_with_silence():
    scores = envelope_scores(np.ones(RATE // 2), np.ones(RATE), RATE)
    assert scores.correlation is None
    assert scores.mean_absolute_error == pytest.approx(0.5)
