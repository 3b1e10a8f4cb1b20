"""``frame2sound measure``: what is wrong with a soundtrack, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from frame2sound.cli.app import app
from frame2sound.cli.cards import print_json
from frame2sound.cli.options import AllowDamaged, AsJson, Overwrite, Verbose
from frame2sound.cli.terminal import escaped, say
from frame2sound.evaluation.measure_table import MEASURES

if TYPE_CHECKING:
    from frame2sound.evaluation.media_loader import LoadedFilm
    from frame2sound.evaluation.soundtrack_evaluation import Measurements, Reference
    from frame2sound.film.drawing.scene import SceneTruth


@app.command()
def measure(
    video: Annotated[Path, typer.Argument(help="Film whose soundtrack to measure.")],
    reference: Annotated[
        Path | None, typer.Option(help="The film with its own sound, to hold it against.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="JSON beside a demo film: what happens in it.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="PNG to draw: film strip, waveform, spectrogram.")
    ] = None,
    as_json: AsJson = False,
    overwrite: Overwrite = False,
    allow_damaged: AllowDamaged = False,
    verbose: Verbose = False,
) -> None:
    """Say what is wrong with a soundtrack, in numbers."""
    from frame2sound.atomic import refuse_existing
    from frame2sound.errors import SoundtrackError
    from frame2sound.evaluation.media_loader import MediaLoader, read_truth
    from frame2sound.evaluation.soundtrack_evaluation import (
        Reference,
        measure_controls,
        measure_soundtrack,
    )

    if picture is not None:
        refuse_existing(picture, SoundtrackError, overwrite=overwrite)
    known = None if truth is None else read_truth(truth)
    with MediaLoader() as auditorium:
        film = auditorium.load_film(
            video, keep_frames=picture is not None, allow_damaged=allow_damaged
        )
        own = None
        if reference is not None:
            sound = auditorium.load_audio(reference, film.sample_rate, allow_damaged=allow_damaged)
            own = Reference(sound, film.sample_rate, film.fps)
        figures = measure_soundtrack(
            film.samples,
            film.sample_rate,
            film.fps,
            picture_seconds=film.picture_seconds,
            black_frames=film.black_frames,
            reference=own,
            truth=known,
            levels=film.levels,
        )
        blind = measure_controls(
            film.samples,
            film.sample_rate,
            film.fps,
            black_frames=film.black_frames,
            reference=own,
            truth=known,
        )
        if picture is not None:
            _draw(picture, video, film, own, known, overwrite)
        notes = list(film.warnings)
    if as_json:
        others = {name: other.to_dict() for name, other in blind.items()}
        print_json({"film": str(video), **figures.to_dict(), "baselines": others, "notes": notes})
        return
    for note in notes:
        say(f"{video}: {note}", err=True)
    for line in table(figures, blind, true=known is not None):
        say(line)
    if picture is not None:
        say(f"drawn in {picture}")


def table(
    figures: Measurements, blind: Mapping[str, Measurements], *, true: bool = False
) -> list[str]:
    """Return the lines of a table: a measure a line, what is good, and what blind sounds get.

    ``blind`` is empty where there is neither reference nor truth; ``true`` says that the truth is
    known.
    """
    rows = [["", "", "", "good", *blind]]
    missing: dict[str, list[str]] = {}
    for name, info in MEASURES.items():
        value = getattr(figures, name)
        if value is None:
            if name in figures.why and not info.row.startswith(" "):
                missing.setdefault(figures.why[name], []).append(info.row)
            continue
        good = (info.good_with_truth if true else "") or info.good
        good = good if blind or not info.needs_comparison else ""
        others = [info.format(getattr(other, name)) for other in blind.values()]
        rows.append([info.row, info.format(value), info.unit, good, *others])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = {1, *range(4, len(widths))}
    lines = [
        "  ".join(
            cell.rjust(width) if at in right else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    for why, labels in missing.items():
        lines.append(f"not measured: {', '.join(labels)} ({why})")
    return lines


def _draw(
    path: Path,
    video: Path,
    film: LoadedFilm,
    own: Reference | None,
    known: SceneTruth | None,
    overwrite: bool,
) -> None:
    from frame2sound.atomic import atomic_write
    from frame2sound.errors import SoundtrackError
    from frame2sound.evaluation.plots import plot_soundtrack

    assert film.frames is not None
    events = own.onsets if own is not None else None
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        plot_soundtrack(
            partial,
            film.samples,
            film.sample_rate,
            film.frames,
            film.black_frames.frame_times,
            escaped(video.name).replace("$", r"\$"),
            known.onsets if known is not None else events,
            None if own is None else own.samples,
        )
