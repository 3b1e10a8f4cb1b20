"""A brain: network, input, target, scaling and clock - all that is needed to sound a film."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from frame2sound.brain.config import InputConfig
from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.features import encode_frames, input_size
from frame2sound.brain.networks import Network, build_network, initialise
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.targets import Target, build_target
from frame2sound.clock import Clock
from frame2sound.errors import BrainError
from frame2sound.film.decoding.frame_resizer import SIZE

BATCH_FRAMES = 256
"""Frames that a network is shown at once."""

SETTLING_SECONDS = 2.0
"""How long a screen is black, or white, for a network that remembers to have settled."""

LEVELS = (0, 255)
"""The grey values of a black and of a white screen."""

ROUNDING_MARGIN = 2.0**-16
"""An output is silence, but for rounding, up to this share of what its terms add up to.

Sums of 4096 products of single precision are off by about 4096**0.5 * 2**-24, or 2**-18, of that;
a few layers, one after the other, by some times as much.
"""


@dataclass
class Brain:
    """A network and what its numbers mean.

    Attributes
    ----------
    network : Network
    provenance : dict
        Where the brain comes from: films, seconds of training, losses; plain values.
    corpus : Corpus or CorpusPointer, optional
        Sound of its films, for the mosaic.
    """

    recipe: Recipe
    network: Network
    target: Target
    provenance: dict[str, Any] = field(default_factory=dict)
    corpus: Corpus | CorpusPointer | None = None

    def __post_init__(self) -> None:
        self.network.eval()

    @classmethod
    def untrained(cls, recipe: Recipe, scale: float = 1.0, seed: int = 0) -> Brain:
        """Build a brain that has learned nothing."""
        target = build_target(recipe, scale)
        network = build_network(
            recipe, input_size(recipe.input), target.length, target.silence_value
        )
        initialise(network, seed)
        return cls(recipe, network, target)

    @property
    def clock(self) -> Clock:
        """The frame rate and the sample rate at which it works."""
        return self.recipe.to_clock()

    @property
    def colour(self) -> bool:
        """Whether it sees colour."""
        return self.recipe.input.colour

    @property
    def parameter_count(self) -> int:
        """How many numbers it has learned; what its eyes are made of was computed."""
        eyes = self.network.features
        computed = [] if eyes is None else list(eyes.parameters())
        return sum(map(torch.numel, self.network.parameters())) - sum(map(torch.numel, computed))

    def start_prediction(self) -> PredictionStream:
        """Begin a film."""
        return PredictionStream(self)

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Turn a film's frames ``(n, 64, 64)``, or in colour, into what the target says.

        That is blocks of sound, or spectra; see `Watching.predict`.
        """
        return self.start_prediction().predict(frames)

    def silence_screens(self) -> None:
        """Make black and white screens silent, changing the top the least.

        Its weights and bias are moved to the nearest ones (in the Frobenius norm) under which both
        screens give silence: the projection on two linear constraints. What rounding leaves is
        taken away when a film is played: there a screen is exactly silent (see `Watching`).

        For a brain that remembers they are screens that have been there for so long that it has
        settled; when it has not, it is as silent as it has learned, and when it has, silent but
        for rounding.
        """
        network = self.network
        long = round(SETTLING_SECONDS * self.clock.fps) if network.is_recurrent else 1
        hidden = hidden_for_screens(network, self.recipe.input, long)
        _project(network.head, hidden, self.target.silence_value)


def _project(head: nn.Linear, hidden: torch.Tensor, silence_value: float) -> None:
    """Move a layer to the nearest that gives ``wanted`` for ``hidden``, but for rounding."""
    with torch.no_grad():
        error = head(hidden).cpu().double() - silence_value
        hidden = hidden.cpu().double()  # not every device has doubles
        hidden = torch.cat([hidden, torch.ones(len(hidden), 1, dtype=torch.float64)], 1)
        change = (torch.linalg.pinv(hidden) @ error).float()
        head.weight.sub_(change[:-1].T.to(head.weight))
        head.bias.sub_(change[-1].to(head.bias))


