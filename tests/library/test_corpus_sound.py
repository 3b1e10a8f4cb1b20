"""A corpus holds films' sound as it is heard, at one rate, whatever each film has."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.corpus import stored_bytes
from frame2sound.clock import Clock
from frame2sound.library import corpus as corpus_module
from frame2sound.library.corpus import build_corpus, load_corpus, point_to_corpus, read_corpus
from frame2sound.library.film_loudness import film_gain_db
from frame2sound.library.store import Library, PickledFilm

RATE = 22_050
CLOCK = Clock(Fraction(30), RATE)
STEP = 2.0**-15


class FullSound:
    """Sound in memory, that is read as a film's full sound is; silent where there is none."""

    def __init__(self, samples, sample_rate):
        self.data, self.sample_rate = np.float32(samples), sample_rate
        self.samples, self.channels = samples.shape

    def read(self, begin, end):
        assert 0 <= begin <= end <= self.samples
        return self.data[begin:end]


@pytest.fixture
def sounds(monkeypatch):
    """The full sounds of films, by name; others have none."""
    by_name = {}
    monkeypatch.setattr(PickledFilm, "full_sound", property(lambda f: by_name.get(f.name)))
    return by_name


@pytest.fixture
def library(tmp_path):
    return Library.create(tmp_path / "library", RATE)


def tone(hertz, rate, seconds, level=0.3):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def stereo(left, right):
    return np.stack([left, right], axis=1)


def test_the_full_sound_of_the_same_times_is_read(library, add_film, sounds):
    add_film(library, "film", 2, audio_range=(2205, 33_075))  # 0.1 to 1.5 s
    rng = np.random.default_rng(0)
    sounds["film"] = FullSound(rng.uniform(-0.9, 0.9, (96_000, 2)), 48_000)
    corpus = read_corpus(library, CLOCK)
    assert (corpus.sample_rate, corpus.channels, corpus.clock) == (48_000, 2, CLOCK)
    (piece,) = corpus.pieces
    assert (piece.start_sample, len(piece)) == (4800, 67_200)
    expected = sounds["film"].data[4800:72_000]
    np.testing.assert_allclose(piece.samples, expected, atol=0.51 * STEP)
    assert corpus.pictures["film"].times[0] == pytest.approx(0.1)


def test_a_corpus_of_what_is_learned_has_no_full_sound(library, add_film, sounds):
    film = add_film(library, "film", 2)
    sounds["film"] = FullSound(np.zeros((96_000, 2)), 48_000)
    (piece,) = read_corpus(library, CLOCK, full=False).pieces
    np.testing.assert_array_equal(piece.data, film.sound)


def test_films_of_mixed_rates_and_channels_are_heard_alike(library, add_film, sounds):
    """8 kHz mono, 44.1 kHz mono, 48 kHz stereo, and a film without full sound, in one corpus."""
    for name in ("a", "b", "c"):
        add_film(library, name, 2)
    add_film(library, "d", 2, sound=tone(440, RATE, 2))
    sounds["a"] = FullSound(tone(440, 8000, 2)[:, None], 8000)
    sounds["b"] = FullSound(tone(15_000, 44_100, 2)[:, None], 44_100)
    sounds["c"] = FullSound(stereo(tone(440, 48_000, 2), tone(15_000, 48_000, 2)), 48_000)
    corpus = read_corpus(library, CLOCK)
    assert (corpus.sample_rate, corpus.channels, corpus.seconds) == (48_000, 2, 8)
    low, high = tone(440, 48_000, 2), tone(15_000, 48_000, 2)
    expected = {"a": (low, low), "b": (high, high), "c": (low, high), "d": (low, low)}
    for piece in corpus.pieces:
        heard = piece.samples[2000:-2000]
        np.testing.assert_allclose(
            heard, stereo(*expected[piece.film])[2000:-2000], atol=2 * STEP, err_msg=piece.film
        )


@pytest.mark.parametrize(
    ("rate", "channels", "expected"),
    [
        (8000, 1, (RATE, 1)),
        (RATE, 1, (RATE, 1)),
        (8000, 2, (RATE, 2)),
        (44_100, 1, (44_100, 1)),
        (192_000, 2, (48_000, 2)),
    ],
)
def test_the_rate_is_not_below_the_brains_nor_above_48_khz(
    library, add_film, sounds, rate, channels, expected
):
    film = add_film(library, "film", 1)
    sounds["film"] = FullSound(np.ones((rate, channels)) * tone(440, rate, 1)[:, None], rate)
    corpus = read_corpus(library, CLOCK)
    assert (corpus.sample_rate, corpus.channels, corpus.seconds) == (*expected, 1)
    (piece,) = corpus.pieces
    if corpus.is_plain:
        np.testing.assert_array_equal(piece.data, film.sound)
    else:
        heard = piece.samples.reshape(len(piece), -1).T[:, 1000:-1000]
        np.testing.assert_allclose(
            heard,
            [tone(440, piece_rate := expected[0], 1)[1000:-1000]] * expected[1],
            atol=2 * STEP,
        )
        assert len(piece) == piece_rate


def test_a_full_sound_that_ends_early_is_silent_after_its_end(library, add_film, sounds):
    add_film(library, "film", 2)
    sounds["film"] = FullSound(np.full((44_100, 2), 0.5), 44_100)
    (piece,) = read_corpus(library, CLOCK).pieces
    assert len(piece) == 88_200
    np.testing.assert_allclose(piece.samples[:44_100], 0.5, atol=STEP)
    assert not piece.samples[44_100:].any()


def test_the_full_sound_has_the_gain_with_which_a_film_is_learned(library, add_film, sounds):
    sound = tone(997, RATE, 2, 0.02)
    film = add_film(library, "quiet", 2, sound=sound)
    full = tone(997, 48_000, 2, 0.02)
    sounds["quiet"] = FullSound(stereo(full, full), 48_000)
    gain_db = film_gain_db(film)
    assert gain_db > 10
    pointer = point_to_corpus(library, loudness="equal")
    for corpus in (read_corpus(library, CLOCK, loudness="equal"), load_corpus(pointer, CLOCK)):
        (piece,) = corpus.pieces
        expected = stereo(full, full) * 10 ** (gain_db / 20)
        np.testing.assert_allclose(piece.samples, expected, atol=0.6 * STEP)


def test_a_corpus_that_is_too_large_for_a_brain_has_less_of_each_film(
    library, add_film, sounds, monkeypatch
):
    films = [add_film(library, name, 40) for name in ("a", "b")]
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        sounds[name] = FullSound(rng.uniform(-0.9, 0.9, (40 * 24_000, 2)), 24_000)
    whole = build_corpus(library, CLOCK, "carry", films)
    assert whole.seconds == 80
    monkeypatch.setattr(corpus_module, "MAX_CORPUS_BYTES", 4_000_000)  # 96 kB a second
    less = build_corpus(library, CLOCK, "carry", films)
    assert stored_bytes(less) <= 4_000_000
    assert less.seconds == 40
    assert less.films == ("a", "b")
    assert {len(piece) / less.sample_rate for piece in less.pieces} == {10}
