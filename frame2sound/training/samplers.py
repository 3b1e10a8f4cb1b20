"""Plans: which pairs are learned together, in which order, and which are exposed twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.recipe import Recipe
from frame2sound.training.dataset import IndexArray, PairDataset

MIN_STEPS = 16
"""Short films are learned in smaller batches rather than in fewer steps an epoch."""

CHUNKS_PER_PIECE = 16
"""Most chunks after which a stream begins elsewhere."""

OVERLAY_CHUNKS = 6
"""Chunks for which a stream is exposed twice at once; then it is drawn anew whether it is."""

NO_PAIR = -1


@dataclass(frozen=True)
class StepIndices:
    """What is learned at once.

    Attributes
    ----------
    which : int64 array (streams, chunk)
        Pairs; each row goes on in time. -1 after a row's end.
    over : int64 array (streams, chunk)
        Pairs that are laid over them; -1 for none.
    begins : bool array (streams,)
        Where nothing came before.
    """

    indices: IndexArray
    overlay_indices: IndexArray
    starts: NDArray[np.bool_]


class Sampler(Protocol):
    """A way through all pairs."""

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch."""

    @property
    def rows_per_step(self) -> int:
        """Rows in a step."""

    @property
    def chunk_length(self) -> int:
        """Most pairs in a row."""

    def iterate_epoch(self, epoch_index: int) -> Iterator[StepIndices]:
        """Yield the steps of an epoch, the same whenever it is asked for."""


class ShuffledSampler:
    """Every pair by itself, in any order; the odd ones at an epoch's end are left for the next.

    Parameters
    ----------
    pairs : int
        How many there are.
    batch : int
        How many are learned at once, if that leaves 16 steps or more.
    overlay : float
        Share of pairs over which another of the same batch is laid.
    seed : int
    """

    chunk_length = 1

    def __init__(self, pair_count: int, batch_size: int, overlay_share: float, seed: int) -> None:
        self.pair_count = pair_count
        self.batch_size = self.rows_per_step = max(1, min(batch_size, pair_count // MIN_STEPS))
        self.steps_per_epoch = pair_count // self.batch_size
        self.overlay_share = overlay_share
        self.seed = seed

    def iterate_epoch(self, epoch_index: int) -> Iterator[StepIndices]:
        """Yield batches, each pair a row of its own."""
        order = np.random.default_rng([self.seed, 2, epoch_index]).permutation(self.pair_count)
        for at in range(self.steps_per_epoch):
            which = order[at * self.batch_size :][: self.batch_size]
            random = np.random.default_rng([self.seed, 3, epoch_index * self.steps_per_epoch + at])
            over = np.full(len(which), NO_PAIR)
            if self.overlay_share:
                chosen = random.random(len(which)) < self.overlay_share
                over[chosen] = which[random.integers(len(which), size=chosen.sum())]
            yield StepIndices(which[:, None], over[:, None], np.ones(len(which), bool))


class SequenceSampler:
    """Unbroken runs of pairs, chunk by chunk, many side by side.

    Each stream goes on through a run for 16 chunks at most, then begins elsewhere. Every epoch cuts
    the runs anew.

    Parameters
    ----------
    runs : list of int64 arrays
        The pairs of each run.
    batch, chunk : int
        Pairs in a step, and how many of them follow each other.
    overlay : float
        Share of pieces over which others are laid for as long as they go on.
    seed : int
    """

    def __init__(
        self,
        runs: list[IndexArray],
        batch_size: int,
        chunk_length: int,
        overlay_share: float,
        seed: int,
    ) -> None:
        pairs = sum(map(len, runs))
        self.runs = runs
        self.chunk_length = max(1, min(chunk_length, pairs // MIN_STEPS))
        self.stream_count = self.rows_per_step = max(
            1, min(batch_size, pairs // MIN_STEPS) // self.chunk_length
        )
        self.steps_per_epoch = max(1, pairs // (self.stream_count * self.chunk_length))
        self.overlay_share = overlay_share
        self.seed = seed
        self.overlay_length = OVERLAY_CHUNKS * self.chunk_length
        self.run_probabilities = np.array([len(run) for run in runs]) / max(pairs, 1)

    def iterate_epoch(self, epoch_index: int) -> Iterator[StepIndices]:
        """Yield chunks, side by side; memory goes on from each to the next."""
        random = np.random.default_rng([self.seed, 2, epoch_index])
        pieces = [piece for run in self.runs for piece in self._cut_run(run, random)]
        random.shuffle(pieces)
        others = [self._choose_overlay(piece, random) for piece in pieces]
        slots = [
            (*slot, at == 0)
            for piece, other in zip(pieces, others, strict=True)
            for at, slot in enumerate(
                zip(self._pad_to_chunks(piece), self._pad_to_chunks(other), strict=True)
            )
        ]
        length = -(-len(slots) // self.stream_count)
        nothing = np.full(self.chunk_length, NO_PAIR)
        slots += [(nothing, nothing, True)] * (self.stream_count * length - len(slots))
        for at in range(min(self.steps_per_epoch, length)):
            row = slots[at::length]
            which, over, begins = (np.array(part) for part in zip(*row, strict=True))
            yield StepIndices(which, over, begins | (at == 0))

    def _cut_run(self, run: IndexArray, random: np.random.Generator) -> list[IndexArray]:
        first = int(random.integers(min(self.chunk_length, len(run))))
        cuts = range(
            first or CHUNKS_PER_PIECE * self.chunk_length,
            len(run),
            CHUNKS_PER_PIECE * self.chunk_length,
        )
        return np.split(run, cuts)

    def _choose_overlay(self, piece: IndexArray, random: np.random.Generator) -> IndexArray:
        """Choose what is laid over a piece: now and then a stretch from anywhere."""
        over = np.full(len(piece), NO_PAIR)
        for at in range(0, len(piece), self.overlay_length):
            if random.random() < self.overlay_share:
                run = self.runs[random.choice(len(self.runs), p=self.run_probabilities)]
                first = random.integers(len(run))
                other = run[first : first + min(self.overlay_length, len(piece) - at)]
                over[at : at + len(other)] = other
        return over

    def _pad_to_chunks(self, piece: IndexArray) -> IndexArray:
        padded = np.full(-(-len(piece) // self.chunk_length) * self.chunk_length, NO_PAIR)
        padded[: len(piece)] = piece
        return padded.reshape(-1, self.chunk_length)


def make_sampler(pairs: PairDataset, recipe: Recipe, seed: int, is_recurrent: bool) -> Sampler:
    """Return the way through pairs of a network that remembers, or of one that does not."""
    asked = recipe.training
    if is_recurrent:
        return SequenceSampler(
            pairs.contiguous_runs(), asked.batch, asked.chunk, asked.overlay, seed
        )
    return ShuffledSampler(len(pairs), asked.batch, asked.overlay, seed)


def sequential_steps(pairs: PairDataset, chunk_length: int) -> Iterator[StepIndices]:
    """Yield all pairs once, run by run, chunk by chunk, as a film is played."""
    for run in pairs.contiguous_runs():
        for at in range(0, len(run), chunk_length):
            which = run[None, at : at + chunk_length]
            yield StepIndices(which, np.full_like(which, NO_PAIR), np.array([at == 0]))
