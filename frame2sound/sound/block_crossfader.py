"""Windowed overlap-add of one block a frame, at frame starts that need not be evenly spaced."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.windows import hann_fade_in


class BlockCrossfader:
    """Joins successive blocks into sound, with a delay of no sample.

    A block holds ``lead`` samples before its frame and then the frame's own. The last ``overlap``
    samples before each frame start are shared by two blocks: the earlier falls as the later rises,
    and their windows add to one at every sample, whatever the spacing of the frames. At the frame's
    start its own block is fully there, so an event on the first sample keeps its edge.

    Blocks that are cut from one sound come back as that sound where windows add to one in
    amplitude. Unrelated blocks would lose up to 3 dB there, once a frame, and tremble; they keep
    their level where windows add to one in power.

    Parameters
    ----------
    lead : int
        Samples of each block before its frame.
    overlap : int
        Samples over which neighbours cross, or the whole frame where that is shorter; 0 is the hard
        cut. Where it is more than ``lead``, the missing samples are the block's own beginning,
        mirrored at its first sample.
    law : {"amplitude", "power"}
        What of the windows adds to one: for blocks that join, or for blocks that are unrelated.
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

        Returns the sound that is complete: all frames but the last one, which is held back.
        """
        lengths = np.diff(bounds)
        if self._last_frame is not None:
            blocks = np.concatenate([self._last_frame[0], blocks])
            lengths = np.concatenate([self._last_frame[1], lengths])
        self._last_frame = blocks[-1:], lengths[-1:]
        own = blocks[:-1, self.lead :].copy()
        self._crossfade(own, lengths[:-1], blocks[1:])
        return _concatenate_rows(own, lengths[:-1])

    def flush(self) -> NDArray[np.float32]:
        """Return the last frame's sound."""
        if self._last_frame is None:
            return np.empty(0, np.float32)
        (blocks, lengths), self._last_frame = self._last_frame, None
        return _concatenate_rows(blocks[:, self.lead :], lengths)

    def _crossfade(
        self,
        own: NDArray[np.float32],
        lengths: NDArray[np.int64],
        following: NDArray[np.float32],
    ) -> None:
        most = self.lead + following.shape[1] - 1
        overlaps = np.minimum(min(self.overlap, most), lengths)
        for overlap in np.unique(overlaps).tolist():
            rise = (hann_fade_in(overlap) ** (0.5 if self.law == "power" else 1)).astype(np.float32)
            rows = np.flatnonzero(overlaps == overlap)[:, None]
            columns = lengths[rows] - overlap + np.arange(overlap)
            coming = self._samples_before_frame(following[rows[:, 0]], overlap)
            own[rows, columns] = own[rows, columns] * rise[::-1] + coming * rise

    def _samples_before_frame(
        self, blocks: NDArray[np.float32], overlap: int
    ) -> NDArray[np.float32]:
        """Return each block's ``overlap`` samples before its frame."""
        if overlap <= self.lead:
            return blocks[:, self.lead - overlap : self.lead]
        missing = overlap - self.lead
        mirrored = blocks[:, missing:0:-1]
        return np.concatenate([mirrored, blocks[:, : self.lead]], axis=1)


def _concatenate_rows(own: NDArray[np.float32], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    longest = own.shape[1]
    if int(lengths.max(initial=0)) > longest:
        raise ValueError(f"got frames of {lengths.max()} samples, blocks hold {longest}")
    return own[np.arange(longest) < lengths[:, None]]
