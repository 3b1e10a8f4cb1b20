"""Films are found by name or its beginning, excluded, included and deleted."""

import pytest

from frame2sound.errors import LibraryError
from frame2sound.library import folders
from frame2sound.library.folders import (
    delete_film,
    exclude,
    film_folders,
    find_film_folder,
    include,
)


@pytest.fixture
def films(library, add_film):
    return [add_film(library, name) for name in ("harbour-1a", "harbour-2b", "mill-3c")]


def test_folders_of_films_are_found(library, films):
    (library.path / "mine").mkdir()
    (library.path / "mine" / "notes.txt").touch()
    (films[2].path / "film.json").unlink()  # what is left of a film is still to be dropped
    assert film_folders(library.path) == [film.path for film in films]


@pytest.mark.parametrize("name", ["mill-3c", "mill", "m"])
def test_the_beginning_of_one_name_finds_the_film(library, films, name):
    assert find_film_folder(library.path, name) == films[2].path


def test_a_complete_name_takes_precedence_over_longer_ones(library, add_film, films):
    add_film(library, "harbour-1a-a1")
    assert find_film_folder(library.path, "harbour-1a") == films[0].path


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("harbour", "but 2 names begin with it; choose one of: harbour-1a, harbour-2b"),
        ("mil-3c", "the nearest are: mill-3c$"),
        ("", "the nearest are: harbour-1a"),
        ("../library/mill-3c", "expected a film of"),
        ("xyz", "the nearest are: harbour-1a, harbour-2b, mill-3c"),
    ],
)
def test_an_ambiguous_or_unknown_name_is_refused(library, films, name, match):
    with pytest.raises(LibraryError, match=match):
        find_film_folder(library.path, name)


def test_an_empty_library_has_no_names(library):
    with pytest.raises(LibraryError, match="which has no films"):
        find_film_folder(library.path, "mill")


def test_exclude_and_include_may_be_repeated(films):
    for _ in range(2):
        exclude(films[0].path)
        assert films[0].excluded
    for _ in range(2):
        include(films[0].path)
        assert not films[0].excluded


def test_a_deleted_film_is_gone_and_others_stay(library, films):
    delete_film(films[0].path)
    assert library.films() == films[1:]
    assert not list(library.path.glob(".*"))


def test_a_film_whose_deletion_was_interrupted_is_gone(library, films, monkeypatch):
    monkeypatch.setattr("frame2sound.atomic.shutil.rmtree", lambda *a, **k: None)
    delete_film(films[0].path)
    assert library.films() == films[1:]
    assert len(list(library.path.glob(".harbour-1a.*.partial"))) == 1


def test_a_folder_that_cannot_be_changed_is_an_error(films, monkeypatch):
    def refuse(*args, **settings):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(folders.Path, "unlink", refuse)
    monkeypatch.setattr(folders.Path, "rename", refuse)
    for change in (include, delete_film):
        with pytest.raises(LibraryError, match=r"cannot be written \(read-only file system\); ch"):
            change(films[0].path)
    assert films[0].frames.shape == (30, 64, 64)
