"""Measure the mosaic with perfect predictions and with blurred, erroneous ones.

    python benchmarks/mosaic.py [FILM ...] [--out FOLDER]
    python benchmarks/mosaic.py --speed 10           time and memory for a corpus of 10 minutes

For each demo film the corpus is 60 s of one seed, and the predictions are computed from the sound
of 30 s of another: `clear` as they are; `blurred` with log magnitudes averaged over five
frequencies, 3 dB lower, and with errors of 3 dB. The last row is the original sound. Combs are
relative to the original's. With --out, sounds and spectrograms are written.
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
from footage import STUDY_FILMS
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from frame2sound.brain.config import LogMag
from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.recipe import parse_recipe
from frame2sound.brain.targets import Target, build_target
from frame2sound.evaluation.envelopes import envelope_scores
from frame2sound.evaluation.frame_rate_hum import frame_rate_hum
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.evaluation.onsets import in_sync, onset_scores
from frame2sound.evaluation.pitch import pitch_accuracy
from frame2sound.evaluation.spectral_distance import log_spectral_distance
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene import Scene
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings
from frame2sound.rendering.mosaic.mosaic_synthesiser import MosaicSynthesiser
from frame2sound.sound.onset_detection import detect_onsets

RATE = 22050
BATCH = 128
Sound = NDArray[np.float32]
COLUMNS = (
    "onset_f",
    "in_sync",
    "pitch",
    "envelope_correlation",
    "line_comb_above_db",
    "tremolo_comb_above_db",
    "spectral_distance_db",
    "black_db",
)


def make_target(sound: Sound) -> Target:
    """Return the default target, scaled to a sound."""
    kind = {"kind": "log-mag", "window_length": 1024, "windows_per_frame": 4}
    network = {"kind": "mlp", "hidden": [8]}
    recipe = parse_recipe({"name": "mosaic", "network": network, "target": kind})
    assert isinstance(recipe.target, LogMag)
    return build_target(recipe, float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))))


def perfect_predictions(target: Target, scene: Scene, sound: Sound) -> NDArray[np.float32]:
    """Return the predictions of a perfect brain for a film."""
    extent = np.arange(target.excerpt_length) + target.excerpt_length
    padded = np.pad(sound, (target.excerpt_length, 2 * target.excerpt_length))
    starts = scene.clock.sample_bounds(scene.frame_count)[:-1] - target.lead_samples
    excerpts = torch.from_numpy(padded[starts[:, None] + extent])
    return target.decode(target.encode(excerpts))


def blur(magnitudes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return blurred predictions with errors; silence stays silence."""
    floor = 1e-4 * magnitudes.max()
    decibels = 20 * np.log10(magnitudes + floor)
    error = np.random.default_rng(0).normal(0, 3, magnitudes.shape)
    blurred = uniform_filter1d(decibels, 5, axis=2) - 3 + error
    return np.where(magnitudes > 0, np.maximum(10 ** (blurred / 20) - floor, 0), 0).astype("f4")


def synthesise(mosaic: MosaicSynthesiser, scene: Scene, predictions: NDArray[np.float32]) -> Sound:
    """Return the mosaic for predictions."""
    sound = []
    for first in range(0, len(predictions), BATCH):
        batch = predictions[first : first + BATCH]
        sound.append(mosaic.process(batch, scene.clock.sample_bounds(len(batch), first)))
    return np.concatenate([*sound, mosaic.flush()])


def measure(
    scene: Scene, original: Sound, sound: Sound, original_combs: tuple[float, float]
) -> list[float]:
    """Return a row of the table."""
    truth = scene.truth
    times = scene.clock.frame_times(scene.frame_count + 1)
    pitch = pitch_accuracy(sound, RATE, truth.pitch_hz, times)
    line, tremolo = hums(scene, sound)
    scores = onset_scores(detect_onsets(sound, RATE), truth.onsets)
    correlation = envelope_scores(sound, original, RATE).correlation
    distance = log_spectral_distance(sound, original, RATE)
    return [
        scores.f_measure if scores else math.nan,
        in_sync(sound, truth.onsets, RATE) or math.nan,
        math.nan if pitch is None else pitch,
        math.nan if correlation is None else correlation,
        line - original_combs[0],
        tremolo - original_combs[1],
        math.nan if distance is None else distance,
        black_db(scene, sound),
    ]


