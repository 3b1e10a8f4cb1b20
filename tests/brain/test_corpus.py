"""A corpus has sound of all films of a library, selects films by name, and reports missing ones."""

import json
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.corpus import (
    CORPUS_PREFIX,
    MAX_PIECES,
    Corpus,
    CorpusPointer,
    Piece,
    corpus_from_file,
    corpus_tensor_names,
    corpus_to_file,
    stored_bytes,
)
from frame2sound.clock import Clock
from frame2sound.errors import BrainError
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.corpus import build_corpus, load_corpus, point_to_corpus, read_corpus
from frame2sound.library.film_loudness import sound_gain_db
from frame2sound.library.store import Library
from frame2sound.training.loop import train

CLOCK = Clock(Fraction(30), 8000)


@pytest.fixture
def library(tmp_path):
    return Library.create(tmp_path / "library", 8000)


def test_a_corpus_has_the_audio_range_of_every_film(library, add_film):
    add_calibration_film(library)
    sounds = {name: add_film(library, name, 2, audio_range=(800, 12000)).sound for name in "ab"}
    corpus = read_corpus(library, CLOCK)
    assert corpus.films == ("a", "b")
    assert corpus.seconds == pytest.approx(2 * 11200 / 8000)
    for piece in corpus.pieces:
        assert piece.start_sample == 800
        np.testing.assert_array_equal(piece.samples, sounds[piece.film][800:12000])


def test_segments_are_spread_over_all_long_films(library, add_film):
    for name in "abc":
        add_film(library, name, 100)
    corpus = read_corpus(library, CLOCK, max_seconds=60)
    assert corpus.seconds == 60
    assert corpus.films == ("a", "b", "c")
    assert {len(piece.samples) for piece in corpus.pieces} == {80_000}
    starts = [1000 * "abc".index(piece.film) + piece.start_sample / 8000 for piece in corpus.pieces]
    assert starts == sorted(starts)
    assert max(np.diff(sorted(piece.start_sample for piece in corpus.pieces))) > 0


def test_many_short_films_are_limited_too(library, add_film):
    for number in range(12):
        add_film(library, f"film-{number:02}", 2)
    corpus = read_corpus(library, CLOCK, max_seconds=20)
    assert (corpus.seconds, corpus.films) == (4, ("film-00", "film-11"))


def block_frames(count):
    """Return frames of 8 x 8 blocks; block ``b`` of frame ``i`` is ``(3 * i + b) % 256``."""
    blocks = (3 * np.arange(count)[:, None] + np.arange(64)) % 256
    return np.kron(blocks.reshape(count, 8, 8), np.ones((1, 8, 8))).astype(np.uint8)


def test_pictures_are_what_is_on_screen_each_half_second(library, add_film):
    add_film(library, "a", 2, frames=block_frames(60), audio_range=(800, 12000))
    pictures = read_corpus(library, CLOCK).pictures["a"]
    np.testing.assert_allclose(pictures.times, [0.1, 0.6, 1.1])  # up to 1.5 s
    for thumbnail, frame in zip(pictures.thumbnails, (3, 18, 33), strict=True):
        np.testing.assert_array_equal(thumbnail.ravel(), (3 * frame + np.arange(64)) % 256)


def test_pictures_in_colour_are_grey(tmp_path, add_film):
    library = Library.create(tmp_path / "colour", 8000, colour=True)
    frames = np.zeros((30, 64, 64, 3), np.uint8)
    frames[..., 1] = 255
    add_film(library, "green", 1, frames=frames)
    assert set(read_corpus(library, CLOCK).pictures["green"].thumbnails.ravel()) == {150}


def test_pictures_are_selected_with_their_films(library, add_film):
    for name in "ab":
        add_film(library, name, 1)
    corpus = read_corpus(library, CLOCK)
    assert set(corpus.pictures) == {"a", "b"}
    assert set(corpus.select_films(["b"]).pictures) == {"b"}


def test_silent_films_are_left_out(library, add_film):
    add_film(library, "loud", 1)
    add_film(library, "silent", 1, sound=np.zeros(8000))
    assert read_corpus(library, CLOCK).films == ("loud",)


def test_a_library_without_sound_is_refused(library, add_film):
    add_film(library, "silent", 1, sound=np.zeros(8000))
    with pytest.raises(BrainError, match="has no sound; give another library as `corpus`"):
        read_corpus(library, CLOCK)


def test_another_sample_rate_is_refused(library, add_film):
    add_film(library, "film", 1)
    with pytest.raises(BrainError, match="is at 8000 Hz, the brain at 22050 Hz"):
        read_corpus(library, Clock(Fraction(30), 22050))


def test_select_films_keeps_the_named_films(library, add_film):
    for name in "abc":
        add_film(library, name, 1)
    corpus = read_corpus(library, CLOCK)
    assert corpus.select_films(["a", "c"]).films == ("a", "c")
    assert corpus.select_films("abc") is corpus
    with pytest.raises(
        BrainError, match="got 'd', expected a film of the brain's corpus; the nearest are: a, b, c"
    ):
        corpus.select_films(["d"])


