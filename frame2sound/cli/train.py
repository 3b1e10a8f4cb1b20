"""``frame2sound train``: a library to a brain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import (
    AsJson,
    Device,
    Library,
    Overwrite,
    Seed,
    Settings,
    Verbose,
    print_json,
)
from frame2sound.terminal import say


def complete_recipe(incomplete: str) -> list[str]:
    """Return the recipes that ship whose names begin so, for the completion of the shell."""
    from frame2sound.brain.recipe import recipe_names

    return [name for name in recipe_names() if name.startswith(incomplete)]


@command
def train(
    library: Library,
    recipe: Annotated[
        str,
        Option(
            metavar="RECIPE",
            autocompletion=complete_recipe,
            help="Train this recipe: a name, or a .toml file.",
        ),
    ] = "deep",
    settings: Settings = None,
    out: Annotated[
        Path, Option("-o", "--out", metavar="FILE", help="Write the brain here.")
    ] = Path("brain.safetensors"),
    corpus: Annotated[
        Literal["carry", "point", "none"],
        Option(
            help="Store sound of the films for mosaics in the brain, or only the path of the "
            "library, or nothing."
        ),
    ] = "carry",
    memory: Annotated[
        str | None,
        Option(
            metavar="SIZE",
            help="Limit the memory, as 500MB or 1.5GiB. Training data that does not fit is cached "
            "on disk.",
            show_default="2GiB",
        ),
    ] = None,
    listen: Annotated[
        Path | None,
        Option(
            metavar="FOLDER",
            help="Write short films of held-out film here, with its own sound and with that of the "
            "best brain so far, in at most a tenth of the time.",
        ),
    ] = None,
    resume: Annotated[
        bool, Option("--resume", help="Continue a training that was interrupted.")
    ] = False,
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Train a brain on a library."""
    from frame2sound.api import brains
    from frame2sound.errors import Frame2SoundError
    from frame2sound.training.distributed import ProcessGroup, is_first_to_report

    try:
        brain = brains.train(
            library,
            recipe,
            settings,
            out,
            corpus=corpus,
            memory=memory,
            resume=resume,
            seed=seed,
            device=device,
            overwrite=overwrite,
            listen=listen,
            progress=True,
            on_note=None if as_json else say,
        )
    except Frame2SoundError as error:
        if is_first_to_report(str(error)):
            raise
        raise typer.Exit(1) from error
    if not ProcessGroup.from_environment().is_main:
        return
    card = brains.describe_brain(brain)
    if as_json:
        table = {"brain": str(out), "parameters": card.parameters, **card.provenance}
        print_json({**table, "events": card.events_table()})
        return
    lines = [f"{out}  {card.parameters} parameters"]
    say_lines([*lines, *(f"  {line}" for line in card.training_lines())])
