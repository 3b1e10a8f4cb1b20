"""Films are pickled once, completely or not at all, and picture and sound stay in sync."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from frame2sound.errors import FilmError
from frame2sound.library.pickler import PickleOptions, film_digest, pickle_film
from frame2sound.library.store import Library

SAMPLE_RATE = 8000
A_SAMPLE = 2 / SAMPLE_RATE
"""Seconds; the resampler may begin or end one sample beside the film's own."""


def tone(hertz, seconds=1.0, amplitude=0.5):
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return amplitude * np.sin(2 * np.pi * hertz * at)


def test_a_lossless_film_is_pickled_exactly(tmp_path, make_film, library):
    path = make_film(tmp_path / "film.mkv", fps=25, seed=3)
    film, new = pickle_film(path, library)
    assert new
    rng = np.random.default_rng(3)
    frames_drawn = np.stack([rng.integers(0, 256, (64, 64), np.uint8) for _ in range(25)])
    np.testing.assert_array_equal(film.frames, frames_drawn)
    # Matroska keeps time to a millisecond.
    np.testing.assert_allclose(film.times, np.arange(26) / 25, atol=1e-3)
    # Half a step of 16 bits, and the same again for the scale of 32 767 or 32 768.
    np.testing.assert_allclose(film.sound, tone(440), atol=2 / 32767)
    assert film.card.audio_range == (0, 8000)
    assert film.card.fps == 25
    assert film.card.digest == film_digest(path)
    assert film.card.source == str(path)
    assert film.card.notes == ()


def test_pickling_again_changes_nothing(tmp_path, make_film, library):
    path = make_film(tmp_path / "film.mkv")
    film, _ = pickle_film(path, library)
    before = {file: file.stat().st_mtime_ns for file in [film.path, *film.path.iterdir()]}
    again, new = pickle_film(path, library)
    assert (again, new) == (film, False)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    path.touch()
    copy = tmp_path / "copy.mkv"
    copy.write_bytes(path.read_bytes())
    assert pickle_film(copy, library) == (film, False)
    assert library.films() == [film]


def test_a_changed_film_replaces_the_older_version(tmp_path, make_film, library):
    path = make_film(tmp_path / "film.mkv", seed=0)
    old, _ = pickle_film(path, library)
    make_film(path, seed=1)
    film, new = pickle_film(path, library)
    assert new
    assert library.films() == [film]
    assert film.path != old.path
    assert sorted(p.name for p in library.path.iterdir()) == sorted([film.name, "library.json"])


def test_another_stream_is_another_film(tmp_path, make_film, library):
    path = make_film(tmp_path / "film.mkv", [tone(440), tone(880)])
    films = [pickle_film(path, library, PickleOptions(audio_stream=n))[0] for n in (None, 0, 1)]
    assert len({film.path for film in films}) == 3
    assert len(library.films()) == 3
    np.testing.assert_array_equal(films[0].sound, films[1].sound)
    np.testing.assert_allclose(films[2].sound, tone(880), atol=2 / 32767)
    assert not pickle_film(path, library, PickleOptions(audio_stream=1))[1]
    assert films[0].card.notes == ("used audio stream 0 of 2",)


@pytest.mark.parametrize(
    ("late", "long", "sounding", "notes"),
    [
        (0.0, 1.0, (0.0, 1.0), ()),
        (
            0.25,
            0.75,
            (0.25, 1.0),
            ("its sound begins at 0.25 s; nothing before is used for training",),
        ),
        (0.0, 0.5, (0.0, 0.5), ("its sound ends at 0.50 s; nothing after is used for training",)),
        (0.0, 2.0, (0.0, 1.0), ()),
        (0.05, 0.9, (0.05, 0.95), ()),
    ],
)
def test_the_audio_range_covers_the_recorded_sound(
    tmp_path, make_film, library, late, long, sounding, notes
):
    film, _ = pickle_film(make_film(tmp_path / "film.mkv", [tone(440, long)], late=late), library)
    assert film.sound.shape == (8000,)
    begin, end = film.card.audio_range
    assert begin / SAMPLE_RATE == pytest.approx(sounding[0], abs=A_SAMPLE)
    assert end / SAMPLE_RATE == pytest.approx(sounding[1], abs=A_SAMPLE)
    assert film.card.notes == notes
    assert not film.sound[:begin].any()
    assert not film.sound[end:].any()
    expected = tone(440, 2.0)[: end - begin]
    np.testing.assert_allclose(film.sound[begin:end], expected, atol=2 / 32767)


