"""Sums over blocks: pooled, they are what the measures measure of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from frame2sound.comparison.block_stats import STATISTICS, GroundTruth, sum_blocks
from frame2sound.evaluation import measures
from frame2sound.evaluation.pitch import pitch_accuracy
from frame2sound.evaluation.spectral_distance import log_spectral_distance

RATE = 8000
TRUE = np.array([0.5, 1.3, 2.9, 4.2, 5.0, 7.7])
PLAYED = np.array([0.51, 1.3, 3.2, 4.24, 5.0, 6.1])


def clicks(at, seconds=9.0, pitch=400.0):
    """Struck tones at some times."""
    sound = np.zeros(round(seconds * RATE))
    t = np.arange(RATE) / RATE
    for begin in at:
        here = sound[round(begin * RATE) :][: len(t)]
        here += (np.exp(-12 * t) * np.sin(2 * np.pi * pitch * t) * 0.5)[: len(here)]
    return sound


def held(own, lead=0, onsets=TRUE, *pitched):
    return GroundTruth(RATE, lead, len(own) - lead, own, np.asarray(onsets), *pitched)


def value(name, sums):
    return float(STATISTICS[name](sums.sum(0)))


def test_pooled_blocks_give_the_measures_of_the_whole():
    own, sound = clicks(TRUE), clicks(PLAYED, pitch=420.0)
    pitch = tuple([400.0] * 60 + [None] * 30)
    times = np.arange(91) / 10
    against = held(own, 0, TRUE, pitch, times)
    found = sum_blocks(sound, against)
    assert against.block_count == 4
    assert {sums.shape[0] for sums in found.values()} == {4}
    heard = measures.detect_onsets(sound, RATE)
    expected = {
        "onset_f": measures.onset_scores(heard, TRUE).f_measure,
        "in_sync": measures.in_sync(sound, TRUE, RATE),
        "envelope_correlation": measures.envelope_scores(sound, own, RATE).correlation,
        "spectral_distance_db": log_spectral_distance(sound, own, RATE),
        "pitch": pitch_accuracy(sound, RATE, pitch, times),
    }
    for name, figure in expected.items():
        assert value(name, found[name]) == pytest.approx(figure), name
    assert 0 < expected["onset_f"] < 1


def test_what_sounds_on_from_before_is_no_onset():
    own = clicks([0.2, 1.9, 4.0, 6.5], seconds=9.0)
    lead = 2 * RATE
    found = sum_blocks(own, held(own, lead, [2.0, 4.5]))
    assert value("onset_f", found["onset_f"]) == 1.0
    assert value("in_sync", found["in_sync"]) > 0.95
    cut = sum_blocks(own[lead:], held(own[lead:], 0, [2.0, 4.5]))
    assert value("onset_f", cut["onset_f"]) < 1.0


def test_an_event_on_the_first_sample_is_found_though_it_is_heard_early():
    own = clicks([2.0, 4.0], seconds=6.0)
    against = held(own, 2 * RATE, [0.0, 2.0])
    early = clicks([1.98, 4.0], seconds=6.0)
    for sound in (own, early):
        assert value("onset_f", sum_blocks(sound, against)["onset_f"]) == 1.0


def test_silence_has_no_sync_and_no_correlation():
    own = clicks(TRUE)
    found = sum_blocks(np.zeros_like(own), held(own))
    assert np.isnan(value("in_sync", found["in_sync"]))
    assert value("envelope_correlation", found["envelope_correlation"]) == 0.0
    assert value("onset_f", found["onset_f"]) == 0.0
    assert "pitch" not in found


def test_two_silences_agree():
    quiet = np.zeros(4 * RATE)
    found = sum_blocks(quiet, held(quiet, 0, []))
    assert value("envelope_correlation", found["envelope_correlation"]) == 1.0
    assert value("onset_f", found["onset_f"]) == 1.0
    assert value("spectral_distance_db", found["spectral_distance_db"]) == 0.0


def test_without_its_own_sound_only_events_and_pitch_are_measured():
    own = clicks(TRUE)
    silent = GroundTruth(RATE, 0, len(own), None, TRUE, (400.0,) * 90, np.arange(91) / 10)
    assert set(sum_blocks(own, silent)) == {"onset_f", "in_sync", "pitch"}
    assert sum_blocks(own, GroundTruth(RATE, 0, len(own))) == {}
