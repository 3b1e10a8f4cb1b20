"""Loudness, silence and fingerprint are computed once, and again when the film has changed."""

import json
import os
import time

import numpy as np
import pytest

from frame2sound.errors import LibraryError
from frame2sound.library import analysis as findings
from frame2sound.library.analysis import ANALYSIS_FILE, analyse_film
from frame2sound.library.store import Library
from frame2sound.sound.loudness import LoudnessMeter

RATE = 8000


def tone(seconds, amplitude=0.1):
    return amplitude * np.sin(2 * np.pi * 997 * np.arange(round(seconds * RATE)) / RATE)


@pytest.fixture
def analysed(monkeypatch):
    """Count how often the audio of a film is analysed."""
    count = []
    listen = findings._analyse_audio
    monkeypatch.setattr(findings, "_analyse_audio", lambda *a: count.append(1) or listen(*a))
    return count


def test_loudness_and_silence_are_those_of_the_audio_range(library, add_film, monkeypatch):
    monkeypatch.setattr(findings, "CHUNK_SECONDS", 1)
    sound = np.concatenate([np.zeros(RATE), tone(6), 1e-4 * tone(2), np.zeros(RATE)])
    film = add_film(library, "film", 10, sound=sound, audio_range=(RATE, 9 * RATE))
    meter, reports = LoudnessMeter(RATE), []
    meter.update(sound[RATE : 9 * RATE].astype(np.float32))
    found = analyse_film(film, lambda *report: reports.append(report))
    assert found.loudness == pytest.approx(meter.integrated_lufs, abs=1e-9)
    assert found.level_db == found.loudness
    assert found.peak == np.float32(np.abs(sound).max())
    assert found.silent_share == pytest.approx(2 / 8)
    assert reports == [("film", done, 10, "") for done in range(1, 9)]


@pytest.mark.parametrize("sounding", [(0, RATE), (0, 0)])
def test_a_silent_film_has_no_loudness(library, add_film, sounding):
    film = add_film(library, "film", sound=np.zeros(RATE), audio_range=sounding)
    assert (analyse_film(film).loudness, analyse_film(film).silent_share) == (None, 1)


def test_a_rate_too_low_for_loudness_gives_none(tmp_path, add_film):
    film = add_film(Library.create(tmp_path / "low", 2000), "film")
    assert (analyse_film(film).loudness, analyse_film(film).silent_share) == (None, 0)
    assert analyse_film(film).level_db == pytest.approx(-20, abs=0.5)  # noise of deviation 0.1


def test_a_cached_analysis_is_not_computed_again(library, add_film, analysed):
    film = add_film(library, "film")
    assert analyse_film(film) == analyse_film(film) == analyse_film(library.films()[0])
    assert len(analysed) == 1


@pytest.mark.parametrize("name", ["sound", "frames"])
def test_a_change_that_keeps_size_and_time_is_noticed(library, add_film, analysed, name):
    film = add_film(library, "film")
    before, path = analyse_film(film), film.path / f"{name}.npy"
    stat = path.stat()
    other = getattr(add_film(library, "other", seed=1), name)
    np.save(path, other * np.float32(0.5) if name == "sound" else other)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert analyse_film(film) != before
    assert len(analysed) == 2


def test_a_change_right_after_is_noticed(library, add_film, analysed):
    film = add_film(library, "film", 0.5)
    for seed in range(20):
        sound = np.random.default_rng(seed).normal(0, 0.01 * (seed + 1), RATE // 2)
        np.save(film.path / "sound.npy", sound.astype(np.float32))
        analyse_film(film)
        assert len(analysed) == seed + 1


def test_an_analysis_of_files_that_change_is_not_cached(library, add_film, analysed):
    film = add_film(library, "film")

    def change(*report):
        time.sleep(0.03)
        np.save(film.path / "sound.npy", np.zeros(RATE, np.float32))

    analyse_film(film, change)
    assert not (film.path / ANALYSIS_FILE).exists()
    assert analyse_film(film).silent_share == 1


@pytest.mark.parametrize("text", ["", "[]", "5", "{", "{}", '{"version": 1, "files": []}', "\xff"])
def test_a_cache_of_garbage_is_not_used(library, add_film, analysed, text):
    film = add_film(library, "film")
    before = analyse_film(film)
    (film.path / ANALYSIS_FILE).write_bytes(text.encode("latin-1"))
    assert analyse_film(film) == before
    assert len(analysed) == 2


def test_an_analysis_of_an_older_version_is_computed_again(library, add_film, analysed):
    film = add_film(library, "film")
    analyse_film(film)
    table = json.loads((film.path / ANALYSIS_FILE).read_text())
    (film.path / ANALYSIS_FILE).write_text(json.dumps(table | {"version": 0}))
    analyse_film(film)
    assert len(analysed) == 2


def test_a_folder_that_cannot_be_written_is_analysed(library, add_film, monkeypatch):
    film = add_film(library, "film")
    reference = analyse_film(film)
    (film.path / ANALYSIS_FILE).unlink()

    def refuse(*args):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("frame2sound.atomic.Path.replace", refuse)
    assert analyse_film(film) == reference
    assert sorted(path.name for path in film.path.iterdir()) == [
        "film.json", "frames.npy", "sound.npy", "times.npy",
    ]  # fmt: skip


def test_sound_that_is_not_finite_is_refused(library, add_film):
    sound = tone(1)
    sound[5] = np.nan
    with pytest.raises(
        LibraryError,
        match=r"sound\.npy holds numbers that are not finite or far over full scale; copy",
    ):
        analyse_film(add_film(library, "film", sound=sound))


@pytest.mark.parametrize("sample", [1e30, -65.0, np.inf, np.nan])
def test_sound_that_no_film_has_is_refused(library, add_film, sample):
    film = add_film(library, "film", sound=np.append(tone(0.5), np.full(RATE // 2, sample)))
    with pytest.raises(LibraryError, match=r"film/sound\.npy holds numbers that are not finite or"):
        analyse_film(film)


def test_a_cached_peak_that_no_film_has_does_not_count(library, add_film, analysed):
    """Earlier versions cached it."""
    film = add_film(library, "film")
    analyse_film(film)
    path = film.path / ANALYSIS_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"peak": 1e30}))
    analyse_film(film)
    assert len(analysed) == 2
