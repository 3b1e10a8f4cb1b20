"""Measuring soundtracks: against the film's own sound, and against what happens in a demo film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.parameters import output_suffix
from frame2sound.api.records import Record, plain_values
from frame2sound.evaluation.measure_table import MEASURES

if TYPE_CHECKING:
    from frame2sound.evaluation.media_loader import LoadedFilm
    from frame2sound.evaluation.soundtrack_evaluation import Measurements, Reference
    from frame2sound.film.drawing.scene import SceneTruth


@dataclass(frozen=True)
class SoundtrackMeasurements(Record):
    """What was measured of a soundtrack.

    Attributes
    ----------
    film : Path
    measurements : Measurements
        Of its soundtrack.
    baselines : mapping of str to Measurements
        Of silence and of shuffled seconds, for comparison; empty without reference and truth.
    notes : tuple of str
        What should be known about how the film and the reference were read.
    has_truth : bool
        Whether the truth of a demo film was given.
    picture : Path, optional
        PNG that was drawn.
    """

    film: Path
    measurements: Measurements
    baselines: Mapping[str, Measurements]
    notes: tuple[str, ...]
    has_truth: bool = False
    picture: Path | None = None

    def __getattr__(self, name: str) -> Any:
        """Return a measure of the soundtrack by its name, such as ``onset_f``."""
        if name.startswith("_") or name == "measurements":
            raise AttributeError(name)
        return getattr(self.measurements, name)

    def lines(self) -> list[str]:
        """Return a table: a measure a line, its good values, and those of the baselines."""
        lines = table_lines(self.measurements, self.baselines, has_truth=self.has_truth)
        return lines if self.picture is None else [*lines, f"drawn in {self.picture}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the measurements as plain values; silence is at -200 dB."""
        baselines = {name: each.to_dict() for name, each in self.baselines.items()}
        values: dict[str, Any] = plain_values(
            {
                "film": str(self.film),
                **self.measurements.to_dict(),
                "baselines": baselines,
                "notes": list(self.notes),
            }
        )
        return values

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for the soundtrack and one for each baseline."""
        sounds = {str(self.film): self.measurements, **self.baselines}
        return [
            {"sound": name, **{measure: getattr(each, measure) for measure in MEASURES}}
            for name, each in sounds.items()
        ]


def measure(
    film: str | PathLike[str],
    reference: str | PathLike[str] | None = None,
    truth: str | PathLike[str] | None = None,
    picture: str | PathLike[str] | None = None,
    *,
    allow_damaged: bool = False,
    overwrite: bool = False,
) -> SoundtrackMeasurements:
    """Measure the soundtrack of a film.

    Parameters
    ----------
    film : str or path
        Film with the soundtrack.
    reference : str or path, optional
        The film with its own sound, to compare with.
    truth : str or path, optional
        JSON that was written with a demo film: what happens in it.
    picture : str or path, optional
        PNG to draw, ending in .png: frames, waveform and spectrogram.
    allow_damaged : bool
        Use what can be decoded of a damaged film.
    overwrite : bool
        Replace a ``picture`` that exists.

    Raises
    ------
    FilmError
        A film cannot be read, or has no sound.
    SoundtrackError
        The picture exists, is a file that is read, or cannot be written.
    ParameterError
        The name of the picture does not end in .png.
    """
    from frame2sound.atomic import check_writable, refuse_inputs
    from frame2sound.errors import SoundtrackError
    from frame2sound.evaluation.media_loader import MediaLoader, read_truth
    from frame2sound.evaluation.soundtrack_evaluation import (
        Reference,
        measure_controls,
        measure_soundtrack,
    )

    path, drawn = Path(film), None if picture is None else Path(picture)
    if drawn is not None:
        output_suffix("picture", drawn, (".png",))
        check_writable(drawn, SoundtrackError, overwrite=overwrite)
        inputs = [Path(each) for each in (film, reference, truth) if each is not None]
        refuse_inputs(drawn, inputs, SoundtrackError)
    known = None if truth is None else read_truth(Path(truth))
    with MediaLoader() as loader:
        loaded = loader.load_film(path, keep_frames=drawn is not None, allow_damaged=allow_damaged)
        rate, fps, own, notes = loaded.sample_rate, loaded.fps, None, list(loaded.warnings)
        if reference is not None:
            sound = loader.load_audio(Path(reference), rate, allow_damaged=allow_damaged)
            own = Reference(sound.samples, rate, fps)
            notes += [f"the reference {reference}: {note}" for note in sound.warnings]
        measurements = measure_soundtrack(
            loaded.samples,
            rate,
            fps,
            picture_seconds=loaded.picture_seconds,
            black_frames=loaded.black_frames,
            reference=own,
            truth=known,
            levels=loaded.levels,
        )
        baselines = measure_controls(
            loaded.samples,
            rate,
            fps,
            black_frames=loaded.black_frames,
            reference=own,
            truth=known,
        )
        if drawn is not None:
            _draw(drawn, path.name, loaded, own, known, overwrite)
    return SoundtrackMeasurements(
        path, measurements, baselines, tuple(notes), known is not None, drawn
    )


def table_lines(
    measurements: Measurements,
    baselines: Mapping[str, Measurements],
    *,
    has_truth: bool = False,
) -> list[str]:
    """Return the lines of a table of measures.

    ``baselines`` is empty where there is neither reference nor truth.
    """
    rows = [["", "", "", "good", *baselines]]
    missing: dict[str, list[str]] = {}
    for name, info in MEASURES.items():
        value = getattr(measurements, name)
        if value is None:
            if name in measurements.why and not info.row_label:
                missing.setdefault(measurements.why[name], []).append(info.label)
            continue
        good = (has_truth and info.good_with_truth) or info.good
        good = good if baselines or not info.needs_comparison else ""
        others = (info.format(getattr(each, name)) for each in baselines.values())
        rows.append([info.row, info.format(value), info.unit, good, *others])
    return [
        *align_columns(rows, {1, *range(4, len(rows[0]))}),
        *(f"not measured: {', '.join(labels)} ({why})" for why, labels in missing.items()),
    ]


def align_columns(rows: list[list[str]], right_aligned: set[int]) -> list[str]:
    """Return rows as lines whose columns are two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in right_aligned else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _draw(
    path: Path,
    title: str,
    film: LoadedFilm,
    reference: Reference | None,
    truth: SceneTruth | None,
    overwrite: bool,
) -> None:
    from frame2sound.atomic import atomic_write
    from frame2sound.errors import SoundtrackError
    from frame2sound.evaluation.plots import plot_soundtrack
    from frame2sound.terminal import escaped

    assert film.frames is not None
    onsets = reference.onsets if reference is not None else None
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        plot_soundtrack(
            partial,
            film.samples,
            film.sample_rate,
            film.frames,
            film.black_frames.frame_times,
            escaped(title),
            truth.onsets if truth is not None else onsets,
            None if reference is None else reference.samples,
        )
