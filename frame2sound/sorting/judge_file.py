"""The file of a judge: a .safetensors with its arrays, and the rest as JSON in its header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from frame2sound.atomic import atomic_write
from frame2sound.described_tensors import Arrays, TensorFileKind
from frame2sound.errors import SortingError
from frame2sound.sorting.classifier import Classifier, check_shapes
from frame2sound.sorting.classifiers import CLASSIFIERS
from frame2sound.sorting.film_likeness import WINDOWS_PER_FILM, FilmLikeness
from frame2sound.sorting.folds import MAX_FOLDS
from frame2sound.sorting.judge import Judge, JudgedFilm
from frame2sound.sorting.labels_file import MAX_LABEL_LENGTH, MAX_LABELS
from frame2sound.sorting.report import Report
from frame2sound.sorting.scaling import MIN_DEVIATION, Scaling
from frame2sound.sorting.window_features import SUMMARY_LENGTH
from frame2sound.untrusted import one_line_reason

JUDGE_VERSION = 1

METADATA_KEY = "frame2sound.judge"
"""The header entry that holds the judge's description."""

MAX_JUDGE_BYTES = 128 << 20
"""Largest file of a judge; one of a hundred films has about a megabyte."""

MAX_FILMS = 20_000

MAX_VALUE = 1e6
"""Largest value of an array: what is learned from scaled features is far below."""

_KIND = TensorFileKind(
    "a judge",
    METADATA_KEY,
    JUDGE_VERSION,
    "expected a .safetensors file made by: frame2sound sort",
    SortingError,
)

_REMEDY = "copy it again, or make it again with: frame2sound sort"

_Index = Annotated[int, Meta(ge=0, lt=MAX_FILMS)]


class _Film(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=1000)]
    digest: Annotated[str, Meta(max_length=200)]
    label: _Index
    fold: _Index


class _Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON in a judge's header."""

    version: int
    kind: str
    sample_rate: Annotated[int, Meta(ge=1000, le=192_000)]
    labels: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=MAX_LABEL_LENGTH)]],
        Meta(min_length=2, max_length=MAX_LABELS),
    ]
    films: Annotated[list[_Film], Meta(min_length=2, max_length=MAX_FILMS)]
    folds: Annotated[int, Meta(ge=2, le=MAX_FOLDS)]
    report: Report


def save_judge(judge: Judge, path: Path, *, overwrite: bool = True) -> None:
    """Write a judge; the file appears complete or not at all."""
    description = {
        "version": JUDGE_VERSION,
        "kind": judge.kind,
        "sample_rate": judge.sample_rate,
        "labels": list(judge.labels),
        "films": msgspec.to_builtins(judge.films),
        "folds": len(judge.by_fold),
        "report": msgspec.to_builtins(judge.report),
    }
    data = save(_arrays(judge), {METADATA_KEY: json.dumps(description)})
    with atomic_write(path, SortingError, overwrite=overwrite) as partial:
        partial.write_bytes(data)


def load_judge(path: Path) -> Judge:
    """Return the judge in a file; no code in the file is run.

    Raises
    ------
    SortingError
        The file is missing, damaged, too large, of another kind, or from a newer version.
    """
    _KIND.refuse_others(path)
    _refuse_large(path)
    try:
        with safe_open(path, "np") as file:
            description = _KIND.read_description(path, file, _Description)
            arrays = {name: _read_array(path, file, name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError, TypeError) as error:
        raise SortingError(
            f"{path} is cut short or not a judge ({one_line_reason(error)}); {_REMEDY}"
        ) from error
    try:
        return _build(description, arrays)
    except ValueError as error:
        raise SortingError(f"{path} is damaged ({one_line_reason(error)}); {_REMEDY}") from error


def _arrays(judge: Judge) -> Arrays:
    arrays: Arrays = {f"all.{name}": each for name, each in judge.classifier.arrays().items()}
    for fold, classifier in enumerate(judge.by_fold):
        arrays |= {f"fold{fold}.{name}": each for name, each in classifier.arrays().items()}
    likeness = judge.likeness
    arrays |= {
        "films.mean": likeness.scaling.mean,
        "films.deviation": likeness.scaling.deviation,
        "films.stored": likeness.stored,
        "films.number": likeness.films.astype(np.int32),
    }
    return {name: np.ascontiguousarray(each) for name, each in arrays.items()}


def _build(description: _Description, arrays: Mapping[str, NDArray[Any]]) -> Judge:
    if description.kind not in CLASSIFIERS:
        raise ValueError(f"unknown classifier {description.kind[:60]!r}")
    labels, films = description.labels, description.films
    if any(film.label >= len(labels) or film.fold >= description.folds for film in films):
        raise ValueError("a film has a label or a fold that is not there")
    if len(set(labels)) < len(labels):
        raise ValueError("a label is there twice")
    parts: dict[str, Arrays] = {}
    for name, array in arrays.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = array
    folds = [f"fold{fold}" for fold in range(description.folds)]
    if parts.keys() != {"all", "films", *folds}:
        raise ValueError("parts are missing or unknown")
    load = CLASSIFIERS[description.kind].load
    classifiers: list[Classifier] = [load(parts[name], len(labels)) for name in ("all", *folds)]
    return Judge(
        description.kind,
        description.sample_rate,
        tuple(labels),
        tuple(JudgedFilm(film.name, film.digest, film.label, film.fold) for film in films),
        classifiers[0],
        tuple(classifiers[1:]),
        _likeness(parts["films"], len(films)),
        description.report,
    )


def _likeness(arrays: Arrays, film_count: int) -> FilmLikeness:
    expected = {
        "mean": (SUMMARY_LENGTH,),
        "deviation": (SUMMARY_LENGTH,),
        "stored": (-1, SUMMARY_LENGTH),
        "number": (-1,),
    }
    check_shapes(arrays, expected)
    stored, numbers = arrays["stored"], arrays["number"].astype(np.int64)
    if not 1 <= len(stored) == len(numbers) <= WINDOWS_PER_FILM * film_count:
        raise ValueError("the numbers of stored windows and of films differ")
    if numbers.min() < 0 or numbers.max() >= film_count:
        raise ValueError("a stored window is of a film that is not there")
    return FilmLikeness(Scaling(arrays["mean"], arrays["deviation"]), stored, numbers, film_count)


def _read_array(path: Path, file: Any, name: str) -> NDArray[Any]:
    kind = "I32" if name == "films.number" else "F32"
    got = file.get_slice(name).get_dtype()
    if got != kind:
        raise SortingError(f"{path}: array {name[:60]} is {got}, expected {kind}; {_REMEDY}")
    array: NDArray[Any] = file.get_tensor(name)
    if not np.isfinite(array).all():
        raise SortingError(f"{path}: array {name[:60]} is not finite; {_REMEDY}")
    if np.abs(array).max(initial=0) > MAX_VALUE:
        raise SortingError(f"{path}: array {name[:60]} is above {MAX_VALUE:g}; {_REMEDY}")
    if name.endswith(".deviation") and not (array >= MIN_DEVIATION).all():
        raise SortingError(f"{path}: array {name[:60]} is below {MIN_DEVIATION:g}; {_REMEDY}")
    return array


def _refuse_large(path: Path) -> None:
    size = path.stat().st_size
    if size > MAX_JUDGE_BYTES:
        raise SortingError(
            f"{path} has {size} bytes, expected at most {MAX_JUDGE_BYTES}; {_KIND.expected}"
        )
