"""Analyse a film's arrays, and cache the result in its folder until the arrays change."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import LibraryError
from frame2sound.library.fingerprint import compute_fingerprint
from frame2sound.library.folders import ARRAY_FILES, CARD_FILE
from frame2sound.library.store import DAMAGED_REMEDY, Library, PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.sound.loudness import MIN_SAMPLE_RATE, LoudnessMeter
from frame2sound.untrusted import read_json

ANALYSIS_FILE = "findings.json"
ANALYSIS_VERSION = 2
"""Version of the analysis; a cached result of another version is computed again."""

SILENCE_THRESHOLD_DB = -60.0
"""A tenth of a second whose loudest sample is below this level (dBFS) is silent."""

CHUNK_SECONDS = 60
"""Duration of sound in memory at once."""

TIMESTAMP_RESOLUTION_SECONDS = 0.02
"""Time within which a file system may give two changes of a file the same timestamp."""

MAX_AMPLITUDE = 64.0
"""No film's sound has a higher peak: the decoder allows 16 before it resamples."""

MAX_ANALYSIS_BYTES = 1 << 16
"""Largest cache file that is read, in bytes."""


@dataclass(frozen=True)
class FilmAnalysis:
    """The result of the analysis of a film.

    ``loudness`` is the integrated loudness in LUFS, or None if the film is silent or its sample
    rate too low for the measure. ``level_db`` is the same, but at such a rate the gated RMS in
    dBFS. ``peak`` is the largest amplitude. ``silent_share`` is the share, 0 to 1, of its sound
    that is silent. ``picture_fingerprint`` is that of `frame2sound.library.fingerprint`.
    """

    loudness: float | None
    level_db: float | None
    peak: float
    silent_share: float
    picture_fingerprint: bytes


class _AnalysisTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table of a ``findings.json``; ``files`` is the state of the analysed files."""

    loudness: Annotated[float, Meta(ge=-1000, le=1000)] | None
    level_db: Annotated[float, Meta(ge=-1000, le=1000)] | None = msgspec.field(name="level")
    peak: Annotated[float, Meta(ge=0, le=MAX_AMPLITUDE)]
    silent_share: Annotated[float, Meta(ge=0, le=1)] = msgspec.field(name="silent")
    picture_fingerprint: str = msgspec.field(name="picture")
    version: int
    files: list[list[int]]


def analyse_film(
    film: PickledFilm, on_progress: ProgressCallback = ignore_progress
) -> FilmAnalysis:
    """Return the analysis of a film: the cached one, or a new one that is cached if possible.

    Raises
    ------
    LibraryError
        An array is damaged, or the sound is not finite or far over full scale.
    """
    state = stable_file_states(film.path)
    cached = _load_cached(film.path, state)
    if cached is not None:
        return cached
    audio = _analyse_audio(film, on_progress)
    has_loudness = film.card.sample_rate >= MIN_SAMPLE_RATE
    loudness = audio.level_db if has_loudness else None
    analysis = FilmAnalysis(loudness, *audio, compute_fingerprint(replace(film)))
    if file_states(film.path) == state:
        _save_cached(film.path, state, analysis)
    return analysis


def analyse_whole_film(film: PickledFilm) -> FilmAnalysis:
    """Return the analysis of a film, also of what a view of its library hides of it."""
    library = Library(film.path.parent, film.card.sample_rate, film.colour)
    return analyse_film(library.film(film.path))


class _AudioAnalysis(NamedTuple):
    level_db: float | None
    peak: float
    silent_share: float


def _analyse_audio(film: PickledFilm, on_progress: ProgressCallback) -> _AudioAnalysis:
    rate = film.card.sample_rate
    meter = LoudnessMeter(rate, weighted=rate >= MIN_SAMPLE_RATE)
    silent = total = 0
    peak = 0.0
    for chunk in _audio_chunks(film):
        peaks = np.maximum.reduceat(np.abs(chunk), np.arange(0, len(chunk), rate // 10))
        if not peaks.max() <= MAX_AMPLITUDE:
            raise LibraryError(
                f"{film.path}/sound.npy holds numbers that are not finite or far over full scale; "
                f"{DAMAGED_REMEDY}"
            )
        meter.update(chunk)
        peak = max(peak, float(peaks.max()))
        silent += int((peaks < 10 ** (SILENCE_THRESHOLD_DB / 20)).sum())
        total += len(peaks)
        seconds = film.card.samples / rate
        on_progress(film.name, min(total / 10, seconds), seconds, "")
    level_db = meter.integrated_lufs
    return _AudioAnalysis(
        level_db if math.isfinite(level_db) else None, peak, silent / total if total else 1.0
    )


def _audio_chunks(film: PickledFilm) -> Iterator[NDArray[np.float32]]:
    """Yield the sound of a film in chunks; each is mapped anew, so that none stays in memory."""
    begin, end = film.card.audio_range
    step = CHUNK_SECONDS * film.card.sample_rate
    for start in range(begin, end, step):
        yield np.array(replace(film).sound[start : min(start + step, end)])


def file_states(folder: Path) -> list[list[int]]:
    """Return size and timestamps of a film's files, which change when a file does."""
    stats = []
    for name in (CARD_FILE, *ARRAY_FILES):
        with suppress(FileNotFoundError):
            stat = (folder / name).lstat()
            stats.append([stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns])
    return stats


def stable_file_states(folder: Path) -> list[list[int]]:
    """Return the file states, late enough that any later change has another timestamp."""
    state = file_states(folder)
    if any(
        0 <= time.time() - changed / 1e9 < TIMESTAMP_RESOLUTION_SECONDS
        for _, *times in state
        for changed in times
    ):
        time.sleep(TIMESTAMP_RESOLUTION_SECONDS)
        return stable_file_states(folder)
    return state


def _load_cached(folder: Path, state: list[list[int]]) -> FilmAnalysis | None:
    try:
        values = read_json(folder / ANALYSIS_FILE, MAX_ANALYSIS_BYTES)
        table = msgspec.convert(values, _AnalysisTable)
        if (table.version, table.files) != (ANALYSIS_VERSION, state):
            return None
        fingerprint = bytes.fromhex(table.picture_fingerprint)
        return FilmAnalysis(
            table.loudness, table.level_db, table.peak, table.silent_share, fingerprint
        )
    except (OSError, ValueError):
        return None


def _save_cached(folder: Path, state: list[list[int]], analysis: FilmAnalysis) -> None:
    table = {
        "loudness": analysis.loudness,
        "level": analysis.level_db,
        "peak": analysis.peak,
        "silent": analysis.silent_share,
        "picture": analysis.picture_fingerprint.hex(),
        "version": ANALYSIS_VERSION,
        "files": state,
    }
    with suppress(LibraryError), atomic_write(folder / ANALYSIS_FILE, LibraryError) as partial:
        partial.write_text(json.dumps(table) + "\n")
