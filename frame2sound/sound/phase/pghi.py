"""Phase-gradient heap integration: phases from the slopes of the log magnitude."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.reconstructor import from_polar
from frame2sound.sound.stft import Stft

if TYPE_CHECKING:
    from scipy.sparse import csr_array

GAMMA = {"hann": 0.25645, "hamming": 0.29794}
"""Of the Gaussian that is most like a window, over its squared length (Průša et al., table I)."""

_MAX_TREE_HOPS = 512
"""Hops that one tree spans at most; longer calls are cut."""


class Pghi:
    """Estimates the phase gradient from the slopes of the log magnitude, and integrates it.

    Průša, Balazs and Søndergaard (2017), "A noniterative method for reconstruction of phase from
    STFT magnitude". They integrate from the loudest bins outwards with a heap. The same paths form
    a spanning tree on which each bin is connected to its loudest neighbour; here the tree is built
    first, and the phases are summed along it. Bins below the tolerance get random phases.

    Each call is a chunk, which continues from the last hop of the call before. Noise is not
    modelled: a smooth magnitude becomes pulses.

    Parameters
    ----------
    stft : Stft
    tolerance : float
        As a share of the loudest magnitude of a chunk.
    seed : int

    Raises
    ------
    ValueError
        The tolerance is not above 0 and below 1.
    """

    def __init__(self, stft: Stft, tolerance: float = 1e-4, seed: int = 0) -> None:
        if not 0 < tolerance < 1:
            raise ValueError(f"got tolerance {tolerance}, expected above 0 and below 1")
        self._stft, self._tolerance = stft, tolerance
        self._rng = np.random.default_rng(seed)
        self._past = np.empty((0, stft.bins), np.float32)
        self._phase = np.empty((0, stft.bins))

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return a chunk of magnitudes with phases integrated from their slopes."""
        spectra = np.empty(magnitude.shape, np.complex64)
        for first in range(0, len(magnitude), _MAX_TREE_HOPS):
            batch = slice(first, first + _MAX_TREE_HOPS)
            spectra[batch] = from_polar(magnitude[batch], self._phases(magnitude[batch]))
        return spectra

    def _phases(self, magnitude: NDArray[np.float32]) -> NDArray[np.float64]:
        known = len(self._phase)
        whole = np.concatenate([self._past, magnitude])
        along_time, along_frequency = phase_gradients(self._stft, whole)
        first = len(whole) - len(magnitude) - known
        piece = whole[first:]
        phase = self._rng.uniform(0, 2 * np.pi, piece.shape)
        phase[:known] = self._phase
        loud = piece > self._tolerance * float(piece.max(initial=0))
        integrate_phase(phase, piece, loud, along_time[first:], along_frequency[first:], known)
        self._past, self._phase = whole[-2:], np.mod(phase[-1:], 2 * np.pi)
        return np.mod(phase[known:], 2 * np.pi)


