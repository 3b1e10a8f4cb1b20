"""Plans: which pairs are learned together, in which order, and which are exposed twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.recipe import Recipe
from frame2sound.training.pairs import Numbers, Pairs

LEAST_STEPS = 16
"""Short films are learned in smaller batches rather than in fewer steps an epoch."""

PIECE = 16
"""Most chunks after which a stream begins elsewhere."""

LAID = 6
"""Chunks for which a stream is exposed twice at once; then it is drawn anew whether it is."""

NONE = -1


@dataclass(frozen=True)
class Step:
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

    which: Numbers
    over: Numbers
    begins: NDArray[np.bool_]


class Plan(Protocol):
    """A way through all pairs."""

    @property
    def steps(self) -> int:
        """Steps in an epoch."""

    @property
    def rows(self) -> int:
        """Rows in a step."""

    @property
    def chunk(self) -> int:
        """Most pairs in a row."""

    def epoch(self, number: int) -> Iterator[Step]:
        """Yield the steps of an epoch, the same whenever it is asked for."""


class Shuffled:
    """Every pair by itself, in any order; the odd ones at an epoch's end are left for the next.

    Parameters
    ----------
    pairs : int
        How many there are.
    batch : int
        How many are learned at once, if that leaves 16 steps or more.
    double_exposure : float
        Share of pairs over which another of the same batch is laid.
    seed : int
    """

    chunk = 1

    def __init__(self, pairs: int, batch: int, double_exposure: float, seed: int) -> None:
        self.pairs = pairs
        self.batch = self.rows = max(1, min(batch, pairs // LEAST_STEPS))
        self.steps = pairs // self.batch
        self.double_exposure = double_exposure
        self.seed = seed

    def epoch(self, number: int) -> Iterator[Step]:
        """Yield batches, each pair a row of its own."""
        order = np.random.default_rng([self.seed, 2, number]).permutation(self.pairs)
        for at in range(self.steps):
            which = order[at * self.batch :][: self.batch]
            random = np.random.default_rng([self.seed, 3, number * self.steps + at])
            over = np.full(len(which), NONE)
            if self.double_exposure:
                chosen = random.random(len(which)) < self.double_exposure
                over[chosen] = which[random.integers(len(which), size=chosen.sum())]
            yield Step(which[:, None], over[:, None], np.ones(len(which), bool))


class Streams:
    """Unbroken runs of pairs, chunk by chunk, many side by side.

    Each stream goes on through a run for 16 chunks at most, then begins elsewhere. Every epoch cuts
    the runs anew.

    Parameters
    ----------
    runs : list of int64 arrays
        The pairs of each run.
    batch, chunk : int
        Pairs in a step, and how many of them follow each other.
    double_exposure : float
        Share of pieces over which others are laid for as long as they go on.
    seed : int
    """

    def __init__(
        self, runs: list[Numbers], batch: int, chunk: int, double_exposure: float, seed: int
    ) -> None:
        pairs = sum(map(len, runs))
        self.runs = runs
        self.chunk = max(1, min(chunk, pairs // LEAST_STEPS))
        self.streams = self.rows = max(1, min(batch, pairs // LEAST_STEPS) // self.chunk)
        self.steps = max(1, pairs // (self.streams * self.chunk))
        self.double_exposure = double_exposure
        self.seed = seed
        self.span = LAID * self.chunk
        self.shares = np.array([len(run) for run in runs]) / max(pairs, 1)

    def epoch(self, number: int) -> Iterator[Step]:
        """Yield chunks, side by side; memory goes on from each to the next."""
        random = np.random.default_rng([self.seed, 2, number])
        pieces = [piece for run in self.runs for piece in self._pieces(run, random)]
        random.shuffle(pieces)
        others = [self._over(piece, random) for piece in pieces]
        slots = [
            (*slot, at == 0)
            for piece, other in zip(pieces, others, strict=True)
            for at, slot in enumerate(zip(self._chunks(piece), self._chunks(other), strict=True))
        ]
        length = -(-len(slots) // self.streams)
        nothing = np.full(self.chunk, NONE)
        slots += [(nothing, nothing, True)] * (self.streams * length - len(slots))
        for at in range(min(self.steps, length)):
            row = slots[at::length]
            which, over, begins = (np.array(part) for part in zip(*row, strict=True))
            yield Step(which, over, begins | (at == 0))

    def _pieces(self, run: Numbers, random: np.random.Generator) -> list[Numbers]:
        first = int(random.integers(min(self.chunk, len(run))))
        cuts = range(first or PIECE * self.chunk, len(run), PIECE * self.chunk)
        return np.split(run, cuts)

    def _over(self, piece: Numbers, random: np.random.Generator) -> Numbers:
        """Choose what is laid over a piece: now and then a stretch from anywhere."""
        over = np.full(len(piece), NONE)
        for at in range(0, len(piece), self.span):
            if random.random() < self.double_exposure:
                run = self.runs[random.choice(len(self.runs), p=self.shares)]
                first = random.integers(len(run))
                other = run[first : first + min(self.span, len(piece) - at)]
                over[at : at + len(other)] = other
        return over

    def _chunks(self, piece: Numbers) -> Numbers:
        padded = np.full(-(-len(piece) // self.chunk) * self.chunk, NONE)
        padded[: len(piece)] = piece
        return padded.reshape(-1, self.chunk)


def plan_of(pairs: Pairs, recipe: Recipe, seed: int, remembers: bool) -> Plan:
    """Return the way through pairs of a network that remembers, or of one that does not."""
    asked = recipe.training
    if remembers:
        return Streams(pairs.runs(), asked.batch, asked.chunk, asked.double_exposure, seed)
    return Shuffled(len(pairs), asked.batch, asked.double_exposure, seed)


def in_order(pairs: Pairs, chunk: int) -> Iterator[Step]:
    """Yield all pairs once, run by run, chunk by chunk, as a film is played."""
    for run in pairs.runs():
        for at in range(0, len(run), chunk):
            which = run[None, at : at + chunk]
            yield Step(which, np.full_like(which, NONE), np.array([at == 0]))