@pytest.mark.parametrize(("level_db", "silent"), [(-200, True), (-80, False)])
def test_a_silent_film_is_noted(tmp_path, make_film, library, level_db, silent):
    sound = tone(440, amplitude=10 ** (level_db / 20))
    film, _ = pickle_film(make_film(tmp_path / "film.mkv", [sound]), library)
    assert film.card.notes == (("its sound is silent",) if silent else ())


@pytest.mark.parametrize("name", ["höhle & wald.mkv", "...mkv", "a b.c.mkv", "n" * 200 + ".mkv"])
def test_any_name_of_a_film_gives_a_folder(tmp_path, make_film, library, name):
    film, _ = pickle_film(make_film(tmp_path / name), library)
    assert library.films() == [film]
    assert not film.name.startswith(".")


@pytest.mark.parametrize(
    ("sounds", "match"), [([], "has no audio stream"), (None, "is not readable as a film")]
)
def test_a_bad_film_leaves_nothing(tmp_path, make_film, library, sounds, match):
    path = tmp_path / "film.mkv"
    if sounds is None:
        path.write_bytes(b"no film at all")
    else:
        make_film(path, sounds)
    with pytest.raises(FilmError, match=match):
        pickle_film(path, library)
    assert [p.name for p in library.path.iterdir()] == ["library.json"]


def test_a_missing_film_is_an_error(tmp_path, library):
    with pytest.raises(FilmError, match=r"cannot be read \(no such file or directory\)"):
        pickle_film(tmp_path / "film.mkv", library)


def test_an_interrupted_film_leaves_nothing(tmp_path, make_film, library):
    def interrupt(*report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pickle_film(make_film(tmp_path / "film.mkv"), library, on_progress=interrupt)
    assert [p.name for p in library.path.iterdir()] == ["library.json"]


def test_progress_comes_with_time_and_frames(tmp_path, make_film, library):
    reports = []
    path = make_film(tmp_path / "film.mkv", seconds=12)
    pickle_film(path, library, on_progress=lambda *report: reports.append(report))
    names, seconds, totals, _ = zip(*reports, strict=True)
    assert names == ("film.mkv", "film.mkv")
    assert seconds == pytest.approx((256 / 25, 12))
    assert totals == pytest.approx((12, 12), abs=1e-3)


KILLED = """
import sys
from pathlib import Path
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
def report(name, seconds, total, note):
    print(f"{float(seconds):.2f}", flush=True)
    sys.stdin.readline()
pickle_film(Path(sys.argv[1]), Library.open(Path(sys.argv[2])), on_progress=report)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_pickler_leaves_no_film_under_its_name(tmp_path, make_film, library):
    path = make_film(tmp_path / "film.mkv", seconds=24)
    expected, _ = pickle_film(path, Library.create(tmp_path / "whole", SAMPLE_RATE))
    reports = ["10.24", "20.48", "24.00"]
    for count in (1, 2, 3):  # the process is killed after so many reports
        command = [sys.executable, "-c", KILLED, path, library.path]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, **pipes, text=True) as process:
            for number, seconds in enumerate(reports[:count], 1):
                assert process.stdout.readline() == f"{seconds}\n"
                if number < count:
                    print(file=process.stdin, flush=True)
            process.kill()
        assert library.films() == []
        (partial,) = library.path.glob(".film-*.partial")
        assert (partial / "frames.npy").exists()
    film, new = pickle_film(path, library)
    assert new
    for name in ("frames.npy", "times.npy", "sound.npy", "film.json"):
        assert (film.path / name).read_bytes() == (expected.path / name).read_bytes()
    assert sorted(p.name for p in library.path.iterdir()) == sorted([film.name, "library.json"])
