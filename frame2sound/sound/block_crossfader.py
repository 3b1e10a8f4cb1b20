"""Windowed overlap-add of one block per frame, at frame starts of any spacing."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.windows import hann_fade_in


class BlockCrossfader:
    """Crossfades successive blocks into continuous sound, without delay.

    A block holds ``lead`` samples before its frame and then the frame's own. The last ``overlap``
    samples before each frame start belong to two blocks: the earlier fades out as the later fades
    in, and their windows add to one at every sample, whatever the spacing of the frames. From the
    frame's start on only its own block sounds, so an event on the first sample stays sharp.

    Blocks cut from one sound give that sound again if windows add to one in amplitude. Unrelated
    blocks would lose up to 3 dB in every crossfade, an audible tremolo; they keep their level if
    windows add to one in power.

    Parameters
    ----------
    lead : int
        Samples of each block before its frame.
    overlap : int
        Length of the crossfade in samples, at most a whole frame; 0 is a hard cut. Where it is
        more than ``lead``, the block's beginning is mirrored at its first sample.
    law : {"amplitude", "power"}
        Which sum of the windows is one: amplitude for continuous blocks, power for unrelated ones.
    """

    def __init__(
        self, lead: int, overlap: int, law: Literal["amplitude", "power"] = "amplitude"
    ) -> None:
        self.lead = lead
        self.overlap = overlap
        self.law = law
        self._last_frame: tuple[NDArray[np.float32], NDArray[np.int64]] | None = None

    def process(
        self, blocks: NDArray[np.float32], bounds: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Take blocks ``(n, lead + slice)`` and their frames' bounds ``(n + 1,)``, in samples.

        Returns the sound of all frames but the last, which waits for the next block.
        """
        lengths = np.diff(bounds)
        if self._last_frame is not None:
            blocks = np.concatenate([self._last_frame[0], blocks])
            lengths = np.concatenate([self._last_frame[1], lengths])
        self._last_frame = blocks[-1:], lengths[-1:]
        frame_samples = blocks[:-1, self.lead :].copy()
        self._crossfade(frame_samples, lengths[:-1], blocks[1:])
        return _concatenate_rows(frame_samples, lengths[:-1])

    def flush(self) -> NDArray[np.float32]:
        """Return the last frame's sound."""
        if self._last_frame is None:
            return np.empty(0, np.float32)
        (blocks, lengths), self._last_frame = self._last_frame, None
        return _concatenate_rows(blocks[:, self.lead :], lengths)

    def _crossfade(
        self,
        frame_samples: NDArray[np.float32],
        lengths: NDArray[np.int64],
        following: NDArray[np.float32],
    ) -> None:
        most = self.lead + following.shape[1] - 1
        overlaps = np.minimum(min(self.overlap, most), lengths)
        for overlap in np.unique(overlaps).tolist():
            rise = (hann_fade_in(overlap) ** (0.5 if self.law == "power" else 1)).astype(np.float32)
            rows = np.flatnonzero(overlaps == overlap)[:, None]
            columns = lengths[rows] - overlap + np.arange(overlap)
            incoming = self._samples_before_frame(following[rows[:, 0]], overlap)
            frame_samples[rows, columns] = (
                frame_samples[rows, columns] * rise[::-1] + incoming * rise
            )

    def _samples_before_frame(
        self, blocks: NDArray[np.float32], overlap: int
    ) -> NDArray[np.float32]:
        """Return each block's ``overlap`` samples before its frame."""
        if overlap <= self.lead:
            return blocks[:, self.lead - overlap : self.lead]
        missing = overlap - self.lead
        mirrored = blocks[:, missing:0:-1]
        return np.concatenate([mirrored, blocks[:, : self.lead]], axis=1)


def _concatenate_rows(
    frame_samples: NDArray[np.float32], lengths: NDArray[np.int64]
) -> NDArray[np.float32]:
    longest = frame_samples.shape[1]
    if int(lengths.max(initial=0)) > longest:
        raise ValueError(f"got frames of {lengths.max()} samples, blocks hold {longest}")
    return frame_samples[np.arange(longest) < lengths[:, None]]
