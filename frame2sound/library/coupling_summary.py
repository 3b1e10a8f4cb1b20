"""How far the sound of a library's films follows their picture, cached in the films' folders.

All films are measured together, as they are learned together. What their scores are computed of is
stored for each film, and adds up to the scores of the library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.clock import Clock
from frame2sound.errors import LibraryError
from frame2sound.library.analysis import analyse_film, file_states, stable_file_states
from frame2sound.library.calibration import is_calibration
from frame2sound.library.coupling import (
    MIN_SECONDS,
    Coupling,
    HeldOutCurves,
    count_onsets,
    predict_held_out,
)
from frame2sound.library.film_ground import estimate_film_ground
from frame2sound.library.film_loudness import film_gain_db
from frame2sound.library.film_motion import FLOOR_DB, FilmMotion, measure_motion
from frame2sound.library.store import PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.untrusted import read_json

FloatArray = NDArray[np.float64]

COUPLING_FILE = "coupling.json"
COUPLING_VERSION = 2
"""Version of the measurement; a cached result of another version is measured again."""

MAX_SECONDS = 180.0
"""At most so much film of a library is measured."""

FRAME_RATE = Fraction(30)
"""The frames per second at which films are measured."""

MEASURING = "measuring motion"
"""The task that progress is reported for."""

MAX_CACHE_BYTES = 1 << 16
"""Largest cache file that is read, in bytes."""

Reason = Literal["too short to tell", "no onsets", "not measured"]


@dataclass(frozen=True)
class CouplingSums:
    """What the scores of a film are computed of; those of several films add up.

    Attributes
    ----------
    seconds : float
        How much was measured.
    onsets : int
        The onsets of the sound.
    matches, chance_matches : float
        Those that were predicted, and those that circular shifts of the predictions meet.
    total : int
        Predicted and true onsets together.
    levels : tuple of float
        Their number, then the sums of predicted levels, true ones, the squares of both, and their
        products, in dB above `FLOOR_DB`.
    """

    seconds: float = 0.0
    onsets: int = 0
    matches: float = 0.0
    chance_matches: float = 0.0
    total: int = 0
    levels: tuple[float, ...] = (0.0,) * 6

    def __add__(self, other: CouplingSums) -> CouplingSums:
        return CouplingSums(
            self.seconds + other.seconds,
            self.onsets + other.onsets,
            self.matches + other.matches,
            self.chance_matches + other.chance_matches,
            self.total + other.total,
            tuple(np.add(self.levels, other.levels).tolist()),
        )

    def coupling(self) -> Coupling:
        """Return the scores."""
        total = max(self.total, 1)
        return Coupling(
            2 * self.matches / total,
            2 * self.chance_matches / total,
            self._level_correlation(),
            self.seconds,
            self.onsets,
        )

    def _level_correlation(self) -> float:
        count, ours, theirs, our_squares, their_squares, products = self.levels
        if count < 2:
            return 0.0
        variances = (
            our_squares / count - (ours / count) ** 2,
            (their_squares / count - (theirs / count) ** 2),
        )
        if min(variances) < 1e-9:
            return 0.0
        covariance = products / count - ours * theirs / count**2
        return float(covariance / np.sqrt(variances[0] * variances[1]))


@dataclass(frozen=True)
class FilmCoupling:
    """How far the sound of films follows their picture.

    Attributes
    ----------
    coupling : Coupling or None
        The scores on held-out blocks; None if there are none.
    reason : str or None
        Why there are none.
    """

    coupling: Coupling | None
    reason: Reason | None = None

    @classmethod
    def of(cls, sums: CouplingSums) -> FilmCoupling:
        """Return the scores of sums, or why there are none."""
        if sums.seconds < MIN_SECONDS:
            return cls(None, "too short to tell")
        return cls(sums.coupling())


@dataclass(frozen=True)
class LibraryCoupling:
    """How far the sound of a library follows its picture.

    Attributes
    ----------
    whole : FilmCoupling
        Of all films together.
    films : dict
        Of each film by name, without excluded ones and the calibration film.
    seconds : float
        How much film was measured.
    """

    whole: FilmCoupling
    films: dict[str, FilmCoupling]
    seconds: float

    def describe(self) -> str:
        """Return one sentence about it."""
        if self.whole.coupling is not None:
            return f"{self.whole.coupling.describe()}, measured on {self.seconds:.0f} s"
        if self.whole.reason == "no onsets":
            return "no film has sound that could follow its picture"
        return CouplingSums().coupling().describe()


def measure_library(
    films: Sequence[PickledFilm],
    sample_rate: int,
    on_progress: ProgressCallback = ignore_progress,
) -> LibraryCoupling | None:
    """Return how far the sound of films follows their picture: cached, or measured and cached.

    At most `MAX_SECONDS` are measured: short films whole, and equal parts of the longer ones. None
    if there are no films but the calibration film.

    Raises
    ------
    LibraryError
        A film is damaged.
    """
    films = [film for film in films if not is_calibration(film)]
    if not films:
        return None
    sounding = [film for film in films if analyse_film(film).level_db is not None]
    sums = _measure(sounding, Clock(FRAME_RATE, sample_rate), on_progress)
    whole = sum(sums.values(), CouplingSums())
    return LibraryCoupling(
        FilmCoupling.of(whole) if sounding else FilmCoupling(None, "no onsets"),
        {film.name: _film_coupling(film, film in sounding, sums.get(film.name)) for film in films},
        whole.seconds,
    )


def _film_coupling(film: PickledFilm, sounds: bool, sums: CouplingSums | None) -> FilmCoupling:
    """Return a film's scores, or why it has none."""
    if film.seconds < MIN_SECONDS:
        return FilmCoupling(None, "too short to tell")
    if not sounds:
        return FilmCoupling(None, "no onsets")
    return FilmCoupling.of(sums) if sums else FilmCoupling(None, "not measured")


