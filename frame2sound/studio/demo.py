"""The demo: the whole way, on a film that it draws."""

from __future__ import annotations

import math
import time
from pathlib import Path

from frame2sound.brain.recipe import load_recipe
from frame2sound.errors import SoundtrackError
from frame2sound.evaluation.pictures import draw_comparison, draw_soundtrack
from frame2sound.evaluation.report import Figures
from frame2sound.rendering.render import Mode, Style
from frame2sound.studio.making import (
    LIBRARY_RATE,
    Say,
    Show,
    Sound,
    Unseen,
    draw,
    learn,
    look,
    pickle,
    scene,
    sound,
)

MODES: dict[str, tuple[Mode, ...]] = {
    "shallow": ("overlap-add",),
    "deep": ("overlap-add", "granular", "mosaic"),
}
"""The recipes, and how what they give is played."""

QUICK = ("training.epochs=60",)
SIZE = 480, 360

COLUMNS = {
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
    say: Say,
    show: Show,
    *,
    learned_seconds: int = 60,
    unseen_seconds: int = 20,
    settings: tuple[str, ...] = QUICK,
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
    say(f"1  drawing {film}: {learned_seconds} s to learn from, {unseen_seconds} s unseen")
    draw(scene(film, learned_seconds, seed, SIZE), learned, True, show)
    unknown = scene(film, unseen_seconds, seed + 1, SIZE)
    draw(unknown, animation, False, show)
    say(f"2  pickling {learned}")
    library = pickle(learned, out / "library")
    unseen = look(unknown, animation)
    soundtracks: dict[str, Sound] = {}
    for recipe, modes in MODES.items():
        say(f"3  training and playing a {recipe} brain")
        made = load_recipe(recipe, list(settings))
        brain = learn(library, made, out / f"{recipe}.safetensors", seed, show)
        for mode in modes:
            path = out / f"unseen-{recipe}-{mode}.mp4"
            soundtracks[f"{recipe}, {mode}"] = sound(unseen, brain, Style(mode=mode), path, show)
    say("4  drawing and measuring what it made")
    _picture(unseen, soundtracks, out / "pictures")
    for line in _table(unseen, soundtracks):
        say(line)
    say("")
    say(f"the unseen animation, sounding: {out}/unseen-*.mp4")
    say(f"pictures: {out}/pictures/   brains: {out}/*.safetensors   library: {library.path}")
    say(f"done in {time.monotonic() - begun:.0f} s")


def _picture(unseen: Unseen, soundtracks: dict[str, Sound], folder: Path) -> None:
    for name, heard in soundtracks.items():
        draw_soundtrack(
            folder / f"{name.replace(', ', '-')}.png",
            heard,
            LIBRARY_RATE,
            unseen.frames,
            unseen.times,
            f"An unseen animation, sounded by a brain ({name})",
            unseen.onsets,
            unseen.sound,
        )
    draw_comparison(
        folder / "comparison.png",
        {"its own sound": unseen.sound, **soundtracks},
        LIBRARY_RATE,
        unseen.frames,
        unseen.times,
        "An unseen animation: its own sound, and four soundtracks that brains made of the picture",
        unseen.onsets,
    )


def _table(unseen: Unseen, soundtracks: dict[str, Sound]) -> list[str]:
    """Return every figure beside the film's own sound, chance, and sounds that do not look."""
    blind = unseen.blind()
    rows = {
        **{name: unseen.measure(heard) for name, heard in soundtracks.items()},
        "its own sound": unseen.measure(unseen.sound),
        "its own, seconds shuffled": blind["shuffled"],
        "silence": blind["silence"],
    }
    heads = "  ".join(f"{head:>9}" for head, _ in COLUMNS.values())
    return ["", f"{'':26}{heads}", *(f"{name:26}{_row(row)}" for name, row in rows.items())]


def _row(figures: Figures) -> str:
    values = ((getattr(figures, name), form) for name, (_, form) in COLUMNS.items())
    return "  ".join(f"{_text(value, form):>9}" for value, form in values)


def _text(value: float | None, form: str) -> str:
    if value is None:
        return "-"
    return "silent" if value == -math.inf else format(value, form)
