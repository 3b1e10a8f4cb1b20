"""``frame2sound pickle``: films to a library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from frame2sound.cli.app import app
from frame2sound.cli.cards import print_json
from frame2sound.cli.options import (
    AllowDamaged,
    AsJson,
    AudioStream,
    Ground,
    Hardware,
    MostHours,
    MostMegapixels,
    PicturesFps,
    Verbose,
    VideoStream,
    frames_a_second,
    grey_level,
)
from frame2sound.cli.progress import Progress
from frame2sound.cli.terminal import say
from frame2sound.errors import BatchError, FilmError, LibraryError
from frame2sound.film.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from frame2sound.library.parallel import PickleOutcome


@app.command()
def pickle(
    films: Annotated[list[str], typer.Argument(help="Films with sound, to learn from.")],
    library: Annotated[str, typer.Option(help="Folder of pickled films; made if need be.")],
    sample_rate: Annotated[
        int | None, typer.Option(min=1000, max=192_000, help="Of a new library, in Hz.")
    ] = None,
    colour: Annotated[
        bool, typer.Option("--colour", help="Make a new library in colour instead of grey.")
    ] = False,
    calibration: Annotated[
        bool, typer.Option(help="Add 30 s of black and of white screen with silence.")
    ] = True,
    jobs: Annotated[int | None, typer.Option(min=1, help="Films at a time.")] = None,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Share the films out over a Ray cluster.")
    ] = None,
    video_stream: VideoStream = None,
    audio_stream: AudioStream = None,
    allow_damaged: AllowDamaged = False,
    most_megapixels: MostMegapixels = DEFAULT_LIMITS.max_megapixels,
    most_hours: MostHours = DEFAULT_LIMITS.max_hours,
    hardware: Hardware = None,
    fps: PicturesFps = None,
    ground: Ground = "black",
    export_npz: Annotated[
        Path | None, typer.Option(help="Folder for plain arrays, one .npz a film.")
    ] = None,
    export_sound: Annotated[
        Literal["pcm", "stft"], typer.Option(help="What the .npz holds of the sound.")
    ] = "pcm",
    export_fps: Annotated[str, typer.Option(help="Frames a second in the .npz.")] = "30",
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Films to a library: their frames, times and sound."""
    from frame2sound.clock import Clock
    from frame2sound.library.calibration import add_calibration_film
    from frame2sound.library.export import export_npz as export
    from frame2sound.library.parallel import pickle_films
    from frame2sound.library.pickler import PickleOptions
    from frame2sound.library.ray_backend import pickle_films_on_ray
    from frame2sound.library.remote import RemoteLibrary, locate_library
    from frame2sound.library.store import Library
    from frame2sound.library.write_lock import write_lock
    from frame2sound.storage import parse_location

    rate_of_export = frames_a_second(export_fps)
    standing = locate_library(library)
    if ray is not None and isinstance(standing, RemoteLibrary):
        raise LibraryError(
            f"got --ray and a library at {library}, expected a folder that every machine finds "
            "under the same path"
        )
    path = standing.fetch(with_media=export_npz is not None, allow_missing=True)
    shelf = Library.create(path, sample_rate, colour or None)
    limits = Limits(most_megapixels, most_hours)
    choice = PickleOptions(
        video_stream,
        audio_stream,
        allow_damaged,
        limits,
        hardware=hardware,
        fps=None if fps is None else frames_a_second(fps),
        background=grey_level(ground),
    )
    outcomes = []
    sources = [parse_location(film, FilmError) for film in films]
    with write_lock(path), Progress() as progress:
        if calibration:
            add_calibration_film(shelf)
        report = progress.show
        for outcome in (
            pickle_films(sources, shelf, choice, jobs, report)
            if ray is None
            else pickle_films_on_ray(sources, shelf, ray, choice, report)
        ):
            outcomes.append(outcome)
            standing.push()
            if not as_json:
                _tell(outcome)
            if export_npz is not None and outcome.film is not None:
                npz = export_npz / f"{outcome.film.name}.npz"
                rows, columns = export(
                    outcome.film, Clock(rate_of_export, shelf.sample_rate), npz, export_sound
                )
                say(f"  {npz}  sound {rows} x {columns}", err=as_json)
    if as_json:
        print_json({"library": library, "films": [_row(each) for each in outcomes]})
    errors = [f"  {each.error}" for each in outcomes if each.film is None]
    if errors:
        count = f"{len(errors)} of {len(outcomes)} films not pickled, the others are kept:"
        raise BatchError(count, *errors)


def _tell(outcome: PickleOutcome) -> None:
    if outcome.film is None:
        return
    state = "pickled" if outcome.is_new else "already there"
    state += ", excluded" * outcome.film.excluded
    card = outcome.film.card
    say(f"{outcome.source.name}  {state}  {outcome.film.seconds:.2f} s  {card.frames} frames")
    for note in card.notes:
        say(f"  note: {note}")


def _row(outcome: PickleOutcome) -> dict[str, Any]:
    if outcome.film is None:
        return {"film": str(outcome.source), "error": outcome.error}
    return {
        "film": str(outcome.source),
        "folder": str(outcome.film.path),
        "new": outcome.is_new,
        "excluded": outcome.film.excluded,
        "frames": outcome.film.card.frames,
        "seconds": outcome.film.seconds,
        "notes": list(outcome.film.card.notes),
    }
