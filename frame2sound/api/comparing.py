"""Comparing recipes: trained on one library, and judged on what none of them was trained on."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from frame2sound.api.measuring import align_columns
from frame2sound.api.parameters import Settings, one_of, setting_texts, texts
from frame2sound.api.records import Record, plain_values
from frame2sound.evaluation.measure_table import MAIN_MEASURES, format_value
from frame2sound.rendering.modes import DEFAULT_MODE, Mode

if TYPE_CHECKING:
    from frame2sound.library.split import SplitKind
    from frame2sound.library.store import Library
    from frame2sound.progress import ProgressCallback


@dataclass(frozen=True)
class ComparisonResult(Record):
    """The result of a comparison.

    Attributes
    ----------
    out : Path
        Its folder: brains, ``results.json``, and the report.
    table : dict
        What ``results.json`` holds: measures of each system, and their differences.
    """

    out: Path
    table: dict[str, Any]

    @property
    def report(self) -> Path:
        """The page of results, to see and hear."""
        return self.out / "report.html"

    def lines(self) -> list[str]:
        """Return the measures of each system, and how certain each difference is."""
        hint = f"{self.report}  open it in a browser to see and hear it all"
        return [*self._copy_lines(), *self._measure_lines(), *self._difference_lines(), hint]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``results.json`` holds."""
        values: dict[str, Any] = plain_values(self.table)
        return values

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each system: the mean of each measure."""
        return [
            {
                "system": system,
                "kind": figures["kind"],
                **{n: each["mean"] for n, each in figures.items() if isinstance(each, dict)},
            }
            for system, figures in self.table["figures"].items()
        ]

    def _copy_lines(self) -> Iterator[str]:
        for name, held_out in self.table["split"]["left_out_copies"].items():
            yield f"{name} is left out: a copy or an excerpt of {held_out}, which is held out"

    def _measure_lines(self) -> list[str]:
        about, figures = self.table["about"], self.table["figures"]
        names = [name for name in MAIN_MEASURES if any(name in row for row in figures.values())]
        rows = [["", *(about[name]["label"] for name in names)]]
        for system, row in figures.items():
            cells = (_format_mean(row.get(name), about[name]["decimals"]) for name in names)
            rows.append([system, *cells])
        return align_columns(rows, set(range(1, len(rows[0]))))

    def _difference_lines(self) -> Iterator[str]:
        about = self.table["about"]
        for each in self.table["differences"]:
            if each["family"] != "baselines" or _is_main_baseline(each):
                yield describe_difference(each, about[each["figure"]])
        for name, reason in self.table["cannot_be_said"].items():
            yield f"{about[name]['label']}: cannot be said: {reason}"
        if self.table["no_verdict"] and self.table["differences"]:
            yield (
                f"cannot be said: {self.table['no_verdict']}; "
                "intervals of so few do not tell how training may turn out"
            )


def _is_main_baseline(difference: dict[str, Any]) -> bool:
    """Whether a difference from a baseline is printed; the report shows all."""
    is_main = difference["theirs"].split(", as ")[0] in ("mean", "nearest")
    return is_main and difference["figure"] == "envelope_correlation"


def compare(
    library: Library | str | PathLike[str],
    recipes: Collection[str],
    out: str | PathLike[str],
    *,
    settings: Settings | None = None,
    seeds: int = 5,
    animations: Collection[str | PathLike[str]] = (),
    split: SplitKind | None = None,
    held_out: Collection[str] = (),
    mode: Mode = DEFAULT_MODE,
    judge: str | PathLike[str] | None = None,
    device: str = "auto",
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> ComparisonResult:
    """Train recipes on a library, measure them on held-out film, and write a report.

    What an earlier run of the same comparison finished is used again.

    Parameters
    ----------
    library : Library, str or path
        Library, its folder, or its address.
    recipes : list of str
        Names of recipes or ``.toml`` files. Settings that follow a name make a variant of it:
        ``"deep network.hidden=[64]"``.
    out : str or path
        Folder for brains, results and report.
    settings : list of str, or dict, optional
        Values to change in all recipes: ``["training.epochs=5"]``.
    seeds : int
        Number of seeds per recipe, from 0; fewer than five allow no verdict.
    animations : list of str or path
        Unseen animations to render as well, of which the first ten minutes are.
    split : {"ends", "films"}, optional
        Hold out the ends of all films, or whole films; by default films where there are five.
        Copies and excerpts of a film are never in the other part.
    held_out : list of str
        Films of the library to hold out, with their copies.
    mode : {"overlap-add", "granular", "mosaic"}
        Rendering mode. The default is overlap-add, which plays what a brain predicts, where a
        mosaic plays sound of its films.
    judge : str or path, optional
        Judge that `sort` made of the library: it says how probable the label of a held-out film is
        in each soundtrack, by classifiers that have not heard the film.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    overwrite : bool
        Start anew in the folder of another comparison.
    progress : callable or bool, optional
        True shows progress bars; see `ProgressCallback`.

    Raises
    ------
    ComparisonError
        The folder holds something else, or another comparison.
    Frame2SoundError
        Reading, training or writing failed.
    """
    from frame2sound.api.library import open_library
    from frame2sound.brain.reach import reach_seconds
    from frame2sound.comparison.plan import ComparisonPlan, load_variants, read_recipes
    from frame2sound.comparison.segment_judge import SegmentJudge
    from frame2sound.comparison.segments import EvaluationFilm
    from frame2sound.library.split import GUARD_SECONDS, SplitKind, split_library
    from frame2sound.progress_bars import open_progress
    from frame2sound.studio import run_comparison

    one_of("mode", mode, get_args(Mode))
    one_of("split", split, get_args(SplitKind))
    variants = load_variants(texts("recipes", recipes), setting_texts(settings))
    known = [] if overwrite else read_recipes(Path(out))
    reach = max(float(reach_seconds(each)) for each in [*known, *(v.recipe for v in variants)])
    opened = open_library(library)
    parts = split_library(
        opened,
        split,
        texts("held_out", held_out),
        guard_seconds=max(GUARD_SECONDS, reach),
    )
    films = [EvaluationFilm.from_held_out(each) for each in parts.held_out]
    sample_rate = variants[0].recipe.clock.sample_rate
    films += [
        EvaluationFilm.from_animation(Path(path), sample_rate, colour=opened.colour)
        for path in animations
    ]
    asked = None if judge is None else SegmentJudge.load(Path(judge))
    plan = ComparisonPlan(Path(out), variants, seeds, parts, tuple(films), mode, asked)
    with open_progress(progress) as on_progress:
        table = run_comparison(plan, device, on_progress, overwrite=overwrite)
    return ComparisonResult(plan.out, table)


def describe_difference(difference: dict[str, Any], about: dict[str, Any]) -> str:
    """Return a difference between two systems in words, and for what it holds."""
    decimals = about["decimals"] + 1
    value, low, high = (
        "-" if difference[name] is None else format_value(difference[name], decimals, signed=True)
        for name in ("difference", "low", "high")
    )
    unit = f" {about['unit']}" if about["unit"] else ""
    return (
        f"{difference['ours']} minus {difference['theirs']}, {about['label']}: "
        f"{value}{unit} ({low} to {high}), {_describe_verdict(difference)}"
    )


def _describe_verdict(difference: dict[str, Any]) -> str:
    if difference["no_verdict"]:
        return "cannot be said"
    if difference["family"] == "primary":
        p_value = f"p {_format_p(difference['p'])}"
    else:
        p_value = f"corrected p {_format_p(difference['p_corrected'])}"
    better = difference["better"]
    verdict = f"{better} is better" if better else "no clear difference"
    return f"{p_value}, {verdict} {difference['speaks_of']}"


def _format_p(p_value: float) -> str:
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.3f}"


def _format_mean(figure: dict[str, Any] | None, decimals: int) -> str:
    if figure is None:
        return "-"
    text = format_value(figure["mean"], decimals)
    return text if figure["spread"] is None else f"{text} ± {figure['spread']:.{decimals}f}"
