"""Films and libraries at addresses are fetched, changed and pushed."""

import json

import fsspec
import pytest

import frame2sound as f2s
from frame2sound.api.parameters import ParameterError
from frame2sound.errors import FilmError, LibraryError
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.remote import RemoteLibrary, cache_folder, locate_library
from frame2sound.library.store import Library
from frame2sound.library.write_lock import write_lock
from frame2sound.storage import Address, parse_location
from tests.commanding import run


@pytest.fixture
def far(monkeypatch, tmp_path):
    """A folder on a remote system, and its content."""
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


LIBRARY_URL = "memory://shelf/grey"


def test_a_cache_folder_that_cannot_be_written_is_an_error(far, monkeypatch, tmp_path):
    (tmp_path / "home").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    with pytest.raises(
        LibraryError, match=r"cannot be written \(not a directory\).*XDG_CACHE_HOME"
    ):
        RemoteLibrary(Address(LIBRARY_URL, LibraryError)).fetch(allow_missing=True)


@pytest.mark.parametrize("name", ["..", ".hidden"])
def test_a_remote_library_cannot_write_outside_its_copy(far, monkeypatch, name):
    mirror = RemoteLibrary(Address(LIBRARY_URL, LibraryError))
    monkeypatch.setattr(Address, "list_names", lambda self: [name])
    monkeypatch.setattr(Address, "download_text", lambda self, name: "{}")
    assert mirror._read_remote_cards() == {}


def remote_files(far):
    return {path.removeprefix("/shelf/grey/") for path in far.find("/shelf/grey")}


def test_no_brain_points_to_a_library_at_an_address(far, add_film, tmp_path):
    library = f2s.Library.create(LIBRARY_URL, 8000)
    add_film(library, "film", 8)
    library.origin.push()
    out = tmp_path / "brain.safetensors"
    with pytest.raises(ParameterError, match=f"got `corpus=point` and a library at {LIBRARY_URL}"):
        f2s.train(LIBRARY_URL, "deep", ["clock.sample_rate=8000"], out, corpus="point")
    assert not out.exists()


def test_a_file_among_the_films_of_a_library_is_no_film(far, library, add_film):
    """The local system of fsspec says of library.json/film.json that library.json is no folder."""
    add_film(library, "film", 1)
    fetched = f2s.Library.open(f"local://{library.path}")
    assert [film.name for film in fetched.films()] == ["film"]
    with pytest.raises(LibraryError, match=r"library\.json is no library; make one with"):
        f2s.Library.open(f"local://{library.path}/library.json")


def test_a_film_at_an_address_is_pickled_as_a_local_one(films, far, library, tmp_path):
    film, new = pickle_film(parse_location(films[0]), library)
    assert new
    assert (film.card.source, film.name.startswith("one-")) == (films[0], True)
    local, _ = pickle_film(
        tmp_path / "one.mkv", Library.create(tmp_path / "other", library.sample_rate)
    )
    assert film.card.checksums == local.card.checksums
    assert film.card.digest == local.card.digest


def test_a_film_in_the_library_is_not_downloaded_again(films, far, library, monkeypatch):
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
    result = run(tmp_path, "pickle", *films, "--library", LIBRARY_URL)
    assert result.returncode == 0, result
    names = {path.split("/")[0] for path in remote_files(far)}
    assert len(names) == 4  # two films, calibration, and what it is
    listed = json.loads(run(tmp_path, "library", LIBRARY_URL, "--json").stdout)
    assert len(listed["films"]) == 3
    assert run(tmp_path, "library", LIBRARY_URL, "--verify").returncode == 0


def test_another_machine_fetches_films_of_others(films, far, tmp_path, monkeypatch):
    assert run(tmp_path, "pickle", films[0], "--library", LIBRARY_URL).returncode == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    before = remote_files(far)
    result = run(tmp_path, "pickle", *films, "--library", LIBRARY_URL)
    assert "one.mkv  already there" in result.stdout
    assert before < remote_files(far)
    fetched = Library.open(cache_folder() / next(cache_folder().glob("*/")).name)
    assert sum((film.path / "frames.npy").exists() for film in fetched.films()) == 1
    complete = Library.open(locate_library(LIBRARY_URL).fetch())
    assert all(len(film.frames) and len(film.sound) for film in complete.films())


