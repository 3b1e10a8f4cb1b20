"""Measures of sounds and of strokes, and the pairings that ask for them in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from frame2sound.errors import SynaesthesiaError
from frame2sound.name_matching import did_you_mean

SOUND_WORDS = ("loudness", "brightness", "noisiness", "movement")
"""What pairings can name of a sound, in the order of `describe_sounds`."""

DRAWING_WORDS = ("size", "spikiness", "darkness", "thickness", "height", "side")
"""What pairings can name of a drawing, in the order of `describe_outlines`."""

_DECIBEL = math.log(10) / 10


@dataclass(frozen=True)
class Pairing:
    """A measure of sounds that a measure of drawings is asked to follow.

    Attributes
    ----------
    sound, drawing : int
        Indices into `SOUND_WORDS` and `DRAWING_WORDS`.
    sign : {1, -1}
        Whether one grows as the other grows, or as it falls.
    """

    sound: int
    drawing: int
    sign: int = 1

    def __str__(self) -> str:
        minus = "-" if self.sign < 0 else ""
        return f"{SOUND_WORDS[self.sound]}={minus}{DRAWING_WORDS[self.drawing]}"


def parse_pairings(text: str) -> tuple[Pairing, ...]:
    """Return the pairings in a text; none if it is empty.

    Raises
    ------
    SynaesthesiaError
        A word is unknown, or used twice.

    Examples
    --------
    >>> [str(each) for each in parse_pairings("loudness=size, brightness=-spikiness")]
    ['loudness=size', 'brightness=-spikiness']
    """
    pairings = tuple(_parse(part.strip()) for part in text.split(",") if part.strip())
    for words in ([each.sound for each in pairings], [each.drawing for each in pairings]):
        if len(set(words)) < len(words):
            raise SynaesthesiaError(
                f"got the pairings {text!r}, expected each word once; leave one out"
            )
    return pairings


def _parse(text: str) -> Pairing:
    sound, equals, drawing = (part.strip() for part in text.partition("="))
    if not equals:
        raise SynaesthesiaError(
            f"got the pairing {text!r}, expected SOUND=DRAWING such as loudness=size"
        )
    sign = -1 if drawing.startswith("-") else 1
    name = drawing.lstrip("-")
    return Pairing(_index(sound, SOUND_WORDS), _index(name, DRAWING_WORDS), sign)


def _index(word: str, words: tuple[str, ...]) -> int:
    if word not in words:
        hint = did_you_mean(word, list(words))
        raise SynaesthesiaError(
            f"got {word!r} in a pairing{hint and f': {hint}'}; expected one of {', '.join(words)}"
        )
    return words.index(word)


def describe_sounds(spectra: Tensor) -> Tensor:
    """Return the measures of log mel spectra that `SOUND_WORDS` names, ``(n, 4)``.

    Loudness: the mean power in dB. Brightness: the centroid of the mean power, in mel bands.
    Noisiness: the mean over time of the flatness of bands in dB, at most 0. Movement: the logarithm
    of the mean change from one spectrum to the next, in dB.

    Parameters
    ----------
    spectra : Tensor (n, times, bands)
        In dBFS.
    """
    power = torch.exp(spectra.clamp(-120, 30) * _DECIBEL)
    loudness = torch.log(power.sum(dim=2).mean(dim=1) + 1e-9) / _DECIBEL
    mean = power.mean(dim=1)
    bands = torch.arange(mean.shape[1], dtype=mean.dtype, device=mean.device)
    brightness = (mean * bands).sum(dim=1) / (mean.sum(dim=1) + 1e-9)
    levels = torch.log(power.mean(dim=2) + 1e-9) / _DECIBEL
    noisiness = (spectra.mean(dim=2) - levels).mean(dim=1)
    movement = torch.log(spectra.diff(dim=1).abs().mean(dim=(1, 2)) + 0.05)
    return torch.stack([loudness, brightness, noisiness, movement], dim=1)


def describe_outlines(points: Tensor, widths: Tensor, inks: Tensor) -> Tensor:
    """Return the measures of closed outlines that `DRAWING_WORDS` names, ``(n, 6)``.

    Size: the logarithm of the root mean square distance of points from their mean. Spikiness: the
    logarithm of how much the isoperimetric quotient, perimeter squared over 4 pi times the area, is
    above that of a circle. Darkness: the mean ink. Thickness: the logarithm of the width. Height:
    how high the mean of the points is on the page, 0 to 1. Side: how far right.

    Parameters
    ----------
    points : Tensor (n, vertices, 2)
    widths : Tensor (n,)
    inks : Tensor (n, colours)
    """
    after = points.roll(-1, dims=1)
    cross = points[..., 0] * after[..., 1] - points[..., 1] * after[..., 0]
    area = cross.sum(dim=1).abs() / 2
    perimeter = (after - points).norm(dim=2).sum(dim=1)
    middle = points.mean(dim=1)
    spread = ((points - middle[:, None]) ** 2).sum(dim=2).mean(dim=1)
    quotient = perimeter**2 / (4 * math.pi * area.clamp_min(1e-6))
    measures = [
        torch.log(spread.clamp_min(1e-8)) / 2,
        torch.log((quotient - 1).clamp_min(1e-3)),
        inks.mean(dim=1),
        torch.log(widths.clamp_min(1e-4)),
        1 - middle[:, 1],
        middle[:, 0],
    ]
    return torch.stack(measures, dim=1)


def correlation(first: Tensor, second: Tensor) -> Tensor:
    """Return Pearson's correlation of two batches, ``(n,)``; 0 where one is constant."""
    first, second = first - first.mean(), second - second.mean()
    found: Tensor = (first * second).sum() / (first.norm() * second.norm() + 1e-6)
    return found
