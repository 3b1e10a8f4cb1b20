"""The judge: which label a sound has, and which film it is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import SortingError
from frame2sound.library.film_loudness import sound_gain_db
from frame2sound.sorting.classifier import Classifier
from frame2sound.sorting.film_likeness import FilmLikeness
from frame2sound.sorting.report import Report
from frame2sound.sorting.window_features import WindowFeatures, compute_features
from frame2sound.sorting.windows import WINDOW_SECONDS, window_samples, window_starts
from frame2sound.sound.resampler import resample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class JudgedFilm:
    """A film that a judge has learned from.

    ``digest`` is that of its file, ``label`` the number of its label, and ``fold`` says which of
    the judge's classifiers has not heard it.
    """

    name: str
    digest: str
    label: int
    fold: int


@dataclass(frozen=True, eq=False)
class Answer:
    """What a judge says of a sound.

    Attributes
    ----------
    labels : dict of str to float
        Mean probability of each label, the highest first.
    films : dict of str to float
        Share of seconds that are most like each film, the highest first; films without are left
        out.
    windows, silent_windows : int
        How many windows were heard, and how many of them were silent, which say nothing.
    """

    labels: dict[str, float]
    films: dict[str, float]
    windows: int
    silent_windows: int

    def to_dict(self) -> dict[str, object]:
        """Return the answer as plain values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Judge:
    """A classifier of windows that has learned labels, and films that it knows.

    Attributes
    ----------
    kind : str
        Name of the classifier.
    sample_rate : int
        Of the sound that it hears, in Hz.
    labels : tuple of str
    films : tuple of JudgedFilm
    classifier : Classifier
        Has heard all these films.
    by_fold : tuple of Classifier
        Each has heard all but the films of its fold, of which it can be asked without bias.
    likeness : FilmLikeness
    report : Report
    """

    kind: str
    sample_rate: int
    labels: tuple[str, ...]
    films: tuple[JudgedFilm, ...]
    classifier: Classifier
    by_fold: tuple[Classifier, ...]
    likeness: FilmLikeness
    report: Report

    def hear(self, samples: NDArray[np.float32], sample_rate: int) -> Answer:
        """Return what it says of a mono sound, ``(n,)``, at any sample rate.

        Raises
        ------
        SortingError
            The sound is shorter than a second, or silent.
        """
        sound = self.resampled(samples, sample_rate)
        starts = window_starts(0, len(sound), self.sample_rate)
        if not len(starts):
            raise SortingError(
                f"got {len(sound) / self.sample_rate:.2f} s of sound, expected "
                f"{WINDOW_SECONDS:g} s or more; give a longer sound"
            )
        gain_db = sound_gain_db(sound, self.sample_rate)
        features, silent = compute_features(sound, starts, self.sample_rate, gain_db)
        if silent.all():
            raise SortingError("got silence, expected a sound to judge; give another sound")
        return self.answer(features.select(~silent), int(silent.sum()))

    def answer(self, features: WindowFeatures, silent_windows: int = 0) -> Answer:
        """Return what it says of windows that are not silent."""
        probabilities = self.classifier.probabilities(features).mean(axis=0)
        votes = self.likeness.votes(features)
        names = [film.name for film in self.films]
        films = {name: share for name, share in _ranked(names, votes).items() if share > 0}
        total = len(features) + silent_windows
        return Answer(_ranked(self.labels, probabilities), films, total, silent_windows)

    def find_film(self, digest: str) -> JudgedFilm | None:
        """Return the film with this digest, or None if it has not learned from it."""
        return next((film for film in self.films if film.digest == digest), None)

    def label_probabilities(
        self, samples: NDArray[np.float32], sample_rate: int, film: JudgedFilm
    ) -> tuple[FloatArray, FloatArray]:
        """Return how probable a film's label is in a soundtrack of it, over time.

        The classifier is one that has not heard the film. Silence has the probability of chance.

        Returns
        -------
        seconds, probabilities : arrays (windows,)
            The windows' middles, and the probability of the film's label in each.
        """
        sound = self.resampled(samples, sample_rate)
        starts = window_starts(0, len(sound), self.sample_rate)
        gain_db = sound_gain_db(sound, self.sample_rate)
        features, silent = compute_features(sound, starts, self.sample_rate, gain_db)
        probabilities = np.full(len(starts), 1 / len(self.labels))
        if not silent.all():
            asked = self.by_fold[film.fold].probabilities(features.select(~silent))
            probabilities[~silent] = asked[:, film.label]
        seconds = (starts + window_samples(self.sample_rate) / 2) / self.sample_rate
        return seconds, probabilities

    def resampled(self, samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """Return a sound at the judge's sample rate."""
        sound = np.asarray(samples, np.float32)
        if sample_rate == self.sample_rate:
            return sound
        count = round(len(sound) * self.sample_rate / sample_rate)
        blocks = resample([sound], (sample_rate, self.sample_rate), 0, 0, count)
        return np.concatenate([np.zeros(0, np.float32), *blocks])


def _ranked(names: Sequence[str], shares: FloatArray) -> dict[str, float]:
    order = np.argsort(-shares, kind="stable")
    return {names[number]: float(shares[number]) for number in order}