def test_a_pointer_loads_its_films(library, add_film):
    add_calibration_film(library)
    add_film(library, "film", 1)
    pointer = point_to_corpus(library)
    assert pointer.films == {"film": "film-0"}
    assert load_corpus(pointer, CLOCK).films == ("film",)
    add_film(library, "another", 1)  # what came later does not count
    assert load_corpus(pointer, CLOCK).films == ("film",)


def test_a_pointer_holds_from_any_folder(library, add_film, tmp_path, monkeypatch):
    add_film(library, "film", 1)
    monkeypatch.chdir(tmp_path)
    pointer = point_to_corpus(Library.open(Path("library")))
    assert pointer.library == str(tmp_path / "library")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert load_corpus(pointer, CLOCK).films == ("film",)


def test_a_pointer_to_a_missing_film_or_library_is_refused(library, add_film):
    add_film(library, "film", 1)
    pointer = point_to_corpus(library)
    shutil.rmtree(library.path / "film")
    with pytest.raises(BrainError, match="has no film film; give another library as `corpus`"):
        load_corpus(pointer, CLOCK)
    add_film(library, "film", 1, seed=1)
    with pytest.raises(
        BrainError, match="has another film film than the brain was trained on; give"
    ):
        load_corpus(pointer, CLOCK)
    shutil.rmtree(library.path)
    with pytest.raises(BrainError, match="does not exist; give another library as `corpus`"):
        load_corpus(pointer, CLOCK)


@pytest.mark.parametrize(("how", "kind"), [("carry", Corpus), ("point", CorpusPointer)])
def test_a_trained_brain_has_its_corpus(library, add_film, small, tmp_path, how, kind):
    add_film(library, "film", 2)
    recipe = small(target={"kind": "pcm"}, training={"epochs": 1})
    trained = train(library, recipe, tmp_path / "brain.safetensors", device="cpu", corpus=how)
    again = load_brain(tmp_path / "brain.safetensors")
    assert isinstance(trained.corpus, kind)
    assert isinstance(again.corpus, kind)
    corpus = load_corpus(again.corpus, again.clock) if how == "point" else again.corpus
    assert (corpus.films, corpus.seconds) == (("film",), 2)


def test_build_corpus_obeys_the_mode(library, add_film):
    films = [add_film(library, "film", 1)]
    assert isinstance(build_corpus(library, CLOCK, "carry", films), Corpus)
    assert isinstance(build_corpus(library, CLOCK, "point", films), CorpusPointer)
    assert build_corpus(library, CLOCK, "none", films) is None


def test_build_corpus_leaves_out_films_that_were_not_trained_on(library, add_film):
    learned = [add_film(library, name, 1) for name in ("dropped", "other", "same")]
    shutil.rmtree(library.path / "dropped")
    shutil.rmtree(library.path / "other")
    add_film(library, "other", 1, seed=1)
    add_film(library, "new", 1)
    assert build_corpus(library, CLOCK, "carry", learned).films == ("same",)
    assert build_corpus(library, CLOCK, "point", learned).films == {"same": "same-0"}
    assert build_corpus(library, CLOCK, "carry", learned[:2]) is None


def test_the_beginning_of_a_films_name_selects_it(library, add_film):
    for name in ("hall", "harbour", "mill"):
        add_film(library, name, 1)
    corpus = read_corpus(library, CLOCK)
    assert corpus.select_films(["mi", "hall", "hal"]).films == ("hall", "mill")
    for name, why in (
        (
            "ha",
            "expected one film of the brain's corpus, but 2 names begin with it; choose",
        ),
        ("opera", "expected a film of the brain's corpus; the nearest are: "),
        ("", "expected a film of the brain's corpus; the nearest are: "),
    ):
        with pytest.raises(BrainError, match=why):
            corpus.select_films([name])


@pytest.mark.parametrize("rate", [100, 8000, 22050, 384_000])
@pytest.mark.parametrize("peak", [0.3, 1.0, 2.5])
def test_sound_survives_flac(rate, peak):
    rng = np.random.default_rng(0)
    sounds = [rng.uniform(-peak, peak, n).astype(np.float32) for n in (500, 1, 5000)]
    sounds[0][7] = -peak
    clock = Clock(Fraction(30), rate)
    corpus = Corpus(clock, tuple(map(Piece, ("film", "film", "ö / b"), (3, 1000, 0), sounds)))
    description, tensors = corpus_to_file(corpus)
    assert set(tensors) == {CORPUS_PREFIX + "film", CORPUS_PREFIX + "ö / b"}
    again = corpus_from_file(description, tensors, clock)
    assert not tensors
    for original, decoded in zip(corpus.pieces, again.pieces, strict=True):
        assert (original.film, original.start_sample) == (decoded.film, decoded.start_sample)
        # 16 bits: half a step, and a whole one at positive full scale, which they cannot hold.
        np.testing.assert_allclose(
            original.samples, decoded.samples, atol=1.01 * max(peak, 1) / 2**15
        )


