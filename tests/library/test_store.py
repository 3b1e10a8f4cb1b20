"""A library lists its films, and errors name what is damaged."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.errors import LibraryError
from frame2sound.library.card import Card
from frame2sound.library.checksums import Checksums
from frame2sound.library.folders import exclude, include
from frame2sound.library.store import DEFAULT_SAMPLE_RATE, LIBRARY_VERSION, Library


@pytest.fixture
def film(library, add_film):
    return add_film(library, "film")


def test_a_new_library_is_empty_and_opens_again(tmp_path):
    created = Library.create(tmp_path / "a" / "b", 48000)
    assert created.films() == []
    for again in (
        Library.open(created.path),
        Library.create(created.path),
        Library.create(created.path),
    ):
        assert (again.path, again.sample_rate) == (created.path, 48000)
    assert Library.create(tmp_path / "c").sample_rate == DEFAULT_SAMPLE_RATE


def test_another_sample_rate_is_refused(library):
    with pytest.raises(LibraryError, match="is a library at 8000 Hz, got 22050 Hz; use another"):
        Library.create(library.path, 22050)


def test_a_newer_library_is_refused(library):
    table = {"version": LIBRARY_VERSION + 1, "sample_rate": 8000}
    (library.path / "library.json").write_text(json.dumps(table))
    with pytest.raises(
        LibraryError, match=r"was made by a newer version of the program .*; update the program"
    ):
        Library.open(library.path)


def test_a_folder_that_is_not_a_library_is_refused(tmp_path):
    with pytest.raises(LibraryError, match="is no library; make one with: frame2sound pickle"):
        Library.open(tmp_path / "nowhere")
    with pytest.raises(LibraryError, match="is no library"):
        Library.open(tmp_path)
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(LibraryError, match="exists and is no library; choose a new or empty"):
        Library.create(tmp_path)
    with pytest.raises(LibraryError, match="exists and is no library"):
        Library.create(tmp_path / "holiday.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "{}", '{"version": 1}', "\xff"])
def test_an_unreadable_library_file_is_an_error(library, text):
    (library.path / "library.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(LibraryError, match=r"library\.json is not readable as a library's"):
        Library.open(library.path)


def test_films_are_sorted_and_incomplete_ones_left_out(library, add_film):
    for name in ("b", "c", "a"):
        add_film(library, name)
    half = library.path / ".d.partial"
    (library.path / "b").rename(half)
    (library.path / "empty").mkdir()
    assert [film.name for film in library.films()] == ["a", "c"]


def test_an_excluded_film_is_in_all_films_only(library, add_film):
    for name in "ab":
        add_film(library, name)
    exclude(library.path / "a")
    assert [film.name for film in library.films()] == ["b"]
    assert [film.excluded for film in library.all_films()] == [True, False]
    assert library.find("a-0", None, None).name == "a"
    include(library.path / "a")
    assert [film.name for film in library.films()] == ["a", "b"]


def test_the_message_for_a_library_without_films_has_a_remedy(library, film):
    exclude(film.path)
    assert "all films of" in library.no_films_message()
    remedy = f"include one with: frame2sound library {library.path} --include FILM"
    assert library.no_films_message().endswith(remedy)
    (film.path / "film.json").unlink()
    assert "holds no films; add some with: frame2sound pickle" in library.no_films_message()


def test_a_film_is_found_by_its_digest_and_streams(library, film):
    assert library.find("film-0", None, None) == film
    assert library.find("film-0", None, 0) is None
    assert library.find("film-1", None, None) is None


def test_a_film_is_memory_mapped_and_cannot_be_changed(film):
    assert film.frames.shape == (30, 64, 64)
    assert film.seconds == 1
    for array in (film.frames, film.times, film.sound):
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable


def test_a_card_survives_json(film):
    card = replace(
        film.card, fps=Fraction(30000, 1001), notes=("so", "ünd sö"), audio_stream=1, source="ä"
    )
    assert Card.from_json(card.to_json()) == card
    card = replace(card, checksums=Checksums("f", "t", "s"))
    assert Card.from_json(card.to_json()) == card


def test_a_card_without_checksums_is_read(film):
    table = json.loads(film.card.to_json()) | {"version": 1}
    del table["checksums"]
    assert Card.from_json(json.dumps(table)) == replace(film.card, version=1)


def change(film, **values):
    path = film.path / "film.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("name", ["frames", "times", "sound"])
@pytest.mark.parametrize("keep", [0, 5, 100, 0.5, -1])
def test_a_truncated_array_is_an_error(library, film, name, keep):
    path = film.path / f"{name}.npy"
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(
        LibraryError, match=rf"{name}\.npy is missing or damaged .*; copy its folder"
    ):
        getattr(library.films()[0], name)


@pytest.mark.parametrize("name", ["frames", "times", "sound"])
def test_a_missing_array_is_an_error(library, film, name):
    (film.path / f"{name}.npy").unlink()
    with pytest.raises(LibraryError, match=rf"{name}\.npy is missing"):
        getattr(library.films()[0], name)


def test_an_array_of_objects_is_not_unpickled(library, film):
    np.save(film.path / "sound.npy", np.array([print], object), allow_pickle=True)
    with pytest.raises(LibraryError, match=r"sound\.npy"):
        _ = library.films()[0].sound


@pytest.mark.parametrize(
    ("lie", "name", "truth"),
    [
        ({"frames": 31}, "frames", r"holds uint8 \(30, 64, 64\), expected uint8 \(31, 64"),
        ({"frames": 31}, "times", r"holds float64 \(31,\), expected float64 \(32,\)"),
        ({"samples": 8001}, "sound", r"holds float32 \(8000,\), expected float32 \(8001,\)"),
    ],
)
def test_a_card_that_contradicts_the_arrays_is_an_error(library, film, lie, name, truth):
    change(film, **lie)
    with pytest.raises(LibraryError, match=rf"{name}\.npy .*{truth}"):
        getattr(library.films()[0], name)


def test_an_array_of_another_type_is_an_error(library, film):
    np.save(film.path / "sound.npy", np.zeros(8000))
    with pytest.raises(LibraryError, match="holds float64"):
        _ = library.films()[0].sound


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '"x"', "{}", "\xff\xfe", "[" * 10**5])
def test_an_unreadable_card_is_an_error(library, film, text):
    (film.path / "film.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(
        LibraryError, match=r"film/film\.json is not readable as a film's card .*; copy its"
    ):
        library.films()


@pytest.mark.parametrize(
    "values",
    [
        {"fps": "1/0"},
        {"fps": "fast"},
        {"fps": 0},
        {"sounding": [1]},
        {"sounding": None},
        {"sounding": [0, 8001]},
        {"sounding": [-1, 8000]},
        {"sounding": [9, 8]},
        {"colour": True},
        {"fps": "1e999999999"},
        {"fps": "1/1000000007"},
        {"fps": 24.0},
        {"fps": True},
        {"sample_rate": 0},
        {"sample_rate": 9},
        {"sample_rate": -22050},
        {"sample_rate": 10**12},
        {"sample_rate": "8000"},
        {"sounding": [0.0, 8000.0]},
        {"sounding": ["0", "8000"]},
        {"sounding": [False, True]},
        {"frames": -30},
        {"frames": 10**300},
        {"samples": True},
        {"source": 5},
        {"notes": [5]},
        {"version": 0},
        {"version": "3"},
        {"checksums": {"frames": "0"}},
        {"checksums": ["0", "0", "0"]},
        {"frames": "many"},
    ],
    ids=str,
)
def test_an_impossible_card_is_an_error(library, film, values):
    change(film, **values)
    with pytest.raises(
        LibraryError, match=r"film\.json is not readable as a film's card .*; copy its"
    ):
        library.films()


def test_older_versions_of_a_film_are_deleted_and_others_stay(library, add_film):
    old, other = add_film(library, "film"), add_film(library, "other")
    stream = add_film(library, "stream")
    change(stream, source=old.card.source, audio_stream=1)
    new = replace(add_film(library, "new"), card=replace(old.card, digest="new"))
    library.delete_older_versions(new)
    assert [film.name for film in library.films()] == ["new", "other", "stream"]
    assert other.frames.shape == (30, 64, 64)


def test_the_same_version_in_two_folders_is_not_deleted(library, add_film):
    """Two processes that pickle a file and a link to it at once would delete each other's."""
    film = add_film(library, "film")
    twin = replace(add_film(library, "twin"), card=film.card)
    change(twin, source=film.card.source, digest=film.card.digest)
    for newest in (film, twin):
        library.delete_older_versions(newest)
    assert [film.name for film in library.films()] == ["film", "twin"]


def test_the_newest_version_of_an_excluded_film_is_excluded(library, add_film):
    old = add_film(library, "film")
    exclude(old.path)
    new = replace(add_film(library, "new"), card=replace(old.card, digest="new"))
    library.delete_older_versions(new)
    assert [film.name for film in library.all_films()] == ["new"]
    assert library.films() == []
