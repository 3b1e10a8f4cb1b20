"""Films and libraries at addresses: copied here, read and written, and sent back."""

import json

import fsspec
import pytest

from frame2sound.errors import FilmError, LibraryError
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.remote import RemoteLibrary, cache_folder, locate_library
from frame2sound.library.store import Library
from frame2sound.library.write_lock import write_lock
from frame2sound.storage import Address, parse_location
from tests.commanding import run


@pytest.fixture
def far(monkeypatch, tmp_path):
    """Another system's folder, and what it holds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


@pytest.fixture
def films(far, tmp_path, make_film):
    for seed, name in enumerate(("one", "two")):
        far.put_file(str(make_film(tmp_path / f"{name}.mkv", seed=seed)), f"/films/{name}.mkv")
    return ["memory://films/one.mkv", "memory://films/two.mkv"]


SHELF = "memory://shelf/grey"


def test_a_home_that_cannot_be_written_is_named(far, monkeypatch, tmp_path):
    (tmp_path / "home").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    with pytest.raises(
        LibraryError, match=r"cannot be written \(not a directory\).*XDG_CACHE_HOME"
    ):
        RemoteLibrary(Address(SHELF, LibraryError)).fetch(allow_missing=True)


@pytest.mark.parametrize("name", ["..", ".hidden"])
def test_a_strangers_library_names_no_folder_elsewhere(far, monkeypatch, name):
    mirror = RemoteLibrary(Address(SHELF, LibraryError))
    monkeypatch.setattr(Address, "list_names", lambda self: [name])
    monkeypatch.setattr(Address, "download_text", lambda self, name: "{}")
    assert mirror._read_remote_cards() == {}


def there(far):
    return {path.removeprefix("/shelf/grey/") for path in far.find("/shelf/grey")}


def test_a_film_at_an_address_is_the_film(films, far, library, tmp_path):
    film, new = pickle_film(parse_location(films[0]), library)
    assert new
    assert (film.card.source, film.name.startswith("one-")) == (films[0], True)
    local, _ = pickle_film(
        tmp_path / "one.mkv", Library.create(tmp_path / "other", library.sample_rate)
    )
    assert film.card.checksums == local.card.checksums
    assert film.card.digest == local.card.digest


def test_a_film_that_is_there_is_not_fetched_again(films, far, library, monkeypatch):
    film, _ = pickle_film(parse_location(films[0]), library)
    with monkeypatch.context() as patch:
        patch.setattr(Address, "download", None)
        assert pickle_film(parse_location(films[0]), library) == (film, False)
    with pytest.raises(FilmError, match="got `audio_stream` 5"):
        pickle_film(parse_location(films[0], FilmError), library, PickleOptions(audio_stream=5))
    far.copy("/films/two.mkv", "/films/one.mkv")
    newer, new = pickle_film(parse_location(films[0]), library)
    assert new
    assert [each.name for each in library.films()] == [newer.name]


def test_errors_name_the_address(films, far, library):
    far.pipe_file("/films/bad.mkv", b"no film")
    for url, why in (
        ("memory://films/bad.mkv", "is not readable as a film"),
        ("memory://films/none.mkv", "cannot be reached"),
        ("nonsense://films/one.mkv", "cannot be reached"),
    ):
        with pytest.raises(FilmError, match=why) as error:
            pickle_film(parse_location(url, FilmError), library)
        assert str(error.value).startswith(url)
        assert "\n" not in str(error.value)


def test_a_library_at_an_address_is_pickled_into_and_read(films, far, tmp_path):
    said = run(tmp_path, "pickle", *films, "--library", SHELF)
    assert said.returncode == 0, said
    names = {path.split("/")[0] for path in there(far)}
    assert len(names) == 4  # two films, calibration, and what it is
    listed = json.loads(run(tmp_path, "library", SHELF, "--json").stdout)
    assert len(listed["films"]) == 3
    assert run(tmp_path, "library", SHELF, "--verify").returncode == 0


def test_a_new_machine_finds_what_others_have_put_there(films, far, tmp_path, monkeypatch):
    assert run(tmp_path, "pickle", films[0], "--library", SHELF).returncode == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    before = there(far)
    said = run(tmp_path, "pickle", *films, "--library", SHELF)
    assert "one.mkv  already there" in said.stdout
    assert before < there(far)
    light = Library.open(cache_folder() / next(cache_folder().glob("*/")).name)
    assert sum((film.path / "frames.npy").exists() for film in light.films()) == 1
    whole = Library.open(locate_library(SHELF).fetch())
    assert all(len(film.frames) and len(film.sound) for film in whole.films())


def test_films_are_kept_out_and_dropped_there_too(films, far, tmp_path):
    run(tmp_path, "pickle", *films, "--library", SHELF)
    assert run(tmp_path, "library", SHELF, "--exclude", "one", "--drop", "two").returncode == 0
    assert any(path.startswith("one-") and path.endswith("/excluded") for path in there(far))
    assert not any(path.startswith("two-") for path in there(far))
    assert run(tmp_path, "library", SHELF, "--include", "one").returncode == 0
    assert not any(path.endswith("/excluded") for path in there(far))


def test_what_others_put_there_meanwhile_stays(films, far, tmp_path):
    run(tmp_path, "pickle", films[0], "--library", SHELF)
    mirror = RemoteLibrary(Address(SHELF, LibraryError))
    mirror.fetch()
    (card,) = (path for path in far.find("/shelf/grey") if "one-" in path and "film.json" in path)
    far.copy(card, "/shelf/grey/three-0123/film.json")
    mirror.push()
    assert "three-0123/film.json" in there(far)


def test_where_there_is_no_library_it_is_said(far, tmp_path):
    said = run(tmp_path, "train", SHELF)
    assert said.returncode == 1
    assert f"{SHELF} is no library; make one with" in said.stderr


def test_a_cluster_needs_a_folder(films, far, tmp_path):
    said = run(tmp_path, "pickle", *films, "--library", SHELF, "--ray", "local")
    assert said.returncode == 1
    assert "expected a folder that every machine finds" in said.stderr


def test_what_another_process_is_writing_is_not_fetched_over(films, far, tmp_path):
    run(tmp_path, "pickle", films[0], "--library", SHELF)
    mirror = RemoteLibrary(Address(SHELF, LibraryError))
    with (
        write_lock(mirror.path),
        pytest.raises(LibraryError, match="is being written to by process"),
    ):
        mirror.fetch()


def test_what_is_left_of_a_film_is_not_sent(films, far, tmp_path):
    run(tmp_path, "pickle", films[0], "--library", SHELF)
    mirror, before = RemoteLibrary(Address(SHELF, LibraryError)), there(far)
    left = mirror.fetch() / "left-0123"
    left.mkdir()
    (left / "sound.npy").touch()
    mirror.push()
    assert there(far) == before


def test_a_library_that_was_deleted_there_is_made_anew(films, far, tmp_path):
    run(tmp_path, "pickle", films[0], "--library", SHELF)
    far.rm("/shelf/grey", recursive=True)
    assert run(tmp_path, "pickle", films[1], "--library", SHELF).returncode == 0
    assert not any(path.startswith("one-") for path in there(far))
    assert any(path.startswith("two-") for path in there(far))
