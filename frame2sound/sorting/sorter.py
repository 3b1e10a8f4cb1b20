"""Learn to sort the films of a library by their labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from frame2sound.errors import SortingError
from frame2sound.library.film_groups import group_films
from frame2sound.library.store import PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.sorting.choice import best_classifier
from frame2sound.sorting.classifier import ClassifierKind
from frame2sound.sorting.classifiers import CLASSIFIERS
from frame2sound.sorting.cross_validation import cross_validate
from frame2sound.sorting.film_likeness import known_again, learn_likeness
from frame2sound.sorting.film_windows import FilmWindows, hear_films
from frame2sound.sorting.folds import fold_count
from frame2sound.sorting.judge import Answer, Judge, JudgedFilm
from frame2sound.sorting.labelled_films import LabelledFilms, name_some
from frame2sound.sorting.labelled_windows import IntArray, LabelledWindows
from frame2sound.sorting.random_labels import DRAWS, validate_with_random_labels
from frame2sound.sorting.report import make_report
from frame2sound.sorting.window_features import SILENCE_DBFS, join_features
from frame2sound.threads import one_thread_per_operation

MIN_SECONDS = 10.0
"""Least sound of all labelled films together."""

TASK = "learning labels"


@dataclass(frozen=True, eq=False)
class SortedFilms:
    """A judge, what it says of films without a label, and what was left out.

    Attributes
    ----------
    judge : Judge
    answers : dict of str to Answer
        By name of the film.
    notes : tuple of str
        A line each.
    copies : tuple of tuples of str
        Names of films that are copies of each other, which were learned from or held out together.
    seconds : float
        Sound that was learned from.
    """

    judge: Judge
    answers: Mapping[str, Answer]
    notes: tuple[str, ...]
    copies: tuple[tuple[str, ...], ...]
    seconds: float


@dataclass(frozen=True, eq=False)
class _Material:
    """Films that can be learned from, one to one with all else."""

    films: list[PickledFilm]
    labels: list[str]
    heard: list[FilmWindows]
    groups: IntArray

    def keep(self, kept: Sequence[bool]) -> _Material:
        numbers = [number for number, is_kept in enumerate(kept) if is_kept]
        return _Material(
            [self.films[n] for n in numbers],
            [self.labels[n] for n in numbers],
            [self.heard[n] for n in numbers],
            self.groups[numbers],
        )


def sort_films(
    labelled: LabelledFilms,
    *,
    seed: int = 0,
    kinds: Mapping[str, ClassifierKind] = CLASSIFIERS,
    on_progress: ProgressCallback = ignore_progress,
) -> SortedFilms:
    """Return a judge that has learned the labels of films, and its figures.

    Parameters
    ----------
    labelled : LabelledFilms
    seed : int
        Of folds, networks and random labels.
    kinds : dict of str to ClassifierKind
        What the judge is chosen of.
    on_progress : callable
        See `ProgressCallback`.

    Raises
    ------
    SortingError
        There are not two labels with two films each, copies have different labels, or there is too
        little sound.
    LibraryError
        A film is damaged.
    """
    with one_thread_per_operation():
        material, notes = _material(labelled, on_progress)
        judge = _learn(material, kinds, seed, on_progress)
        answers = {
            film.name: judge.answer(heard.features)
            for film, heard in zip(
                labelled.unlabelled, hear_films(labelled.unlabelled, on_progress), strict=True
            )
            if len(heard.features)
        }
    copies: dict[int, list[str]] = {}
    for film, group in zip(material.films, material.groups, strict=True):
        copies.setdefault(int(group), []).append(film.name)
    return SortedFilms(
        judge,
        answers,
        tuple(notes),
        tuple(tuple(names) for names in copies.values() if len(names) > 1),
        sum(heard.seconds for heard in material.heard),
    )


def _material(
    labelled: LabelledFilms, on_progress: ProgressCallback
) -> tuple[_Material, list[str]]:
    """Return what can be learned from, and notes on what cannot."""
    notes = []
    if labelled.unknown:
        notes.append(f"not in the library, so left out: {name_some(labelled.unknown)}")
    if len(set(labelled.labels)) < 2:
        raise SortingError(
            f"got one label, {labelled.labels[0]!r}, expected two or more; label other films too"
        )
    heard = hear_films(labelled.films, on_progress)
    films = list(labelled.films)
    material = _Material(films, list(labelled.labels), heard, group_numbers(films))
    sounding = [len(each.features) > 0 for each in heard]
    if not all(sounding):
        names = [film.name for film, kept in zip(films, sounding, strict=True) if not kept]
        notes.append(
            f"without a second of sound above {SILENCE_DBFS:g} dBFS, so left out: "
            f"{name_some(names)}"
        )
        material = material.keep(sounding)
    if not material.films:
        raise SortingError(
            "all labelled films are silent or shorter than a second, expected sound to learn from; "
            "label films that have some"
        )
    _check_copies(material)
    groups_of = {
        label: {int(g) for g, each in zip(material.groups, material.labels, strict=True)
                if each == label}
        for label in sorted(set(material.labels))
    }  # fmt: skip
    single = [label for label, groups in groups_of.items() if len(groups) < 2]
    if len(groups_of) - len(single) < 2:
        raise SortingError(
            f"labels with one film, copies counted once: {name_some(single)}; expected two labels "
            "with two films each or more, to learn from one and be right about the other; "
            "pickle and label more films"
        )
    if single:
        notes.append(f"labels with one film, copies counted once, so left out: {name_some(single)}")
        material = material.keep([label not in single for label in material.labels])
    seconds = sum(each.seconds for each in material.heard)
    if seconds < MIN_SECONDS:
        raise SortingError(
            f"the labelled films have {seconds:.1f} s of sound, expected {MIN_SECONDS:g} s or "
            "more; pickle and label longer films"
        )
    return material, notes


def _check_copies(material: _Material) -> None:
    """Raise `SortingError` if films that are copies of each other have different labels."""
    first: dict[int, tuple[str, str]] = {}
    for film, label, group in zip(material.films, material.labels, material.groups, strict=True):
        name, other = first.setdefault(int(group), (film.name, label))
        if label != other:
            raise SortingError(
                f"got the label {other!r} for {name} and {label!r} for {film.name}, which is a "
                "copy of it or of a copy, expected the same; change a label, or leave one out"
            )


def group_numbers(films: list[PickledFilm]) -> IntArray:
    """Return the number of the group of copies that each film is in, (films,)."""
    number = {
        film.name: number for number, group in enumerate(group_films(films)) for film in group
    }
    return np.array([number[film.name] for film in films], np.int64)


def _learn(
    material: _Material,
    kinds: Mapping[str, ClassifierKind],
    seed: int,
    on_progress: ProgressCallback,
) -> Judge:
    labels = sorted(set(material.labels))
    heard = [each.features for each in material.heard]
    windows = LabelledWindows(
        join_features(heard),
        np.repeat(np.arange(len(heard)), [len(each) for each in heard]),
        np.array([labels.index(label) for label in material.labels], np.int64),
        material.groups,
        len(labels),
    )
    folds = fold_count(windows.film_labels, windows.film_groups)
    done, total = 0, (1 + DRAWS) * folds * len(kinds)

    def on_fit() -> None:
        nonlocal done
        done += 1
        on_progress(TASK, done, total, "")

    validation = cross_validate(windows, kinds, seed, on_fit)
    controls = validate_with_random_labels(windows, kinds, seed, on_fit)
    best = best_classifier(validation.scores, windows.film_labels)
    on_progress(TASK, total, total, best)
    rate = material.films[0].card.sample_rate
    again = known_again(material.heard, material.groups, rate)
    return Judge(
        best,
        rate,
        tuple(labels),
        tuple(
            JudgedFilm(film.name, film.card.digest, int(label), int(fold))
            for film, label, fold in zip(
                material.films, windows.film_labels, validation.folds, strict=True
            )
        ),
        kinds[best].fit(windows, seed),
        validation.fitted[best],
        learn_likeness(heard),
        make_report(validation, controls, labels, again),
    )
