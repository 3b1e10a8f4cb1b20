"""Instruments for samplers, made of the sounds of a library's films."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.library import open_library
from frame2sound.api.records import Record, count_films

if TYPE_CHECKING:
    from frame2sound.library.store import Library


@dataclass(frozen=True)
class ExportedInstrument(Record):
    """An instrument that was written.

    Attributes
    ----------
    path : Path
        The ``.sfz`` file.
    films, sounds : int
        How many it has.
    tuned : int
        Films whose sounds have pitches: each has an instrument of its own beside it.
    """

    path: Path
    films: int
    sounds: int
    tuned: int = 0

    def lines(self) -> list[str]:
        """Return one line, and one on instruments that are tuned."""
        line = f"{self.path}  {count_films(self.films)}  {self.sounds} sounds"
        tuned = f"  {count_films(self.tuned)} in tune, as FILM tuned.sfz"
        return [line, tuned] if self.tuned else [line]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "instrument": str(self.path),
            "films": self.films,
            "sounds": self.sounds,
            "tuned": self.tuned,
        }


def export_sfz(
    library: Library | str | PathLike[str], folder: str | PathLike[str]
) -> ExportedInstrument:
    """Write the sounds of a library's films, from attack to tail, as an SFZ instrument.

    Each film has a key, from C2 on in the order of names; the velocity chooses among its sounds by
    their level. A film whose sounds have pitches has an instrument of its own beside that one,
    which plays these in tune. Of long libraries it has the sounds of ten minutes, evenly spaced
    over all films.

    Parameters
    ----------
    library : Library, str or path
    folder : str or path
        A new folder, for ``instrument.sfz`` and its WAV files.

    Raises
    ------
    LibraryError, BrainError
        The library cannot be read or has no sound, or the folder exists or cannot be written.
    """
    from frame2sound.clock import Clock
    from frame2sound.library.corpus import read_corpus
    from frame2sound.rendering.export.sfz import INSTRUMENT_FILE, write_sfz

    opened = open_library(library)
    corpus = read_corpus(opened, Clock(Fraction(30), opened.sample_rate))
    size = write_sfz(Path(folder), corpus)
    path, films = Path(folder) / INSTRUMENT_FILE, len(corpus.films)
    return ExportedInstrument(path, films, size.sounds, size.tuned)
