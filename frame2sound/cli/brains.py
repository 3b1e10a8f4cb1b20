"""``frame2sound brains``: recipes, and the cards of trained brains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from frame2sound.brain.pretrained import find_brain, pretrained_brains
from frame2sound.cli.app import app
from frame2sound.cli.cards import card, corpus_line, corpus_table, print_json, way
from frame2sound.cli.options import AsJson, Overwrite, Verbose
from frame2sound.cli.terminal import say


@app.command()
def brains(
    trained: Annotated[
        list[Path] | None,
        typer.Argument(help="Trained brains, files or names, whose cards to show."),
    ] = None,
    export_npz: Annotated[
        Path | None, typer.Option(metavar="NPZ", help="Write a brain's plain weights, for others.")
    ] = None,
    eigenframes: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw what a brain's eyes look for.")
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Show the recipes and the brains that ship, or the cards of trained brains."""
    trained = [find_brain(named) for named in trained or ()]
    if export_npz is not None or eigenframes is not None:
        if len(trained) != 1:
            raise typer.BadParameter("--export-npz and --eigenframes are of one trained brain")
        _write(trained[0], export_npz, eigenframes, overwrite)
    if trained:
        _show_trained(trained, as_json)
    else:
        _show_recipes(as_json)


def _write(path: Path, export_npz: Path | None, eigenframes: Path | None, overwrite: bool) -> None:
    from frame2sound.brain.brain_file import load_brain
    from frame2sound.brain.eigenframes import draw_eigenframes
    from frame2sound.brain.fuse import export_weights

    brain = load_brain(path)
    if export_npz is not None:
        export_weights(brain, export_npz, overwrite=overwrite)
    if eigenframes is not None:
        draw_eigenframes(brain, eigenframes, overwrite=overwrite)


def _show_recipes(as_json: bool) -> None:
    from frame2sound.brain.recipe import load_recipe, recipe_names, recipe_table

    recipes = [load_recipe(name) for name in recipe_names()]
    if as_json:
        print_json([recipe_table(recipe) for recipe in recipes])
        return
    for recipe in recipes:
        say(f"{recipe.name:24} {way(recipe)}")
        say(f"  {recipe.about}")
    say("trained brains, for render --brain NAME:")
    for name, path in pretrained_brains().items():
        say(f"{name:24} {path.stat().st_size / 1e6:.1f} MB")


def _show_trained(paths: list[Path], as_json: bool) -> None:
    from frame2sound.brain.brain_file import load_brain
    from frame2sound.brain.recipe import recipe_table

    brains = {str(path): load_brain(path) for path in paths}
    if as_json:
        rows = [
            {
                "brain": path,
                "parameters": brain.parameter_count,
                "recipe": recipe_table(brain.recipe),
                "provenance": brain.provenance,
                "corpus": corpus_table(brain.corpus),
            }
            for path, brain in brains.items()
        ]
        print_json(rows)
        return
    for path, brain in brains.items():
        say(f"{path}  {brain.recipe.name}  {brain.parameter_count} parameters")
        say(f"  {way(brain.recipe)}")
        for line in (*card(brain.provenance), corpus_line(brain.corpus)):
            say(f"  {line}")
