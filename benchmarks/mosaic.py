"""The mosaic under brains that foretell perfectly, and under ones that blur and err.

    python benchmarks/mosaic.py [FILM ...] [--out FOLDER]
    python benchmarks/mosaic.py --speed 10           time and memory for a corpus of so many minutes

For each demo film the corpus is 60 s of one seed, and what is played are predictions made of 30 s
of another's own sound: `clear` as they are; `blurred` with log magnitudes averaged over five
frequencies, 3 dB low, and with errors of 3 dB. The last row is the film's own sound. Combs are
above the film's own. With --out, sounds and spectrograms are written.
"""

from __future__ import annotations

import argparse
import math
import resource
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from frame2sound.brain.config import LogMag
from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.recipe import parse_recipe
from frame2sound.brain.target_factory import build_target
from frame2sound.brain.targets import Target
from frame2sound.evaluation.frame_rate_hum import frame_rate_hum
from frame2sound.evaluation.measures import detect_onsets, envelope_scores, in_sync, onset_scores
from frame2sound.evaluation.pitch import pitch_accuracy
from frame2sound.evaluation.spectral_distance import log_spectral_distance
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.scene import Scene
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings
from frame2sound.rendering.mosaic.mosaic_synthesiser import MosaicSynthesiser

RATE = 22050
BATCH = 128
Sound = NDArray[np.float32]
COLUMNS = ("onset F", "in sync", "pitch", "envelope", "line", "tremolo", "LSD", "black")


def sought(sound: Sound) -> Target:
    """Return the default target, scaled to a sound."""
    kind = {"kind": "log-mag", "window_length": 1024, "windows_per_frame": 4}
    network = {"kind": "mlp", "hidden": [8]}
    recipe = parse_recipe({"name": "mosaic", "network": network, "target": kind})
    assert isinstance(recipe.target, LogMag)
    return build_target(recipe, float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))))


def foretold(target: Target, scene: Scene, sound: Sound) -> NDArray[np.float32]:
    """Return what a perfect brain predicts of a film."""
    extent = np.arange(target.excerpt_length) + target.excerpt_length
    padded = np.pad(sound, (target.excerpt_length, 2 * target.excerpt_length))
    starts = scene.clock.sample_bounds(scene.frame_count)[:-1] - target.lead_samples
    excerpts = torch.from_numpy(padded[starts[:, None] + extent])
    return target.decode(target.encode(excerpts))


