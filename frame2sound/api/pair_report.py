"""Measuring a pair of networks, with a page to judge it by eye and ear."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.records import Record
from frame2sound.api.sound_drawing import new_file, read_pair

if TYPE_CHECKING:
    from frame2sound.progress import ProgressCallback
    from frame2sound.synaesthesia.pair import Pair


@dataclass(frozen=True)
class PairReport(Record):
    """What a pair does with sounds and drawings that it was not trained on.

    Attributes
    ----------
    path : Path
        A page with the sounds, the strokes drawn for them, and what these sing.
    measures : list of (str, float, str)
        Name, value and meaning of each measure.
    """

    path: Path
    measures: list[tuple[str, float, str]]

    def lines(self) -> list[str]:
        """Return the path, and a line for each measure."""
        rows = [f"  {name:<40} {value:7.3f}  {meaning}" for name, value, meaning in self.measures]
        return [str(self.path), *rows]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {"path": str(self.path), "measures": {name: v for name, v, _ in self.measures}}


def report_pair(
    pair: Pair | str | PathLike[str],
    out: str | PathLike[str],
    *,
    sounds: str | PathLike[str] | None = None,
    drawings: str | PathLike[str] | None = None,
    seed: int = 1,
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> PairReport:
    """Measure a pair on sounds and drawings, and write a page to judge it by eye and ear.

    Parameters
    ----------
    pair : Pair, str or path
        Networks that `train_pair` returned, or their file.
    out : str or path
        An ``.html`` file to write.
    sounds, drawings : str or path, optional
        Sounds and drawings that it was not trained on, at least 64 of each; by default notes and
        squiggles.
    seed : int
        Seed of these notes and squiggles; other than that of those trained on.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    PairReport

    Raises
    ------
    SynaesthesiaError
        A file cannot be read, there are too few, or the output exists or cannot be written.
    """
    from frame2sound.progress_bars import open_progress
    from frame2sound.synaesthesia.measured_sets import drawings_to_measure, sounds_to_measure
    from frame2sound.synaesthesia.report_page import write_report
    from frame2sound.synaesthesia.report_rows import measure_and_describe
    from frame2sound.threads import one_thread_per_operation

    networks, target = read_pair(pair), new_file(out, ".html", overwrite)
    with open_progress(progress) as on_progress, one_thread_per_operation():
        heard = sounds_to_measure(None if sounds is None else Path(sounds), seed, on_progress)
        drawn, known = drawings_to_measure(
            None if drawings is None else Path(drawings),
            seed, networks.recipe, on_progress,
        )  # fmt: skip
        rows = measure_and_describe(networks, heard, drawn, known)
        write_report(target, networks, heard, rows, overwrite=overwrite)
    return PairReport(target, rows)
