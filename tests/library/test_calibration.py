"""The calibration film is black, then white, and silent."""

import pytest

from frame2sound.errors import LibraryError
from frame2sound.library.calibration import SECONDS_PER_SCREEN, add_calibration_film, is_calibration
from frame2sound.library.store import Library


@pytest.mark.parametrize("sample_rate", [8000, 22050, 30720])
def test_thirty_seconds_of_black_and_of_white_are_silent(tmp_path, sample_rate):
    film = add_calibration_film(Library.create(tmp_path / "library", sample_rate))
    assert SECONDS_PER_SCREEN == 30
    assert film.seconds == 60
    black = film.times[:-1] < 30
    assert (film.frames[black] == 0).all()
    assert (film.frames[~black] == 255).all()
    assert black.sum() == (~black).sum() == 900
    assert film.sound.shape == (60 * sample_rate,)
    assert not film.sound.any()
    assert film.card.audio_range == (0, 60 * sample_rate)


def test_the_calibration_film_is_added_once(library):
    first = add_calibration_film(library)
    before = (first.path / "frames.npy").stat().st_mtime_ns
    assert add_calibration_film(library) == first
    assert (first.path / "frames.npy").stat().st_mtime_ns == before
    assert library.films() == [first]


def test_the_calibration_film_is_recognised(library, add_film):
    assert is_calibration(add_calibration_film(library))
    assert not is_calibration(add_film(library, "calibration-of-a-lens"))


def test_a_folder_in_its_place_is_an_error(library):
    (library.path / "calibration").mkdir()
    (library.path / "calibration" / "mine.txt").touch()
    with pytest.raises(LibraryError, match="calibration cannot be written"):
        add_calibration_film(library)
