"""``frame2sound dream``: let the sound of films go on by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Overwrite, Seed, Verbose, print_json

MODEL = "What was learned"


@command
def dream(
    library: Annotated[
        Path,
        Argument(
            metavar="LIBRARY",
            help="A library, a folder of sounds and films, or one sound or film.",
        ),
    ],
    out: Annotated[
        Path,
        Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Write this .wav, and beside it a -sources.csv of where every second came from.",
        ),
    ],
    seconds: Annotated[
        float, Option(min=1, max=3600, metavar="SECONDS", help="Make a sound of this length.")
    ] = 60.0,
    start: Annotated[
        Path | None,
        Option(
            "--from",
            metavar="SOUND|FILM",
            help="Go on from the end of this sound or film instead of from nothing.",
        ),
    ] = None,
    temperature: Annotated[
        float,
        Option(
            min=0.05,
            max=5,
            metavar="NUMBER",
            help="Draw what is likely more often below 1, which ends in loops, and less above 1.",
        ),
    ] = 1.0,
    style: Annotated[
        list[str] | None,
        Option(
            metavar="FILM=WEIGHT",
            help="Give a film this weight in the style, as rain=0.3; may be repeated.",
        ),
    ] = None,
    most_copied: Annotated[
        float | None,
        Option(
            min=0.1, metavar="SECONDS", help="Refuse runs that are copied for longer than this."
        ),
    ] = None,
    stages: Annotated[
        int,
        Option(
            min=1,
            max=8,
            metavar="NUMBER",
            help="Let so many stages of the training play in turn, from untrained to best; all if "
            "there are fewer.",
        ),
    ] = 1,
    sound: Annotated[
        Literal["mosaic", "phases"],
        Option(help="Play the films' own sound in short units, or their spectra with new phases."),
    ] = "mosaic",
    model: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Use what was learned of the same films before, and learn nothing.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    save_model: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Write what was learned to this .safetensors file; not with --model.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Let the sound of films go on by itself."""
    from frame2sound.api.dreaming import dream as make

    made = make(
        library,
        out,
        seconds=seconds,
        start=start,
        temperature=temperature,
        style=style,
        most_copied=most_copied,
        stages=stages,
        sound=sound,
        model=model,
        save_model=save_model,
        seed=seed,
        overwrite=overwrite,
        progress=True,
    )
    if as_json:
        print_json(made.to_dict())
    else:
        say_lines(made.lines())
