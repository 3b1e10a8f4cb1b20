"""Scan pictures from left to right: their brightness at evenly spaced times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.pictures import Brightness, with_columns

FloatArray = NDArray[np.float64]

BATCH_HOPS = 256
"""Hops that are computed together."""


@dataclass(frozen=True)
class Scan:
    """A picture that is scanned from left to right in a stretch of time.

    Attributes
    ----------
    start_seconds, end_seconds : Fraction
    brightness : float32 array (rows, columns)
        0 is silent, 1 the loudest; the first row is the top.
    sweep_seconds : Fraction, optional
        The scan begins again at each multiple of this time, whatever the picture; by default it
        crosses the picture once, from its start to its end.
    held : bool
        Columns change at once; by default brightness is interpolated between their middles.
    """

    start_seconds: Fraction
    end_seconds: Fraction
    brightness: Brightness
    sweep_seconds: Fraction | None = None
    held: bool = False

    def places(self, seconds: FloatArray) -> FloatArray:
        """Return where in the picture the scan is at times, from 0 (left) to 1 (right)."""
        if self.sweep_seconds is not None:
            return np.mod(seconds / float(self.sweep_seconds), 1)
        start = float(self.start_seconds)
        return (seconds - start) / (float(self.end_seconds) - start)

    def columns_at(self, places: FloatArray) -> Brightness:
        """Return the brightness at places, ``(n, rows)``."""
        columns = self.brightness.shape[1]
        if self.held:
            index = np.clip((places * columns).astype(np.int64), 0, columns - 1)
            return np.ascontiguousarray(self.brightness[:, index].T)
        position = np.clip(places * columns - 0.5, 0, columns - 1)
        left = np.minimum(position.astype(np.int64), max(columns - 2, 0))
        share = (position - left).astype(np.float32)
        right = self.brightness[:, np.minimum(left + 1, columns - 1)]
        return np.ascontiguousarray(((1 - share) * self.brightness[:, left] + share * right).T)


def brightness_at_hops(scans: Iterable[Scan], sample_rate: int, hop: int) -> Iterator[Brightness]:
    """Yield the brightness of all rows at sample 0, ``hop``, ``2 * hop``..., ``(hops, rows)``.

    The middle of column ``c`` of ``n`` is reached after ``(c + 0.5) / n`` of a scan; where columns
    are closer than hops they are averaged. At sample 0 and after the last scan all is dark, so that
    sound begins and ends in silence. All batches but the last have `BATCH_HOPS` hops.
    """
    pending: list[Brightness] = []
    for batch in _scanned(scans, sample_rate, hop):
        pending.append(batch)
        if sum(map(len, pending)) >= BATCH_HOPS:
            whole = np.concatenate(pending)
            ready = len(whole) - len(whole) % BATCH_HOPS
            for first in range(0, ready, BATCH_HOPS):
                yield whole[first : first + BATCH_HOPS]
            pending = [whole[ready:]]
    yield np.concatenate(pending)


def _scanned(scans: Iterable[Scan], sample_rate: int, hop: int) -> Iterator[Brightness]:
    done, rows = 0, 1
    for scan in scans:
        rows = len(scan.brightness)
        if not done:
            yield np.zeros((1, rows), np.float32)
            done = 1
        last = max(math.ceil(scan.end_seconds * sample_rate / hop), done)
        fitting = _fit_columns(scan, sample_rate, hop)
        for first in range(done, last, BATCH_HOPS):
            hops = np.arange(first, min(first + BATCH_HOPS, last), dtype=np.float64)
            yield fitting.columns_at(fitting.places(hops * (hop / sample_rate)))
        done = last
    yield np.zeros((1, rows), np.float32)


def _fit_columns(scan: Scan, sample_rate: int, hop: int) -> Scan:
    """Return a scan whose columns are no closer than hops."""
    seconds = scan.sweep_seconds or scan.end_seconds - scan.start_seconds
    columns = max(round(seconds * sample_rate / hop), 1)
    narrow = with_columns(scan.brightness, columns)
    return Scan(scan.start_seconds, scan.end_seconds, narrow, scan.sweep_seconds, scan.held)
