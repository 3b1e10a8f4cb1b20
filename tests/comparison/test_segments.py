"""Segments: their range in whole frames, warm-up and lead-in, and ground truth."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.comparison.records import measure_segment
from frame2sound.comparison.segments import EvaluationFilm, split_into_segments
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.film_loudness import film_gain_db
from frame2sound.library.pickler import pickle_film
from frame2sound.library.split import split_library
from frame2sound.library.store import Library

RATE = 8000


def film_of(seconds, begin=0.0, fps=25):
    frames = np.arange(round(seconds * fps)).astype(np.uint8)[:, None, None]
    sound = np.arange(round(seconds * RATE), dtype=np.float32)
    return EvaluationFilm(
        "film", "held out", "digest", np.broadcast_to(frames, (len(frames), 64, 64)),
        np.arange(len(frames) + 1) / fps, sound, None, round(begin * RATE), len(sound),
    )  # fmt: skip


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(24000, 1001), Fraction(30)])
def test_a_segment_is_whole_frames_of_the_held_out_range(fps):
    film = film_of(50, 40.01)
    (segment,) = split_into_segments([film], Clock(fps, RATE))
    assert film.start_sample <= segment.start_sample < film.start_sample + RATE / fps
    assert (
        film.end_sample - RATE / fps
        < segment.start_sample + segment.sample_count
        <= film.end_sample
    )
    assert len(segment.frames()) == segment.warmup_frames + segment.frame_count
    assert 20 <= segment.warmup_frames / fps < 20.1
    lead = segment.lead_in_samples
    assert lead == pytest.approx(RATE, abs=float(RATE / fps))
    np.testing.assert_array_equal(
        segment.reference, film.samples[segment.start_sample - lead :][: len(segment.reference)]
    )
    assert len(segment.reference) == lead + segment.sample_count


def test_long_films_are_split_without_gaps():
    clock = Clock(Fraction(30), RATE)
    parts = list(split_into_segments([film_of(100)], clock))
    assert [part.name for part in parts] == ["film-1", "film-2", "film-3", "film-4"]
    assert [part.seconds for part in parts] == [25.0] * 4
    ends = [part.start_sample + part.sample_count for part in parts]
    assert [part.start_sample for part in parts] == [0, *ends[:-1]]
    assert parts[0].warmup_frames == parts[0].lead_in_samples == 0
    # A film's frame 250 is on screen at 10 s, in the warm-up of the segment that begins at 25 s.
    assert parts[1].frames()[0, 0, 0] == 5 * 25


def test_soundtracks_are_padded_or_trimmed():
    (segment,) = split_into_segments([film_of(10, 8)], Clock(Fraction(30), RATE))
    length = segment.lead_in_samples + segment.sample_count
    for samples in (np.ones(length - 5, np.float32), np.ones(length + 5, np.float32)):
        assert len(segment.pad_or_trim(samples)) == length


def test_the_ground_truth_counts_only_if_the_film_is_unchanged(tmp_path):
    film = tmp_path / "film.mp4"
    scene = load_scene("typing", seconds=10, seed=0, size=(64, 64))
    write_scene(scene, film)
    library = Library.create(tmp_path / "library", RATE)
    pickle_film(film, library)

    def load_segment():
        (held_out,) = split_library(library).held_out
        (segment,) = split_into_segments(
            [EvaluationFilm.from_held_out(held_out)], Clock(Fraction(30), RATE)
        )
        return segment

    known = load_segment()
    begin = known.start_sample / RATE
    expected = [at - begin for at in scene.truth.onsets if at >= begin]
    np.testing.assert_allclose(known.ground_truth.onsets, expected, atol=1e-9)
    assert len(known.ground_truth.pitch_frame_times) == len(known.ground_truth.pitch_hz) + 1
    assert known.ground_truth.pitch_frame_times[-1] <= known.seconds + 1e-9
    with film.open("ab") as file:
        file.write(b"changed")
    assert load_segment().ground_truth.pitch_frame_times is None


def test_animations_have_ground_truth_and_sound_if_there_are_any(tmp_path):
    scene = load_scene("typing", seconds=3, seed=1, size=(64, 64))
    write_scene(scene, tmp_path / "mute.mp4", with_audio=False)
    write_scene(scene, tmp_path / "loud.mp4")
    clock = Clock(Fraction(30), RATE)
    mute, loud = (
        next(
            iter(split_into_segments([EvaluationFilm.from_animation(tmp_path / name, RATE)], clock))
        )
        for name in ("mute.mp4", "loud.mp4")
    )
    assert mute.reference is None
    assert len(mute.ground_truth.onsets) == len(scene.onsets)
    assert loud.reference is not None
    assert np.abs(loud.reference).max() > 0.01
    assert loud.sample_count == mute.sample_count == 3 * RATE


def test_the_reference_has_the_gain_of_its_film_where_films_were_learned_equal(tmp_path, add_film):
    library = Library.create(tmp_path / "library", RATE)
    tone = 0.02 * np.sin(2 * np.pi * 997 * np.arange(12 * RATE) / RATE)
    add_film(library, "film", 12, sound=tone)
    (held_out,) = split_library(library).held_out
    film = EvaluationFilm.from_held_out(held_out)
    (segment,) = split_into_segments([film], Clock(Fraction(30), RATE))
    equal = segment.at_loudness("equal")
    assert film.gain_db == film_gain_db(held_out.film) == pytest.approx(14, abs=0.5)
    assert segment.at_loudness("film") is segment
    assert segment.at_loudness("equal") is equal is equal.at_loudness("equal")
    factor = 10 ** (film.gain_db / 20)
    np.testing.assert_allclose(equal.reference, segment.reference * factor, rtol=1e-6)
    assert equal.cache_key() == [*segment.cache_key(), film.gain_db]
    # The measures of a soundtrack with the same gain are those without.
    measured = measure_segment(equal.reference * np.float32(0.5), equal).measures
    as_it_is = measure_segment(segment.reference * np.float32(0.5), segment).measures
    for name in ("spectral_distance_db", "envelope_correlation", "onset_f"):
        assert measured[name] == pytest.approx(as_it_is[name], abs=1e-3)
    unequal = measure_segment(segment.reference, equal).measures
    assert unequal["spectral_distance_db"] > measured["spectral_distance_db"]
    assert measure_segment(equal.reference, equal).measures["spectral_distance_db"] == 0


def test_predictors_get_frames_as_they_take_them():
    film = film_of(2)
    rgb = np.stack([film.frames, film.frames // 2, 0 * film.frames], axis=-1)
    (grey,) = split_into_segments([film], Clock(Fraction(25), RATE))
    (coloured,) = split_into_segments([replace(film, frames=rgb)], Clock(Fraction(25), RATE))
    in_colour, in_grey = SimpleNamespace(colour=True), SimpleNamespace(colour=False)
    np.testing.assert_array_equal(grey.frames_for(in_grey), film.frames)
    np.testing.assert_array_equal(coloured.frames_for(in_colour), rgb)
    expected = 0.299 * rgb[..., 0] + 0.587 * rgb[..., 1]
    np.testing.assert_allclose(coloured.frames_for(in_grey), expected, atol=0.51)
    # Frame n of the grey film is n; in colour the brightest of three channels is.
    np.testing.assert_array_equal(coloured.black_frames().is_black, grey.black_frames().is_black)
