"""The figures of classifiers side by side, and of the judge that is chosen of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.choice import choice_shares
from frame2sound.sorting.cross_validation import CrossValidation
from frame2sound.sorting.intervals import Score, score_with_interval
from frame2sound.sorting.labelled_windows import IntArray

FloatArray = NDArray[np.float64]

JUDGE = "judge"
"""The row of the judge: each film is judged by what is chosen without it."""


class Figures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of one classifier.

    Attributes
    ----------
    name : str
    right : Score
        Share of seconds that get their label, balanced over labels.
    random_labels : Score
        The same where films have exchanged their labels.
    films_right : int
        Films whose most probable label is theirs.
    """

    name: str
    right: Score
    random_labels: Score
    films_right: int


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Figures of all classifiers, and what guessing reaches.

    Attributes
    ----------
    figures : tuple of Figures
        The first is the judge's.
    chance : float
        The share that is right of whoever guesses, or always gives the same label.
    majority : str
        The label of most films.
    majority_films : int
        Films that have it.
    films, groups : int
        Films that were learned from, and groups of near-duplicates among them.
    known_again : Score or None
        Share of seconds of the last third of films that are most like the first two thirds of the
        same film; None if films are too short.
    known_again_chance : float
    """

    figures: tuple[Figures, ...]
    chance: float
    majority: str
    majority_films: int
    films: int
    groups: int
    known_again: Score | None = None
    known_again_chance: float = 0.0

    @property
    def judge(self) -> Figures:
        """The judge's figures."""
        return self.figures[0]


def make_report(
    validation: CrossValidation,
    controls: Sequence[CrossValidation],
    labels: Sequence[str],
    known_again: NDArray[np.float64],
) -> Report:
    """Return the figures of a cross-validation beside those of its controls.

    Parameters
    ----------
    validation, controls : CrossValidation
    labels : sequence of str
        Names of the labels.
    known_again : array (films,)
        See `frame2sound.sorting.film_likeness.known_again`.
    """
    windows = validation.windows
    groups, folds = windows.film_groups, int(validation.folds.max()) + 1
    runs = [_with_choice(run, number) for number, run in enumerate((validation, *controls))]
    counts = np.bincount(windows.film_labels, minlength=len(labels))
    measured = np.isfinite(known_again)
    again = None
    if measured.sum() > 1:
        alike = np.zeros(int(measured.sum()), np.int64)
        again = score_with_interval([(known_again[measured], alike)], groups[measured])
    return Report(
        tuple(
            Figures(
                name,
                score_with_interval(
                    [(runs[0][name].scores, windows.film_labels)], groups, folds=folds
                ),
                score_with_interval(
                    [(run[name].scores, run[name].labels) for run in runs[1:]], groups, folds=folds
                ),
                round(runs[0][name].right.sum()),
            )
            for name in runs[0]
        ),
        1 / len(labels),
        labels[int(counts.argmax())],
        int(counts.max()),
        len(groups),
        len(np.unique(groups)),
        again,
        1 / max(len(np.unique(groups[measured])), 1),
    )


class _FilmFigures(NamedTuple):
    """Scores of films, whether their answers are right, and their labels, (films,) each."""

    scores: FloatArray
    right: FloatArray
    labels: IntArray


def _with_choice(validation: CrossValidation, seed: int) -> dict[str, _FilmFigures]:
    """Return figures of the judge, chosen without each film, and of all classifiers, by name."""
    windows = validation.windows
    labels = windows.film_labels
    shares = choice_shares(validation.scores, labels, windows.film_groups, seed)
    scores, right = (
        np.stack([by_name[name] for name in validation.scores])
        for by_name in (validation.scores, validation.right)
    )
    judge = _FilmFigures((shares * scores).sum(axis=0), (shares * right).sum(axis=0), labels)
    return {JUDGE: judge} | {
        name: _FilmFigures(validation.scores[name], validation.right[name], labels)
        for name in validation.scores
    }
