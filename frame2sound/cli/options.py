"""Options that several commands share, and printing results as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from frame2sound.terminal import say_json

READING = "Reading films"
"""Title of the group of options about reading films."""

EXPORTS = "For other programs"
"""Title of the group of options that name files for other programs."""


def _be_verbose(context: typer.Context, requested: bool) -> None:
    if requested:
        context.find_root().obj = {"verbose": True}


Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", callback=_be_verbose, help="Show tracebacks of errors.")
]
Seed = Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Seed of the random numbers.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")]
Library = Annotated[
    str, typer.Argument(metavar="LIBRARY", help="Folder or address of a library of films.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a setting of the recipe, as training.epochs=5; may be repeated.",
    ),
]
Device = Annotated[
    str,
    typer.Option(metavar="DEVICE", help="Run the network on this device: auto, cpu, cuda or mps."),
]
VideoStream = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="NUMBER",
        help="Read the video stream of this number.",
        rich_help_panel=READING,
    ),
]
AudioStream = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="NUMBER",
        help="Read the audio stream of this number.",
        rich_help_panel=READING,
    ),
]
AllowDamaged = Annotated[
    bool,
    typer.Option(
        "--allow-damaged",
        help="Use what can be decoded of a damaged film.",
        rich_help_panel=READING,
    ),
]
MaxMegapixels = Annotated[
    float,
    typer.Option(
        min=0,
        metavar="MEGAPIXELS",
        help="Refuse films with larger pictures.",
        rich_help_panel=READING,
    ),
]
MaxHours = Annotated[
    float,
    typer.Option(min=0, metavar="HOURS", help="Refuse longer films.", rich_help_panel=READING),
]
Hardware = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE",
        help="Decode video on this device: cuda, qsv, vaapi, videotoolbox...",
        rich_help_panel=READING,
    ),
]
SequenceFps = Annotated[
    str | None,
    typer.Option(
        "--fps",
        metavar="FPS",
        help="Read numbered pictures at this frame rate, as 24 or 30000/1001.",
        rich_help_panel=READING,
    ),
]
Background = Annotated[
    str,
    typer.Option(
        metavar="LEVEL",
        help="Show transparent pictures on this grey: black, grey, white or 0 to 255.",
        rich_help_panel=READING,
    ),
]
Markers = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the events to this .csv file: their times, samples, levels and sounds.",
        rich_help_panel=EXPORTS,
    ),
]
Midi = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the events to this .mid file, as notes.",
        rich_help_panel=EXPORTS,
    ),
]
Stems = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Write a .wav for each film of the corpus here; they add up to the soundtrack.",
        rich_help_panel=EXPORTS,
    ),
]
Otio = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write picture, sound or stems, and events to this OpenTimelineIO .otio file.",
        rich_help_panel=EXPORTS,
    ),
]
Reaper = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write sound or stems, and events to this Reaper .rpp project.",
        rich_help_panel=EXPORTS,
    ),
]
Waveform = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the waveform of the sound to this .dat file, for players that draw it.",
        rich_help_panel=EXPORTS,
    ),
]


def print_json(value: Any) -> None:
    """Print plain values as JSON; NaN and infinities, which JSON lacks, become null."""
    from frame2sound.api.records import plain_values

    say_json(json.dumps(plain_values(value), indent=1, ensure_ascii=False, allow_nan=False))
