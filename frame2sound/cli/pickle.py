"""``frame2sound pickle``: films to a library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import (
    AllowDamaged,
    AsJson,
    AudioStream,
    Background,
    Hardware,
    MaxHours,
    MaxMegapixels,
    SequenceFps,
    Verbose,
    VideoStream,
    print_json,
)
from frame2sound.film.limits import DEFAULT_LIMITS
from frame2sound.library.folders import DEFAULT_FULL_RATE
from frame2sound.terminal import say

if TYPE_CHECKING:
    from frame2sound.api.library_records import AddedFilm

LIBRARY, EXPORT = "The library", "Exporting arrays"


@command
def pickle(
    films: Annotated[
        list[str], Argument(metavar="FILM", help="Add these films, which have sound.")
    ],
    library: Annotated[
        str,
        Option(
            metavar="FOLDER",
            help="Add the films to this library; it is created if there is none.",
            rich_help_panel=LIBRARY,
        ),
    ],
    sample_rate: Annotated[
        int | None,
        Option(
            min=1000,
            max=192_000,
            metavar="HZ",
            help="Create a new library with this sample rate.",
            show_default="22050",
            rich_help_panel=LIBRARY,
        ),
    ] = None,
    full_rate: Annotated[
        int,
        Option(
            min=0,
            max=192_000,
            metavar="HZ",
            help="Keep the sound as it is heard at up to this rate; 0 does not keep it.",
            rich_help_panel=LIBRARY,
        ),
    ] = DEFAULT_FULL_RATE,
    colour: Annotated[
        bool,
        Option(
            "--colour",
            help="Create a new library in colour instead of grey.",
            rich_help_panel=LIBRARY,
        ),
    ] = False,
    calibration: Annotated[
        bool,
        Option(help="Add 30 s of black and of white screen with silence.", rich_help_panel=LIBRARY),
    ] = True,
    jobs: Annotated[
        int | None,
        Option(
            min=1,
            metavar="NUMBER",
            help="Read this many films at a time.",
            show_default="one per processor",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        Option(metavar="ADDRESS", help="Distribute the films over the Ray cluster there."),
    ] = None,
    video_stream: VideoStream = None,
    audio_stream: AudioStream = None,
    allow_damaged: AllowDamaged = False,
    max_megapixels: MaxMegapixels = DEFAULT_LIMITS.max_megapixels,
    max_hours: MaxHours = DEFAULT_LIMITS.max_hours,
    hardware: Hardware = None,
    fps: SequenceFps = None,
    background: Background = "black",
    export_npz: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Write plain arrays here as well, one .npz per film.",
            rich_help_panel=EXPORT,
        ),
    ] = None,
    export_sound: Annotated[
        Literal["pcm", "stft"],
        Option(help="Export samples, or their Fourier transform.", rich_help_panel=EXPORT),
    ] = "pcm",
    export_fps: Annotated[
        str,
        Option(metavar="FPS", help="Export at this frame rate.", rich_help_panel=EXPORT),
    ] = "30",
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Add films to a library (also: prepare)."""
    from frame2sound.api.library import Library
    from frame2sound.api.parameters import frame_rate

    export_rate = frame_rate("export_fps", export_fps)
    opened = Library.create(library, sample_rate, colour or None, with_media=export_npz is not None)
    results: list[AddedFilm] = []

    def show(result: AddedFilm) -> None:
        results.append(result)
        if result.film is None:
            return
        if not as_json:
            say_lines(result.lines())
        if export_npz is not None:
            path = export_npz / f"{result.film.name}.npz"
            exported = opened.export_npz(result.film, path, export_sound, export_rate)
            say(f"  {exported.lines()[0]}", err=as_json)

    try:
        opened.add_films(
            films,
            full_rate=full_rate,
            calibration=calibration,
            jobs=jobs,
            ray=ray,
            video_stream=video_stream,
            audio_stream=audio_stream,
            allow_damaged=allow_damaged,
            max_megapixels=max_megapixels,
            max_hours=max_hours,
            hardware=hardware,
            fps=fps,
            background=background,
            progress=True,
            on_result=show,
        )
    finally:
        if as_json and results:
            print_json({"library": library, "films": [each.to_dict() for each in results]})