def test_a_corpus_in_very_many_pieces_is_refused():
    clock, sound = Clock(Fraction(30), 8000), np.zeros(1, np.float32)
    pieces = [Piece("film", start, sound) for start in range(MAX_PIECES + 1)]
    for count in (MAX_PIECES, MAX_PIECES + 1):
        description, _ = corpus_to_file(Corpus(clock, tuple(pieces[:count])))
        if count > MAX_PIECES:
            with pytest.raises(ValueError, match="a corpus of 10001 pieces, expected at most"):
                corpus_tensor_names(description, clock)
        else:
            assert corpus_tensor_names(description, clock)


def quiet_and_loud(library, add_film):
    """Add two films that are alike but for 34 dB; return the loud one's sound at -23 LUFS."""
    tone = np.sin(2 * np.pi * 997 * np.arange(2 * 8000) / 8000)
    tone[0] = 1.3  # a peak above full scale
    for name, gain in (("loud", 1.0), ("quiet", 0.02)):
        add_film(library, name, 2, sound=gain * tone)
    return tone * 10 ** (sound_gain_db(tone.astype(np.float32), 8000) / 20)


@pytest.mark.parametrize("how", ["carry", "point"])
def test_a_corpus_has_the_gain_with_which_its_films_were_learned(library, add_film, how):
    expected = quiet_and_loud(library, add_film)
    corpus = build_corpus(library, CLOCK, how, library.films(), "equal")
    description, tensors = corpus_to_file(corpus)
    corpus = corpus_from_file(json.loads(json.dumps(description)), tensors, CLOCK)
    corpus = load_corpus(corpus, CLOCK) if how == "point" else corpus
    assert corpus.films == ("loud", "quiet")
    for piece in corpus.pieces:
        np.testing.assert_allclose(piece.samples, expected, atol=4e-4)


def test_a_corpus_keeps_a_peak_above_full_scale(library, add_film):
    sound = np.zeros(16000)
    sound[4000::8000] = 0.5
    add_film(library, "clicks", 2, sound=sound)
    corpus = build_corpus(library, CLOCK, "carry", library.films(), "equal")
    description, tensors = corpus_to_file(corpus)
    (piece,) = corpus_from_file(description, tensors, CLOCK).pieces
    assert np.abs(piece.samples).max() == pytest.approx(10 ** (6 / 20), abs=1e-3)


def test_films_that_were_learned_as_they_are_have_no_gain(library, add_film):
    quiet_and_loud(library, add_film)
    pointer = build_corpus(library, CLOCK, "point", library.films())
    assert pointer.gains_db == {}
    assert set(corpus_to_file(pointer)[0]) == {"kind", "library", "films"}
    loud, quiet = load_corpus(pointer, CLOCK).pieces
    assert np.abs(loud.samples).max() == pytest.approx(50 * np.abs(quiet.samples).max(), rel=1e-5)


@pytest.mark.parametrize("gain", [101, -101, float("nan"), "loud", None])
def test_a_pointer_with_an_impossible_gain_is_refused(gain):
    table = {"kind": "pointed", "library": "here", "films": {"a": "b"}, "gains_db": {"a": gain}}
    with pytest.raises((TypeError, ValueError)):
        corpus_from_file(table, {}, CLOCK)


@pytest.mark.parametrize("scales", [(1.0, 1.0), (1.0, 2.0)])
def test_stereo_survives_flac(scales):
    rng = np.random.default_rng(0)
    pieces = tuple(
        Piece("film", start, rng.integers(-32767, 32768, (900, 2), np.int16), scale)
        for start, scale in zip((5, 4000), scales, strict=True)
    )
    corpus = Corpus(CLOCK, pieces, sample_rate=44_100)
    description, tensors = corpus_to_file(corpus)
    assert stored_bytes(corpus) == sum(tensor.size for tensor in tensors.values())
    again = corpus_from_file(json.loads(json.dumps(description)), tensors, CLOCK)
    assert (again.sample_rate, again.channels) == (44_100, 2)
    step = 0 if scales[0] == scales[1] else 2 * max(scales) / 2**15
    for original, decoded in zip(pieces, again.pieces, strict=True):
        assert original.start_sample == decoded.start_sample
        np.testing.assert_allclose(decoded.samples, original.samples, rtol=0, atol=step)


def test_a_corpus_is_analysed_as_brains_learn_it():
    time = np.arange(48_000) / 48_000
    left = np.float32(0.5 * np.sin(2 * np.pi * 300 * time))
    piece = Piece("film", 480, np.stack([left, 0 * left], axis=1))
    corpus = Corpus(CLOCK, (piece,), sample_rate=48_000)
    assert (corpus.sample_rate, corpus.channels, corpus.seconds) == (48_000, 2, 1)
    assert corpus.sound_clock == Clock(CLOCK.fps, 48_000)
    learned = corpus.analysis
    assert (learned.sample_rate, learned.channels, learned.analysis) == (8000, 1, learned)
    (mono,) = learned.pieces
    assert (mono.start_sample, len(mono)) == (80, 8000)
    expected = 0.25 * np.sin(2 * np.pi * 300 * np.arange(8000) / 8000)
    np.testing.assert_allclose(mono.samples[100:-100], expected[100:-100], atol=1e-4)
