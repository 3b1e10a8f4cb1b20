"""Labels are read from the tables that spreadsheets write, and all else is refused in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from frame2sound.errors import SortingError
from frame2sound.sorting.labels_file import FilmLabel, read_labels

EXPECTED = [FilmLabel("a.mp4", "drums", 2), FilmLabel("b, c.mp4", "dogs", 3)]


@pytest.mark.parametrize(
    "text",
    [
        'film,label\na.mp4,drums\n"b, c.mp4",dogs\n',
        '\ufefffilm,label\r\na.mp4,drums\r\n"b, c.mp4",dogs\r\n',
        "Film;Label\na.mp4; drums\nb, c.mp4;dogs",
        "film\tlabel\na.mp4\tdrums\nb, c.mp4\tdogs\n\n",
    ],
)
def test_tables_of_spreadsheets_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert read_labels(path) == EXPECTED


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty, expected the header film,label"),
        (b"\xef\xbb\xbf\n", "is empty"),
        (b"film,label\n", "has a header but no labels"),
        (b"name,class\na,b\n", "begins with 'name,class', expected the header film,label"),
        (b"a.mp4,drums\n", "begins with 'a.mp4,drums'"),
        (b"film,label\na,b,c\n", "line 2 has 'a,b,c', expected a film and a label"),
        (b"film,label\na,\n", "line 2 has 'a,', expected a film and a label"),
        (b"film,label\na," + b"b" * 200, "expected at most 100 printable characters"),
        (b"film,label\na,b\x1b[31m\n", "printable"),
        (b"film,label\n\xff,b\n", "is not UTF-8 text"),
        (b"film,label\n" + b"".join(b"f%d,l%d\n" % (n, n) for n in range(101)), "has 101 labels"),
        (b'film,label\na,"b\n', "is not CSV"),
        (b'"name\n",class\na,b\n', "begins with 'name,class'"),
        (b"film,label\n" + b"x" * 200_000, "is not CSV"),
        (b"x" * (5 << 20), "cannot be read"),
    ],
)
def test_what_is_no_table_of_labels_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(data)
    with pytest.raises(SortingError, match=message) as refused:
        read_labels(path)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(SortingError, match="cannot be read"):
            read_labels(path)
