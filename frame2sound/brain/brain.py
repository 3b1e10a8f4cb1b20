"""A brain: a network with its recipe, target and clock, ready to predict a film's sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.arrays import to_numpy
from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.event_head import MotionHead
from frame2sound.brain.numpy_network import NumpyNetwork
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.screens import (
    SCREEN_LEVELS,
    STANDING_SECONDS,
    silent_levels,
    uniform_levels,
)
from frame2sound.brain.targets import Target
from frame2sound.brain.weights import Weights, count_trained
from frame2sound.clock import Clock
from frame2sound.errors import BrainError
from frame2sound.film.small_frames import picture_shape

if TYPE_CHECKING:
    from frame2sound.brain.networks import Network

BATCH_FRAMES = 256
"""Frames that pass through a network at once."""


@dataclass
class Brain:
    """A network and the meaning of its inputs and outputs.

    On a processor, NumPy computes its predictions; on an accelerator, PyTorch does. PyTorch is
    imported only when something asks for `Brain.network`.

    Attributes
    ----------
    model : dict of str to array, or Network
        The weights of a brain that was read; PyTorch's module of one that is trained, or that
        something has asked for.
    provenance : dict
        The brain's training films, training time and losses, as plain values.
    corpus : Corpus or CorpusPointer, optional
        Sound of its training films, for the mosaic.
    motion_head : MotionHead, optional
        Says when something sounds, and how loud, from the motion of the picture.
    silent_screens : tuple of int
        The `SCREEN_LEVELS` that are silent where they stand, whatever the network gives.
    """

    recipe: Recipe
    model: Weights | Network
    target: Target
    provenance: dict[str, Any] = field(default_factory=dict)
    corpus: Corpus | CorpusPointer | None = None
    motion_head: MotionHead | None = None
    silent_screens: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.model, dict):
            self.model.eval()

    def __repr__(self) -> str:
        return f"Brain({self.recipe.name!r}, {self.parameter_count} parameters)"

    @classmethod
    def untrained(cls, recipe: Recipe, scale: float = 1.0, seed: int = 0) -> Brain:
        """Return a brain with random weights."""
        from frame2sound.brain.networks import build_untrained
        from frame2sound.brain.targets import build_target

        target = build_target(recipe, scale)
        return cls(recipe, build_untrained(recipe, target, seed), target)

    @property
    def network(self) -> Network:
        """The network as PyTorch's module, for training; its weights are the brain's."""
        if isinstance(self.model, dict):
            from frame2sound.brain.networks import network_with_weights

            self.model = network_with_weights(self.recipe, self.target, self.model)
        return self.model

    @property
    def weights(self) -> Weights:
        """The weights by name; those of a module on the processor are not copied."""
        if isinstance(self.model, dict):
            return self.model
        return {name: to_numpy(tensor) for name, tensor in self.model.state_dict().items()}

    @property
    def is_accelerated(self) -> bool:
        """Whether the weights are on an accelerator, where PyTorch computes the predictions."""
        return not isinstance(self.model, dict) and self.model.head.weight.device.type != "cpu"

    def to(self, device: Any) -> Brain:
        """Move the weights to a device of PyTorch, and return the brain."""
        self.model = self.network.to(device)
        return self

    @property
    def clock(self) -> Clock:
        """The brain's frame rate and sample rate."""
        return self.recipe.to_clock()

    @property
    def colour(self) -> bool:
        """Whether its input frames are in colour."""
        return self.recipe.input.colour

    @property
    def maps_ground(self) -> bool:
        """Whether its input frames are those of `frame2sound.brain.ground.match_ground`."""
        return self.recipe.input.maps_ground

    @property
    def parameter_count(self) -> int:
        """The number of trained parameters; those of the fixed frame features do not count."""
        return count_trained(self.weights)

    @property
    def knows_spectrum(self) -> bool:
        """Whether its network predicts spectra of held-out film better than their mean."""
        head = self.motion_head
        return head is None or head.settings.spectrum == "picture"

    @property
    def learns_equal_loudness(self) -> bool:
        """Whether it learned its films at one loudness, as mono sound."""
        return self.recipe.training.loudness == "equal"

    def start_prediction(self) -> PredictionStream:
        """Return a stream that predicts one film from its first frame on."""
        return PredictionStream(self)

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the prediction for a film's frames ``(n, 64, 64)``, or ``(n, 64, 64, 3)``.

        That is blocks of sound or spectra, as the target defines; see `PredictionStream.predict`.
        """
        return self.start_prediction().predict(frames)

    def silence_screens(self, levels: Sequence[int] = SCREEN_LEVELS) -> None:
        """Make black and white screens silent with the smallest change of the head.

        Prediction removes the rest that rounding leaves (see `PredictionStream`).

        For a recurrent brain the constraints hold after a screen of two seconds. Before that, a
        screen is as silent as the brain has learned.
        """
        from frame2sound.brain.silencing import silence_screens

        if levels:
            silence_screens(self.network, self.recipe.input, float(self.clock.fps), levels)


class InferenceNetwork(Protocol):
    """A network that predicts one film, in NumPy or PyTorch."""

    def initial_state(self) -> Any:
        """Return the state before the film's first frame."""

    def predict(self, frames: NDArray[np.uint8], state: Any) -> tuple[NDArray[np.float32], Any]:
        """Return outputs ``(n, length)`` and the state after the last frame.

        The first ``past_frames`` of the frames ``(past_frames + n, ...)`` are the past of others.
        """


