"""Names of files for things whose names come from strangers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from frame2sound.atomic import MAX_NAME_BYTES, truncate_name


def safe_file_names(names: Iterable[str], suffix: str = "", fallback: str = "film") -> list[str]:
    """Return a name of a file for each name, safe on every file system.

    They hold letters, digits, spaces, dots, hyphens and underscores, and differ also where letter
    case does not count.

    >>> safe_file_names(["../a", "b", "B", "?"], ".wav")
    ['_a.wav', 'b.wav', 'B 2.wav', '_.wav']
    """
    taken: set[str] = set()
    files = []
    for name in names:
        stem = truncate_name(re.sub(r"[^\w .-]", "_", name).strip(" ."), MAX_NAME_BYTES - 20)
        stem, number = stem or fallback, 1
        while (file := stem + ("" if number == 1 else f" {number}")).casefold() in taken:
            number += 1
        taken.add(file.casefold())
        files.append(f"{file}{suffix}")
    return files
