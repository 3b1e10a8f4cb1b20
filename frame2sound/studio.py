"""The demo: the whole way, on a film that it draws."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.recipe import Recipe, load_recipe
from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError
from frame2sound.evaluation import measures
from frame2sound.evaluation.pictures import draw_comparison, draw_soundtrack
from frame2sound.film.demo import scene_named
from frame2sound.film.reader import FilmReader
from frame2sound.film.scene import Scene
from frame2sound.film.writer import write_scene
from frame2sound.library.calibration import calibrate
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.render import Delivery, Mode, Style, render
from frame2sound.training.loop import Report, train

Say = Callable[[str], None]
Show = Callable[[str, float, float | None, str], None]

RECIPES = ("shallow", "deep")
MODES: tuple[Mode, ...] = ("overlap-add", "granular")
FPS = Fraction(30)
LIBRARY_RATE = 22050


@dataclass(frozen=True)
class Unseen:
    """The animation to be given sound, and the sound that it has in truth."""

    path: Path
    frames: NDArray[np.uint8]
    times: NDArray[np.float64]
    sound: NDArray[np.float32]
    onsets: NDArray[np.float64]


def run_demo(
    out: Path,
    film: str,
    seed: int,
    say: Say,
    show: Show,
    *,
    learned_seconds: int = 60,
    unseen_seconds: int = 20,
    settings: tuple[str, ...] = (),
) -> None:
    """Draw a film, learn it twice, sound an unseen animation in two modes, measure and draw.

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
    _draw(_scene(film, learned_seconds, seed), learned, True, show)
    scene = _scene(film, unseen_seconds, seed + 1)
    _draw(scene, animation, False, show)
    say(f"2  pickling {learned}")
    library = _pickle(learned, out / "library")
    unseen = _look(scene, animation)
    soundtracks: dict[str, NDArray[np.float32]] = {}
    for recipe in RECIPES:
        say(f"3  training and playing a {recipe} brain")
        made = load_recipe(recipe, list(settings))
        brain = _train(library, made, out / f"{recipe}.safetensors", seed, show)
        for mode in MODES:
            name = f"{recipe}, {mode}"
            soundtracks[name] = _sound(unseen, brain, mode, out / f"unseen-{recipe}-{mode}.mp4")
    say("4  drawing what it made")
    _picture(unseen, soundtracks, out / "pictures")
    _tell(unseen, soundtracks, say)
    say("")
    say(f"the unseen animation, sounding: {out}/unseen-*.mp4")
    say(f"pictures: {out}/pictures/   brains: {out}/*.safetensors   library: {library.path}")
    say(f"done in {time.monotonic() - begun:.0f} s")


def _scene(film: str, seconds: int, seed: int) -> Scene:
    return scene_named(film, seconds=seconds, seed=seed, fps=FPS, size=(480, 360))


def _draw(scene: Scene, path: Path, sounding: bool, show: Show) -> None:
    write_scene(
        scene,
        path,
        sounding=sounding,
        overwrite=True,
        progress=lambda frames: show(path.name, frames, scene.frames, ""),
    )


def _pickle(film: Path, folder: Path) -> Library:
    if folder.exists():
        Library.open(folder)
        shutil.rmtree(folder)
    library = Library.create(folder, LIBRARY_RATE)
    calibrate(library)
    pickle_film(film, library)
    return library


def _look(scene: Scene, path: Path) -> Unseen:
    frames = list(FilmReader(path).frames())
    heard = scene_named(
        scene.name,
        seconds=scene.frames / FPS,
        seed=scene.seed,
        fps=FPS,
        size=scene.size,
        sample_rate=LIBRARY_RATE,
    )
    return Unseen(
        path,
        np.stack([frame.picture for frame in frames]),
        np.array([float(frame.time) for frame in frames] + [float(frames[-1].until)]),
        heard.sound(0, Clock(FPS, LIBRARY_RATE).start(len(frames))),
        np.array(scene.truth.onsets),
    )


def _train(library: Library, recipe: Recipe, out: Path, seed: int, show: Show) -> Brain:
    def report(now: Report) -> None:
        held = "" if now.held_out is None else f"held out {now.held_out:.3f}"
        show(f"training {recipe.name}", now.step, now.steps, f"loss {now.loss:.3f} {held}")

    return train(library, recipe, out, seed=seed, report=report)


def _sound(unseen: Unseen, brain: Brain, mode: Mode, path: Path) -> NDArray[np.float32]:
    """Render the film to watch; return the soundtrack to measure, free of coding."""
    style, alone = Style(mode=mode), path.with_suffix(".wav")
    render(FilmReader(unseen.path), brain, path, style, Delivery(overwrite=True))
    render(FilmReader(unseen.path), brain, alone, style, Delivery(overwrite=True, wav=True))
    sound: NDArray[np.float32] = soundfile.read(alone, dtype="float32")[0]
    alone.unlink()
    return sound


def _picture(unseen: Unseen, soundtracks: dict[str, NDArray[np.float32]], folder: Path) -> None:
    for name, sound in soundtracks.items():
        draw_soundtrack(
            folder / f"{name.replace(', ', '-')}.png",
            sound,
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


def _tell(unseen: Unseen, soundtracks: dict[str, NDArray[np.float32]], say: Say) -> None:
    """Print every measure beside the film's own sound, chance, and sounds that do not look."""
    seconds = unseen.sound.reshape(-1, LIBRARY_RATE)
    shuffled = np.random.default_rng(0).permutation(seconds).ravel()
    rows = {
        **soundtracks,
        "its own sound": unseen.sound,
        "its own, seconds shuffled": shuffled,
        "silence": np.zeros_like(unseen.sound),
    }
    say("")
    say(f"{'':26} onset F  (chance)  in sync  envelope   level    true peak  length")
    for name, sound in rows.items():
        heard = measures.onsets(sound, LIBRARY_RATE)
        found = measures.onset_scores(heard, unseen.onsets).f_measure
        chance = measures.onset_chance(len(heard), unseen.onsets, len(seconds))
        sync = measures.in_sync(sound, unseen.onsets, LIBRARY_RATE)
        envelope = measures.envelope_scores(sound, unseen.sound, LIBRARY_RATE).correlation
        say(
            f"{name:26} {found:7.2f}  ({chance:6.2f})  {'-' if sync is None else f'{sync:.2f}':>7}"
            f"  {envelope:8.2f}  {measures.rms_db(sound):6.1f} dB  "
            f"{measures.true_peak_db(sound):6.1f} dBTP  {len(sound) - len(unseen.sound):+d}"
        )