def _measure(
    films: list[PickledFilm], clock: Clock, on_progress: ProgressCallback
) -> dict[str, CouplingSums]:
    """Return the sums of the films that are measured, by name: cached ones, or new ones."""
    shares = share_out([film.seconds for film in films])
    if sum(shares) < MIN_SECONDS:
        return {}
    chosen = [(film, share) for film, share in zip(films, shares, strict=True) if share > 0]
    states = [stable_file_states(film.path) for film, _ in chosen]
    key = _key(chosen, states, clock)
    cached = [_load_cached(film.path, key) for film, _ in chosen]
    names = [film.name for film, _ in chosen]
    known = [sums for sums in cached if sums is not None]
    if len(known) == len(cached):
        return dict(zip(names, known, strict=True))
    sums = _sums_of_films(_measure_films(chosen, clock, on_progress))
    if [file_states(film.path) for film, _ in chosen] == states:
        for (film, _), each in zip(chosen, sums, strict=True):
            _save_cached(film.path, key, each)
    return dict(zip(names, sums, strict=True))


def share_out(seconds: Sequence[float], limit: float = MAX_SECONDS) -> list[float]:
    """Return how much of each film is measured: short films whole, equal parts of the others.

    Where equal parts would be shorter than `MIN_SECONDS`, evenly spaced films are left out.

    Examples
    --------
    >>> share_out([20, 300, 600])
    [20.0, 80.0, 80.0]
    """
    kept = list(range(len(seconds)))
    most = int(limit / MIN_SECONDS)
    if sum(min(each, MIN_SECONDS) for each in seconds) > limit:
        kept = sorted({round(at) for at in np.linspace(0, len(seconds) - 1, most).tolist()})
    shares, left = [0.0] * len(seconds), limit
    for rank, index in enumerate(sorted(kept, key=seconds.__getitem__)):
        shares[index] = min(float(seconds[index]), left / (len(kept) - rank))
        left -= shares[index]
    return shares


def _measure_films(
    chosen: list[tuple[PickledFilm, float]], clock: Clock, on_progress: ProgressCallback
) -> list[list[FilmMotion]]:
    """Return the motion of the stretches of each film."""
    total = sum(share for _, share in chosen)
    stretches: list[list[FilmMotion]] = []
    for film, share in chosen:
        before = sum(each.seconds for part in stretches for each in part)

        def report(done: float, _: float, before: float = before) -> None:
            on_progress(MEASURING, min(before + done, total), total, "")

        gains, maps = [film_gain_db(film)], [estimate_film_ground(film)]
        stretches.append(measure_motion([film], clock, share, gains, maps, report))
    on_progress(MEASURING, total, total, "")
    return stretches


def _sums_of_films(films: list[list[FilmMotion]]) -> list[CouplingSums]:
    """Return the sums of each film, by regressions on all films together."""
    stretches = [each for film in films for each in film]
    held_out = predict_held_out(stretches)
    sums = iter(_sums_of_stretches(stretches, held_out))
    return [sum((next(sums) for _ in film), CouplingSums()) for film in films]


def _sums_of_stretches(stretches: list[FilmMotion], held_out: HeldOutCurves) -> list[CouplingSums]:
    counts = count_onsets(held_out.onset, stretches, held_out.threshold)
    return [
        CouplingSums(each.seconds, len(each.onsets), *count, _level_sums(each, predicted))
        for each, count, predicted in zip(stretches, counts, held_out.level_db, strict=True)
    ]


def _level_sums(each: FilmMotion, predicted: FloatArray) -> tuple[float, ...]:
    ours = predicted - FLOOR_DB
    theirs = np.maximum(each.frame_db[each.frames], FLOOR_DB) - FLOOR_DB
    parts = (ours, theirs, ours**2, theirs**2, ours * theirs)
    return (float(len(ours)), *(float(part.sum()) for part in parts))


class _CouplingTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table of a ``coupling.json``; ``key`` is the hash of what was measured together."""

    version: int
    key: str
    sums: CouplingSums


def _key(
    chosen: list[tuple[PickledFilm, float]], states: list[list[list[int]]], clock: Clock
) -> str:
    """Return a hash of the films that are measured together, and of how much of each."""
    films = [
        (film.name, round(share, 3), state)
        for (film, share), state in zip(chosen, states, strict=True)
    ]
    return hashlib.sha256(json.dumps([films, clock.sample_rate]).encode()).hexdigest()


def _load_cached(folder: Path, key: str) -> CouplingSums | None:
    try:
        table = msgspec.convert(read_json(folder / COUPLING_FILE, MAX_CACHE_BYTES), _CouplingTable)
    except (OSError, ValueError):
        return None
    return table.sums if (table.version, table.key) == (COUPLING_VERSION, key) else None


def _save_cached(folder: Path, key: str, sums: CouplingSums) -> None:
    table = {"version": COUPLING_VERSION, "key": key, "sums": asdict(sums)}
    with suppress(LibraryError), atomic_write(folder / COUPLING_FILE, LibraryError) as partial:
        partial.write_text(json.dumps(table) + "\n")
