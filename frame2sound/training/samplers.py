"""Which pairs are trained on together, in which order, and which are mixed with an overlay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.recipe import Recipe
from frame2sound.training.dataset import IndexArray, PairDataset

CHUNKS_PER_PIECE = 16
"""Most chunks that a stream takes from one place."""

OVERLAY_CHUNKS = 6
"""Length of an overlay, in chunks; then it is drawn anew whether the next chunks have one."""

NO_PAIR = -1


@dataclass(frozen=True)
class StepIndices:
    """The pairs of one training step.

    Attributes
    ----------
    indices : int64 array (streams, chunk)
        Numbers of pairs; each row is a sequence in time, padded with -1.
    overlay_indices : int64 array (streams, chunk)
        Numbers of the pairs that are mixed with them; -1 for none.
    starts : bool array (streams,)
        Where a stream begins anew, so that its recurrent state is reset.
    """

    indices: IndexArray
    overlay_indices: IndexArray
    starts: NDArray[np.bool_]


class Sampler(Protocol):
    """The order in which an epoch visits pairs."""

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
        """Yield the steps of an epoch, the same each time for the same ``epoch_index``."""

    def kept_overlays(self, epoch_index: int) -> IndexArray | None:
        """Return the overlay of each pair if it is the same in several epochs, else None."""


class ShuffledSampler:
    """Batches of pairs in random order; what is left at an epoch's end makes no batch.

    Parameters
    ----------
    pair_count : int
    batch_size, min_steps : int
        Pairs in a batch; fewer if an epoch would have fewer than ``min_steps`` steps.
    overlay_share : float
        Share of pairs that are mixed with another.
    overlay_epochs : int
        Epochs for which a pair keeps its overlay; with 1, overlays are drawn for every step, from
        the same batch.
    seed : int
    """

    chunk_length = 1

    def __init__(
        self,
        pair_count: int,
        batch_size: int,
        min_steps: int,
        overlay_share: float,
        overlay_epochs: int,
        seed: int,
    ) -> None:
        self.pair_count = pair_count
        self.batch_size = self.rows_per_step = max(1, min(batch_size, pair_count // min_steps))
        self.steps_per_epoch = pair_count // self.batch_size
        self.overlay_share = overlay_share
        self.overlay_epochs = overlay_epochs
        self.seed = seed

    def iterate_epoch(self, epoch_index: int) -> Iterator[StepIndices]:
        """Yield the batches of an epoch; each pair is a row by itself."""
        order = np.random.default_rng([self.seed, 2, epoch_index]).permutation(self.pair_count)
        kept = self.kept_overlays(epoch_index)
        for number in range(self.steps_per_epoch):
            indices = order[number * self.batch_size :][: self.batch_size]
            step = epoch_index * self.steps_per_epoch + number
            random = np.random.default_rng([self.seed, 3, step])
            overlay = np.full(len(indices), NO_PAIR)
            if self.overlay_share:
                mixed = random.random(len(indices)) < self.overlay_share
                if kept is None:
                    overlay[mixed] = indices[random.integers(len(indices), size=mixed.sum())]
                else:
                    overlay[mixed] = kept[indices[mixed]]
            yield StepIndices(indices[:, None], overlay[:, None], np.ones(len(indices), bool))

    def kept_overlays(self, epoch_index: int) -> IndexArray | None:
        """Return the overlay of each pair, or None if they are drawn for every step."""
        if not self.overlay_share or self.overlay_epochs == 1:
            return None
        random = np.random.default_rng([self.seed, 5, epoch_index // self.overlay_epochs])
        return random.integers(self.pair_count, size=self.pair_count)


class SequenceSampler:
    """Parallel streams of consecutive pairs, chunk by chunk, for recurrent networks.

    Each stream follows a run for at most 16 chunks, then begins elsewhere. Every epoch cuts the
    runs at other places.

    Parameters
    ----------
    runs : list of int64 arrays
        Numbers of the pairs of each unbroken run.
    batch_size, min_steps : int
        Pairs in a step; fewer if an epoch would have fewer than ``min_steps`` steps.
    chunk_length : int
        How many of them are consecutive.
    overlay_share : float
        Share of stretches of 6 chunks that are mixed with others.
    seed : int
    """

    def __init__(
        self,
        runs: list[IndexArray],
        batch_size: int,
        min_steps: int,
        chunk_length: int,
        overlay_share: float,
        seed: int,
    ) -> None:
        pair_count = sum(map(len, runs))
        pairs_per_step = pair_count // min_steps
        self.runs = runs
        self.chunk_length = max(1, min(chunk_length, pairs_per_step))
        self.stream_count = max(1, min(batch_size, pairs_per_step) // self.chunk_length)
        self.rows_per_step = self.stream_count
        self.steps_per_epoch = max(1, pair_count // (self.stream_count * self.chunk_length))
        self.overlay_share = overlay_share
        self.seed = seed
        self.overlay_length = OVERLAY_CHUNKS * self.chunk_length
        self.run_probabilities = np.array([len(run) for run in runs]) / max(pair_count, 1)

    def iterate_epoch(self, epoch_index: int) -> Iterator[StepIndices]:
        """Yield the steps of an epoch; recurrent state carries over from each to the next."""
        random = np.random.default_rng([self.seed, 2, epoch_index])
        pieces = [piece for run in self.runs for piece in self._cut_run(run, random)]
        random.shuffle(pieces)
        overlays = [self._choose_overlay(piece, random) for piece in pieces]
        chunks = [
            (*chunk, number == 0)
            for piece, overlay in zip(pieces, overlays, strict=True)
            for number, chunk in enumerate(
                zip(self._pad_to_chunks(piece), self._pad_to_chunks(overlay), strict=True)
            )
        ]
        length = -(-len(chunks) // self.stream_count)
        empty = np.full(self.chunk_length, NO_PAIR)
        chunks += [(empty, empty, True)] * (self.stream_count * length - len(chunks))
        for number in range(min(self.steps_per_epoch, length)):
            rows = chunks[number::length]
            indices, overlay, starts = (np.array(part) for part in zip(*rows, strict=True))
            yield StepIndices(indices, overlay, starts | (number == 0))

    def kept_overlays(self, epoch_index: int) -> None:
        """Return None: overlays are drawn for every epoch."""

    def _cut_run(self, run: IndexArray, random: np.random.Generator) -> list[IndexArray]:
        piece_length = CHUNKS_PER_PIECE * self.chunk_length
        first = int(random.integers(min(self.chunk_length, len(run))))
        return np.split(run, range(first or piece_length, len(run), piece_length))

    def _choose_overlay(self, piece: IndexArray, random: np.random.Generator) -> IndexArray:
        """Return the pairs to mix with a piece: at random places, stretches of any run."""
        overlay = np.full(len(piece), NO_PAIR)
        for start in range(0, len(piece), self.overlay_length):
            if random.random() < self.overlay_share:
                run = self.runs[random.choice(len(self.runs), p=self.run_probabilities)]
                first = random.integers(len(run))
                stretch = run[first : first + min(self.overlay_length, len(piece) - start)]
                overlay[start : start + len(stretch)] = stretch
        return overlay

    def _pad_to_chunks(self, piece: IndexArray) -> IndexArray:
        padded = np.full(-(-len(piece) // self.chunk_length) * self.chunk_length, NO_PAIR)
        padded[: len(piece)] = piece
        return padded.reshape(-1, self.chunk_length)


def make_sampler(pairs: PairDataset, recipe: Recipe, seed: int, is_recurrent: bool) -> Sampler:
    """Return the sampler that a network needs: of sequences if it is recurrent, else of pairs."""
    config = recipe.training
    if is_recurrent:
        runs = pairs.contiguous_runs()
        return SequenceSampler(
            runs, config.batch, config.min_steps, config.chunk, config.overlay, seed
        )
    return ShuffledSampler(
        len(pairs), config.batch, config.min_steps, config.overlay, config.overlay_epochs, seed
    )


def sequential_steps(pairs: PairDataset, chunk_length: int) -> Iterator[StepIndices]:
    """Yield all pairs once in the order of time, run by run, in one stream."""
    for run in pairs.contiguous_runs():
        for first in range(0, len(run), chunk_length):
            indices = run[None, first : first + chunk_length]
            yield StepIndices(indices, np.full_like(indices, NO_PAIR), np.array([first == 0]))
