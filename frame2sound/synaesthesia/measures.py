"""What a pair does with sounds and drawings that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from frame2sound.synaesthesia.descriptors import Pairing
from frame2sound.synaesthesia.drawings import Drawings, raster_of_outlines
from frame2sound.synaesthesia.judges import judge_outlines, judge_sounds
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.sound_windows import RATE, random_phase_sound
from frame2sound.synaesthesia.sounds import Sounds
from frame2sound.synaesthesia.statistics import (
    diversity,
    found_first,
    kernel_distance,
    permuted_correlation,
    rank_correlation,
)
from frame2sound.synaesthesia.stroke import ORDER_VALUES
from frame2sound.synaesthesia.svg_reader import Outline, parse_svg
from frame2sound.synaesthesia.svg_writer import PAGE, stroke_svg

HELD_OUT = 128
"""Sounds and drawings that are kept from training to measure a pair."""

NOISE = 0.1
"""Standard deviation of the noise on drawings."""

FRAMES_PER_SECOND = 25

FloatArray = NDArray[np.float32]

RenderSvg = Callable[[str], FloatArray]


@dataclass(frozen=True)
class PairMeasures:
    """What a pair does with held-out sounds and drawings.

    Attributes
    ----------
    drawn, sung : dict of str to float
        Rank correlation of each pairing by the measures of `judges`: of sounds with the SVGs drawn
        for them; of drawings with the sounds of random phases made of them. Of the asked sign if
        positive.
    permuted : dict of str to float
        The same as ``drawn``, with the drawings in random orders.
    cycle, cycle_svg : float
        Error of the leading components after sound, stroke and sound, as a share of that of always
        giving the mean: through a raster in memory; through the text of an SVG, read again and
        rounded to 8 bits.
    cycle_8_bit, cycle_noise : float
        The same through the raster in 8 bits, and with noise of 0.1 on it.
    found_first : float
        Share of sounds that are the nearest to what comes back through the SVG.
    diversity : float
        Of the drawings generated, as a share of that of real ones.
    distance, distance_of_real, distance_of_circles, distance_of_noise : float
        Kernel distance to held-out drawings: of generated ones, of training ones, of circles in
        their places and sizes, of noise.
    tone_movement : float
        How far points of the stroke of a constant tone move from frame to frame, on the mean, in
        pixels of a page of 256.
    crescendo : float
        Rank correlation of the size of strokes with time, in a crescendo.
    """

    drawn: dict[str, float]
    sung: dict[str, float]
    permuted: dict[str, float]
    cycle: float
    cycle_svg: float
    cycle_8_bit: float
    cycle_noise: float
    found_first: float
    diversity: float
    distance: float
    distance_of_real: float
    distance_of_circles: float
    distance_of_noise: float
    tone_movement: float
    crescendo: float
    strokes: FloatArray = field(repr=False)


def hold_out(
    sounds: Sounds, drawings: Drawings, count: int = HELD_OUT, seed: int = 0
) -> tuple[tuple[Sounds, Drawings], tuple[Sounds, Drawings]]:
    """Return sounds and drawings to train on, and those held out.

    Windows of one file are all on one side. If files are few, as many are held out as contain a
    quarter of the windows.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for examples in (sounds, drawings):
        kept, out = _split(examples.names, min(count, len(examples) // 4), rng)
        parts.append((examples.select(kept), examples.select(out[:count])))
    (sounds_in, sounds_out), (drawings_in, drawings_out) = parts
    return (sounds_in, drawings_in), (sounds_out, drawings_out)  # type: ignore[return-value]


def measure_pair(
    pair: Pair,
    sounds: Sounds,
    drawings: Drawings,
    training_drawings: Drawings,
    pairings: tuple[Pairing, ...] | None = None,
    render_svg: RenderSvg | None = None,
) -> PairMeasures:
    """Return what a pair does with held-out sounds and drawings.

    Parameters
    ----------
    pair : Pair
    sounds, drawings : Sounds, Drawings
        Held out.
    training_drawings : Drawings
        Those trained on, to scale the kernel distance by.
    pairings : tuple of Pairing, optional
        The pairings to judge; by default those of the recipe.
    render_svg : callable, optional
        Returns the raster of an SVG's text, ``(colours, 32, 32)``; by default the package's own.
    """
    colours = pair.recipe.colours
    pairings = pair.recipe.pairings if pairings is None else pairings
    render = render_svg or (lambda text: raster_of_outlines(parse_svg(text), colours))
    heard = pair.components.transform(sounds.spectra)
    strokes = pair.draw_components(heard)
    texts = [stroke_svg(stroke[None]) for stroke in strokes]
    rasters = _rasters(strokes)
    through_svg = _in_8_bits(np.stack([render(text) for text in texts]))
    lead = pair.recipe.network.leading
    noise = np.random.default_rng(0).normal(0, NOISE, rasters.shape).astype(np.float32)

    def cycle(pictures: FloatArray) -> float:
        error = (pair.read(pictures) - heard)[:, :lead]
        return float((error**2).mean() / (heard[:, :lead].astype(np.float64) ** 2).mean())

    outlines = [parse_svg(text)[0] for text in texts]
    drawn, permuted = _judge_drawn(pairings, judge_sounds(sounds.windows), outlines)
    real = training_drawings.rasters[: len(drawings)]
    reference = training_drawings.rasters[:512]
    noisy = np.random.default_rng(0).random(drawings.rasters.shape)
    return PairMeasures(
        drawn=drawn,
        sung=_judge_sung(pair, pairings, drawings),
        permuted=permuted,
        cycle=cycle(rasters),
        cycle_svg=cycle(through_svg),
        cycle_8_bit=cycle(_in_8_bits(rasters)),
        cycle_noise=cycle(rasters + noise),
        found_first=found_first(pair.read(through_svg)[:, :lead], heard[:, :lead]),
        diversity=diversity(rasters) / diversity(drawings.rasters),
        distance=kernel_distance(rasters, drawings.rasters, reference),
        distance_of_real=kernel_distance(real, drawings.rasters, reference),
        distance_of_circles=kernel_distance(_circles(drawings), drawings.rasters, reference),
        distance_of_noise=kernel_distance(noisy, drawings.rasters, reference),
        tone_movement=tone_movement(pair),
        crescendo=crescendo_correlation(pair),
        strokes=strokes,
    )


def tone_movement(pair: Pair, hertz: float = 440.0) -> float:
    """Return how far the stroke of a constant tone moves from frame to frame, in pixels of 256."""
    tone = 0.1 * np.sin(2 * np.pi * hertz * np.arange(3 * RATE) / RATE)
    points = _sliding_points(pair, tone.astype(np.float32))
    return float(np.linalg.norm(np.diff(points, axis=0), axis=2).mean() * PAGE)


def crescendo_correlation(pair: Pair, hertz: float = 440.0) -> float:
    """Return the rank correlation of the strokes' size with time while a tone grows by 30 dB."""
    time = np.arange(4 * RATE) / RATE
    tone = 10 ** ((7.5 * time - 40) / 20) * np.sin(2 * np.pi * hertz * time)
    points = _sliding_points(pair, tone.astype(np.float32))
    sizes = np.array([judge_outlines([_outline(each)])[0, 0] for each in points])
    return rank_correlation(np.arange(float(len(sizes))), sizes)


def _sliding_points(pair: Pair, sound: FloatArray) -> NDArray[np.float64]:
    """Return the points of strokes of windows at 25 frames a second, ``(frames, points, 2)``."""
    hop = RATE // FRAMES_PER_SECOND
    windows = np.lib.stride_tricks.sliding_window_view(sound, RATE)[::hop]
    text = stroke_svg(pair.draw(windows))
    return np.stack([outline.points for outline in parse_svg(text)])


def _outline(points: NDArray[np.float64]) -> Outline:
    return Outline(points, True, 0.01, np.ones(3, np.float32))


def _judge_drawn(
    pairings: tuple[Pairing, ...], heard: NDArray[np.float64], outlines: list[Outline]
) -> tuple[dict[str, float], dict[str, float]]:
    seen = judge_outlines(outlines)
    drawn, permuted = {}, {}
    for each in pairings:
        columns = heard[:, each.sound], seen[:, each.drawing]
        drawn[str(each)] = each.sign * rank_correlation(*columns)
        permuted[str(each)] = permuted_correlation(*columns)
    return drawn, permuted


def _judge_sung(pair: Pair, pairings: tuple[Pairing, ...], drawings: Drawings) -> dict[str, float]:
    spectra = pair.spectra(pair.read(drawings.rasters))
    heard = judge_sounds(np.stack([random_phase_sound(each) for each in spectra]))
    seen = judge_outlines([parse_svg(stroke_svg(each[None]))[0] for each in drawings.strokes])
    return {
        str(each): each.sign * rank_correlation(seen[:, each.drawing], heard[:, each.sound])
        for each in pairings
    }


def _circles(drawings: Drawings) -> FloatArray:
    """Return rasters of circles in the places and sizes of drawings."""
    strokes = drawings.strokes.copy()
    strokes[:, ORDER_VALUES] = 0
    return _rasters(strokes)


def _rasters(strokes: FloatArray) -> FloatArray:
    import torch

    from frame2sound.synaesthesia.raster import rasterise

    return np.asarray(rasterise(torch.from_numpy(strokes)).numpy())


def _in_8_bits(rasters: FloatArray) -> FloatArray:
    return np.asarray(np.rint(rasters * 255) / 255, np.float32)


def _split(
    names: list[str], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of examples to train on and of those held out, by whole files."""
    files: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        files.setdefault(name.rsplit(" ", 1)[0], []).append(index)
    order = [list(files.values())[number] for number in rng.permutation(len(files))]
    out: list[int] = []
    while order and len(out) < count and len(order) > 1:
        out += order.pop()
    kept = [index for group in order for index in group]
    return np.sort(np.array(kept, np.int64)), np.array(out, np.int64)
