"""All films of a colour library are in colour, and can be converted to grey."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.errors import LibraryError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.small_frames import luma
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.export import export_npz
from frame2sound.library.parallel import pickle_films
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from tests.media_files import Audio, VideoEncoding, make_film

RATE = 8000
LOSSLESS = VideoEncoding("ffv1", "bgr0")


@pytest.fixture
def library(tmp_path):
    return Library.create(tmp_path / "colour", RATE, colour=True)


def colour_film(seed, seconds=1):
    """Write a film of coloured noise at 24 fps."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (24 * seconds, 64, 64, 3), np.uint8)


def draw(path, seed=0, seconds=1):
    noise = np.random.default_rng(seed).integers(-9999, 9999, RATE * seconds).astype(np.int16)
    audio = Audio(noise, sample_rate=RATE)
    return make_film(path, list(colour_film(seed, seconds)), encoding=LOSSLESS, audio=audio)


def test_a_lossless_film_is_pickled_exactly(tmp_path, library):
    path = draw(tmp_path / "film.mkv", seconds=12)
    film, new = pickle_film(path, library)
    assert (new, film.colour) == (True, True)
    assert isinstance(film.frames, np.memmap)
    np.testing.assert_array_equal(film.frames, colour_film(0, 12))  # more than one batch
    assert pickle_film(path, library) == (film, False)
    assert Library.open(library.path).films() == [film]


def test_colour_changes_only_the_frames(tmp_path, library):
    path = draw(tmp_path / "film.mkv")
    coloured, _ = pickle_film(path, library)
    plain, _ = pickle_film(path, Library.create(tmp_path / "grey", RATE))
    assert plain.frames.shape == (24, 64, 64)
    assert np.abs(luma(coloured.frames) - plain.frames.astype(int)).max() <= 1
    for name in ("times.npy", "sound.npy"):
        assert (coloured.path / name).read_bytes() == (plain.path / name).read_bytes()
    sums = replace(plain.card.checksums, frames=coloured.card.checksums.frames)
    assert coloured.card == replace(plain.card, checksums=sums)


def test_parallel_pickling_keeps_colour(tmp_path, library):
    sources = [draw(tmp_path / f"{name}.mkv", seed) for seed, name in enumerate("ab")]
    outcomes = {each.source: each.film for each in pickle_films(sources, library, jobs=2)}
    for seed, source in enumerate(sources):
        np.testing.assert_array_equal(outcomes[source].frames, colour_film(seed))


def test_calibration_is_black_and_white_in_every_channel(library):
    film = add_calibration_film(library)
    assert film.frames.shape == (1800, 64, 64, 3)
    assert not film.frames[:900].any()
    assert (film.frames[900:] == 255).all()
    assert add_calibration_film(library) == film


def test_exported_frames_are_grey(tmp_path, library):
    film, _ = pickle_film(draw(tmp_path / "film.mkv"), library)
    export_npz(film, Clock(Fraction(24), RATE), tmp_path / "film.npz")
    with np.load(tmp_path / "film.npz", allow_pickle=False) as arrays:
        assert arrays["frames"].shape == (24, 4096)
        expected = luma(colour_film(0)).reshape(24, 4096) / np.float32(255)
        np.testing.assert_array_equal(arrays["frames"], expected)


def test_a_library_keeps_its_colour(tmp_path, library):
    for colour in (None, True):
        assert Library.create(library.path, colour=colour).colour
    plain = Library.create(tmp_path / "grey")
    for colour in (None, False):
        assert not Library.create(plain.path, colour=colour).colour
    assert [Library.open(each.path).colour for each in (library, plain)] == [True, False]


def test_the_other_colour_than_requested_is_refused(tmp_path, library):
    plain = Library.create(tmp_path / "grey")
    with pytest.raises(LibraryError, match=r"in grey, got films to pickle in colour; use another"):
        Library.create(plain.path, colour=True)
    with pytest.raises(LibraryError, match=r"in colour, got films to pickle in grey; use another"):
        Library.create(library.path, colour=False)


def test_a_library_without_a_colour_entry_is_grey(tmp_path, add_film):
    path = tmp_path / "library"
    path.mkdir()
    (path / "library.json").write_text(json.dumps({"version": 1, "sample_rate": RATE}))
    film = add_film(Library.open(path), "film")
    assert not Library.create(path).colour
    assert Library.open(path).films() == [film]
    assert film.frames.shape == (30, 64, 64)


@pytest.mark.parametrize("colour", [True, False])
def test_frames_of_the_other_colour_are_refused(tmp_path, add_film, colour):
    library = Library.create(tmp_path / "library", RATE, colour=colour)
    shape = (30, 64, 64) if colour else (30, 64, 64, 3)
    film = add_film(library, "film", frames=np.zeros(shape, np.uint8))
    with pytest.raises(LibraryError, match=r"frames\.npy .*holds uint8 \(30, .*, expected uint8"):
        _ = film.frames


@pytest.mark.parametrize("colour", [True, False])
def test_the_library_equals_the_readers_output(tmp_path, colour):
    path = draw(tmp_path / "film.mkv")
    film, _ = pickle_film(path, Library.create(tmp_path / "library", RATE, colour=colour))
    read = [frame.picture for frame in FilmReader(path).frames(colour=colour)]
    np.testing.assert_array_equal(film.frames, np.stack(read))
