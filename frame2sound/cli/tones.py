"""``frame2sound tones``: show and sound the tones of any tone system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Overwrite, Verbose, print_json

SOUND = "Sound"


@command
def tones(
    system: Annotated[
        str,
        Argument(
            metavar="SYSTEM",
            help='Tones: "D minor", "19-tet on A3", "13-ed3", "just 1/1 5/4 3/2 on D", '
            '"cents 0 240 480 720 960", "hz 110 220 330", "major nested in D minor", '
            '"my.scl on D3".',
        ),
    ],
    out: Annotated[
        Path | None,
        Option(
            "-o", "--out", metavar="FILE", help="Write the tones to this .wav instead of a table."
        ),
    ] = None,
    steps: Annotated[
        str | None,
        Option(
            metavar="STEPS",
            help='Take these steps, one after another: "0..12", "12..0", "0 4 7".',
            show_default="one period up, unless there are chords",
        ),
    ] = None,
    chord: Annotated[
        list[str] | None,
        Option(
            metavar="STEPS",
            help='Let these steps sound together, as "0 4 7"; may be repeated.',
        ),
    ] = None,
    seconds: Annotated[
        str,
        Option(
            metavar="SECONDS",
            help="Let each tone or chord sound so long.",
            rich_help_panel=SOUND,
        ),
    ] = "0.5",
    wave: Annotated[
        Literal["sine", "triangle", "square", "saw"],
        Option(
            help="Play this wave, with all its harmonics below half the sample rate.",
            rich_help_panel=SOUND,
        ),
    ] = "sine",
    effects: Annotated[
        str | None,
        Option(
            metavar="EFFECTS",
            help='Apply effects: "reverse, delay seconds=.3, time-stretch ratio=2".',
            rich_help_panel=SOUND,
        ),
    ] = None,
    effects_file: Annotated[
        Path | None,
        Option(metavar="FILE", help="Apply the effects of this .toml file.", rich_help_panel=SOUND),
    ] = None,
    sample_rate: Annotated[
        int,
        Option(metavar="HZ", help="Write sound of this sample rate.", rich_help_panel=SOUND),
    ] = 44_100,
    csv: Annotated[
        Path | None, Option(metavar="FILE", help="Write the table to this .csv file.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Show and play scales and chords of any tuning."""
    from frame2sound.api.tones import tones as make

    made = make(
        system,
        out,
        steps=steps,
        chord=chord,
        seconds=seconds,
        wave=wave,
        effects=effects,
        effects_file=effects_file,
        sample_rate=sample_rate,
        csv=csv,
        overwrite=overwrite,
        progress=True,
    )
    if as_json:
        print_json(made.to_dict())
    else:
        say_lines(made.lines())
