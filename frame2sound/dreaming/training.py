"""Train the network on the films' tokens, until the held-out tokens are predicted no better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from frame2sound.dreaming.network import TokenNetwork
from frame2sound.dreaming.split import HeldOut
from frame2sound.dreaming.tokens import Tokens
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.threads import one_thread_per_operation

WINDOW, BATCH = 96, 16
"""Tokens of an example, and examples of a step."""

MAX_STEPS, JUDGED_STEPS, PATIENCE = 1000, 20, 8
"""Most steps, steps between two judgements, and judgements without progress before the end."""

RATE, DECAY = 1e-3, 0.05
"""Learning rate and weight decay of AdamW."""

REPLACED = 0.1
"""Share of the tokens of an example that are replaced by others, so that errors are survived."""

MIXED = 0.5
"""Share of examples whose style is a mixture of two films."""

MAX_STAGES = 8

_PADDING = -100

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Stage:
    """The weights of the network at a step of training, and its bits a held-out token."""

    step: int
    bits: float
    weights: Weights


@dataclass(frozen=True)
class TrainedNetwork:
    """The stages of a training: the first is untrained, the last is the best."""

    stages: tuple[Stage, ...]

    @property
    def best(self) -> Stage:
        """The stage that predicts held-out tokens best."""
        return self.stages[-1]


def train_network(
    learned: Sequence[Tokens],
    held_out: Sequence[HeldOut],
    codes: int,
    spectra: NDArray[np.float32] | None = None,
    seed: int = 0,
    max_steps: int = MAX_STEPS,
    on_progress: ProgressCallback = ignore_progress,
) -> tuple[TrainedNetwork, NDArray[np.float64]]:
    """Return a network trained on the tokens of films, one sequence a film, and held-out bits.

    No example reaches from one film into another. On one kind of processor the same tokens and seed
    give the same network.

    Parameters
    ----------
    learned : sequence of int arrays (n,)
    held_out : sequence of HeldOut
        By which the training ends.
    codes : int
        Number of different tokens.
    spectra : float32 array (codes, 48), optional
        What the tokens stand for.
    max_steps : int

    Returns
    -------
    TrainedNetwork
    float array (judgements, n)
        The bits of each held-out token, at each judgement of the training.
    """
    with one_thread_per_operation(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = TokenNetwork(codes, len(learned), spectra)
        examples = _Examples(learned, codes, np.random.default_rng(seed))
        optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
        curve = [np.concatenate(network_bits(network, held_out))]
        stages = [_stage(network, curve[0], 0)]
        for step in range(1, max_steps + 1):
            _take_step(network, optimiser, examples)
            if step % JUDGED_STEPS and step < max_steps:
                continue
            curve.append(np.concatenate(network_bits(network, held_out)))
            stages.append(_stage(network, curve[-1], step))
            best = min(stages, key=lambda stage: stage.bits)
            on_progress("training", step, max_steps, f"{best.bits:.2f} bits a token")
            if step - best.step >= PATIENCE * JUDGED_STEPS:
                break
        on_progress("training", max_steps, max_steps, f"{best.bits:.2f} bits a token")
    return TrainedNetwork(_choose_stages(stages)), np.stack(curve)


def network_bits(network: TokenNetwork, held_out: Sequence[HeldOut]) -> list[NDArray[np.float64]]:
    """Return the bits of each held-out token of each part, given all before it."""
    network.eval()
    bits = []
    with torch.no_grad():
        for part in held_out:
            tokens = torch.from_numpy(np.asarray(part.tokens, np.int64))
            style = torch.zeros(1, network.film_embedding.in_features)
            style[0, part.film] = 1
            logits, _ = network(tokens[None, :-1], style)
            nats = cross_entropy(logits[0], tokens[1:], reduction="none")
            bits.append(nats[max(part.first - 1, 0) :].double().numpy() / np.log(2))
    return bits


def build_network(stage: Stage, codes: int, films: int) -> TokenNetwork:
    """Return the network of a stage, ready to predict."""
    network = TokenNetwork(codes, films)
    network.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in stage.weights.items()})
    return network.eval()


class _Examples:
    """Draws examples: windows of films with their style."""

    def __init__(self, learned: Sequence[Tokens], codes: int, rng: np.random.Generator) -> None:
        self._learned, self._codes, self._rng = learned, codes, rng
        lengths = np.array([max(len(tokens) - 1, 0) for tokens in learned], np.float64)
        self._shares = lengths / lengths.sum()

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens and targets, ``(16, 96)``, and styles, ``(16, films)``."""
        rng, shape = self._rng, (BATCH, WINDOW)
        tokens, targets = np.zeros(shape, np.int64), np.full(shape, _PADDING)
        styles = np.zeros((BATCH, len(self._learned)), np.float32)
        for row in range(BATCH):
            film = self._draw_style(styles[row])
            sequence = self._learned[film]
            first = int(rng.integers(max(len(sequence) - WINDOW, 1)))
            part = sequence[first : first + WINDOW + 1]
            tokens[row, : len(part) - 1], targets[row, : len(part) - 1] = part[:-1], part[1:]
        replaced = rng.random(shape) < REPLACED
        tokens[replaced] = rng.integers(self._codes, size=int(replaced.sum()))
        return torch.from_numpy(tokens), torch.from_numpy(targets), torch.from_numpy(styles)

    def _draw_style(self, style: NDArray[np.float32]) -> int:
        """Fill in a style, and return a film, drawn by its weights there."""
        film = int(self._rng.choice(len(style), p=self._shares))
        if len(style) == 1 or self._rng.random() >= MIXED:
            style[film] = 1
            return film
        other = int(self._rng.choice(len(style), p=self._shares))
        weight = float(self._rng.random())
        style[film] += weight
        style[other] += 1 - weight
        return film if self._rng.random() < weight else other


def _take_step(
    network: TokenNetwork, optimiser: torch.optim.Optimizer, examples: _Examples
) -> None:
    tokens, targets, styles = examples.draw()
    network.train()
    logits, _ = network(tokens, styles)
    loss = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=_PADDING)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


def _stage(network: TokenNetwork, bits: NDArray[np.float64], step: int) -> Stage:
    weights = {key: value.numpy().copy() for key, value in network.state_dict().items()}
    return Stage(step, float(bits.mean()), weights)


def _choose_stages(stages: list[Stage]) -> tuple[Stage, ...]:
    """Return the untrained and the best stage, and between them those at even steps of bits."""
    best = min(stages, key=lambda stage: stage.bits)
    steps = [stage for stage in stages if stage.step <= best.step]
    chosen = {
        min(steps, key=lambda stage: abs(stage.bits - wanted)).step
        for wanted in np.linspace(steps[0].bits, best.bits, MAX_STAGES)
    }
    return tuple(stage for stage in steps if stage.step in chosen | {0, best.step})