def test_the_full_sound_goes_there_and_back(films, far, tmp_path, monkeypatch):
    sound = "/full_sound.flac"
    run(tmp_path, "pickle", films[0], "--library", LIBRARY_URL)
    run(tmp_path, "pickle", films[1], "--library", LIBRARY_URL, "--full-rate", "0")
    assert [name[:4] for name in remote_files(far) if name.endswith(sound)] == ["one-"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    one, two = Library.open(locate_library(LIBRARY_URL).fetch()).films()[1:]
    assert one.full_sound.read(0, 8000).any()
    assert two.full_sound is None
    assert not (two.path / "full_sound.flac").exists()
    (one.path / "full_sound.flac").unlink()  # a copy without it is not complete
    assert (
        Library.open(locate_library(LIBRARY_URL).fetch()).film(one.path).full_sound.read(0, 9).any()
    )


def test_exclusions_and_deletions_are_pushed(films, far, tmp_path):
    run(tmp_path, "pickle", *films, "--library", LIBRARY_URL)
    assert (
        run(tmp_path, "library", LIBRARY_URL, "--exclude", "one", "--drop", "two").returncode == 0
    )
    assert any(path.startswith("one-") and path.endswith("/excluded") for path in remote_files(far))
    assert not any(path.startswith("two-") for path in remote_files(far))
    assert run(tmp_path, "library", LIBRARY_URL, "--include", "one").returncode == 0
    assert not any(path.endswith("/excluded") for path in remote_files(far))


def test_films_that_others_add_meanwhile_stay(films, far, tmp_path):
    run(tmp_path, "pickle", films[0], "--library", LIBRARY_URL)
    mirror = RemoteLibrary(Address(LIBRARY_URL, LibraryError))
    mirror.fetch()
    (card,) = (path for path in far.find("/shelf/grey") if "one-" in path and "film.json" in path)
    far.copy(card, "/shelf/grey/three-0123/film.json")
    mirror.push()
    assert "three-0123/film.json" in remote_files(far)


def test_a_missing_remote_library_is_an_error(far, tmp_path):
    result = run(tmp_path, "train", LIBRARY_URL)
    assert result.returncode == 1
    assert f"{LIBRARY_URL} is no library; make one with" in result.stderr


def test_a_cluster_needs_a_folder(films, far, tmp_path):
    result = run(tmp_path, "pickle", *films, "--library", LIBRARY_URL, "--ray", "local")
    assert result.returncode == 1
    assert "expected a folder that every machine finds" in result.stderr


def test_a_copy_that_another_process_writes_is_not_fetched(films, far, tmp_path):
    run(tmp_path, "pickle", films[0], "--library", LIBRARY_URL)
    mirror = RemoteLibrary(Address(LIBRARY_URL, LibraryError))
    with (
        write_lock(mirror.path),
        pytest.raises(LibraryError, match="is being written to by process"),
    ):
        mirror.fetch()


def test_incomplete_films_are_not_pushed(films, far, tmp_path):
    run(tmp_path, "pickle", films[0], "--library", LIBRARY_URL)
    mirror, before = RemoteLibrary(Address(LIBRARY_URL, LibraryError)), remote_files(far)
    left = mirror.fetch() / "left-0123"
    left.mkdir()
    (left / "sound.npy").touch()
    mirror.push()
    assert remote_files(far) == before


def test_a_deleted_remote_library_is_created_again(films, far, tmp_path):
    run(tmp_path, "pickle", films[0], "--library", LIBRARY_URL)
    far.rm("/shelf/grey", recursive=True)
    assert run(tmp_path, "pickle", films[1], "--library", LIBRARY_URL).returncode == 0
    assert not any(path.startswith("one-") for path in remote_files(far))
    assert any(path.startswith("two-") for path in remote_files(far))
