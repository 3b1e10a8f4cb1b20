"""A brain: a network with its recipe, target and clock, ready to predict a film's sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from frame2sound.brain.config import InputConfig
from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.event_head import MotionHead
from frame2sound.brain.features import encode_frames, input_size
from frame2sound.brain.networks import Network, build_network, initialise
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.targets import Target, build_target
from frame2sound.clock import Clock
from frame2sound.errors import BrainError
from frame2sound.film.decoding.frame_resizer import SIZE

BATCH_FRAMES = 256
"""Frames that pass through a network at once."""

SETTLING_SECONDS = 2.0
"""Duration of black, or white, after which a recurrent network is taken to have settled."""

BLACK, WHITE = 0, 255
SCREEN_LEVELS = (BLACK, WHITE)
"""The grey values of a black and of a white screen."""

STANDING_SECONDS = 0.15
"""A screen stands from this time after it appeared; flashes of a strobe at 4 Hz are shorter."""

ROUNDING_MARGIN = 2.0**-16
"""An output within this share of the sum of its absolute terms counts as silence.

Sums of 4096 products in single precision are off by about 4096**0.5 * 2**-24 = 2**-18 of that sum;
a few layers in sequence are off by a few times as much.
"""


@dataclass
class Brain:
    """A network and the meaning of its inputs and outputs.

    Attributes
    ----------
    network : Network
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
    network: Network
    target: Target
    provenance: dict[str, Any] = field(default_factory=dict)
    corpus: Corpus | CorpusPointer | None = None
    motion_head: MotionHead | None = None
    silent_screens: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self.network.eval()

    def __repr__(self) -> str:
        return f"Brain({self.recipe.name!r}, {self.parameter_count} parameters)"

    @classmethod
    def untrained(cls, recipe: Recipe, scale: float = 1.0, seed: int = 0) -> Brain:
        """Return a brain with random weights."""
        target = build_target(recipe, scale)
        network = build_network(
            recipe, input_size(recipe.input), target.length, target.silence_value
        )
        initialise(network, seed)
        return cls(recipe, network, target)

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
        features = self.network.features
        fixed = [] if features is None else list(features.parameters())
        return sum(map(torch.numel, self.network.parameters())) - sum(map(torch.numel, fixed))

    @property
    def knows_spectrum(self) -> bool:
        """Whether its network predicts spectra of held-out film better than their mean."""
        head = self.motion_head
        return head is None or head.settings.spectrum == "picture"

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

        Its weights and bias move to the nearest ones (in the Frobenius norm) for which the screens
        give silence: a projection on one linear constraint each. Prediction removes the rest that
        rounding leaves (see `PredictionStream`).

        For a recurrent brain the constraints hold after a screen of `SETTLING_SECONDS`. Before
        that, a screen is as silent as the brain has learned.
        """
        if not levels:
            return
        network = self.network
        frames = round(SETTLING_SECONDS * self.clock.fps) if network.is_recurrent else 1
        hidden = hidden_for_screens(network, self.recipe.input, frames)
        rows = [SCREEN_LEVELS.index(level) for level in levels]
        _project(network.head, hidden[rows], self.target.silence_value)


def _project(head: nn.Linear, hidden: torch.Tensor, silence_value: float) -> None:
    """Move a layer to the nearest one that maps ``hidden`` to silence, up to rounding."""
    with torch.no_grad():
        error = head(hidden).cpu().double() - silence_value
        hidden = hidden.cpu().double()  # not every device has doubles
        hidden = torch.cat([hidden, torch.ones(len(hidden), 1, dtype=torch.float64)], 1)
        change = (torch.linalg.pinv(hidden) @ error).float()
        head.weight.sub_(change[:-1].T.to(head.weight))
        head.bias.sub_(change[-1].to(head.bias))


class PredictionStream:
    """A brain's prediction for one film, chunk by chunk; it keeps past frames and recurrent state.

    Where a brain that is not recurrent gives silence up to rounding for a black or white screen,
    the stream gives exact silence. So it does for the brain's `Brain.silent_screens` from
    `STANDING_SECONDS` after they appeared.
    """

    def __init__(self, brain: Brain) -> None:
        self.brain = brain
        self.state = brain.network.initial_state(1)
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
        side = (64, 64, 3) if self.brain.colour else (64, 64)
        if frames.shape[1:] != side:
            raise BrainError(
                f"got frames of shape {frames.shape}, expected (n, {', '.join(map(str, side))})"
            )
        target, network = self.brain.target, self.brain.network
        outputs = [
            self._predict_batch(frames[at : at + BATCH_FRAMES])
            for at in range(0, len(frames), BATCH_FRAMES)
        ]
        output = torch.cat([network.head.bias.new_empty(0, target.length), *outputs])
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
            sequence = self._with_past(frames)
            features = network.extract_sequence_features(
                torch.from_numpy(sequence).to(device), self.brain.recipe.input
            )
            batch, self.state = network(features[None], self.state)
            output: torch.Tensor = batch[0]
            output[self._are_silent(sequence)] = self.brain.target.silence_value
            output[self._stand_silent(frames)] = self.brain.target.silence_value
        return output

    def _are_silent(self, sequence: NDArray[np.uint8]) -> torch.Tensor:
        """Return which frames are screens that must be silent, bool ``(n,)``."""
        network, config = self.brain.network, self.brain.recipe.input
        levels = uniform_levels(sequence, config.past_frames)
        if self._silent_levels is None and (levels >= 0).any():
            self._silent_levels = silent_levels(network, config)
        return torch.from_numpy(np.isin(levels, self._silent_levels or []))

    def _stand_silent(self, frames: NDArray[np.uint8]) -> torch.Tensor:
        """Return which frames are silent screens that stand, bool ``(n,)``."""
        levels = uniform_levels(frames, 0)
        stands = np.zeros(len(levels), bool)
        for number, level in enumerate(levels.tolist()):
            same = level >= 0 and level == self._last_screen
            self._last_screen, self._screen_frames = level, self._screen_frames + 1 if same else 0
            stands[number] = self._screen_frames >= STANDING_SECONDS * self.brain.clock.fps
        return torch.from_numpy(stands & np.isin(levels, self.brain.silent_screens))

    def _with_past(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the past frames that the network needs, followed by the new frames."""
        past = self.brain.recipe.input.past_frames
        if self._past is None:
            self._past = np.repeat(frames[:1], past, 0)
        sequence = np.concatenate([self._past, frames])
        self._past = sequence[len(sequence) - past :]
        return sequence


