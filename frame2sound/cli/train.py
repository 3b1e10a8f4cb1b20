"""``frame2sound train``: a library to a brain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from frame2sound.cli.app import app
from frame2sound.cli.cards import card, corpus_line, print_json
from frame2sound.cli.options import AsJson, Device, Overwrite, Seed, Verbose, number_of_bytes
from frame2sound.cli.progress import Progress
from frame2sound.cli.terminal import say


@app.command()
def train(
    library: Annotated[str, typer.Argument(help="Folder of pickled films.")],
    recipe: Annotated[str, typer.Option(help="Name of a recipe, or a .toml file.")] = "deep",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change the recipe: training.epochs=5, preset=hindle."),
    ] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="Brain to write.")] = Path(
        "brain.safetensors"
    ),
    corpus: Annotated[
        Literal["carry", "point", "none"],
        typer.Option(help="Films' sound for mosaics: in the brain, in the library, or left out."),
    ] = "carry",
    memory: Annotated[
        int | None,
        typer.Option(
            parser=number_of_bytes,
            metavar="SIZE",
            help="What it may take of it, as 500MB or 1.5GiB; 2GiB if not said. Lessons that do "
            "not fit lie on disk meanwhile.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it was stopped.")] = False,
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Train a brain on a library."""
    from frame2sound.brain.recipe import load_recipe
    from frame2sound.errors import Frame2SoundError
    from frame2sound.library.remote import locate_library
    from frame2sound.library.store import Library
    from frame2sound.training.checkpoint import refuse_overwriting
    from frame2sound.training.distributed import ProcessGroup, is_first_to_report
    from frame2sound.training.loop import train as fit
    from frame2sound.training.output_lock import lock_output

    group = ProcessGroup.from_environment()
    try:
        chosen = load_recipe(recipe, settings)
        with lock_output(out, group), Progress(quiet=not group.is_main) as progress:
            shelf = Library.open(locate_library(library).fetch())
            if group.is_main and not group.restart_count:
                refuse_overwriting(out, resume=resume, overwrite=overwrite)

            brain = fit(
                shelf,
                chosen,
                out,
                seed=seed,
                device=device,
                resume=resume,
                corpus=corpus,
                memory_limit=memory,
                on_progress=progress.show,
            )
    except Frame2SoundError as error:
        if is_first_to_report(str(error)):
            raise
        raise typer.Exit(1) from error
    if not group.is_main:
        return
    if as_json:
        print_json({"brain": str(out), "parameters": brain.parameter_count, **brain.provenance})
        return
    say(f"{out}  {brain.parameter_count} parameters")
    for line in (*card(brain.provenance), corpus_line(brain.corpus)):
        say(f"  {line}")
