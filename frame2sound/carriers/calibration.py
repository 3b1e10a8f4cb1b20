"""Undo what a tool did to levels and hues, as the patches of the strip show it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes, from_rgb, to_rgb
from frame2sound.carriers.layout import PATCHES, PageLayout
from frame2sound.carriers.strip import patch_colours
from frame2sound.carriers.yuv_image import YuvImage

TRUE, TINTLESS = 3.0, 0.2
"""Patches that differ by less, in root mean square and in the mean of each channel, are as they
were drawn, but for the noise of codecs."""

WORTH_TELLING = 1.0
"""A tint that is put right without a word: FFmpeg's 16 bits of 8 are half a level too dark."""

SEEN = 0.7
"""A row of patches that is less like the one that was drawn has been painted over."""


class Calibration:
    """Maps the colours of a picture to those that were drawn.

    Each channel first goes through the curve of the steps of grey, which undoes gamma, contrast and
    range. What is then left between the wheels of hues is undone by the direction of chroma: turned
    hues, more or less saturation, and the luma that some tools change with a hue.

    Parameters
    ----------
    rgb : float array (height, width, 3), or YuvImage
        A page in place.
    layout : PageLayout

    Attributes
    ----------
    error : float
        Root-mean-square difference of the patches that is left, in levels.
    changed : bool
        Whether anything is undone that is worth telling.
    """

    def __init__(self, rgb: Planes | YuvImage, layout: PageLayout) -> None:
        self._curves: list[tuple[Planes, Planes]] = []
        self._wheel: _Wheel | None = None
        self.error, self.changed = 0.0, False
        greys, *wheels = patch_colours(rgb, layout)
        has_greys = _likeness(*greys, hues=False) > SEEN
        wheels = [wheel for wheel in wheels if _likeness(*wheel, hues=True) > SEEN]
        rows = [greys] * has_greys + wheels
        if not rows:
            return
        known, actual = (np.concatenate(each) for each in zip(*rows, strict=True))
        self.error = _rms(actual - known)
        self.changed = _differ(actual, known, WORTH_TELLING)
        if not _differ(actual, known):
            return
        if has_greys and _differ(greys[1], greys[0]):
            self._curves = [_rising(greys[1][:, n], greys[0][:, n]) for n in range(3)]
        levelled = self._level(actual)
        self.error = _rms(levelled - known)
        if self.error > TRUE and wheels:
            turned = slice(PATCHES * has_greys, None)
            wheel = _Wheel(from_rgb(known[turned]), from_rgb(levelled[turned]))
            error = _rms(to_rgb(wheel.turn_back(from_rgb(levelled))) - known)
            if error < self.error:
                self._wheel, self.error = wheel, error

    @property
    def is_linear(self) -> bool:
        """Whether `apply` leaves levels and hues as they are."""
        return not self._curves and self._wheel is None

    def apply(self, rgb: Planes) -> Planes:
        """Return luma and chroma as they were drawn, ``(..., 3)``, of RGB."""
        planes = from_rgb(self._level(rgb))
        return planes if self._wheel is None else self._wheel.turn_back(planes)

    def _level(self, rgb: Planes) -> Planes:
        if not self._curves:
            return rgb
        return np.stack(
            [np.interp(rgb[..., n], *curve) for n, curve in enumerate(self._curves)], axis=-1
        ).astype(rgb.dtype)


class _Wheel:
    """What became of each hue; in proportion to its chroma, at every luma.

    That is so for rotations of chroma, and for those of hue in HSV and HSL, which keep the largest
    and the smallest of red, green and blue.
    """

    def __init__(self, known: Planes, actual: Planes) -> None:
        known, actual = (each.reshape(-1, PATCHES, 3) for each in (known, actual))
        hues = _chroma(actual)
        radius = np.maximum(np.abs(hues), 1e-3)
        self._hues = np.angle((hues / radius).mean(axis=0))
        self._turns = (_chroma(known) * hues.conj() / radius**2).mean(axis=0)
        self._lumas = ((known[..., 0] - actual[..., 0]) / radius).mean(axis=0)

    def turn_back(self, planes: Planes) -> Planes:
        chroma = _chroma(planes)
        hue, radius = np.angle(chroma), np.abs(chroma)
        period = {"period": 2 * np.pi}
        turn = np.interp(hue, self._hues, np.abs(self._turns), **period) * np.exp(
            1j * _interpolate_angles(hue, self._hues, np.angle(self._turns))
        )
        luma = planes[..., 0] + radius * np.interp(hue, self._hues, self._lumas, **period)
        turned = chroma * turn
        return np.stack([luma, turned.real, turned.imag], axis=-1).astype(planes.dtype)


def _likeness(known: Planes, actual: Planes, *, hues: bool) -> float:
    """Return how far a row of patches varies as the known one does, 0 to 1, if hues are turned."""
    one, other = (
        _chroma(planes) if hues else planes[:, 0] - planes[:, 0].mean()
        for planes in (from_rgb(known), from_rgb(actual))
    )
    energy = float(np.linalg.norm(one) * np.linalg.norm(other))
    return abs(complex(np.vdot(one, other))) / max(energy, 1e-9)


def _interpolate_angles(at: Planes, places: Planes, angles: Planes) -> Planes:
    """Interpolate angles that differ by less than half a turn from their mean."""
    middle = np.angle(np.exp(1j * angles).mean())
    apart = np.angle(np.exp(1j * (angles - middle)))
    return np.asarray(middle + np.interp(at, places, apart, period=2 * np.pi))


def _chroma(planes: Planes) -> NDArray[np.complexfloating[Any, Any]]:
    return np.asarray(planes[..., 1] + 1j * planes[..., 2])


def _rising(actual: Planes, known: Planes) -> tuple[Planes, Planes]:
    """Return the points of a curve over rising levels: steps that a tool made equal count once.

    In a negative the steps fall, and so does the curve.
    """
    if actual[-1] < actual[0]:
        actual, known = actual[::-1], known[::-1]
    rising = np.maximum.accumulate(actual)
    kept = np.append(True, np.diff(rising) > 0.05)
    return rising[kept], known[kept]


def _differ(actual: Planes, known: Planes, tint: float = TINTLESS) -> bool:
    means = np.abs((actual - known).mean(axis=0))
    return bool(_rms(actual - known) > TRUE or means.max() > tint)


def _rms(difference: Planes) -> float:
    return float(np.sqrt(np.mean(difference**2)))
