"""An untrusted library cannot block, fill memory or lead to other folders."""

import json
import os
import time

import numpy as np
import pytest

from frame2sound.errors import LibraryError
from frame2sound.library.analysis import ANALYSIS_FILE, analyse_film
from frame2sound.library.folders import delete_film as folders_drop
from frame2sound.library.folders import exclude, find_film_folder, symlinked_folders
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.library.summary import summarise
from frame2sound.library.verification import verify
from frame2sound.library.write_lock import LOCK_FILE, write_lock
from tests.commanding import run
from tests.hang_guard import fail_if_hung

RATE = 8000

DAMAGES = {
    "pipe": lambda path: os.mkfifo(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link": lambda path: path.symlink_to("/etc/passwd"),
    "folder": lambda path: path.mkdir(),
    "endless": lambda path: os.truncate(path, 1 << 40) if path.touch() is None else None,
}
FILES = ["film.json", "frames.npy", "times.npy", "sound.npy"]


@pytest.fixture
def films(library, add_film):
    return [add_film(library, name, 3, seed=seed) for seed, name in enumerate("ab")]


def use_library(library):
    """Use the library as users do, without hanging; return the results and errors."""
    messages = []
    for act in (
        lambda: [(film.seconds, len(film.frames), len(film.sound)) for film in library.films()],
        lambda: [line for entry in summarise(library).films for line in entry.faults],
        lambda: verify(library, library.path / "a"),
    ):
        try:
            with fail_if_hung():
                messages.append(str(act()))
        except LibraryError as error:
            messages.append(str(error))
            assert "\n" not in str(error)
    return messages


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", DAMAGES)
def test_pipes_devices_links_and_huge_files_are_refused(library, films, harm, name):
    path = films[0].path / name
    path.unlink()
    DAMAGES[harm](path)
    for messages in use_library(library):
        assert name in messages
        assert "expected" in messages
        assert "delete" not in messages
        assert "remove" not in messages
    assert [bool(entry.faults) for entry in summarise(library).films] == [True, False]


@pytest.mark.parametrize("harm", DAMAGES)
def test_an_invalid_cached_analysis_is_computed_again(library, films, harm):
    reference = analyse_film(films[0])
    path = films[0].path / ANALYSIS_FILE
    path.unlink()
    DAMAGES[harm](path)
    assert analyse_film(films[0]) == reference


@pytest.mark.parametrize("value", [[], {"version": 1}, {"loudness": "1e999"}, {"silent": 7}])
def test_an_impossible_cached_analysis_is_computed_again(library, films, value):
    reference = analyse_film(films[0])
    path = films[0].path / ANALYSIS_FILE
    table = json.loads(path.read_text())
    path.write_text(json.dumps(table | value if isinstance(value, dict) and value else value))
    assert analyse_film(films[0]) == reference


@pytest.mark.parametrize("harm", DAMAGES)
def test_an_invalid_library_file_is_an_error(library, harm):
    path = library.path / "library.json"
    path.unlink()
    DAMAGES[harm](path)
    with pytest.raises(LibraryError, match=r"library\.json is not readable .* expected"):
        Library.open(library.path)


@pytest.mark.parametrize(
    "values",
    [
        {"sample_rate": 0},
        {"sample_rate": -22050},
        {"sample_rate": 10**12},
        {"sample_rate": "22050"},
        {"sample_rate": 22050.0},
        {"sample_rate": True},
        {"colour": "yes"},
        {"version": 0},
        {"version": "1"},
        {"version": True},
    ],
    ids=str,
)
def test_an_impossible_library_file_is_an_error(library, values):
    path = library.path / "library.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    with pytest.raises(LibraryError, match="is not readable as a library's"):
        Library.open(library.path)


def test_newer_versions_say_to_update_the_program(library, films):
    card = films[0].path / "film.json"
    kept = card.read_text()
    card.write_text(json.dumps({"version": 5, "new": "everything"}))
    why = r"film\.json: the card was made by a newer version .*; update the program"
    with pytest.raises(LibraryError, match=why):
        library.films()
    card.write_text(kept)
    (library.path / "library.json").write_text('{"version": 2, "rates": [8000]}')
    with pytest.raises(LibraryError, match=r"made by a newer version .*; update the program"):
        Library.open(library.path)


def test_a_card_that_cannot_be_read_is_not_written_over(library, tmp_path, make_film):
    film, _ = pickle_film(make_film(tmp_path / "film.mkv"), library)
    card = film.path / "film.json"
    card.write_text(json.dumps({"version": 5}))
    with pytest.raises(LibraryError, match="newer version"):
        pickle_film(tmp_path / "film.mkv", library)
    assert json.loads(card.read_text()) == {"version": 5}


def test_an_unreadable_excluded_film_does_not_stop_training(library, films):
    (films[0].path / "film.json").write_text("{")
    with pytest.raises(LibraryError, match=r"a/film\.json is not readable as a film's card"):
        library.films()
    exclude(find_film_folder(library.path, "a"))
    assert [film.name for film in library.films()] == ["b"]
    assert library.find("b-1", None, None).name == "b"


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (np.linspace(0, 1e12, 91), "expected 0 to 3 s"),
        (np.linspace(-5, 3, 91), "expected 0 to 3 s"),
        (np.full(91, np.nan), "does not increase"),
        (np.append(np.arange(90) / 30, np.inf), "does not increase"),
        (np.zeros(91), "does not increase"),
    ],
)
def test_impossible_times_are_an_error(library, films, times, why):
    np.save(films[0].path / "times.npy", times)
    with pytest.raises(LibraryError, match=why):
        _ = library.films()[0].seconds


