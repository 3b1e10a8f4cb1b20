"""``frame2sound synaesthesia``: sounds to drawings and back, by networks without pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

from frame2sound.cli.app import Command, app, say_lines
from frame2sound.cli.options import Device, Overwrite, Seed, Verbose
from frame2sound.terminal import say

group = typer.Typer(no_args_is_help=True, help="Draw sounds, and make drawings sound.")
app.add_typer(group, name="synaesthesia")

Folder = Annotated[Path, Argument(metavar="FOLDER", help="A new folder.")]
Count = Annotated[int, Option(min=1, metavar="NUMBER", help="Make so many.")]
PairFile = Annotated[
    Path, Option("--pair", metavar="FILE", help="The .safetensors file that train wrote.")
]


@group.command(cls=Command)
def notes(folder: Folder, count: Count = 1024, seed: Seed = 0, verbose: Verbose = False) -> None:
    """Play notes to learn from, a .wav each."""
    from frame2sound.api.synaesthesia import make_notes

    say_lines(make_notes(folder, count=count, seed=seed, progress=True).lines())


@group.command(cls=Command)
def squiggles(
    folder: Folder,
    count: Count = 1024,
    seed: Seed = 0,
    verbose: Verbose = False,
) -> None:
    """Draw squiggles to learn from, an .svg each."""
    from frame2sound.api.synaesthesia import make_squiggles

    say_lines(make_squiggles(folder, count=count, seed=seed, progress=True).lines())


@group.command(cls=Command)
def train(
    sounds: Annotated[
        Path, Argument(metavar="SOUNDS", help="A folder of sounds or films, or one of them.")
    ],
    drawings: Annotated[
        Path,
        Argument(metavar="DRAWINGS", help="A folder of .svg or .png files, or a film of drawings."),
    ],
    out: Annotated[
        Path, Option("-o", "--out", metavar="FILE", help="Write the networks to this .safetensors.")
    ] = Path("pair.safetensors"),
    recipe: Annotated[
        str, Option(metavar="RECIPE", help="Name of a recipe, or a .toml file.")
    ] = "strokes",
    pairing: Annotated[
        str | None,
        Option(
            metavar="PAIRING",
            help='Ask what follows what: "loudness=size, brightness=-spikiness"; "" asks for '
            "nothing.",
            show_default="that of the recipe",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change a setting of the recipe, as training.steps=200; may be repeated.",
        ),
    ] = None,
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Train networks between sounds and drawings."""
    from frame2sound.api.synaesthesia import train_pair

    learned = train_pair(
        sounds,
        drawings,
        out,
        recipe=recipe,
        pairing=pairing,
        settings=settings or (),
        seed=seed,
        device=device,
        overwrite=overwrite,
        progress=True,
    ).training
    say(
        f"{out}  learned {learned.sounds} sounds and {learned.drawings} drawings in "
        f"{learned.seconds:.0f} s"
    )


@group.command(cls=Command)
def draw(
    sounds: Annotated[
        list[Path],
        Argument(
            metavar="SOUND",
            help="A sound, or a film with sound; several, as stems, are a stroke each.",
        ),
    ],
    pair: PairFile,
    out: Annotated[
        Path,
        Option(
            "-o",
            "--out",
            metavar="OUT",
            help="Write a film (.mp4, .mkv, .mov), a still of one second (.svg, .png), or a new "
            "folder with an SVG a frame.",
        ),
    ],
    fps: Annotated[
        str, Option(metavar="FPS", help="Draw so many frames a second, as 24 or 30000/1001.")
    ] = "25",
    size: Annotated[
        int, Option(metavar="PIXELS", help="Draw pictures of this width and height.")
    ] = 512,
    voices: Annotated[
        int,
        Option(min=1, max=12, metavar="NUMBER", help="Draw so many bands by themselves."),
    ] = 1,
    smoothing: Annotated[
        float,
        Option(min=0, max=5, metavar="SECONDS", help="Smooth the strokes of films over this time."),
    ] = 0.1,
    at: Annotated[
        str | None,
        Option(
            metavar="SECONDS",
            help="Draw the second around this time as a still.",
            show_default="the loudest second",
        ),
    ] = None,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Draw a sound as a film or a still."""
    from frame2sound.api.sound_drawing import draw_sound

    made = draw_sound(
        sounds,
        out,
        pair=pair,
        fps=fps,
        size=size,
        voices=voices,
        smoothing_seconds=smoothing,
        at_seconds=at,
        overwrite=overwrite,
        progress=True,
    )
    say_lines(made.lines())


@group.command(cls=Command)
def sing(
    drawing: Annotated[
        Path,
        Argument(
            metavar="DRAWING",
            help="An .svg, a picture, a folder of them, or a film of drawings.",
        ),
    ],
    pair: PairFile,
    out: Annotated[Path, Option("-o", "--out", metavar="FILE", help="Write this .wav.")],
    by: Annotated[
        Literal["mosaic", "phase"],
        Option(help="Play the nearest learned sounds, or find phases for what is heard."),
    ] = "mosaic",
    phase: Annotated[
        str | None,
        Option(
            metavar="METHOD",
            help="Find phases by phase-vocoder, griffin-lim, pghi or random.",
            show_default="phase-vocoder",
        ),
    ] = None,
    seed: Seed = 0,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Make the sound of a drawing or a drawn film."""
    from frame2sound.api.sound_drawing import sing_drawing

    made = sing_drawing(
        drawing, out, pair=pair, by=by, phase=phase, seed=seed, overwrite=overwrite, progress=True
    )
    say_lines(made.lines())


@group.command(cls=Command)
def report(
    pair: PairFile,
    out: Annotated[
        Path, Option("-o", "--out", metavar="FILE", help="Write the page here, an .html.")
    ] = Path("pair.html"),
    sounds: Annotated[
        Path | None,
        Option(
            metavar="SOUNDS",
            help="Measure with these sounds or films, which were not learned.",
            show_default="notes of another seed",
        ),
    ] = None,
    drawings: Annotated[
        Path | None,
        Option(
            metavar="DRAWINGS",
            help="Measure with these drawings, which were not learned.",
            show_default="squiggles of another seed",
        ),
    ] = None,
    seed: Seed = 1,
    overwrite: Overwrite = False,
    verbose: Verbose = False,
) -> None:
    """Measure networks, and write a page of sounds and drawings."""
    from frame2sound.api.pair_report import report_pair

    made = report_pair(
        pair,
        out,
        sounds=sounds,
        drawings=drawings,
        seed=seed,
        overwrite=overwrite,
        progress=True,
    )
    say_lines(made.lines())
