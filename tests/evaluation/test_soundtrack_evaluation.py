"""All measures at once: the original sound is perfect, controls are not."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.evaluation.frame_rate_hum import line_comb_db
from frame2sound.evaluation.soundtrack_evaluation import (
    BlackFrames,
    Measurements,
    Reference,
    measure_controls,
    measure_soundtrack,
    shuffle_seconds,
)
from frame2sound.film.drawing.demo_films import load_scene

RATE, FPS, SECONDS = 22050, Fraction(30), 6
SCENE = load_scene("bounce", seconds=SECONDS, seed=1, sample_rate=RATE)
SOUND = SCENE.synthesise(0, SCENE.sample_count)
SCREEN = BlackFrames(np.arange(SCENE.frame_count + 1) / 30, np.zeros(SCENE.frame_count, bool))


@pytest.fixture(scope="module")
def reference():
    return Reference(SOUND, RATE, FPS)


@pytest.fixture(scope="module")
def original(reference):
    return measure_soundtrack(
        SOUND,
        RATE,
        FPS,
        picture_seconds=Fraction(SECONDS),
        black_frames=SCREEN,
        reference=reference,
        truth=SCENE.truth,
    )


def test_the_original_sound_is_perfect(original):
    assert original.length_samples == 0
    assert original.lag_start_ms == pytest.approx(0, abs=1)
    assert original.onset_f > 0.9 > original.onset_chance
    assert original.in_sync > 0.9
    assert original.envelope_correlation == pytest.approx(1)
    assert original.envelope_error == original.spectral_distance_db == 0
    assert original.line_comb_above_db == pytest.approx(0, abs=1.5)  # noise below 0 dB counts as 0
    assert original.pitch > 0.8
    assert original.level_error_db < 0.01
    assert original.true_peak_dbtp < 0
    assert original.clipped == 0
    assert original.why == dict.fromkeys(
        ("black_db", "black_above_db"), "no frame has been black for 200 ms"
    )


def test_controls_score_worse(original, reference):
    controls = measure_controls(SOUND, RATE, FPS, reference=reference, truth=SCENE.truth)
    assert list(controls) == ["silence", "shuffled"]
    for other in controls.values():
        assert other.onset_f < original.onset_f - 0.2
        assert other.envelope_correlation < 0.7
        assert other.spectral_distance_db > 3
        assert other.pitch < 0.5
        assert other.level_error_db > 3
    silence = controls["silence"]
    assert silence.loudness_lufs == -math.inf
    assert silence.lag_start_ms is silence.in_sync is silence.line_comb_db is None
    assert silence.why["in_sync"] == "no onsets"


def test_what_cannot_be_measured_is_none_with_a_reason():
    alone = measure_soundtrack(SOUND, RATE, FPS)
    for name in ("lag_start_ms", "spectral_distance_db", "tremolo_comb_above_db"):
        assert getattr(alone, name) is None
        assert alone.why[name] == "needs a reference"
    assert alone.why["onset_f"] == "needs a reference or the truth"
    assert alone.why["pitch"] == "needs the truth"
    assert alone.line_comb_db == line_comb_db(SOUND, RATE, FPS)
    assert measure_controls(SOUND, RATE, FPS) == {}


def test_delay_length_and_hum_of_a_bad_soundtrack_are_measured(reference):
    late = np.pad(SOUND, (RATE // 20, 0))
    block = np.random.default_rng(0).standard_normal(RATE // 30) * 0.1
    found = measure_soundtrack(
        late + np.resize(block, len(late)),
        RATE,
        FPS,
        picture_seconds=Fraction(SECONDS),
        reference=reference,
    )
    assert found.length_samples == RATE // 20
    assert found.line_comb_db > 15
    assert found.line_comb_above_db > 15
    quiet = measure_soundtrack(late, RATE, FPS, reference=reference, truth=SCENE.truth)
    assert quiet.lag_start_ms == pytest.approx(50, abs=4)


def test_plain_values_are_json_with_silence_at_minus_200(original):
    page = json.loads(json.dumps(original.to_dict(), allow_nan=False))
    assert page["length_samples"] == 0
    assert page["black_db"] is None
    assert set(page["combs"]) == {"line", "tremolo"}
    silent = measure_soundtrack(0 * SOUND, RATE, FPS).to_dict()
    assert silent["loudness_lufs"] == silent["true_peak_dbtp"] == -200
    assert Measurements().to_dict()["why"] == {}


@pytest.mark.parametrize(
    ("ours", "theirs", "above"), [(0.1, 0.1, 0), (0.1, 0, 40), (0, 0.1, -40), (0, 0, 0)]
)
def test_the_level_in_black_is_relative_to_the_reference(ours, theirs, above):
    screen = BlackFrames(np.arange(SCENE.frame_count + 1) / 30, np.ones(SCENE.frame_count, bool))
    sound, other = np.full(len(SOUND), ours), np.full(len(SOUND), theirs)
    reference = Reference(other, RATE, FPS)
    found = measure_soundtrack(sound, RATE, FPS, black_frames=screen, reference=reference)
    assert found.black_above_db == pytest.approx(above)  # a constant 0.1 is at -20 dBFS
    assert measure_soundtrack(sound, RATE, FPS, black_frames=screen).black_above_db is None


def test_shuffling_moves_whole_seconds_and_keeps_all():
    sound = np.arange(35.0)
    other = shuffle_seconds(sound, 10)
    assert other[30:].tolist() == sound[30:].tolist()
    assert sorted(other[:30:10]) == [0, 10, 20]
    assert other.tolist() != sound.tolist()
    assert len(shuffle_seconds(sound[:5], 10)) == 5


def test_sound_of_wrong_shape_or_rate_or_not_finite_is_refused(reference):
    with pytest.raises(ValueError, match="not finite"):
        measure_soundtrack(np.array([0.0, np.nan]), RATE, FPS)
    with pytest.raises(ValueError, match=r"expected \(samples,\)"):
        measure_soundtrack(np.zeros((10, 2)), RATE, FPS)
    with pytest.raises(ValueError, match="expected 48000 Hz"):
        measure_soundtrack(SOUND, 48000, FPS, reference=reference)
