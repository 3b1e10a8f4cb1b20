"""``frame2sound sort``: learn which label a film's sound has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Library, Overwrite, Seed, Verbose, print_json
from frame2sound.terminal import say


@command
def sort(
    library: Library,
    labels: Annotated[
        Path,
        Option(
            metavar="FILE", help="Learn the labels in this .csv file with the columns film, label."
        ),
    ],
    out: Annotated[
        Path,
        Option("-o", "--out", metavar="FILE", help="Write the judge to this .safetensors file."),
    ],
    seed: Seed = 0,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Learn to sort films by their sound."""
    from frame2sound.api.sorting import sort as run

    result = run(library, labels, out, seed=seed, overwrite=overwrite, progress=True)
    if as_json:
        print_json(result.to_dict())
        return
    for note in result.notes:
        say(note, err=True)
    say_lines(result.lines())
