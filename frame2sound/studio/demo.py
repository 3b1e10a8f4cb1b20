"""The demo: draw a film, train brains, render an unseen animation, measure and plot."""

from __future__ import annotations

import time
from pathlib import Path

from frame2sound.brain.recipe import load_recipe
from frame2sound.errors import SoundtrackError
from frame2sound.evaluation.controls import ORIGINAL, SHUFFLED_SECONDS, SILENCE
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.evaluation.measurements import Measurements
from frame2sound.progress import ProgressCallback
from frame2sound.rendering.render import Mode, Style
from frame2sound.studio.steps import (
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
"""Rendering modes by recipe."""

QUICK_SETTINGS = ("training.epochs=60",)
FRAME_SIZE = 480, 360

TABLE_COLUMNS = (
    "onset_f",
    "onset_chance",
    "in_sync",
    "envelope_correlation",
    "spectral_distance_db",
    "line_comb_above_db",
    "tremolo_comb_above_db",
    "true_peak_dbtp",
    "length_samples",
)
"""Measures in the table of the demo."""


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
    """Draw a film, train two brains on it, render an unseen animation in three modes, and measure.

    Parameters
    ----------
    out : Path
        Output folder; results of an earlier demo are replaced.
    film : str
        Name of a demo film.
    seed : int
        Of the training film and of training; the unseen animation has the next seed.
    on_message, on_progress : callable
        Called with lines of text, and with progress.
    learned_seconds, unseen_seconds : int
        Length of the training film and of the animation.
    settings : tuple of str
        Settings of all recipes, as `load_recipe` takes them.

    Raises
    ------
    SoundtrackError
        The folder cannot be created.
    """
    started = time.monotonic()
    try:
        (out / "pictures").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SoundtrackError(
            f"the folder {out} cannot be created ({why}); give another `out`"
        ) from error
    training_film, animation = out / f"{film}.mp4", out / "unseen.mp4"
    on_message(f"1  drawing {film}: {learned_seconds} s for training, {unseen_seconds} s unseen")
    draw_film(demo_scene(film, learned_seconds, seed, FRAME_SIZE), training_film, True, on_progress)
    unseen_scene = demo_scene(film, unseen_seconds, seed + 1, FRAME_SIZE)
    draw_film(unseen_scene, animation, False, on_progress)
    on_message(f"2  pickling {training_film}")
    library = create_library(training_film, out / "library")
    unseen = load_unseen(unseen_scene, animation)
    unseen = unseen.at_loudness(load_recipe("deep", list(settings)).training.loudness)
    soundtracks: dict[str, Samples] = {}
    for name, modes in MODES_BY_RECIPE.items():
        on_message(f"3  training a {name} brain, and rendering with it")
        recipe = load_recipe(name, list(settings))
        brain = train_brain(library, recipe, out / f"{name}.safetensors", seed, on_progress)
        for mode in modes:
            path = out / f"unseen-{name}-{mode}.mp4"
            soundtracks[f"{name}, {mode}"] = render_soundtrack(
                unseen, brain, Style(mode=mode), path, on_progress
            )
    on_message("4  plotting and measuring the soundtracks")
    for name, samples in soundtracks.items():
        plot_path = out / "pictures" / f"{name.replace(', ', '-')}.png"
        unseen.plot_one(plot_path, samples, f"An unseen animation with a soundtrack ({name})")
    unseen.plot(
        out / "pictures" / "comparison.png",
        {ORIGINAL: unseen.samples, **soundtracks},
        "An unseen animation: the original sound, and four rendered soundtracks",
    )
    for line in _table(unseen, soundtracks):
        on_message(line)
    on_message("")
    on_message(f"the unseen animation with soundtracks: {out}/unseen-*.mp4")
    on_message(f"plots: {out}/pictures/   brains: {out}/*.safetensors   library: {library.path}")
    on_message(f"done in {time.monotonic() - started:.0f} s")


def _table(unseen: UnseenAnimation, soundtracks: dict[str, Samples]) -> list[str]:
    """Return the lines of a table of measures: soundtracks, the original, and controls."""
    controls = unseen.measure_controls()
    rows = {
        **{name: unseen.measure(samples) for name, samples in soundtracks.items()},
        ORIGINAL: unseen.measure(unseen.samples),
        SHUFFLED_SECONDS: controls["shuffled"],
        SILENCE: controls["silence"],
    }
    heads = "  ".join(f"{MEASURES[name].column:>9}" for name in TABLE_COLUMNS)
    return ["", f"{'':26}{heads}", *(f"{name:26}{_format_row(row)}" for name, row in rows.items())]


def _format_row(measurements: Measurements) -> str:
    return "  ".join(
        f"{MEASURES[name].format(getattr(measurements, name)):>9}" for name in TABLE_COLUMNS
    )
