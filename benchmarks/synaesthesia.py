"""What networks between sounds and drawings do with what they were not trained on.

    python benchmarks/synaesthesia.py                    three seeds; a table in Markdown
    python benchmarks/synaesthesia.py --ablations        also without each loss, and other pairings
    python benchmarks/synaesthesia.py --sounds FOLDER    windows of films or clips instead of notes
    python benchmarks/synaesthesia.py --sheet OUT.png    spectra beside the strokes drawn for them

1152 notes and 1152 squiggles are made, or read; 128 of each are held out. Each number is the worst
of the seeds, and in brackets the others. `resvg` draws the SVGs where "through SVG" stands.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from worker_pool import worker_pool

from frame2sound.progress import ignore_progress
from frame2sound.synaesthesia.drawings import Drawings, drawings_of_strokes, load_drawings
from frame2sound.synaesthesia.measures import PairMeasures, hold_out, measure_pair
from frame2sound.synaesthesia.notes import make_notes
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.recipe import load_synaesthesia_recipe
from frame2sound.synaesthesia.sheet import draw_sheet
from frame2sound.synaesthesia.sounds import Sounds, load_sounds, sounds_of_windows
from frame2sound.synaesthesia.squiggles import draw_squiggles
from frame2sound.synaesthesia.training import train_pair

COUNT = 1152

ASKED = "loudness=size, brightness=spikiness"

ABLATIONS = {
    "without the correlation loss": ["training.correlation=0"],
    "without noise": ["training.picture_noise=0", "training.sound_noise=0"],
    "without discriminators": ["training.adversarial=0"],
    "with the identity loss": ["training.identity=0.3"],
    "found, no pairing asked for": ['pairing=""'],
    "of the other sign": ['pairing="loudness=-size, brightness=-spikiness"'],
}

Bars = dict[str, tuple[str, float]]

BARS: Bars = {
    "cycle, of the mean's": ("at most", 0.3),
    "the same, through SVG": ("at most", 0.65),
    "8 bits, of the cycle": ("at most", 1.05),
    "noise of .1, of the cycle": ("at most", 1.05),
    "own sound first of 128, through SVG": ("at least", 0.35),
    "diversity, of real": ("at least", 0.9),
    "kernel distance": ("at most", 0.02),
    "tone: pixels of 256 a frame": ("at most", 0.1),
    "crescendo": ("at least", 0.95),
}


def rows_of(found: PairMeasures) -> dict[str, float]:
    """Return the rows of the table."""
    rows = {f"drawn: {name}": value for name, value in found.drawn.items()}
    rows |= {f"sung: {name}": value for name, value in found.sung.items()}
    rows |= {f"permuted: {name}": value for name, value in found.permuted.items()}
    return rows | {
        "cycle, of the mean's": found.cycle,
        "the same, through SVG": found.cycle_svg,
        "8 bits, of the cycle": found.cycle_8_bit / found.cycle,
        "noise of .1, of the cycle": found.cycle_noise / found.cycle,
        "own sound first of 128, through SVG": found.found_first,
        "diversity, of real": found.diversity,
        "kernel distance": found.distance,
        "kernel distance of real": found.distance_of_real,
        "kernel distance of circles": found.distance_of_circles,
        "kernel distance of noise": found.distance_of_noise,
        "tone: pixels of 256 a frame": found.tone_movement,
        "crescendo": found.crescendo,
    }


def bar_of(name: str) -> tuple[str, float] | None:
    """Return the bar of a row: at most, or at least, how much."""
    return ("at least", 0.7) if name.startswith(("drawn", "sung")) else BARS.get(name)


def render_with_resvg(text: str) -> np.ndarray:
    """Return the raster of an SVG of one colour, drawn by resvg."""
    import cv2
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=text, background="white"))
    page = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    return (1 - page.reshape(32, 8, 32, 8).mean(axis=(1, 3)) / 255)[None].astype(np.float32)


def examples(sounds: Path | None, drawings: Path | None) -> tuple[Sounds, Drawings]:
    """Return the sounds and the drawings to learn from."""
    if sounds is None:
        names, windows = zip(*make_notes(COUNT, 0), strict=True)
        heard = sounds_of_windows(list(names), np.stack(windows))
    else:
        heard = load_sounds([sounds], 0.5)
    if drawings is None:
        return heard, drawings_of_strokes(draw_squiggles(COUNT, 0))
    return heard, load_drawings([drawings])


def run(
    sounds: Sounds, drawings: Drawings, settings: list[str], seed: int
) -> tuple[Pair, dict[str, float], Sounds]:
    """Train a pair, and return it, its measures and the sounds held out."""
    recipe = load_synaesthesia_recipe("strokes", settings)
    learned, held_out = hold_out(sounds, drawings, seed=seed)
    begin = time.process_time()
    pair = train_pair(*learned, recipe, seed, ignore_progress)
    seconds = time.process_time() - begin
    asked = recipe.pairings or load_synaesthesia_recipe("strokes").pairings
    found = measure_pair(pair, *held_out, learned[1], asked, render_with_resvg)
    return pair, rows_of(found) | {"seconds of CPU": seconds}, held_out[0]


def verdict(name: str, values: list[float]) -> str:
    """Return the bar of a row, and by how much its worst value misses it."""
    bar = bar_of(name)
    if bar is None:
        return ""
    word, limit = bar
    miss = max(values) - limit if word == "at most" else limit - min(values)
    return f"{word} {limit:g}{f', missed by {miss:.3f}' if miss > 0 else ''}"


def print_table(title: str, runs: list[dict[str, float]]) -> None:
    """Print what the seeds gave beside the bars."""
    print(f"\n| {title} | worst (others) | bar |\n|---|---|---|")
    for name in runs[0]:
        values = [each[name] for each in runs]
        bar = bar_of(name)
        ordered = sorted(values, reverse=bar is None or bar[0] == "at most")
        others = ", ".join(f"{value:.3f}" for value in ordered[1:])
        print(f"| {name} | {ordered[0]:.3f} ({others}) | {verdict(name, values)} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sounds", type=Path)
    parser.add_argument("--drawings", type=Path)
    parser.add_argument("--ablations", action="store_true")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    sounds, drawings = examples(arguments.sounds, arguments.drawings)
    print(f"{len(sounds)} sounds, {len(drawings)} drawings")
    tables = {"asked: " + ASKED: ([], range(arguments.seeds))}
    if arguments.ablations:
        tables |= {title: (settings, range(1)) for title, settings in ABLATIONS.items()}
    with worker_pool(arguments.workers) as pool:
        waiting = {
            title: [
                pool.submit(run, sounds, drawings, arguments.set + settings, seed) for seed in seeds
            ]
            for title, (settings, seeds) in tables.items()
            if seeds
        }
        for number, (title, runs) in enumerate(waiting.items()):
            print_table(title, [each.result()[1] for each in runs])
            if arguments.sheet and not number:
                pair, _, held_out = runs[0].result()
                draw_sheet(pair, held_out, arguments.sheet)


if __name__ == "__main__":
    main()
