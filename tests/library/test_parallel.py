"""Pickling in parallel gives the same films; a failing one does not stop the others."""

from pathlib import Path

import pytest

from frame2sound.library.parallel import group_copies, pickle_films
from frame2sound.library.store import Library
from frame2sound.storage import Address


@pytest.fixture
def sources(tmp_path, make_film):
    good = [make_film(tmp_path / f"{name}.mkv", seed=seed) for seed, name in enumerate("abc")]
    bad = tmp_path / "bad.mkv"
    bad.write_bytes(b"no film at all")
    return [good[0], bad, *good[1:]]


def contents(library):
    files = sorted(path for path in library.path.rglob("*") if path.is_file())
    return {str(path.relative_to(library.path)): path.read_bytes() for path in files}


def test_a_film_that_fails_does_not_stop_the_others(sources, library):
    reports = []
    outcomes = list(
        pickle_films(sources, library, jobs=1, on_progress=lambda *r: reports.append(r))
    )
    assert [outcome.source for outcome in outcomes] == sources
    assert [outcome.is_new for outcome in outcomes] == [True, False, True, True]
    (error,) = [outcome.error for outcome in outcomes if outcome.error]
    assert str(sources[1]) in error
    assert "\n" not in error
    assert library.films() == sorted(
        (outcome.film for outcome in outcomes if outcome.film), key=lambda film: film.name
    )
    assert {name for name, done, total, _ in reports if done == total} == {
        source.name for source in sources
    } - {sources[1].name}


def test_films_in_the_library_are_not_new(sources, library):
    list(pickle_films(sources, library, jobs=1))
    again = list(pickle_films(sources, library, jobs=1))
    assert not any(outcome.is_new for outcome in again)
    assert sum(outcome.film is not None for outcome in again) == 3


def test_a_film_named_twice_is_pickled_once(sources, library):
    outcomes = list(pickle_films([sources[0], sources[0]], library, jobs=1))
    assert len(outcomes) == 1


def test_no_films_give_no_outcomes(library):
    assert list(pickle_films([], library)) == []


def test_an_interrupt_keeps_complete_films(sources, library):
    def interrupt(name, seconds, total, note):
        if name == sources[2].name:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(pickle_films(sources, library, jobs=1, on_progress=interrupt))
    assert len(library.films()) == 1
    assert len(list(library.path.iterdir())) == 2


def test_parallel_pickling_equals_serial_pickling(tmp_path, make_film, sources, library):
    long = make_film(tmp_path / "long.mkv", seconds=10).read_bytes()
    copies = [tmp_path / "d" / "long.mkv", tmp_path / "e" / "long.mkv"]
    for path in copies:
        path.parent.mkdir()
        path.write_bytes(long)
    sources = [*copies, *sources]
    one = Library.create(tmp_path / "one", library.sample_rate)
    list(pickle_films(sources, one, jobs=1))
    outcomes = list(pickle_films(sources, library, jobs=2))
    assert {outcome.source for outcome in outcomes} == set(sources)
    assert [outcome.source.name for outcome in outcomes if outcome.error] == ["bad.mkv"]
    assert contents(library) == contents(one)


def test_possible_copies_are_in_one_group(tmp_path):
    """The same title, the same size, or one of each with films between them."""
    sizes = {"a.mkv": 5, "b.mkv": 6, "c.mkv": 7, "d/b.mkv": 8, "e.mkv": 8, "f.mkv": 5}
    films = [tmp_path / name for name in sizes]
    for film, size in zip(films, sizes.values(), strict=True):
        film.parent.mkdir(exist_ok=True)
        film.write_bytes(bytes(size))
    link, missing = tmp_path / "link.mkv", tmp_path / "missing.mkv"
    link.symlink_to(films[2])
    address = Address("memory://films/c.mkv")
    groups = group_copies([*films, link, missing, address])
    names = [[str(each).removeprefix(f"{tmp_path}/") for each in group] for group in groups]
    assert names == [
        ["a.mkv", "f.mkv"],
        ["b.mkv", "d/b.mkv", "e.mkv"],
        ["c.mkv", "link.mkv", str(address)],
        ["missing.mkv"],
    ]


def test_copies_of_numbered_pictures_are_in_one_group(tmp_path):
    folders = [tmp_path / name for name in ("one", "two", "other")]
    for folder, size in zip(folders, (9, 9, 8), strict=True):
        folder.mkdir()
        (folder / "1.png").write_bytes(bytes(size))
    assert group_copies(list(folders)) == [folders[:2], folders[2:]]


@pytest.mark.parametrize("copy", [Path.symlink_to, Path.hardlink_to])
def test_a_copy_under_another_name_is_pickled_once_in_parallel(tmp_path, make_film, library, copy):
    film = make_film(tmp_path / "film.mkv", seconds=2)
    copy(tmp_path / "copy.mkv", film)
    outcomes = list(pickle_films([film, tmp_path / "copy.mkv"], library, jobs=2))
    assert [outcome.is_new for outcome in outcomes] == [True, False]
    assert library.films() == [outcomes[0].film] == [outcomes[1].film]
