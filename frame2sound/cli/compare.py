"""``frame2sound compare``: which brain hears better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from frame2sound.cli.app import app
from frame2sound.cli.cards import print_json
from frame2sound.cli.options import AsJson, Device, Verbose
from frame2sound.cli.progress import Progress
from frame2sound.cli.terminal import say
from frame2sound.evaluation.measure_table import MAIN_MEASURES, format_value
from frame2sound.rendering.modes import DEFAULT_MODE, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator


@app.command()
def compare(
    library: Annotated[str, typer.Argument(help="Folder of pickled films.")],
    recipe: Annotated[
        list[str],
        typer.Option(
            help="Name of a recipe, or a .toml file; repeat for several. Settings that follow the "
            'name make a variant of it: "deep network.hidden=[64]".'
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for all that it makes.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change all recipes: training.epochs=5."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Train each recipe so often, from seed 0 on.")] = 3,
    animation: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="An unseen animation to sound too; repeat for several."),
    ] = None,
    split: Annotated[
        Literal["ends", "films"] | None,
        typer.Option(
            help="Hold out the ends of all films, or films whole.",
            show_default="films, of five or more",
        ),
    ] = None,
    held_out: Annotated[
        list[str] | None,
        typer.Option(metavar="FILM", help="Hold out this film of the library; repeat for several."),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="How what is foretold is played.")] = DEFAULT_MODE,
    device: Device = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew in the folder of another comparison.")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Train recipes on a library, judge them on what none has seen, and make a page of it."""
    from frame2sound.comparison.plan import ComparisonPlan, load_variants
    from frame2sound.comparison.segments import EvaluationFilm
    from frame2sound.library.remote import locate_library
    from frame2sound.library.split import split_library
    from frame2sound.library.store import Library
    from frame2sound.studio import run_comparison

    chosen = load_variants(recipe, settings or ())
    parted = split_library(Library.open(locate_library(library).fetch()), split, held_out or ())
    footage = [EvaluationFilm.from_held_out(held) for held in parted.held_out]
    footage += [
        EvaluationFilm.from_animation(path, chosen[0].recipe.clock.sample_rate)
        for path in animation or ()
    ]
    plan = ComparisonPlan(out, chosen, seeds, parted, tuple(footage), mode)
    with Progress() as progress:
        table = run_comparison(plan, device, progress.show, overwrite=overwrite)
    if as_json:
        print_json(table)
        return
    for line in _lines(table):
        say(line)
    say(f"{out / 'report.html'}  open it in a browser to see and hear it all")


def _lines(table: dict[str, Any]) -> Iterator[str]:
    """Yield the figures of all that played, and how sure each difference is."""
    about = table["about"]
    shown = [
        name for name in MAIN_MEASURES if any(name in row for row in table["figures"].values())
    ]
    rows = [["", *(about[name]["label"] for name in shown)]]
    for group, figures in table["figures"].items():
        cells = (_cell(figures.get(name), about[name]["decimals"]) for name in shown)
        rows.append([group, *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join([row[0].ljust(widths[0]), *cells]).rstrip()
    for each in table["differences"]:
        yield said(each, about[each["figure"]])
    if table["no_verdict"] and table["differences"]:
        yield (
            f"no verdict: {table['no_verdict']}; "
            "the intervals cover blocks of film, not how training may turn out"
        )


def said(difference: dict[str, Any], about: dict[str, Any]) -> str:
    """Return a difference in words."""
    decimals = about["decimals"] + 1
    value, low, high = (
        format_value(difference[name], decimals, signed=True)
        for name in ("difference", "low", "high")
    )
    unit = f" {about['unit']}" if about["unit"] else ""
    verdict = f"{difference['better']} is better" if difference["better"] else "no clear difference"
    if difference["no_verdict"]:
        verdict = "no verdict"
    return (
        f"{difference['ours']} minus {difference['theirs']}, {about['label']}: "
        f"{value}{unit} ({low} to {high}), {verdict}"
    )


def _cell(figure: dict[str, Any] | None, decimals: int) -> str:
    if figure is None:
        return "-"
    text = format_value(figure["mean"], decimals)
    return text if figure["spread"] is None else f"{text} ± {figure['spread']:.{decimals}f}"