def blur(magnitudes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a worse brain predicts; silence stays silence."""
    floor = 1e-4 * magnitudes.max()
    decibels = 20 * np.log10(magnitudes + floor)
    error = np.random.default_rng(0).normal(0, 3, magnitudes.shape)
    spoilt = uniform_filter1d(decibels, 5, axis=2) - 3 + error
    return np.where(magnitudes > 0, np.maximum(10 ** (spoilt / 20) - floor, 0), 0).astype("f4")


def play(mosaic: MosaicSynthesiser, scene: Scene, predictions: NDArray[np.float32]) -> Sound:
    """Return the mosaic of some predictions."""
    sound = []
    for first in range(0, len(predictions), BATCH):
        batch = predictions[first : first + BATCH]
        sound.append(mosaic.process(batch, scene.clock.sample_bounds(len(batch), first)))
    return np.concatenate([*sound, mosaic.flush()])


def judge(scene: Scene, own: Sound, sound: Sound, own_combs: tuple[float, float]) -> list[float]:
    """Return a row of the table."""
    truth = scene.truth
    times = scene.clock.frame_times(scene.frame_count + 1)
    pitch = pitch_accuracy(sound, RATE, truth.pitch_hz, times)
    line, tremolo = hums(scene, sound)
    return [
        onset_scores(detect_onsets(sound, RATE), truth.onsets).f_measure,
        in_sync(sound, truth.onsets, RATE) or math.nan,
        math.nan if pitch is None else pitch,
        envelope_scores(sound, own, RATE).correlation,
        line - own_combs[0],
        tremolo - own_combs[1],
        log_spectral_distance(sound, own, RATE),
        black_db(scene, sound),
    ]


def hums(scene: Scene, sound: Sound) -> tuple[float, float]:
    """Return the line comb and the tremolo comb."""
    found = frame_rate_hum(sound, RATE, scene.clock.fps)
    return (math.nan, math.nan) if found is None else (found.line_db, found.tremolo_db)


def black_db(scene: Scene, sound: Sound) -> float:
    """Return the level of frames that, like the two before and after, are silent in the film."""
    loud = np.array(scene.truth.loudness_db) > -100
    near = np.convolve(loud, np.ones(5), "same") > 0
    bounds = scene.clock.sample_bounds(scene.frame_count)
    power = [np.mean(sound[a:b] ** 2) for a, b in pairwise(bounds.tolist())]
    quiet = np.array(power)[~near]
    return 10 * math.log10(max(quiet.mean(), 1e-20)) if len(quiet) else math.nan


def oracle(names: list[str], settings: MosaicSettings, out: Path | None) -> None:
    """Print the table."""
    print(f"{'':18}" + "".join(f"{column:>10}" for column in COLUMNS))
    for name in names:
        learned = load_scene(name, seconds=60, seed=0, sample_rate=RATE)
        scene = load_scene(name, seconds=30, seed=1, sample_rate=RATE)
        known, own = (
            learned.synthesise(0, learned.sample_count),
            scene.synthesise(0, scene.sample_count),
        )
        target = sought(known)
        corpus = Corpus(learned.clock, (Piece(name, 0, known),))
        clear = foretold(target, scene, own)
        own_combs = hums(scene, own)
        sounds = {
            "clear": play(MosaicSynthesiser(target, corpus, settings), scene, clear),
            "blurred": play(MosaicSynthesiser(target, corpus, settings), scene, blur(clear)),
            "itself": own,
        }
        for kind, sound in sounds.items():
            row = judge(scene, own, sound, own_combs)
            print(f"{name:10}{kind:8}" + "".join(f"{value:10.2f}" for value in row), flush=True)
        if out is not None:
            keep(out, name, sounds)


def keep(out: Path, name: str, sounds: dict[str, Sound]) -> None:
    """Write sounds, and their spectrograms one above the other."""
    from matplotlib.figure import Figure

    out.mkdir(parents=True, exist_ok=True)
    figure = Figure((16, 12))
    panels = figure.subplots(len(sounds), sharex=True)
    for panel, (kind, sound) in zip(panels, sounds.items(), strict=True):
        soundfile.write(out / f"{name}-{kind}.wav", sound, RATE)
        noise = np.random.default_rng(0).normal(0, 1e-6, 12 * RATE)
        excerpt = sound[: 12 * RATE] + noise
        panel.specgram(excerpt, NFFT=1024, Fs=RATE, noverlap=768, vmin=-140, vmax=-40)
        panel.set_ylim(0, 6000)
        panel.set_title(f"{name}, {kind}")
    figure.tight_layout()
    figure.savefig(out / f"{name}.png")


def speed(minutes: float) -> None:
    """Print how long a corpus takes to hear and a minute to lay, and the memory for both."""
    films = [load_scene(name, seconds=60 * minutes / 5, seed=0, sample_rate=RATE)
             for name in demo_film_names()]  # fmt: skip
    sounds = [film.synthesise(0, film.sample_count) for film in films]
    corpus = Corpus(films[0].clock, tuple(map(Piece, demo_film_names(), [0] * len(films), sounds)))
    target = sought(np.concatenate(sounds))
    scene = load_scene("bounce", seconds=60, seed=1, sample_rate=RATE)
    predictions = foretold(target, scene, scene.synthesise(0, scene.sample_count))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    mosaic = MosaicSynthesiser(target, corpus)
    heard = time.perf_counter()
    sound = play(mosaic, scene, predictions)
    laid = time.perf_counter() - heard
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"corpus of {corpus.seconds:.0f} s, {len(mosaic.database)} units: {heard - began:.2f} s")
    print(f"{len(sound) / RATE:.0f} s of sound laid in {laid:.2f} s, "
          f"{len(sound) / RATE / laid:.1f} times real time")  # fmt: skip
    print(f"resident at most: {before:.0f} MB before, {after:.0f} MB after")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("films", nargs="*", default=demo_film_names())
    parser.add_argument("--out", type=Path)
    parser.add_argument("--literal", type=float, default=MosaicSettings.literal)
    parser.add_argument("--no-repeat", type=float, default=MosaicSettings.no_repeat_seconds)
    parser.add_argument("--variety", type=float, default=MosaicSettings.variety)
    parser.add_argument("--speed", type=float, metavar="MINUTES")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.speed:
        speed(given.speed)
    else:
        settings = MosaicSettings(given.literal, given.variety, given.no_repeat)
        oracle(given.films, settings, given.out)


if __name__ == "__main__":
    main()
