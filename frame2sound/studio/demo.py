"""The demo: the whole way, on a film that it draws."""

from __future__ import annotations

import math
import time
from pathlib import Path

from frame2sound.brain.recipe import load_recipe
from frame2sound.errors import SoundtrackError
from frame2sound.evaluation.plots import plot_comparison, plot_soundtrack
from frame2sound.evaluation.soundtrack_evaluation import Measurements
from frame2sound.progress import ProgressCallback
from frame2sound.rendering.render import Mode, Style
from frame2sound.studio.steps import (
    LIBRARY_RATE,
    MessageCallback,
    Samples,
    UnseenAnimation,
    create_library,
    demo_scene,
    draw_film,
    load_unseen,
    render_soundtrack,
    train_brain,
)

MODES_BY_RECIPE: dict[str, tuple[Mode, ...]] = {
    "shallow": ("overlap-add",),
    "deep": ("overlap-add", "granular", "mosaic"),
}
"""The recipes, and how what they give is played."""

QUICK_SETTINGS = ("training.epochs=60",)
FRAME_SIZE = 480, 360

TABLE_COLUMNS = {
    "onset_f": ("onset F", ".2f"),
    "onset_chance": ("(chance)", ".2f"),
    "in_sync": ("in sync", ".2f"),
    "envelope_correlation": ("envelope", ".2f"),
    "spectral_distance_db": ("distance", ".1f"),
    "line_comb_above_db": ("line comb", "+.1f"),
    "tremolo_comb_above_db": ("tremolo", "+.1f"),
    "true_peak_dbtp": ("true peak", ".1f"),
    "length_samples": ("length", "+d"),
}
"""The figures of the demo's table: what they are called, and how they are printed."""


def run_demo(
    out: Path,
    film: str,
    seed: int,
    on_message: MessageCallback,
    on_progress: ProgressCallback,
    *,
    learned_seconds: int = 60,
    unseen_seconds: int = 20,
    settings: tuple[str, ...] = QUICK_SETTINGS,
) -> None:
    """Draw a film, learn it twice, sound an unseen animation in three modes, measure and draw.

    Everything lands in the folder ``out``; what an earlier demo left there is replaced.
    ``settings`` change the recipes, as `load_recipe` takes them.
    """
    begun = time.monotonic()
    try:
        (out / "pictures").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SoundtrackError(
            f"the folder {out} cannot be made ({why}); choose another --out"
        ) from error
    learned, animation = out / f"{film}.mp4", out / "unseen.mp4"
    on_message(f"1  drawing {film}: {learned_seconds} s to learn from, {unseen_seconds} s unseen")
    draw_film(demo_scene(film, learned_seconds, seed, FRAME_SIZE), learned, True, on_progress)
    unknown = demo_scene(film, unseen_seconds, seed + 1, FRAME_SIZE)
    draw_film(unknown, animation, False, on_progress)
    on_message(f"2  pickling {learned}")
    library = create_library(learned, out / "library")
    unseen = load_unseen(unknown, animation)
    soundtracks: dict[str, Samples] = {}
    for recipe, modes in MODES_BY_RECIPE.items():
        on_message(f"3  training and playing a {recipe} brain")
        made = load_recipe(recipe, list(settings))
        brain = train_brain(library, made, out / f"{recipe}.safetensors", seed, on_progress)
        for mode in modes:
            path = out / f"unseen-{recipe}-{mode}.mp4"
            soundtracks[f"{recipe}, {mode}"] = render_soundtrack(
                unseen, brain, Style(mode=mode), path, on_progress
            )
    on_message("4  drawing and measuring what it made")
    _draw_plots(unseen, soundtracks, out / "pictures")
    for line in _table(unseen, soundtracks):
        on_message(line)
    on_message("")
    on_message(f"the unseen animation, sounding: {out}/unseen-*.mp4")
    on_message(f"pictures: {out}/pictures/   brains: {out}/*.safetensors   library: {library.path}")
    on_message(f"done in {time.monotonic() - begun:.0f} s")


def _draw_plots(unseen: UnseenAnimation, soundtracks: dict[str, Samples], folder: Path) -> None:
    for name, heard in soundtracks.items():
        plot_soundtrack(
            folder / f"{name.replace(', ', '-')}.png",
            heard,
            LIBRARY_RATE,
            unseen.frames,
            unseen.frame_times,
            f"An unseen animation, sounded by a brain ({name})",
            unseen.onsets,
            unseen.samples,
        )
    plot_comparison(
        folder / "comparison.png",
        {"its own sound": unseen.samples, **soundtracks},
        LIBRARY_RATE,
        unseen.frames,
        unseen.frame_times,
        "An unseen animation: its own sound, and four soundtracks that brains made of the picture",
        unseen.onsets,
    )


def _table(unseen: UnseenAnimation, soundtracks: dict[str, Samples]) -> list[str]:
    """Return every figure beside the film's own sound, chance, and sounds that do not look."""
    blind = unseen.measure_controls()
    rows = {
        **{name: unseen.measure(heard) for name, heard in soundtracks.items()},
        "its own sound": unseen.measure(unseen.samples),
        "its own, seconds shuffled": blind["shuffled"],
        "silence": blind["silence"],
    }
    heads = "  ".join(f"{head:>9}" for head, _ in TABLE_COLUMNS.values())
    return ["", f"{'':26}{heads}", *(f"{name:26}{_format_row(row)}" for name, row in rows.items())]


def _format_row(measurements: Measurements) -> str:
    values = ((getattr(measurements, name), form) for name, (_, form) in TABLE_COLUMNS.items())
    return "  ".join(f"{_format_value(value, form):>9}" for value, form in values)


def _format_value(value: float | None, form: str) -> str:
    if value is None:
        return "-"
    return "silent" if value == -math.inf else format(value, form)