def hums(scene: Scene, sound: Sound) -> tuple[float, float]:
    """Return the line comb and the tremolo comb."""
    found = frame_rate_hum(sound, RATE, scene.clock.fps)
    return (math.nan, math.nan) if found is None else (found.line_db, found.tremolo_db)


def black_db(scene: Scene, sound: Sound) -> float:
    """Return the level of frames that are silent in the film, as are the two on either side."""
    loud = np.array(scene.truth.loudness_db) > -100
    near = np.convolve(loud, np.ones(5), "same") > 0
    bounds = scene.clock.sample_bounds(scene.frame_count)
    power = [np.mean(sound[a:b] ** 2) for a, b in pairwise(bounds.tolist())]
    quiet = np.array(power)[~near]
    return 10 * math.log10(max(quiet.mean(), 1e-20)) if len(quiet) else math.nan


def oracle(names: list[str], settings: MosaicSettings, out: Path | None) -> None:
    """Print the table."""
    print(f"{'':18}" + "".join(f"{MEASURES[name].column:>10}" for name in COLUMNS))
    for name in names:
        corpus_scene = load_scene(name, seconds=60, seed=0, sample_rate=RATE)
        scene = load_scene(name, seconds=30, seed=1, sample_rate=RATE)
        corpus_sound, original = (
            corpus_scene.synthesise(0, corpus_scene.sample_count),
            scene.synthesise(0, scene.sample_count),
        )
        target = make_target(corpus_sound)
        corpus = Corpus(corpus_scene.clock, (Piece(name, 0, corpus_sound),))
        clear = perfect_predictions(target, scene, original)
        original_combs = hums(scene, original)
        sounds = {
            "clear": synthesise(MosaicSynthesiser(target, corpus, settings), scene, clear),
            "blurred": synthesise(MosaicSynthesiser(target, corpus, settings), scene, blur(clear)),
            "original": original,
        }
        for kind, sound in sounds.items():
            row = measure(scene, original, sound, original_combs)
            print(f"{name:10}{kind:8}" + "".join(f"{value:10.2f}" for value in row), flush=True)
        if out is not None:
            save(out, name, sounds)


def save(out: Path, name: str, sounds: dict[str, Sound]) -> None:
    """Write sounds and a plot of their spectrograms."""
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
    """Print the time to analyse a corpus and to synthesise a minute, and the memory for both."""
    films = [load_scene(name, seconds=60 * minutes / 5, seed=0, sample_rate=RATE)
             for name in STUDY_FILMS]  # fmt: skip
    sounds = [film.synthesise(0, film.sample_count) for film in films]
    corpus = Corpus(films[0].clock, tuple(map(Piece, STUDY_FILMS, [0] * len(films), sounds)))
    target = make_target(np.concatenate(sounds))
    scene = load_scene("bounce", seconds=60, seed=1, sample_rate=RATE)
    predictions = perfect_predictions(target, scene, scene.synthesise(0, scene.sample_count))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    mosaic = MosaicSynthesiser(target, corpus)
    analysed = time.perf_counter()
    sound = synthesise(mosaic, scene, predictions)
    synthesis_seconds = time.perf_counter() - analysed
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"corpus of {corpus.seconds:.0f} s, {len(mosaic.database)} units: {analysed - began:.2f} s"
    )
    print(f"{len(sound) / RATE:.0f} s of sound in {synthesis_seconds:.2f} s, "
          f"{len(sound) / RATE / synthesis_seconds:.1f} times real time")  # fmt: skip
    print(f"peak resident memory: {before:.0f} MB before, {after:.0f} MB after")


def main() -> None:
    """Print the table, or the speed, that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("films", nargs="*", default=STUDY_FILMS)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--literal", type=float, default=MosaicSettings.literal)
    parser.add_argument("--no-repeat", type=float, default=MosaicSettings.no_repeat_seconds)
    parser.add_argument("--variety", type=float, default=MosaicSettings.variety)
    parser.add_argument("--speed", type=float, metavar="MINUTES")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.speed:
        speed(args.speed)
    else:
        settings = MosaicSettings(args.literal, args.variety, args.no_repeat)
        oracle(args.films, settings, args.out)


if __name__ == "__main__":
    main()