class PredictionStream:
    """A brain's prediction for one film, chunk by chunk; it keeps past frames and recurrent state.

    Where a brain that is not recurrent gives silence up to rounding for a black or white screen,
    the stream gives exact silence. So it does for the brain's `Brain.silent_screens` from
    `STANDING_SECONDS` after they appeared.
    """

    def __init__(self, brain: Brain) -> None:
        self.brain = brain
        self._network = _inference_network(brain)
        self.state = self._network.initial_state()
        self._past: NDArray[np.uint8] | None = None
        self._silent_levels: list[int] | None = None
        self._last_screen, self._screen_frames = -1, 0

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Return blocks of sound, or spectra, for the next frames ``(n, 64, 64)``, or in colour.

        Raises
        ------
        BrainError
            The frames are of another shape, or the output is not finite: training diverged.
        """
        side = picture_shape(self.brain.colour)
        if frames.shape[1:] != side:
            raise BrainError(
                f"got frames of shape {frames.shape}, expected (n, {', '.join(map(str, side))})"
            )
        outputs = [
            self._predict_batch(frames[at : at + BATCH_FRAMES])
            for at in range(0, len(frames), BATCH_FRAMES)
        ]
        output = np.concatenate([np.empty((0, self.brain.target.length), np.float32), *outputs])
        if not np.isfinite(output).all():
            raise BrainError(
                f"brain {self.brain.recipe.name!r} gives numbers that are not finite: its training "
                "diverged; train it again with a smaller training.rate"
            )
        return self.brain.target.decode(output)

    def _predict_batch(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        sequence = self._with_past(frames)
        output, self.state = self._network.predict(sequence, self.state)
        is_silent = self._are_silent(sequence) | self._stand_silent(frames)
        output[is_silent] = self.brain.target.silence_value
        return output

    def _are_silent(self, sequence: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return which frames are screens that must be silent, bool ``(n,)``."""
        levels = uniform_levels(sequence, self.brain.recipe.input.past_frames)
        if self._silent_levels is None and (levels >= 0).any():
            self._silent_levels = silent_levels(_numpy_network(self.brain))
        return np.isin(levels, self._silent_levels or [])

    def _stand_silent(self, frames: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return which frames are silent screens that stand, bool ``(n,)``."""
        levels = uniform_levels(frames, 0)
        stands = np.zeros(len(levels), np.bool_)
        for number, level in enumerate(levels.tolist()):
            same = level >= 0 and level == self._last_screen
            self._last_screen, self._screen_frames = level, self._screen_frames + 1 if same else 0
            stands[number] = self._screen_frames >= STANDING_SECONDS * self.brain.clock.fps
        return stands & np.isin(levels, self.brain.silent_screens)

    def _with_past(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the past frames that the network needs, followed by the new frames."""
        past = self.brain.recipe.input.past_frames
        if self._past is None:
            self._past = np.repeat(frames[:1], past, 0)
        sequence = np.concatenate([self._past, frames])
        self._past = sequence[len(sequence) - past :]
        return sequence


def _inference_network(brain: Brain) -> InferenceNetwork:
    """Return the network that predicts: NumPy's, or PyTorch's on an accelerator."""
    if not brain.is_accelerated:
        return _numpy_network(brain)
    from frame2sound.brain.networks import AcceleratedNetwork

    return AcceleratedNetwork(brain.network, brain.recipe.input)


def _numpy_network(brain: Brain) -> NumpyNetwork:
    return NumpyNetwork(brain.recipe, brain.weights, brain.target.silence_value)
