"""``frame2sound brains``: recipes, and the cards of trained brains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from frame2sound.cli.app import command, say_lines
from frame2sound.cli.options import AsJson, Overwrite, Verbose, print_json
from frame2sound.terminal import say

if TYPE_CHECKING:
    from frame2sound.api.brain_export import Part


@command
def brains(
    trained: Annotated[
        list[Path] | None,
        Argument(metavar="BRAIN", help="Show the cards of these brains: files or names."),
    ] = None,
    export_npz: Annotated[
        Path | None,
        Option(metavar="FILE", help="Write the weights of one brain as plain arrays (.npz)."),
    ] = None,
    export_onnx: Annotated[
        Path | None,
        Option(metavar="FILE", help="Write one brain as a step that other programs run (.onnx)."),
    ] = None,
    export_onnx_motion: Annotated[
        Path | None,
        Option(metavar="FILE", help="Write the motion head of one brain as such a step (.onnx)."),
    ] = None,
    eigenframes: Annotated[
        Path | None,
        Option(metavar="FILE", help="Draw the principal components of its input (.png)."),
    ] = None,
    overwrite: Overwrite = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """List recipes and brains, or show brains."""
    from frame2sound.brain.pretrained import find_brain

    paths = [find_brain(brain) for brain in trained or ()]
    steps: dict[Part, Path | None] = {"network": export_onnx, "motion": export_onnx_motion}
    if any(path is not None for path in (export_npz, *steps.values(), eigenframes)):
        _write(paths, export_npz, steps, eigenframes, overwrite)
    if paths:
        _show_brains(paths, as_json)
    else:
        _show_recipes(as_json)


def _write(
    paths: list[Path],
    export_npz: Path | None,
    steps: dict[Part, Path | None],
    eigenframes: Path | None,
    overwrite: bool,
) -> None:
    from frame2sound.api.brain_export import export_onnx
    from frame2sound.api.parameters import ParameterError
    from frame2sound.brain.brain_file import load_brain

    if len(paths) != 1:
        raise ParameterError(
            f"got {len(paths)} brains, expected one with `export_npz`, `export_onnx`, "
            "`export_onnx_motion` or `eigenframes`"
        )
    brain = load_brain(paths[0])
    for part, path in steps.items():
        if path is not None:
            export_onnx(brain, path, part=part, overwrite=overwrite)
    if export_npz is not None:
        from frame2sound.brain.fuse import export_weights

        export_weights(brain, export_npz, overwrite=overwrite)
    if eigenframes is not None:
        from frame2sound.brain.eigenframes import draw_eigenframes

        draw_eigenframes(brain, eigenframes, overwrite=overwrite)


def _show_recipes(as_json: bool) -> None:
    from frame2sound.api.brains import describe_network
    from frame2sound.brain.pretrained import pretrained_brains
    from frame2sound.brain.recipe import load_recipe, recipe_names, recipe_table

    recipes = [load_recipe(name) for name in recipe_names()]
    if as_json:
        print_json([recipe_table(recipe) for recipe in recipes])
        return
    for recipe in recipes:
        say(f"{recipe.name:24} {describe_network(recipe)}")
        say(f"  {recipe.about}")
    say("trained brains, for render --brain NAME:")
    for name, path in pretrained_brains().items():
        say(f"{name:24} {path.stat().st_size / 1e6:.1f} MB")


def _show_brains(paths: list[Path], as_json: bool) -> None:
    from frame2sound.api.brains import describe_brain

    cards = [describe_brain(path) for path in paths]
    if as_json:
        print_json([card.to_dict() for card in cards])
        return
    for card in cards:
        say_lines(card.lines())
