"""Sorting films by their sound: learning labels, and asking the judge that has learned them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.measuring import align_columns
from frame2sound.api.parameters import whole_number
from frame2sound.api.records import Record, plain_values

if TYPE_CHECKING:
    from frame2sound.library.store import Library
    from frame2sound.progress import ProgressCallback
    from frame2sound.sorting.intervals import Score
    from frame2sound.sorting.judge import Answer, Judge
    from frame2sound.sorting.report import Figures, Report

RIGHT = "right: of the seconds of each label, the share that gets it, averaged over labels"

LIMITS = (
    "it hears how seconds sound, not what is said or played; it gives one of its labels to any "
    "sound, and may go by the place or the microphone if the films of a label share one"
)
"""What a judge cannot tell."""


@dataclass(frozen=True)
class SortResult(Record):
    """What was learned from labelled films, and what it says of those without a label.

    Attributes
    ----------
    path : Path
        File of the judge.
    judge : Judge
    answers : dict of str to Answer
        What it says of films that have no label, by their names.
    notes : tuple of str
        What was left out, a line each.
    copies : tuple of tuples of str
        Films that are copies of each other, which were learned from or held out together.
    seconds : float
        Sound that was learned from.
    """

    path: Path
    judge: Judge
    answers: Mapping[str, Answer]
    notes: tuple[str, ...]
    copies: tuple[tuple[str, ...], ...]
    seconds: float

    @property
    def report(self) -> Report:
        """The figures of all classifiers."""
        return self.judge.report

    def lines(self) -> list[str]:
        """Return the figures of each classifier beside guessing, and what they mean."""
        report = self.report
        head = (
            f"{report.films} films, {len(self.judge.labels)} labels, {self.seconds:.0f} s of "
            "sound; each film is judged by classifiers that have not heard it"
        )
        return [
            head,
            *(f"copies, kept together: {', '.join(names)}" for names in self.copies),
            *self._table(),
            RIGHT,
            *self._known_again(),
            f"{self.path}  a judge: {self.judge.kind}, chosen of {len(report.figures) - 1}",
            self.verdict(),
            LIMITS,
            *(describe_answer(name, answer) for name, answer in self.answers.items()),
        ]

    def verdict(self) -> str:
        """Return in a sentence whether the judge is better than guessing."""
        judge, chance = self.report.judge, self.report.chance
        found = f"right {judge.right.value:.2f}, where guessing gets {chance:.2f}"
        if judge.right.low > max(chance, judge.random_labels.value):
            return f"the judge tells these labels apart better than guessing: {found}"
        return f"the judge cannot be told from guessing: {found}; label more films"

    def to_dict(self) -> dict[str, Any]:
        """Return the figures and the answers as plain values."""
        from msgspec import to_builtins

        values: dict[str, Any] = plain_values(
            {
                "judge": str(self.path),
                "kind": self.judge.kind,
                "labels": list(self.judge.labels),
                "seconds": self.seconds,
                **to_builtins(self.report),
                "copies": [list(names) for names in self.copies],
                "unlabelled": {name: answer.to_dict() for name, answer in self.answers.items()},
                "notes": list(self.notes),
            }
        )
        return values

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each classifier."""
        return [
            {
                "classifier": each.name,
                "right": each.right.value,
                "low": each.right.low,
                "high": each.right.high,
                "random_labels": each.random_labels.value,
                "films_right": each.films_right,
            }
            for each in self.report.figures
        ]

    def _table(self) -> list[str]:
        report = self.report
        rows = [["", "right", "95 % interval", "with random labels", "films right"]]
        rows += [_row(each, report) for each in report.figures]
        count = f"{report.majority_films} of {report.films}"
        rows.append([f"always {report.majority!r}", f"{report.chance:.2f}", "", "", count])
        rows.append(["chance", f"{report.chance:.2f}", "", "", ""])
        return align_columns(rows, {1, 4})

    def _known_again(self) -> list[str]:
        again = self.report.known_again
        if again is None:
            return []
        return [
            f"films known again by their last third: {_with_interval(again)}, "
            f"chance {self.report.known_again_chance:.2f}"
        ]


def sort(
    library: Library | str | PathLike[str],
    labels: str | PathLike[str],
    out: str | PathLike[str],
    *,
    seed: int = 0,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> SortResult:
    """Learn labels of films by their sound, and write the judge that has learned them.

    Five classifiers of windows of a second are compared by cross-validation: whole films are held
    out, and copies of a film together. The best becomes the judge.

    Parameters
    ----------
    library : Library, str or path
        Library, its folder, or its address.
    labels : str or path
        CSV file with the columns ``film`` and ``label``. A film is named by its name in the
        library, the beginning of it, or the name of its file. Each label needs two films.
    out : str or path
        ``.safetensors`` file to write.
    seed : int
        Of the random numbers.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows progress bars; see `ProgressCallback`.

    Raises
    ------
    SortingError
        The labels cannot be read or learned from, or the output exists or cannot be written.
    LibraryError
        The library cannot be read.
    """
    from frame2sound.api.library import open_library
    from frame2sound.atomic import check_writable
    from frame2sound.errors import SortingError
    from frame2sound.progress_bars import open_progress
    from frame2sound.sorting.judge_file import save_judge
    from frame2sound.sorting.labelled_films import match_labels
    from frame2sound.sorting.labels_file import read_labels
    from frame2sound.sorting.sorter import sort_films

    whole_number("seed", seed, 0)
    path, table = Path(out), Path(labels)
    if path.suffix != ".safetensors":
        raise SortingError(f"got `out={path}`, expected a name that ends with .safetensors")
    check_writable(path, SortingError, overwrite=overwrite)
    labelled = match_labels(open_library(library), read_labels(table), table)
    with open_progress(progress) as on_progress:
        found = sort_films(labelled, seed=seed, on_progress=on_progress)
    save_judge(found.judge, path, overwrite=overwrite)
    return SortResult(path, found.judge, found.answers, found.notes, found.copies, found.seconds)


def load_judge(path: str | PathLike[str]) -> Judge:
    """Return the judge in a file that `sort` wrote; nothing in the file is run.

    Raises
    ------
    SortingError
        The file is missing, damaged, too large, or of another kind.
    """
    from frame2sound.sorting.judge_file import load_judge as load

    return load(Path(path))


def describe_answer(name: str, answer: Answer) -> str:
    """Return in a line what a judge says of a sound: the two likeliest labels and films."""
    labels, films = (
        ", ".join(f"{each} {share:.2f}" for each, share in list(shares.items())[:2])
        for shares in (answer.labels, answer.films)
    )
    return f"{name}  sounds like {labels}; most like {films}"


def _row(figures: Figures, report: Report) -> list[str]:
    right = figures.right
    return [
        figures.name,
        f"{right.value:.2f}",
        f"{right.low:.2f} to {right.high:.2f}",
        _with_interval(figures.random_labels),
        f"{figures.films_right} of {report.films}",
    ]


def _with_interval(score: Score) -> str:
    return f"{score.value:.2f} ({score.low:.2f} to {score.high:.2f})"