class PredictionStream:
    """A brain at a film: what it has seen that it still needs, and what it remembers.

    Where a brain that does not remember gives silence for a black or white screen but for rounding,
    it gives silence exactly.
    """

    def __init__(self, brain: Brain) -> None:
        self.brain = brain
        self.state = brain.network.initial_state(1)
        self._past: NDArray[np.uint8] | None = None
        self._silent_levels: list[int] | None = None

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Turn the next frames ``(n, 64, 64)``, or in colour, into blocks of sound, or spectra.

        Raises
        ------
        BrainError
            The output is not finite: the brain has diverged.
        """
        target, network = self.brain.target, self.brain.network
        given = [
            self._predict_batch(frames[at : at + BATCH_FRAMES])
            for at in range(0, len(frames), BATCH_FRAMES)
        ]
        output = torch.cat([network.head.bias.new_empty(0, target.length), *given])
        if not torch.isfinite(output).all():
            raise BrainError(
                f"brain {self.brain.recipe.name!r} gives numbers that are not finite: its training "
                "diverged; train it again with a smaller training.rate"
            )
        return target.decode(output)

    def _predict_batch(self, frames: NDArray[np.uint8]) -> torch.Tensor:
        network = self.brain.network
        device = next(network.parameters()).device
        with torch.inference_mode():
            run = self._with_past(frames)
            looks = network.extract_sequence_features(
                torch.from_numpy(run).to(device), self.brain.recipe.input
            )
            output, self.state = network(looks[None], self.state)
            given: torch.Tensor = output[0]
            given[self._are_silent(run)] = self.brain.target.silence_value
        return given

    def _are_silent(self, run: NDArray[np.uint8]) -> torch.Tensor:
        """Return which frames are screens that are silent, bool ``(n,)``."""
        network, seen = self.brain.network, self.brain.recipe.input
        shown = uniform_levels(run, seen.past_frames)
        if self._silent_levels is None and (shown >= 0).any():
            self._silent_levels = silent_levels(network, seen)
        return torch.from_numpy(np.isin(shown, self._silent_levels or []))

    def _with_past(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return frames after those of the past that they are seen with."""
        past = self.brain.recipe.input.past_frames
        if self._past is None:
            self._past = np.repeat(frames[:1], past, 0)
        whole = np.concatenate([self._past, frames])
        self._past = whole[len(whole) - past :]
        return whole


def head_terms(head: nn.Linear, hidden: torch.Tensor) -> torch.Tensor:
    """Return what an output's terms add up to without their signs, ``(n, length)``.

    Each hidden value counts as one more than it is: weights round by a share of what they were
    before they were made silent, also where nothing enters them now.
    """
    return (hidden.abs() + 1) @ head.weight.abs().T + head.bias.abs()


def hidden_for_screens(network: Network, config: InputConfig, frame_count: int = 1) -> torch.Tensor:
    """Return what the top sees of black and of white after so many frames, ``(2, width)``."""
    device = next(network.parameters()).device
    shape = (2, 1 + config.past_frames, SIZE, SIZE, *([3] if config.colour else []))
    screens = torch.tensor(LEVELS, dtype=torch.uint8, device=device)
    screens = screens.reshape(2, *(1 for _ in shape[1:])).expand(shape)
    with torch.no_grad():
        looks = network.extract_features(encode_frames(screens, config))[:, None].expand(
            -1, frame_count, -1
        )
        return network.hidden(looks)[:, -1]


def silent_levels(network: Network, config: InputConfig) -> list[int]:
    """Return those of `LEVELS` for which a network gives silence, but for rounding.

    None for a network that remembers: what it gives depends on what came before.
    """
    if network.is_recurrent:
        return []
    top, hidden = network.head, hidden_for_screens(network, config)
    with torch.no_grad():
        error = (top(hidden) - network.silence_value).abs()
        silent = (error <= ROUNDING_MARGIN * head_terms(top, hidden)).all(1).tolist()
    return [level for level, is_silent in zip(LEVELS, silent, strict=True) if is_silent]


def uniform_levels(frames: NDArray[np.uint8], past: int) -> NDArray[np.int64]:
    """Return which of `LEVELS` frames and all their past are filled with; -1 where with neither.

    Parameters
    ----------
    run : uint8 array (past + n, 64, 64), or in colour
        The first are the past of those that follow.
    past : int
        How many frames back are seen.
    """
    flat = frames.reshape(len(frames), -1)
    plain = (flat == flat[:, :1]).all(1) & np.isin(flat[:, 0], LEVELS)
    shown = np.where(plain, flat[:, 0].astype(np.int64), -1)
    now = shown[past:]
    for back in range(1, past + 1):
        now = np.where(now == shown[past - back : len(shown) - back], now, -1)
    return now
