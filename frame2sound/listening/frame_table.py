"""The table of frames: a row a frame, a column a number."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import numpy as np

from frame2sound.listening.cepstrum import COEFFICIENTS
from frame2sound.listening.chroma import PITCH_CLASSES
from frame2sound.listening.listener import SCALARS, FrameRows
from frame2sound.terminal import escaped
from frame2sound.untrusted import escape_formula

COLUMNS = (
    "sound",
    "seconds",
    *SCALARS,
    *(f"mfcc_{number}" for number in range(COEFFICIENTS)),
    *(f"chroma_{name}" for name in PITCH_CLASSES),
)
"""Names of the columns; each has the unit that its name ends in, and MFCC are in dB."""


class FrameTable:
    """Writes the table of frames as CSV with six digits; what is not known is left empty."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    @contextmanager
    def whole_sound(self) -> Iterator[None]:
        """Drop the rows that are written within, unless all of them could be."""
        begin = self._file.tell()
        try:
            yield
        except BaseException:
            self._file.seek(begin)
            self._file.truncate()
            raise

    def write(self, name: str, rows: FrameRows) -> None:
        """Write the next frames of a sound."""
        of = rows.features
        scalars = [getattr(of, column) for column in SCALARS[:-1]]
        table = np.column_stack([of.seconds, *scalars, rows.pitch_hz, of.mfcc, of.chroma])
        for line in table.tolist():
            cells = ("" if value != value else f"{value:.6g}" for value in line)
            self._writer.writerow([escape_formula(escaped(name)), *cells])
