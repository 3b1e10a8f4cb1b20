"""Placing mono sound between two loudspeakers, along a track of positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Panner:
    """Equal-power panning: ``left**2 + right**2`` is one wherever the sound is.

    A position ``p`` in [-1, 1] is the angle ``(p + 1) pi / 4``, whose cosine is the gain of the
    left and whose sine that of the right: -1 is left, 0 the middle (-3 dB in both), 1 right. Over
    each frame the position goes in a straight line from the last frame's to its own, which it has
    when the next frame starts; nothing jumps, so nothing zips. The first frame has its own
    throughout. Fed in pieces of any number of frames it gives what it gives fed at once.
    """

    def __init__(self) -> None:
        self._last: float | None = None

    def process(
        self,
        samples: NDArray[np.float32],
        position: NDArray[np.floating],
        bounds: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Place the sound of some frames.

        Parameters
        ----------
        sound : array of shape (n,)
            All samples of these frames.
        position : array of shape (frames,)
            In [-1, 1]; what lies outside is taken for the nearer end.
        bounds : array of shape (frames + 1,)
            Where each frame starts, and the last ends, in samples; only differences count.

        Returns
        -------
        array of shape (n, 2)
            Left and right.

        Raises
        ------
        ValueError
            The shapes do not fit together, or a position is not finite.
        """
        if len(bounds) != len(position) + 1 or len(samples) != bounds[-1] - bounds[0]:
            raise ValueError(
                f"got {len(samples)} samples, {len(position)} positions and {len(bounds)} bounds, "
                "expected one more bound than positions and a sample for each between them"
            )
        if not np.isfinite(position).all():
            raise ValueError("got a position that is not finite, expected -1 to 1")
        if not len(position):
            return np.empty((0, 2), np.float32)
        ends = np.clip(np.asarray(position, np.float64), -1, 1)
        first = ends[0] if self._last is None else self._last
        self._last = float(ends[-1])
        starts = np.concatenate([[first], ends[:-1]])
        angle = (_linear_ramps(starts, ends, np.diff(bounds)) + 1) * (np.pi / 4)
        gains = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        placed: NDArray[np.float32] = (samples[:, None] * gains).astype(np.float32)
        return placed


def _linear_ramps(
    starts: NDArray[np.float64], ends: NDArray[np.float64], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Join straight lines, each as long as its frame."""
    begins = np.cumsum(lengths) - lengths
    into = np.arange(lengths.sum()) - np.repeat(begins, lengths)
    steps = np.repeat((ends - starts) / np.maximum(lengths, 1), lengths)
    line: NDArray[np.float64] = np.repeat(starts, lengths) + steps * into
    return line
