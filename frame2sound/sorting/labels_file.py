"""Read the labels of films from a CSV file."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from frame2sound.errors import SortingError
from frame2sound.untrusted import one_line_reason, read_text

MAX_LABELS_BYTES = 1 << 22
"""Largest file of labels."""

MAX_LABELS, MAX_LABEL_LENGTH = 100, 100
"""Most labels of a library, and the most characters of one."""

HEADER = ["film", "label"]

_DELIMITERS = ",;\t"

_EXAMPLE = "the header film,label and a line such as my-film.mp4,drums for each film"


@dataclass(frozen=True)
class FilmLabel:
    """A line of a file of labels: which film, which label, and the number of the line."""

    film: str
    label: str
    line: int


def read_labels(path: Path) -> list[FilmLabel]:
    """Return the labels in a CSV file with the columns ``film`` and ``label``.

    Commas, semicolons or tabs separate the columns, as the header does. A byte order mark and
    empty lines are ignored.

    Raises
    ------
    SortingError
        The file cannot be read, is no such table, or holds no labels or too many.
    """
    try:
        text = read_text(path, MAX_LABELS_BYTES, follow_links=True).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise SortingError(f"{path} is not UTF-8 text, expected {_EXAMPLE}; save it so") from error
    except (OSError, ValueError) as error:
        raise SortingError(
            f"{path} cannot be read ({one_line_reason(error)}); give a CSV file as `labels`"
        ) from error
    if not text.strip():
        raise SortingError(f"{path} is empty, expected {_EXAMPLE}")
    labels = _parse(path, text)
    if not labels:
        raise SortingError(f"{path} has a header but no labels, expected {_EXAMPLE}")
    count = len({each.label for each in labels})
    if count > MAX_LABELS:
        raise SortingError(f"{path} has {count} labels, expected at most {MAX_LABELS}; use fewer")
    return labels


def _parse(path: Path, text: str) -> list[FilmLabel]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    labels = []
    try:
        for number, row in enumerate(rows):
            cells = [cell.strip() for cell in row]
            if number == 0:
                _check_header(path, cells)
            elif any(cells):
                labels.append(_film_label(path, cells, rows.line_num))
    except csv.Error as error:
        raise SortingError(
            f"{path}, line {rows.line_num} is not CSV ({error}), expected {_EXAMPLE}"
        ) from error
    return labels


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return next((each for each in _DELIMITERS if each in header), ",")


def _check_header(path: Path, cells: list[str]) -> None:
    if [cell.lower() for cell in cells] != HEADER:
        raise SortingError(f"{path} begins with {','.join(cells)[:60]!r}, expected {_EXAMPLE}")


def _film_label(path: Path, cells: list[str], line: int) -> FilmLabel:
    if len(cells) != 2 or not all(cells):
        raise SortingError(
            f"{path}, line {line} has {','.join(cells)[:60]!r}, expected a film and a label; "
            "put names with commas in double quotes"
        )
    film, label = cells
    if len(label) > MAX_LABEL_LENGTH or not label.isprintable():
        raise SortingError(
            f"{path}, line {line} has the label {label[:30]!r}..., expected at most "
            f"{MAX_LABEL_LENGTH} printable characters; shorten it"
        )
    return FilmLabel(film, label, line)