def head_terms(head: nn.Linear, hidden: torch.Tensor) -> torch.Tensor:
    """Return the sum of the absolute terms of each output, ``(n, length)``.

    Each hidden value counts as one more than it is: weights round by a share of their size before
    they were made silent, also where their hidden value is 0 now.
    """
    return (hidden.abs() + 1) @ head.weight.abs().T + head.bias.abs()


def hidden_for_screens(network: Network, config: InputConfig, frame_count: int = 1) -> torch.Tensor:
    """Return the head's input after ``frame_count`` frames of black and white, ``(2, width)``."""
    device = next(network.parameters()).device
    shape = (2, 1 + config.past_frames, SIZE, SIZE, *([3] if config.colour else []))
    screens = torch.tensor(SCREEN_LEVELS, dtype=torch.uint8, device=device)
    screens = screens.reshape(2, *(1 for _ in shape[1:])).expand(shape)
    with torch.no_grad():
        features = network.extract_features(encode_frames(screens, config))
        return network.hidden(features[:, None].expand(-1, frame_count, -1))[:, -1]


def silent_levels(network: Network, config: InputConfig) -> list[int]:
    """Return the `SCREEN_LEVELS` for which a network gives silence up to rounding.

    The list is empty for a recurrent network, whose output depends on earlier frames.
    """
    if network.is_recurrent:
        return []
    head, hidden = network.head, hidden_for_screens(network, config)
    with torch.no_grad():
        error = (head(hidden) - network.silence_value).abs()
        silent = (error <= ROUNDING_MARGIN * head_terms(head, hidden)).all(1).tolist()
    return [level for level, is_silent in zip(SCREEN_LEVELS, silent, strict=True) if is_silent]


def uniform_levels(frames: NDArray[np.uint8], past: int) -> NDArray[np.int64]:
    """Return, for each frame, the level that fills it and its past, or -1 if none does.

    Parameters
    ----------
    frames : uint8 array (past + n, 64, 64), or in colour
        The first ``past`` frames are the past of those that follow.
    past : int
        Past frames that the network sees.

    Returns
    -------
    int64 array (n,)
        One of `SCREEN_LEVELS`, or -1.
    """
    flat = frames.reshape(len(frames), -1)
    is_uniform = (flat == flat[:, :1]).all(1) & np.isin(flat[:, 0], SCREEN_LEVELS)
    levels = np.where(is_uniform, flat[:, 0].astype(np.int64), -1)
    common = levels[past:]
    for back in range(1, past + 1):
        common = np.where(common == levels[past - back : len(levels) - back], common, -1)
    return common