def phase_gradients(
    stft: Stft, magnitude: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by how much the phase turns a hop, and a bin, at every bin; radians, ``(n, bins)``.

    For a Gaussian ``exp(-pi t**2 / gamma)`` and phases at the window's centre,
    ``d phase / dt = 2 pi f + (d log magnitude / df) / gamma`` and
    ``d phase / df = -gamma d log magnitude / dt``, with central differences.
    """
    gamma = GAMMA[stft.window] * stft.window_size**2
    log = np.log(np.maximum(magnitude.astype(np.float64), 1e-20))
    along_time = np.gradient(log, axis=1) * (stft.hop * stft.n_fft / gamma)
    along_time += 2 * math.pi * stft.hop / stft.n_fft * np.arange(stft.bins)
    if len(log) < 2:
        return along_time, np.zeros_like(log)
    return along_time, np.gradient(log, axis=0) * (-gamma / (stft.hop * stft.n_fft))


def integrate_phase(
    phase: NDArray[np.float64],
    magnitude: NDArray[np.float32],
    loud: NDArray[np.bool_],
    along_time: NDArray[np.float64],
    along_frequency: NDArray[np.float64],
    known_hops: int,
) -> None:
    """Fill in the phase of the loud bins, in place, from the ``known`` first hops or the loudest.

    The loudest bin of each island that touches no known hop keeps its phase.
    """
    number = np.full(phase.shape, -1)
    number[loud] = np.arange(np.count_nonzero(loud))
    places = np.flatnonzero(loud)
    if not len(places):
        return
    sources, ends, turns = _neighbour_pairs(number, loud, along_time, along_frequency)
    above = _parents(sources, ends, magnitude[loud], int(np.count_nonzero(loud[:known_hops])))
    parent = np.where(above == len(places), np.arange(len(places)), above)
    turn = np.zeros(len(places))
    forwards, backwards = parent[ends] == sources, parent[sources] == ends
    turn[ends[forwards]] = turns[forwards]
    turn[sources[backwards]] = -turns[backwards]
    flat = phase.reshape(-1)
    total, root = _sum_to_root(turn, parent)
    flat[places] = total + flat[places[root]]


def _neighbour_pairs(
    number: NDArray[np.int64],
    loud: NDArray[np.bool_],
    along_time: NDArray[np.float64],
    along_frequency: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return all pairs of loud neighbours by number, and the phase step between them."""
    later, higher = loud[:-1] & loud[1:], loud[:, :-1] & loud[:, 1:]
    sources = np.concatenate([number[:-1][later], number[:, :-1][higher]])
    ends = np.concatenate([number[1:][later], number[:, 1:][higher]])
    through_time = (along_time[:-1] + along_time[1:])[later] / 2
    through_frequency = (along_frequency[:, :-1] + along_frequency[:, 1:])[higher] / 2
    return sources, ends, np.concatenate([through_time, through_frequency])


def _parents(
    sources: NDArray[np.int64],
    ends: NDArray[np.int64],
    magnitude: NDArray[np.float32],
    known: int,
) -> NDArray[np.int64]:
    """Return the neighbour from which each bin gets its phase; the bin count for a root.

    Steps are preferred by the level of the quieter of their bins, then by that of the louder.
    """
    from scipy.sparse.csgraph import (
        breadth_first_order,
        connected_components,
        minimum_spanning_tree,
    )

    count = len(magnitude)
    loudness = magnitude.astype(np.float64) / max(float(magnitude.max(initial=0)), 1e-30)
    quieter = np.minimum(loudness[sources], loudness[ends])
    cost = 2 - quieter - 1e-6 * np.maximum(loudness[sources], loudness[ends])
    links = _graph(count, (sources, ends, cost), (np.arange(known), 0.5))
    tree = minimum_spanning_tree(links).tocoo()
    _, island = connected_components(tree, directed=False)
    ascending = np.argsort(loudness, kind="stable")
    loudest = np.full(island.max() + 1, -1)
    loudest[island[ascending]] = ascending
    loudest[island[count]] = -1
    whole = _graph(count, (*tree.coords, tree.data), (loudest[loudest >= 0], 0.5))
    _, parent = breadth_first_order(whole, count, directed=False)
    above: NDArray[np.int64] = parent[:count].astype(np.int64)
    return above


def _graph(
    count: int,
    steps: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    rooted: tuple[NDArray[np.int64], float],
) -> csr_array:
    """Return a graph of the bins and of a root, number ``count``, to which some are connected."""
    from scipy.sparse import csr_array

    sources, ends, cost = steps
    roots, root_cost = rooted
    rows = np.concatenate([np.full(len(roots), count), sources])
    columns = np.concatenate([roots, ends])
    data = np.concatenate([np.full(len(roots), root_cost), cost])
    return csr_array((data, (rows, columns)), (count + 1, count + 1))


def _sum_to_root(
    phase_step: NDArray[np.float64], parent: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the sum of phase steps from the root to each bin, and the root (pointer jumping)."""
    total, ahead = phase_step, parent
    while True:
        total = total + total[ahead]
        farther = ahead[ahead]
        if np.array_equal(farther, ahead):
            return total, ahead
        ahead = farther