@pytest.fixture
def linked(library, tmp_path, add_film):
    """A film of another library, to which the library has a link."""
    other = add_film(Library.create(tmp_path / "private", RATE), "film", 3)
    (library.path / "film").symlink_to(other.path)
    return other.path


def test_a_linked_folder_is_not_followed_and_nothing_is_written_there(library, films, linked):
    before = sorted(path.name for path in linked.iterdir())
    assert [film.name for film in library.films()] == ["a", "b"]
    found = summarise(library)
    assert [entry.name for entry in found.films] == ["a", "b"]
    assert found.symlinks == ("film",)
    assert [path.name for path in symlinked_folders(library.path)] == ["film"]
    with pytest.raises(LibraryError, match="film is a link, and links are not followed; copy the"):
        find_film_folder(library.path, "film")
    assert sorted(path.name for path in linked.iterdir()) == before


@pytest.mark.parametrize("option", ["--exclude", "--include", "--drop"])
def test_commands_refuse_a_linked_folder(library, films, linked, tmp_path, option):
    messages = run(tmp_path, "library", "library", option, "film")
    assert (messages.returncode, len(messages.stderr.splitlines())) == (1, 1)
    assert "is a link, and links are not followed" in messages.stderr
    assert sorted(path.name for path in linked.iterdir()) == sorted(FILES)
    messages = run(tmp_path, "library", "library")
    assert "link: film is not followed; copy the film's folder here" in messages.stdout
    assert json.loads(run(tmp_path, "library", "library", "--json").stdout)["links"] == ["film"]


def test_a_link_to_a_library_is_followed(library, films, tmp_path):
    (tmp_path / "shelf").symlink_to(library.path)
    assert [film.name for film in Library.open(tmp_path / "shelf").films()] == ["a", "b"]
    messages = run(tmp_path, "library", "shelf", "--exclude", "a")
    assert messages.stdout == "a  excluded\n"
    assert [film.name for film in library.films()] == ["b"]


def test_a_link_as_lock_file_leaves_its_target_alone(library, tmp_path):
    private = tmp_path / "private"
    private.write_text("precious")
    (library.path / LOCK_FILE).symlink_to(private)
    with (
        pytest.raises(LibraryError, match=r"cannot be written \(it is a link"),
        write_lock(library.path),
    ):
        pytest.fail("it must not be written to")
    assert private.read_text() == "precious"


def test_a_link_as_excluded_file_excludes_and_leaves_its_target_alone(library, films, tmp_path):
    private = tmp_path / "private"
    private.write_text("precious")
    (films[0].path / "excluded").symlink_to(private)
    assert [film.name for film in library.films()] == ["b"]
    exclude(films[0].path)
    assert private.read_text() == "precious"
    assert not (films[0].path / "excluded").is_symlink()


def test_a_clock_that_is_set_back_changes_nothing(library, films, monkeypatch):
    references = [analyse_film(film) for film in films]
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real - 3e7)
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("waits for the clock"))
    assert analyse_film(films[0]) == references[0]
    (films[1].path / ANALYSIS_FILE).unlink()
    for name in FILES:
        os.utime(films[1].path / name, (real + 3e7, real + 3e7))
    assert analyse_film(films[1]) == references[1]
    with write_lock(library.path):
        pass


def test_an_open_film_stays_readable_when_it_is_deleted(library, films):
    film = library.films()[0]
    pictures, sound = film.frames, film.sound
    before = pictures.sum(), float(sound.sum())
    folders_drop(film.path)
    assert (pictures.sum(), float(sound.sum())) == before
    with pytest.raises(LibraryError, match=r"times\.npy is missing or damaged"):
        _ = film.times


def test_a_card_with_another_sample_rate_than_its_library_is_an_error(library, films):
    card = films[0].path / "film.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"sample_rate": 44_100}))
    with pytest.raises(LibraryError, match="says 44100 Hz, expected its library's 8000 Hz; copy"):
        library.films()
