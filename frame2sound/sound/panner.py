"""Pan mono sound between two channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pan_gains(position: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the gains of the left and the right channel, whose squares add to one.

    A position ``p`` in [-1, 1] is the angle ``(p + 1) pi / 4``, whose cosine is the gain of the
    left and whose sine that of the right: -1 is left, 0 the middle (-3 dB in both), 1 right.
    """
    angle = (np.clip(np.asarray(position, np.float64), -1, 1) + 1) * (np.pi / 4)
    return np.cos(angle), np.sin(angle)


class Panner:
    """Pans a mono stream at equal power, with one position per frame.

    Within each frame the position moves linearly from that of the frame before to the frame's
    own, which it reaches when the next frame starts, so that there are no clicks. The first frame
    has its own position throughout. Batches of any size give the same output. See `pan_gains`.
    """

    def __init__(self) -> None:
        self._last: float | None = None

    def process(
        self,
        samples: NDArray[np.float32],
        position: NDArray[np.floating],
        bounds: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """Return the panned samples of the next frames.

        Parameters
        ----------
        samples : array of shape (n,)
            All samples of these frames.
        position : array of shape (frames,)
            In [-1, 1]; values outside are clipped.
        bounds : array of shape (frames + 1,)
            The start of each frame and the end of the last, in samples; only differences matter.

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
        gains = np.stack(pan_gains(_linear_ramps(starts, ends, np.diff(bounds))), axis=1)
        panned: NDArray[np.float32] = (samples[:, None] * gains).astype(np.float32)
        return panned


def _linear_ramps(
    starts: NDArray[np.float64], ends: NDArray[np.float64], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return linear ramps, one per frame, joined into one array."""
    begins = np.cumsum(lengths) - lengths
    into = np.arange(lengths.sum()) - np.repeat(begins, lengths)
    steps = np.repeat((ends - starts) / np.maximum(lengths, 1), lengths)
    line: NDArray[np.float64] = np.repeat(starts, lengths) + steps * into
    return line
