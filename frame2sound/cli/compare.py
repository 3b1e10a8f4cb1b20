"""``frame2sound compare``: which recipe predicts sound better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Device, Library, Settings, Verbose, print_json
from frame2sound.rendering.modes import DEFAULT_MODE, Mode


@command
def compare(
    library: Library,
    recipe: Annotated[
        list[str],
        Option(
            metavar="RECIPE",
            help="Train this recipe: a name or a .toml file; may be repeated. Settings after the "
            'name make a variant of it: "deep network.hidden=[64]".',
        ),
    ],
    out: Annotated[
        Path, Option("-o", "--out", metavar="FOLDER", help="Write brains and results here.")
    ],
    settings: Settings = None,
    seeds: Annotated[
        int,
        Option(
            metavar="NUMBER", help="Train each recipe with this many seeds; a verdict needs five."
        ),
    ] = 5,
    animation: Annotated[
        list[Path] | None,
        Option(
            metavar="FILE",
            help="Render the first ten minutes of this unseen animation, too; may be repeated.",
        ),
    ] = None,
    split: Annotated[
        Literal["ends", "films"] | None,
        Option(
            help="Hold out the ends of all films, or whole films; copies are never parted.",
            show_default="films, of five or more",
        ),
    ] = None,
    held_out: Annotated[
        list[str] | None,
        Option(metavar="FILM", help="Hold out this film of the library; may be repeated."),
    ] = None,
    mode: Annotated[
        Mode,
        Option(
            help="Render in this mode. Unlike in render, a mosaic is not the default: it plays "
            "sound of the films, not what a brain predicts."
        ),
    ] = DEFAULT_MODE,
    judge: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Ask this judge, made by sort, how probable the labels of held-out films are.",
        ),
    ] = None,
    device: Device = "auto",
    overwrite: Annotated[
        bool, Option("--overwrite", help="Start anew in the folder of another comparison.")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Train and compare recipes on a library."""
    from frame2sound.api.comparing import compare as run

    result = run(
        library,
        recipe,
        out,
        settings=settings,
        seeds=seeds,
        animations=animation or (),
        split=split,
        held_out=held_out or (),
        mode=mode,
        judge=judge,
        device=device,
        overwrite=overwrite,
        progress=True,
    )
    if as_json:
        print_json(result.to_dict())
    else:
        say_lines(result.lines())
