"""Strokes, pictures and the naive reshape, each trained for the same processor time.

    python benchmarks/synaesthesia_kinds.py --minutes 2 --sheet OUT.png

The notes and squiggles of `benchmarks/synaesthesia.py`; 128 of each are held out. All three draw
pictures of 64 x 64 pixels in 8 bits, by which they are judged. The naive reshape is the raster kind
with a square of samples, row by row, in place of the spectrum. For each, steps are timed first, and
as many are taken as fit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frame2sound.synaesthesia.drawings import Drawings, drawings_of_strokes
from frame2sound.synaesthesia.measures import hold_out
from frame2sound.synaesthesia.measures_by_pictures import PictureMeasures, measure_by_pictures
from frame2sound.synaesthesia.networks import RasterDiscriminator
from frame2sound.synaesthesia.notes import make_notes
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.picture_networks import PictureGenerator, PictureReader
from frame2sound.synaesthesia.pictures import strokes_of_kind
from frame2sound.synaesthesia.recipe import SynaesthesiaRecipe, load_synaesthesia_recipe
from frame2sound.synaesthesia.sheet import in_order
from frame2sound.synaesthesia.sound_windows import RATE
from frame2sound.synaesthesia.sounds import Sounds, sounds_of_windows
from frame2sound.synaesthesia.squiggles import draw_squiggles
from frame2sound.synaesthesia.training import PairTrainer
from frame2sound.threads import one_thread_per_operation

COUNT = 1152

ASKED = "loudness=size, brightness=spikiness"

TIMED_STEPS = 12

SIDE = 144
"""Rows and columns of the square of samples: 20736, or 0.94 s."""

SAMPLE_SCALE = 10.0
"""Samples of notes have a root mean square of about 0.1."""


class SquareSamples(nn.Module):
    """Turns samples into squares, row by row, and back."""

    size = SIDE

    def forward(self, samples: Tensor) -> Tensor:
        """Return squares, ``(n, 1, 144, 144)``."""
        return samples.view(-1, 1, SIDE, SIDE)

    def components(self, squares: Tensor) -> Tensor:
        """Return their samples, ``(n, 20736)``."""
        return squares.flatten(1)


@dataclass(frozen=True)
class ReshapedPair(Pair):
    """A pair whose networks see samples."""

    def draw(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a picture for each window of one second."""
        return self.draw_components(square_samples(windows).numpy())

    def read(self, rasters: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return whitened components of the samples that are read in pictures."""
        samples = super().read(rasters) / SAMPLE_SCALE
        return self.hear(np.pad(samples, [(0, 0), (0, RATE - SIDE**2)]))


class ReshapeTrainer(PairTrainer):
    """Trains the networks of the raster kind on samples in place of spectra."""

    def __init__(self, sounds: Sounds, drawings: Drawings, recipe: SynaesthesiaRecipe) -> None:
        super().__init__(sounds, drawings, recipe)
        self._sounds = square_samples(sounds.windows)
        self._spectrum_measures = nn.Identity()

    def _build_networks(self, drawn: Tensor) -> None:
        size, samples = self.recipe.network, SquareSamples()
        self.generator = PictureGenerator(samples, drawn, size.channels, size.hidden)
        self.reader = PictureReader(samples, self.recipe.colours, size.channels, size.hidden)
        self.raster_critic = RasterDiscriminator(size.channels, self.recipe.colours, 64)
        self.sound_critic = nn.Sequential(samples, RasterDiscriminator(size.channels, 1, SIDE))

    def _sound_cycle(self, sounds: Tensor, drawn: Tensor) -> Tensor:
        again = self.reader(self._noisy(drawn))
        return ((again - sounds) ** 2).mean() / (sounds**2).mean()

    def pair(self, seed: int = 0, seconds: float = 0.0) -> Pair:
        """Return the pair with the moving average of weights."""
        return ReshapedPair(**vars(super().pair(seed, seconds)))


def square_samples(windows: NDArray[np.float32]) -> Tensor:
    """Return the samples of windows that fill a square, ``(n, 20736)``."""
    return torch.from_numpy(windows[:, : SIDE**2] * np.float32(SAMPLE_SCALE))


Make = Callable[[list[str]], PairTrainer]


def train_for(seconds: float, make: Make, seed: int) -> tuple[Pair, int, float]:
    """Return a pair trained for so much processor time, the steps, and the time that it took."""
    timed = make(["training.steps=1000"])
    timed.step()
    begin = time.process_time()
    for _ in range(TIMED_STEPS):
        timed.step()
    steps = int(seconds * TIMED_STEPS / (time.process_time() - begin))
    torch.manual_seed(seed)
    trainer = make([f"training.steps={steps}"])
    begin = time.process_time()
    for _ in range(steps):
        trainer.step()
    return trainer.pair(seed), steps, time.process_time() - begin


def makers(
    sounds: Sounds, strokes: Drawings, pictures: Drawings, settings: list[str]
) -> dict[str, Make]:
    """Return what makes a trainer of each kind, given settings."""
    asked = [f'pairing="{ASKED}"', *settings]

    def make(trainer: type[PairTrainer], kind: str, drawings: Drawings, own: list[str]) -> Make:
        return lambda more: trainer(sounds, drawings, load_synaesthesia_recipe(kind, own + more))

    return {
        "strokes": make(PairTrainer, "strokes", strokes, [f'pairing="{ASKED}"']),
        "raster": make(PairTrainer, "raster", pictures, asked),
        "reshape": make(ReshapeTrainer, "raster", pictures, ['pairing=""', *settings]),
    }


def write_sheet(path: Path, sounds: Sounds, found: dict[str, PictureMeasures]) -> None:
    """Write a PNG with a line of pictures a kind, of the same sounds from quiet to loud."""
    chosen = in_order(sounds.spectra)[:: len(sounds) // 16][:16]
    lines = [np.concatenate(list(each.pictures[chosen]), axis=1) for each in found.values()]
    cv2.imwrite(str(path), np.concatenate(lines, axis=0)[..., ::-1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=["strokes", "raster", "reshape"])
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    names, windows = zip(*make_notes(COUNT, 0), strict=True)
    drawn = draw_squiggles(COUNT, 0)
    sounds = sounds_of_windows(list(names), np.stack(windows))
    strokes, pictures = drawings_of_strokes(drawn), strokes_of_kind("raster", drawn)
    (known, known_strokes), (heard, _) = hold_out(sounds, strokes, seed=arguments.seed)
    (_, known_pictures), (_, out) = hold_out(sounds, pictures, seed=arguments.seed)
    pairings = load_synaesthesia_recipe("strokes", [f'pairing="{ASKED}"']).pairings
    found: dict[str, PictureMeasures] = {}
    with one_thread_per_operation():
        for kind, make in makers(known, known_strokes, known_pictures, arguments.set).items():
            if kind in arguments.kinds:
                pair, steps, seconds = train_for(60 * arguments.minutes, make, arguments.seed)
                found[kind] = measure_by_pictures(
                    pair, heard, out.rasters, known_pictures.rasters, pairings
                )
                print_rows(kind, found[kind], steps, seconds)
    if arguments.sheet:
        write_sheet(arguments.sheet, heard, found)


def print_rows(kind: str, found: PictureMeasures, steps: int, seconds: float) -> None:
    """Print the measures of a kind, a line each."""
    rows = {f"drawn: {name}": value for name, value in found.drawn.items()} | {
        "cycle through PNG, of the mean's": found.cycle,
        "own sound first of 128, through PNG": found.found_first,
        "diversity, of real": found.diversity,
        "kernel distance": found.distance,
        "kernel distance of real": found.distance_of_real,
        "steps": steps,
        "seconds of CPU": seconds,
    }
    for name, value in rows.items():
        print(f"| {kind} | {name} | {value:.3f} |", flush=True)


if __name__ == "__main__":
    main()
