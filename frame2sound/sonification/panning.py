"""Pan sound from left to right with the scan of a picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.scanning import Scan
from frame2sound.sound.panner import pan_gains

Samples = NDArray[np.float32]


class ScanPanner:
    """Pans what is heard to where the scan is: the left edge is left, the right edge right."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate, self._done = sample_rate, 0
        self._scans: deque[Scan] = deque()

    def watch(self, scans: Iterable[Scan]) -> Iterator[Scan]:
        """Yield scans, and remember when they are heard."""
        for scan in scans:
            self._scans.append(scan)
            yield scan

    def process(self, samples: Samples) -> Samples:
        """Return the next samples in stereo, ``(n, 2)``, at equal power."""
        seconds = np.arange(self._done, self._done + len(samples)) / self._sample_rate
        self._done += len(samples)
        places = np.ones(len(samples))
        while self._scans and len(seconds):
            scan = self._scans[0]
            first, last = np.searchsorted(
                seconds, [float(scan.start_seconds), float(scan.end_seconds)]
            )
            places[first:last] = scan.places(seconds[first:last])
            if last == len(seconds):
                break
            self._scans.popleft()
        gains = np.stack(pan_gains(2 * places - 1), axis=-1)
        return (samples[:, None] * gains).astype(np.float32)
